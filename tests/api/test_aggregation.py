"""The aggregations of one profile, as a client of the API gets them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db.models import Model
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.response import Response
from rest_framework.test import APIClient

from aggregations import outbox
from aggregations.calculation import recalculate
from aggregations.models import Aggregation, Freshness
from locations.models import Location
from profiles.models import Profile, Transaction
from tests.factories import (
    BrandFactory,
    CurrencyFactory,
    DepartmentFactory,
    LocationAddressFactory,
    LocationFactory,
    NormalHoursFactory,
    ProfileFactory,
    ProfileTierFactory,
    SpecialHoursFactory,
    TierFactory,
    TransactionFactory,
    TransactionItemFactory,
    utc,
)
from tests.waiting import forget_who_waits

CONTRACT = json.loads(Path(__file__).with_name("contract.json").read_text())
AT_MOST = 6
WRITTEN = utc("2025-06-30 08:05:09.987654")

pytestmark = pytest.mark.django_db


def path_of(profile: Profile, action: str = "") -> str:
    return f"/api/v3/profiles/{profile.id}/aggregations{action}"


def read(api: APIClient, profile: Profile) -> dict[str, Any]:
    """Return the body's data, with its numbers as they are written."""
    response = api.get(path_of(profile))
    assert response.status_code == 200
    return json.loads(response.content, parse_float=Decimal)["data"]


def write(row: Model, **values: Any) -> None:
    """Put values past the model's rules, such as the time when it was saved."""
    type(row)._base_manager.filter(pk=row.pk).update(**values)


def days_ago(days: int):
    return timezone.now() - timedelta(days=days)


@pytest.fixture
def profile() -> Profile:
    """A profile whose row is calculated and waits for nothing."""
    profile = ProfileFactory()
    recalculate(profile_ids=[profile.id], moment=timezone.now())
    forget_who_waits()
    return profile


@pytest.fixture
def row(profile: Profile) -> Aggregation:
    return profile.aggregation


def equipped(**values: Any) -> Location:
    """Return a location that has all that a location can have."""
    location = LocationFactory(**values)
    LocationAddressFactory(location=location)
    for day in ["SUN", "MON"]:
        NormalHoursFactory(location=location, day_of_week=day)
    SpecialHoursFactory(location=location)
    for _ in range(2):
        DepartmentFactory(location=location, brand=BrandFactory())
    return location


@pytest.fixture
def regular() -> Profile:
    """A profile with everything: five places of five kinds, a currency and a tier."""
    profile = ProfileFactory(joined_at=days_ago(1000))
    currency = CurrencyFactory()

    def buy(where: str, *, days: int, total: int) -> Transaction:
        return TransactionFactory(
            profile=profile,
            location=places[where],
            total=total,
            currency=currency,
            transacted_at=days_ago(days),
        )

    names = ["joined", "most", "spent", "spent lately", "latest"]
    places = {name: equipped(name=name) for name in names}
    buy("joined", days=900, total=10)
    buy("spent", days=800, total=5000)
    for days in (500, 490, 480):
        buy("most", days=days, total=10)
    buy("spent lately", days=100, total=1000)
    TransactionItemFactory(transaction=buy("latest", days=1, total=10), brand=BrandFactory())
    ProfileTierFactory(profile=profile)
    return profile


def test_the_body_has_the_keys_of_the_contract_in_its_order(api: APIClient, regular: Profile):
    body = api.get(path_of(regular)).json()

    assert json.dumps(keys_of(body)) == json.dumps(CONTRACT)


def keys_of(value: Any) -> Any:
    """Return the tree of the keys, as the contract's file has it."""
    match value:
        case {**members} if members:
            return {key: keys_of(member) for key, member in members.items()}
        case [{**first}, *_]:
            return [keys_of(first)]
    return None


def test_each_place_stands_where_it_belongs(api: APIClient, regular: Profile):
    data = read(api, regular)

    assert {key: data[key]["name"] for key in data if key.endswith(("location", "store_join"))} == {
        "store_join": "joined",
        "most_transacted_location": "most",
        "most_spend_location": "spent",
        "most_spend_12m_location": "spent lately",
        "latest_transacted_location": "latest",
    }


def test_a_place_that_is_several_things_stands_in_each_of_them(api: APIClient):
    transaction = TransactionFactory(location=equipped())

    data = read(api, transaction.profile)

    assert data["store_join"]["id"] == transaction.location.id
    assert data["store_join"] == data["most_transacted_location"] == data["most_spend_location"]


