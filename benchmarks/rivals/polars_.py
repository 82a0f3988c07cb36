"""Polars: the same columns by data frames, from Parquet files, and back by COPY."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from aggregations.likely_place import WEIGHTS
from aggregations.windows import cutoff
from benchmarks.rivals.tables import COLUMNS

TABLE = "rival_polars"
NEVER = datetime(1, 1, 1, tzinfo=UTC)


def calculate(directory: Path, *, moment: datetime) -> pl.DataFrame:
    """Calculate everybody's row from the files there."""
    tables = {file.stem: pl.scan_parquet(file) for file in directory.glob("*.parquet")}
    since = {n: pl.col("transacted_at") > cutoff(moment, months=n) for n in (3, 6, 12, 24)}
    places = _places(tables, since)
    evidence = _evidence(tables, places)
    parts = [
        _totals(tables, since),
        _purchases(tables),
        _favourites(tables, places),
        _brands(tables),
        *_likely_places(tables, evidence),
        tables["tiers"]
        .sort("sort_order", "started_at", "id")
        .group_by("profile_id")
        .agg(top_historic_status_id=pl.col("tier_id").first()),
        tables["profiles"]
        .filter(pl.col("referred_by_id").is_not_null())
        .group_by(profile_id="referred_by_id")
        .agg(total_referred=pl.len()),
    ]
    rows = tables["profiles"]
    for part in parts:
        rows = rows.join(part, on="profile_id", how="left")
    return _row(rows, moment=moment).collect()


def export(rows: pl.DataFrame, csv: Path) -> None:
    """Write the rows as a CSV that PostgreSQL takes, arrays too."""
    names = ["purchased_brands", "transacted_locations"]
    arrays = [
        pl.when(pl.col(name).list.len() > 0)
        .then('{"' + pl.col(name).list.join('","') + '"}')
        .otherwise(pl.lit("{}"))
        .alias(name)
        for name in names
    ]
    keys = pl.col("profile_id").bin.encode("hex")
    rows.with_columns(*arrays, keys).select(COLUMNS).write_csv(csv, include_header=False)


def _totals(tables: dict[str, pl.LazyFrame], since: dict[int, pl.Expr]) -> pl.LazyFrame:
    bought, amount = pl.col("is_purchase"), pl.col("amount")
    states_original = bought & (pl.col("total_original") > 0)
    discount = (pl.col("total_original") - pl.col("total")) * 100 / pl.col("total_original")
    return (
        tables["transactions"]
        .group_by("profile_id")
        .agg(
            spend_all=amount.sum(),
            spend_12m=amount.filter(since[12]).sum(),
            shop_count=bought.sum(),
            shop_count_12m=(bought & since[12]).sum(),
            discount_avg=discount.filter(states_original).mean(),
            spend_first_date=pl.col("transacted_at").min(),
            spend_last_date=pl.col("transacted_at").max(),
        )
    )


def _purchases(tables: dict[str, pl.LazyFrame]) -> pl.LazyFrame:
    located = pl.col("location_id").drop_nulls()
    return (
        tables["transactions"]
        .filter(pl.col("is_purchase"))
        .sort("transacted_at", "id")
        .group_by("profile_id", maintain_order=True)
        .agg(
            latest_at=pl.col("transacted_at").last(),
            channels=pl.col("channels").bitwise_or(),
            shop_dates=pl.col("shop_date").unique().sort(),
            latest_shop_spend=pl.col("total").last(),
            latest_shop_currency_id=pl.col("currency_id").last(),
            store_join_id=located.first(),
            latest_transacted_location_id=located.last(),
        )
    )


def _places(tables: dict[str, pl.LazyFrame], since: dict[int, pl.Expr]) -> pl.LazyFrame:
    bought, amount = pl.col("is_purchase"), pl.col("amount")
    return (
        tables["transactions"]
        .filter(pl.col("location_id").is_not_null())
        .group_by("profile_id", "location_id")
        .agg(
            spend=amount.sum(),
            spend_12m=amount.filter(since[12]).sum(),
            purchases=bought.sum(),
            purchases_24m=(bought & since[24]).sum(),
            purchases_6m=(bought & since[6]).sum(),
            latest_at=pl.col("transacted_at").filter(bought).max().fill_null(NEVER),
        )
    )


