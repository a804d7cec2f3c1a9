"""The loop of the schedule: own it, start what is due as processes of their own, and end with the server."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from MovieBackend.child_processes import end_with
from streaming.child_environment import child_environment
from streaming.leases import LeaseClaim
from streaming.models import ScheduledTask, ScheduleOwner
from streaming.scheduling import timetable
from streaming.scheduling.timetable import ScheduledCommand

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
STOP_SECONDS = 8.0
CAUTION_FACTOR = 0.8
"""Of the length of a lease, after which an owner that cannot reach the database stops its commands."""


@dataclass(slots=True)
class ScheduleLoop:
    """The schedule of this process. `claim` is None while another process owns it."""

    commands: Sequence[ScheduledCommand]
    owner: str = field(default_factory=lambda: f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid.uuid4().hex[:8]}")
    claim: LeaseClaim | None = None
    renewed_at: float = 0.0
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    stopping: bool = False
    parent: int = field(default_factory=os.getppid)

    def run(self) -> None:
        """Run until a signal arrives, or the process that started this one ends."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        while not self.stopping and os.getppid() == self.parent:
            self.tick()
            time.sleep(TICK_SECONDS)
        self._shut_down()

    def tick(self) -> None:
        """Do one round; a round fails while the database is away."""
        try:
            self._own()
            self._reap()
            if self.claim is not None:
                self._start_due()
        except (DatabaseError, InterfaceError) as error:
            log.warning("the database did not respond: %s", " ".join(str(error).split()))
            connections.close_all()
            if time.monotonic() - self.renewed_at > CAUTION_FACTOR * settings.SCRAPE_LEASE_SECONDS:
                self._lose()

    def _on_signal(self, number: int, frame: object) -> None:
        self.stopping = True

    def _own(self) -> None:
        """Claim the schedule, or renew the lease; stop what runs if another process owns it now."""
        if self.claim is None:
            self.claim = ScheduleOwner.objects.claim(self.owner)
            if self.claim is not None:
                self.renewed_at = time.monotonic()
                timetable.prepare_tasks(self.commands, now=timezone.now())
        elif time.monotonic() - self.renewed_at > settings.SCRAPE_LEASE_SECONDS / 3:
            if ScheduleOwner.objects.renew(self.claim):
                self.renewed_at = time.monotonic()
            else:
                self._lose()

    def _lose(self) -> None:
        self.claim = None
        for process in self.running.values():
            process.terminate()

    def _reap(self) -> None:
        for name, process in list(self.running.items()):
            if (status := process.poll()) is not None:
                del self.running[name]
                ScheduledTask.objects.finish(name, exit_status=status, now=timezone.now())

    def _start_due(self) -> None:
        for command in self.commands:
            if command.name not in self.running and timetable.start_due(command, now=timezone.now()):
                self._start(command)

    def _start(self, command: ScheduledCommand) -> None:
        words = [sys.executable, str(settings.BASE_DIR / "manage.py"), *command.words]
        try:
            # In a session of its own, so that Ctrl-C reaches the server only, which stops everything in order.
            self.running[command.name] = subprocess.Popen(  # noqa: S603  our own command
                words,
                cwd=settings.BASE_DIR,
                env=child_environment(),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=end_with(os.getpid()),
            )
        except OSError as error:
            log.error("%s could not be started: %s", command.name, error.strerror)

    def _shut_down(self) -> None:
        """Stop the commands, which lose nothing, and let another process own the schedule."""
        for process in self.running.values():
            process.terminate()
        end = time.monotonic() + STOP_SECONDS
        for process in self.running.values():
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        try:
            self._reap()
            if self.claim is not None:
                ScheduleOwner.objects.release(self.claim)
        except (DatabaseError, InterfaceError) as error:
            log.warning("stopped without updating the database; the lease will expire: %s", error)
        connections.close_all()
