"""Notify a worker, local or remote, that a job waits."""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string


def notify(job_id: int) -> None:
    """Tell whoever runs jobs here that this one waits. Never raises: the job waits in its row."""
    import_string(settings.SCRAPE_NOTIFIER)(job_id)
