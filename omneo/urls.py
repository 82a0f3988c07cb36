"""Every path of the product. The one module that imports every app."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerView

from omneo.api.errors import NoSuchPath
from omneo.api.schema import document
from omneo.health import health
from omneo.metrics import metrics

docs = SpectacularSwaggerView.as_view(
    url_name="openapi",
    schema=None,
    authentication_classes=[],
    permission_classes=[],
    throttle_classes=[],
)

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    re_path(r"^(?:api/v3/)?health/?\Z", health),
    re_path(r"^metrics/?\Z", metrics),
    path("api/v3/", include("locations.urls")),
    path("api/v3/", include("profiles.urls")),
    path("api/v3/", include("aggregations.urls")),
    re_path(r"^api/v3/openapi\.json/?\Z", document, name="openapi"),
    re_path(r"^api/v3/docs/?\Z", docs),
    re_path(r"^api(/|\Z)", NoSuchPath.as_view()),
]

handler400 = "omneo.api.errors.bad_request"
handler404 = "omneo.api.errors.not_found"
handler500 = "omneo.api.errors.server_error"
