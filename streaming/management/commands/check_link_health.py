"""Check the links: the door for cron."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from scraper import sources
from streaming.health.probing.prober import never_stop
from streaming.health.runner import ALREADY_RUNNING, run_check
from streaming.health.selection import Selection
from streaming.health.sweep.options import CheckOptions, CheckProgress, ProgressCallback
from streaming.health.sweep.report import CheckReport
from streaming.management.arguments import integer_argument, number_argument
from streaming.management.base import OpenreelCommand
from streaming.models import Movie, StreamingLink

EXIT_WITHHELD = 3
PROGRESS_LINE_SECONDS = 10.0


class Command(OpenreelCommand):
    help = "Ask every link whether it still works; turn dead ones off, revive those that are back, remove lost movies."
    example = "python manage.py check_link_health --older-than 6 --max-runtime 50"
    # For `call_command` alone: looked at several times a second, and the run ends when it says so.
    stealth_options = ("should_stop",)
    # They read all pages' code, a third of a second that cron pays each time; `make check` runs them.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--limit",
            type=integer_argument(1),
            metavar="N",
            help="ask at most N links, and some more of a host that fails",
        )
        parser.add_argument(
            "--older-than", type=number_argument(), metavar="HOURS", help="only links not checked for so long"
        )
        parser.add_argument(
            "--due", action="store_true", help="only links whose own rhythm wants it (see HEALTH_ADAPTIVE)"
        )
        parser.add_argument(
            "--timeout", type=number_argument(0.05, 300), default=5.0, metavar="SECONDS", help="of one attempt"
        )
        parser.add_argument(
            "--concurrency", type=integer_argument(1, 5000), metavar="N", help="links asked at once, all hosts"
        )
        parser.add_argument(
            "--per-host", type=integer_argument(1, 64), default=4, metavar="N", help="links asked at once, one host"
        )
        parser.add_argument(
            "--strict", action="store_true", help="count requests that a host leaves hanging among its N"
        )
        parser.add_argument(
            "--max-runtime", type=number_argument(0.001), metavar="MINUTES", help="stop then, keep what is known"
        )
        parser.add_argument("--source", metavar="SLUG", help="only links of this source")
        parser.add_argument("--movie", metavar="IMDB_ID", help="only links of this movie")
        parser.add_argument("--dry-run", action="store_true", help="ask, but write nothing")
        parser.add_argument("--no-prune", action="store_true", help="remove no movie")
        parser.add_argument(
            "--follow-moves", action="store_true", help="write the new addresses of links that moved for good"
        )
        parser.add_argument("--force", action="store_true", help="write even if very much would be turned off")
        parser.add_argument(
            "--distributed",
            action="store_true",
            help="share the links out over Celery's workers (what a broker means)",
        )
        parser.add_argument("--local", action="store_true", help="ask from this process alone, broker or not")
        parser.add_argument(
            "--parts", type=integer_argument(1, 256), metavar="N", help="share out in N (as many as workers)"
        )
        parser.add_argument("--format", choices=("text", "json"), default="text", help="of the summary")

    def handle(self, *, should_stop: Callable[[], bool] = never_stop, **options: Any) -> None:
        asked = _options(options)
        as_json = options["format"] == "json"
        with _stop_on_signal(should_stop) as stop, self._progress(quiet=as_json) as on_progress:
            report = run_check(asked, now=timezone.now(), on_progress=on_progress, stop=stop)
        if report is None:
            self.stdout.write(
                json.dumps(CheckReport(reason=ALREADY_RUNNING).as_json()) if as_json else f"{ALREADY_RUNNING}."
            )
            return
        self.stdout.write(json.dumps(report.as_json()) if as_json else "\n".join(report.summary_lines()))
        if report.withheld:
            raise CommandError(f"withheld: {report.reason}.", returncode=EXIT_WITHHELD)
        if not report.complete:
            raise CommandError(f"{report.reason}.")

    @contextmanager
    def _progress(self, *, quiet: bool) -> Iterator[ProgressCallback | None]:
        """A bar on a terminal, a plain line now and then in a pipe, nothing beside JSON."""
        if sys.stderr.isatty():
            with tqdm(unit="link", leave=False) as bar:
                yield lambda progress: _update_bar(bar, progress)
        elif quiet:
            yield None
        else:
            yield self._lines()

    def _lines(self) -> ProgressCallback:
        last = [time.monotonic()]

        def told(progress: CheckProgress) -> None:
            if time.monotonic() - last[0] >= PROGRESS_LINE_SECONDS:
                last[0] = time.monotonic()
                counted = f"{progress.alive} alive, {progress.failed} failed"
                self.stdout.write(f"{progress.done} of {progress.total} links: {counted}")

        return told


def _update_bar(bar: Any, progress: CheckProgress) -> None:
    bar.total = progress.total
    bar.set_postfix(alive=progress.alive, failed=progress.failed, refresh=False)
    bar.update(progress.done - bar.n)


def _options(options: dict[str, Any]) -> CheckOptions:
    source, movie = options["source"] or "", options["movie"] or ""
    if source and source not in sources.KNOWN_SOURCES and not StreamingLink.objects.filter(source=source).exists():
        raise CommandError(f"--source {source[:60]!r} is not known; choose from {', '.join(sources.KNOWN_SOURCES)}.")
    if movie and not Movie.objects.filter(imdb_id=movie).exists():
        raise CommandError(f"--movie {movie[:60]!r}: there is no such movie.")
    return CheckOptions(
        selection=Selection(source=source, movie=movie, older_than=options["older_than"], due=options["due"]),
        limit=options["limit"],
        timeout=options["timeout"],
        concurrency=options["concurrency"],
        per_host=options["per_host"],
        strict_per_host=options["strict"],
        max_runtime_minutes=options["max_runtime"],
        dry_run=options["dry_run"],
        prune=not options["no_prune"],
        follow_moves=options["follow_moves"],
        force=options["force"],
        is_distributed=_is_distributed(options),
        shard_count=options["parts"],
    )


def _is_distributed(options: dict[str, Any]) -> bool:
    """Whether the links are shared out over the workers. A dry run leaves no rows, so it has no parts."""
    if options["distributed"] and not settings.CELERY_BROKER_URL:
        raise CommandError("--distributed needs Celery's workers: set CELERY_BROKER_URL and a PostgreSQL DATABASE_URL.")
    if options["distributed"] and (options["local"] or options["dry_run"]):
        raise CommandError("--distributed does not go with --local or --dry-run: these ask from this process alone.")
    return bool(settings.CELERY_BROKER_URL) and not options["local"] and not options["dry_run"]


@contextmanager
def _stop_on_signal(should_stop: Callable[[], bool]) -> Iterator[Callable[[], bool]]:
    """Whether somebody pressed Ctrl-C, sent TERM or said so otherwise; the run ends in good order then."""
    received: list[int] = []
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number in kept:
            signal.signal(number, lambda number, _frame: received.append(number))
    except ValueError:  # Not in the main thread: who started us there stops us otherwise.
        yield should_stop
        return
    try:
        yield lambda: bool(received) or should_stop()
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
