"""The supervisor: claim queued jobs, start a process for each, renew leases, stop overdue processes, close ended jobs.

It has no threads, no event loop and, while it forks, no database connection.
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
from setproctitle import setproctitle

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
# A machine that cannot fork now cannot a moment later either; without a delay all queued jobs would fail meanwhile.
PROCESS_RETRY_SECONDS = 5.0
NO_PROCESS_ERROR = "The machine could not start a process for this scrape"


@dataclass(slots=True)
class RunningJob:
    """A claimed job and its process.

    `deadline` and `kill_at` (when KILL follows TERM) are monotonic times; `status` is the exit status, None while the
    process runs; `forced_outcome` returns the outcome of a job that was stopped, None for one that ends by itself.
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
    """The loop over all running jobs. It stops after `idle_seconds` without one; None: never."""

    start: Callable[[int], JobProcess]
    wait: Callable[[float], object]
    max_processes: int
    idle_seconds: float | None
    owner: str = field(default_factory=lambda: f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid.uuid4().hex[:8]}")
    runs: list[RunningJob] = field(default_factory=list)
    stopping: bool = False
    next_heartbeat_at: float = 0.0
    claim_at: float = 0.0
    busy_at: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        """Run jobs until stopped or idle for long enough."""
        while not self.stopping and not self._is_idle():
            self.tick()
            self.wait(self.seconds_until_next_tick())
        self._shut_down()

    def tick(self) -> None:
        """Do one round. Rounds fail while the database is unavailable; jobs do not."""
        self._reap()
        self._stop_overdue()
        try:
            self._close_ended()
            self._renew_leases()
            self._claim()
        except (DatabaseError, InterfaceError) as error:
            log.warning("the database did not respond: %s", error)
            connections.close_all()
        if self.runs:
            self.busy_at = time.monotonic()

    def _is_idle(self) -> bool:
        # A running job keeps the supervisor busy, however long it takes.
        return not self.runs and self.idle_seconds is not None and time.monotonic() - self.busy_at > self.idle_seconds

    def seconds_until_next_tick(self) -> float:
        """Return how long the loop may sleep, unless a wake-up arrives or a process ends."""
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
                self._stop(run, partial(_interrupted_outcome, error=outcomes.timeout_error(_time_limit())))
            elif job_processes.exceeds_log_limit(run.process):
                self._stop(run, partial(_interrupted_outcome, error=outcomes.LOG_TOO_LONG_ERROR))

    def _stop(self, run: RunningJob, outcome_of: Callable[[ScrapeJob], JobOutcome] | None) -> None:
        """Send TERM now, KILL a second later; the job then ends with `outcome_of`, None: like one that ended itself."""
        if run.kill_at is None and run.status is None:
            run.forced_outcome = outcome_of
            run.kill_at = time.monotonic() + KILL_AFTER_SECONDS
            run.process.stop(hard=False)

    # --- rows

    def _close_ended(self) -> None:
        for run in [run for run in self.runs if run.status is not None]:
            try:
                _finish_job(run)
            except (DataError, IntegrityError) as error:  # a job that cannot be written must not block the others
                log.error("job %s could not be closed, its lease will expire: %s", run.claim.job_id, error)
            self.runs.remove(run)

    def _renew_leases(self) -> None:
        """Renew the leases in time; stop jobs that were cancelled or claimed by another supervisor."""
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
        own = [run.claim.job_id for run in self.runs]
        for claim in jobs.claim_jobs(owner=self.owner, limit=self.max_processes - len(own), exclude=own):
            if time.monotonic() < self.claim_at:
                jobs.requeue(claim, counted=False)
                continue
            try:
                process = self.start(claim.job_id)
            except OSError as error:
                log.error("no process for job %s: %s", claim.job_id, error)
                self.claim_at = time.monotonic() + PROCESS_RETRY_SECONDS
                _retry_or_fail(claim, error=f"{NO_PROCESS_ERROR} ({error.strerror or error}).", log_text="")
            else:
                self.runs.append(RunningJob(claim, process, time.monotonic() + settings.SCRAPE_TIMEOUT))

    def _shut_down(self) -> None:
        """Stop the running jobs and queue them again: only the supervisor was to stop."""
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
            log.warning("stopped without updating the database; the leases will expire: %s", error)
        connections.close_all()


