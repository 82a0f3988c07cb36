"""The classes that every app's admin subclasses."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from django import forms
from django.contrib.admin import ShowFacets
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import capfirst
from unfold import admin as unfold
from unfold.views import ChangeList
from unfold.widgets import (
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminSplitDateTimeVerticalWidget,
)

from omneo.admin.fields import (
    JsonField,
    KnownAutocompleteSelect,
    NamesField,
    NamesWidget,
    TimezoneWidget,
)
from omneo.admin.log import KeyedLog
from omneo.admin.pagination import BoundedChangeList, BoundedPaginator
from omneo.db import validate_timezone

LONG_TEXT = 255
SHOWN_OBSTACLES = 10


def changelist_url(model: type[models.Model], **lookups: Any) -> str:
    """Return the address of a model's list, filtered."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(lookups)}" if lookups else address


class FormFields:
    """Gives each column the form field that suits it."""

    # Names that a field of names offers, by the column's name
    suggestions: dict[str, list[str]] = {}

    def formfield_for_dbfield(
        self, db_field: models.Field, request: HttpRequest, **options: Any
    ) -> forms.Field | None:
        if isinstance(db_field, models.JSONField):
            options |= {"form_class": JsonField, "column": db_field}
            options["widget"] = UnfoldAdminExpandableTextareaWidget
        elif isinstance(db_field, ArrayField):
            return self.formfield_for_names(db_field)
        elif isinstance(db_field, models.URLField):
            options["assume_scheme"] = "https"
        elif isinstance(db_field, models.CharField):
            if (db_field.max_length or 0) > LONG_TEXT:
                options["widget"] = UnfoldAdminExpandableTextareaWidget
            elif validate_timezone in db_field.validators:
                options["widget"] = TimezoneWidget
        return super().formfield_for_dbfield(db_field, request, **options)

    def formfield_for_names(self, db_field: ArrayField) -> forms.Field:
        return NamesField(
            label=capfirst(db_field.verbose_name),
            help_text=db_field.help_text,
            initial=db_field.get_default,
            required=not db_field.blank,
            widget=NamesWidget(self.suggestions.get(db_field.name, ())),
        )

    def formfield_for_foreignkey(
        self, db_field: models.ForeignKey, request: HttpRequest, **options: Any
    ) -> forms.Field | None:
        if db_field.name in self.get_autocomplete_fields(request):
            options["widget"] = KnownAutocompleteSelect(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **options)


class ModelAdmin(FormFields, unfold.ModelAdmin):
    """A list of rows, and a form for one."""

    list_per_page = 50
    warn_unsaved_form = True

    def change_form_context(self, request: HttpRequest, obj: models.Model | None) -> dict[str, Any]:
        """Return what the page of a row shows beside its form. `obj`: None for a row to be made."""
        return {}

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        *args: Any,
        obj: models.Model | None = None,
        **options: Any,
    ) -> HttpResponse:
        context |= self.change_form_context(request, obj)
        return super().render_change_form(request, context, *args, obj=obj, **options)

    def get_deleted_objects(
        self, objs: Iterable[models.Model], request: HttpRequest
    ) -> tuple[list, dict, set, list]:
        """Stop at the first few rows that are in the way; Django would load all of them."""
        obstacles = list(islice(self._protecting(objs), SHOWN_OBSTACLES + 1))
        if len(obstacles) > SHOWN_OBSTACLES:
            obstacles[SHOWN_OBSTACLES:] = ["… and others"]
        if obstacles:
            return [], {}, set(), obstacles
        return super().get_deleted_objects(objs, request)

    def _protecting(self, objs: Iterable[models.Model]) -> Iterable[str]:
        for relation in self.opts.related_objects:
            if relation.on_delete is models.PROTECT:
                rows = relation.related_model._base_manager.filter(
                    **{f"{relation.field.name}__in": objs}
                )
                name = capfirst(relation.related_model._meta.verbose_name)
                for row in rows[: SHOWN_OBSTACLES + 1]:
                    yield f"{name}: {row}"


class LargeTableAdmin(KeyedLog, ModelAdmin):
    """A list of millions of rows: in the order of its key, counted and paged as far as is cheap.

    What there is so much of is about customers, and logged by its key.
    """

    paginator = BoundedPaginator
    show_facets = ShowFacets.NEVER
    show_full_result_count = False
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return BoundedChangeList


class KnownChoicesForm(forms.ModelForm):
    """Hands the related rows that were read with the row to the inputs that show them."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, field in self.fields.items():
            widget = field.widget
            if isinstance(widget, RelatedFieldWidgetWrapper):
                widget = widget.widget
            if isinstance(widget, KnownAutocompleteSelect):
                widget.known = self.instance._state.fields_cache.get(name)


class Inline(FormFields):
    """Rows of another table in a form, each page in a constant number of queries."""

    form = KnownChoicesForm
    extra = 0
    tab = True

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).select_related(*self.autocomplete_fields)


class StackedInline(Inline, unfold.StackedInline):
    """Rows one below the other."""


class TabularInline(Inline, unfold.TabularInline):
    """Rows of a table."""

    hide_title = True
    formfield_overrides = {
        **unfold.TabularInline.formfield_overrides,
        models.DateTimeField: {
            "form_class": forms.SplitDateTimeField,
            "widget": UnfoldAdminSplitDateTimeVerticalWidget,
        },
    }

    def formfield_for_dbfield(
        self, db_field: models.Field, request: HttpRequest, **options: Any
    ) -> forms.Field | None:
        field = super().formfield_for_dbfield(db_field, request, **options)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            # The menu beside it would be a third of the page.
            field.widget = field.widget.widget
        elif isinstance(db_field, models.CharField) and not db_field.choices:
            field.widget.attrs["style"] = "min-width: 8rem"
        return field
