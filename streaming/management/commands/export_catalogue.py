"""Export the catalogue to a file or a folder."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from streaming.exchange import csv, jsonl, library, loader, m3u, strm
from streaming.exchange.entries import MovieEntry
from streaming.exchange.library_folder import LibraryBusy, LibraryReport, write_library
from streaming.formatting import counted
from streaming.health.judging.removal import removal_allowance
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


def _any_number(*, movies: int, removed: int) -> int:
    return sys.maxsize


def _library_text(report: LibraryReport, folder: str) -> str:
    """What a run did, in a sentence."""
    kept = f"; {counted(report.kept, 'file')} changed by others kept" if report.kept else ""
    return (
        f"{counted(report.links, 'movie or episode', plural='movies and episodes')} in {folder}: "
        f"{counted(report.written, 'file')} written, {report.unchanged:,} unchanged, {report.removed:,} removed{kept}."
    )


class Command(OpenreelCommand):
    help = (
        "Export the catalogue. jsonl and csv contain all links, and jsonl can be imported again; m3u and strm contain "
        "the working links that players can open. strm writes a folder with one file per movie, library a folder for "
        "Jellyfin and Kodi: a second run changes only what has changed, and removes what has left the catalogue, but "
        "only as much at once as check_link_health removes (exit status 3 otherwise)."
    )
    example = "python manage.py export_catalogue catalogue.jsonl"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", metavar="FILE", nargs="?", default="-", help="file or folder; default: standard output (-)"
        )
        parser.add_argument(
            "--format",
            choices=("jsonl", "m3u", "strm", "library", "csv"),
            help="default: by the ending of FILE (.csv, .m3u, .m3u8), otherwise jsonl",
        )

        parser.add_argument("--force", action="store_true", help="remove from a library however much is gone")

    def handle(self, *, file: str, format: str | None, force: bool, **options: Any) -> None:  # noqa: A002 - the option
        format = format or FORMAT_BY_ENDING.get(Path(file).suffix.lower(), "jsonl")  # noqa: A001
        entries = loader.load_entries(active_only=format not in COMPLETE_FORMATS)
        try:
            with rare_garbage_collection():
                if format == "library":
                    self._write_library(file, entries, force=force)
                else:
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

    def _write_library(self, file: str, entries: Iterable[MovieEntry], *, force: bool) -> None:
        if file == "-":
            raise CommandError("library writes many files: name a folder.")
        movies = library.build_library(entries, site=settings.SITE_URL, site_name=settings.SITE_NAME)
        allowance = _any_number if force else removal_allowance
        try:
            report = write_library(movies, Path(file), now=timezone.now(), allowance=allowance)
        except LibraryBusy:
            raise CommandError(f"{file}: another run is writing this library.") from None
        self.stderr.write(_library_text(report, file))
        if report.withheld:
            raise CommandError(
                f"{report.lost} of {report.links + report.lost} movies and episodes are no longer in the catalogue, "
                "too many at once: nothing of them was removed. --force removes them.",
                returncode=3,
            )

    def _write_folder(self, file: str, entries: Iterable[MovieEntry]) -> None:
        if file == "-":
            raise CommandError("strm writes many files: name a folder.")
        folder = Path(file)
        folder.mkdir(parents=True, exist_ok=True)
        written = 0
        for name, content in strm.write_strm(entries):
            (folder / name).write_text(content, encoding="utf-8")
            written += 1
        self.stderr.write(f"Written: {counted(written, 'file')} in {folder}")
