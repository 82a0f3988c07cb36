"""The aggregations once more, in plain Python, to compare the calculation with.

Written from the meanings of the fields and from nothing of the calculation, slow and obvious on
purpose: exact fractions, one pass per question, no columns that the database derives. All times
are in UTC.
"""

from __future__ import annotations

import calendar
import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache, cached_property
from itertools import accumulate, chain, count
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

RECENT_PURCHASE, PURCHASE = 2, 1
JOINED_LOCATION, PREFERRED_LOCATION = 3, 5
DEFAULT_ADDRESS, ADDRESS = 6, 4

NEVER = datetime.min.replace(tzinfo=UTC)
LastVisits = dict[Hashable, datetime]


# What is known


@dataclass(frozen=True)
class Place:
    """A location, as far as the aggregations look at it."""

    id: int
    name: str
    timezone: str | None = None
    country: str | None = None
    state: str | None = None
    region: int | None = None


class Item(NamedTuple):
    brand: str
    quantity: Decimal
    is_void: bool


@dataclass
class Sale:
    """A transaction of any kind."""

    id: int
    transacted_at: datetime
    total: Decimal
    total_original: Decimal | None
    currency_id: int | None
    rate: Decimal
    place: Place | None
    timezone: str | None
    systems: list[str]
    is_void: bool
    items: list[Item] = field(default_factory=list)

    @cached_property
    def amount(self) -> Fraction:
        return Fraction(self.total) * Fraction(self.rate)

    @property
    def is_purchase(self) -> bool:
        return not self.is_void and self.amount > 0

    @cached_property
    def order(self) -> tuple[datetime, int]:
        return self.transacted_at, self.id

    @cached_property
    def shop_date(self) -> date:
        name = self.timezone or (self.place and self.place.timezone) or "UTC"
        return self.transacted_at.astimezone(ZoneInfo(name)).date()


class Address(NamedTuple):
    country: str | None
    state: str | None
    is_default: bool


class Holding(NamedTuple):
    """A tier held, in the order of what is best."""

    sort_order: int
    started_at: datetime
    id: int
    tier_id: int


@dataclass
class History:
    """All that is known of a profile."""

    profile_id: UUID
    joined_at: datetime
    joined_place: Place | None = None
    preferred_place: Place | None = None
    referrals: list[datetime] = field(default_factory=list)  # when each of them joined
    addresses: list[Address] = field(default_factory=list)
    holdings: list[Holding] = field(default_factory=list)
    sales: list[Sale] = field(default_factory=list)


@dataclass
class World:
    """What is known of the world: names of countries and regions, and who is in which region."""

    countries: dict[str, str]
    regions: dict[int, str]
    members: dict[str, int]

    def region_of(self, *, country: str | None, state: str | None) -> int | None:
        return self.members.get(state, self.members.get(country))


# What it comes to


def calculate(
    history: History, *, world: World, moment: datetime, now: datetime | None = None
) -> dict[str, Any]:
    """Return every field of the row, and `next_change_at`, of a calculation at `moment`.

    With `now`, the fields that the clock moves are those of a refresh at that later time.
    """
    now = now or moment
    sales = sorted((sale for sale in history.sales if not sale.is_void), key=lambda s: s.order)
    purchases = [sale for sale in sales if sale.is_purchase]
    return {
        "profile_id": history.profile_id,
        **_spend(sales, purchases, moment),
        **_clock(history, sales, purchases, now),
        **_visits(purchases),
        **_days(purchases, history.joined_at),
        **_places(sales, purchases, moment),
        **_likely_place(history, purchases, world, moment),
        "total_referred": len(history.referrals),
        "top_historic_status_id": min(history.holdings).tier_id if history.holdings else None,
        "next_change_at": next_change_at(history, after=now),
    }


def months_before(moment: datetime, months: int) -> datetime:
    return moment + _months_back(months)


@cache  # to make one takes longer than to use it
def _months_back(months: int) -> relativedelta:
    return relativedelta(months=-months)


