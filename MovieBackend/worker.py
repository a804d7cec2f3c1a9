"""Run `manage.py scrape_worker` with only the apps that a scrape needs, which halves its start-up time."""

from __future__ import annotations

import gc
import os
import sys

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import load_command_class
from django.utils.module_loading import import_string

from MovieBackend.private_files import start_private

REQUIRED_APPS = ("django.contrib.auth", "django.contrib.contenttypes", "streaming")


def main() -> int:
    """Run the command; report an invalid setting in one line, like `manage.py`."""
    start_private()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "MovieBackend.settings")
    # Imported objects stay; garbage collection among them would take a tenth of the start-up time.
    gc.disable()
    try:
        settings.INSTALLED_APPS = list(REQUIRED_APPS)
        django.setup()
        import_string(settings.SCRAPE_CRAWL)
    except ImproperlyConfigured as error:
        print(f"openreel: {error}", file=sys.stderr)
        return 1
    gc.enable()
    load_command_class("streaming", "scrape_worker").run_from_argv(["worker", "scrape_worker", *sys.argv[1:]])
    return 0


if __name__ == "__main__":
    sys.exit(main())