def _favourites(tables: dict[str, pl.LazyFrame], places: pl.LazyFrame) -> pl.LazyFrame:
    def most(measure: str) -> pl.Expr:
        # The first of the largest: the frame is in the order that decides ties.
        best = pl.col("location_id").get(pl.col(measure).arg_max())
        return pl.when(pl.col(measure).max() > 0).then(best)

    return (
        places.join(tables["locations"].select("location_id", "name"), on="location_id")
        .sort(["latest_at", "location_id"], descending=[True, False])
        .group_by("profile_id", maintain_order=True)
        .agg(
            most_transacted_location_id=pl.coalesce(most("purchases_24m"), most("purchases")),
            most_spend_location_id=most("spend"),
            most_spend_12m_location_id=most("spend_12m"),
            transacted_locations=pl.col("name").filter(pl.col("purchases") > 0).unique().sort(),
        )
    )


def _brands(tables: dict[str, pl.LazyFrame]) -> pl.LazyFrame:
    return (
        tables["items"]
        .unique()
        .join(tables["brands"], on="brand_id")
        .group_by("profile_id")
        .agg(purchased_brands=pl.col("name").unique().sort())
    )


def _evidence(tables: dict[str, pl.LazyFrame], places: pl.LazyFrame) -> pl.LazyFrame:
    of_state = tables["members"].rename({"iso": "state", "region_id": "state_region"})
    of_country = tables["members"].rename({"iso": "country", "region_id": "country_region"})
    countries = tables["countries"].select("iso_2", country_iso_3="iso_3")

    def with_region(found: pl.LazyFrame) -> pl.LazyFrame:
        region = pl.coalesce("region_id", "state_region", "country_region")
        return (
            found.join(of_state, on="state", how="left")
            .join(of_country, on="country", how="left")
            .select(pl.exclude("region_id", "state_region", "country_region"), region_id=region)
        )

    placed = with_region(
        tables["locations"]
        .join(countries, on="country_iso_3", how="left")
        .select("location_id", "region_id", country=pl.coalesce("iso", "iso_2"), state="iso_state")
    )
    extra = WEIGHTS["weight_recent_purchase"] - WEIGHTS["weight_purchase"]
    weight = pl.col("purchases_24m") * WEIGHTS["weight_purchase"] + pl.col("purchases_6m") * extra
    visited = places.filter(pl.col("purchases") > 0).select(
        "profile_id", "location_id", "latest_at", weight=weight.cast(pl.Int64)
    )
    chosen = [
        tables["profiles"]
        .filter(pl.col(f"{name}_id").is_not_null())
        .select("profile_id", location_id=f"{name}_id", weight=pl.lit(WEIGHTS[f"weight_{name}"]))
        for name in ("joined_location", "preferred_location")
    ]
    default, other = WEIGHTS["weight_default_address"], WEIGHTS["weight_address"]
    addresses = tables["addresses"].select(
        "profile_id",
        country="iso",
        state="iso_state",
        region_id=pl.lit(None, dtype=pl.Int64),
        weight=pl.when("is_default").then(default).otherwise(other),
    )
    pieces = [visited.join(placed, on="location_id")]
    pieces += [piece.join(placed, on="location_id") for piece in chosen]
    pieces += [with_region(addresses)]
    columns = ["profile_id", "country", "state", "region_id", pl.col("weight").cast(pl.Int64)]
    latest = {True: pl.col("latest_at"), False: pl.lit(NEVER).alias("latest_at")}
    return pl.concat(
        [
            piece.select(*columns, latest[piece is pieces[0]].cast(pl.Datetime("us", "UTC")))
            for piece in pieces
        ]
    )


def _likely_places(
    tables: dict[str, pl.LazyFrame], evidence: pl.LazyFrame
) -> tuple[pl.LazyFrame, pl.LazyFrame, pl.LazyFrame]:
    country = _won(evidence, "country", "likely_country_iso", "likely_country_score")
    named = country.join(
        tables["countries"].select(likely_country_iso="iso_2", likely_country="name"),
        on="likely_country_iso",
        how="left",
    )
    in_country = evidence.join(
        country.select("profile_id", country="likely_country_iso"), on=["profile_id", "country"]
    )
    in_region = evidence.join(tables["regions"], on="region_id")
    return (
        named,
        _won(in_country, "state", "likely_state_iso", "likely_state_iso_score"),
        _won(in_region, "name", "likely_region", "likely_region_score"),
    )


