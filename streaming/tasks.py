"""Celery tasks for scrape jobs and link checks.

A message only says that work is waiting; the work itself is a row in the database. So a message that is lost, late or
delivered several times does no harm.
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

# The retry drops a connection that does not respond; without it publishing to RabbitMQ blocked forever (observed).
PUBLISH_OPTIONS = {
    "retry": True,
    "retry_policy": {"max_retries": 1, "interval_start": 0, "interval_step": 0},
    "confirm_timeout": BROKER_TIMEOUT_SECONDS,
}
CHECK_MAX_RUNTIME_MINUTES = 50
NOTIFICATION_EXPIRES_SECONDS = 3600
# Set for the processes that the worker forks.
shutdown_requested = multiprocessing.Event()


def notify_job(job_id: int) -> None:
    """Send a message for the job, at most once per lease however many pages poll it.

    A broker that is down is only logged: the job stays queued, and the next poll or worker notifies again.
    """
    cache_key = f"notified:{job_id}"
    if not cache.add(cache_key, True, settings.SCRAPE_LEASE_SECONDS):
        return
    try:
        run_job.apply_async((job_id,), **PUBLISH_OPTIONS)
    except (OperationalError, OSError) as error:
        cache.delete(cache_key)
        log.error("the broker did not accept job %s, which stays queued: %s", job_id, error)


@app.task(time_limit=TASK_TIME_LIMIT_SECONDS)
def run_job(job_id: int) -> None:
    """Run the most urgent queued job: usually this one, but clicks come before earlier requests by commands."""
    single_job.run_next_job()


@app.task(name="streaming.tasks.ring_again")
def renotify_overlooked_jobs() -> None:
    """Notify workers again of jobs whose message was lost or whose worker died."""
    try:
        job_ids = jobs.overlooked_jobs()
    except DatabaseError as error:
        log.warning("the database did not respond: %s", " ".join(str(error).split()))
        return
    for job_id in job_ids:
        notify_job(job_id)


def notify_check(run_id: int, *, times: int) -> None:
    """Ask this many workers to help with a check run; its coordinator asks again while shards are waiting."""
    try:
        for _ in range(times):
            check_shard.apply_async((run_id,), expires=NOTIFICATION_EXPIRES_SECONDS, **PUBLISH_OPTIONS)
    except (OperationalError, OSError) as error:
        log.error(
            "the broker did not accept a notification of check run %s, whose shards stay waiting: %s", run_id, error
        )


# Acknowledged at its start: it may last longer than a broker waits for that, and its coordinator notifies again.
@app.task(name="streaming.tasks.check_part", bind=True, acks_late=False, reject_on_worker_lost=False)
def check_shard(self: Any, run_id: int) -> None:
    """Check shards of a run until it ends, in one process of a worker only: the others stay free for scrape jobs."""
    node = str(self.request.hostname)
    with single_worker_lock(node) as acquired:
        if acquired:
            shard_worker.work_on_run(run_id, name=node, should_stop=shutdown_requested.is_set)


# Acknowledged at its start: an interrupted check resumes an hour later.
@app.task(acks_late=False, reject_on_worker_lost=False)
def check_links() -> None:
    """Check due links, once an hour by Celery's beat."""
    output = io.StringIO()
    try:
        call_command(
            "check_link_health",
            max_runtime=CHECK_MAX_RUNTIME_MINUTES,
            stdout=output,
            should_stop=shutdown_requested.is_set,
        )
    except CommandError as error:
        log.error("the link check failed: %s", error)
    log.info("link check: %s", " ".join(output.getvalue().split()))


@worker_shutting_down.connect
def request_shutdown(**_: Any) -> None:
    """Stop a check, which may last an hour, in good order; a shard in progress is requeued."""
    shutdown_requested.set()


@worker_init.connect
def preload_on_worker_init(**_: Any) -> None:
    """Import what crawls need before the worker forks its processes, so that it is in memory once."""
    single_job.preload_crawl()


class OverlookedJobsStep(bootsteps.StartStopStep):
    """Notify of overlooked jobs after each (re)connection and then once per lease.

    Every worker does so; neither beat nor a poll of the job's page is needed.
    """

    requires = {"celery.worker.consumer.tasks:Tasks"}

    def start(self, consumer: Any) -> None:
        self._publish()
        self.timer = consumer.timer.call_repeatedly(settings.SCRAPE_LEASE_SECONDS, self._publish)

    def stop(self, consumer: Any) -> None:
        self.timer.cancel()

    def _publish(self) -> None:
        try:
            renotify_overlooked_jobs.apply_async(**PUBLISH_OPTIONS)
        except (OperationalError, OSError) as error:
            log.warning("the broker did not respond: %s", error)


app.steps["consumer"].add(OverlookedJobsStep)
