"""A whole segment as a stream, as a client that exports it gets it."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.utils import timezone
from rest_framework.test import APIClient

from aggregations import streaming
from aggregations.calculation import recalculate, refresh_due
from aggregations.models import Aggregation
from aggregations.segments import BrokenStreamError
from profiles.models import Profile
from tests.aggregations.copies import multiply
from tests.api.overtaken import overtaken
from tests.concurrency import another_session, impatient
from tests.factories import (
    CurrencyFactory,
    LocationFactory,
    ProfileFactory,
    TierFactory,
    TransactionFactory,
)

PATH = "/api/v3/aggregations"
CSV, LINES = "text/csv", "application/x-ndjson"

pytestmark = pytest.mark.django_db


def row(**values: Any) -> str:
    """Make a row with these values; return its profile's key."""
    profile = ProfileFactory()
    recalculate(profile_ids=[profile.pk], moment=timezone.now())
    if values:
        Aggregation.objects.filter(pk=profile.pk).update(**values)
    return str(profile.pk)


def streamed(api: APIClient, form: str, **query: Any) -> StreamingHttpResponse:
    response = api.get(f"{PATH}?{urlencode(query)}", headers={"Accept": form})
    assert response.status_code == 200
    return response


def lines(api: APIClient, **query: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in streamed(api, LINES, **query).getvalue().splitlines()]


def table(api: APIClient, **query: Any) -> list[dict[str, str]]:
    text = streamed(api, CSV, **query).getvalue().decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "ROWS_A_CHUNK", 2)


@pytest.mark.parametrize("form", [CSV, LINES])
class TestEveryForm:
    def test_it_names_its_type_and_a_file(self, api, form):
        response = streamed(api, form)

        assert response.headers["Content-Type"] == f"{form}; charset=utf-8"
        assert response.headers["Content-Disposition"].startswith("attachment; filename=")

    @pytest.mark.parametrize("page", ["page[number]", "page[size]", "page[cursor]"])
    def test_it_has_no_pages(self, api, form, page):
        response = api.get(f"{PATH}?{page}=1", headers={"Accept": form})

        assert response.status_code == 422
        assert list(response.json()["errors"]) == [page]

    def test_what_is_wrong_is_told_in_json(self, api, form):
        response = api.get(f"{PATH}?filter[nothing]=1", headers={"Accept": form})

        assert response.status_code == 422
        assert response.headers["Content-Type"] == "application/json"
        assert "filter[nothing]" in response.json()["errors"]

    def test_without_a_token_there_is_nothing(self, form):
        response = APIClient().get(PATH, headers={"Accept": form})

        assert response.status_code == 401
        assert response.json() == {"message": "Unauthenticated."}

    def test_its_memory_does_not_grow_with_the_rows(self, api, form, monkeypatch):
        monkeypatch.setattr(streaming, "ROWS_A_CHUNK", 250)
        recalculate(profile_ids=[TransactionFactory().profile_id], moment=timezone.now())
        multiply(3 * streaming.ROWS_A_CHUNK)
        drain(streamed(api, form))  # what is loaded but once
        smaller = peak(lambda: drain(streamed(api, form)))
        multiply(4)

        larger = peak(lambda: drain(streamed(api, form)))

        assert larger < smaller * 1.25


def drain(response: StreamingHttpResponse) -> None:
    for _ in response:
        pass


