"""Run a function in a forked child: Twisted's reactor starts once a process, and the tests' own stays without."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connections


@dataclass(frozen=True)
class Told:
    """What the child gave back and wrote; `broke` is its traceback, empty when all went well."""

    value: Any
    log: str
    broke: str


def in_child(
    deed: Callable[..., Any], *args: Any, seconds: float = 30, meanwhile: Callable[[], None] | None = None
) -> Told:
    """`meanwhile` runs here, once the child has been forked."""
    connections.close_all()
    with tempfile.TemporaryFile() as log, tempfile.TemporaryFile() as answer:
        pid = os.fork()
        if pid == 0:
            _live(deed, args, log.fileno(), answer)
        if meanwhile is not None:
            meanwhile()
        _wait(pid, seconds)
        log.seek(0)
        answer.seek(0)
        raw = answer.read()
        value, broke = pickle.loads(raw) if raw else (None, "the child died")
        return Told(value, log.read().decode(), broke)


def _live(deed: Callable[..., Any], args: Any, log: int, answer: Any) -> None:
    value, broke = None, ""
    try:
        os.dup2(log, 1)
        os.dup2(log, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("{levelname} {name}: {message}", style="{"))
        logging.getLogger().handlers = [handler]
        value = deed(*args)
    except BaseException:  # noqa: BLE001 (whatever it was, the parent is told)
        broke = traceback.format_exc()
    try:
        answer.write(pickle.dumps((value, broke)))
        answer.flush()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(0)


def _wait(pid: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    while os.waitpid(pid, os.WNOHANG)[0] == 0:
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return
        time.sleep(0.005)
