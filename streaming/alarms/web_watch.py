"""Look for news in the processes of the web server, so that a dead cron or schedule is noticed all the same."""

from __future__ import annotations

import logging
import threading
import time

from django.db import connections
from django.utils import timezone

from streaming.alarms.notifier import notify_after_check
from streaming.alarms.targets import configured_targets

log = logging.getLogger(__name__)


def start_watch(*, every: float) -> None:
    """Look every so many seconds from a thread of this process; without a service to notify, never.

    All processes look; that one of them tells it, and once, is what `outbox` sees to.
    """
    if configured_targets():
        threading.Thread(target=_watch, args=(every,), name="alarms", daemon=True).start()


def _watch(every: float) -> None:
    while True:
        time.sleep(every)
        try:
            notify_after_check(now=timezone.now(), is_good=False)
        except Exception:
            # Whatever goes wrong once, such as a database that is restarted, the next look is made.
            log.exception("could not look for what the operator needs to know")
        finally:
            connections.close_all()