def rounded(value: Fraction, places: int = 0) -> Decimal:
    """Round half away from zero."""
    away = math.floor(abs(value) * 10**places + Fraction(1, 2))
    return Decimal(away if value >= 0 else -away).scaleb(-places)


def half_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


def _net(sales: Iterable[Sale]) -> Fraction:
    return sum((sale.amount for sale in sales), Fraction(0))


def _since(sales: list[Sale], cutoff: datetime) -> list[Sale]:
    return [sale for sale in sales if sale.transacted_at > cutoff]


def _spend(sales: list[Sale], purchases: list[Sale], moment: datetime) -> dict[str, Any]:
    year_ago = months_before(moment, 12)
    net_12m, purchases_12m = _net(_since(sales, year_ago)), _since(purchases, year_ago)
    net = _net(sales)
    return {
        "spend_12m": rounded(net_12m, 2),
        "spend_all": rounded(net, 2),
        "spend_atv_12m": rounded(net_12m / len(purchases_12m), 2) if purchases_12m else None,
        "spend_atv_all": rounded(net / len(purchases), 2) if purchases else None,
        "discount_avg": _discount(purchases),
        "spend_first_date": sales[0].transacted_at if sales else None,
        "spend_last_date": sales[-1].transacted_at if sales else None,
        "latest_shop_spend": purchases[-1].total if purchases else None,
        "latest_shop_currency_id": purchases[-1].currency_id if purchases else None,
    }


def _discount(purchases: list[Sale]) -> Decimal | None:
    discounts = []
    for sale in purchases:
        if sale.total_original is not None and sale.total_original > 0:
            original, paid = Fraction(sale.total_original), Fraction(sale.total)
            discounts.append(Fraction(rounded((original - paid) / original * 100, 10)))
    return rounded(sum(discounts) / len(discounts), 2) if discounts else None


def _visits(purchases: list[Sale]) -> dict[str, Any]:
    systems = {system for sale in purchases for system in sale.systems}
    channels = {
        (True, True): "CM",
        (True, False): "CF",
        (False, True): "CO",
        (False, False): None,
    }
    return {
        "shop_count": len(purchases),
        "channel": channels["pos" in systems, "web" in systems],
        "purchased_brands": sorted(
            {
                item.brand
                for sale in purchases
                for item in sale.items
                if not item.is_void and item.quantity > 0
            }
        ),
    }


def _days(purchases: list[Sale], joined_at: datetime) -> dict[str, Any]:
    visits = len(purchases)
    dates = sorted({sale.shop_date for sale in purchases})
    span = (dates[-1] - dates[0]).days if dates else 0
    average = half_up(Fraction(span, len(dates))) if len(dates) >= 3 else None
    joined_on = joined_at.astimezone(UTC).date()
    return {
        "shop_days": half_up(Fraction(span, visits - 1)) if visits >= 2 else None,
        "dimension_frequency": frequency(visits=visits, span=span),
        "total_shop_days": len(dates),
        "first_shop_days": max(0, (dates[0] - joined_on).days) if dates else None,
        "second_shop_days": (dates[1] - dates[0]).days if len(dates) >= 2 else None,
        "second_shop_date": dates[1] if len(dates) >= 2 else None,
        "latest_shop_days": (dates[-1] - dates[-2]).days if len(dates) >= 2 else None,
        "previous_shop_date": dates[-2] if len(dates) >= 2 else None,
        "average_shop_days": average,
        "at_risk_date": None if average is None else dates[-1] + timedelta(days=3 * average),
    }


def frequency(*, visits: int, span: int) -> str:
    if visits < 3:
        return f"F{visits}"
    return "FL" if Fraction(span, visits - 1) > 30 else "FH"


def last_visits(visits: list[Sale], of: Callable[[Place], Hashable]) -> LastVisits:
    """Return when the last visit was, by what it is a visit of."""
    return {of(sale.place): sale.transacted_at for sale in visits}


def first_among_equals(
    candidates: Collection[Any], *, visits: LastVisits, order: Callable[[Any], Any]
) -> Any:
    """Return the candidate visited last, of several the first in an order."""
    newest = max(visits.get(each, NEVER) for each in candidates)
    return min((each for each in candidates if visits.get(each, NEVER) == newest), key=order)


