"""Notify the operator: after a check, from the schedule, or by hand."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError

from streaming.alarms import delivery, outbox
from streaming.alarms.delivery import DeliveryResult
from streaming.alarms.targets import configured_targets
from streaming.child_environment import child_environment

log = logging.getLogger(__name__)

START_SECONDS = 30
"""How long the process that sends may take besides `NOTIFY_TIMEOUT`."""


def notify(*, now: datetime) -> list[DeliveryResult]:
    """Record what began and ended, and send what is due."""
    targets = configured_targets()
    if not targets:
        return []
    outbox.record_news(targets, now=now)
    results = []
    for result in delivery.deliver(outbox.claim_due(targets, now=now), targets):
        outbox.close_sent(result.message, is_accepted=not result.error)
        results.append(result)
    for label, error in {result.target.label: result.error for result in results if result.error}.items():
        log.warning("messages to %s were not accepted: %s", label, error)
    return results


def send_test(*, now: datetime) -> list[DeliveryResult]:
    """Send a test to each service."""
    targets = configured_targets()
    return list(delivery.deliver([outbox.make_test_message(target, now=now) for target in targets], targets))


def notify_after_check(*, now: datetime, is_good: bool) -> None:
    """Record the news of a check, and let a process of its own send it; never raises, and ends within a time-out.

    `is_good`: the check was complete and accepted, so the heartbeat address is asked.
    """
    try:
        targets = configured_targets()
        if targets:
            outbox.record_news(targets, now=now)
        with_heartbeat = is_good and bool(settings.HEARTBEAT_URL)
        if with_heartbeat or (targets and outbox.has_due(now=now)):
            _run_sender(["--heartbeat"] if with_heartbeat else [])
    except (DatabaseError, OSError) as error:
        log.warning("the operator could not be notified: %s", type(error).__name__)


def _run_sender(options: Sequence[str]) -> None:
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "notify", *options]
    seconds = settings.NOTIFY_TIMEOUT + START_SECONDS
    try:
        # A service that cannot be reached is one line in the log of the check, and no failure of the check.
        subprocess.run(  # noqa: S603  our own command
            command,
            env=child_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        log.warning("messages to the operator took longer than %s seconds; they are tried again", seconds)
