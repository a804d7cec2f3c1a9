"""Scrape jobs: requests for links of one movie or title. The row is the job; notifications only wake a worker."""

from __future__ import annotations

from typing import TypedDict

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

# The bound of a constraint. `settings.SCRAPE_MAX_ATTEMPTS` decides how often a job is attempted.
MAX_STORED_ATTEMPTS = 3
MAX_LOG_BYTES = 64 * 1024


class SourceState(models.TextChoices):
    """The progress of one source of a job. The values are stored and published, so they never change."""

    WAITING = "waiting", "Waiting"
    SEARCHING = "searching", "Searching"
    FOUND = "found", "Links found"
    NOTHING = "nothing", "No links found"
    FAILED = "failed", "Failed"
    BLOCKED = "blocked", "Blocked"


UNFINISHED = frozenset({SourceState.WAITING, SourceState.SEARCHING})
FINISHED = frozenset(SourceState) - UNFINISHED


class SourceResult(TypedDict):
    """The result of one source in a job. `seconds` is None until the source has finished; `error` is for display."""

    source: str
    state: str  # a SourceState; plain text when read from the database
    links: int
    new: int
    seconds: float | None
    error: str


class ScrapeJobQuerySet(models.QuerySet["ScrapeJob"]):
    """Queries about many jobs."""

    def open(self) -> ScrapeJobQuerySet:
        """Jobs that are queued or running."""
        # Without parameters, or SQLite does not use the partial index of open jobs and reads all jobs.
        return self.filter(
            models.Func(
                models.F("state"),
                template="%(expressions)s IN ('queued', 'running')",
                output_field=models.BooleanField(),
            )
        )


class ScrapeJob(models.Model):
    """A request for fresh links of one movie, and what came of it.

    Instead of a `movie` it may have a `title_request`: for a title that is not in the catalogue until links are found.
    `owner`, `attempt` and `lease_until` make sure that only the worker of the current attempt may finish the job.
    `outcome` is empty unless the job succeeded; `sources` is a list of `SourceResult`; `error` is for display.
    `target_url` limits the search to one page (empty: all sources). `client` is a keyed hash of the visitor's network
    while the job is open, so that one visitor cannot fill the queue; empty for commands and staff.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting to start"
        RUNNING = "running", "Looking for links"
        SUCCEEDED = "succeeded", "Finished"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    class Outcome(models.TextChoices):
        FOUND = "found", "Links found"
        NOTHING = "nothing", "No links found"

    movie = models.ForeignKey("streaming.Movie", on_delete=models.CASCADE, related_name="jobs", null=True, blank=True)
    title_request = models.ForeignKey(
        "streaming.TitleRequest", on_delete=models.CASCADE, related_name="jobs", null=True, blank=True, editable=False
    )
    state = models.CharField(max_length=9, choices=State, default=State.QUEUED)
    outcome = models.CharField(max_length=7, choices=Outcome, blank=True, default="")
    requested_by = models.CharField(max_length=40, default="")
    priority = models.SmallIntegerField(default=0)
    target_url = models.CharField(max_length=2000, blank=True, default="")
    sources: models.JSONField[list[SourceResult], list[SourceResult]] = models.JSONField(default=list)
    links_found = models.PositiveIntegerField(default=0)
    links_new = models.PositiveIntegerField(default=0)
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True, default="")
    attempt = models.PositiveSmallIntegerField(default=0)
    owner = models.CharField(max_length=100, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    cancel_requested = models.BooleanField(default=False)
    client = models.CharField(max_length=32, blank=True, default="", db_default="", editable=False)
    log = models.TextField(blank=True, default="")

    # Not a column: True if a request was answered with this job although another request had started it.
    joined: bool = False

    objects = ScrapeJobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["movie"], condition=Q(state__in=("queued", "running")), name="job_one_open_a_movie"
            ),
            models.UniqueConstraint(
                # Of titles only, or databases would take it for the index of all open jobs.
                fields=["title_request"],
                condition=Q(state__in=("queued", "running"), title_request__isnull=False),
                name="job_one_open_a_title",
            ),
            models.CheckConstraint(
                condition=Q(movie=None, title_request__isnull=False) | Q(movie__isnull=False, title_request=None),
                name="job_of_movie_or_title",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("queued", "running", "succeeded", "failed", "cancelled")), name="job_state_known"
            ),
            models.CheckConstraint(condition=Q(outcome__in=("", "found", "nothing")), name="job_outcome_known"),
            models.CheckConstraint(
                condition=Q(state__in=("queued", "running"), finished_at=None)
                | Q(state__in=("succeeded", "failed", "cancelled"), finished_at__isnull=False),
                name="job_closed_has_end",
            ),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(lease_until__isnull=False) & ~Q(owner=""),
                name="job_running_has_owner",
            ),
            models.CheckConstraint(condition=Q(attempt__lte=MAX_STORED_ATTEMPTS), name="job_attempts_bounded"),
        ]
        indexes = [
            models.Index(fields=["-priority", "id"], condition=Q(state="queued"), name="job_next_queued"),
            models.Index(fields=["lease_until"], condition=Q(state="running"), name="job_by_lease"),
            models.Index(fields=["movie", "-id"], name="job_by_movie"),
        ]

    def __str__(self) -> str:
        return f"Scrape job {self.pk} ({self.state})"

    def get_absolute_url(self) -> str:
        return reverse("job", args=[self.pk])

    @property
    def imdb_id(self) -> str:
        """The IMDb id of the movie or title that is searched."""
        wanted = self.movie or self.title_request
        assert wanted is not None, "a constraint demands one of them"
        return wanted.imdb_id

    @property
    def is_open(self) -> bool:
        """Whether the job is queued or running."""
        return self.state in (self.State.QUEUED, self.State.RUNNING)

    @property
    def percent(self) -> int:
        """The percentage of sources that have finished, 0 to 100."""
        finished = sum(row["state"] in FINISHED for row in self.sources)
        return round(100 * finished / len(self.sources)) if self.sources else 0

    @property
    def failed_sources(self) -> list[SourceResult]:
        """The results of sources that failed or blocked the request."""
        return [row for row in self.sources if row["state"] in (SourceState.FAILED, SourceState.BLOCKED)]
