"""The door for Celery. A message is a bell, the job's row is the job: a message that is lost, late or delivered twice
does no harm, and one that is delivered for ever ends with the row.
"""

from __future__ import annotations

import io
import logging
import multiprocessing
from typing import Any

from celery import bootsteps
from celery.signals import worker_init, worker_shutting_down
from django.conf import settings
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from kombu.exceptions import OperationalError

from MovieBackend.celery import BROKER_TIMEOUT_SECONDS, TASK_TIME_LIMIT_SECONDS, app
from streaming.health.distributed import shard_worker
from streaming.health.locks import single_worker_lock
from streaming.scraping import jobs
from streaming.scraping.supervisor import single_job

log = logging.getLogger(__name__)

# With the second try a connection on which nothing comes is dropped; without it RabbitMQ held us for ever (seen).
PUBLISH_OPTIONS = {
    "retry": True,
    "retry_policy": {"max_retries": 1, "interval_start": 0, "interval_step": 0},
    "confirm_timeout": BROKER_TIMEOUT_SECONDS,
}
CHECK_MAX_RUNTIME_MINUTES = 50
NOTIFICATION_EXPIRES_SECONDS = 3600
# Shared with the processes that a worker forks.
shutdown_requested = multiprocessing.Event()


def notify_job(job_id: int) -> None:
    """Send the job's message, at most once a lease however many pages watch. A broker that is down costs a log line:
    the job waits in its row, and the next watcher or worker rings again."""
    notified = f"rung:{job_id}"
    if not cache.add(notified, True, settings.SCRAPE_LEASE_SECONDS):
        return
    try:
        run_job.apply_async((job_id,), **PUBLISH_OPTIONS)
    except (OperationalError, OSError) as error:
        cache.delete(notified)
        log.error("the broker did not take job %s, which waits: %s", job_id, error)


@app.task(time_limit=TASK_TIME_LIMIT_SECONDS)
def run_job(job_id: int) -> None:
    """Run the most urgent job that waits: most often this one, but a click goes before what was asked for earlier."""
    single_job.run_next_job()


@app.task(name="streaming.tasks.ring_again")
def renotify_overlooked_jobs() -> None:
    """Ring for jobs that nobody has cared for in a while: their message was lost, or their worker has died."""
    try:
        waiting = jobs.overlooked_jobs()
    except DatabaseError as error:
        log.warning("the database did not answer: %s", " ".join(str(error).split()))
        return
    for job_id in waiting:
        notify_job(job_id)


def notify_check(run_id: int, *, times: int) -> None:
    """Tell so many workers that a run of the checker wants them. Whoever began it rings again while parts wait."""
    try:
        for _ in range(times):
            check_shard.apply_async((run_id,), expires=NOTIFICATION_EXPIRES_SECONDS, **PUBLISH_OPTIONS)
    except (OperationalError, OSError) as error:
        log.error("the broker did not take the bell of check %s, whose parts wait: %s", run_id, error)


# Taken off the queue when it begins: it may last longer than a broker waits for an answer, and is rung for again.
@app.task(name="streaming.tasks.check_part", bind=True, acks_late=False, reject_on_worker_lost=False)
def check_shard(self: Any, run_id: int) -> None:
    """Ask parts of a run until it is over; one process of a worker does, so that the others are there for searches."""
    node = str(self.request.hostname)
    with single_worker_lock(node) as alone:
        if alone:
            shard_worker.work_on_run(run_id, name=node, should_stop=shutdown_requested.is_set)


# Taken off the queue when it begins: a check that is cut short goes on with what is left an hour later.
@app.task(acks_late=False, reject_on_worker_lost=False)
def check_links() -> None:
    """What cron does every hour; beat asks for it."""
    said = io.StringIO()
    try:
        call_command(
            "check_link_health",
            max_runtime=CHECK_MAX_RUNTIME_MINUTES,
            stdout=said,
            should_stop=shutdown_requested.is_set,
        )
    except CommandError as error:
        log.error("the check of links: %s", error)
    log.info("the check of links: %s", " ".join(said.getvalue().split()))


@worker_shutting_down.connect
def request_shutdown(**_: Any) -> None:
    """A check may last an hour: it is broken off in good order, and who asks a part of one gives it back."""
    shutdown_requested.set()


@worker_init.connect
def preload_on_worker_init(**_: Any) -> None:
    """Once, before the worker's processes are forked, so that they share it."""
    single_job.preload_crawl()


class OverlookedJobsStep(bootsteps.StartStopStep):
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
            renotify_overlooked_jobs.apply_async(**PUBLISH_OPTIONS)
        except (OperationalError, OSError) as error:
            log.warning("the broker did not answer: %s", error)


app.steps["consumer"].add(OverlookedJobsStep)
