"""Send messages to the operator, or try whether they arrive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from streaming.alarms import notifier
from streaming.alarms.delivery import DeliveryResult, request_heartbeat
from streaming.alarms.targets import configured_targets
from streaming.management.base import OpenreelCommand

EXIT_NOT_ACCEPTED = 4


class Command(OpenreelCommand):
    help = (
        "Tell the services of NOTIFY_URLS and the webhook what began and what ended since the last time, and send what "
        "they have not accepted yet. Exit status 4: a service did not accept its message, which is tried again."
    )
    example = "python manage.py notify --test"
    dates_lines = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--test", action="store_true", help="send a test to each service, and say what came of it")
        parser.add_argument("--heartbeat", action="store_true", help="ask HEARTBEAT_URL, too")

    def handle(self, *, test: bool, heartbeat: bool, **options: Any) -> None:
        if not configured_targets() and not (heartbeat and settings.HEARTBEAT_URL):
            raise CommandError("nobody to notify: set NOTIFY_URLS or NOTIFY_WEBHOOK_URL (docs/operations.md).")
        errors = self._report(notifier.send_test(now=timezone.now()) if test else notifier.notify(now=timezone.now()))
        errors += [self._heartbeat()] if heartbeat and settings.HEARTBEAT_URL else []
        if failed := [error for error in errors if error]:
            raise CommandError(f"{'; '.join(failed)}.", returncode=EXIT_NOT_ACCEPTED)

    def _heartbeat(self) -> str:
        error = request_heartbeat(settings.HEARTBEAT_URL)
        self.stdout.write(f"heartbeat: {error or 'accepted'}")
        return f"the heartbeat address: {error}" if error else ""

    def _report(self, results: Sequence[DeliveryResult]) -> list[str]:
        for result in results:
            self.stdout.write(f"{result.target.label}: {result.error or 'accepted'}")
        return list(dict.fromkeys(f"{result.target.label}: {result.error}" for result in results if result.error))
