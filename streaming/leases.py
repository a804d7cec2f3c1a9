"""Leases on rows that workers claim, in the database's time, so that machines whose clocks differ agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from django.conf import settings
from django.db.models import Model, Q, QuerySet
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

# What the models with leases store in `state` while a claimed row is being worked on.
RUNNING = "running"

Rows = TypeVar("Rows", bound="QuerySet[Model]")


def seconds_from_now(seconds: float) -> CombinedExpression:
    """Return the database's time plus `seconds`; a negative number lies in the past."""
    return Now() + timedelta(seconds=seconds)


def lease_end() -> CombinedExpression:
    """Return when a lease granted or renewed now ends."""
    return seconds_from_now(settings.SCRAPE_LEASE_SECONDS)


def expired() -> Q:
    """Match claimed rows that nobody works on any more.

    A lease that ends later than any lease granted now was granted before the clock was set back: it counts as expired.
    """
    latest = seconds_from_now(2 * settings.SCRAPE_LEASE_SECONDS + 60)
    return Q(state=RUNNING) & (Q(lease_until__lt=Now()) | Q(lease_until__gt=latest))


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseClaim:
    """The right of one worker to change one row. It is lost as soon as another attempt claims the row."""

    owner: str
    attempt: int

    def restrict(self, rows: Rows) -> Rows:
        """Return those of `rows` that this claim still holds; filter them by primary key first."""
        return rows.filter(state=RUNNING, owner=self.owner, attempt=self.attempt)
