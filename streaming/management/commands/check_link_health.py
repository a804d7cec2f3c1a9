"""The command that checks links, by hand or from cron."""

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

from scraper import sources
from streaming import catalogue_check, integrity
from streaming.alarms.notifier import notify_after_check
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
    help = (
        "Check whether the links still work; turn off dead ones, turn on those that work again, remove movies without "
        "a working link."
    )
    example = "python manage.py check_link_health --older-than 6 --max-runtime 50"
    dates_lines = True
    # For `call_command` only: called several times a second, and the run stops when it returns True.
    stealth_options = ("should_stop",)

    def add_arguments(self, parser: CommandParser) -> None:
        _add_selection_arguments(parser)
        _add_request_arguments(parser)
        _add_result_arguments(parser)
        _add_distribution_arguments(parser)

    def handle(self, *, should_stop: Callable[[], bool] = never_stop, **options: Any) -> None:
        if integrity.is_damaged_by_daily_check(now=timezone.now()):
            raise CommandError(
                "the database is damaged, so nothing was checked: restore a backup (docs/operations.md)."
            )
        check_options = _options(options)
        if not check_options.dry_run:
            self._mend_catalogue()
        as_json = options["format"] == "json"
        with _stop_on_signal(should_stop) as stop, self._progress(quiet=as_json) as on_progress:
            report = run_check(check_options, now=timezone.now(), on_progress=on_progress, stop=stop)
        if report is None:
            self.stdout.write(
                json.dumps(CheckReport(reason=ALREADY_RUNNING).as_json()) if as_json else f"{ALREADY_RUNNING}."
            )
            return
        self.stdout.write(json.dumps(report.as_json()) if as_json else "\n".join(report.summary_lines()))
        self.stdout.flush()
        if not check_options.dry_run:
            notify_after_check(now=timezone.now(), is_good=_is_good(report, check_options))
        if report.withheld:
            raise CommandError(f"withheld: {report.reason}.", returncode=EXIT_WITHHELD)
        if not report.complete:
            raise CommandError(f"{report.reason}.")

    def _mend_catalogue(self) -> None:
        """Check a slice of the catalogue, and mend it; what was wrong is said on stderr."""
        for line in catalogue_check.mend_slice(now=timezone.now()):
            self.stderr.write(f"The catalogue contradicted itself and was mended: {line}")

    @contextmanager
    def _progress(self, *, quiet: bool) -> Iterator[ProgressCallback | None]:
        """A progress bar on a terminal, a plain line every ten seconds in a pipe, nothing beside JSON."""
        if sys.stderr.isatty():
            from tqdm import tqdm  # noqa: PLC0415  cron has no terminal, and need not load it

            with tqdm(unit="link", leave=False) as bar:
                yield lambda progress: _update_bar(bar, progress)
        elif quiet:
            yield None
        else:
            yield self._print_lines()

    def _print_lines(self) -> ProgressCallback:
        printed_at = time.monotonic()

        def print_line(progress: CheckProgress) -> None:
            nonlocal printed_at
            if time.monotonic() - printed_at >= PROGRESS_LINE_SECONDS:
                printed_at = time.monotonic()
                counts = f"{progress.alive} alive, {progress.failed} failed"
                self.stdout.write(f"{progress.done} of {progress.total} links: {counts}")

        return print_line


def _add_selection_arguments(parser: CommandParser) -> None:
    """Which links are checked."""
    parser.add_argument(
        "--limit",
        type=integer_argument(1),
        metavar="N",
        help="check at most N links, and a few more on a host whose links fail",
    )
    parser.add_argument(
        "--older-than", type=number_argument(), metavar="HOURS", help="only links not checked in the last HOURS"
    )
    parser.add_argument(
        "--due", action="store_true", help="only links whose next check is due by their own schedule (HEALTH_ADAPTIVE)"
    )
    parser.add_argument("--source", metavar="SLUG", help="only links of this source")
    parser.add_argument("--movie", metavar="IMDB_ID", help="only links of this movie")


