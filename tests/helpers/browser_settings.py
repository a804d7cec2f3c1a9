"""Settings of the site that the browser visits: those of production, with its static files in a folder of the test."""

from __future__ import annotations

import os
from pathlib import Path

from MovieBackend.settings import *  # noqa: F403

STATIC_ROOT = Path(os.environ["OPENREEL_STATIC_ROOT"])
