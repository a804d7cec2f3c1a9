"""A check for undefined names in templates: Django renders them as empty text, but logs them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.template import VariableDoesNotExist
from django.template.context import BaseContext

OUR_TEMPLATES = {path.name for path in (settings.BASE_DIR / "templates").glob("*.html")}
OPTIONAL_NAMES = {"oob", "position", "theme"}
"""Variables that a template may be rendered without, because what includes it, or the request, decides."""


class _LookupLog(logging.Handler):
    def __init__(self, failures: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self.failures = failures

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, VariableDoesNotExist) and _is_ours(record.args) and not _is_optional(*error.params):
            name, owner = error.params
            self.failures.append(f"{record.args[1]}: {name} of {type(owner).__name__}")  # type: ignore[index]  # a tuple


def _is_ours(args: Any) -> bool:
    return len(args) == 2 and str(args[1]).partition("#")[0] in OUR_TEMPLATES


def _is_optional(name: str, owner: object) -> bool:
    """An attribute of None or of nothing is empty on purpose; a variable may be absent if it is listed above."""
    return owner is None or owner == "" or (isinstance(owner, BaseContext) and name in OPTIONAL_NAMES)


@contextmanager
def failed_lookups() -> Iterator[list[str]]:
    """Collect the failed lookups of all our templates that are rendered in the block."""
    failures: list[str] = []
    logger, handler = logging.getLogger("django.template"), _LookupLog(failures)
    level, disabled = logger.level, logger.disabled
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.disabled = False
    try:
        yield failures
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.disabled = disabled
