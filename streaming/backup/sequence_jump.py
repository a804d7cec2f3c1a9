"""After a restore, mirrors that know lost changes start anew; the others go on as if nothing had happened."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db.models import F

from streaming.backup.backup_file import Manifest
from streaming.models import Change, RestoredBackup
from streaming.models.change import last_number

MAX_JUMP = 10**12


def jump_after_restore(manifest: Manifest, *, replaced_number: int, now: datetime) -> None:
    """Let the sequence of changes that was just restored continue after any number that was ever given.

    `replaced_number` is the last one of the database that the backup replaced. That may be a new database in place of
    one that is lost, so the jump is random and far beyond what that one can have given.
    """
    last = last_number()
    jumped_to = max(last, replaced_number) + 1 + secrets.randbelow(MAX_JUMP)
    if Change._meta.db_table not in manifest.tables:
        # A backup from before the sequence: its migration has just given numbers that other movies had, too.
        Change.objects.update(number=F("number") + jumped_to)
        last = 0
    made_at = datetime.fromisoformat(manifest.made_at)
    RestoredBackup.objects.create(made_at=made_at, restored_at=now, last_number=last, jumped_to=jumped_to)
