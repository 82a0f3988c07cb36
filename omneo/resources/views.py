"""What a view of a resource does alike, whatever the resource."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, ClassVar
from uuid import UUID

from django.db import models
from django.db.models import QuerySet
from rest_framework import status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ModelViewSet

from omneo import deadlocks
from omneo.resources.conflicts import Conflicts, InUse, users_of
from omneo.resources.fields import HYPHENATED_UUID

LIST_PARAMETERS = re.compile(r"sort|page\[(number|size|cursor)\]|filter\[[^\[\]]*\]")
KEY = re.compile(r"[0-9]{1,18}")


def refuse_unknown_parameters(
    request: Request, *, known: Collection[str], is_list: bool = False
) -> None:
    """Raise a 422 for query parameters that nobody knows, and for those that are there twice.

    A list has those of paging, sorting and filters beside the known ones.
    """
    errors = {}
    for name, values in request.query_params.lists():
        is_of_lists = is_list and LIST_PARAMETERS.fullmatch(name)
        if not is_of_lists and name not in known:
            errors[name] = ["There is no such parameter here."]
        elif len(values) > 1:
            errors[name] = ["It is there more than once."]
    if errors:
        raise ValidationError(errors)


class ResourceViewSet(ModelViewSet):
    """List, read, create, update and delete rows.

    `PUT` and `PATCH` both update the fields that are given. An update holds the row from reading
    to writing, so that two clients that change different fields both succeed. What other rows
    point to is not deleted: 409. A query parameter that nobody knows is a 422; `parameters` names
    those beside paging, sorting and filters.
    """

    resource: ClassVar[str]
    conflicts: ClassVar[Conflicts] = {}
    parameters: ClassVar[frozenset[str]] = frozenset()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action is None:
            self.http_method_not_allowed(request)
        if "\0" in request.path:
            raise NotFound  # nothing in the database has that character
        refuse_unknown_parameters(request, known=self.parameters, is_list=self.action == "list")

    def get_object(self) -> models.Model:
        return self.find(self.get_queryset())

    def find(self, rows: QuerySet) -> models.Model:
        """Return the row that the path names. Raises NotFound where it is not among these."""
        text = self.kwargs[self.lookup_url_kwarg or self.lookup_field]
        row = find_by_key(rows, text)
        self.check_object_permissions(self.request, row)
        return row

    @deadlocks.atomic
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        self.perform_create(serializer)
        answer = self.answer(serializer.instance)
        place = request.build_absolute_uri(self.path_of(serializer.instance))
        return Response(answer, status=status.HTTP_201_CREATED, headers={"Location": place})

    @deadlocks.atomic
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.hold()
        serializer = self.get_serializer(self.get_object(), data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        self.perform_update(serializer)
        return Response(self.answer(serializer.instance))

    @deadlocks.atomic
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.hold(alone=True)
        self.perform_destroy(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def perform_destroy(self, row: models.Model) -> None:
        if users := users_of(row):
            raise InUse(users)
        row.delete()

    def hold(self, *, alone: bool = False) -> models.Model:
        """Lock the row until the end of the transaction; `alone`: against pointing to it, too.

        What the lock waited for is seen by what is read after it.
        """
        model = self.get_queryset().model
        return self.find(model._base_manager.select_for_update(no_key=not alone))

    def path_of(self, row: models.Model) -> str:
        """Return the path of a row of the list that was posted to."""
        return f"{self.request.path.rstrip('/')}/{row.pk}"

    def answer(self, row: models.Model) -> dict[str, Any]:
        """Return what the database has of the row now, as a reader would get it."""
        return self.get_serializer(self.get_queryset().get(pk=row.pk)).data


def find_by_key(rows: QuerySet, text: str) -> models.Model:
    """Return the row with the key that a path names. Raises NotFound, for a malformed one too."""
    name = rows.model._meta.verbose_name
    is_uuid = isinstance(rows.model._meta.pk, models.UUIDField)
    if (HYPHENATED_UUID if is_uuid else KEY).fullmatch(text):
        row = rows.filter(pk=UUID(text) if is_uuid else int(text)).first()
        if row is not None:
            return row
    raise NotFound(f"There is no such {name}.")
