"""Requests of visitors to take something down, which staff decide."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils import timezone

MAX_STATEMENT_LENGTH = 2000


class TakedownRequestQuerySet(models.QuerySet["TakedownRequest"]):
    """Queries about many requests."""

    def awaiting_review(self) -> TakedownRequestQuerySet:
        """Requests that nobody has decided."""
        return self.filter(handled_at=None)

    def decide(self, outcome: TakedownRequest.Outcome, *, now: datetime) -> int:
        """Close those of these requests that are open; return how many."""
        return self.awaiting_review().update(outcome=outcome, handled_at=now)


class TakedownRequest(models.Model):
    """One request. `target` is the IMDb id or the URL that it means, normalized; nothing here is ever public.

    `name` and `email` are personal data: they go with the row, `HISTORY_DAYS` after the decision.
    """

    class Claim(models.TextChoices):
        COPYRIGHT = "copyright", "My copyright or that of my client"
        PERSON = "person", "My picture, name or private life"
        ILLEGAL = "illegal", "Illegal content"
        OTHER = "other", "Another reason"

    class Outcome(models.TextChoices):
        TAKEN_DOWN = "taken_down", "Taken down"
        DECLINED = "declined", "Declined"

    target = models.CharField(max_length=2000)
    claim = models.CharField(max_length=9, choices=Claim)
    statement = models.TextField(max_length=MAX_STATEMENT_LENGTH)
    name = models.CharField(max_length=100)
    email = models.EmailField()
    created_at = models.DateTimeField(default=timezone.now)
    handled_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True, default="")

    objects = TakedownRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(claim__in=("copyright", "person", "illegal", "other")), name="takedown_claim_known"
            ),
            models.CheckConstraint(
                condition=models.Q(handled_at=None, outcome="")
                | models.Q(handled_at__isnull=False, outcome__in=("taken_down", "declined")),
                name="takedown_decided_with_outcome",
            ),
        ]
        indexes = [models.Index(fields=["handled_at", "id"], name="takedown_by_review")]

    def __str__(self) -> str:
        return f"{self.get_claim_display()}: {self.target}"
