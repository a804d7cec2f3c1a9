"""Start scrape jobs from the command line or cron."""

from __future__ import annotations

import re
import time
from array import array
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db.models import F
from django.utils import timezone

from scraper import sources
from scraper.net.url_policy import InvalidValue
from streaming.formatting import counted
from streaming.management.base import OpenreelCommand
from streaming.models import Movie, ScrapeJob
from streaming.models.job import SourceState
from streaming.scraper_utils import job_request, scrape_movie_on_demand
from streaming.scraping import jobs
from streaming.scraping.bulk_search import BulkSearch

POLL_SECONDS = 0.2
PROGRESS_SECONDS = 10.0


class Command(OpenreelCommand):
    help = "Scrape movies for fresh links now."
    example = "python manage.py scrape tt0013442 tt0063350 --wait"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("imdb_ids", nargs="*", metavar="IMDB_ID")
        parser.add_argument("--source", nargs="+", action="extend", metavar="SLUG", help="use only these sources")
        parser.add_argument(
            "--target-url", metavar="URL", help="read this page instead of searching the sources for one"
        )
        parser.add_argument(
            "--wait", action="store_true", help="wait for the jobs and print their results; exit 1 if one failed"
        )

        many = parser.add_mutually_exclusive_group()
        many.add_argument(
            "--stale",
            action="store_true",
            help="all movies whose links nobody has checked or seen for STALE_HOURS; waits for places in the queue",
        )
        many.add_argument(
            "--all", action="store_true", help="all movies, those that were not searched for longest first"
        )

    def handle(self, *args: Any, imdb_ids: Sequence[str], **options: Any) -> None:
        if not (options["stale"] or options["all"]):
            if not imdb_ids:
                raise CommandError("name movies by their IMDb ids, or use --stale or --all.")
            self._scrape_named(imdb_ids=imdb_ids, **options)
        elif imdb_ids or options["target_url"]:
            raise CommandError("--stale and --all choose the movies themselves: leave out the ids and --target-url.")
        else:
            self._scrape_many(only_stale=options["stale"], chosen=_sources(options["source"]))

    def _scrape_many(self, *, only_stale: bool, chosen: Sequence[str] | None) -> None:
        now = timezone.now()
        since = now - jobs.freshness_rules().stale_after
        movies = Movie.objects.stale(since=since, now=now) if only_stale else Movie.objects.all()
        ordered = movies.order_by(F("last_scraped_at").asc(nulls_first=True), "pk")
        ids = array("q", ordered.values_list("pk", flat=True).iterator())
        self.printed_at = time.monotonic()
        search = BulkSearch(chosen, on_progress=lambda search: self._write_totals(search, total=len(ids)))
        search.run(ids)
        self.printed_at = 0.0
        self._write_totals(search, total=len(ids))
        if search.failed:
            raise CommandError(f"{search.failed} of {len(ids)} scrape jobs failed.")

    def _write_totals(self, search: BulkSearch, *, total: int) -> None:
        """Print the totals every ten seconds."""
        if time.monotonic() - self.printed_at >= PROGRESS_SECONDS:
            self.printed_at = time.monotonic()
            counts = f"{search.found:,} found, {search.nothing:,} nothing, {search.failed:,} failed"
            self.write_line(f"{search.done:,} of {total:,} movies searched: {counts}; {search.new_links:,} new links")

    def _scrape_named(
        self,
        imdb_ids: Sequence[str],
        source: Sequence[str] | None,
        target_url: str | None,
        wait: bool,
        **options: Any,
    ) -> None:
        movies = _movies(imdb_ids)
        chosen = _sources(source)
        try:
            scrape_jobs = [self.start(movie, target_url=target_url, chosen=chosen) for movie in movies]
        except InvalidValue as error:
            raise CommandError(f"--target-url: {error}") from None
        if not wait:
            return
        asked = dict(zip(movies, scrape_jobs, strict=True))
        ended = [self._wait_for(job, movie, target_url=target_url, chosen=chosen) for movie, job in asked.items()]
        if failed := ended.count(False):
            raise CommandError(f"{failed} of {len(scrape_jobs)} scrape jobs failed.")

    def start(self, movie: Movie, *, target_url: str | None, chosen: Sequence[str] | None) -> ScrapeJob:
        """Request a scrape of one movie and print its job."""
        try:
            job = scrape_movie_on_demand(movie, requested_by="command", target_url=target_url, sources=chosen)
        except jobs.QueueFull as error:
            raise CommandError(f"{error} Try again in {error.retry_after} seconds.") from None
        joined = ""
        if job.joined:
            is_same = jobs.matches_request(job, job_request("command", target_url=target_url, sources=chosen))
            joined = " (already requested)" if is_same else " (another search of this movie, which has to end first)"
        self.write_line(f"{movie.imdb_id}: job {job.pk} {job.get_state_display().lower()}{joined}")
        return job

    def _wait_for(self, job: ScrapeJob, movie: Movie, *, target_url: str | None, chosen: Sequence[str] | None) -> bool:
        """Follow the job, then one of our own if it was another search; return whether the last one succeeded."""
        request = job_request("command", target_url=target_url, sources=chosen)
        succeeded = self.wait_for_jobs(job)
        while job.joined and not jobs.matches_request(job, request):
            job = self.start(movie, target_url=target_url, chosen=chosen)
            succeeded = self.wait_for_jobs(job)
        return succeeded

    def wait_for_jobs(self, job: ScrapeJob) -> bool:
        """Print each change of the job until it ends; return whether it succeeded."""
        printed: dict[str, str] = {}
        while True:
            job.refresh_from_db()
            for row in job.sources:
                line = _result_line(row["state"], row["links"], row["new"], row["error"])
                if printed.get(row["source"], SourceState.WAITING) != line:
                    printed[row["source"]] = line
                    self.write_line(f"{job.imdb_id}: {sources.source_name(row['source'])}: {line}")
            if not job.is_open:
                break
            jobs.renotify_if_stalled(job, now=timezone.now())
            time.sleep(POLL_SECONDS)
        outcome = job.get_outcome_display() or job.error or job.get_state_display()
        self.write_line(
            f"{job.imdb_id}: {job.state}: {outcome} ({counted(job.links_found, 'link')}, {job.links_new} new)"
        )
        return job.state == ScrapeJob.State.SUCCEEDED

    def write_line(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _movies(imdb_ids: Sequence[str]) -> list[Movie]:
    wanted = list(dict.fromkeys(imdb_ids))
    known = {movie.imdb_id: movie for movie in Movie.objects.filter(imdb_id__in=wanted)}
    if unknown := [imdb_id for imdb_id in wanted if imdb_id not in known]:
        raise CommandError(f"No such movie: {_quote_names(unknown)}.")
    return [known[imdb_id] for imdb_id in wanted]


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
        return f"{counted(links, 'link')}, {new} new"
    return f"{state}: {error}" if error else state
