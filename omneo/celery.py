"""The Celery app. Tasks stand in the apps, as shared tasks; the schedule stands in the settings."""

import os
from pathlib import Path

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omneo.settings")

app = Celery("omneo")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# The transport of a machine without a broker keeps messages in a folder, which it does not make.
if settings.CELERY_BROKER_URL.startswith("filesystem:"):
    for folder in ("data_folder_in", "control_folder"):
        Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS[folder]).mkdir(parents=True, exist_ok=True)
