"""When a host may be asked next, over all processes and machines that ask it."""

from __future__ import annotations

from django.db import models


class HostGate(models.Model):
    """`next_at` is the database's time: machines need not agree on the hour to keep their distance."""

    host = models.CharField(max_length=255, primary_key=True)
    next_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.host
