"""Run a function in a process of its own: Twisted's reactor starts once a process, and the tests' own stays without.

The process is forked, with all imports warm, but never from the tests' process: a copy of that one would hold what its
threads had in hand (the servers of the tests, xdist's own). A thread that left a connection to SQLite behind is the
worst of it. SQLite keeps its locks in the process's memory and the kernel gives them to nobody's copy: the copy
believes in a lock that it does not hold, somebody else takes the write-ahead log away under its hands, and what it
wrote is lost. So a helper that has neither threads nor a database forks instead.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_socket
from django.conf import UserSettingsHolder, settings
from django.db import connection

FORKSERVER = multiprocessing.get_context("forkserver")
FORKSERVER.set_forkserver_preload(["tests.helpers.crawl_preload"])
ALLOWED_HOSTS = ["127.0.0.1", "::1", "localhost"]
PATCHES: dict[str, Any] = {}
"""What is to be another thing in the process, by dotted name: `monkeypatch.setitem(PATCHES, "scraper.settings.X", 1)`.
Django's settings need no word here, those of the test are the process's too."""


@dataclass(frozen=True)
class ProcessResult:
    """What the process gave back and wrote; `broke` is its traceback, empty when all went well."""

    value: Any
    log: str
    broke: str


@dataclass(frozen=True)
class Place:
    """What the process has to know of the test for which it works."""

    folder: Path
    database: str
    settings: dict[str, Any]
    changes: dict[str, Any]

    @property
    def begun(self) -> Path:
        """There once the process is at work."""
        return self.folder / "begun"


def in_child(
    job_callable: Callable[..., Any], *args: Any, seconds: float = 30, meanwhile: Callable[[], None] | None = None
) -> ProcessResult:
    """The deed and all that it is told have to be such as can be pickled. `meanwhile` runs here, once it is at work."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder), str(connection.settings_dict["NAME"]), _settings_of_the_test(), dict(PATCHES))
        process = FORKSERVER.Process(target=_live, args=(place, job_callable, args), daemon=True)
        process.start()
        if meanwhile is not None:
            _wait_until(lambda: place.begun.exists() or not process.is_alive())
            meanwhile()
        process.join(seconds)
        if process.is_alive():
            process.kill()
            process.join()
        process.close()
        log, answer = place.folder / "log", place.folder / "answer"
        value, broke = pickle.loads(answer.read_bytes()) if answer.exists() else (None, "the child died")
        return ProcessResult(value, log.read_text() if log.exists() else "", broke)


def _wait_until(happened: Callable[[], bool]) -> None:
    while not happened():
        time.sleep(0.005)


def _settings_of_the_test() -> dict[str, Any]:
    """What tests and fixtures have put in the place of Django's settings, the latest word of each."""
    stated: dict[str, Any] = {}
    layer = settings._wrapped
    while isinstance(layer, UserSettingsHolder):
        stated = {name: value for name, value in vars(layer).items() if name.isupper()} | stated
        layer = layer.default_settings
    return stated


def _live(place: Place, job_callable: Callable[..., Any], args: Any) -> None:
    value, broke = None, ""
    try:
        _settle(place)
        place.begun.touch()
        value = job_callable(*args)
    except BaseException:  # noqa: BLE001 (whatever it was, the parent is told)
        broke = traceback.format_exc()
    try:
        half = place.folder / "half"
        half.write_bytes(pickle.dumps((value, broke)))
        half.rename(place.folder / "answer")
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(0)


def _settle(place: Place) -> None:
    """Be to this process what pytest is to the tests', and write to the log."""
    log = os.open(place.folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("{levelname} {name}: {message}", style="{"))
    logging.getLogger().handlers = [handler]
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", category=ResourceWarning, module="asyncio")
    pytest_socket.socket_allow_hosts(ALLOWED_HOSTS, allow_unix_socket=True)
    connection.settings_dict["NAME"] = place.database
    for name, value in place.settings.items():
        setattr(settings, name, value)
    for name, value in place.changes.items():
        pytest.MonkeyPatch().setattr(name, value)
