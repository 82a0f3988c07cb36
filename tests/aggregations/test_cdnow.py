"""Real purchases, against a library that others wrote: CDNOW and the summary of `lifetimes`.

CDNOW are all purchases of 23,570 customers of a record shop, who first bought early in 1997. Some
paid nothing; both sides are fed the rows with a value above 0.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from django.db import models, transaction
from pytest_django import DjangoDbBlocker

from aggregations.calculation import recalculate
from aggregations.models import Aggregation
from omneo.db import analyze, copy_csv
from profiles.models import Profile, Transaction
from tests.factories import utc

pytestmark = [
    pytest.mark.django_db,
    # Given by pandas on the import of lifetimes, which therefore waits for the first test.
    pytest.mark.filterwarnings("ignore:The 'mode.chained_assignment' option is deprecated"),
]


@pytest.fixture(scope="module")
def purchases() -> pd.DataFrame:
    import lifetimes

    path = Path(lifetimes.__file__).with_name("datasets") / "CDNOW_master.txt"
    rows = pd.read_csv(path, sep=r"\s+", dtype={"customer_id": str, "date": str})
    return rows[rows["dollar_value"] > 0]


@pytest.fixture(scope="module")
def summary(purchases: pd.DataFrame) -> pd.DataFrame:
    """Return what lifetimes says, by customer."""
    from lifetimes.utils import summary_data_from_transaction_data

    return summary_data_from_transaction_data(
        purchases, "customer_id", "date", datetime_format="%Y%m%d"
    )


@pytest.fixture(scope="module")
def rows(
    purchases: pd.DataFrame, swept: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[pd.DataFrame]:
    """Return the rows of aggregations, by customer, all of them recalculated in one call."""
    profile_ids = {customer: uuid.uuid4() for customer in purchases["customer_id"].unique()}
    with django_db_blocker.unblock(), transaction.atomic():
        copy(
            pd.DataFrame({"id": profile_ids.values()}),
            Profile,
            profile_type="active",
            tags="{}",
            meta="{}",
        )
        copy(
            pd.DataFrame(
                {
                    "profile_id": purchases["customer_id"].map(profile_ids),
                    "total": purchases["dollar_value"],
                    "transacted_at": purchases["date"] + " 12:00Z",
                }
            ),
            Transaction,
            currency_rate="1",
            shop_timezone="UTC",
            systems="{}",
            tags="{}",
            meta="{}",
            is_void="false",
        )
        analyze(Profile, Transaction)
        recalculate(profile_ids=profile_ids.values(), moment=utc("1998-07-01"))
        fields = ["profile_id", "total_shop_days", "spend_first_date", "spend_last_date"]
        customers = {profile_id: customer for customer, profile_id in profile_ids.items()}
        calculated = pd.DataFrame(Aggregation.objects.values(*fields))
        yield calculated.set_index(calculated["profile_id"].map(customers)).sort_index()
        transaction.set_rollback(True)


def copy(rows: pd.DataFrame, model: type[models.Model], **same_for_all: str) -> None:
    rows, csv = rows.assign(**same_for_all), StringIO()
    rows.to_csv(csv, header=False, index=False)
    copy_csv(table=model._meta.db_table, columns=[*rows.columns], csv=csv.getvalue().encode())


def test_every_customer_with_a_purchase_has_a_row(
    rows: pd.DataFrame, summary: pd.DataFrame
) -> None:
    assert len(summary) == 23_502
    assert list(rows.index) == list(summary.index)


def test_shop_days_but_the_first_are_the_frequency(
    rows: pd.DataFrame, summary: pd.DataFrame
) -> None:
    assert list(rows["total_shop_days"] - 1) == list(summary["frequency"])


def test_days_from_the_first_to_the_last_are_the_recency(
    rows: pd.DataFrame, summary: pd.DataFrame
) -> None:
    days = (rows["spend_last_date"] - rows["spend_first_date"]).dt.days

    assert list(days) == list(summary["recency"])
