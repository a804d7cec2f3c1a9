"""The Celery application that `celery -A MovieBackend worker` and `... beat` load; needs CELERY_BROKER_URL."""

from __future__ import annotations

import os

from celery import Celery
from celery.schedules import crontab
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from MovieBackend.private_files import start_private, tighten_and_report

start_private()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "MovieBackend.settings")
try:
    if not settings.CELERY_BROKER_URL:
        raise ImproperlyConfigured("CELERY_BROKER_URL is not set, and Celery needs a broker")
except ImproperlyConfigured as error:
    # `celery -A` would print a traceback; exiting is the only way to print one line.
    raise SystemExit(f"openreel: {error}") from None

tighten_and_report(settings.VAR_DIR, str(settings.DATABASES["default"]["NAME"]))

# An attempt may last SCRAPE_TIMEOUT, and one task makes all attempts of a job whose process dies.
TASK_TIME_LIMIT_SECONDS = settings.SCRAPE_MAX_ATTEMPTS * (settings.SCRAPE_TIMEOUT + 5) + 20
BROKER_CONNECT_TIMEOUT_SECONDS = 2
# How long to wait for a broker that accepts connections but does not respond.
BROKER_TIMEOUT_SECONDS = 2
IS_RABBITMQ = settings.CELERY_BROKER_URL.startswith("amqp")

app = Celery("openreel", broker=settings.CELERY_BROKER_URL)
app.conf.update(
    imports=["streaming.tasks"],
    task_queues={"scrape": {}, "health": {}},
    task_default_queue="scrape",
    task_routes={"streaming.tasks.check_*": {"queue": "health"}},
    task_ignore_result=True,
    # RabbitMQ: a message is acknowledged after its work, so that the broker redelivers those of a dead worker; the
    # job's row prevents a second run. Redis redelivers nothing for an hour, and a worker with an unacknowledged message
    # dies when Redis restarts (observed with kombu 5.7), so there only the row's lease recovers a job.
    task_acks_late=IS_RABBITMQ,
    task_reject_on_worker_lost=IS_RABBITMQ,
    # Fetch no message before it can be run: another machine may be idle.
    worker_prefetch_multiplier=1,
    worker_disable_prefetch=not IS_RABBITMQ,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    broker_connection_timeout=BROKER_CONNECT_TIMEOUT_SECONDS,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options=(
        # RabbitMQ confirms messages; without that a broken connection loses them silently.
        {"confirm_publish": True}
        if IS_RABBITMQ
        else {
            "socket_connect_timeout": BROKER_CONNECT_TIMEOUT_SECONDS,
            "socket_timeout": BROKER_TIMEOUT_SECONDS,
            "socket_keepalive": True,
        }
    ),
    beat_schedule={
        "check links": {
            "task": "streaming.tasks.check_links",
            "schedule": crontab(minute="0"),
            # Drop messages that no worker took within the hour: after a day without workers one check is enough.
            "options": {"expires": 3600},
        }
    },
    beat_schedule_filename=str(settings.VAR_DIR / "beat"),
)