def _finish_job(run: RunningJob) -> None:
    """Close the job by how its process ended; a job whose process died unasked may be queued again."""
    if run.forced_outcome is not None:
        jobs.finish(run.claim, outcome_of=run.forced_outcome, log=run.log)
    elif run.status == 0:
        jobs.finish(run.claim, outcome_of=_outcome_from_sources, log=run.log)
    else:
        _retry_or_fail(run.claim, error=outcomes.process_death_error(run.status or 1), log_text=run.log)


def _retry_or_fail(claim: JobClaim, *, error: str, log_text: str) -> None:
    if claim.attempt < settings.SCRAPE_MAX_ATTEMPTS:
        jobs.requeue(claim, counted=True, log=log_text)
    else:
        jobs.finish(claim, outcome_of=partial(_failed_outcome, error=error), log=log_text)


def _outcome_from_sources(job: ScrapeJob) -> JobOutcome:
    return outcomes.outcome_of_sources(job.sources)


def _interrupted_outcome(job: ScrapeJob, *, error: str) -> JobOutcome:
    return outcomes.outcome_of_sources(job.sources, cut_short=error)


def _failed_outcome(job: ScrapeJob, *, error: str) -> JobOutcome:
    return outcomes.forced_outcome(ScrapeJob.State.FAILED, job.sources, error=error)


def _time_limit() -> timedelta:
    return timedelta(seconds=settings.SCRAPE_TIMEOUT)


def secrets() -> list[str]:
    """Return the secrets that must never appear in a log."""
    password = str(settings.DATABASES["default"].get("PASSWORD") or "")
    broker = urlsplit(settings.CELERY_BROKER_URL).password
    notify = [
        *settings.NOTIFY_URLS,
        settings.NOTIFY_WEBHOOK_URL,
        settings.NOTIFY_WEBHOOK_SECRET,
        settings.HEARTBEAT_URL,
    ]
    return [word for word in (settings.SECRET_KEY, password, broker, settings.METRICS_TOKEN, *notify) if word]


def serve(*, lock: IO[str], idle_seconds: float | None, spawning: bool) -> None:
    """Be this machine's supervisor until stopped or idle for long enough; `spawning`: never fork jobs."""
    setproctitle(job_processes.SUPERVISOR_TITLE)
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
    if not supervisor.stopping and _has_new_jobs():
        control.ensure_supervisor()


def _process_starter(lock: IO[str], wakeup_pipe: WakeupPipe, spawning: bool) -> Callable[[int], JobProcess]:
    if spawning or not job_processes.CAN_FORK:
        return job_processes.spawn_process
    job_callable = import_string(settings.SCRAPE_CRAWL)
    # Frozen objects are never collected, so the forks go on sharing their memory.
    gc.collect()
    gc.freeze()

    def closing() -> None:
        wakeup_pipe.release()
        lock.close()

    return partial(job_processes.fork_process, job_callable=job_callable, closing=closing)


def _has_new_jobs() -> bool:
    """Whether a job was queued during shutdown, when its notification still found this supervisor."""
    try:
        return jobs.has_claimable_jobs()
    except (DatabaseError, InterfaceError):
        return False
    finally:
        connections.close_all()


def _install_signal_handlers(supervisor: Supervisor, wakeup_pipe: WakeupPipe) -> None:
    """Stop on TERM and INT; wake up when a child ends."""

    def stop(number: int, frame: object) -> None:
        supervisor.stopping = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    if wakeup_pipe.descriptor is not None:
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(wakeup_pipe.descriptor, warn_on_full_buffer=False)
