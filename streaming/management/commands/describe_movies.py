"""Missing years, synopses and posters: the door for hands."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from streaming.management.arguments import whole
from streaming.management.base import OpenreelCommand
from streaming.scraping.describing import CATALOGUES, Asker, CannotDescribe, Told, describe, describe_from_file, lacking

IMDB = "imdb"
SECONDS_BETWEEN_LINES = 5.0


class Command(OpenreelCommand):
    help = "Fill in years, synopses and posters that are missing; what stands is never overwritten."
    example = "python manage.py describe_movies --source tvmaze --limit 100"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("imdb_ids", nargs="*", metavar="IMDB_ID", help="only these (default: all with gaps)")
        parser.add_argument("--source", choices=(*CATALOGUES, IMDB), required=True)
        parser.add_argument("--limit", type=whole(1), default=100, metavar="N", help="ask for N movies (default 100)")
        parser.add_argument("--file", type=Path, metavar="FILE", help="of --source imdb: title.basics.tsv or .tsv.gz")

    def handle(self, *, imdb_ids: list[str], source: str, limit: int, file: Path | None, **options: Any) -> None:
        if (source == IMDB) != (file is not None):
            raise CommandError("--source imdb and --file belong together.")
        self.said_at = time.monotonic()
        try:
            if file is not None:
                told = describe_from_file(file, told=self._say)
            else:
                asker = Asker(CATALOGUES[source])
                told = describe(lacking(imdb_ids, limit=limit), asker=asker, told=self._say)
        except CannotDescribe as error:
            raise CommandError(f"{error}.") from None
        self.stdout.write(f"{told.asked} asked for, {told.found} found, {told.filled} filled in.")
        if told.unread:
            raise CommandError(f"{told.unread} answers were not what {source} sends.")

    def _say(self, told: Told) -> None:
        """A line now and then, on a terminal as in a pipe: these are short runs."""
        if time.monotonic() - self.said_at >= SECONDS_BETWEEN_LINES:
            self.said_at = time.monotonic()
            print(f"{told.asked} asked for, {told.filled} filled in", file=sys.stderr)
