"""Settings of a test's machine that tells the servers it asks which one it is."""

from __future__ import annotations

import os

from tests.settings import *  # noqa: F403

USER_AGENT = f"Openreel/tests (+{os.environ.get('MACHINE', 'here')})"
LOG_LEVEL = "INFO"
