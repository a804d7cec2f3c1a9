"""Add films of a source to the catalogue."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.module_loading import import_string
from tqdm import tqdm

from streaming import file_locks
from streaming.formatting import counted
from streaming.management.arguments import integer_argument
from streaming.management.base import OpenreelCommand

# Imported by name, because entry points do not import Scrapy.
DISCOVERY_MODULE = "streaming.scraping.crawling.discovery_crawl"
NO_LIMIT = sys.maxsize
DISCOVERABLE_SOURCES = ("wikidata", "internet_archive")


class Command(OpenreelCommand):
    help = "Find films that are not in the catalogue yet. A run that was interrupted resumes where it stopped."
    example = "python manage.py discover --source wikidata --limit 500"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--source", choices=DISCOVERABLE_SOURCES, required=True)
        parser.add_argument(
            "--limit",
            type=integer_argument(1),
            default=500,
            metavar="N",
            help="read about N films, at least (default 500)",
        )
        parser.add_argument(
            "--all", action="store_true", help="read the source's list to its end, however long, instead of --limit"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="read from the start of the source's list and save nothing"
        )

    def handle(self, *, source: str, limit: int, dry_run: bool, **options: Any) -> None:
        limit = NO_LIMIT if options["all"] else limit
        path = import_string(f"{DISCOVERY_MODULE}.checkpoint_path")(source)
        lock = file_locks.try_lock(path.with_suffix(".lock"))
        if lock is None:
            self.stdout.write("Another discovery of this source is running.")
            return
        with lock, self._progress(limit) as report:
            run = import_string(f"{DISCOVERY_MODULE}.DiscoveryRun")(
                source=source, limit=limit, path=path, is_dry=dry_run, on_progress=report
            )
            import_string(f"{DISCOVERY_MODULE}.run_discovery")(run)
        self._write_summary(run)

    def _write_summary(self, run: Any) -> None:
        verb = "would be new" if run.is_dry else "new"
        links = "" if run.is_dry else f" {counted(run.saved.new, 'new link')}."
        self.stdout.write(f"{counted(run.films, 'film')} read, {run.unknown} {verb}.{links}")
        if run.is_complete:
            self.stdout.write("The end of the source's list is reached; the next run starts over.")
        if run.error:
            raise CommandError(f"{run.error}. The next run resumes here.")

    def _write_progress(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    @contextmanager
    def _progress(self, limit: int) -> Iterator[Any]:
        """Show a progress bar on a terminal, otherwise one line per page."""
        if not sys.stderr.isatty():
            goal = "" if limit == NO_LIMIT else f" of {limit}"
            yield lambda run: self._write_progress(f"{run.checkpoint.film_count}{goal} films, {run.unknown} new")
            return
        with tqdm(total=None if limit == NO_LIMIT else limit, unit="film", leave=False) as bar:
            yield lambda run: bar.update(run.checkpoint.film_count - bar.n)
