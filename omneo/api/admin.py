"""Tokens of the API, and the users whom they belong to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone as clock
from django.utils.html import format_html
from django.utils.text import capfirst
from knox.models import get_digest_token
from knox.settings import CONSTANTS
from unfold import admin as unfold
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from omneo.admin import ModelAdmin
from omneo.api.models import SCOPES, ApiToken

SHOWN = ["begins_with", "created", "last_used_at"]


class ApiTokenForm(forms.ModelForm):
    """A token's name, rights and end."""

    def clean_expiry(self) -> datetime | None:
        expiry = self.cleaned_data["expiry"]
        if expiry and "expiry" in self.changed_data and expiry <= clock.now():
            raise ValidationError("That is past already. To revoke a token, delete it.")
        return expiry


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):
    """Makes tokens and revokes them. A token itself is shown when it is made, never again."""

    form = ApiTokenForm
    list_display = ["name", "begins_with", "user", "rights", "last_used_at", "expiry", "valid"]
    list_select_related = ["user"]
    ordering = ["-created", "-id"]
    search_fields = ["name", "token_key", "user__username"]
    search_help_text = "Name, first characters, user"
    autocomplete_fields = ["user"]
    fields = ["name", "user", "scopes", "expiry"]

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> list[str]:
        return self.fields if obj is None else [*self.fields, *SHOWN]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> list[str]:
        # Whose token it is, only the superuser chooses; others make tokens of their own.
        fixed = obj is not None or not request.user.is_superuser
        return [*SHOWN, *(["user"] if fixed else [])]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"user": request.user.pk} | super().get_changeform_initial_data(request)

    def formfield_for_names(self, db_field: ArrayField) -> forms.Field:
        return forms.MultipleChoiceField(
            choices=[(scope, scope) for scope in SCOPES],
            help_text=db_field.help_text,
            label=capfirst(db_field.verbose_name),
            initial=db_field.get_default,
            required=not db_field.blank,
            widget=UnfoldAdminCheckboxSelectMultipleWidget,
        )

    def save_model(
        self, request: HttpRequest, obj: ApiToken, form: ApiTokenForm, change: bool
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        if "user" not in form.cleaned_data:
            obj.user = request.user
        obj.digest, token = get_digest_token()
        obj.token_key = token[: CONSTANTS.TOKEN_KEY_LENGTH]
        super().save_model(request, obj, form, change)
        said = "The token of “{}”, shown this once: <code><strong>{}</strong></code>"
        self.message_user(request, format_html(said, obj.name, token), messages.WARNING)

    @display(description="begins with")
    def begins_with(self, token: ApiToken) -> str:
        return f"{token.token_key[:8]}…"

    @display(description="scopes")
    def rights(self, token: ApiToken) -> str:
        if set(token.scopes) >= set(SCOPES):
            return "all"
        return ", ".join(sorted(token.scopes)) or "none"

    @display(description="valid", boolean=True)
    def valid(self, token: ApiToken) -> bool:
        return token.expiry is None or token.expiry > clock.now()


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, unfold.ModelAdmin):
    """Django's, in the dress of the other pages."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    compressed_fields = False


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, unfold.ModelAdmin):
    """Django's, in the dress of the other pages."""
