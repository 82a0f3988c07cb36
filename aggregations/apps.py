from django.apps import AppConfig


class AggregationsConfig(AppConfig):
    name = "aggregations"

    def ready(self) -> None:
        from aggregations import receivers, schema  # noqa: F401  the schema registers itself

        receivers.connect()
