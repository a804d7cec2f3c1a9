"""Run a function in a process of its own: Twisted's reactor can start only once per process.

The process is forked with all imports done, but not from the process of the tests, whose threads (test servers, xdist)
may be in the middle of something. The worst case is an open SQLite connection of another thread: SQLite keeps its locks
in memory, and the kernel does not pass them to a fork. The copy believes that it has a lock which it has not, another
process removes the write-ahead log, and what the copy wrote is lost. So a fork server without threads and database
connections forks instead.
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
"""Values to replace in the process, by dotted name: `monkeypatch.setitem(PATCHES, "scraper.settings.X", 1)`.
Django's settings need no entry: the process uses those of the test."""


@dataclass(frozen=True)
class ProcessResult:
    """What the process returned and logged; `broke` is its traceback, empty if it raised nothing."""

    value: Any
    log: str
    broke: str


@dataclass(frozen=True)
class ProcessContext:
    """What the process needs to know about its test."""

    folder: Path
    database: str
    settings: dict[str, Any]
    changes: dict[str, Any]

    @property
    def begun(self) -> Path:
        """A file that exists once the function is running."""
        return self.folder / "begun"


def in_child(
    function: Callable[..., Any], *args: Any, seconds: float = 30, meanwhile: Callable[[], None] | None = None
) -> ProcessResult:
    """Return what the function gave in a process of its own; it and its arguments must be picklable.

    `meanwhile` runs in this process once the function is running; the process is killed after `seconds`.
    """
    with tempfile.TemporaryDirectory() as folder:
        context = ProcessContext(
            Path(folder), str(connection.settings_dict["NAME"]), _settings_of_the_test(), dict(PATCHES)
        )
        process = FORKSERVER.Process(target=_run, args=(context, function, args), daemon=True)
        process.start()
        if meanwhile is not None:
            _wait_until(lambda: context.begun.exists() or not process.is_alive())
            meanwhile()
        process.join(seconds)
        if process.is_alive():
            process.kill()
            process.join()
        process.close()
        log, answer = context.folder / "log", context.folder / "answer"
        value, broke = pickle.loads(answer.read_bytes()) if answer.exists() else (None, "the process died")
        return ProcessResult(value, log.read_text() if log.exists() else "", broke)


def _wait_until(happened: Callable[[], bool]) -> None:
    while not happened():
        time.sleep(0.005)


def _settings_of_the_test() -> dict[str, Any]:
    """Return the settings that tests and fixtures have overridden, the latest value of each."""
    stated: dict[str, Any] = {}
    layer = settings._wrapped
    while isinstance(layer, UserSettingsHolder):
        stated = {name: value for name, value in vars(layer).items() if name.isupper()} | stated
        layer = layer.default_settings
    return stated


def _run(context: ProcessContext, function: Callable[..., Any], args: Any) -> None:
    value, broke = None, ""
    try:
        _prepare(context)
        context.begun.touch()
        value = function(*args)
    except BaseException:  # noqa: BLE001 (the test asserts on the traceback)
        broke = traceback.format_exc()
    try:
        half = context.folder / "half"
        half.write_bytes(pickle.dumps((value, broke)))
        half.rename(context.folder / "answer")
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(0)


def _prepare(context: ProcessContext) -> None:
    """Set this process up as pytest does the process of the tests, with its output in a log file."""
    log = os.open(context.folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("{levelname} {name}: {message}", style="{"))
    logging.getLogger().handlers = [handler]
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", category=ResourceWarning, module="asyncio")
    pytest_socket.socket_allow_hosts(ALLOWED_HOSTS, allow_unix_socket=True)
    connection.settings_dict["NAME"] = context.database
    for name, value in context.settings.items():
        setattr(settings, name, value)
    for name, value in context.changes.items():
        pytest.MonkeyPatch().setattr(name, value)
