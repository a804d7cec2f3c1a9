"""What all tests share. In CI a skipped test is a failure: there everything is installed."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.core.cache import cache


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
