"""Profiles in the admin."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone as clock
from django.utils.formats import localize
from django.utils.html import format_html
from unfold.decorators import display
from unfold.forms import PaginationInlineFormSet

from locations.admin import ADDRESS_FIELDS
from omneo.admin import LargeTableAdmin, StackedInline, TabularInline, changelist_url
from profiles.admin.search import search_profiles
from profiles.admin.tier import holding_state
from profiles.admin.transaction import transaction_kind
from profiles.merging import purge
from profiles.models import Identity, Profile, ProfileAddress, ProfileTier, Transaction

RECENT = 20


class ProfileForm(forms.ModelForm):
    """Checks what the database checks of columns that are not in the form."""

    def clean_referred_by(self) -> Profile | None:
        referrer = self.cleaned_data["referred_by"]
        if referrer is not None and referrer.pk == self.instance.pk:
            raise ValidationError("A profile cannot have referred itself.")
        return referrer


class AddressForm(forms.ModelForm):
    """Leaves it to the formset whether there are two defaults: it knows which one gives way."""

    def validate_constraints(self) -> None:
        is_default = self.instance.is_default
        self.instance.is_default = False
        super().validate_constraints()
        self.instance.is_default = is_default


class AddressFormSet(PaginationInlineFormSet):
    """The addresses of a profile, of which one at most is the default."""

    def clean(self) -> None:
        super().clean()
        if sum(self._is_default(form) for form in self.forms) > 1:
            raise ValidationError("Only one address can be the default.")

    def save_existing_objects(self, commit: bool = True) -> list[ProfileAddress]:
        # The database looks at each row as it comes, so that the old default has to give way
        # first. It is saved or deleted with the others then.
        giving_way = [form.instance.pk for form in self.initial_forms if not self._is_default(form)]
        self.get_queryset().filter(pk__in=giving_way, is_default=True).update(is_default=False)
        return super().save_existing_objects(commit)

    def _is_default(self, form: AddressForm) -> bool:
        return form.cleaned_data.get("is_default", False) and not self._should_delete_form(form)


class IdentityInline(TabularInline):
    model = Identity
    fields = ["handle", "identifier", "is_primary", "is_active"]


class AddressInline(StackedInline):
    model = ProfileAddress
    form = AddressForm
    formset = AddressFormSet
    fields = ["is_default", *ADDRESS_FIELDS]
    verbose_name = "address"
    verbose_name_plural = "addresses"


class TierInline(TabularInline):
    model = ProfileTier
    fields = ["tier", "state", "started_at", "expires_at", "removed_at"]
    readonly_fields = ["state"]
    autocomplete_fields = ["tier"]
    ordering = ["-started_at", "-id"]
    verbose_name = "tier"
    verbose_name_plural = "tier history"

    @display(description="state")
    def state(self, holding: ProfileTier) -> str | None:
        return holding.pk and holding_state(holding, clock.now())


@admin.register(Profile)
class ProfileAdmin(LargeTableAdmin):
    form = ProfileForm
    list_display = ["person", "mobile_phone", "kind", "joined_at", "preferred_location"]
    list_filter = ["profile_type"]
    list_select_related = ["preferred_location"]
    ordering = ["pk"]
    search_fields = ["email"]
    search_help_text = "Name, email, phone, card number, id"
    autocomplete_fields = ["joined_location", "preferred_location", "currency", "referred_by"]
    readonly_fields = ["id", "created_at", "updated_at"]
    fieldsets = [
        (
            "Profile",
            {
                "fields": [
                    "id",
                    ("first_name", "last_name"),
                    "email",
                    ("mobile_phone", "mobile_phone_country"),
                ]
            },
        ),
        (
            "Membership",
            {
                "fields": [
                    "profile_type",
                    "joined_at",
                    "joined_location",
                    "preferred_location",
                    "referred_by",
                    "currency",
                ]
            },
        ),
        (
            "Person",
            {
                "fields": [
                    ("title", "gender"),
                    ("birth_day", "birth_month", "birth_year"),
                    ("company", "occupation"),
                    "avatar_url",
                ]
            },
        ),
        ("Further", {"fields": ["tags", "meta", ("created_at", "updated_at")]}),
    ]
    inlines = [IdentityInline, AddressInline, TierInline]
    change_form_outer_after_template = "profiles/recent_transactions.html"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Profile], search_term: str
    ) -> tuple[QuerySet[Profile], bool]:
        if term := search_term.strip():
            queryset = search_profiles(queryset, term)
        return queryset, False

    def change_form_context(self, request: HttpRequest, obj: Profile | None) -> dict[str, Any]:
        if obj is None or not request.user.has_perm("profiles.view_transaction"):
            return {}
        return {"recent_transactions": recent_transactions(obj.pk)}

    def delete_model(self, request: HttpRequest, obj: Profile) -> None:
        """Delete for good what the profile had and did, as the API's purge does."""
        purge(profile_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Profile]) -> None:
        for profile_id in list(queryset.values_list("pk", flat=True)):
            # One that was merged into another of them has gone with it.
            with suppress(Profile.DoesNotExist):
                purge(profile_id=profile_id)

    @display(description="profile", header=True)
    def person(self, profile: Profile) -> list[str | None]:
        name = str(profile)
        return [name, profile.email if profile.email != name else None]

    @display(
        description="type",
        label={"active": "success", "deleted": "danger", "pending": "warning"},
    )
    def kind(self, profile: Profile) -> str:
        return profile.profile_type


def recent_transactions(profile_id: uuid.UUID) -> dict[str, Any]:
    """Return the table of a profile's latest transactions, and where all of them are."""
    latest = (
        Transaction.objects.filter(profile=profile_id)
        .select_related("location", "currency")
        .order_by("-transacted_at", "-id")[:RECENT]
    )
    rows = [
        [
            format_html(
                '<a class="text-link" href="{}">{}</a>',
                reverse("admin:profiles_transaction_change", args=[transaction.pk]),
                transaction,
            ),
            localize(transaction.transacted_at),
            transaction.location or "-",
            transaction.total,
            transaction.currency.from_code if transaction.currency else "-",
            transaction_kind(transaction),
        ]
        for transaction in latest
    ]
    headers = ["transaction", "time (UTC)", "location", "total", "currency", "kind"]
    return {
        "table": {"headers": headers, "rows": rows},
        "all": changelist_url(Transaction, profile__id__exact=profile_id),
    }
