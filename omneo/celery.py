"""The Celery app. Tasks stand in the apps, as shared tasks; the schedule stands in the settings."""

import logging
import os
from typing import Any

from celery import Celery, signals
from django.conf import settings
from kombu.transport import TRANSPORT_ALIASES

from omneo.discretion import DiscreetFormatter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omneo.settings")

TRANSPORT_ALIASES["filesystem"] = "omneo.folder:Transport"

app = Celery("omneo")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.after_setup_logger.connect
@signals.after_setup_task_logger.connect
def log_discreetly(logger: logging.Logger, **kwargs: Any) -> None:
    """Let Celery's own logs say no more of customers than ours, in the form of ours."""
    formatter = DiscreetFormatter(settings.LOGGING["formatters"]["line"]["format"])
    for handler in logger.handlers:
        handler.setFormatter(formatter)
