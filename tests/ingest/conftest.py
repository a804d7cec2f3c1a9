"""Fixtures of the tests of ingest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from django.db import connection


@pytest.fixture
def before_select() -> Callable[[str, Callable[[], object]], AbstractContextManager[None]]:
    """`with before_select(text, action):` calls `action` just before the first SELECT that contains the text."""

    @contextmanager
    def interrupt(text: str, action: Callable[[], object]) -> Iterator[None]:
        pending = [action]

        def wrapper(execute: Any, sql: str, *rest: Any) -> Any:
            if pending and sql.startswith("SELECT") and text in sql:
                pending.pop()()
            return execute(sql, *rest)

        with connection.execute_wrapper(wrapper):
            yield
        assert not pending, "no SELECT contained this text"

    return interrupt
