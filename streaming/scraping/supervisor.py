"""Runs the queued jobs: claims them, gives each a process, renews leases, kills what overstays, closes what ended.

It holds no thread, no event loop and, while it forks, no database connection.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import IO
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, connections
from django.utils.module_loading import import_string

from streaming.models import ScrapeJob
from streaming.scraping import children, endings, jobs, launchers, locks
from streaming.scraping.children import Child
from streaming.scraping.endings import Ending
from streaming.scraping.jobs import Claim
from streaming.scraping.locks import Bell

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
KILL_AFTER = 1.0
# A machine without a process to spare has none a moment later either: the jobs that wait must not all fail meanwhile.
NO_PROCESS_SECONDS = 5.0
NO_PROCESS = "The machine could not start a process for this search"


@dataclass(slots=True)
class Run:
    """A claimed job and its process. `verdict` is set by whoever stops it: how the job then ends.

    `kill_at`: when TERM is followed by KILL; `status`: how the process ended, None while it runs.
    """

    claim: Claim
    child: Child
    deadline: float
    verdict: Callable[[ScrapeJob], Ending] | None = None
    kill_at: float | None = None
    status: int | None = None
    log: str = ""


@dataclass(slots=True)
class Supervisor:
    """`start` gives a job its process, `wait` sleeps at most so long; `idle_seconds` None: it never leaves alone."""

    start: Callable[[int], Child]
    wait: Callable[[float], object]
    most: int
    idle_seconds: float | None
    owner: str = field(default_factory=lambda: f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid.uuid4().hex[:8]}")
    runs: list[Run] = field(default_factory=list)
    leaving: bool = False
    beat_at: float = 0.0
    claim_at: float = 0.0
    busy_at: float = field(default_factory=time.monotonic)

    def work(self) -> None:
        """Until it is told to leave, or nothing has been there to do for long enough."""
        while not self.leaving and not self._is_idle():
            self.look()
            self.wait(self.pause())
        self._leave()

    def look(self) -> None:
        """One round. A database that is away for a while costs rounds, not jobs."""
        self._reap()
        self._stop_overdue()
        try:
            self._close_ended()
            self._beat()
            self._claim()
        except (DatabaseError, InterfaceError) as error:
            log.warning("the database did not answer: %s", error)
            connections.close_all()
        if self.runs:
            self.busy_at = time.monotonic()

    def _is_idle(self) -> bool:
        # A job that is running makes no sound for as long as it takes.
        return not self.runs and self.idle_seconds is not None and time.monotonic() - self.busy_at > self.idle_seconds

    def pause(self) -> float:
        """How long nothing is to be done, unless a bell rings or a child ends."""
        due = [run.kill_at or run.deadline for run in self.runs if run.status is None]
        return min([LOOK_SECONDS, *(max(0.0, at - time.monotonic()) for at in due)])

    # --- processes

    def _reap(self) -> None:
        for run in self.runs:
            if run.status is None and (status := run.child.ended()) is not None:
                run.status = status
                run.log = endings.log_tail(children.read_log(run.child), secrets=secrets())

    def _stop_overdue(self) -> None:
        now = time.monotonic()
        for run in self.runs:
            if run.status is not None:
                continue
            if run.kill_at is not None:
                if now >= run.kill_at:
                    run.child.stop(hard=True)
                    run.kill_at = now + KILL_AFTER
            elif now >= run.deadline:
                self._stop(run, partial(_cut_short, error=endings.too_long(_limit())))
            elif children.logged_too_much(run.child):
                self._stop(run, partial(_cut_short, error=endings.LOG_TOO_LONG))

    def _stop(self, run: Run, verdict: Callable[[ScrapeJob], Ending] | None) -> None:
        """First politely; a second later by force."""
        if run.kill_at is None and run.status is None:
            run.verdict = verdict
            run.kill_at = time.monotonic() + KILL_AFTER
            run.child.stop(hard=False)

    # --- rows

    def _close_ended(self) -> None:
        for run in [run for run in self.runs if run.status is not None]:
            try:
                _end(run)
            except (DataError, IntegrityError) as error:  # one that cannot be written must not hold up the others
                log.error("job %s could not be closed, its lease will end: %s", run.claim.job_id, error)
            self.runs.remove(run)

    def _beat(self) -> None:
        """Renew the leases in time; stop what was cancelled or is no longer ours."""
        claims = [run.claim for run in self.runs]
        if not claims:
            return
        if time.monotonic() >= self.beat_at:
            jobs.heartbeat(claims)
            self.beat_at = time.monotonic() + settings.SCRAPE_LEASE_SECONDS / 3
        standing = jobs.wanted(claims)
        for run in self.runs:
            if not standing.get(run.claim, False):
                self._stop(run, jobs.cancelled)

    def _claim(self) -> None:
        if time.monotonic() < self.claim_at:
            return
        in_hand = [run.claim.job_id for run in self.runs]
        for claim in jobs.claim(owner=self.owner, most=self.most - len(in_hand), besides=in_hand):
            if time.monotonic() < self.claim_at:
                jobs.hand_back(claim, counted=False)
                continue
            try:
                child = self.start(claim.job_id)
            except OSError as error:
                log.error("job %s got no process: %s", claim.job_id, error)
                self.claim_at = time.monotonic() + NO_PROCESS_SECONDS
                _retry_or_fail(claim, error=f"{NO_PROCESS} ({error.strerror or error}).", tail="")
            else:
                self.runs.append(Run(claim, child, time.monotonic() + settings.SCRAPE_TIMEOUT))

    def _leave(self) -> None:
        """Stop what still runs and queue it again: whoever told us to leave meant us, not the jobs."""
        for run in self.runs:
            self._stop(run, run.verdict)
        while any(run.status is None for run in self.runs):
            self._reap()
            self._stop_overdue()
            self.wait(0.2)
        try:
            for run in self.runs:
                if run.status == 0 or run.verdict is not None:
                    _end(run)
                else:
                    jobs.hand_back(run.claim, counted=False)
        except (DatabaseError, InterfaceError) as error:
            log.warning("left without a word to the database; the leases will end: %s", error)
        connections.close_all()


def _end(run: Run) -> None:
    """Close the job as its process left it; one whose process died for no reason of ours may be queued again."""
    if run.verdict is not None:
        jobs.close(run.claim, judge=run.verdict, log=run.log)
    elif run.status == 0:
        jobs.close(run.claim, judge=_by_its_sources, log=run.log)
    else:
        _retry_or_fail(run.claim, error=endings.death(run.status or 1), tail=run.log)


def _retry_or_fail(claim: Claim, *, error: str, tail: str) -> None:
    if claim.attempt < settings.SCRAPE_MAX_ATTEMPTS:
        jobs.hand_back(claim, counted=True, log=tail)
    else:
        jobs.close(claim, judge=partial(_died, error=error), log=tail)


def _by_its_sources(job: ScrapeJob) -> Ending:
    return endings.ending_of(job.sources)


def _cut_short(job: ScrapeJob, *, error: str) -> Ending:
    return endings.ending_of(job.sources, cut_short=error)


def _died(job: ScrapeJob, *, error: str) -> Ending:
    return endings.ended_by_force(ScrapeJob.State.FAILED, job.sources, error=error)


def _limit() -> timedelta:
    return timedelta(seconds=settings.SCRAPE_TIMEOUT)


def secrets() -> list[str]:
    """What must never be read in a log."""
    password = str(settings.DATABASES["default"].get("PASSWORD") or "")
    broker = urlsplit(settings.CELERY_BROKER_URL).password
    return [word for word in (settings.SECRET_KEY, password, broker, settings.METRICS_TOKEN) if word]


def serve(*, lock: IO[str], idle_seconds: float | None, spawning: bool) -> None:
    """Be the supervisor of this machine, until told to leave or idle for long enough."""
    locks.sign(lock, pid=os.getpid())
    bell = Bell(launchers.bell_path())
    supervisor = Supervisor(_starter(lock, bell, spawning), bell.wait, settings.SCRAPE_PROCESSES, idle_seconds)
    _listen(supervisor, bell)
    supervisor.work()
    signal.set_wakeup_fd(-1)
    bell.close()
    lock.close()
    if not supervisor.leaving and _somebody_came():
        launchers.wake()


def _starter(lock: IO[str], bell: Bell, spawning: bool) -> Callable[[int], Child]:
    if spawning or not children.CAN_FORK:
        return children.spawn
    deed = import_string(settings.SCRAPE_CRAWL)
    # What is imported by now is never collected, so the children go on sharing its memory.
    gc.collect()
    gc.freeze()

    def closing() -> None:
        bell.forget()
        lock.close()

    return partial(children.fork, deed=deed, closing=closing)


def _somebody_came() -> bool:
    """Whether a job was queued while we were closing; who rang then found us still there."""
    try:
        return jobs.work_waits()
    except (DatabaseError, InterfaceError):
        return False
    finally:
        connections.close_all()


def _listen(supervisor: Supervisor, bell: Bell) -> None:
    """TERM and INT mean leave; a child's end rings the bell."""

    def leave(number: int, frame: object) -> None:
        supervisor.leaving = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    if bell.descriptor is not None:
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(bell.descriptor, warn_on_full_buffer=False)
