from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "omneo.api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        from omneo import checks  # noqa: F401
