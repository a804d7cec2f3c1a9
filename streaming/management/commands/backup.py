"""Save the whole database to one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from streaming.backup.backup_file import BackupError
from streaming.backup.create import create_backup
from streaming.backup.restoration import describe_all
from streaming.management.base import OpenreelCommand


class Command(OpenreelCommand):
    help = (
        "Save the whole database to FILE while it is in use, and check what was written. The file is an SQLite "
        "database; `restore` puts it into SQLite or PostgreSQL."
    )
    example = "python manage.py backup openreel-backup.sqlite3"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="where to write; an older backup of that name is replaced")

    def handle(self, *, file: str, **options: Any) -> str:
        if file == "-":
            raise CommandError("A backup is checked after it was written, so it needs a FILE.")
        try:
            manifest = create_backup(Path(file), now=timezone.now())
        except BackupError as error:
            raise CommandError(f"{error}.") from None
        rows = {name: digest.rows for name, digest in manifest.tables.items()}
        return f"Saved to {file}, and checked: {describe_all(rows)}."
