"""New films out of a source: the door for cron and hands."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.module_loading import import_string
from tqdm import tqdm

from streaming import file_locks
from streaming.management.arguments import integer_argument
from streaming.management.base import OpenreelCommand

# Loaded by name: what discovers meets Scrapy, which no door imports.
DISCOVERY_MODULE = "streaming.scraping.crawling.discovery_crawl"
DISCOVERABLE_SOURCES = ("wikidata", "internet_archive")


class Command(OpenreelCommand):
    help = "Find films that are not in the catalogue yet. A run that was stopped goes on where it was."
    example = "python manage.py discover --source wikidata --limit 500"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--source", choices=DISCOVERABLE_SOURCES, required=True)
        parser.add_argument(
            "--limit",
            type=integer_argument(1),
            default=500,
            metavar="N",
            help="read N films or a little more (default 500)",
        )
        parser.add_argument("--dry-run", action="store_true", help="read from the beginning, but save nothing")

    def handle(self, *, source: str, limit: int, dry_run: bool, **options: Any) -> None:
        path = import_string(f"{DISCOVERY_MODULE}.bookmark_path")(source)
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = file_locks.try_lock(path.with_suffix(".lock"))
        if lock is None:
            self.stdout.write("Another discovery of this source is running.")
            return
        with lock, self._progress(limit) as report:
            run = import_string(f"{DISCOVERY_MODULE}.Discovery")(
                source=source, limit=limit, path=path, is_dry=dry_run, told=report
            )
            import_string(f"{DISCOVERY_MODULE}.discover")(run)
        self._write_summary(run)

    def _write_summary(self, run: Any) -> None:
        verb = "would be new" if run.is_dry else "new"
        links = "" if run.is_dry else f" {run.saved.new} new links."
        self.stdout.write(f"{run.films} films read, {run.unknown} {verb}.{links}")
        if run.is_complete:
            self.stdout.write("These were the last; the next run begins anew.")
        if run.failed:
            raise CommandError(f"{run.failed}. The next run goes on from here.")

    @contextmanager
    def _progress(self, limit: int) -> Iterator[Any]:
        """A bar on a terminal, a plain line a page in a pipe."""
        if not sys.stderr.isatty():
            yield lambda run: self.stdout.write(f"{run.bookmark.taken} of {limit} films, {run.unknown} new")
            return
        with tqdm(total=limit, unit="film", leave=False) as bar:
            yield lambda run: bar.update(run.bookmark.taken - bar.n)
