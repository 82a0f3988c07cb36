"""The search of the large tables finds people and receipts by what one has at hand."""

from __future__ import annotations

import pytest
from django.db.models import Model
from django.test import Client

from aggregations.calculation import recalculate
from aggregations.models import RecalculationRequest
from profiles.models import Profile
from tests import factories
from tests.admin.conftest import NOW
from tests.waiting import forget_who_waits

PROFILES = "/admin/profiles/profile/"
TRANSACTIONS = "/admin/profiles/transaction/"
OF_A_PROFILE = {"email": "ADA@example.com", "phone": "+61 400 111", "card": "6006-1"}


@pytest.fixture
def ada(db: None) -> Profile:
    factories.ProfileFactory(first_name="Grace", last_name="Hopper", email="grace@example.com")
    ada = factories.ProfileFactory(
        first_name="Ada", last_name="Lovelace", email="ada@example.com", mobile_phone="+61400111"
    )
    factories.IdentityFactory(profile=ada, identifier="6006-1")
    return ada


def found(client: Client, path: str, term: str) -> list[Model]:
    return list(client.get(path, {"q": term}).context["cl"].result_list)


@pytest.mark.parametrize(
    "term",
    ["Ada", "love", "ada love", "Lovelace Ada", "ada@ex", *OF_A_PROFILE.values()],
)
def test_a_profile_is_found(admin_client: Client, ada: Profile, term: str):
    assert found(admin_client, PROFILES, term) == [ada]


@pytest.mark.parametrize("written", [str, lambda key: key.hex, lambda key: str(key).upper()])
def test_a_profile_is_found_by_its_id(admin_client: Client, ada: Profile, written):
    assert found(admin_client, PROFILES, f" {written(ada.pk)} ") == [ada]


def test_an_exact_email_goes_before_longer_ones(admin_client: Client, ada: Profile):
    factories.ProfileFactory(email="ada@example.com.au")

    assert found(admin_client, PROFILES, "ada@example.com") == [ada]


def test_a_wildcard_is_a_letter_like_any_other(admin_client: Client, ada: Profile):
    assert found(admin_client, PROFILES, "%") == []


def test_a_profile_is_offered_where_one_is_chosen(admin_client: Client, ada: Profile):
    choice = {
        "app_label": "profiles",
        "model_name": "transaction",
        "field_name": "profile",
        "term": "lovel",
    }

    offered = admin_client.get("/admin/autocomplete/", choice).json()["results"]

    assert offered == [{"id": str(ada.pk), "text": "Ada Lovelace"}]


@pytest.mark.parametrize("column", ["external_id", "receipt_ref", "pk"])
def test_a_transaction_is_found(admin_client: Client, ada: Profile, column: str):
    factories.TransactionFactory(external_id="A-10", receipt_ref="B-10")
    wanted = factories.TransactionFactory(external_id="A-1", receipt_ref="B-1")

    assert found(admin_client, TRANSACTIONS, str(getattr(wanted, column))) == [wanted]


@pytest.mark.parametrize("term", OF_A_PROFILE.values(), ids=OF_A_PROFILE)
def test_the_transactions_of_a_profile_are_found(admin_client: Client, ada: Profile, term: str):
    factories.TransactionFactory()
    wanted = factories.TransactionFactory(profile=ada)

    assert found(admin_client, TRANSACTIONS, term) == [wanted]


@pytest.mark.parametrize("term", OF_A_PROFILE.values(), ids=OF_A_PROFILE)
def test_the_aggregations_of_a_profile_are_found(admin_client: Client, ada: Profile, term: str):
    everybody = Profile.objects.values_list("pk", flat=True)
    recalculate(profile_ids=everybody, moment=NOW)

    assert found(admin_client, "/admin/aggregations/aggregation/", term) == [ada.aggregation]


@pytest.mark.parametrize("term", OF_A_PROFILE.values(), ids=OF_A_PROFILE)
def test_what_a_profile_waits_for_is_found(admin_client: Client, ada: Profile, term: str):
    forget_who_waits()
    RecalculationRequest.objects.create(profile_id=factories.ProfileFactory().pk)
    wanted = RecalculationRequest.objects.create(profile_id=ada.pk)

    rows = found(admin_client, "/admin/aggregations/recalculationrequest/", term)

    assert wanted in rows
    assert {row.profile_id for row in rows} == {ada.pk}


@pytest.mark.parametrize("term", ["Mel", "bourne", "S-1"])
def test_a_location_is_found(admin_client: Client, db: None, term: str):
    factories.LocationFactory()
    wanted = factories.LocationFactory(name="Melbourne Central", external_id="S-1")

    assert found(admin_client, "/admin/locations/location/", term) == [wanted]


def test_the_history_of_a_profile_has_the_latest_first(admin_client: Client, ada: Profile):
    latest = factories.TransactionFactory(profile=ada, transacted_at=NOW)
    earlier = factories.TransactionFactory(profile=ada)
    factories.TransactionFactory()

    page = admin_client.get(TRANSACTIONS, {"profile__id__exact": str(ada.pk)})

    assert list(page.context["cl"].result_list) == [latest, earlier]


def test_the_transactions_of_a_location_are_listed(admin_client: Client, db: None):
    wanted = factories.TransactionFactory(location=factories.LocationFactory())
    factories.TransactionFactory(location=factories.LocationFactory())

    page = admin_client.get(TRANSACTIONS, {"location__id__exact": wanted.location_id})

    assert list(page.context["cl"].result_list) == [wanted]


@pytest.mark.parametrize(
    ("kind", "totals"), [("purchase", [10]), ("refund", [-10]), ("void", [20]), ("", [20, -10, 10])]
)
def test_transactions_are_filtered_by_kind(
    admin_client: Client, profile: Profile, kind: str, totals: list[int]
):
    factories.TransactionFactory(profile=profile, total=10)
    factories.TransactionFactory(profile=profile, total=-10)
    factories.TransactionFactory(profile=profile, total=20, is_void=True)

    page = admin_client.get(TRANSACTIONS, {"kind": kind})

    assert [row.total for row in page.context["cl"].result_list] == totals
