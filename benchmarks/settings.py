"""The product's settings, with the rivals' paths beside the product's."""

from omneo.settings import *  # noqa: F403
from omneo.settings import REST_FRAMEWORK

ROOT_URLCONF = "benchmarks.rivals.urls"
API_REQUESTS_PER_MINUTE = 0
# What the product's serializers write anyway, so that the rivals' bodies are the same.
REST_FRAMEWORK = {**REST_FRAMEWORK, "DATETIME_FORMAT": "%Y-%m-%d %H:%M:%S"}
