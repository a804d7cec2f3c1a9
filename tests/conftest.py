"""What all tests have in common. In CI a skipped test is a failure: there everything is installed."""

from __future__ import annotations

import gc
import locale
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache, caches
from django.db import connection

from streaming.api.response_bodies import list_bodies, movie_bodies
from tests.helpers.external_services import drop_postgres_templates
from tests.helpers.process_info import started_processes

SECONDS = {"slow": 1.0, "browser": 4.0, "postgres": 2.0, "broker": 10.0}
"""About how long a test with this marker takes, unless it states it: `pytest.mark.slow(seconds=100)`."""
MARKERS = tuple(SECONDS)
PROCESS_EVENTS = frozenset({"subprocess.Popen", "os.fork", "os.posix_spawn"})
LIBRARY_FINDERS = frozenset({"ldconfig", "gcc", "ld"})
"""What `ctypes.util.find_library` runs, in whichever test first imports a module that wants a C library."""


def _note_processes(event: str, args: tuple[Any, ...]) -> None:
    if event in PROCESS_EVENTS and not (args and Path(str(args[0])).name in LIBRARY_FINDERS):
        started_processes.append(f"{event} {args[:2]}")


sys.addaudithook(_note_processes)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the files that take longest first: a core takes one file at a time, and one must not get a long one last.

    The tests of what only another database has are left out.
    """
    foreign = "several_writers" if connection.vendor == "sqlite" else "sqlite"
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker(foreign)])
    items[:] = [item for item in items if not item.get_closest_marker(foreign)]
    seconds: Counter[Path] = Counter()
    for item in items:
        seconds[item.path] += _expected_seconds(item)
    items.sort(key=lambda item: -seconds[item.path])


def _expected_seconds(item: pytest.Item) -> float:
    marks = [mark for name in MARKERS if (mark := item.get_closest_marker(name))]
    return max((float(mark.kwargs.get("seconds", SECONDS[mark.name])) for mark in marks), default=0.02)


def pytest_collection_finish() -> None:
    """Keep what was collected out of the garbage collector, which would walk through it again and again."""
    gc.collect()
    gc.freeze()


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
    """Throttles, cached answers and exports of one test are not the next one's."""
    cache.clear()
    caches["captions"].clear()
    list_bodies.clear()
    movie_bodies.clear()
    shutil.rmtree(settings.EXPORT_DIR, ignore_errors=True)


@pytest.fixture(autouse=True)
def no_supervisor(request: pytest.FixtureRequest, settings: Any) -> None:
    """A click on a job that waits for long wakes a supervisor; in tests without a marker there is none to wake."""
    if not any(request.node.get_closest_marker(name) for name in MARKERS):
        settings.SCRAPE_NOTIFIER = "tests.helpers.notifications.silent"


# Names of days and months that no other locale has, so that a text which shows one gives itself away.
FOREIGN_NAMES = "Qq"
LOCALE_SOURCE = f"""comment_char %
escape_char /
LC_TIME
abday {";".join([f'"{FOREIGN_NAMES}"'] * 7)}
day {";".join([f'"{FOREIGN_NAMES}"'] * 7)}
abmon {";".join([f'"{FOREIGN_NAMES}"'] * 12)}
mon {";".join([f'"{FOREIGN_NAMES}"'] * 12)}
d_t_fmt "%d"
d_fmt "%d"
t_fmt "%T"
am_pm "";""
t_fmt_ampm ""
END LC_TIME
"""


@pytest.fixture
def foreign_locale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A process whose C library names days and months in no English; gives the name that it has for all of them."""
    (tmp_path / "source").write_text(LOCALE_SOURCE, encoding="ascii")
    command = ["localedef", "-c", "-i", tmp_path / "source", "-f", "ANSI_X3.4-1968", tmp_path / "qq_QQ"]
    # It exits with 1 for the categories that the source does not have.
    subprocess.run(command, check=False, capture_output=True)
    monkeypatch.setenv("LOCPATH", str(tmp_path))
    before = locale.setlocale(locale.LC_TIME)
    locale.setlocale(locale.LC_TIME, "qq_QQ")
    yield FOREIGN_NAMES
    locale.setlocale(locale.LC_TIME, before)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for reason in sorted({report.longrepr[2] for report in terminalreporter.getreports("skipped")}):
        terminalreporter.write_line(f"skipped: {reason}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and exitstatus == 0 and reporter is not None and reporter.getreports("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure() -> None:
    drop_postgres_templates()
