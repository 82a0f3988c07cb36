from django.apps import AppConfig


class AggregationsConfig(AppConfig):
    name = "aggregations"

    def ready(self) -> None:
        from aggregations import receivers

        receivers.connect()
