"""The schedule in the foreground."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.conf import settings
from setproctitle import setproctitle

from streaming.management.base import OpenreelCommand
from streaming.scheduling.schedule_loop import ScheduleLoop
from streaming.scheduling.timetable import scheduled_commands


class Command(OpenreelCommand):
    help = (
        "Check links every hour, and do what else cron would do, until TERM or Ctrl-C. `make run` starts it; "
        "of several processes on one database one is at work. With SCHEDULE=off it only waits."
    )
    example = "python manage.py run_schedule"

    def handle(self, **options: Any) -> None:
        setproctitle("openreel: schedule")
        if settings.SCHEDULE:
            ScheduleLoop(scheduled_commands()).run()
            return
        # A container that ended would be started again and again.
        self.stdout.write("SCHEDULE is off: nothing is run here.")
        self.stdout.flush()
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        while not stop.wait(1):
            continue
