"""Fill in missing years, synopses and posters from metadata providers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from streaming.health.probing.config import ProbeConfig
from streaming.health.verification.api_client import ApiReply, fetch_json
from streaming.management.arguments import integer_argument
from streaming.management.base import OpenreelCommand
from streaming.models import Movie
from streaming.scraping.metadata_enrichment import (
    PROVIDERS,
    EnrichmentReport,
    MetadataClient,
    MetadataError,
    enrich_from_imdb_file,
    enrich_movies,
    incomplete_movies,
)

IMDB = "imdb"
PROGRESS_LINE_SECONDS = 5.0
TIMEOUT_SECONDS = 15.0
MAX_RESPONSE_BYTES = 1024 * 1024


class Command(OpenreelCommand):
    help = "Fill in missing years, synopses and posters; existing values are never overwritten."
    example = "python manage.py describe_movies --source tvmaze --limit 100"
    dates_lines = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "imdb_ids", nargs="*", metavar="IMDB_ID", help="only these movies (default: all that lack something)"
        )
        parser.add_argument("--source", choices=(*PROVIDERS, IMDB), required=True)
        parser.add_argument(
            "--limit", type=integer_argument(1), default=100, metavar="N", help="look up at most N movies (default 100)"
        )
        parser.add_argument(
            "--file", type=Path, metavar="FILE", help="with --source imdb: title.basics.tsv or title.basics.tsv.gz"
        )

        parser.add_argument(
            "--rotate",
            action="store_true",
            help="begin each day with other movies, so that a daily run comes to all of them",
        )

    def handle(
        self, *, imdb_ids: list[str], source: str, limit: int, file: Path | None, rotate: bool, **options: Any
    ) -> None:
        if (source == IMDB) != (file is not None):
            raise CommandError("--source imdb and --file must be used together.")
        _require_known(imdb_ids)
        self.printed_at, self.total = time.monotonic(), ""
        try:
            if file is not None:
                report = enrich_from_imdb_file(file, on_progress=self._write_progress)
            else:
                client = MetadataClient(PROVIDERS[source], fetch_url=_fetch_url)
                turn = timezone.now().toordinal() if rotate else 0
                movies = incomplete_movies(imdb_ids, limit=limit, turn=turn)
                self.total = f" of {len(movies)}"
                report = enrich_movies(movies, client=client, on_progress=self._write_progress)
        except MetadataError as error:
            raise CommandError(f"{error}.") from None
        self.stdout.write(f"{report.looked_up} looked up, {report.found} found, {report.updated} updated.")
        if report.unreadable:
            raise CommandError(f"{report.unreadable} responses of {source} were unreadable.")

    def _write_progress(self, report: EnrichmentReport) -> None:
        """Print a line every few seconds; runs are short, so a terminal gets no progress bar."""
        if time.monotonic() - self.printed_at >= PROGRESS_LINE_SECONDS:
            self.printed_at = time.monotonic()
            self.stderr.write(f"{report.looked_up:,}{self.total} looked up, {report.updated:,} updated")


def _require_known(imdb_ids: Sequence[str]) -> None:
    """Raise CommandError for ids that no movie has: to look up nothing is no success."""
    known = Movie.objects.filter(imdb_id__in=imdb_ids).values_list("imdb_id", flat=True)
    if unknown := sorted(set(imdb_ids).difference(known)):
        raise CommandError(f"No such movie: {', '.join(unknown[:10])}.")


def _fetch_url(url: str) -> ApiReply:
    """Make one request as the link checker does: no proxy, no netrc, no private address, one timeout for all of it."""
    config = ProbeConfig(user_agent=settings.USER_AGENT, allowed=settings.ALLOW_PRIVATE_HOSTS)
    return fetch_json(url, config, timeout=TIMEOUT_SECONDS, max_bytes=MAX_RESPONSE_BYTES)
