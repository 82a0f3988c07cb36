"""The paths of the aggregations, below the API's own. A slash at the end makes no difference."""

from django.urls import re_path

from aggregations.views import AggregationView, CalculateView

urlpatterns = [
    re_path(r"^profiles/(?P<profile>[^/]+)/aggregations/?\Z", AggregationView.as_view()),
    re_path(r"^profiles/(?P<profile>[^/]+)/aggregations/calculate/?\Z", CalculateView.as_view()),
]
