"""The paths of places, below the API's own. A slash at the end makes no difference."""

from locations.views import BrandViewSet, LocationViewSet, RegionViewSet
from omneo.resources.paths import resource_paths

urlpatterns = [
    *resource_paths("brands", BrandViewSet),
    *resource_paths("locations", LocationViewSet),
    *resource_paths("regions", RegionViewSet),
]
