"""Search many movies, however many: start a job when the queue has a place, and follow each to its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.utils import timezone

from streaming.models import Movie, ScrapeJob
from streaming.scraping import jobs
from streaming.scraping.freshness import Requester

REQUESTER = "command"
POLL_SECONDS = 0.5
QUEUE_DIVISOR = 2
"""At most this part of the queue is filled, so that visitors find a place, and clicks come first anyway."""


@dataclass(slots=True)
class BulkSearch:
    """The searches of one command and their totals. Only the open jobs are in memory.

    `sources` None: all enabled ones. `on_progress` is called after each look at the open jobs.
    """

    sources: Sequence[str] | None
    on_progress: Callable[[BulkSearch], None]
    found: int = 0
    nothing: int = 0
    failed: int = 0
    new_links: int = 0
    open: set[int] = field(default_factory=set)

    @property
    def done(self) -> int:
        return self.found + self.nothing + self.failed

    def run(self, movie_ids: Iterable[int]) -> None:
        """Search the movies in this order; those that are removed meanwhile are left out."""
        limit = max(1, settings.SCRAPE_QUEUE_LIMIT // QUEUE_DIVISOR)
        for movie_id in movie_ids:
            while len(self.open) >= limit or not self._start(movie_id):
                self._wait()
        while self.open:
            self._wait()

    def _start(self, movie_id: int) -> bool:
        """Start or join the movie's job; False when the queue is full."""
        movie = Movie.objects.filter(pk=movie_id).first()
        if movie is None:
            return True
        request = jobs.JobRequest(REQUESTER, priority=jobs.PRIORITY_BY_REQUESTER[REQUESTER], sources=self.sources)
        try:
            response = jobs.request_scrape(movie, requester=Requester.CLICK, request=request, now=timezone.now())
        except jobs.QueueFull:
            return False
        except Movie.DoesNotExist:
            return True
        if response.job is not None:
            self.open.add(response.job.pk)
        return True

    def _wait(self) -> None:
        """Count the jobs that have ended, and wake a worker for one that nobody takes."""
        time.sleep(POLL_SECONDS)
        rows = ScrapeJob.objects.filter(pk__in=self.open).defer("log", "sources")
        existing = {job.pk: job for job in rows}
        for job_id in list(self.open):
            job = existing.get(job_id)
            if job is None or not job.is_open:
                self.open.discard(job_id)
                self._count(job)
        if waiting := next((job for job in existing.values() if job.is_open), None):
            jobs.renotify_if_stalled(waiting, now=timezone.now())
        self.on_progress(self)

    def _count(self, job: ScrapeJob | None) -> None:
        """A job that went with its movie counts as one that found nothing."""
        if job is not None and job.state != ScrapeJob.State.SUCCEEDED:
            self.failed += 1
        elif job is not None and job.outcome == ScrapeJob.Outcome.FOUND:
            self.found += 1
            self.new_links += job.links_new
        else:
            self.nothing += 1
