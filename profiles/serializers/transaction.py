"""Transactions as the API takes them and as it shows them."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.core.exceptions import ValidationError as ModelValidationError
from rest_framework import serializers

from omneo.db import validate_timezone
from omneo.resources.fields import (
    BooleanField,
    DecimalField,
    IntegerField,
    MomentField,
    ObjectField,
    TagsField,
    TextField,
)
from omneo.resources.serializers import RowSerializer
from profiles.models import Transaction, TransactionItem

LARGEST_KEY = 2**63 - 1
MOST_ITEMS = 1000
MOST_DISCOUNTS = 100

known_timezone = cache(validate_timezone)  # it looks through the files of the system each time


class Body(serializers.Serializer):
    """Something posted. What is not given stays as it is, or is what the model says."""

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        for field in fields.values():
            field.required = False
        return fields


class OptionalTextField(TextField):
    """A text that may be missing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_null": True, "allow_blank": True, **options})


class OptionalMoneyField(DecimalField):
    """An amount with at most 2 decimals, which may be missing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=14, decimal_places=2, allow_null=True, **options)


class KeyOrNameField(TextField):
    """The key of something, a number, or what it is called elsewhere, a text."""

    default_error_messages = {"not_a_text": "A number or a text is wanted."}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=255, allow_null=True, keeps_blank=False, **options)

    def to_internal_value(self, data: Any) -> str:
        is_number = isinstance(data, int) and not isinstance(data, bool)
        return super().to_internal_value(str(data) if is_number else data)


class BrandNameField(OptionalTextField):
    """A brand's name or handle, or an object with one of them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=255, keeps_blank=False, **options)

    def run_validation(self, data: Any = serializers.empty) -> str | None:
        if isinstance(data, dict):
            name = data.get("name")
            data = data.get("handle") if name in (None, "") else name
        return super().run_validation(data)


class DiscountBody(Body):
    """A discount on a line of a receipt."""

    amount = OptionalMoneyField()
    reason_desc = OptionalTextField(max_length=255)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("amount") is not None:
            given["amount"] = float(given["amount"])  # a number in JSON, and exact to the cent
        return given


class TransactionItemBody(Body):
    """A line of a receipt."""

    id = IntegerField(allow_null=True)
    name = OptionalTextField(max_length=255)
    sku = OptionalTextField(max_length=100)
    quantity = DecimalField(max_digits=12, decimal_places=3)
    price_current = OptionalMoneyField()
    price_sell = OptionalMoneyField()
    price_original = OptionalMoneyField()
    price_tax = OptionalMoneyField()
    brand = BrandNameField()
    product_variant = ObjectField(allow_null=True)
    discounts = DiscountBody(many=True, max_length=MOST_DISCOUNTS)
    is_void = BooleanField()

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        variant = given.get("product_variant") or {}
        if given.get("brand") is None and "brand" in variant:
            try:
                given["brand"] = self.fields["brand"].run_validation(variant["brand"])
            except serializers.ValidationError as error:
                raise serializers.ValidationError(
                    {"product_variant.brand": error.detail}
                ) from error
        return given


class TransactionBody(Body):
    """A transaction as it is posted."""

    id = IntegerField(allow_null=True, min_value=1, max_value=LARGEST_KEY)
    profile_id = TextField(max_length=255)
    profile_id_handle = OptionalTextField(max_length=100, keeps_blank=False)
    external_id = OptionalTextField(max_length=255, keeps_blank=False)
    receipt_ref = OptionalTextField(max_length=255)
    location_id = KeyOrNameField()
    total = DecimalField(max_digits=14, decimal_places=2)
    total_original = OptionalMoneyField()
    rounding = OptionalMoneyField()
    margin = OptionalMoneyField()
    currency = KeyOrNameField()
    systems = TagsField(child=TextField(max_length=50))
    tags = TagsField()
    timezone = OptionalTextField(max_length=64, keeps_blank=False)
    transacted_at = MomentField()
    is_void = BooleanField()
    meta = ObjectField()
    items = TransactionItemBody(many=True, max_length=MOST_ITEMS)
    delete_existing_items = BooleanField()

    def validate_timezone(self, name: str | None) -> str | None:
        if name is not None:
            try:
                known_timezone(name)
            except ModelValidationError as error:
                raise serializers.ValidationError(error.messages) from error
        return name


class TransactionItemSerializer(RowSerializer):
    brand = serializers.CharField(source="brand.name", allow_null=True, read_only=True)

    class Meta:
        model = TransactionItem
        fields = [
            "id",
            "name",
            "sku",
            "quantity",
            "price_current",
            "price_sell",
            "price_original",
            "price_tax",
            "brand",
            "product_variant",
            "discounts",
            "is_void",
            "created_at",
            "updated_at",
        ]


class TransactionSerializer(RowSerializer):
    currency = serializers.CharField(source="currency.from_code", allow_null=True, read_only=True)
    items = TransactionItemSerializer(many=True, read_only=True)

    class Meta:
        model = Transaction
        fields = [
            "id",
            "profile_id",
            "external_id",
            "receipt_ref",
            "location_id",
            "total",
            "total_original",
            "rounding",
            "margin",
            "currency",
            "currency_rate",
            "systems",
            "tags",
            "timezone",
            "transacted_at",
            "is_void",
            "meta",
            "items",
            "created_at",
            "updated_at",
        ]
