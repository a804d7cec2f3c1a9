"""What the search for a title that is not in the catalogue came to, and when it is repeated."""

from __future__ import annotations

from datetime import datetime, timedelta

from streaming.models import ScrapeJob, StreamingLink, TitleRequest

Outcome = TitleRequest.Outcome
WAITS_AFTER_NOTHING = (timedelta(days=1), timedelta(days=7), timedelta(days=30))
"""After the first search that found nothing, the second, and each later one."""
WAIT_AFTER_FAILURE = timedelta(hours=1)
WAIT_AFTER_FOUND = timedelta(minutes=10)
MAX_FRUITLESS = 1000


def record_answer(request_id: int, *, state: str, outcome: str, now: datetime) -> None:
    """Write the answer of a job that has ended on its request.

    `state` and `outcome` are the job's. A job that was cancelled counts as one that failed: it says nothing about the
    title.
    """
    request = TitleRequest.objects.filter(pk=request_id).first()
    if request is None:  # it was deleted meanwhile
        return
    answer = _answer(request.imdb_id, state=state, outcome=outcome)
    fruitless = min(request.fruitless + 1, MAX_FRUITLESS) if answer == Outcome.NOTHING else request.fruitless
    TitleRequest.objects.filter(pk=request_id).update(
        outcome=answer, answered_at=now, fruitless=fruitless, next_ask_at=now + wait_after(answer, fruitless=fruitless)
    )


def _answer(imdb_id: str, *, state: str, outcome: str) -> Outcome:
    """A title whose links all await review was found: it only does not show them yet."""
    if outcome == ScrapeJob.Outcome.FOUND:
        return Outcome.FOUND
    if StreamingLink.objects.filter(movie__imdb_id=imdb_id, is_published=False).exists():
        return Outcome.REVIEW
    return Outcome.NOTHING if state == ScrapeJob.State.SUCCEEDED else Outcome.FAILED


def wait_after(answer: str, *, fruitless: int) -> timedelta:
    """How long nobody asks the sources again. `fruitless`: the searches that found nothing, the last one included."""
    if answer == Outcome.NOTHING:
        return WAITS_AFTER_NOTHING[min(max(fruitless, 1), len(WAITS_AFTER_NOTHING)) - 1]
    return WAIT_AFTER_FAILURE if answer == Outcome.FAILED else WAIT_AFTER_FOUND
