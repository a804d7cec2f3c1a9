"""Import movies and links from a file."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from streaming.exchange import import_files
from streaming.exchange.csv_import import DEFAULT_SOURCE
from streaming.exchange.film_lists import InvalidList
from streaming.exchange.importer import ImportReport, import_lines
from streaming.exchange.jsonl import InvalidLine, ValidLine
from streaming.management.arguments import slug_argument
from streaming.management.base import OpenreelCommand
from streaming.management.garbage import rare_garbage_collection

Reader = Callable[[], Iterator[ValidLine | InvalidLine]]
MAX_MEMORY_BYTES = 8 * 1024 * 1024


class Command(OpenreelCommand):
    help = (
        "Import movies and links from a file of JSON lines, one movie per line, from CSV, an M3U playlist or a folder "
        "of .strm files. Known movies get new links and missing fields; other fields stay. Entries that name no IMDb "
        "id are looked for in the catalogue by title and year. Invalid lines, entries whose film is not known, and "
        "invalid links and facts of valid lines are reported and skipped, and the exit status is 1."
    )
    example = "python manage.py import_catalogue catalogue.jsonl"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the file or folder, or - for standard input")
        parser.add_argument(
            "--format", choices=import_files.FORMATS, help="by default from the name: .csv, .m3u, .m3u8, a folder"
        )
        parser.add_argument(
            "--source",
            type=slug_argument,
            metavar="SLUG",
            help=f"source of links for which the file states none (default {DEFAULT_SOURCE}; in JSON lines they are "
            "invalid by default)",
        )
        parser.add_argument("--strict", action="store_true", help="import nothing if any line or link is invalid")

    def handle(self, *, file: str, strict: bool, source: str | None, **options: Any) -> str:
        form = options["format"] or import_files.format_of(file)
        with _opened(file, form, source or "", is_read_twice=strict) as read, rare_garbage_collection():
            report = self._import_all_or_nothing(read) if strict else self._import(read)
        if report.skipped:
            raise CommandError(f"{report.summary} Skipped: {report.skipped}.")
        return report.summary

    def _import_all_or_nothing(self, read: Reader) -> ImportReport:
        self._require_valid(read)
        return self._import(read)

    def _require_valid(self, read: Reader) -> None:
        invalid = 0
        for line in read():
            if isinstance(line, InvalidLine) or line.refused:
                invalid += 1
                self._write_report(line)
        if invalid:
            raise CommandError(f"Nothing was imported: {invalid} invalid lines.")

    def _import(self, read: Reader) -> ImportReport:
        with tqdm(unit=" lines", delay=2, leave=False, disable=None, file=sys.stderr) as bar:
            return import_lines(
                read(), on_invalid=self._write_report, on_progress=lambda done: bar.update(done - bar.n) and None
            )

    def _write_report(self, line: InvalidLine | ValidLine) -> None:
        for reason in (line.reason,) if isinstance(line, InvalidLine) else line.refused:
            tqdm.write(f"line {line.number}: {reason}", file=self.stderr._out)


@contextmanager
def _opened(file: str, form: str, source: str, *, is_read_twice: bool) -> Iterator[Reader]:
    """Yield a function that reads the lines, from the start each time if they are read twice."""
    allowed = settings.ALLOW_PRIVATE_HOSTS
    if form == "strm":
        if not Path(file).is_dir():
            raise CommandError(f"{file}: not a folder of .strm files.")
        if next(Path(file).rglob("*.strm"), None) is None:
            raise CommandError(f"{file}: there is no .strm file in this directory.")
        yield lambda: import_files.read_library(Path(file), source=source, allowed=allowed)
        return
    with _open(file) as stream, _rereadable(stream) if is_read_twice else nullcontext(stream) as text:

        def read() -> Iterator[ValidLine | InvalidLine]:
            if is_read_twice:
                text.seek(0)
            try:
                return import_files.read_lines(text, form, source=source, allowed=allowed)
            except InvalidList:
                raise CommandError(f"{file}: not a text file.") from None

        yield read


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
