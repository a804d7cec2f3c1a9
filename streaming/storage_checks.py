"""What is wrong with the disk, the cache and the folders of this machine, in sentences without paths."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.cache import caches

from MovieBackend.cache import CacheFailedError, FailOpenCache
from streaming import file_locks, integrity

log = logging.getLogger(__name__)

MIN_FREE_BYTES = 32 * 1024 * 1024


def storage_problems() -> list[str]:
    """Return a sentence for each thing that does not work; they are logged as well."""
    problems = [*_cache_problems(), *_folder_problems(), *_database_problems(), *_disk_problems()]
    for problem in problems:
        log.error("%s", problem)
    return problems


def _cache_problems() -> Iterator[str]:
    backend = caches["default"]
    if isinstance(backend, FailOpenCache):
        try:
            backend.require_working()
        except CacheFailedError as error:
            yield f"The cache does not work ({error}): pages are slower, and clicks are not counted."


def _folder_problems() -> Iterator[str]:
    try:
        os.close(file_locks.open_private(Path(settings.SCRAPE_DIR) / "throttle.lock", os.O_RDWR))
    except OSError as error:
        yield f"Nothing can be written to SCRAPE_DIR ({error.strerror}): scrapes may not start."


def _database_problems() -> Iterator[str]:
    if (file := integrity.database_file()) is None:
        return
    if (check := integrity.last_check()) and check.is_damaged:
        yield integrity.DAMAGED
    if file.exists() and not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)):
        yield "The database file cannot be written: nothing can be saved."


def _disk_problems() -> Iterator[str]:
    folder = Path(settings.VAR_DIR)
    if folder.exists() and (free := shutil.disk_usage(folder).free) < MIN_FREE_BYTES:
        yield f"The disk is nearly full: {free // 2**20} MiB are free."
