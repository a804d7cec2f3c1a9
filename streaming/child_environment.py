"""The environment of processes that this one starts."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from django.db import connection


def child_environment() -> dict[str, str]:
    """Return our environment with the database that this process uses, by an absolute path."""
    environment = dict(os.environ)
    if connection.vendor == "sqlite":
        environment["DATABASE_URL"] = f"sqlite:///{quote(str(Path(connection.settings_dict['NAME']).resolve()))}"
    return environment
