"""What the tests of the way in share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from django.db import connection


@pytest.fixture
def meanwhile() -> Callable[[str, Callable[[], object]], AbstractContextManager[None]]:
    """`with meanwhile(words, deed):` somebody else does `deed` just before the first SELECT that holds these words."""

    @contextmanager
    def interrupting(words: str, deed: Callable[[], object]) -> Iterator[None]:
        waiting = [deed]

        def wrapper(execute: Any, sql: str, *rest: Any) -> Any:
            if waiting and sql.startswith("SELECT") and words in sql:
                waiting.pop()()
            return execute(sql, *rest)

        with connection.execute_wrapper(wrapper):
            yield
        assert not waiting, "nothing was asked with these words"

    return interrupting
