"""Places and what they are made of. The lowest app: it knows no other."""

from locations.models.address import Address, country_code
from locations.models.brand import Brand, Catalogued
from locations.models.country import Country
from locations.models.location import (
    DAYS_OF_WEEK,
    Department,
    Location,
    LocationAddress,
    NormalHours,
    SpecialHours,
)
from locations.models.region import Region, RegionMember

__all__ = [
    "DAYS_OF_WEEK",
    "Address",
    "Brand",
    "Catalogued",
    "Country",
    "Department",
    "Location",
    "LocationAddress",
    "NormalHours",
    "Region",
    "RegionMember",
    "SpecialHours",
    "country_code",
]
