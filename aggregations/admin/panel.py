"""How a row of aggregations is shown: its fields by subject, each with its meaning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.formats import localize, number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from aggregations.models import Aggregation
from aggregations.reading import Reading
from locations.models import Location
from profiles.models import Currency, Tier

SUBJECTS = {
    "Spend": [
        "spend_all",
        "spend_12m",
        "spend_12m_now",
        "spend_atv_all",
        "spend_atv_12m",
        "discount_avg",
        "spend_first_date",
        "spend_last_date",
        "latest_shop_spend",
        "latest_shop_currency",
    ],
    "Frequency and recency": [
        "shop_count",
        "shop_days",
        "dimension_frequency",
        "dimension_recency",
        "dimension_join",
        "channel",
        "total_referred",
    ],
    "Days": [
        "total_shop_days",
        "average_shop_days",
        "first_shop_days",
        "second_shop_days",
        "latest_shop_days",
        "second_shop_date",
        "previous_shop_date",
        "at_risk_date",
    ],
    "Places": [
        "store_join",
        "most_transacted_location",
        "most_spend_location",
        "most_spend_12m_location",
        "latest_transacted_location",
        "transacted_locations",
    ],
    "Likely place": [
        "likely_country",
        "likely_country_score",
        "likely_country_iso",
        "likely_country_iso_score",
        "likely_state_iso",
        "likely_state_iso_score",
        "likely_region",
        "likely_region_score",
    ],
    "Brands": ["purchased_brands"],
    "Tier": ["top_historic_status"],
}
LISTED = 12  # names that are shown at once


@dataclass(frozen=True, slots=True)
class Line:
    """One field as it is shown."""

    label: str
    meaning: str
    value: str | SafeString


def subjects(reading: Reading) -> list[tuple[str, list[Line]]]:
    """Return the row's lines by subject."""
    return [
        (subject, [_line(Aggregation._meta.get_field(name), reading.row[name]) for name in names])
        for subject, names in SUBJECTS.items()
    ]


def _line(field: models.Field, value: Any) -> Line:
    return Line(
        label=capfirst(field.verbose_name), meaning=field.help_text, value=_shown(field, value)
    )


def _shown(field: models.Field, value: Any) -> str | SafeString:
    if value is None or value == []:
        return "–"
    if isinstance(field, models.ForeignKey):
        return _POINTED_TO[field.related_model](value)
    if isinstance(value, list):
        return _names(value)
    if isinstance(value, Decimal):
        return _decimal(field.name, value)
    if isinstance(value, datetime | date | int):
        return localize(value)
    return value


def _decimal(name: str, value: Decimal) -> str:
    number = number_format(value, 2, use_l10n=True, force_grouping=True)
    if name == "discount_avg":
        return f"{number} %"
    # The latest purchase is shown beside its own currency, everything else is converted.
    return number if name == "latest_shop_spend" else f"{number} {settings.SYSTEM_CURRENCY}"


def _names(names: list[str]) -> str | SafeString:
    if len(names) <= LISTED:
        return ", ".join(names)
    return format_html(
        "<details><summary>{} of them</summary>"
        '<ul style="max-height: 12rem; overflow-y: auto">{}</ul></details>',
        len(names),
        format_html_join("", "<li>{}</li>", ((name,) for name in names)),
    )


def _link(model: type[models.Model], name: str) -> Callable[[dict[str, Any]], SafeString]:
    path = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"

    def shown(row: dict[str, Any]) -> SafeString:
        address = reverse(path, args=[row["id"]])
        return format_html('<a class="text-link" href="{}">{}</a>', address, row[name])

    return shown


_POINTED_TO = {
    Location: _link(Location, "name"),
    Currency: _link(Currency, "from_code"),
    Tier: _link(Tier, "name"),
}
