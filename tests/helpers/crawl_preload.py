"""What the helper that forks (see `forked.py`) has at hand before it does; it starts no thread and asks no database."""

from __future__ import annotations

import importlib

import django

django.setup()
for name in ("pytest_socket", "streaming.scraping.crawling.job_crawl", "tests.helpers.crawl_process"):
    importlib.import_module(name)
