"""Export the catalogue to a file or a folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from streaming.exchange import csv, jsonl, loader, m3u, strm
from streaming.exchange.entries import MovieEntry
from streaming.management.base import OpenreelCommand
from streaming.management.garbage import rare_garbage_collection


def _m3u_lines(entries: Iterable[MovieEntry]) -> Iterator[str]:
    return m3u.write_m3u(entries, site=settings.SITE_URL)


WRITERS: dict[str, Callable[[Iterable[MovieEntry]], Iterator[str]]] = {
    "jsonl": jsonl.write_jsonl,
    "csv": csv.write_csv,
    "m3u": _m3u_lines,
}
COMPLETE_FORMATS = ("jsonl", "csv")
FORMAT_BY_ENDING = {".csv": "csv", ".m3u": "m3u", ".m3u8": "m3u"}


class Command(OpenreelCommand):
    help = (
        "Export the catalogue. jsonl and csv contain all links, and jsonl can be imported again; m3u and strm contain "
        "the working links that players can open. strm writes a folder with one file per movie."
    )
    example = "python manage.py export_catalogue catalogue.jsonl"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", metavar="FILE", nargs="?", default="-", help="file or folder; default: standard output (-)"
        )
        parser.add_argument(
            "--format",
            choices=("jsonl", "m3u", "strm", "csv"),
            help="default: by the ending of FILE (.csv, .m3u, .m3u8), otherwise jsonl",
        )

    def handle(self, *, file: str, format: str | None, **options: Any) -> None:  # noqa: A002 - the option's name
        format = format or FORMAT_BY_ENDING.get(Path(file).suffix.lower(), "jsonl")  # noqa: A001
        entries = loader.load_entries(active_only=format not in COMPLETE_FORMATS)
        try:
            with rare_garbage_collection():
                self._write(file, format, entries)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror or error}.") from None

    def _write(self, file: str, format: str, entries: Iterable[MovieEntry]) -> None:  # noqa: A002
        if format == "strm":
            self._write_folder(file, entries)
        elif file == "-":
            self.stdout.ending = ""
            for line in WRITERS[format](entries):
                self.stdout.write(line)
        else:
            self._write_file(Path(file), WRITERS[format](entries))

    def _write_file(self, path: Path, lines: Iterable[str]) -> None:
        """Write to a temporary file and rename it at the end, so that no reader sees half a catalogue."""
        if path.is_dir():
            raise CommandError(f"{path}: Is a directory.")
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as temporary:
            try:
                temporary.writelines(lines)
                os.chmod(temporary.name, 0o644)
                os.replace(temporary.name, path)
            except BaseException:
                os.unlink(temporary.name)
                raise
        self.stderr.write(f"Written: {path}")

    def _write_folder(self, file: str, entries: Iterable[MovieEntry]) -> None:
        if file == "-":
            raise CommandError("strm writes many files: name a folder.")
        folder = Path(file)
        folder.mkdir(parents=True, exist_ok=True)
        written = 0
        for name, content in strm.write_strm(entries):
            (folder / name).write_text(content, encoding="utf-8")
            written += 1
        self.stderr.write(f"Written: {written} files in {folder}")
