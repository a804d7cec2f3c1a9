"""`python -m MovieBackend.worker`: `manage.py scrape_worker` with only what a search needs, so that the first one comes
sooner: without the admin, the API and the pages it starts in half the time.
"""

from __future__ import annotations

import gc
import os
import sys

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import load_command_class
from django.utils.module_loading import import_string

REQUIRED_APPS = ("django.contrib.auth", "django.contrib.contenttypes", "streaming")


def main() -> int:
    """Run the command; a wrong setting ends in one sentence, as in `manage.py`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "MovieBackend.settings")
    # What is imported stays: looking for garbage among it meanwhile takes a tenth of the time.
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
