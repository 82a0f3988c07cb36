"""The admin with one row of everything."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group, User
from django.db.models import Model

from aggregations.calculation import recalculate
from aggregations.models import RecalculationRequest
from omneo.api.models import ApiToken
from profiles.models import Profile
from tests import factories

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
    ApiToken.objects.create(user=user, name="web shop")
    Group.objects.create(name=f"group-{number}")


@pytest.fixture
def profile(db: None) -> Profile:
    return factories.ProfileFactory(first_name="Ada", last_name="Lovelace", email="ada@example.com")


def page_of(row: Model, view: str = "change") -> str:
    """Return the path of a row's page."""
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/{view}/"
