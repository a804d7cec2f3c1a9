"""The history of links: when each was turned on or off."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class LinkFlip(models.Model):
    """A change of a link's `is_active`, to the value stored here. A check that changes nothing leaves no row."""

    link = models.ForeignKey("streaming.StreamingLink", on_delete=models.CASCADE, related_name="flips")
    at = models.DateTimeField(default=timezone.now)
    is_active = models.BooleanField()
    reason = models.CharField(max_length=40)

    class Meta:
        indexes = [models.Index(fields=["-at"], name="flip_by_time")]

    def __str__(self) -> str:
        return f"{'revived' if self.is_active else 'died'}: {self.reason}"
