"""A location tells when it last changed, also where a part of it has gone."""

from __future__ import annotations

import pytest
from factory.django import DjangoModelFactory

from locations.models import Location
from tests.factories import (
    DepartmentFactory,
    LocationAddressFactory,
    LocationFactory,
    NormalHoursFactory,
    SpecialHoursFactory,
    utc,
)

LONG_AGO = utc("2020-01-01 00:00")

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "factory",
    [DepartmentFactory, LocationAddressFactory, NormalHoursFactory, SpecialHoursFactory],
    ids=lambda factory: factory.__name__.removesuffix("Factory"),
)
def test_a_part_that_goes_moves_the_time_of_its_location_alone(factory: type[DjangoModelFactory]):
    part, other = factory(), LocationFactory()
    Location.objects.update(updated_at=LONG_AGO)

    type(part).objects.filter(pk=part.pk).delete()

    location = Location.objects.get(pk=part.location_id)
    assert location.updated_at > LONG_AGO
    assert Location.objects.get(pk=other.pk).updated_at == LONG_AGO


def test_a_location_goes_with_its_parts():
    location = NormalHoursFactory().location

    location.delete()

    assert not Location.objects.exists()
