"""Settings of a machine in a test; its User-Agent names the machine."""

from __future__ import annotations

import os

from tests.settings import *  # noqa: F403

USER_AGENT = f"Openreel/tests (+{os.environ.get('MACHINE', 'here')})"
LOG_LEVEL = "INFO"
