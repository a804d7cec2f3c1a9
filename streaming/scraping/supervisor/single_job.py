"""Run one job on behalf of a process that waits for it, such as a Celery worker; the supervisor runs many at once."""

from __future__ import annotations

import gc
import threading
import time

from django.conf import settings
from django.utils.module_loading import import_string

from streaming.models import ScrapeJob
from streaming.scraping.jobs import JobClaim
from streaming.scraping.supervisor import job_processes
from streaming.scraping.supervisor.job_processes import JobProcess
from streaming.scraping.supervisor.loop import RunningJob, Supervisor


def preload_crawl() -> None:
    """Import what a crawl needs, so that it is in memory once for all processes forked later."""
    import_string(settings.SCRAPE_CRAWL)
    gc.collect()
    gc.freeze()


def run_next_job() -> None:
    """Run the most urgent queued job, if any; again if its process dies and an attempt is left."""
    for _ in range(settings.SCRAPE_MAX_ATTEMPTS):
        claim = _run_one()
        if claim is None or not ScrapeJob.objects.filter(pk=claim.job_id, state=ScrapeJob.State.QUEUED).exists():
            return


def _run_one() -> JobClaim | None:
    """Run one job to its end; return its claim, None when no job was queued."""
    supervisor = Supervisor(_start, time.sleep, max_processes=1, idle_seconds=None)
    supervisor.tick()
    supervisor.max_processes = 0
    claim = next((run.claim for run in supervisor.runs), None)
    while supervisor.runs:
        _wait(supervisor.runs[0], seconds=supervisor.seconds_until_next_tick())
        supervisor.tick()
    return claim


def _wait(run: RunningJob, *, seconds: float) -> None:
    if run.status is None:
        run.process.wait(seconds)
    else:  # it has ended, but the database cannot be written yet
        time.sleep(seconds)


def _start(job_id: int) -> JobProcess:
    # A fork of a process with threads may hang on a lock that one of them held.
    if not job_processes.CAN_FORK or threading.active_count() > 1:
        return job_processes.spawn_process(job_id)
    return job_processes.fork_process(
        job_id, job_callable=import_string(settings.SCRAPE_CRAWL), closing=_keep_everything
    )


def _keep_everything() -> None:
    """Close nothing: the worker's pipes and broker connection belong to its other processes."""