def test_a_profile_without_a_history_has_every_key_all_the_same(api: APIClient):
    data = read(api, ProfileFactory())

    assert list(data) == list(CONTRACT["data"])


def test_what_there_is_nothing_to_say_of_is_null(api: APIClient):
    data = read(api, ProfileFactory())

    assert {key for key, value in data.items() if value is not None} == {
        "profile_id",
        "spend_12m",
        "spend_12m_now",
        "spend_all",
        "dimension_frequency",
        "dimension_recency",
        "dimension_join",
        "shop_count",
        "total_referred",
        "purchased_brands",
        "total_shop_days",
        "transacted_locations",
    }


def test_a_list_of_nothing_is_empty(api: APIClient):
    data = read(api, ProfileFactory())

    assert data["purchased_brands"] == data["transacted_locations"] == []


def test_the_profile_is_told_by_its_uuid(api: APIClient, profile: Profile):
    assert UUID(read(api, profile)["profile_id"]) == profile.id


def test_an_id_in_capitals_is_the_same_profile(api: APIClient, profile: Profile):
    path = f"/api/v3/profiles/{str(profile.id).upper()}/aggregations"

    assert api.get(path).json()["data"]["profile_id"] == str(profile.id)


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("2000.00", b"2000"),
        ("12.50", b"12.5"),
        ("0.10", b"0.1"),
        ("-3.07", b"-3.07"),
        ("0.00", b"0"),
        ("100.00", b"100"),
        ("123456789012345678.91", b"123456789012345678.91"),
    ],
)
def test_money_is_a_number_that_keeps_every_digit(
    api: APIClient, row: Aggregation, amount: str, written: bytes
):
    write(row, spend_all=Decimal(amount))

    assert b'"spend_all":' + written + b"," in api.get(path_of(row.profile)).content


def test_counts_and_days_are_whole_numbers(api: APIClient, row: Aggregation):
    write(row, shop_count=3, shop_days=20, likely_country_score=1)

    data = read(api, row.profile)

    assert (data["shop_count"], data["shop_days"], data["likely_country_score"]) == (3, 20, 1)


def test_times_are_in_utc_to_the_second(api: APIClient, row: Aggregation):
    write(row, spend_first_date=utc("2024-12-31 23:30:59.9"))

    assert read(api, row.profile)["spend_first_date"] == "2024-12-31 23:30:59"


def test_dates_are_days(api: APIClient, row: Aggregation):
    write(row, second_shop_date=date(2025, 6, 30))

    assert read(api, row.profile)["second_shop_date"] == "2025-06-30"


def test_brands_and_locations_are_lists_of_names(api: APIClient, row: Aggregation):
    write(row, purchased_brands=["Äpfel", "Zimt"], transacted_locations=["Höhe"])

    data = read(api, row.profile)

    assert (data["purchased_brands"], data["transacted_locations"]) == (["Äpfel", "Zimt"], ["Höhe"])


def test_a_currency_is_told_from_what_to_what(api: APIClient, row: Aggregation):
    currency = CurrencyFactory(from_code="AUD", to_code="USD", rate=Decimal("0.65070000"))
    write(currency, created_at=WRITTEN, updated_at=WRITTEN)
    write(row, latest_shop_currency=currency)

    assert read(api, row.profile)["latest_shop_currency"] == {
        "id": currency.id,
        "from": "AUD",
        "to": "USD",
        "rate": Decimal("0.6507"),
        "is_system": False,
        "created_at": "2025-06-30 08:05:09",
        "updated_at": "2025-06-30 08:05:09",
    }


def test_a_rate_keeps_every_digit(api: APIClient, row: Aggregation):
    currency = CurrencyFactory(rate=Decimal("1234567890.12345678"))
    write(row, latest_shop_currency=currency)

    assert read(api, row.profile)["latest_shop_currency"]["rate"] == currency.rate


def test_a_tier_is_told_as_a_status(api: APIClient, row: Aggregation):
    values = {
        "name": "Gold",
        "handle": "gold",
        "sort_order": 2,
        "description": "The best but one",
        "short_description": "Best but one",
        "long_description": "The best but one of all",
        "terms_conditions": "Be good",
        "icon": "star",
        "image_url": "https://example.test/gold.png",
        "earn_instructions": "Spend",
        "colour": "#fff",
        "primary_colour": "#ffd700",
        "secondary_colour": "#000",
        "text_colour": "#111111",
        "code": "G",
        "internal_notes": "Since 2020",
        "group_name": "Metals",
        "group_handle": "metals",
        "timezone": "Australia/Melbourne",
        "period": 12,
        "period_type": "months",
    }
    tier = TierFactory(**values, absolute_expiry=WRITTEN)
    write(tier, created_at=WRITTEN, updated_at=WRITTEN)
    write(row, top_historic_status=tier)

    times = dict.fromkeys(["absolute_expiry", "created_at", "updated_at"], "2025-06-30 08:05:09")
    assert read(api, row.profile)["top_historic_status"] == {"id": tier.id, **values, **times}


