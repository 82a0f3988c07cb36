"""Places as the API shows and takes them."""

from locations.serializers.address import ADDRESS_FIELDS, LocationAddressSerializer
from locations.serializers.brand import BrandSerializer
from locations.serializers.location import LocationSerializer
from locations.serializers.region import RegionSerializer
from omneo.resources.moments import timestamp
from omneo.resources.serializers import RowSerializer

__all__ = [
    "ADDRESS_FIELDS",
    "BrandSerializer",
    "LocationAddressSerializer",
    "LocationSerializer",
    "RegionSerializer",
    "RowSerializer",
    "timestamp",
]
