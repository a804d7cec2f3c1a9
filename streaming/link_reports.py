"""What happens when a visitor reports a link: "does not work" has it checked at once, the rest awaits review.

No report turns a link off. A check that a report causes is judged as a whole run is, with the offline test, the host
breaker and the brake, so that many reports during an outage of a host do not turn its links off one by one. See
decision 0025 in docs/decisions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext, gettext_noop

from streaming import file_locks
from streaming.health.sweep.immediate_check import check_as_a_run
from streaming.localization import number_text
from streaming.models import LinkReport, StreamingLink
from streaming.models.link_report import MAX_NOTE_LENGTH
from streaming.reason_codes import Reason
from streaming.write_wait import REQUESTED_WRITE_SECONDS, limited_write_wait

RECENT = timedelta(seconds=60)
"""A link that was checked so lately is not checked again."""
MAX_CHECKS_AT_ONCE = 2
"""Of this machine; a check holds a thread of the web server for some seconds."""
MAX_CHECK_SECONDS = 40.0
"""Less than proxies wait: a host can lead a check from one slow redirect to the next."""
REPEAT_SECONDS = 24 * 3600
"""For so long further reports of the same kind by one client are answered but not counted."""
CHECKED_KINDS = (LinkReport.Kind.BROKEN, LinkReport.Kind.PLAYBACK)

ANSWERS = {
    LinkReport.Outcome.NOTED: gettext_noop("Thank you. A person will look at this link."),
    LinkReport.Outcome.CHECKED: gettext_noop("Thank you. We have just checked the link."),
    LinkReport.Outcome.RECENT: gettext_noop("Thank you. We checked the link a moment ago."),
    LinkReport.Outcome.UNDECIDED: gettext_noop(
        "Thank you. We have asked for the link and got no clear answer. The next full check decides."
    ),
    LinkReport.Outcome.WAITING: gettext_noop("Thank you. The link will be checked with the next run."),
}


class NoteTooLong(ValueError):
    """A sentence that is none; the message says so."""


def clean_note(text: str) -> str:
    """The visitor's sentence without line breaks. Raises NoteTooLong."""
    note = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    if len(note) > MAX_NOTE_LENGTH:
        values = {"most": MAX_NOTE_LENGTH, "number": number_text(len(note))}
        raise NoteTooLong(gettext("One sentence is enough: %(most)s characters at most, this has %(number)s.") % values)
    return note


def report_link(link: StreamingLink, kind: str, *, note: str, client: str, now: datetime) -> LinkReport:
    """Count the report, check the link if that was reported, and return the report with its outcome.

    `client`: the key of the visitor. Raises IntegrityError if the link is gone.
    """
    report = _count(link, kind, note=note, client=client, now=now)
    if kind in CHECKED_KINDS:
        report.outcome = _check(link, now=now)
        with limited_write_wait(REQUESTED_WRITE_SECONDS):
            LinkReport.objects.filter(pk=report.pk).update(outcome=report.outcome)
    return report


def answer_text(report: LinkReport) -> str:
    """The answer to the visitor, a sentence or two."""
    answer = gettext(ANSWERS[LinkReport.Outcome(report.outcome)])
    if report.outcome not in (LinkReport.Outcome.CHECKED, LinkReport.Outcome.RECENT):
        return answer
    link = report.link
    if link.is_active:
        state = gettext("It works. It may not play in your browser or country: try another one.")
        return f"{answer} {state}"
    state = gettext("It does not work (%(reason)s) and is turned off.") % {"reason": link.reason_text}
    return f"{answer} {state}"


def _count(link: StreamingLink, kind: str, *, note: str, client: str, now: datetime) -> LinkReport:
    is_first = cache.add(f"report:{client}:{link.pk}:{kind}", True, timeout=REPEAT_SECONDS)
    known = None if is_first else LinkReport.objects.filter(link=link, kind=kind).first()
    with limited_write_wait(REQUESTED_WRITE_SECONDS):
        return known or LinkReport.objects.count_report(link.pk, kind, note=note, now=now)


def _check(link: StreamingLink, *, now: datetime) -> LinkReport.Outcome:
    if link.last_checked is not None and now - RECENT < link.last_checked <= now:
        return LinkReport.Outcome.UNDECIDED if _is_undecided(link) else LinkReport.Outcome.RECENT
    with _check_slot() as is_free:
        if not is_free:
            StreamingLink.objects.filter(pk=link.pk).update(next_check_at=now)
            return LinkReport.Outcome.WAITING
        reason = check_as_a_run(link.pk, seconds=MAX_CHECK_SECONDS)
    link.refresh_from_db()
    if _is_undecided(link) or (link.is_active and reason != Reason.OK):
        StreamingLink.objects.filter(pk=link.pk).update(next_check_at=now)
        return LinkReport.Outcome.UNDECIDED
    return LinkReport.Outcome.CHECKED


def _is_undecided(link: StreamingLink) -> bool:
    """Whether its last check did not find the link working, and left it active all the same."""
    return link.is_active and link.reason != Reason.OK


@contextmanager
def _check_slot() -> Iterator[bool]:
    """Hold one of the few slots for checks of reports during the block; False if all are taken."""
    for number in range(MAX_CHECKS_AT_ONCE):
        lock = file_locks.try_lock(Path(settings.SCRAPE_DIR) / f"report-{number}.lock")
        if lock is not None:
            with lock:
                yield True
            return
    yield False
