"""The project. Importing the Celery app here lets shared tasks find it in every process."""

from omneo.celery import app as celery_app

__all__ = ["celery_app"]