def peak(work: Callable[[], None]) -> int:
    """Return how many bytes were in use at once while something was done."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class TestLines:
    def test_a_line_is_the_row_read_by_itself(self, api):
        profile = TransactionFactory(
            location=LocationFactory(), currency=CurrencyFactory(), total="10.50"
        ).profile
        recalculate(profile_ids=[profile.pk], moment=timezone.now())
        alone = api.get(f"/api/v3/profiles/{profile.pk}/aggregations").json()["data"]

        (line,) = lines(api)

        assert line == alone
        assert list(line) == list(alone)

    def test_they_are_the_rows_that_filters_select_in_the_order_asked_for(self, api, small_chunks):
        keys = [row(shop_count=count, channel="CM") for count in range(5)]
        row()

        found = lines(api, **{"filter[channel]": "CM", "sort": "-shop_count"})

        assert [line["profile_id"] for line in found] == keys[::-1]

    def test_without_rows_there_are_no_lines(self, api):
        assert streamed(api, LINES).getvalue() == b""


class TestCsv:
    def test_it_has_a_header_and_a_line_for_each_row(self, api, small_chunks):
        keys = sorted(row() for _ in range(5))

        assert [line["profile_id"] for line in table(api)] == keys

    def test_without_rows_there_is_the_header(self, api):
        (header,) = streamed(api, CSV).getvalue().decode().splitlines()

        assert header.startswith("profile_id,shop_days,spend_12m,")

    def test_values_are_written_as_the_api_writes_them(self, api):
        row(
            spend_all="-1234.50",
            shop_count=7,
            spend_last_date="2025-06-30 08:05:09.9+00",
            at_risk_date="2025-07-01",
            channel="CM",
            likely_region="Zürich, Süd",
            purchased_brands=["Acme", "Zest; Inc"],
        )

        (line,) = table(api)

        assert line["spend_all"] == "-1234.50"
        assert line["shop_count"] == "7"
        assert line["spend_last_date"] == "2025-06-30 08:05:09"
        assert line["at_risk_date"] == "2025-07-01"
        assert line["channel"] == "CM"
        assert line["likely_region"] == "Zürich, Süd"
        assert json.loads(line["purchased_brands"]) == ["Acme", "Zest; Inc"]

    def test_what_there_is_not_is_empty(self, api):
        row()

        (line,) = table(api)

        assert line["at_risk_date"] == line["store_join_id"] == line["store_join_name"] == ""

    def test_a_place_and_a_status_have_an_id_and_a_name(self, api):
        place, tier = LocationFactory(name="City"), TierFactory(name="Gold")
        row(most_spend_location_id=place.pk, top_historic_status_id=tier.pk)

        (line,) = table(api)

        assert line["most_spend_location_id"] == str(place.pk)
        assert line["most_spend_location_name"] == "City"
        assert line["top_historic_status_id"] == str(tier.pk)
        assert line["top_historic_status_name"] == "Gold"

    def test_a_currency_has_its_code(self, api):
        currency = CurrencyFactory()
        row(latest_shop_currency_id=currency.pk)

        assert table(api)[0]["latest_shop_currency"] == currency.from_code

    @pytest.mark.parametrize(
        "name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1"]
    )
    def test_a_name_is_no_formula_to_a_spreadsheet(self, api, name):
        row(likely_region=name, store_join_id=LocationFactory(name=name).pk)

        (line,) = table(api)

        assert line["likely_region"] == line["store_join_name"] == f"'{name}"


class TestTheClock:
    @pytest.fixture
    def profiles(self) -> list[str]:
        """The keys of profiles whose rows the clock has overtaken, in their order."""
        return sorted(overtaken() for _ in range(3))

    def test_what_it_has_overtaken_is_true_in_every_chunk(self, api, small_chunks, profiles):
        row()

        found = lines(api, **{"filter[dimension_recency]": "RI"})

        assert [line["profile_id"] for line in found] == profiles
        assert {(line["dimension_recency"], line["spend_12m_now"]) for line in found} == {("RI", 0)}

    @pytest.mark.django_db(transaction=True)
    def test_a_stream_waits_for_nobody_who_has_a_row_in_hand(self, api, small_chunks, profiles):
        with another_session() as session:
            session.begin()
            session.do(refresh_due, moment=timezone.now())

            with impatient():
                found = table(api, **{"filter[dimension_recency]": "RI"})

        assert [line["profile_id"] for line in found] == profiles

    def test_far_behind_it_a_stream_does_not_begin(self, api, profiles, monkeypatch):
        monkeypatch.setattr("aggregations.overtaken.MOST", 2)

        assert api.get(PATH, headers={"Accept": CSV}).status_code == 503


@pytest.mark.django_db(transaction=True)
def test_what_changes_while_a_client_reads_is_neither_lost_nor_there_twice(api, small_chunks):
    keys = [row(spend_all=100 - number, channel="CM") for number in range(6)]
    stream = iter(streamed(api, LINES, **{"filter[channel]": "CM", "sort": "-spend_all"}))
    seen = next(stream)
    Aggregation.objects.filter(pk=keys[0]).update(spend_all=1)
    Aggregation.objects.filter(pk=keys[3]).update(spend_all=1000)
    Aggregation.objects.filter(pk=keys[4]).update(channel=None)
    Profile.objects.filter(pk=keys[5]).delete()

    seen += b"".join(stream)

    assert [json.loads(line)["profile_id"] for line in seen.splitlines()] == keys[:4]


@pytest.mark.django_db(transaction=True)
def test_no_transaction_stays_open_while_a_client_reads(api, small_chunks):
    for _ in range(5):
        row()
    stream = iter(streamed(api, CSV))
    next(stream)

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE pid = pg_backend_pid() AND xact_start < query_start"
        )
        assert cursor.fetchone() == (0,)
    assert len(list(stream)) == 3


@pytest.mark.parametrize(
    ("form", "last"), [(CSV, b"Server error."), (LINES, b'{"message":"Server')]
)
@pytest.mark.django_db(transaction=True)
def test_a_stream_that_fails_ends_in_a_line_that_is_no_row(api, small_chunks, form, last):
    for _ in range(5):
        row()
    stream = iter(streamed(api, form))
    next(stream)
    connection.close()  # as when the database goes away

    assert next(stream).startswith(last)
    with pytest.raises(BrokenStreamError):
        next(stream)
