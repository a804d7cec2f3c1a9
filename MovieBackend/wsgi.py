"""The WSGI application."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connections

from MovieBackend.private_files import start_private, tighten_and_report

start_private()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "MovieBackend.settings")

POOL_TIMEOUT_SECONDS = 20.0
POOL_MAX_IDLE_SECONDS = 60.0


def enable_connection_pool() -> None:
    """Give the threads of this process a pool of a few PostgreSQL connections.

    The pool opens with the first query, so each process that the server forks has its own.
    """
    database = connections.settings["default"]
    if database["ENGINE"] != "django.db.backends.postgresql":
        return
    database["CONN_MAX_AGE"] = 0
    database["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": settings.DATABASE_POOL,
        "timeout": POOL_TIMEOUT_SECONDS,
        "max_idle": POOL_MAX_IDLE_SECONDS,
    }


application = get_wsgi_application()
tighten_and_report(settings.VAR_DIR, str(settings.DATABASES["default"]["NAME"]))
enable_connection_pool()
