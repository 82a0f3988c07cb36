"""The paths of the aggregations, below the API's own. A slash at the end makes no difference."""

from django.urls import re_path

from aggregations.including import ProfileViewSet
from aggregations.segments import SegmentViewSet
from aggregations.views import AggregationView, CalculateView
from omneo.resources.paths import action_path, resource_paths

urlpatterns = [
    *resource_paths("profiles", ProfileViewSet),
    action_path("aggregations", SegmentViewSet, {"get": "list"}, detail=False),
    re_path(r"^profiles/(?P<profile>[^/]+)/aggregations/?\Z", AggregationView.as_view()),
    re_path(r"^profiles/(?P<profile>[^/]+)/aggregations/calculate/?\Z", CalculateView.as_view()),
]
