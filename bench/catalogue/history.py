"""What a year of checks, searches and visitors leaves in Openreel's database, so that the lists of the admin have rows.

`python -m bench.catalogue.history health` gives the links a health, `... year` the rest. The settings come from the
environment.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import django
from django.db import connection, models, transaction

from bench.catalogue.films import SEED, imdb_id

django.setup()

from django.contrib.admin.models import CHANGE, LogEntry  # noqa: E402  (needs Django's set-up)
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.contenttypes.models import ContentType  # noqa: E402

from streaming.models import HealthRun, LinkFlip, LinkReport, Movie, RemovedMovie, ScrapeJob, StreamingLink  # noqa: E402

NOW = datetime(2026, 11, 30, tzinfo=UTC)
YEAR = timedelta(days=365)
BATCH = 5_000
FLIPS, JOBS, RUNS, REMOVED, REPORTS, LOGGED = 200_000, 100_000, 8_760, 50_000, 20_000, 100_000
# Of a hundred inactive links the first 50 have the first reason, the next ten the second, and so on.
REASONS = (
    (50, "http_404", "proven"), (60, "http_410", "proven"), (75, "timeout", "unreachable"),
    (85, "dns", "unreachable"), (93, "http_403", "blocked"), (99, "soft_404", "soft"), (100, "wrong_type", "soft"),
)  # fmt: skip
REASON, STRENGTH = (
    " ".join(f"WHEN id % 100 < {limit} THEN '{row[place]}'" for limit, *row in REASONS) for place in (0, 1)
)
HEALTH = f"""
    UPDATE streaming_streaminglink SET
        reason = CASE WHEN is_active THEN 'ok' {REASON} END,
        strength = CASE WHEN is_active THEN '' {STRENGTH} END,
        checks = CASE WHEN is_active THEN 'aaaaaaaa' ELSE 'aaaagggg' END,
        failures = CASE WHEN is_active THEN 0 ELSE 4 END, next_check_at = last_checked
    WHERE last_checked IS NOT NULL
"""
REVIEW = "UPDATE streaming_streaminglink SET is_published = FALSE, is_active = FALSE WHERE id % 2000 = 7"


def give_health() -> None:
    """Set what checks would have found, before the films are copied; one link in 2,000 awaits review."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(HEALTH)
        cursor.execute(REVIEW)


def give_history() -> None:
    """Add flips, jobs, runs of checks, removed movies, reports and the log of the admin."""
    rng = random.Random(SEED)
    movies = _last(Movie)
    links = _last(StreamingLink)
    user, _ = User.objects.get_or_create(username="staff", defaults={"is_staff": True, "is_superuser": True})
    for rows in (
        _flips(rng, links), _jobs(rng, movies), _runs(rng), _removed(rng, movies), _reports(rng, links),
        _logged(rng, user, movies),
    ):  # fmt: skip
        _insert(rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _last(model: type[models.Model]) -> int:
    return int(model._default_manager.aggregate(last=models.Max("pk"))["last"])


def _insert(rows: Iterator[Any]) -> None:
    while batch := list(islice(rows, BATCH)):
        type(batch[0]).objects.bulk_create(batch)


def _moment(part: float) -> datetime:
    """The time of the year before now of which this part has passed."""
    return NOW - YEAR + part * YEAR


def _flips(rng: random.Random, links: int) -> Iterator[LinkFlip]:
    for number in range(FLIPS):
        reason = rng.choice([one for _, one, _ in REASONS])
        is_active = rng.random() < 0.4
        yield LinkFlip(
            link_id=rng.randint(1, links), at=_moment(number / FLIPS), is_active=is_active,
            reason="ok" if is_active else reason,
        )  # fmt: skip


def _jobs(rng: random.Random, movies: int) -> Iterator[ScrapeJob]:
    for number in range(JOBS):
        state = rng.choices(("succeeded", "failed", "cancelled"), (90, 9, 1))[0]
        at = _moment(number / JOBS)
        yield ScrapeJob(
            movie_id=rng.randint(1, movies), state=state,
            requested_by=rng.choices(("page", "api", "admin"), (90, 9, 1))[0],
            outcome=rng.choice(("found", "nothing")) if state == "succeeded" else "", queued_at=at, started_at=at,
            finished_at=at + timedelta(seconds=9),
        )  # fmt: skip


def _runs(rng: random.Random) -> Iterator[HealthRun]:
    for number in range(RUNS):
        at = _moment(number / RUNS)
        outcome = rng.choices(("completed", "withheld", "interrupted"), (97, 2, 1))[0]
        yield HealthRun(
            started_at=at, finished_at=at + timedelta(minutes=20), heartbeat_at=at, checked=20_000, alive=19_000,
            outcome=outcome,
        )  # fmt: skip


def _removed(rng: random.Random, movies: int) -> Iterator[RemovedMovie]:
    for number in range(REMOVED):
        yield RemovedMovie(
            imdb_id=imdb_id(movies + 1_000 + number), title=f"Lost {number}", removed_at=_moment(number / REMOVED),
            reason="every link is dead", cause=rng.choices(("check", "cleanup", "staff"), (95, 4, 1))[0], snapshot={},
        )  # fmt: skip


def _reports(rng: random.Random, links: int) -> Iterator[LinkReport]:
    reports = min(REPORTS, links // 2)
    for number, link in enumerate(rng.sample(range(1, links), reports)):
        at = _moment(number / reports)
        yield LinkReport(
            link_id=link, kind=rng.choice(LinkReport.Kind.values), count=rng.randint(1, 5), first_at=at, last_at=at,
            handled_at=at if number < reports * 0.9 else None,
        )  # fmt: skip


def _logged(rng: random.Random, user: User, movies: int) -> Iterator[LogEntry]:
    kind = ContentType.objects.get_for_model(Movie)
    for number in range(LOGGED):
        yield LogEntry(
            user=user, content_type=kind, object_id=str(rng.randint(1, movies)), object_repr=f"Movie {number}",
            action_flag=CHANGE, action_time=_moment(number / LOGGED), change_message="Changed the title.",
        )  # fmt: skip


if __name__ == "__main__":
    {"health": give_health, "year": give_history}[sys.argv[1]]()