def _won(evidence: pl.LazyFrame, candidate: str, winner: str, score: str) -> pl.LazyFrame:
    weights = (
        evidence.filter(pl.col(candidate).is_not_null())
        .group_by("profile_id", candidate)
        .agg(pl.col("weight").sum(), pl.col("latest_at").max())
        .filter(pl.col("weight") > 0)
        .sort(["weight", "latest_at", candidate], descending=[True, True, False])
        .group_by("profile_id", maintain_order=True)
        .agg(pl.col(candidate).first().alias(winner), won="weight", total=pl.col("weight").sum())
        .with_columns(share=pl.col("won").list.first() / pl.col("total"))
    )
    band = pl.lit(5)
    for number, least in ((4, 0.2), (3, 0.4), (2, 0.6), (1, 0.8)):
        band = pl.when(pl.col("share") >= least).then(number).otherwise(band)
    return weights.select("profile_id", winner, band.alias(score))


def _row(rows: pl.LazyFrame, *, moment: datetime) -> pl.LazyFrame:
    since = {n: pl.col("latest_at") > cutoff(moment, months=n) for n in (3, 6, 12)}
    days = (pl.lit(moment) - pl.col("joined_at")).dt.total_days()
    count, day_count = pl.col("shop_count").fill_null(0), pl.col("shop_dates").list.len()
    dates = pl.col("shop_dates").list
    span = (pl.col("last_day") - pl.col("first_day")).dt.total_days()

    def whole(average: pl.Expr) -> pl.Expr:
        return (average + 0.5).floor().cast(pl.Int64)

    def money(amount: pl.Expr) -> pl.Expr:
        return amount.round(2, mode="half_away_from_zero")

    def between(later: pl.Expr, earlier: pl.Expr) -> pl.Expr:
        return (later - earlier).dt.total_days()

    return (
        rows.with_columns(
            first_day=dates.first(),
            last_day=dates.last(),
            second_shop_date=dates.get(1, null_on_oob=True),
            previous_shop_date=dates.get(-2, null_on_oob=True),
            total_shop_days=day_count.fill_null(0),
            shop_count=count,
        )
        .with_columns(
            average_shop_days=pl.when(pl.col("total_shop_days") >= 3).then(
                whole(span / pl.col("total_shop_days"))
            )
        )
        .with_columns(
            shop_days=pl.when(count >= 2).then(whole(span / (count - 1))),
            spend_12m=money(pl.col("spend_12m").fill_null(0)),
            spend_12m_now=money(pl.col("spend_12m").fill_null(0)),
            spend_all=money(pl.col("spend_all").fill_null(0)),
            spend_atv_12m=pl.when(pl.col("shop_count_12m") > 0).then(
                money(pl.col("spend_12m") / pl.col("shop_count_12m"))
            ),
            spend_atv_all=pl.when(count > 0).then(money(pl.col("spend_all") / count)),
            discount_avg=money(pl.col("discount_avg")),
            dimension_frequency=pl.when(count < 3)
            .then("F" + count.cast(pl.String))
            .when(span > 30 * (count - 1))
            .then(pl.lit("FL"))
            .otherwise(pl.lit("FH")),
            dimension_recency=pl.when(pl.col("latest_at").is_null())
            .then(pl.lit("R0"))
            .when(since[3])
            .then(pl.lit("RC"))
            .when(since[6])
            .then(pl.lit("RS"))
            .when(since[12])
            .then(pl.lit("RA"))
            .otherwise(pl.lit("RI")),
            dimension_join=pl.when(days <= 90)
            .then(pl.lit("JN"))
            .when(days <= 365)
            .then(pl.lit("JC"))
            .otherwise("J" + ((days + 364) // 365 - 1).cast(pl.String)),
            channel=pl.when(pl.col("channels") == 1)
            .then(pl.lit("CF"))
            .when(pl.col("channels") == 2)
            .then(pl.lit("CO"))
            .when(pl.col("channels") == 3)
            .then(pl.lit("CM")),
            total_referred=pl.col("total_referred").fill_null(0),
            first_shop_days=between(pl.col("first_day"), pl.col("joined_at").dt.date()).clip(0),
            second_shop_days=between(pl.col("second_shop_date"), pl.col("first_day")),
            latest_shop_days=between(pl.col("last_day"), pl.col("previous_shop_date")),
            at_risk_date=pl.col("last_day") + pl.duration(days=3 * pl.col("average_shop_days")),
            likely_country_iso_score=pl.col("likely_country_score"),
            purchased_brands=pl.col("purchased_brands").fill_null([]),
            transacted_locations=pl.col("transacted_locations").fill_null([]),
        )
        .select(COLUMNS)
    )
