"""Mirror other instances of Openreel."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from scraper.net.url_policy import InvalidValue
from streaming.following.feed_client import FollowError, normalize_instance_url
from streaming.following.follower import Follower, FollowWithheld
from streaming.ingest.from_instances import FollowReport
from streaming.management.arguments import number_argument
from streaming.management.base import OpenreelCommand
from streaming.models import FollowedInstance

EXIT_WITHHELD = 3
PROGRESS_SECONDS = 10.0
MAX_SECONDS_BESIDE_OTHERS = 600.0
"""Of one instance in one run over several: one that states more and more would keep the others waiting for ever."""
MAX_REFUSED_LINES = 50
MAX_NAMED = 20


class Command(OpenreelCommand):
    help = (
        "Mirror other instances of Openreel: what they add, change and remove. Films and links of our own stay as they "
        "are, and links are checked here. Without URL, those of FOLLOW_URLS. Exit status 3: too many films would be "
        "lost at once, so nothing more was changed."
    )
    example = "python manage.py follow https://films.example.org --every 15"
    dates_lines = True
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("urls", nargs="*", metavar="URL", help="the address of an instance")
        loop = parser.add_mutually_exclusive_group()
        loop.add_argument("--once", action="store_true", help="apply all changes that there are now (the default)")
        loop.add_argument(
            "--every", type=number_argument(0.01, 10_080), metavar="MINUTES", help="do so again and again, until TERM"
        )
        parser.add_argument(
            "--max-runtime", type=number_argument(0.001), metavar="MINUTES", help="stop after MINUTES; the rest follows"
        )
        parser.add_argument("--force", action="store_true", help="follow however many films are lost")
        parser.add_argument(
            "--resync", action="store_true", help="read all of it anew, such as after a takedown was lifted here"
        )
        parser.add_argument(
            "--forget", action="store_true", help="stop following, and drop what only that instance states"
        )

    def handle(self, *, urls: Sequence[str], every: float | None, **options: Any) -> None:
        bases = self._bases(urls or ([] if options["forget"] else settings.FOLLOW_URLS))
        if options["forget"]:
            self._forget(bases)
            return
        self.stopping = threading.Event()
        if every is None:
            self._follow_all(bases, **options)
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        while not self.stopping.is_set():
            try:
                self._follow_all(bases, **options)
            except CommandError as error:
                self.stderr.write(str(error))
            options["resync"] = options["force"] = False
            self.stopping.wait(every * 60)

    def _bases(self, urls: Sequence[str]) -> list[str]:
        if not urls:
            raise CommandError("name an instance, or set FOLLOW_URLS (docs/operations.md).")
        try:
            return list(dict.fromkeys(normalize_instance_url(url) for url in urls))
        except InvalidValue as error:
            raise CommandError(f"the address of an instance: {error}.") from None

    def _follow_all(self, bases: Sequence[str], *, max_runtime: float | None, **options: Any) -> None:
        end = time.monotonic() + max_runtime * 60 if max_runtime else float("inf")
        errors = []
        for number, base in enumerate(bases):
            seconds_each = (end - time.monotonic()) / (len(bases) - number)
            seconds = seconds_each if len(bases) == 1 else min(seconds_each, MAX_SECONDS_BESIDE_OTHERS)
            if error := self._follow(base, seconds=seconds, **options):
                errors.append(error)
        if errors:
            only_withheld = all(isinstance(error, FollowWithheld) for error in errors)
            text = " ".join(str(error) for error in errors)
            raise CommandError(text, returncode=EXIT_WITHHELD if only_withheld else 1)

    def _follow(self, base: str, *, force: bool, resync: bool, seconds: float, **options: Any) -> FollowError | None:
        """Follow one instance for some time and print what came of it; return its error with the address."""
        instance, _ = FollowedInstance.objects.get_or_create(url=base)
        if resync:
            instance.restart()
        end = time.monotonic() + seconds
        self.printed_at, self.refused = time.monotonic(), 0
        follower = Follower(
            instance=instance,
            force=force,
            on_page=lambda report: self._progress(base, report),
            on_refused=self._print_refused,
            on_note=lambda text: self.stdout.write(f"{base}: {text}"),
            should_stop=lambda: self.stopping.is_set() or time.monotonic() >= end,
        )
        error: FollowError | None = None
        try:
            follower.run()
        except FollowError as raised:
            error = type(raised)(f"{base}: {raised}.")
        self._print_hidden()
        if error is None or not follower.report.is_empty:
            self._print_report(base, follower.report, ending=" before the error" if error else "")
        return error

    def _forget(self, bases: Sequence[str]) -> None:
        for base in bases:
            instance = FollowedInstance.objects.filter(url=base).first()
            if instance is None:
                raise CommandError(f"{base} is not followed.")
            follower = Follower(
                instance=instance, on_page=lambda _: None, on_refused=lambda _: None, on_note=self.stdout.write
            )
            self._print_report(base, follower.forget())

    def _progress(self, base: str, report: FollowReport) -> None:
        """Print the totals every ten seconds."""
        if time.monotonic() - self.printed_at >= PROGRESS_SECONDS:
            self.printed_at = time.monotonic()
            self.stdout.write(f"{base}: {_summary(report)} so far")

    def _print_refused(self, sentences: Sequence[str]) -> None:
        for sentence in sentences[: max(0, MAX_REFUSED_LINES - self.refused)]:
            self.stderr.write(f"left out: {sentence}")
        self.refused += len(sentences)

    def _print_hidden(self) -> None:
        if (hidden := self.refused - MAX_REFUSED_LINES) > 0:
            self.stderr.write(f"left out: {hidden:,} more")

    def _print_report(self, base: str, report: FollowReport, *, ending: str = "") -> None:
        if refused := {code: number for code, number in report.refused.items() if number}:
            counts = ", ".join(f"{number:,} {code}" for code, number in sorted(refused.items()))
            self.stdout.write(f"{base}: not taken: {counts}")
        if report.kept:
            more = f" and {len(report.kept) - MAX_NAMED:,} more" if len(report.kept) > MAX_NAMED else ""
            named = ", ".join(report.kept[:MAX_NAMED])
            self.stdout.write(f"{base}: taken down there, kept here for others state them: {named}{more}")
        self.stdout.write(f"{base}: {_summary(report)}{ending}")


def _summary(report: FollowReport) -> str:
    films = f"{report.films_new:,} new, {report.films_changed:,} changed"
    returned = f"{report.films_restored:,} restored, {report.films_removed:,} removed"
    links = f"{report.links_new:,} new, {report.links_changed:,} changed, {report.links_dropped:,} dropped"
    return f"films {films}, {returned}; links {links}"
