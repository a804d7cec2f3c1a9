"""What all tests share. In CI a skipped test is a failure: there everything is installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

MARKERS = ("slow", "browser", "postgres", "broker")
PROCESS_EVENTS = frozenset({"subprocess.Popen", "os.fork", "os.posix_spawn"})
LIBRARY_FINDERS = frozenset({"ldconfig", "gcc", "ld"})
"""What `ctypes.util.find_library` runs, in whichever test first imports a module that wants a C library."""
started_processes: list[str] = []


def _note_processes(event: str, args: tuple[Any, ...]) -> None:
    if event in PROCESS_EVENTS and not (args and Path(str(args[0])).name in LIBRARY_FINDERS):
        started_processes.append(f"{event} {args[:2]}")


sys.addaudithook(_note_processes)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    started_processes.clear()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """A test that starts processes does not belong to `make test-fast`."""
    if started_processes and not any(item.get_closest_marker(name) for name in MARKERS):
        pytest.fail(f"it starts a process and has no marker `slow`: {started_processes[0]}", pytrace=False)


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Throttles and cached answers of one test are not the next one's."""
    cache.clear()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for reason in sorted({report.longrepr[2] for report in terminalreporter.getreports("skipped")}):
        terminalreporter.write_line(f"skipped: {reason}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and exitstatus == 0 and reporter is not None and reporter.getreports("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
