"""Transactions are held, and go with their items, in a number of statements that is not theirs."""

from __future__ import annotations

from uuid import UUID

from omneo import deadlocks
from profiles.models import Transaction, TransactionItem
from profiles.signals import history_changed


def hold_transactions(profile_id: UUID) -> None:
    """Lock all transactions of a profile that the caller holds, in the order of their ids."""
    of_profile = Transaction.objects.filter(profile=profile_id).order_by("id")
    list(of_profile.select_for_update().values_list("id"))


@deadlocks.atomic
def delete_transaction(pk: int) -> None:
    """Delete a transaction and its items for good. Raises Transaction.DoesNotExist."""
    sale = Transaction.objects.filter(pk=pk).select_for_update().only("profile_id").get()
    TransactionItem.objects.filter(transaction=sale)._raw_delete("default")
    Transaction.objects.filter(pk=pk)._raw_delete("default")
    history_changed.send(sender=Transaction, profile_ids=[sale.profile_id], is_live=True)
