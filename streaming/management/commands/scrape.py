"""Search for links of movies by hand or from cron."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from scraper import sources
from scraper.net.url_policy import InvalidValue
from streaming.management.base import OpenreelCommand
from streaming.models import Movie, ScrapeJob
from streaming.models.job import SourceState
from streaming.scraper_utils import scrape_movie_on_demand
from streaming.scraping import jobs

POLL_SECONDS = 0.2


class Command(OpenreelCommand):
    help = "Search for links of movies, now."
    example = "python manage.py scrape tt0013442 tt0063350 --wait"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("imdb_ids", nargs="+", metavar="IMDB_ID")
        parser.add_argument("--source", nargs="+", action="extend", metavar="SLUG", help="only these sources")
        parser.add_argument("--target-url", metavar="URL", help="read this page instead of searching for one")
        parser.add_argument("--wait", action="store_true", help="follow the jobs; exit 1 when one of them failed")

    def handle(
        self,
        *args: Any,
        imdb_ids: Sequence[str],
        source: Sequence[str] | None,
        target_url: str | None,
        wait: bool,
        **options: Any,
    ) -> None:
        movies = _movies(imdb_ids)
        chosen = _sources(source)
        try:
            started = [self.start(movie, target_url=target_url, chosen=chosen) for movie in movies]
        except InvalidValue as refusal:
            raise CommandError(f"--target-url: {refusal}") from None
        except jobs.QueueFull as full:
            raise CommandError(f"{full} Try again in {full.retry_after} seconds.") from None
        if wait and (failed := sum(not self.wait_for_jobs(job) for job in started)):
            raise CommandError(f"{failed} of {len(started)} searches failed.")

    def start(self, movie: Movie, *, target_url: str | None, chosen: Sequence[str] | None) -> ScrapeJob:
        job = scrape_movie_on_demand(movie, requested_by="command", target_url=target_url, sources=chosen)
        joined = " (was asked for already)" if job.joined else ""
        self.write_results(f"{movie.imdb_id}: job {job.pk} {job.get_state_display().lower()}{joined}")
        return job

    def wait_for_jobs(self, job: ScrapeJob) -> bool:
        """Say each change once until the job is over; whether it succeeded."""
        said: dict[str, str] = {}
        while True:
            job.refresh_from_db()
            for row in job.sources:
                line = _result_line(row["state"], row["links"], row["new"], row["error"])
                if said.get(row["source"], SourceState.WAITING) != line:
                    said[row["source"]] = line
                    self.write_results(f"{job.movie.imdb_id}: {sources.source_name(row['source'])}: {line}")
            if not job.is_open:
                break
            jobs.renotify_if_stalled(job, now=timezone.now())
            time.sleep(POLL_SECONDS)
        ending = job.get_outcome_display() or job.error or job.get_state_display()
        self.write_results(f"{job.movie.imdb_id}: {job.state}: {ending} ({job.links_found} links, {job.links_new} new)")
        return job.state == ScrapeJob.State.SUCCEEDED

    def write_results(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _movies(imdb_ids: Sequence[str]) -> list[Movie]:
    asked = list(dict.fromkeys(imdb_ids))
    known = {movie.imdb_id: movie for movie in Movie.objects.filter(imdb_id__in=asked)}
    if unknown := [imdb_id for imdb_id in asked if imdb_id not in known]:
        raise CommandError(f"No such movie: {_quote_names(unknown)}.")
    return [known[imdb_id] for imdb_id in asked]


def _sources(chosen: Sequence[str] | None) -> Sequence[str] | None:
    if chosen and (unknown := [slug for slug in chosen if slug not in settings.SOURCES]):
        raise CommandError(
            f"--source: {_quote_names(unknown)} is not enabled; choose from {', '.join(settings.SOURCES)}."
        )
    return list(dict.fromkeys(chosen)) if chosen else None


def _quote_names(words: Sequence[str]) -> str:
    return ", ".join(re.sub(r"[^\w.-]", "?", word)[:40] for word in words[:5])


def _result_line(state: str, links: int, new: int, error: str) -> str:
    if state == SourceState.FOUND:
        return f"{links} links, {new} new"
    return f"{state}: {error}" if error else state
