"""Format each log message as one line, so that a title or URL with a line feed cannot forge another entry."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime

CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class SingleLineFormatter(logging.Formatter):
    """Escape control characters in messages; the lines of a traceback are kept and indented."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return CONTROL_CHARACTERS.sub(lambda match: ascii(match[0])[1:-1], super().formatMessage(record))

    def formatException(self, ei: object) -> str:
        return "\n".join(f"  {line}" for line in super().formatException(ei).splitlines())  # type: ignore[arg-type]


class JsonFormatter(logging.Formatter):
    """One JSON object a line, in ASCII: what is no ASCII, and each control character, is escaped.

    `time` is in UTC; `exception`, the traceback, is only there if there is one.
    """

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)
