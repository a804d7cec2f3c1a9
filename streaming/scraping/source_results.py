"""How far a scrape job has come: the row of one source of it is rewritten while the others go on."""

from __future__ import annotations

from django.db import transaction

from streaming.models.job import UNFINISHED, SourceResult, SourceState
from streaming.scraping.jobs import JobClaim


@transaction.atomic
def save_source_result(claim: JobClaim, result: SourceResult) -> bool:
    """Put this result in the place of the source's last one, and the sums on the job; False when the claim is lost.

    The row is read and written in one transaction (locked on PostgreSQL, IMMEDIATE on SQLite), since several sources
    of a job report at once. Another machine may have done the job while ours was frozen: what it found stands.
    """
    job = claim.rows().select_for_update().only("sources").first()
    if job is None:
        return False
    rows = [result if _should_replace(result, row) else row for row in job.sources]
    claim.rows().update(
        sources=rows, links_found=sum(row["links"] for row in rows), links_new=sum(row["new"] for row in rows)
    )
    return True


def _should_replace(result: SourceResult, row: SourceResult) -> bool:
    """A source that has ended is not searching again, however late a worker thread's word of it arrives."""
    return row["source"] == result["source"] and (
        result["state"] != SourceState.SEARCHING or row["state"] in UNFINISHED
    )