@pytest.fixture
def place(row: Aggregation) -> Location:
    """The location where the profile purchased first."""
    location = LocationFactory()
    write(row, store_join=location)
    return location


@pytest.fixture
def shown(api: APIClient, profile: Profile) -> Callable[[], dict[str, Any]]:
    """Return the function that reads what is told of the place."""
    return lambda: read(api, profile)["store_join"]


def test_a_location_is_told_as_it_is(place: Location, shown: Callable[[], dict[str, Any]]):
    values = {
        "type": "flagship",
        "name": "Bourke Street",
        "handle": "bourke-street",
        "description": "Three floors",
        "phone": "+61 3 1234",
        "email": "bourke@example.test",
        "timezone": "Australia/Melbourne",
        "external_id": "M10",
        "external_code": "10",
        "is_published": False,
        "is_permanently_closed": True,
        "tags": ["city", "a tag"],
        "custom_fields": {"floors": 3, "areas": [1.5, None, {"b": True}]},
        "icon": "shop",
        "country_iso_3": "AUS",
        "image_url": "https://example.test/bourke.png",
    }
    write(place, **values, created_at=WRITTEN, updated_at=WRITTEN)

    told = shown()

    assert {key: told[key] for key in values} == values
    assert (told["id"], told["created_at"]) == (place.id, "2025-06-30 08:05:09")


def test_a_location_of_which_little_is_known_has_every_key_all_the_same(
    place: Location, shown: Callable[[], dict[str, Any]]
):
    told = shown()

    assert list(told) == list(CONTRACT["data"]["store_join"])
    assert told["address"] is None
    assert told["custom_fields"] == {}
    assert [told[key] for key in ("normal_hours", "special_hours", "tags", "departments")] == [
        []
    ] * 4


def test_an_address_is_told_as_it_is(place: Location, shown: Callable[[], dict[str, Any]]):
    values = {
        "address_line_1": "1 Bourke Street",
        "address_line_2": "Level 2",
        "address_line_3": "Rear",
        "company": "Omneo",
        "latitude": Decimal("-37.813629"),
        "longitude": Decimal("144.963000"),
        "city": "Melbourne",
        "postcode": "3000",
        "state": "Victoria",
        "country": "Australia",
        "notes": "Ring twice",
        "external_id": "A1",
        "meta": [{"verified": True}],
        "name": "Main",
        "type": "street",
        "phone": "1",
        "iso": "AU",
        "iso_state": "AU-VIC",
        "custom_fields": {"gate": 4},
    }
    LocationAddressFactory(location=place, **values)

    told = shown()["address"]

    assert {key: told[key] for key in values} == values


def test_an_address_of_a_location_is_its_default_and_no_profiles(
    place: Location, shown: Callable[[], dict[str, Any]]
):
    LocationAddressFactory(location=place)

    told = shown()["address"]

    assert (told["is_default"], told["profile_id"]) == (True, None)


def test_an_address_of_which_little_is_known_has_every_key_all_the_same(
    place: Location, shown: Callable[[], dict[str, Any]]
):
    LocationAddressFactory(location=place)

    told = shown()["address"]

    assert (told["meta"], told["custom_fields"], told["latitude"]) == ([], {}, None)


def test_the_meta_of_an_address_is_what_was_stored(
    place: Location, shown: Callable[[], dict[str, Any]]
):
    meta = {"b": 1, "number": 123456789012345678901234567890, "text": "ü\u2028", "list": []}
    LocationAddressFactory(location=place, meta=meta)

    assert shown()["address"]["meta"] == meta


def test_normal_hours_are_told_by_the_minute(place: Location, shown: Callable[[], dict[str, Any]]):
    hours = NormalHoursFactory(
        location=place, day_of_week="SAT", open_at=time(8, 30), close_at=time(17)
    )
    write(hours, created_at=WRITTEN, updated_at=WRITTEN)

    assert shown()["normal_hours"] == [
        {
            "id": hours.id,
            "location_id": place.id,
            "day_of_week": "SAT",
            "open_at": "08:30",
            "close_at": "17:00",
            "created_at": "2025-06-30 08:05:09",
            "updated_at": "2025-06-30 08:05:09",
        }
    ]


