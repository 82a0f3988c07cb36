"""The admin with one row of everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

import aggregations.nudge
import profiles.tasks
from aggregations.calculation import recalculate
from aggregations.models import RecalculationRequest
from omneo.admin import changelist_url
from omneo.api.models import ApiToken
from profiles.models import Profile
from tests import factories, messages

NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def admin_user(db: None) -> User:
    """A superuser, made without the time that a password takes."""
    return User.objects.create(username="admin", is_staff=True, is_superuser=True)


@pytest.fixture
def one_of_each(db: None) -> None:
    """A row in each table that the admin shows."""
    add_one_of_each(1)


def add_one_of_each(number: int) -> None:
    """Append a row to each table that the admin shows."""
    place = factories.LocationFactory(region=factories.RegionFactory())
    factories.LocationAddressFactory(location=place, city="Melbourne", iso="AU")
    factories.NormalHoursFactory(location=place)
    factories.SpecialHoursFactory(location=place)
    brand = factories.BrandFactory()
    factories.DepartmentFactory(location=place, brand=brand)
    factories.RegionMemberFactory(region=place.region, iso=f"AU-{number:03}")
    currency = factories.CurrencyFactory(rate=2)
    profile = factories.ProfileFactory(
        first_name="Ada", joined_location=place, preferred_location=place, currency=currency
    )
    factories.IdentityFactory(profile=profile)
    factories.ProfileAddressFactory(profile=profile, city="Melbourne", is_default=True)
    factories.ProfileTierFactory(profile=profile)
    purchase = factories.TransactionFactory(profile=profile, location=place, currency=currency)
    factories.TransactionItemFactory(transaction=purchase, brand=brand)
    recalculate(profile_ids=[profile.pk], moment=NOW)
    RecalculationRequest.objects.create(profile_id=profile.pk)
    user = User.objects.create(username=f"staff-{number}", is_staff=True)
    factories.QueuedTransactionFactory(errors={"total": ["A valid number is required."]})
    factories.ProfileBatchRowFactory(batch__accepted_from=user, status="error", errors={"a": ["b"]})
    ApiToken.objects.create(user=user, name="web shop")
    Group.objects.create(name=f"group-{number}")


@pytest.fixture
def profile(db: None) -> Profile:
    return factories.ProfileFactory(first_name="Ada", last_name="Lovelace", email="ada@example.com")


def page_of(row: Model, view: str = "change") -> str:
    """Return the path of a row's page."""
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/{view}/"


@pytest.fixture
def staff(db: None) -> Callable[..., Client]:
    """Return the function that logs in somebody with these permissions and no others."""

    def log_in(*permissions: str) -> Client:
        user = User.objects.create(username="clerk", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def woken(
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> Callable[[Callable[[], Any]], list[str]]:
    """Return the function that does something and tells which tasks it woke."""
    for nudge in (aggregations.nudge.nudge, profiles.tasks.nudge_ingestion):
        # Let no failure of another test keep the messages back.
        monkeypatch.setattr(nudge, "_silent_until", 0.0)

    def tasks_woken_by(action: Callable[[], Any]) -> list[str]:
        messages.taken()
        connection.run_on_commit.clear()  # of what came before, which has its own message
        with django_capture_on_commit_callbacks(execute=True):
            action()
        return messages.taken()

    return tasks_woken_by


def try_again(client: Client, rows: Sequence[Model]) -> HttpResponse:
    """Select rows of a list and have them tried again."""
    path = changelist_url(type(rows[0]))
    chosen = {"action": "try_again", "_selected_action": [row.pk for row in rows]}
    return client.post(path, chosen, follow=True)


def try_one_again(client: Client, row: Model) -> HttpResponse:
    """Press the button on a row's page."""
    return client.post(page_of(row, "try-again"), follow=True)


from_page_or_list = pytest.mark.parametrize(
    "press",
    [try_one_again, lambda client, row: try_again(client, [row])],
    ids=["page", "list"],
)


def said(response: HttpResponse) -> list[str]:
    """Return the messages at the top of a page."""
    return [str(message) for message in response.context["messages"]]
