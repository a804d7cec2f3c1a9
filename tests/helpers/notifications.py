"""Bells for `SCRAPE_NOTIFIER` that start no supervisor."""

from __future__ import annotations

RUNG: list[int] = []


def silent(job_id: int) -> None:
    """A doorbell in an empty house."""


def remember(job_id: int) -> None:
    """Note in `RUNG` for which job it was rung."""
    RUNG.append(job_id)
