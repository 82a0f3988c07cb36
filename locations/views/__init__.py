"""Places, by the API."""

from locations.views.brand import BrandViewSet
from locations.views.location import LocationViewSet
from locations.views.region import RegionViewSet

__all__ = ["BrandViewSet", "LocationViewSet", "RegionViewSet"]
