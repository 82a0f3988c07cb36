"""The usual Django way: profile by profile, some queries each, and `update_or_create`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from django.contrib.postgres.aggregates import BitOr
from django.db import models
from django.db.models import Avg, Count, F, Max, Min, Q, Sum

from aggregations.likely_place import WEIGHTS
from aggregations.models import Aggregation
from aggregations.windows import cutoff
from locations.models import Country, Location, RegionMember
from profiles.models import Profile, ProfileTier, Transaction, TransactionItem

TABLE = "rival_orm"
CENT = Decimal("0.01")


class RivalAggregation(models.Model):
    """A table of its own with the fields of ours."""

    profile = models.OneToOneField(
        Profile, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="+"
    )

    class Meta:
        app_label = "benchmarks"
        managed = False
        db_table = TABLE


for _field in Aggregation._meta.concrete_fields:
    if not _field.primary_key:
        RivalAggregation.add_to_class(_field.name, _field.clone())


def calculate(profile_ids: Collection[UUID], *, moment: datetime) -> None:
    """Bring the rows of these profiles up to date, one after the other."""
    for profile_id in profile_ids:
        update(profile_id, moment=moment)


def update(profile_id: UUID, *, moment: datetime) -> None:
    """Bring a profile's row up to date."""
    profile = Profile.objects.get(pk=profile_id)
    transactions = Transaction.objects.filter(profile=profile, is_void=False)
    purchases = transactions.filter(is_purchase=True)
    in_12m = Q(transacted_at__gt=cutoff(moment, months=12))
    bought = Q(is_purchase=True)
    totals = transactions.aggregate(
        spend_all=Sum("amount"),
        spend_12m=Sum("amount", filter=in_12m),
        shop_count=Count("id", filter=bought),
        shop_count_12m=Count("id", filter=bought & in_12m),
        discount=Avg(
            (F("total_original") - F("total")) * 100 / F("total_original"),
            filter=bought & Q(total_original__gt=0),
        ),
        first=Min("transacted_at"),
        last=Max("transacted_at"),
        channels=BitOr("channels", filter=bought),
    )
    latest = purchases.order_by("-transacted_at", "-id").first()
    located = purchases.exclude(location=None).order_by("transacted_at", "id")
    first_located, latest_located = located.first(), located.last()
    places = list(
        transactions.exclude(location=None)
        .values("location_id", "location__name")
        .annotate(
            spend=Sum("amount"),
            spend_12m=Sum("amount", filter=in_12m),
            purchases=Count("id", filter=bought),
            purchases_24m=Count(
                "id", filter=bought & Q(transacted_at__gt=cutoff(moment, months=24))
            ),
            purchases_6m=Count("id", filter=bought & Q(transacted_at__gt=cutoff(moment, months=6))),
            latest=Max("transacted_at", filter=bought),
        )
    )
    brands = (
        TransactionItem.objects.filter(
            profile=profile, is_purchase=True, is_void=False, quantity__gt=0, brand__isnull=False
        )
        .values_list("brand__name", flat=True)
        .distinct()
    )
    best = (
        ProfileTier.objects.filter(profile=profile)
        .order_by("tier__sort_order", "started_at", "id")
        .first()
    )
    count, count_12m = totals["shop_count"], totals["shop_count_12m"]
    spend_all, spend_12m = totals["spend_all"] or 0, totals["spend_12m"] or 0
    joined = profile.joined_at or profile.created_at
    latest_at = latest.transacted_at if latest else None
    RivalAggregation.objects.update_or_create(
        profile=profile,
        defaults={
            "spend_all": money(spend_all),
            "spend_12m": money(spend_12m),
            "spend_12m_now": money(spend_12m),
            "spend_atv_all": money(spend_all / count) if count else None,
            "spend_atv_12m": money(spend_12m / count_12m) if count_12m else None,
            "discount_avg": totals["discount"] and money(totals["discount"]),
            "spend_first_date": totals["first"],
            "spend_last_date": totals["last"],
            "dimension_recency": recency(latest_at, moment=moment),
            "dimension_join": join_code((moment - joined).days),
            "channel": {1: "CF", 2: "CO", 3: "CM"}.get(totals["channels"]),
            "shop_count": count,
            "total_referred": profile.referrals.count(),
            "store_join_id": first_located and first_located.location_id,
            "latest_shop_spend": latest and latest.total,
            "latest_shop_currency_id": latest and latest.currency_id,
            "latest_transacted_location_id": latest_located and latest_located.location_id,
            "purchased_brands": sorted(brands),
            "transacted_locations": sorted(
                {place["location__name"] for place in places if place["purchases"]}
            ),
            "top_historic_status_id": best and best.tier_id,
            **shop_days(purchases, count=count, joined=joined),
            **favourites(places),
            **likely_place(profile, places),
            "changed_at": moment,
        },
    )


def money(number: Decimal) -> Decimal:
    return number.quantize(CENT, ROUND_HALF_UP) if number else Decimal(0)


def whole(numerator: int, denominator: int) -> int:
    return int((Decimal(numerator) / denominator).quantize(Decimal(1), ROUND_HALF_UP))


def recency(latest_at: datetime | None, *, moment: datetime) -> str:
    if latest_at is None:
        return "R0"
    for months, code in ((3, "RC"), (6, "RS"), (12, "RA")):
        if latest_at > cutoff(moment, months=months):
            return code
    return "RI"


def join_code(days: int) -> str:
    if days <= 90:
        return "JN"
    return "JC" if days <= 365 else f"J{-(-days // 365) - 1}"


