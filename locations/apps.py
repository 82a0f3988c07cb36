from django.apps import AppConfig


class LocationsConfig(AppConfig):
    name = "locations"

    def ready(self) -> None:
        from locations import receivers

        receivers.connect()
