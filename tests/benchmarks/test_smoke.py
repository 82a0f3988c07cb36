"""The benchmarks compare with what does the same: the rivals find what we find."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from uuid import UUID

import pytest
from django.db import connection

from aggregations.calculation import recalculate
from benchmarks import data
from benchmarks.rivals import orm, tables
from profiles.models import Profile

MOMENT = datetime(2025, 7, 1, 12, tzinfo=UTC)
PROFILES = 50

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rival(request: pytest.FixtureRequest) -> ModuleType:
    for needed in ("duckdb", request.param):
        pytest.importorskip(needed, reason="benchmarks/requirements.txt is not installed")
    return importlib.import_module(f"benchmarks.rivals.{request.param}_")


@pytest.fixture
def retailer() -> list[UUID]:
    data.generate(profiles=PROFILES, moment=MOMENT)
    profile_ids = list(Profile.objects.values_list("pk", flat=True))
    recalculate(profile_ids=profile_ids, moment=MOMENT)
    return profile_ids


@pytest.fixture
def rival_table(retailer: list[UUID], request: pytest.FixtureRequest) -> Iterator[str]:
    tables.create(request.param)
    yield request.param
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {request.param}")


@pytest.mark.parametrize("rival_table", [orm.TABLE], indirect=True)
def test_the_usual_way_finds_what_we_find(retailer: list[UUID], rival_table: str) -> None:
    orm.calculate(retailer, moment=MOMENT)

    assert tables.differences(rival_table, profile_ids=retailer) == {}


@pytest.mark.parametrize("rival", ["duckdb", "polars"], indirect=True)
@pytest.mark.parametrize("rival_table", ["rival_outside"], indirect=True)
def test_those_outside_the_database_find_what_we_find(
    rival: ModuleType, retailer: list[UUID], rival_table: str, tmp_path: Path
) -> None:
    calculated = _calculated_by(rival, tmp_path)
    tables.write_back(csv=calculated, table=rival_table)

    assert tables.differences(rival_table, profile_ids=retailer) == {}


@pytest.mark.parametrize("rival_table", [orm.TABLE], indirect=True)
def test_a_rival_that_finds_something_else_is_found_out(
    retailer: list[UUID], rival_table: str
) -> None:
    orm.calculate(retailer[1:], moment=MOMENT)
    orm.RivalAggregation.objects.filter(pk=retailer[1]).update(shop_count=-1, spend_all=-1)

    found = tables.differences(rival_table, profile_ids=retailer)

    assert found.pop("missing") == 1
    assert found["shop_count"] >= 1
    assert found["spend_all"] >= 1


def _calculated_by(rival: ModuleType, directory: Path) -> Path:
    from benchmarks.rivals import parquet

    parquet.export(directory)
    csv = directory / "finished.csv"
    rival.export(rival.calculate(directory, moment=MOMENT), csv)
    return csv
