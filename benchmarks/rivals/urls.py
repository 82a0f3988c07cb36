"""The product's paths, and the rivals' beside them on the same server."""

from django.urls import include, path

from benchmarks.rivals import nested_serializer
from omneo.urls import handler400, handler404, handler500
from omneo.urls import urlpatterns as product

__all__ = ["handler400", "handler404", "handler500", "urlpatterns"]

urlpatterns = [path("", include(nested_serializer)), *product]