def _places(sales: list[Sale], purchases: list[Sale], moment: datetime) -> dict[str, Any]:
    visits = [sale for sale in purchases if sale.place]
    located = [sale for sale in sales if sale.place]
    latest = last_visits(visits, lambda place: place.id)

    def best(score: dict[int, Any]) -> int | None:
        if not score:
            return None
        top = [place for place, value in score.items() if value == max(score.values())]
        return first_among_equals(top, visits=latest, order=int)

    def best_spend(sales: list[Sale]) -> int | None:
        nets: dict[int, Fraction] = defaultdict(Fraction)
        for sale in sales:
            nets[sale.place.id] += sale.amount
        return best({place: net for place, net in nets.items() if net > 0})

    recent = _since(visits, months_before(moment, 24)) or visits
    return {
        "store_join_id": visits[0].place.id if visits else None,
        "latest_transacted_location_id": visits[-1].place.id if visits else None,
        "transacted_locations": sorted({sale.place.name for sale in visits}),
        "most_transacted_location_id": best(Counter(sale.place.id for sale in recent)),
        "most_spend_location_id": best_spend(located),
        "most_spend_12m_location_id": best_spend(_since(located, months_before(moment, 12))),
    }


# The likely place


class Evidence(NamedTuple):
    weight: int
    country: str | None
    state: str | None
    region: int | None


def _likely_place(
    history: History, purchases: list[Sale], world: World, moment: datetime
) -> dict[str, Any]:
    evidence = list(_evidence(history, purchases, world, moment))
    visits = [sale for sale in purchases if sale.place]

    country, country_score = _vote(
        [(each.weight, each.country) for each in evidence],
        latest=last_visits(visits, lambda place: place.country),
        name=str,
    )
    state, state_score = _vote(
        [(each.weight, each.state) for each in evidence if each.country == country],
        latest=last_visits(visits, lambda place: place.state),
        name=str,
    )
    region, region_score = _vote(
        [(each.weight, each.region) for each in evidence],
        latest=last_visits(visits, lambda place: place.region),
        name=lambda region: (world.regions[region], region),
    )
    return {
        "likely_country": world.countries.get(country),
        "likely_country_score": country_score,
        "likely_country_iso": country,
        "likely_country_iso_score": country_score,
        "likely_state_iso": state,
        "likely_state_iso_score": state_score,
        "likely_region": world.regions[region] if region is not None else None,
        "likely_region_score": region_score,
    }


def _evidence(
    history: History, purchases: list[Sale], world: World, moment: datetime
) -> Iterator[Evidence]:
    half_a_year_ago, two_years_ago = months_before(moment, 6), months_before(moment, 24)
    for sale in purchases:
        if sale.place and sale.transacted_at > two_years_ago:
            weight = RECENT_PURCHASE if sale.transacted_at > half_a_year_ago else PURCHASE
            yield Evidence(weight, sale.place.country, sale.place.state, sale.place.region)
    for place, weight in [
        (history.joined_place, JOINED_LOCATION),
        (history.preferred_place, PREFERRED_LOCATION),
    ]:
        if place:
            yield Evidence(weight, place.country, place.state, place.region)
    for address in history.addresses:
        weight = DEFAULT_ADDRESS if address.is_default else ADDRESS
        region = world.region_of(country=address.country, state=address.state)
        yield Evidence(weight, address.country, address.state, region)


def _vote(
    ballots: list[tuple[int, Hashable | None]],
    *,
    latest: LastVisits,
    name: Callable[[Any], Any],
) -> tuple[Any, int | None]:
    """Return the winner and the band of its share, or None twice where nobody voted."""
    weights: Counter = Counter()
    for weight, candidate in ballots:
        if candidate is not None:
            weights[candidate] += weight
    if not weights:
        return None, None
    top = [each for each, weight in weights.items() if weight == max(weights.values())]
    winner = first_among_equals(top, visits=latest, order=name)
    share = Fraction(weights[winner], weights.total())
    bands = [Fraction(80, 100), Fraction(60, 100), Fraction(40, 100), Fraction(20, 100)]
    return winner, 1 + sum(share < band for band in bands)


