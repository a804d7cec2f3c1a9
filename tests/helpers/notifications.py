"""Functions for `SCRAPE_NOTIFIER` that start no supervisor."""

from __future__ import annotations

NOTIFIED: list[int] = []


def silent(job_id: int) -> None:
    """Ignore the notification."""


def remember(job_id: int) -> None:
    """Append the job to `NOTIFIED`."""
    NOTIFIED.append(job_id)
