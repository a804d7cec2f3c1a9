"""Rows with the minimum of valid values; tests pass the values that matter to them."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

from django.conf import settings
from django.utils import timezone

from scraper.net.url_policy import host_of
from streaming.models import Movie, ScrapeJob, StreamingLink

numbers = count(1_000_001)
outside_queue_ids = count(10_000_000, 1000)


def make_movie(**fields: Any) -> Movie:
    fields.setdefault("imdb_id", f"tt{next(numbers):07d}")
    fields.setdefault("title", f"Movie {fields['imdb_id']}")
    return Movie.objects.create(**fields)


def make_link(movie: Movie | None = None, **fields: Any) -> StreamingLink:
    fields.setdefault("source", "example")
    fields.setdefault("source_url", f"https://films.example.org/watch/{next(numbers)}")
    fields.setdefault("host", host_of(fields["source_url"]))
    return StreamingLink.objects.create(movie=movie or make_movie(), **fields)


def make_job(movie: Movie | None = None, **fields: Any) -> ScrapeJob:
    if fields.get("state") == "running":
        fields.setdefault("owner", "tests")
        fields.setdefault("lease_until", timezone.now())
        fields.setdefault("started_at", timezone.now())
    if fields.get("state") in ("succeeded", "failed", "cancelled"):
        fields.setdefault("finished_at", timezone.now())
    return ScrapeJob.objects.create(movie=movie or make_movie(), **fields)


def make_job_outside_queue(movie: Movie | None = None, **fields: Any) -> ScrapeJob:
    """A job that the test itself crawls.

    It is running and has an id that no other job gets, because a supervisor that an earlier test started may still
    serve the same database: it takes queued jobs, and may hold one with an id that an emptied table assigns again.
    """
    fields.setdefault("pk", next(outside_queue_ids))
    fields.setdefault("state", "running")
    fields.setdefault("lease_until", timezone.now() + timedelta(seconds=settings.SCRAPE_LEASE_SECONDS))
    return make_job(movie, **fields)
