"""Log lines stay lines: a title or a URL with a line feed or an escape sequence cannot forge a second one."""

from __future__ import annotations

import logging
import re

CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class SingleLineFormatter(logging.Formatter):
    """Escapes what breaks a line in the message; a traceback behind it keeps its lines, indented."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return CONTROL_CHARACTERS.sub(lambda match: ascii(match[0])[1:-1], super().formatMessage(record))

    def formatException(self, ei: object) -> str:
        return "\n".join(f"  {line}" for line in super().formatException(ei).splitlines())  # type: ignore[arg-type]
