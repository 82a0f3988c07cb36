"""How a row is written and read, whether it comes as an instance or as the JSON of a statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError as ModelValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from omneo.resources import fields

STRICT = {
    serializers.BooleanField: fields.BooleanField,
    serializers.CharField: fields.TextField,
    serializers.DateField: fields.DateField,
    serializers.DateTimeField: fields.MomentField,
    serializers.DecimalField: fields.DecimalField,
    serializers.EmailField: fields.EmailField,
    serializers.IntegerField: fields.IntegerField,
    serializers.SlugField: fields.SlugField,
    serializers.TimeField: fields.TimeOfDayField,
    serializers.URLField: fields.UrlField,
    serializers.UUIDField: fields.UuidField,
}


class RowSerializer(serializers.ModelSerializer):
    """A row as the API shows and takes it, with the keys of `Meta.fields` in their order.

    Its fields take values of their own type alone (`omneo.resources.fields`). A field that is
    named like the column of a foreign key, such as `brand_id`, takes the key of a row that exists.
    What the model's `clean()` refuses is a 422; what is unique is left to the database, which knows
    of the other writers too (`omneo.resources.conflicts`).

    `rows`: names of fields with nested rows, each a `NestedRowSerializer` (`many` or one). Rows
    that are given replace those that are there: a row with its `id` is updated, one without it is
    new, and one that is not given goes. `keeps_rows`: the names of those where none goes.

    For the API's description: `depends` and `update_depends` are the keywords of JSON Schema that
    say how the fields of a new row and of an update depend on each other; `shown_if_asked` names
    fields that not every answer has.
    """

    rows: ClassVar[tuple[str, ...]] = ()
    keeps_rows: ClassVar[tuple[str, ...]] = ()
    depends: ClassVar[dict[str, Any]] = {}
    update_depends: ClassVar[dict[str, Any]] = {}
    shown_if_asked: ClassVar[tuple[str, ...]] = ()

    serializer_field_mapping = {
        **{
            model_field: STRICT.get(field, field)
            for model_field, field in serializers.ModelSerializer.serializer_field_mapping.items()
        },
        ArrayField: fields.TagsField,
    }
    serializer_choice_field = fields.ChoiceField

    def create(self, values: dict[str, Any]) -> models.Model:
        return self._save(self.Meta.model(), values)

    def update(self, instance: models.Model, values: dict[str, Any]) -> models.Model:
        return self._save(instance, values)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        draft = self.Meta.model()
        if self.instance is not None:
            for column in self.Meta.model._meta.concrete_fields:
                setattr(draft, column.attname, getattr(self.instance, column.attname))
        for name, value in attrs.items():
            if name not in self.rows:
                setattr(draft, name, value)
        try:
            draft.clean()
        except ModelValidationError as error:
            raise serializers.ValidationError(serializers.as_serializer_error(error)) from error
        return attrs

    def _save(self, instance: models.Model, values: dict[str, Any]) -> models.Model:
        given = {name: values.pop(name) for name in self.rows if name in values}
        for name, value in values.items():
            setattr(instance, name, value)
        instance.save()
        for name, drafts in given.items():
            self._save_rows(instance, name, drafts)
        return instance

    def _save_rows(self, instance: models.Model, name: str, drafts: Any) -> None:
        field = self.fields[name]
        relation = self.Meta.model._meta.get_field(field.source)
        parent = {relation.field.name: instance}
        if not isinstance(field, serializers.ListSerializer):
            drafts = [] if drafts is None else [drafts]
        if name not in self.keeps_rows:
            kept = [draft.instance.pk for draft in drafts if draft.instance is not None]
            stored = relation.related_model._base_manager.filter(**parent)
            for row in stored.exclude(pk__in=kept):
                row.delete()
        for draft in sorted(drafts, key=lambda draft: draft.instance is None):
            draft.save(**parent)

    def build_field(self, field_name: str, info: Any, model_class: Any, nested_depth: int) -> Any:
        relation = info.forward_relations.get(field_name.removesuffix("_id"))
        if relation is not None and field_name.endswith("_id"):
            column = relation.model_field
            return fields.KeyField, {
                "allow_null": column.null,
                "required": not (column.null or column.has_default()),
                "queryset": relation.related_model._default_manager.all(),
            }
        return super().build_field(field_name, info, model_class, nested_depth)

    def build_standard_field(self, field_name: str, model_field: models.Field) -> Any:
        field_class, options = super().build_standard_field(field_name, model_field)
        if isinstance(model_field, models.JSONField):
            field_class = (
                fields.ObjectField if model_field.default is dict else fields.ListOrObjectField
            )
            options.pop("encoder", None)
            options.pop("decoder", None)
        elif issubclass(field_class, fields.TextField) and model_field.null:
            options["keeps_blank"] = not _is_a_key_or_code(model_field)
        elif issubclass(field_class, fields.ChoiceField):
            options.pop("allow_blank", None)
        if validators := options.get("validators"):
            options["validators"] = [
                one for one in validators if not isinstance(one, UniqueValidator)
            ]
        return field_class, options

    def get_validators(self) -> list[Callable]:
        return []

    def get_uniqueness_extra_kwargs(
        self, field_names: Any, declared_fields: Any, extra_kwargs: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        return extra_kwargs, {}


class NestedRowSerializer(RowSerializer):
    """A row inside of its parent's body.

    Below a parent, validating yields the serializer of the row, ready to be saved: a row that is
    there is found by its `id`, and needs those fields alone that change.
    """

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if self.parent is None or data is None or data is serializers.empty:
            return super().run_validation(data)
        stored = self._stored(data)
        draft = type(self)(
            stored, data=data, partial=stored is not None, context=dict(self.context)
        )
        draft.is_valid(raise_exception=True)
        return draft

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.pop("id", None)  # it has found the row, and changes nothing
        return super().validate(attrs)

    def _stored(self, data: Any) -> models.Model | None:
        is_one_of_many = isinstance(self.parent, serializers.ListSerializer)
        field = self.parent if is_one_of_many else self
        parent = field.parent.instance
        if not is_one_of_many:
            return getattr(parent, field.source, None)
        if not isinstance(data, dict) or data.get("id") is None:
            return None
        rows = [] if parent is None else getattr(parent, field.source).all()
        for row in rows:
            if row.pk == data["id"] and not isinstance(data["id"], bool):
                return row
        raise serializers.ValidationError({"id": ["There is no such row here."]})


def _is_a_key_or_code(column: models.Field) -> bool:
    """Tell whether the column has a form or is unique, so that an empty text is none at all."""
    has_form = any(not isinstance(one, MaxLengthValidator) for one in column.validators)
    unique = column.model._meta.total_unique_constraints
    return column.unique or has_form or any(column.name in one.fields for one in unique)
