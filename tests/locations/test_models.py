"""What the database refuses of places, and what a place fills in by itself."""

from __future__ import annotations

from datetime import date, time

import pytest
from django.core.exceptions import ValidationError
from django.db.models import ProtectedError

from locations.models import Country, LocationAddress, RegionMember
from tests.database import refused_by
from tests.factories import (
    BrandFactory,
    DepartmentFactory,
    LocationAddressFactory,
    LocationFactory,
    NormalHoursFactory,
    ProfileAddressFactory,
    RegionFactory,
    RegionMemberFactory,
    SpecialHoursFactory,
)

pytestmark = pytest.mark.django_db


class TestLocation:
    @pytest.mark.parametrize("field", ["external_id", "handle"])
    def test_names_in_other_systems_are_unique(self, field):
        LocationFactory(**{field: "M10"})

        with refused_by(field):
            LocationFactory(**{field: "M10"})

    def test_several_may_have_no_external_id_and_one_name(self):
        LocationFactory(name="Broadway")

        assert LocationFactory(name="Broadway").external_id is None

    @pytest.mark.parametrize("code", ["AU", "aus", "AU1"])
    def test_its_country_code_is_three_capitals(self, code):
        with refused_by("location_country_iso_3"):
            LocationFactory(country_iso_3=code)

    def test_has_one_address_at_most(self):
        address = LocationAddressFactory()

        with refused_by("location_id"):
            LocationAddressFactory(location=address.location)

    def test_takes_its_parts_along_when_deleted(self):
        location = LocationFactory()
        for part in (LocationAddressFactory, NormalHoursFactory, SpecialHoursFactory):
            part(location=location)
        DepartmentFactory(location=location)

        location.delete()

        assert LocationAddress.objects.count() == 0

    def test_refuses_a_time_zone_that_does_not_exist(self):
        location = LocationFactory.build(timezone="Australia/Atlantis")

        with pytest.raises(ValidationError, match="Australia/Atlantis"):
            location.full_clean()


class TestHours:
    @pytest.mark.parametrize("day", ["Mon", "FEI", ""])
    def test_days_of_the_week_have_three_capitals(self, day):
        with refused_by("normal_hours_day_of_week"):
            NormalHoursFactory(day_of_week=day)

    def test_a_day_may_have_several_hours(self):
        morning = NormalHoursFactory(open_at=time(9), close_at=time(12))

        afternoon = NormalHoursFactory(location=morning.location, open_at=time(14))

        assert morning.location.normal_hours.count() == 2
        assert str(afternoon) == "MON 14:00–17:00"

    def test_hours_are_not_stated_twice(self):
        hours = NormalHoursFactory()

        with refused_by("normal_hours_once"):
            NormalHoursFactory(location=hours.location)

    def test_special_hours_end_on_or_after_their_first_day(self):
        assert SpecialHoursFactory(start_at=date(2025, 12, 25), end_at=date(2025, 12, 25)).pk

        with refused_by("special_hours_dates_in_order"):
            SpecialHoursFactory(start_at=date(2025, 12, 25), end_at=date(2025, 12, 24))


class TestBrandsAndDepartments:
    def test_a_departments_handle_is_unique_in_its_location(self):
        department = DepartmentFactory(handle="shoes")
        DepartmentFactory(handle="shoes")

        with refused_by("department_handle"):
            DepartmentFactory(location=department.location, handle="shoes")

    @pytest.mark.parametrize("factory", [BrandFactory, DepartmentFactory])
    def test_external_ids_are_unique(self, factory):
        factory(external_id="7")

        with refused_by("external_id"):
            factory(external_id="7")

    def test_a_brands_handle_is_unique(self):
        BrandFactory(handle="acme")

        with refused_by("handle"):
            BrandFactory(handle="acme")

    def test_a_brand_with_a_department_cannot_be_deleted(self):
        brand = BrandFactory()
        DepartmentFactory(brand=brand)

        with pytest.raises(ProtectedError):
            brand.delete()


