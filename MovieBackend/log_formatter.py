"""Format each log message as one line, so that a title or URL with a line feed cannot forge another entry."""

from __future__ import annotations

import logging
import re

CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class SingleLineFormatter(logging.Formatter):
    """Escape control characters in messages; the lines of a traceback are kept and indented."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return CONTROL_CHARACTERS.sub(lambda match: ascii(match[0])[1:-1], super().formatMessage(record))

    def formatException(self, ei: object) -> str:
        return "\n".join(f"  {line}" for line in super().formatException(ei).splitlines())  # type: ignore[arg-type]