def test_normal_hours_come_in_the_order_of_the_week(
    place: Location, shown: Callable[[], dict[str, Any]]
):
    for day, hour in [("SUN", 10), ("WED", 14), ("WED", 9), ("MON", 9)]:
        NormalHoursFactory(location=place, day_of_week=day, open_at=time(hour))

    told = [(hours["day_of_week"], hours["open_at"]) for hours in shown()["normal_hours"]]

    assert told == [("MON", "09:00"), ("WED", "09:00"), ("WED", "14:00"), ("SUN", "10:00")]


def test_special_hours_are_told_with_their_dates(
    place: Location, shown: Callable[[], dict[str, Any]]
):
    hours = SpecialHoursFactory(
        location=place,
        name="Boxing Day",
        is_repeating=True,
        open_at=time(10),
        close_at=time(15, 45),
        start_at=date(2025, 12, 26),
        end_at=date(2025, 12, 27),
    )
    write(hours, created_at=WRITTEN, updated_at=WRITTEN)

    assert shown()["special_hours"] == [
        {
            "id": hours.id,
            "location_id": place.id,
            "name": "Boxing Day",
            "is_repeating": True,
            "open_at": "10:00",
            "close_at": "15:45",
            "start_at": "2025-12-26",
            "end_at": "2025-12-27",
            "created_at": "2025-06-30 08:05:09",
            "updated_at": "2025-06-30 08:05:09",
        }
    ]


def test_special_hours_of_a_day_when_it_is_closed_have_no_times(
    place: Location, shown: Callable[[], dict[str, Any]]
):
    SpecialHoursFactory(location=place, open_at=None, close_at=None)

    [told] = shown()["special_hours"]

    assert (told["open_at"], told["close_at"]) == (None, None)


def test_a_department_is_told_with_its_brand(place: Location, shown: Callable[[], dict[str, Any]]):
    values = {
        "name": "Shoes",
        "handle": "shoes",
        "external_id": "D1",
        "external_code": "1",
        "description": "All shoes",
        "short_description": "Shoes",
        "url": "https://example.test/shoes",
        "image_url": "https://example.test/shoes.png",
        "internal_note": "Ground floor",
        "meta": ["x"],
    }
    brand = BrandFactory(name="Hush", handle="hush")
    department = DepartmentFactory(location=place, brand=brand, **values)
    write(department, created_at=WRITTEN, updated_at=WRITTEN)

    assert shown()["departments"] == [
        {
            "id": department.id,
            **values,
            "brand_id": brand.id,
            "location_id": place.id,
            "brand": {"name": "Hush", "handle": "hush"},
            "created_at": "2025-06-30 08:05:09",
            "updated_at": "2025-06-30 08:05:09",
        }
    ]


def test_a_department_without_a_brand_has_none(
    place: Location, shown: Callable[[], dict[str, Any]]
):
    DepartmentFactory(location=place, brand=None)

    [told] = shown()["departments"]

    assert (told["brand"], told["brand_id"]) == (None, None)


def test_a_place_that_has_gone_is_null(place: Location, shown: Callable[[], dict[str, Any]]):
    place.delete()

    assert shown() is None


def test_a_profile_that_was_never_calculated_is_calculated_first(api: APIClient):
    transaction = TransactionFactory(total=Decimal("12.50"))

    assert read(api, transaction.profile)["spend_all"] == Decimal("12.5")


def test_what_was_read_before_it_was_stored_says_that_it_waits(api: APIClient):
    response = api.get(path_of(ProfileFactory()))

    assert response["Omneo-Pending"] == "true"


def test_what_a_request_waits_for_is_not_in_the_answer_yet(api: APIClient, profile: Profile):
    TransactionFactory(profile=profile, total=10)

    assert read(api, profile)["spend_all"] == 0


def test_what_the_clock_has_overtaken_is_refreshed_first(api: APIClient, row: Aggregation):
    write(row, spend_12m_now=99, dimension_recency="RC", dimension_join="J9")
    Freshness.objects.update(next_change_at=days_ago(1))

    data = read(api, row.profile)

    changed = (data["spend_12m_now"], data["dimension_recency"], data["dimension_join"])
    assert changed == (0, "R0", "JN")


