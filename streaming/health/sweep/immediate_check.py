"""Check a few links now, for a person who waits for the result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from django.utils import timezone

from streaming.health.judging.guard import RunDecision
from streaming.health.probing.prober import never_stop
from streaming.health.probing.prober_process import ProberProcessDied
from streaming.health.selection import links_by_id
from streaming.health.sweep import canaries
from streaming.health.sweep.checker import LinkChecker
from streaming.health.sweep.conclusion import NO_CANARY_MESSAGE, Conclusion
from streaming.health.sweep.options import CheckOptions
from streaming.health.sweep.report import CheckReport
from streaming.health.sweep.spool import ResultSpool
from streaming.models import StreamingLink
from streaming.ranking import best_first
from streaming.reason_codes import Reason

MIN_LINKS_FOR_GUARD = 5
MAX_NEW_LINKS = 50
NO_TIME_MESSAGE = "The host did not respond in time, so its failures do not count."


def check_now(link_ids: Sequence[int]) -> dict[int, str]:
    """Check these links now, write the results and return the reason of each link by its id.

    No movie is removed. Fewer than five links are accepted without host breaker and brake, unless this machine is
    offline; links whose failure was withheld have the reason `local`.
    """
    return ImmediateCheck(now=timezone.now()).run_links(list(link_ids))


def check_new_links(movie_id: int, *, seconds: float) -> int:
    """Check the links of a movie that nobody has checked yet, as after a search; return how many there were.

    Ends after about `seconds`: what it has not reached by then stays unchecked, and is due in the next run.
    """
    new = StreamingLink.objects.active().filter(movie=movie_id, last_checked=None)
    ids = [link.pk for link in best_first(new)[:MAX_NEW_LINKS]]
    end = time.monotonic() + seconds
    if ids:
        ImmediateCheck(now=timezone.now(), stop=lambda: time.monotonic() > end).run_links(ids)
    return len(ids)


def check_as_a_run(link_id: int, *, seconds: float) -> str:
    """Check a link that a stranger asked to check; return its reason, empty if it was not checked.

    Ends after about `seconds`; a failure that was not judged by then does not count.

    If it fails, as many other links of its host are checked as a run would check, and host breaker and brake decide
    whether the failure counts, as in a run. No movie is removed.
    """
    end = time.monotonic() + seconds
    return ImmediateCheck(now=timezone.now(), stop=lambda: time.monotonic() > end).run_guarded(link_id)


class ImmediateCheck:
    """One check of given links, without a row of its own; `stop` ends it early."""

    def __init__(self, *, now: datetime, stop: Callable[[], bool] = never_stop) -> None:
        self.stop = stop
        self.reasons: dict[int, str] = {}
        self.report = CheckReport()
        self._failures = ResultSpool()
        options = CheckOptions(prune=False)
        self._checker = LinkChecker(options, now=now, sink=self._failures, on_reason=self.reasons.__setitem__)
        self._conclusion = Conclusion(self._checker, self.report)

    def run_links(self, link_ids: list[int]) -> dict[int, str]:
        """Check these links and return the reason of each; an id without a link has none."""
        self._choose_canaries()
        error = self._check(link_ids)
        if len(link_ids) >= MIN_LINKS_FOR_GUARD:
            self._conclusion.conclude(self._failures.batches, error=error)
        else:
            self._accept_unless_offline()
        if self.report.withheld:
            failed = [result.id for result in self._failures if result.judgement.verdict.is_bad]
            self.reasons.update(dict.fromkeys(failed, Reason.LOCAL))
        return self.reasons

    def run_guarded(self, link_id: int) -> str:
        """Check this link, with all guards of a run; return its reason."""
        self._choose_canaries()
        error = self._check([link_id])
        if not self.report.withheld and not error:
            error = self._follow(self._checker.check_extra(stop=self.stop))
        if self.stop():
            self.report.withhold(NO_TIME_MESSAGE)
        self._conclusion.conclude(self._failures.batches, error=error)
        return self.reasons.get(link_id, "")

    def _choose_canaries(self) -> None:
        self._checker.canaries = canaries.choose_canaries(now=self._checker.now, allowed=self._checker.config.allowed)

    def _check(self, link_ids: list[int]) -> str:
        """Check the links; return why that ended early, empty if it did not."""
        return self._follow(self._checker.check_while_waiting(links_by_id(link_ids), stop=self.stop))

    def _follow(self, results: Iterator[None]) -> str:
        try:
            for _ in results:
                if reason := self._checker.withhold_reason():
                    self.report.withhold(reason)
                    break
        except ProberProcessDied as error:
            return str(error)
        return ""

    def _accept_unless_offline(self) -> None:
        if self._checker.is_offline():
            self.report.withhold(NO_CANARY_MESSAGE)
        else:
            self._conclusion.write(RunDecision(), failures=self._failures.batches)
