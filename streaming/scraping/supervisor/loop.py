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

from streaming import file_locks
from streaming.models import ScrapeJob
from streaming.scraping import jobs, outcomes
from streaming.scraping.jobs import JobClaim
from streaming.scraping.outcomes import JobOutcome
from streaming.scraping.supervisor import control, job_processes
from streaming.scraping.supervisor.job_processes import JobProcess
from streaming.scraping.supervisor.wakeup import WakeupPipe

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
KILL_AFTER_SECONDS = 1.0
# A machine without a process to spare has none a moment later either: the jobs that wait must not all fail meanwhile.
PROCESS_RETRY_SECONDS = 5.0
NO_PROCESS_ERROR = "The machine could not start a process for this search"


@dataclass(slots=True)
class RunningJob:
    """A claimed job and its process. `verdict` is set by whoever stops it: how the job then ends.

    `kill_at`: when TERM is followed by KILL; `status`: how the process ended, None while it runs.
    """

    claim: JobClaim
    process: JobProcess
    deadline: float
    forced_outcome: Callable[[ScrapeJob], JobOutcome] | None = None
    kill_at: float | None = None
    status: int | None = None
    log: str = ""


@dataclass(slots=True)
class Supervisor:
    """`start` gives a job its process, `wait` sleeps at most so long; `idle_seconds` None: it never leaves alone."""

    start: Callable[[int], JobProcess]
    wait: Callable[[float], object]
    max_processes: int
    idle_seconds: float | None
    owner: str = field(default_factory=lambda: f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid.uuid4().hex[:8]}")
    runs: list[RunningJob] = field(default_factory=list)
    leaving: bool = False
    next_heartbeat_at: float = 0.0
    claim_at: float = 0.0
    busy_at: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        """Until it is told to leave, or nothing has been there to do for long enough."""
        while not self.leaving and not self._is_idle():
            self.tick()
            self.wait(self.seconds_until_next_tick())
        self._shut_down()

    def tick(self) -> None:
        """One round. A database that is away for a while costs rounds, not jobs."""
        self._reap()
        self._stop_overdue()
        try:
            self._close_ended()
            self._renew_leases()
            self._claim()
        except (DatabaseError, InterfaceError) as error:
            log.warning("the database did not answer: %s", error)
            connections.close_all()
        if self.runs:
            self.busy_at = time.monotonic()

    def _is_idle(self) -> bool:
        # A job that is running makes no sound for as long as it takes.
        return not self.runs and self.idle_seconds is not None and time.monotonic() - self.busy_at > self.idle_seconds

    def seconds_until_next_tick(self) -> float:
        """How long nothing is to be done, unless a bell rings or a child ends."""
        due = [run.kill_at or run.deadline for run in self.runs if run.status is None]
        return min([TICK_SECONDS, *(max(0.0, at - time.monotonic()) for at in due)])

    # --- processes

    def _reap(self) -> None:
        for run in self.runs:
            if run.status is None and (status := run.process.poll()) is not None:
                run.status = status
                run.log = outcomes.log_tail(job_processes.read_log(run.process), secrets=secrets())

    def _stop_overdue(self) -> None:
        now = time.monotonic()
        for run in self.runs:
            if run.status is not None:
                continue
            if run.kill_at is not None:
                if now >= run.kill_at:
                    run.process.stop(hard=True)
                    run.kill_at = now + KILL_AFTER_SECONDS
            elif now >= run.deadline:
                self._stop(run, partial(_interrupted_outcome, error=outcomes.timeout_error(_limit())))
            elif job_processes.exceeds_log_limit(run.process):
                self._stop(run, partial(_interrupted_outcome, error=outcomes.LOG_TOO_LONG_ERROR))

    def _stop(self, run: RunningJob, verdict: Callable[[ScrapeJob], JobOutcome] | None) -> None:
        """First politely; a second later by force."""
        if run.kill_at is None and run.status is None:
            run.forced_outcome = verdict
            run.kill_at = time.monotonic() + KILL_AFTER_SECONDS
            run.process.stop(hard=False)

    # --- rows

    def _close_ended(self) -> None:
        for run in [run for run in self.runs if run.status is not None]:
            try:
                _finish_job(run)
            except (DataError, IntegrityError) as error:  # one that cannot be written must not hold up the others
                log.error("job %s could not be closed, its lease will end: %s", run.claim.job_id, error)
            self.runs.remove(run)

    def _renew_leases(self) -> None:
        """Renew the leases in time; stop what was cancelled or is no longer ours."""
        claims = [run.claim for run in self.runs]
        if not claims:
            return
        if time.monotonic() >= self.next_heartbeat_at:
            jobs.renew_leases(claims)
            self.next_heartbeat_at = time.monotonic() + settings.SCRAPE_LEASE_SECONDS / 3
        running = jobs.claims_to_continue(claims)
        for run in self.runs:
            if not running.get(run.claim, False):
                self._stop(run, jobs.cancelled_outcome)

    def _claim(self) -> None:
        if time.monotonic() < self.claim_at:
            return
        in_hand = [run.claim.job_id for run in self.runs]
        for claim in jobs.claim_jobs(owner=self.owner, limit=self.max_processes - len(in_hand), exclude=in_hand):
            if time.monotonic() < self.claim_at:
                jobs.requeue(claim, counted=False)
                continue
            try:
                child = self.start(claim.job_id)
            except OSError as error:
                log.error("job %s got no process: %s", claim.job_id, error)
                self.claim_at = time.monotonic() + PROCESS_RETRY_SECONDS
                _retry_or_fail(claim, error=f"{NO_PROCESS_ERROR} ({error.strerror or error}).", tail="")
            else:
                self.runs.append(RunningJob(claim, child, time.monotonic() + settings.SCRAPE_TIMEOUT))

    def _shut_down(self) -> None:
        """Stop what still runs and queue it again: whoever told us to leave meant us, not the jobs."""
        for run in self.runs:
            self._stop(run, run.forced_outcome)
        while any(run.status is None for run in self.runs):
            self._reap()
            self._stop_overdue()
            self.wait(0.2)
        try:
            for run in self.runs:
                if run.status == 0 or run.forced_outcome is not None:
                    _finish_job(run)
                else:
                    jobs.requeue(run.claim, counted=False)
        except (DatabaseError, InterfaceError) as error:
            log.warning("left without a word to the database; the leases will end: %s", error)
        connections.close_all()


