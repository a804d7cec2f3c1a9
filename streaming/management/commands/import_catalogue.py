"""Import movies and links from a file."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from streaming.exchange import jsonl
from streaming.exchange.importer import ImportReport, import_lines
from streaming.exchange.jsonl import InvalidLine, ValidLine
from streaming.management.base import OpenreelCommand
from streaming.management.garbage import rare_garbage_collection

MAX_MEMORY_BYTES = 8 * 1024 * 1024


class Command(OpenreelCommand):
    help = (
        "Import movies and links from a file of JSON lines, one movie per line. Known movies get new links and missing "
        "fields; other fields stay. Invalid lines, and invalid links and facts of valid lines, are reported and "
        "skipped, and the exit status is 1."
    )
    example = "python manage.py import_catalogue catalogue.jsonl"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the file, or - for standard input")
        parser.add_argument("--strict", action="store_true", help="import nothing if any line or link is invalid")

    def handle(self, *, file: str, strict: bool, **options: Any) -> str:
        with _open(file) as source, rare_garbage_collection():
            report = self._import_all_or_nothing(source) if strict else self._import(source)
        if report.skipped:
            raise CommandError(f"{report.summary} {report.skipped} were skipped.")
        return report.summary

    def _import_all_or_nothing(self, source: BinaryIO) -> ImportReport:
        with _rereadable(source) as text:
            self._require_valid(text)
            text.seek(0)
            return self._import(text)

    def _require_valid(self, text: BinaryIO) -> None:
        invalid = 0
        for line in _lines(text):
            if isinstance(line, InvalidLine) or line.refused:
                invalid += 1
                self._write_report(line)
        if invalid:
            raise CommandError(f"Nothing was imported: {invalid} invalid lines.")

    def _import(self, text: BinaryIO) -> ImportReport:
        with tqdm(unit=" lines", delay=2, leave=False, disable=None, file=sys.stderr) as bar:
            return import_lines(
                _lines(text), on_invalid=self._write_report, on_progress=lambda done: bar.update(done - bar.n) and None
            )

    def _write_report(self, line: InvalidLine | ValidLine) -> None:
        for reason in (line.reason,) if isinstance(line, InvalidLine) else line.refused:
            tqdm.write(f"line {line.number}: {reason}", file=self.stderr._out)


def _lines(text: BinaryIO) -> Iterator[ValidLine | InvalidLine]:
    return jsonl.parse_lines(jsonl.numbered_lines(text.readline), allowed=settings.ALLOW_PRIVATE_HOSTS)


@contextmanager
def _open(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        with open(file, "rb") as source:
            yield source
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror or error}.") from None


@contextmanager
def _rereadable(source: BinaryIO) -> Iterator[BinaryIO]:
    """Yield the source, or a copy if it cannot be read twice, such as a pipe."""
    if source.seekable():
        yield source
        return
    with tempfile.SpooledTemporaryFile(max_size=MAX_MEMORY_BYTES) as copy:
        shutil.copyfileobj(source, copy)
        copy.seek(0)
        yield copy  # type: ignore[misc]  # typeshed does not call it a BinaryIO
