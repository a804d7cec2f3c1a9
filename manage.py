#!/usr/bin/env python
"""Run administrative commands."""

from __future__ import annotations

import os
import sys

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from MovieBackend.private_files import start_private


def main() -> int:
    """Run one command; report an invalid setting in one line, without a traceback."""
    start_private()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "MovieBackend.settings")
    try:
        if sys.argv[1:2] == ["makemigrations"]:
            django.setup()  # This command looks for models first, and would not say which setting is wrong.
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        print(f"openreel: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
