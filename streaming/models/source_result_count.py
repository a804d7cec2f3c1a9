"""How often each source ended each way in scrape jobs: counters that never fall, whatever history is deleted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from django.db import models
from django.db.models import F

from streaming.models.job import FINISHED, SourceResult, SourceState


class SourceResultCountQuerySet(models.QuerySet["SourceResultCount"]):
    """Additions and sums."""

    def add(self, results: Iterable[SourceResult]) -> None:
        """Count the results of sources that have finished.

        Call it once in a transaction: rows are locked in one order, so that no two transactions wait for each other.
        """
        added = Counter((row["source"], row["state"]) for row in results if row["state"] in FINISHED)
        pairs = sorted(added)
        self.bulk_create([SourceResultCount(source=slug, result=end) for slug, end in pairs], ignore_conflicts=True)
        for slug, end in pairs:
            self.filter(source=slug, result=end).update(number=F("number") + added[slug, end])

    def by_source_and_result(self) -> dict[tuple[str, str], int]:
        """The numbers by slug and state."""
        return {(slug, end): number for slug, end, number in self.values_list("source", "result", "number")}


class SourceResultCount(models.Model):
    """How many closed scrape jobs had this result from this source."""

    source = models.CharField(max_length=50)
    result = models.CharField(max_length=9, choices=SourceState)
    number = models.BigIntegerField(default=0)

    objects = SourceResultCountQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "result"], name="source_result_counted_once")]

    def __str__(self) -> str:
        return f"{self.source} {self.result}: {self.number}"
