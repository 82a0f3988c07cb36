"""Transactions: what profiles bought and gave back."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models import Case, F, Func, Q, Value, When
from django.db.models.functions import Cast
from django.utils import timezone as clock

from locations.models import Brand, Location
from omneo.db import (
    DATE_RANGE,
    TimestampedModel,
    WatchedModel,
    date_range_constraint,
    optional_text,
    timezone_field,
)
from profiles.models.currency import Currency
from profiles.models.profile import Profile

POINT_OF_SALE, WEBSITE = "pos", "web"

HOLD_PROFILE = "SELECT FROM profiles_profile WHERE id = %s FOR KEY SHARE"
LOCATION_ZONE = "SELECT timezone FROM locations_location WHERE id = %s FOR SHARE"


def money_field(**options) -> models.DecimalField:
    return models.DecimalField(max_digits=14, decimal_places=2, **options)


def _bit(system: str, bit: int) -> Case:
    return Case(
        When(systems__contains=[system], then=Value(bit)),
        default=Value(0),
        output_field=models.SmallIntegerField(),
    )


class Transaction(WatchedModel, TimestampedModel):
    """A receipt. A refund or return is one with a negative total.

    Four rules of the aggregation are columns that the database derives, so that no writer can
    get them wrong: `amount`, `is_purchase`, `shop_date` and `channels`. What they are derived
    from must be there: `currency_rate` and `shop_timezone` are settled by `save()`, and a writer
    that goes around it and forgets them is refused.
    """

    _location_timezone: str | None = None
    watched = ("profile_id", "currency_id")
    settled = ("currency_rate", "shop_timezone")

    profile = models.ForeignKey(
        Profile, on_delete=models.CASCADE, db_index=False, related_name="transactions"
    )
    external_id = optional_text(255)
    receipt_ref = optional_text(255)
    location = models.ForeignKey(
        Location, null=True, blank=True, on_delete=models.PROTECT, related_name="transactions"
    )
    total = money_field(help_text="In the transaction's own currency; negative for a refund.")
    total_original = money_field(
        null=True, blank=True, help_text="What it would have cost without discounts."
    )
    rounding = money_field(null=True, blank=True)
    margin = money_field(null=True, blank=True)
    currency = models.ForeignKey(
        Currency,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="transactions",
    )
    currency_rate = models.DecimalField(
        max_digits=18,
        decimal_places=8,
        editable=False,
        help_text="The currency's rate when the transaction was saved with it.",
    )
    systems = ArrayField(
        models.CharField(max_length=50),
        default=list,
        blank=True,
        help_text="Where it was made: pos (point of sale), web (website), or other systems.",
    )
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    timezone = timezone_field(
        null=True, blank=True, help_text="Where left out, the location's, else UTC."
    )
    shop_timezone = timezone_field(editable=False)
    transacted_at = models.DateTimeField(default=clock.now, validators=DATE_RANGE)
    is_void = models.BooleanField(default=False)
    meta = models.JSONField(default=dict, blank=True)

    amount = models.GeneratedField(
        expression=F("total") * F("currency_rate"),
        output_field=models.DecimalField(max_digits=32, decimal_places=10),
        db_persist=True,
        help_text="The total in the system currency.",
    )
    is_purchase = models.GeneratedField(
        expression=Q(is_void=False) & Q(total__gt=0),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    shop_date = models.GeneratedField(
        expression=Cast(
            Func(F("shop_timezone"), F("transacted_at"), function="timezone"),
            output_field=models.DateField(),
        ),
        output_field=models.DateField(),
        db_persist=True,
        help_text="The calendar date where and when it was made.",
    )
    channels = models.GeneratedField(
        expression=_bit(POINT_OF_SALE, 1) + _bit(WEBSITE, 2),
        output_field=models.SmallIntegerField(),
        db_persist=True,
        help_text="1 point of sale, 2 website, 3 both.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["external_id"], name="transaction_external_id"),
            date_range_constraint("transacted_at", name="transaction_transacted_at_in_range"),
            models.CheckConstraint(
                condition=Q(currency_rate__gt=0), name="transaction_currency_rate_above_0"
            ),
            models.CheckConstraint(
                condition=Q(currency__isnull=False) | Q(currency_rate=1),
                name="transaction_rate_needs_currency",
            ),
        ]
        indexes = [
            # Read from end to end by the calculation, in this order and without the table.
            models.Index(
                fields=["profile", "transacted_at", "id"],
                include=[
                    "location",
                    "amount",
                    "total",
                    "total_original",
                    "currency",
                    "is_purchase",
                    "shop_date",
                    "channels",
                ],
                condition=Q(is_void=False),
                name="transaction_history",
            ),
            models.Index(fields=["profile", "-transacted_at"], name="transaction_profile"),
            # For who fetches what is new, page by page.
            models.Index(fields=["updated_at", "id"], name="transaction_updated_at"),
            models.Index(fields=["transacted_at", "id"], name="transaction_transacted_at"),
            models.Index(
                fields=["receipt_ref"],
                condition=Q(receipt_ref__isnull=False),
                name="transaction_receipt_ref",
            ),
            models.Index(
                fields=["currency"],
                condition=Q(currency__isnull=False),
                name="transaction_currency",
            ),
        ]

    def __str__(self) -> str:
        return self.receipt_ref or self.external_id or f"transaction {self.pk}"

    def hold(self) -> None:
        # Before the transaction itself, in the order of all who lock them. The location's zone is
        # read anew, because a change of it may be under way.
        self._location_timezone = None
        with connection.cursor() as cursor:
            cursor.execute(HOLD_PROFILE, [self.profile_id])
            if self.location_id is not None:
                cursor.execute(LOCATION_ZONE, [self.location_id])
                (self._location_timezone,) = cursor.fetchone() or (None,)
        super().hold()

    def settle(self) -> None:
        given = self.stored is None and self.currency_rate is not None
        if not given and self.has_changed("currency_id"):
            self.currency_rate = self.currency.rate if self.currency else 1
        self.shop_timezone = self.timezone or self._location_timezone or "UTC"


class TransactionItem(WatchedModel, TimestampedModel):
    """A line of a receipt.

    `profile` and `is_purchase` repeat the transaction's: a composite foreign key that cascades
    keeps them true, and lets the brands of a profile be read from one index.
    """

    _held_sales: dict[int, Transaction] | None = None
    watched = ("profile_id",)
    settled = ("profile", "is_purchase")

    transaction = models.ForeignKey(
        Transaction, on_delete=models.CASCADE, related_name="items", db_constraint=False
    )
    profile = models.ForeignKey(
        Profile,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        editable=False,
        related_name="+",
    )
    is_purchase = models.BooleanField(editable=False)
    name = optional_text(255)
    sku = optional_text(100)
    quantity = models.DecimalField(
        max_digits=12, decimal_places=3, default=1, help_text="Negative for what came back."
    )
    price_current = money_field(null=True, blank=True)
    price_sell = money_field(null=True, blank=True)
    price_original = money_field(null=True, blank=True)
    price_tax = money_field(null=True, blank=True)
    brand = models.ForeignKey(
        Brand, null=True, blank=True, on_delete=models.PROTECT, related_name="items"
    )
    product_variant = models.JSONField(null=True, blank=True)
    discounts = models.JSONField(
        default=list, blank=True, help_text="A list of objects with amount and reason_desc."
    )
    is_void = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["profile", "brand"],
                condition=Q(is_purchase=True, is_void=False, quantity__gt=0, brand__isnull=False),
                name="item_purchased_brand",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.sku or f"item {self.pk}"

    def hold(self) -> None:
        # Its transaction before the item itself, in the order of all who lock them, and the one
        # that it is taken from. Asked for first: in one statement no index would serve.
        sales = {self.transaction_id}
        if self.pk is not None:
            before = TransactionItem.objects.filter(pk=self.pk)
            sales.update(before.values_list("transaction_id", flat=True))
        held = (
            Transaction.objects.filter(pk__in=sales).order_by("pk").select_for_update(no_key=True)
        )
        self._held_sales = held.only("profile_id", "is_purchase").in_bulk()
        super().hold()

    def settle(self) -> None:
        # The object at hand may be older than a move or a void.
        sale = self._held_sales.get(self.transaction_id)
        if sale is None:
            raise Transaction.DoesNotExist
        self.profile_id, self.is_purchase = sale.profile_id, sale.is_purchase
