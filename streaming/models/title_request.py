"""Titles that the catalogue does not have and somebody has asked for."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from streaming.models.job import ScrapeJob
from streaming.models.movie import HAS_IMDB_ID_SHAPE

CLOCK_SLACK = timedelta(days=31)
"""A date further ahead than any wait was written by a fast clock: it is ignored."""


class TitleRequestQuerySet(models.QuerySet["TitleRequest"]):
    """Queries about many requests."""

    def unanswered(self) -> TitleRequestQuerySet:
        """Requests for which nothing has been found."""
        return self.exclude(outcome__in=(TitleRequest.Outcome.FOUND, TitleRequest.Outcome.REVIEW))

    def due(self, *, now: datetime) -> TitleRequestQuerySet:
        """Requests whose next search is due, the oldest first; without those that are searched now."""
        is_open = ScrapeJob.objects.open().filter(title_request=OuterRef("pk"))
        is_due = Q(next_ask_at=None) | Q(next_ask_at__lte=now) | Q(next_ask_at__gt=now + CLOCK_SLACK)
        return self.unanswered().filter(is_due, ~Exists(is_open)).order_by("next_ask_at", "pk")


class TitleRequest(models.Model):
    """One title, however many ask for it. Who asked is not kept.

    `title`, `year` and `type` are what Wikidata says, empty if it says nothing. `outcome` is what the last search came
    to, empty before the first one has ended; `fruitless` counts the searches that found nothing. `next_ask_at` is when
    the sources are asked again, by the schedule or by a visitor; None: at once.
    """

    class Outcome(models.TextChoices):
        FOUND = "found", "Links found"
        REVIEW = "review", "Links await review"
        NOTHING = "nothing", "No source has it"
        FAILED = "failed", "The sources did not respond"

    imdb_id = models.CharField("IMDb id", max_length=11, unique=True)
    title = models.CharField(max_length=200, blank=True, default="")
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    type = models.CharField(max_length=5, blank=True, default="")
    asked_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=7, choices=Outcome, blank=True, default="")
    fruitless = models.PositiveSmallIntegerField(default=0)
    next_ask_at = models.DateTimeField(null=True, blank=True)

    # Not a column: True if this request for the title has started a search.
    is_started: bool = False

    objects = TitleRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=HAS_IMDB_ID_SHAPE, name="title_request_imdb_id_shape"),
            models.CheckConstraint(
                condition=Q(outcome__in=("", "found", "review", "nothing", "failed")),
                name="title_request_outcome_known",
            ),
        ]
        indexes = [models.Index(fields=["next_ask_at", "id"], name="title_request_by_next")]

    def __str__(self) -> str:
        name = self.title or self.imdb_id
        return f"{name} ({self.year})" if self.year else name

    def get_absolute_url(self) -> str:
        return reverse("look-for-title", args=[self.imdb_id])

    def is_answered(self, *, now: datetime) -> bool:
        """Whether a further request gets the answer of the last search."""
        return self.next_ask_at is not None and now < self.next_ask_at <= now + CLOCK_SLACK
