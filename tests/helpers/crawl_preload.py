"""Modules imported by the fork server of `crawl_process` in advance; without threads and database connections."""

from __future__ import annotations

import gc
import importlib

import django

django.setup()
for name in ("pytest_socket", "streaming.scraping.crawling.job_crawl", "tests.helpers.crawl_process"):
    importlib.import_module(name)
# The forks have these objects in common: the garbage collector would write into each, and so copy it.
gc.freeze()
