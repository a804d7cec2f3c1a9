"""The door for Celery. A message is a bell, the job's row is the job: a message that is lost, late or delivered twice
does no harm, and one that is delivered for ever ends with the row.
"""

from __future__ import annotations

import io
import logging
from typing import Any

from celery import bootsteps
from celery.signals import worker_init
from django.conf import settings
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from kombu.exceptions import OperationalError

from MovieBackend.celery import RUN_SECONDS, app
from streaming.scraping import jobs, runner

log = logging.getLogger(__name__)

ONCE_MORE = {"max_retries": 1, "interval_start": 0, "interval_step": 0}
CHECK_MINUTES = 50


def ring(job_id: int) -> None:
    """Send the job's message, at most once a lease however many pages watch. A broker that is down costs a log line:
    the job waits in its row, and the next watcher or worker rings again."""
    rung = f"rung:{job_id}"
    if not cache.add(rung, True, settings.SCRAPE_LEASE_SECONDS):
        return
    try:
        run_job.apply_async((job_id,), retry=True, retry_policy=ONCE_MORE)
    except (OperationalError, OSError) as error:
        cache.delete(rung)
        log.error("the broker did not take job %s, which waits: %s", job_id, error)


@app.task(time_limit=RUN_SECONDS)
def run_job(job_id: int) -> None:
    """Run the most urgent job that waits: most often this one, but a click goes before what was asked for earlier."""
    runner.run_next()


@app.task
def ring_again() -> None:
    """Ring for jobs that nobody has cared for in a while: their message was lost, or their worker has died."""
    try:
        waiting = jobs.overlooked()
    except DatabaseError as error:
        log.warning("the database did not answer: %s", " ".join(str(error).split()))
        return
    for job_id in waiting:
        ring(job_id)


# Taken off the queue when it begins: a check that is cut short goes on with what is due an hour later.
@app.task(acks_late=False, reject_on_worker_lost=False)
def check_links() -> None:
    """What cron does every hour; beat asks for it."""
    said = io.StringIO()
    try:
        call_command("check_link_health", max_runtime=CHECK_MINUTES, stdout=said)
    except CommandError as error:
        log.error("the check of links: %s", error)
    log.info("the check of links: %s", " ".join(said.getvalue().split()))


@worker_init.connect
def load_the_crawl(**_: Any) -> None:
    """Once, before the worker's processes are forked, so that they share it."""
    runner.load()


class RingAgain(bootsteps.StartStopStep):
    """Every worker sees to it, after each (re)connection and then once a lease, that no job is overlooked: it needs
    neither beat nor somebody who watches the job's page."""

    requires = {"celery.worker.consumer.tasks:Tasks"}

    def start(self, consumer: Any) -> None:
        self._ask()
        self.timer = consumer.timer.call_repeatedly(settings.SCRAPE_LEASE_SECONDS, self._ask)

    def stop(self, consumer: Any) -> None:
        self.timer.cancel()

    def _ask(self) -> None:
        try:
            ring_again.apply_async(retry=False)
        except (OperationalError, OSError) as error:
            log.warning("the broker did not answer: %s", error)


app.steps["consumer"].add(RingAgain)
