"""Restores of backups, which lost the changes between the backup and the restore."""

from __future__ import annotations

from django.db import models


class RestoredBackup(models.Model):
    """A restore, which put back the state of `made_at`, when the last number of the sequence of changes was
    `last_number`.

    The sequence continues after `jumped_to`, which is higher than any number given before the restore. So a cursor of a
    mirror between the two is of changes that this database does not have.
    """

    made_at = models.DateTimeField()
    restored_at = models.DateTimeField()
    last_number = models.PositiveBigIntegerField()
    jumped_to = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"Backup of {self.made_at:%Y-%m-%d %H:%M}, restored at {self.restored_at:%Y-%m-%d %H:%M}"
