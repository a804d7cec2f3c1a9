#!/usr/bin/env python
"""Run administrative commands, by the Python of the project's own environment if this one has no Django."""

from __future__ import annotations

import os
import sys

from MovieBackend.own_environment import use_own_environment

try:
    import django
except ModuleNotFoundError:
    use_own_environment()
    raise

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError

from MovieBackend.private_files import start_private


def main() -> int:
    """Run one command; report an invalid setting or a database that is away in one line, without a traceback."""
    start_private()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "MovieBackend.settings")
    try:
        if sys.argv[1:2] == ["makemigrations"]:
            django.setup()  # This command looks for models first, and would not say which setting is wrong.
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, OperationalError) as error:
        # Django's own commands report a database that is away, read-only or full by a traceback.
        print(f"openreel: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except PermissionError as error:
        print(f"openreel: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