def test_a_refresh_by_the_clock_leaves_the_other_values(api: APIClient, row: Aggregation):
    write(row, spend_12m=99)
    Freshness.objects.update(next_change_at=days_ago(1))

    assert read(api, row.profile)["spend_12m"] == 99


def test_what_the_clock_has_not_overtaken_is_served_as_it_stands(api: APIClient, row: Aggregation):
    write(row, spend_12m_now=99)
    Freshness.objects.update(next_change_at=days_ago(-1))

    assert read(api, row.profile)["spend_12m_now"] == 99


def test_the_headers_tell_how_fresh_it_is(api: APIClient, profile: Profile):
    Freshness.objects.update(
        calculated_at=utc("2025-06-30 08:05:09.9"), next_change_at=utc("2999-01-01 00:00")
    )

    response = api.get(path_of(profile))

    assert response["Omneo-Calculated-At"] == "2025-06-30 08:05:09"
    assert response["Omneo-Next-Change-At"] == "2999-01-01 00:00:00"
    assert response["Omneo-Pending"] == "false"


def test_a_row_that_the_clock_will_not_change_has_no_next_change(api: APIClient, profile: Profile):
    Freshness.objects.update(next_change_at=None)

    assert "Omneo-Next-Change-At" not in api.get(path_of(profile))


def test_a_waiting_recalculation_is_told(api: APIClient, profile: Profile):
    outbox.request([profile.id])

    assert api.get(path_of(profile))["Omneo-Pending"] == "true"


def test_a_waiting_recalculation_of_somebody_else_is_not(api: APIClient, profile: Profile):
    outbox.request([ProfileFactory().id])

    assert api.get(path_of(profile))["Omneo-Pending"] == "false"


@pytest.mark.parametrize("method", ["get", "post"])
def test_to_calculate_brings_in_what_has_happened(api: APIClient, profile: Profile, method: str):
    TransactionFactory(profile=profile, total=10)

    response = getattr(api, method)(path_of(profile, "/calculate"))

    assert response.status_code == 200
    assert response.json()["data"]["spend_all"] == 10


def test_to_calculate_answers_the_body_of_the_contract(api: APIClient, regular: Profile):
    body = api.post(path_of(regular, "/calculate")).json()

    assert json.dumps(keys_of(body)) == json.dumps(CONTRACT)


def test_to_calculate_moves_the_moment_of_the_calculation(api: APIClient, profile: Profile):
    Freshness.objects.update(calculated_at=utc("2020-01-01 00:00"))

    response = api.post(path_of(profile, "/calculate"))

    assert response["Omneo-Calculated-At"] > "2020-01-01 00:00:00"


def test_to_calculate_makes_nothing_of_who_does_not_exist(api: APIClient):
    response = api.post(
        "/api/v3/profiles/922fafaf-1115-2221-a330-fed333339700/aggregations/calculate"
    )

    assert response.status_code == 404
    assert not Freshness.objects.exists()


@pytest.mark.parametrize("action", ["", "/calculate"])
def test_a_deleted_profile_is_none(api: APIClient, action: str):
    profile = ProfileFactory(profile_type=Profile.Type.DELETED)

    assert api.get(path_of(profile, action)).status_code == 404


class TestQueries:
    """Whatever the profile: never more than six."""

    @pytest.fixture
    def get(
        self, api: APIClient, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> Callable[..., Response]:
        def get(profile: Profile, action: str = "") -> Response:
            with django_assert_max_num_queries(AT_MOST):
                response = api.get(path_of(profile, action))
            assert response.status_code == 200
            return response

        return get

    def test_of_a_profile_without_a_history(self, get: Callable, profile: Profile):
        get(profile)

    def test_of_a_profile_with_everything(self, get: Callable, regular: Profile):
        recalculate(profile_ids=[regular.id], moment=timezone.now())

        get(regular)

    def test_of_a_profile_that_was_never_calculated(self, get: Callable, regular: Profile):
        get(regular)

    def test_of_a_profile_that_the_clock_has_overtaken(self, get: Callable, regular: Profile):
        recalculate(profile_ids=[regular.id], moment=timezone.now())
        Freshness.objects.update(next_change_at=days_ago(1))

        get(regular)

    def test_of_a_recalculation(self, get: Callable, regular: Profile):
        get(regular, "/calculate")

    @pytest.mark.django_db(transaction=True)
    def test_of_a_profile_that_was_never_calculated_when_it_commits(
        self, get: Callable, regular: Profile
    ):
        get(regular)
