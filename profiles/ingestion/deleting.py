"""A transaction goes with its items, in the same number of statements however many it has."""

from __future__ import annotations

from django.db import transaction

from profiles.models import Transaction, TransactionItem
from profiles.signals import history_changed


def delete_transaction(pk: int) -> None:
    """Delete a transaction and its items for good. Raises Transaction.DoesNotExist."""
    with transaction.atomic():
        sale = Transaction.objects.filter(pk=pk).select_for_update().only("profile_id").get()
        TransactionItem.objects.filter(transaction=sale)._raw_delete("default")
        Transaction.objects.filter(pk=pk)._raw_delete("default")
        history_changed.send(sender=Transaction, profile_ids=[sale.profile_id], is_live=True)
