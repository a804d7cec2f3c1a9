"""The environment in which `make run` and `make test` install the project, for those who start it without."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ENVIRONMENT = Path(__file__).absolute().parent.parent / ".venv"
MISSING = (
    "openreel: this Python has no Django, and there is no .venv here. "
    "`make install` creates one; then this command finds it by itself."
)


def use_own_environment() -> None:
    """Start this script again with the Python of `.venv`; without one, end with a sentence."""
    python = ENVIRONMENT / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.is_file():
        sys.exit(MISSING)
    if Path(sys.executable) != python:  # If it is, Django is missing there too, and Python says so.
        os.execv(python, [str(python), *sys.argv])  # noqa: S606  our own Python, without a shell