# The clock


def _clock(
    history: History, sales: list[Sale], purchases: list[Sale], now: datetime
) -> dict[str, Any]:
    return {
        "spend_12m_now": rounded(_net(_since(sales, months_before(now, 12))), 2),
        "dimension_recency": recency(purchases[-1].transacted_at if purchases else None, now),
        "dimension_join": join_stage(history.joined_at, now),
    }


def recency(latest: datetime | None, now: datetime) -> str:
    if latest is None:
        return "R0"
    for months, code in [(3, "RC"), (6, "RS"), (12, "RA")]:
        if latest > months_before(now, months):
            return code
    return "RI"


def join_stage(joined_at: datetime, now: datetime) -> str:
    days = (now - joined_at) // timedelta(days=1)
    if days <= 90:
        return "JN"
    if days <= 365:
        return "JC"
    return f"J{math.ceil(days / 365) - 1}"


class Span(NamedTuple):
    """When a row changes next: never before the first of these moments nor after the second.

    They differ where several sales leave the window at once and cancel out in the sum.
    """

    earliest: datetime
    latest: datetime


def next_change_at(history: History, *, after: datetime) -> Span:
    """Return the first moment after that one at which the clock changes a field.

    Tries every moment at which that can happen, in order, and looks whether it does.
    """
    sales = sorted((s for s in history.sales if not s.is_void and s.amount), key=lambda s: s.order)
    times = [sale.transacted_at for sale in sales]
    nets = [Fraction(0), *accumulate(sale.amount for sale in sales)]
    latest = max((sale.transacted_at for sale in sales if sale.is_purchase), default=None)

    def gone(moment: datetime) -> int:
        return bisect_right(times, months_before(moment, 12))

    def values(moment: datetime) -> tuple[Decimal, str]:
        return rounded(nets[-1] - nets[gone(moment)], 2), recency(latest, moment)

    def state(moment: datetime) -> tuple[int, str]:
        return gone(moment), recency(latest, moment)

    join = _next_join_boundary(history.joined_at, after)
    earliest, before = None, state(after)
    for moment in _window_boundaries(times, latest, after):
        if moment >= join:
            break
        if state(moment) == before:
            continue
        earliest = earliest or moment
        if values(moment) != values(after):
            return Span(earliest, moment)
    return Span(earliest or join, join)


def _next_join_boundary(joined_at: datetime, after: datetime) -> datetime:
    """Return when the join stage changes next: a day after the last whole day of a stage."""
    for last_day in chain([90], count(365, 365)):
        boundary = joined_at + timedelta(days=last_day + 1)
        if boundary > after:
            return boundary
    raise AssertionError("count() does not end")


def _window_boundaries(
    times: list[datetime], latest: datetime | None, after: datetime
) -> Iterator[datetime]:
    """Yield, in order, every moment after that one at which a window may gain or lose a sale.

    A window's end has the time of day of the moment itself, on the day of that many months ago,
    or, where that month is shorter, on its last day. So a sale can come and go at its time of
    day and at midnight, on the days of the month that lies the window's months after its own,
    and at the midnight that ends this month.
    """
    by_month: dict[tuple[int, int], set[time]] = defaultdict(set)
    windows = [(transacted_at, 12) for transacted_at in times]
    if latest is not None:
        windows += [(latest, 3), (latest, 6)]
    for transacted_at, months in windows:
        year, month = divmod(transacted_at.year * 12 + transacted_at.month - 1 + months, 12)
        if (year, month + 1) >= (after.year, after.month):
            by_month[year, month + 1].add(transacted_at.timetz())
    for year, month in sorted(by_month):
        first = date(year, month, 1)
        days = [first + timedelta(days=n) for n in range(calendar.monthrange(year, month)[1])]
        midnight = time(tzinfo=UTC)
        moments = {
            datetime.combine(day, clock)
            for day in days
            for clock in {midnight, *by_month[year, month]}
        }
        moments.add(datetime.combine(days[-1] + timedelta(days=1), midnight))
        yield from sorted(moment for moment in moments if moment > after)