def shop_days(purchases: models.QuerySet, *, count: int, joined: datetime) -> dict[str, Any]:
    """What follows from the distinct shop dates."""
    dates = list(purchases.order_by("shop_date").values_list("shop_date", flat=True).distinct())
    values: dict[str, Any] = {"total_shop_days": len(dates), "dimension_frequency": f"F{count}"}
    for name in ("shop_days", "first_shop_days", "second_shop_days", "latest_shop_days"):
        values[name] = None
    for name in ("average_shop_days", "second_shop_date", "previous_shop_date", "at_risk_date"):
        values[name] = None
    if not dates:
        return values
    span = (dates[-1] - dates[0]).days
    values["first_shop_days"] = max((dates[0] - joined.astimezone(UTC).date()).days, 0)
    if count >= 2:
        values["shop_days"] = whole(span, count - 1)
    if count >= 3:
        values["dimension_frequency"] = "FL" if span > 30 * (count - 1) else "FH"
    if len(dates) >= 2:
        values["second_shop_date"], values["previous_shop_date"] = dates[1], dates[-2]
        values["second_shop_days"] = (dates[1] - dates[0]).days
        values["latest_shop_days"] = (dates[-1] - dates[-2]).days
    if len(dates) >= 3:
        average = whole(span, len(dates))
        values["average_shop_days"] = average
        values["at_risk_date"] = dates[-1].fromordinal(dates[-1].toordinal() + 3 * average)
    return values


def favourites(places: list[dict[str, Any]]) -> dict[str, Any]:
    """The locations that stand out."""

    def most(measure: str) -> int | None:
        candidates = [place for place in places if (place[measure] or 0) > 0]
        if not candidates:
            return None
        return max(candidates, key=lambda place: (place[measure], *rank(place)))["location_id"]

    return {
        "most_transacted_location_id": most("purchases_24m") or most("purchases"),
        "most_spend_location_id": most("spend"),
        "most_spend_12m_location_id": most("spend_12m"),
    }


def rank(place: dict[str, Any]) -> tuple[float, int]:
    latest = place["latest"]
    return latest.timestamp() if latest else float("-inf"), -place["location_id"]


def likely_place(profile: Profile, places: list[dict[str, Any]]) -> dict[str, Any]:
    """The country, state and region that most speaks for."""
    evidence: list[tuple[int, float, int]] = []  # location, latest purchase, weight
    extra = WEIGHTS["weight_recent_purchase"] - WEIGHTS["weight_purchase"]
    for place in places:
        if place["purchases"]:
            weight = place["purchases_24m"] * WEIGHTS["weight_purchase"]
            weight += place["purchases_6m"] * extra
            evidence.append((place["location_id"], place["latest"].timestamp(), weight))
    evidence.extend(
        (location_id, float("-inf"), WEIGHTS[f"weight_{name}"])
        for name in ("joined_location", "preferred_location")
        if (location_id := getattr(profile, f"{name}_id"))
    )
    located = {
        location.pk: location
        for location in Location.objects.select_related("address").filter(
            pk__in=[location_id for location_id, *_ in evidence]
        )
    }
    addresses = list(profile.addresses.all())
    regions = {m.iso: m.region for m in RegionMember.objects.select_related("region")}
    countries, states, in_regions = Vote(), defaultdict(Vote), Vote()

    def count(country: str, state: str | None, region: Any, latest: float, weight: int) -> None:
        region = region or regions.get(state) or regions.get(country)
        if country:
            countries.add(country, latest, weight)
            if state:
                states[country].add(state, latest, weight)
        if region:
            in_regions.add(region.name, latest, weight)

    for location_id, latest, weight in evidence:
        location = located[location_id]
        address = getattr(location, "address", None)
        country = address.iso if address else None
        if country is None and location.country_iso_3:
            country = Country.objects.get(iso_3=location.country_iso_3).iso_2
        count(country, address and address.iso_state, location.region, latest, weight)
    for address in addresses:
        kind = "default_address" if address.is_default else "address"
        count(address.iso, address.iso_state, None, float("-inf"), WEIGHTS[f"weight_{kind}"])

    country, country_score = countries.winner()
    state, state_score = states[country].winner() if country else (None, None)
    region, region_score = in_regions.winner()
    named = Country.objects.filter(pk=country).first() if country else None
    return {
        "likely_country": named and named.name,
        "likely_country_iso": country,
        "likely_country_score": country_score,
        "likely_country_iso_score": country_score,
        "likely_state_iso": state,
        "likely_state_iso_score": state_score,
        "likely_region": region,
        "likely_region_score": region_score,
    }


class Vote:
    """A weighted vote; ties go to the most recent purchase, then to the alphabet."""

    def __init__(self) -> None:
        self.weights: dict[str, int] = defaultdict(int)
        self.latest: dict[str, float] = defaultdict(lambda: float("-inf"))

    def add(self, candidate: str, latest: float, weight: int) -> None:
        self.weights[candidate] += weight
        self.latest[candidate] = max(self.latest[candidate], latest)

    def winner(self) -> tuple[str | None, int | None]:
        if not any(self.weights.values()):
            return None, None
        best = min(self.weights, key=lambda name: (-self.weights[name], -self.latest[name], name))
        share = self.weights[best] / sum(self.weights.values())
        return best, next(
            (s for s, least in enumerate((0.8, 0.6, 0.4, 0.2), 1) if share >= least), 5
        )
