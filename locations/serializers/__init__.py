"""Places as the API shows them."""

from locations.serializers.address import ADDRESS_FIELDS, LocationAddressSerializer
from locations.serializers.base import RowSerializer, timestamp
from locations.serializers.location import LocationSerializer

__all__ = [
    "ADDRESS_FIELDS",
    "LocationAddressSerializer",
    "LocationSerializer",
    "RowSerializer",
    "timestamp",
]
