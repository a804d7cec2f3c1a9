"""Runs one job for somebody who has a process to spare, such as a Celery worker: claims it, watches over its child
process, closes it. The supervisor does the same for many at once.
"""

from __future__ import annotations

import gc
import threading
import time

from django.conf import settings
from django.utils.module_loading import import_string

from streaming.models import ScrapeJob
from streaming.scraping import children
from streaming.scraping.children import Child
from streaming.scraping.jobs import Claim
from streaming.scraping.supervisor import Run, Supervisor


def load() -> None:
    """Import what a crawl needs, so that all processes forked later share it."""
    import_string(settings.SCRAPE_CRAWL)
    gc.collect()
    gc.freeze()


def run_next() -> None:
    """Run the most urgent job that waits, if any; again if its process died."""
    for _ in range(settings.SCRAPE_MAX_ATTEMPTS):
        claim = _run_most_urgent()
        if claim is None or not ScrapeJob.objects.filter(pk=claim.job_id, state=ScrapeJob.State.QUEUED).exists():
            return


def _run_most_urgent() -> Claim | None:
    """The claim, now over; None when there was nothing to claim."""
    supervisor = Supervisor(_start, time.sleep, most=1, idle_seconds=None)
    supervisor.look()
    supervisor.most = 0
    claim = next((run.claim for run in supervisor.runs), None)
    while supervisor.runs:
        _wait_for(supervisor.runs[0], seconds=supervisor.pause())
        supervisor.look()
    return claim


def _wait_for(run: Run, *, seconds: float) -> None:
    if run.status is None:
        run.child.wait(seconds)
    else:  # it has ended, but the database does not take that yet
        time.sleep(seconds)


def _start(job_id: int) -> Child:
    # A copy of a process with threads may hang on a lock that one of them held.
    if not children.CAN_FORK or threading.active_count() > 1:
        return children.spawn(job_id)
    return children.fork(job_id, deed=import_string(settings.SCRAPE_CRAWL), closing=_nothing)


def _nothing() -> None:
    """A worker's pipes and broker belong to others of its processes: the copy leaves them alone and ends with it."""
