"""Counts of wrong passwords, one row for each account, client network and known device."""

from __future__ import annotations

from django.db import models


class LoginCounter(models.Model):
    """Log-ins that are being judged or failed since `opened_at`, for one `key`, a keyed hash.

    `opened_at` is by the database's clock, so the clocks of the machines may differ.
    """

    key = models.CharField(max_length=64, primary_key=True)
    attempts = models.PositiveIntegerField()
    opened_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["opened_at"], name="login_counter_by_age")]

    def __str__(self) -> str:
        return f"{self.attempts} log-ins since {self.opened_at:%Y-%m-%d %H:%M}"
