"""Lines with the time at which they were written, for logs of commands that run by themselves."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import IO


class DatedLines(io.TextIOBase):
    """A stream that begins each line with the time in UTC and writes it at once."""

    def __init__(self, stream: IO[str]) -> None:
        super().__init__()
        self.stream, self.is_line_start = stream, True

    def write(self, text: str) -> int:
        for line in text.splitlines(keepends=True):
            date = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ} " if self.is_line_start and line.strip() else ""
            self.stream.write(f"{date}{line}")
            self.is_line_start = line.endswith("\n")
        self.stream.flush()
        return len(text)

    def flush(self) -> None:
        self.stream.flush()
