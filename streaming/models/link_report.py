"""What visitors report about links: one row for each link and kind, with a count, so that a flood stays small."""

from __future__ import annotations

from datetime import datetime

from django.db import models, transaction
from django.db.models import F
from django.utils import timezone

MAX_NOTE_LENGTH = 300
MAX_NOTES = 10


class LinkReportQuerySet(models.QuerySet["LinkReport"]):
    """Queries about many reports."""

    def awaiting_review(self) -> LinkReportQuerySet:
        """Reports that nobody has looked at."""
        return self.filter(handled_at=None)

    def count_report(self, link_id: int, kind: str, *, note: str, now: datetime) -> LinkReport:
        """Count one report; one that was handled awaits review again, counted from one. Raises IntegrityError if the
        link is gone."""
        with transaction.atomic():
            report, is_new = self.select_for_update().get_or_create(
                link_id=link_id, kind=kind, defaults={"first_at": now, "last_at": now, "notes": [note] if note else []}
            )
            if is_new:
                return report
            notes = [*report.notes, note][-MAX_NOTES:] if note else report.notes
            if report.handled_at is None:
                self.filter(pk=report.pk).update(count=F("count") + 1, last_at=now, notes=notes)
            else:
                self.filter(pk=report.pk).update(count=1, first_at=now, last_at=now, handled_at=None, notes=notes)
        report.refresh_from_db()
        return report

    def mark_handled(self, *, now: datetime) -> int:
        """Take these reports from the review list; return how many awaited review."""
        return self.awaiting_review().update(handled_at=now)


class LinkReport(models.Model):
    """How often visitors reported one link for one reason.

    `notes`: their newest sentences, at most 10. `outcome`: what became of the newest report. `handled_at`: when staff
    took it from the review list; None: it awaits review.
    """

    class Kind(models.TextChoices):
        BROKEN = "broken", "Does not work"
        WRONG_FILM = "wrong_film", "Wrong film"
        UNWANTED = "unwanted", "Should not be here"
        PLAYBACK = "playback", "Did not play in the page"

    class Outcome(models.TextChoices):
        NOTED = "noted", "Noted for review"
        CHECKED = "checked", "Checked at once"
        RECENT = "recent", "Was checked a moment before"
        UNDECIDED = "undecided", "Checked; a full check decides"
        WAITING = "waiting", "Is checked with the next run"

    link = models.ForeignKey("streaming.StreamingLink", on_delete=models.CASCADE, related_name="reports")
    kind = models.CharField(max_length=10, choices=Kind)
    count = models.PositiveIntegerField(default=1)
    notes = models.JSONField(default=list, blank=True)
    outcome = models.CharField(max_length=9, choices=Outcome, default=Outcome.NOTED)
    first_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(default=timezone.now)
    handled_at = models.DateTimeField(null=True, blank=True)

    objects = LinkReportQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["link", "kind"], name="report_once_a_link_and_kind")]
        indexes = [models.Index(fields=["handled_at", "-count"], name="report_by_review")]

    def __str__(self) -> str:
        return f"{self.count} × {self.get_kind_display()}"