def _add_request_arguments(parser: CommandParser) -> None:
    """How hosts are asked, and for how long."""
    parser.add_argument(
        "--timeout", type=number_argument(0.05, 300), default=5.0, metavar="SECONDS", help="limit of one request (5)"
    )
    parser.add_argument(
        "--concurrency", type=integer_argument(1, 5000), metavar="N", help="requests at a time, all hosts together"
    )
    parser.add_argument(
        "--per-host", type=integer_argument(1, 64), default=4, metavar="N", help="requests at a time per host (4)"
    )
    parser.add_argument(
        "--strict", action="store_true", help="count requests without a response towards --per-host, too"
    )
    parser.add_argument(
        "--max-runtime", type=number_argument(0.001), metavar="MINUTES", help="stop after MINUTES; results so far count"
    )


def _add_result_arguments(parser: CommandParser) -> None:
    """What is done with the results."""
    parser.add_argument("--dry-run", action="store_true", help="check, but write nothing")
    parser.add_argument("--no-prune", action="store_true", help="remove no movies")
    parser.add_argument(
        "--follow-moves", action="store_true", help="store the new addresses of permanently redirected links"
    )
    parser.add_argument("--force", action="store_true", help="write even if unusually many links would turn off")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="format of the summary (text)")


def _add_distribution_arguments(parser: CommandParser) -> None:
    """Which processes check."""
    parser.add_argument(
        "--distributed",
        action="store_true",
        help="distribute the links over the Celery workers (the default with CELERY_BROKER_URL)",
    )
    parser.add_argument("--local", action="store_true", help="check in this process only, even with a broker")
    parser.add_argument("--parts", type=integer_argument(1, 256), metavar="N", help="number of shards (one per worker)")


def _update_bar(bar: Any, progress: CheckProgress) -> None:
    bar.total = progress.total
    bar.set_postfix(alive=progress.alive, failed=progress.failed, refresh=False)
    bar.update(progress.done - bar.n)


def _options(options: dict[str, Any]) -> CheckOptions:
    source, movie = options["source"] or "", options["movie"] or ""
    if source and source not in sources.KNOWN_SOURCES and not StreamingLink.objects.filter(source=source).exists():
        raise CommandError(f"--source {source[:60]!r} is not known; choose from {', '.join(sources.KNOWN_SOURCES)}.")
    if movie and not Movie.objects.filter(imdb_id=movie).exists():
        raise CommandError(f"--movie {movie[:60]!r}: no such movie.")
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


def _is_good(report: CheckReport, options: CheckOptions) -> bool:
    """Whether this was a complete, accepted check of the whole catalogue, of which the heartbeat tells."""
    return not options.is_partial and report.complete and not report.withheld


def _is_distributed(options: dict[str, Any]) -> bool:
    """Whether the links are distributed over the workers. A dry run writes no rows, so it has no shards."""
    if options["distributed"] and not settings.CELERY_BROKER_URL:
        raise CommandError("--distributed needs Celery workers: set CELERY_BROKER_URL and a PostgreSQL DATABASE_URL.")
    if options["distributed"] and (options["local"] or options["dry_run"]):
        raise CommandError(
            "--distributed cannot be combined with --local or --dry-run: both check in this process only."
        )
    is_distributed = bool(settings.CELERY_BROKER_URL) and not options["local"] and not options["dry_run"]
    if options["parts"] and not is_distributed:
        raise CommandError("--parts is for a run that is distributed over workers, which this one is not.")
    return is_distributed


@contextmanager
def _stop_on_signal(should_stop: Callable[[], bool]) -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether to stop: after Ctrl-C, a TERM signal, or when `should_stop` says so."""
    received: list[int] = []
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number in previous:
            signal.signal(number, lambda number, _frame: received.append(number))
    except ValueError:  # Only the main thread may set signal handlers; elsewhere `should_stop` is the only way.
        yield should_stop
        return
    try:
        yield lambda: bool(received) or should_stop()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
