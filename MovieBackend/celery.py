"""Celery, for those who set CELERY_BROKER_URL: what `celery -A MovieBackend worker` and `... beat` load."""

from __future__ import annotations

import os

from celery import Celery
from celery.schedules import crontab
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "MovieBackend.settings")
try:
    if not settings.CELERY_BROKER_URL:
        raise ImproperlyConfigured("CELERY_BROKER_URL is not set: without a broker there is nothing for Celery to do")
except ImproperlyConfigured as error:
    # `celery -A` would show a traceback; leaving is the only way to say one sentence.
    raise SystemExit(f"openreel: {error}") from None

# One attempt may last SCRAPE_TIMEOUT, and a job whose process died is tried again in the same task.
TASK_TIME_LIMIT_SECONDS = settings.SCRAPE_MAX_ATTEMPTS * (settings.SCRAPE_TIMEOUT + 5) + 20
BROKER_CONNECT_TIMEOUT_SECONDS = 2
# A broker that is there and says nothing (frozen, out of memory or disk, behind a dead line) is waited for so long.
BROKER_TIMEOUT_SECONDS = 2
IS_RABBITMQ = settings.CELERY_BROKER_URL.startswith("amqp")

app = Celery("openreel", broker=settings.CELERY_BROKER_URL)
app.conf.update(
    imports=["streaming.tasks"],
    task_queues={"scrape": {}, "health": {}},
    task_default_queue="scrape",
    task_routes={"streaming.tasks.check_*": {"queue": "health"}},
    task_ignore_result=True,
    # A message is answered when its work is done, so a worker that dies gives it back; the job's row knows whether it
    # has been run meanwhile, and how often it may be tried. Redis gives nothing back for an hour, and a worker with an
    # unanswered message dies when Redis is restarted (kombu 5.7, seen): there the row's lease does it alone.
    task_acks_late=IS_RABBITMQ,
    task_reject_on_worker_lost=IS_RABBITMQ,
    # None is taken that cannot be begun: another machine may be idle.
    worker_prefetch_multiplier=1,
    worker_disable_prefetch=not IS_RABBITMQ,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    broker_connection_timeout=BROKER_CONNECT_TIMEOUT_SECONDS,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options=(
        # RabbitMQ says that it has the message; without that a connection that broke takes it in silence.
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
            # After a day without workers one check is enough: what nobody took within the hour is dropped.
            "options": {"expires": 3600},
        }
    },
    beat_schedule_filename=str(settings.VAR_DIR / "beat"),
)