class TestRegion:
    def test_a_country_is_in_one_region_at_most(self):
        RegionMemberFactory(iso="AU")

        with refused_by("iso"):
            RegionMemberFactory(iso="AU")

    def test_a_country_that_is_taken_is_said_to_be(self):
        RegionMemberFactory(region=RegionFactory(name="Oceania"), iso="AU")
        member = RegionMember(region=RegionFactory(), iso="AU")

        with pytest.raises(ValidationError, match="AU is in the region Oceania already"):
            member.clean()

    def test_a_country_may_stay_in_its_region(self):
        member = RegionMemberFactory(iso="AU")

        member.full_clean()

        assert member.pk

    def test_a_state_may_be_in_another_region_than_its_country(self):
        RegionMemberFactory(iso="AU")

        assert RegionMemberFactory(iso="AU-TAS").pk

    @pytest.mark.parametrize("iso", ["AUS", "au", "AU-", "-VIC"])
    def test_a_member_is_the_code_of_a_country_or_state(self, iso):
        with refused_by("region_member"):
            RegionMemberFactory(iso=iso)

    def test_there_is_one_default_region_at_most(self):
        RegionFactory(is_default=True)
        RegionFactory(is_default=False)
        RegionFactory(is_default=False)
        RegionFactory(is_default=None)

        with refused_by("region_one_default"):
            RegionFactory(is_default=True)

    def test_a_region_with_locations_cannot_be_deleted(self):
        region = RegionFactory()
        LocationFactory(region=region)

        with pytest.raises(ProtectedError):
            region.delete()


class TestCountries:
    def test_come_with_the_installation(self):
        assert Country.objects.get(iso_2="AU").name == "Australia"
        assert Country.objects.get(iso_3="NZL").iso_2 == "NZ"
        assert Country.objects.count() == 249


@pytest.mark.parametrize("factory", [LocationAddressFactory, ProfileAddressFactory])
class TestAddress:
    @pytest.mark.parametrize(
        ("entered", "iso"),
        [
            ("Australia", "AU"),
            ("australia", "AU"),
            ("AU", "AU"),
            ("AUS", "AU"),
            ("United States of America", "US"),
            ("Atlantis", None),
            ("", None),
            (None, None),
        ],
    )
    def test_takes_its_code_from_the_country_that_was_entered(self, factory, entered, iso):
        assert factory(country=entered).iso == iso

    def test_takes_its_code_from_the_states_before_the_countrys_name(self, factory):
        assert factory(country="Atlantis", iso_state="US-NY").iso == "US"

    def test_keeps_a_code_that_was_given(self, factory):
        assert factory(country="Australia", iso="NZ").iso == "NZ"

    @pytest.mark.parametrize("iso", ["au", "A1", "A"])
    def test_its_country_code_is_two_capitals(self, factory, iso):
        with refused_by("address_iso"):
            factory(iso=iso)

    @pytest.mark.parametrize("state", ["VIC", "AU_VIC", "AU-vic", "AU-"])
    def test_its_state_code_names_country_and_state(self, factory, state):
        with refused_by("address_iso_state"):
            factory(iso="AU", iso_state=state)

    @pytest.mark.parametrize(
        ("field", "value"),
        [("latitude", "90.000001"), ("latitude", -91), ("longitude", 181), ("longitude", -181)],
    )
    def test_is_on_the_globe(self, factory, field, value):
        with refused_by(f"address_{field}"):
            factory(**{field: value})

    def test_the_poles_and_the_date_line_are_on_the_globe(self, factory):
        assert factory(latitude=-90, longitude=180).pk

    @pytest.mark.parametrize(
        ("facts", "message"),
        [
            ({"iso": "XX"}, "XX is not an ISO 3166-1 country"),
            ({"iso_state": "AU-XXX"}, "AU-XXX is not an ISO 3166-2 state"),
            ({"iso": "NZ", "iso_state": "AU-VIC"}, "AU-VIC is not in NZ"),
        ],
    )
    def test_says_which_code_is_wrong(self, factory, facts, message):
        with pytest.raises(ValidationError, match=message):
            factory.build(**facts).clean()
