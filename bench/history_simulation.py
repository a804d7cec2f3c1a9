"""The simulated year of `bench.history`; needs Django's settings."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.core.management import call_command
from django.db import connection

from bench.instance import table
from streaming.health.judging.transitions import LinkUpdate
from streaming.health.sweep.options import CheckOptions
from streaming.health.sweep.report import CheckReport
from streaming.health.sweep.run_record import RunRecord
from streaming.health.sweep.writer import write_updates
from streaming.models import HealthRun, LinkFlip, Movie, ScrapeJob, StreamingLink
from streaming.models.change import number_all_changes
from streaming.retention import delete_old_history

LINKS_PER_MOVIE, RUNS_A_DAY, BATCH_SIZE = 3, 24, 1000
OFF_RUNS = 12
"""How many runs a link that turned off stays so."""
JOB_LOG = "2026-11-29 08:00:00,000 WARNING scraper.errors: commons: The name of the site was not found\n" * 7
"""The log of a job of which six sources failed, as it was seen; that of a job without failures is empty."""
FIRST_DAY = datetime(2025, 1, 1, tzinfo=UTC)
SYNOPSIS = "A film of the public domain in which somebody leaves home, finds what nobody looked for, and returns. " * 4


@dataclass(slots=True)
class SimulatedYear:
    """A catalogue and its checks. `turning` links turn off each day, one after the other, and `searches` jobs run."""

    links: int
    turning: int
    searches: int
    movie_of: dict[int, int] = field(default_factory=dict)
    next_turn: int = 0

    def run(self, *, days: int) -> None:
        """Simulate and print the sizes."""
        started = time.monotonic()
        call_command("migrate", verbosity=0)
        self._create_catalogue()
        sizes = [("after the import", self._size(), *self._rows())]
        for day in range(days):
            self._simulate_day(day, writes_all=day in (0, days - 1))
            if day == 0:
                sizes.append(("after a day", self._size(), *self._rows()))
        sizes.append((f"after {days} days", self._size(), *self._rows()))
        base = sizes[1][1]
        rows = [
            (name, f"{size / 2**20:.1f}", f"{size / base:.2f}", f"{runs:,}", f"{flips:,}", f"{jobs:,}")
            for name, size, runs, flips, jobs in sizes
        ]
        print(table("Size of the database", ("", "MiB", "x after a day", "runs", "flips", "jobs"), rows))
        print(
            f"{self.links:,} links, {len(set(self.movie_of.values())):,} movies; {self.turning} links a day turn off "
            f"and come back; {self.searches} searches a day; {time.monotonic() - started:.0f} s."
        )

    def _create_catalogue(self) -> None:
        movies = Movie.objects.bulk_create(
            (
                Movie(
                    imdb_id=f"tt{number:07d}",
                    title=f"The film number {number}",
                    year=1900 + number % 70,
                    synopsis=SYNOPSIS,
                    created_at=FIRST_DAY,
                )
                for number in range(1, -(-self.links // LINKS_PER_MOVIE) + 1)
            ),
            batch_size=BATCH_SIZE,
        )
        links = StreamingLink.objects.bulk_create(
            (self._link(number, movies[number // LINKS_PER_MOVIE]) for number in range(self.links)),
            batch_size=BATCH_SIZE,
        )
        self.movie_of = {link.pk: link.movie_id for link in links}

    def _link(self, number: int, movie: Movie) -> StreamingLink:
        host = f"host{number % 500}.example.org"
        url = f"https://{host}/details/a-film-with-a-long-name-{number}"
        return StreamingLink(
            movie=movie,
            source="internet_archive",
            source_url=url,
            host=host,
            quality="720p",
            licence="public-domain",
            first_seen=FIRST_DAY,
            last_seen=FIRST_DAY,
        )

    def _simulate_day(self, day: int, *, writes_all: bool) -> None:
        turning = self._turning_today()
        for hour in range(RUNS_A_DAY):
            now = FIRST_DAY + timedelta(days=day, hours=hour)
            # Spread over the first half of the day; each comes back half a day later.
            off = turning[hour::OFF_RUNS] if hour < OFF_RUNS else []
            on = turning[hour - OFF_RUNS :: OFF_RUNS] if hour >= OFF_RUNS else []
            self._simulate_run(off, on, now=now, writes_all=writes_all)
        self._simulate_searches(now=FIRST_DAY + timedelta(days=day))
        # A run deletes old history each hour; once a day deletes the same rows.
        delete_old_history(now=FIRST_DAY + timedelta(days=day + 1))

    def _turning_today(self) -> list[int]:
        ids = list(self.movie_of)
        chosen = [ids[(self.next_turn + number) % len(ids)] for number in range(min(self.turning, len(ids)))]
        self.next_turn += len(chosen)
        return chosen

    def _simulate_run(self, off: Sequence[int], on: Sequence[int], *, now: datetime, writes_all: bool) -> None:
        report = CheckReport(verdicts=Counter(alive=self.links - len(off), gone=len(off)))
        record = RunRecord(report, now=now, on_progress=None)
        record.open(CheckOptions())
        wanted = self.movie_of.keys() if writes_all else {*off, *on}
        for updates in self._updates(wanted, off=set(off), on=set(on), now=now):
            written = write_updates(updates, now=now)
            report.died, report.revived = report.died + written.died, report.revived + written.revived
            report.died_of += written.died_of
        record.close()
        HealthRun.objects.filter(started_at=now).update(finished_at=now + timedelta(minutes=4))
        number_all_changes()

    def _updates(
        self, wanted: Sequence[int], *, off: set[int], on: set[int], now: datetime
    ) -> Iterator[list[LinkUpdate]]:
        """The updates of the wanted links in batches, from what is stored of them."""
        ids = sorted(wanted)
        for start in range(0, len(ids), BATCH_SIZE):
            rows = StreamingLink.objects.filter(pk__in=ids[start : start + BATCH_SIZE]).values_list(
                "pk", "is_active", "reason", "checks", "state_since", "failures"
            )
            yield [
                _update(row, movie_id=self.movie_of[row[0]], turns=row[0] in off or row[0] in on, now=now)
                for row in rows
            ]

    def _simulate_searches(self, *, now: datetime) -> None:
        movies = sorted(set(self.movie_of.values()))
        ScrapeJob.objects.bulk_create(
            ScrapeJob(
                movie_id=movies[(self.next_turn + number) % len(movies)],
                state="succeeded",
                outcome="found" if number % 2 else "nothing",
                requested_by="page",
                queued_at=now,
                started_at=now,
                finished_at=now + timedelta(seconds=9),
                sources=[
                    {"source": slug, "state": "nothing", "links": 0, "new": 0, "seconds": 2.5, "error": ""}
                    for slug in ("internet_archive", "commons", "wikidata", "peertube")
                ],
                log="" if number % 2 else JOB_LOG,
            )
            for number in range(self.searches)
        )

    def _rows(self) -> tuple[int, int, int]:
        return HealthRun.objects.count(), LinkFlip.objects.count(), ScrapeJob.objects.count()

    def _size(self) -> int:
        """The bytes of the database file, with what the WAL holds."""
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
            return int(cursor.fetchone()[0])


def _update(
    row: tuple[int, bool, str, str, datetime | None, int], *, movie_id: int, turns: bool, now: datetime
) -> LinkUpdate:
    link_id, was_active, was_reason, checks, since, failures = row
    is_active = was_active != turns
    return LinkUpdate(
        id=link_id,
        movie_id=movie_id,
        was_active=was_active,
        was_reason=was_reason,
        is_active=is_active,
        reason="ok" if is_active else "http_404",
        http_status=200 if is_active else 404,
        response_ms=180 + link_id % 90,
        failures=0 if is_active else failures + 1,
        state_since=now if turns or since is None else since,
        checks=(checks + ("a" if is_active else "g"))[-24:],
        strength="" if is_active else "proven",
    )
