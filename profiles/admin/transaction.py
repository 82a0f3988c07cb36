"""Transactions in the admin."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from locations.admin import SelectFilter
from omneo.admin import LargeTableAdmin, TabularInline
from profiles.admin.search import identified_profiles
from profiles.models import POINT_OF_SALE, WEBSITE, Transaction, TransactionItem


class ItemInline(TabularInline):
    """The lines of a receipt; what is long about them is on a page of their own."""

    model = TransactionItem
    verbose_name = "item"
    verbose_name_plural = "items"
    tab = False
    autocomplete_fields = ["brand"]
    readonly_fields = ["details"]
    fields = [
        "name",
        "sku",
        "brand",
        "quantity",
        "price_current",
        "price_sell",
        "price_original",
        "is_void",
        "details",
    ]

    @display(description="")
    def details(self, item: TransactionItem) -> SafeString | None:
        if item.pk is None:
            return None
        address = reverse("admin:profiles_transactionitem_change", args=[item.pk])
        return format_html('<a class="text-link" href="{}">More</a>', address)


def transaction_kind(transaction: Transaction) -> str:
    """Return what a transaction is in the reckoning of its profile."""
    if transaction.is_void:
        return "void"
    if transaction.is_purchase:
        return "purchase"
    return "refund" if transaction.total < 0 else "zero"


class KindFilter(admin.SimpleListFilter):
    """Purchases, refunds and void ones."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: TransactionAdmin) -> list:
        return [("purchase", "purchase"), ("refund", "refund"), ("void", "void")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Transaction]
    ) -> QuerySet[Transaction]:
        conditions = {
            "purchase": Q(is_purchase=True),
            "refund": Q(is_void=False, total__lt=0),
            "void": Q(is_void=True),
        }
        return queryset.filter(conditions.get(self.value(), Q()))


@admin.register(Transaction)
class TransactionAdmin(LargeTableAdmin):
    list_display = [
        "__str__",
        "profile",
        "transacted_at",
        "shop_date",
        "location",
        "total",
        "currency",
        "kind",
    ]
    list_filter = [KindFilter, ("location", SelectFilter), ("currency", SelectFilter)]
    list_select_related = ["profile", "location", "currency"]
    ordering = ["-id"]
    search_fields = ["external_id"]
    search_help_text = "Receipt, external id, id, or email of the profile"
    autocomplete_fields = ["profile", "location", "currency"]
    suggestions = {"systems": [POINT_OF_SALE, WEBSITE]}
    readonly_fields = [
        "reckoned",
        "rate",
        "shop_date",
        "shop_timezone",
        "kind",
        "created_at",
        "updated_at",
    ]
    fieldsets = [
        (None, {"fields": ["profile", "transacted_at", "location", "systems", "timezone"]}),
        (
            "Money",
            {
                "fields": [
                    "total",
                    "currency",
                    "total_original",
                    ("rounding", "margin"),
                    "is_void",
                ]
            },
        ),
        (
            "What follows from it",
            {"fields": [("reckoned", "rate"), ("shop_date", "shop_timezone"), "kind"]},
        ),
        ("Keys of other systems", {"fields": ["external_id", "receipt_ref"]}),
        ("Further", {"fields": ["tags", "meta", ("created_at", "updated_at")]}),
    ]
    inlines = [ItemInline]

    def get_ordering(self, request: HttpRequest) -> list[str]:
        # A profile's history is read in the order of an index.
        if "profile__id__exact" in request.GET:
            return ["-transacted_at", "-id"]
        return self.ordering

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Transaction], search_term: str
    ) -> tuple[QuerySet[Transaction], bool]:
        if term := search_term.strip():
            found = Q(external_id=term) | Q(receipt_ref=term)
            if term.isdecimal():
                found |= Q(pk=term)
            if profiles := identified_profiles(term):
                found |= Q(profile__in=profiles)
            queryset = queryset.filter(found)
        return queryset, False

    @display(
        description="kind",
        label={"purchase": "success", "refund": "warning", "void": "danger"},
    )
    def kind(self, transaction: Transaction) -> str:
        return transaction_kind(transaction)

    @display(description="amount")
    def reckoned(self, transaction: Transaction) -> str:
        return f"{exactly(transaction.amount)} {settings.SYSTEM_CURRENCY}"

    @display(description="currency rate")
    def rate(self, transaction: Transaction) -> str | None:
        return exactly(transaction.currency_rate) if transaction.currency_rate else None


def exactly(number: Decimal) -> str:
    """Return all places of a number that say something, and two at least."""
    return f"{number:.2f}" if number == round(number, 2) else f"{number.normalize():f}"


@admin.register(TransactionItem)
class TransactionItemAdmin(LargeTableAdmin):
    """Reached from the transactions, which list their items."""

    list_display = ["__str__", "transaction", "brand", "quantity", "price_current", "is_void"]
    list_filter = ["is_void"]
    list_select_related = ["transaction", "brand"]
    ordering = ["-id"]
    search_fields = ["transaction__external_id"]
    search_help_text = "External id of the transaction"
    autocomplete_fields = ["transaction", "brand"]
    readonly_fields = ["created_at", "updated_at"]
    fieldsets = [
        (None, {"fields": ["transaction", "name", "sku", "brand", "quantity", "is_void"]}),
        (
            "Prices",
            {
                "fields": [
                    ("price_current", "price_sell"),
                    ("price_original", "price_tax"),
                    "discounts",
                ]
            },
        ),
        ("Further", {"fields": ["product_variant", ("created_at", "updated_at")]}),
    ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[TransactionItem], search_term: str
    ) -> tuple[QuerySet[TransactionItem], bool]:
        if term := search_term.strip():
            queryset = queryset.filter(transaction__external_id=term)
        return queryset, False
