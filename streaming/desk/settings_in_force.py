"""The settings in force, for the page that superusers see: what the environment says, without secrets.

A value is hidden if its name says that it is a secret, or if it is in a file of its own. Of a URL only scheme, host and
port are shown: the rest may hold a password or a token.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from MovieBackend import env

SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|NOTIFY|WEBHOOK|HEARTBEAT|DSN")
URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s,]+", re.IGNORECASE)
HIDDEN = "••••••"
MAX_SHOWN_LENGTH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRow:
    """A setting as it is shown. `is_set`: the environment, or the file `var/env`, names it."""

    name: str
    value: str
    is_set: bool


def settings_in_force() -> list[SettingRow]:
    """All settings that this process has read, by name."""
    return [SettingRow(name=name, value=_shown(name), is_set=_is_set(name)) for name in env.names_read()]


def _is_set(name: str) -> bool:
    return bool(os.environ.get(name) or env.secret_file(name))


def _shown(name: str) -> str:
    if env.secret_file(name):
        return HIDDEN
    value = os.environ.get(name) or _default_text(name)
    if SECRET_NAME.search(name):
        return HIDDEN if value else ""
    return URL.sub(lambda found: _without_secrets(found[0]), value)[:MAX_SHOWN_LENGTH]


def _default_text(name: str) -> str:
    """The value that a setting has unless it is set; empty for one that has none."""
    value: Any = getattr(settings, name, "")
    if name.endswith("_RATE") and value:
        number, seconds = value
        return f"{number} in {seconds} s"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value) if isinstance(value, str | int | float | Path) else ""


def _without_secrets(url: str) -> str:
    """Scheme, host and port of a URL, and a sign that there was more."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return HIDDEN
    more = "/…" if parts.path.strip("/") or parts.query or parts.fragment else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{more}"
