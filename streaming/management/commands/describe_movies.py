"""Missing years, synopses and posters: the door for hands."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from streaming.management.arguments import integer_argument
from streaming.management.base import OpenreelCommand
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


class Command(OpenreelCommand):
    help = "Fill in years, synopses and posters that are missing; what stands is never overwritten."
    example = "python manage.py describe_movies --source tvmaze --limit 100"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("imdb_ids", nargs="*", metavar="IMDB_ID", help="only these (default: all with gaps)")
        parser.add_argument("--source", choices=(*PROVIDERS, IMDB), required=True)
        parser.add_argument(
            "--limit", type=integer_argument(1), default=100, metavar="N", help="ask for N movies (default 100)"
        )
        parser.add_argument("--file", type=Path, metavar="FILE", help="of --source imdb: title.basics.tsv or .tsv.gz")

    def handle(self, *, imdb_ids: list[str], source: str, limit: int, file: Path | None, **options: Any) -> None:
        if (source == IMDB) != (file is not None):
            raise CommandError("--source imdb and --file belong together.")
        self.said_at = time.monotonic()
        try:
            if file is not None:
                on_progress = enrich_from_imdb_file(file, on_progress=self._write_summary)
            else:
                asker = MetadataClient(PROVIDERS[source])
                on_progress = enrich_movies(
                    incomplete_movies(imdb_ids, limit=limit), asker=asker, on_progress=self._write_summary
                )
        except MetadataError as error:
            raise CommandError(f"{error}.") from None
        self.stdout.write(f"{on_progress.asked} asked for, {on_progress.found} found, {on_progress.filled} filled in.")
        if on_progress.unread:
            raise CommandError(f"{on_progress.unread} answers were not what {source} sends.")

    def _write_summary(self, report: EnrichmentReport) -> None:
        """A line now and then, on a terminal as in a pipe: these are short runs."""
        if time.monotonic() - self.said_at >= PROGRESS_LINE_SECONDS:
            self.said_at = time.monotonic()
            print(f"{report.asked} asked for, {report.filled} filled in", file=sys.stderr)
