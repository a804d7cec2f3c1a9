"""Replace the database by a backup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from streaming import file_locks, integrity
from streaming.backup import restoration
from streaming.backup.backup_file import BackupError, Manifest
from streaming.management.base import OpenreelCommand
from streaming.scraping.supervisor import control


class Command(OpenreelCommand):
    help = (
        "Replace everything in the database by a file of `backup`, in one transaction. A damaged file, or one of a "
        "newer release, is refused. Stop the server first."
    )
    example = "python manage.py restore openreel-backup.sqlite3 --yes"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="a file that `backup` wrote")
        parser.add_argument("--yes", action="store_true", help="replace what is in the database now")

    def handle(self, *, file: str, yes: bool, **options: Any) -> str:
        try:
            manifest = restoration.check_backup(Path(file))
            self._prepare(manifest, confirmed=yes)
            rows = restoration.restore_backup(Path(file), manifest, now=timezone.now())
        except BackupError as error:
            raise CommandError(f"{error}.") from None
        return f"Restored: {restoration.describe_all(rows)}."

    def _prepare(self, manifest: Manifest, *, confirmed: bool) -> None:
        """Say what is replaced by what; raises `CommandError` unless that may be done."""
        if file_locks.is_locked(control.lock_path()):
            raise CommandError(
                "The worker for scrape jobs is running: stop the server, then `manage.py scrape_worker --stop`."
            )
        now = timezone.now()
        self.stdout.write(
            f"The backup of {manifest.made_at} (Openreel {manifest.version}, {manifest.engine}) has "
            f"{restoration.describe({name: digest.rows for name, digest in manifest.tables.items()})}."
        )
        if not confirmed and integrity.is_damaged():
            raise CommandError("The database is damaged. --yes renames it and restores the backup.")
        if damaged := restoration.rename_damaged_file(now=now):
            self.stderr.write(f"The database was damaged; it is now {damaged}.")
        restoration.require_idle(now=now)
        current = restoration.current_rows()
        if any(current.values()):
            self.stdout.write(f"It replaces what is in the database now: {restoration.describe(current)}.")
            if not confirmed:
                raise CommandError("Nothing was changed. Repeat the command with --yes to replace it.")
