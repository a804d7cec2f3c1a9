"""Import of an uploaded file of JSON lines, as `import_catalogue` does it, or a check that saves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from streaming.exchange import jsonl
from streaming.exchange.importer import ImportReport, check_lines, import_lines
from streaming.exchange.jsonl import InvalidLine, ValidLine
from streaming.formatting import display_text
from streaming.models import Movie
from streaming.write_log import log_changed

PERMISSIONS = ("streaming.add_movie", "streaming.change_movie", "streaming.add_streaminglink")
"""All of them: an import adds movies and links, and fills in what known movies lack."""
MAX_BYTES = 1000 * 1000
"""A little less than a body of staff may have (`MAX_STAFF_BODY_BYTES`); such a file is imported within seconds."""
MAX_ERRORS_SHOWN = 100


class UploadForm(forms.Form):
    """A file of JSON lines."""

    file = forms.FileField(
        label=gettext_lazy("File of JSON lines"), widget=forms.FileInput(attrs={"accept": ".jsonl,.ndjson,.json"})
    )

    def clean_file(self) -> UploadedFile[bytes]:
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > MAX_BYTES:
            raise forms.ValidationError(gettext_lazy("The file is larger than 1 MB: use the command."))
        return file


@dataclass(slots=True)
class UploadResult:
    """What became of a file: counts, and the first errors with their lines."""

    is_saved: bool
    report: ImportReport = field(default_factory=ImportReport)
    errors: list[tuple[int, str]] = field(default_factory=list)
    more_errors: int = 0

    def add_errors(self, line: InvalidLine | ValidLine) -> None:
        for reason in (line.reason,) if isinstance(line, InvalidLine) else line.refused:
            if len(self.errors) < MAX_ERRORS_SHOWN:
                self.errors.append((line.number, reason))
            else:
                self.more_errors += 1


def may_import(request: HttpRequest) -> bool:
    """Whether this account may do all that an import does."""
    return request.user.has_perms(PERMISSIONS)


def take_upload(request: HttpRequest, file: UploadedFile[bytes]) -> UploadResult:
    """Check the file, or import it if the button for that was pressed; an import is logged before it begins."""
    result = UploadResult(is_saved="import" in request.POST)
    if not result.is_saved:
        result.report = check_lines(_lines(file), on_invalid=result.add_errors)
        return result
    name = display_text(file.name or "", max_length=100)
    log_changed(request.user, Movie(title=f"Import of {name}"), note="Started an import of an uploaded file.")
    result.report = import_lines(_lines(file), on_invalid=result.add_errors, on_progress=lambda done: None)
    return result


def _lines(file: UploadedFile[bytes]) -> Iterator[ValidLine | InvalidLine]:
    readline = cast(BinaryIO, file).readline
    return jsonl.parse_lines(jsonl.numbered_lines(readline), allowed=settings.ALLOW_PRIVATE_HOSTS)