def _finish_job(run: RunningJob) -> None:
    """Close the job as its process left it; one whose process died for no reason of ours may be queued again."""
    if run.forced_outcome is not None:
        jobs.finish(run.claim, outcome_of=run.forced_outcome, log=run.log)
    elif run.status == 0:
        jobs.finish(run.claim, outcome_of=_outcome_from_sources, log=run.log)
    else:
        _retry_or_fail(run.claim, error=outcomes.process_death_error(run.status or 1), tail=run.log)


def _retry_or_fail(claim: JobClaim, *, error: str, tail: str) -> None:
    if claim.attempt < settings.SCRAPE_MAX_ATTEMPTS:
        jobs.requeue(claim, counted=True, log=tail)
    else:
        jobs.finish(claim, outcome_of=partial(_failed_outcome, error=error), log=tail)


def _outcome_from_sources(job: ScrapeJob) -> JobOutcome:
    return outcomes.outcome_of_sources(job.sources)


def _interrupted_outcome(job: ScrapeJob, *, error: str) -> JobOutcome:
    return outcomes.outcome_of_sources(job.sources, cut_short=error)


def _failed_outcome(job: ScrapeJob, *, error: str) -> JobOutcome:
    return outcomes.forced_outcome(ScrapeJob.State.FAILED, job.sources, error=error)


def _limit() -> timedelta:
    return timedelta(seconds=settings.SCRAPE_TIMEOUT)


def secrets() -> list[str]:
    """What must never be read in a log."""
    password = str(settings.DATABASES["default"].get("PASSWORD") or "")
    broker = urlsplit(settings.CELERY_BROKER_URL).password
    return [word for word in (settings.SECRET_KEY, password, broker, settings.METRICS_TOKEN) if word]


def serve(*, lock: IO[str], idle_seconds: float | None, spawning: bool) -> None:
    """Be the supervisor of this machine, until told to leave or idle for long enough."""
    file_locks.write_pid(lock, pid=os.getpid())
    wakeup_pipe = WakeupPipe(control.wakeup_path())
    supervisor = Supervisor(
        _process_starter(lock, wakeup_pipe, spawning), wakeup_pipe.wait, settings.SCRAPE_PROCESSES, idle_seconds
    )
    _install_signal_handlers(supervisor, wakeup_pipe)
    supervisor.run()
    signal.set_wakeup_fd(-1)
    wakeup_pipe.close()
    lock.close()
    if not supervisor.leaving and _has_new_jobs():
        control.ensure_supervisor()


def _process_starter(lock: IO[str], wakeup_pipe: WakeupPipe, spawning: bool) -> Callable[[int], JobProcess]:
    if spawning or not job_processes.CAN_FORK:
        return job_processes.spawn_process
    job_callable = import_string(settings.SCRAPE_CRAWL)
    # What is imported by now is never collected, so the children go on sharing its memory.
    gc.collect()
    gc.freeze()

    def closing() -> None:
        wakeup_pipe.release()
        lock.close()

    return partial(job_processes.fork_process, job_callable=job_callable, closing=closing)


def _has_new_jobs() -> bool:
    """Whether a job was queued while we were closing; who rang then found us still there."""
    try:
        return jobs.has_claimable_jobs()
    except (DatabaseError, InterfaceError):
        return False
    finally:
        connections.close_all()


def _install_signal_handlers(supervisor: Supervisor, wakeup_pipe: WakeupPipe) -> None:
    """TERM and INT mean leave; a child's end rings the bell."""

    def leave(number: int, frame: object) -> None:
        supervisor.leaving = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    if wakeup_pipe.descriptor is not None:
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(wakeup_pipe.descriptor, warn_on_full_buffer=False)
