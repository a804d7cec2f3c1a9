"""One round over the links that are due: asked, judged, believed or not, written, pruned.

Good news is written at once, in batches; bad news (anything that turns a link off or counts against it) is held back
until the whole run is believed. See docs/decisions/0003-how-a-run-is-believed.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.utils import timezone

from streaming.health import canaries, guard
from streaming.health.asking import AskingBroke
from streaming.health.broken import broken_since, left_before
from streaming.health.changes import Finding
from streaming.health.due import DueLink, due_links, has_public, how_many_due, these_links
from streaming.health.guard import LOST_ON_THE_WAY, Belief
from streaming.health.hearing import Hearing
from streaming.health.held import Held
from streaming.health.machine import only_sweep
from streaming.health.moves import follow_moves, how_many_moved
from streaming.health.options import Options, Progress, Told
from streaming.health.probe import never
from streaming.health.prune import prune_after_check, would_remove
from streaming.health.report import Report, hosts_down_before
from streaming.health.sharing import SharedRun
from streaming.health.writing import mark_private
from streaming.models import HealthRun, HostPause, LinkFlip, StreamingLink
from streaming.reason_codes import Reason

FEW = 5
HEARTBEAT_SECONDS = 5.0
BREAKER_PAUSE = timedelta(hours=1)
INTERRUPTED = "interrupted; bad answers were not believed yet, those links are asked again next time"
OTHER_RUN = "another check is running; this one did nothing"
SILENT_CANARIES = "no canary answers: this machine seems to have no way to the internet"


def check(
    options: Options, *, now: datetime, told: Told | None = None, stop: Callable[[], bool] = never
) -> Report | None:
    """Check what is due. None: another run is at work, nothing was done.

    `told` hears of the progress several times a second; `stop` ends the run early.
    """
    with only_sweep() as alone:
        return _Sweep(options, now=now, told=told, stop=stop).run() if alone else None


def check_now(link_ids: Sequence[int]) -> dict[int, str]:
    """Check these links right now with the same judgement and write what came; the reason a link.

    Nothing is removed. Fewer than five links are believed without breaker and brake, unless no canary answers.
    """
    reasons: dict[int, str] = {}
    sweep = _Sweep(Options(prune=False), now=timezone.now(), noted=reasons)
    sweep.run_these(list(link_ids))
    return reasons


class _Sweep:
    """The state of one run: what came, what waits, what is believed."""

    def __init__(
        self, options: Options, *, now: datetime, told: Told | None = None, stop: Callable[[], bool] = never,
        noted: dict[int, str] | None = None,
    ) -> None:  # fmt: skip
        self.options, self.now, self.told, self.interrupted, self.noted = options, now, told, stop, noted
        self.held = Held()
        self.shared: SharedRun | None = None
        self.hearing = Hearing(options, now=now, shelf=self.held, noted=noted)
        self.heard, self.written, self.manners = self.hearing.heard, self.hearing.written, self.hearing.manners
        self.report = Report(dry_run=options.dry_run)
        self.report.verdicts = self.heard.verdicts
        self.run_row: HealthRun | None = None
        self.broken = ""
        self.total = 0
        self.began = self.beat = self.spoke = time.monotonic()

    # --- the two ways to run
    def run(self) -> Report:
        """The story of a run."""
        since = broken_since()
        self.report.down_before = hosts_down_before()
        self._open()
        try:
            self._check(since)
            self._close()
        except Exception as error:
            self._fail(error)
            raise
        return self.report

    def _check(self, since: datetime | None) -> None:
        if self._canaries_silent():
            self._withhold(SILENT_CANARIES)
            return
        if self.run_row is not None and self.options.shared:
            self._share_out(self.run_row, since)
        else:
            self.hearing.before = left_before(self.options.selection, since=since, now=self.now)
            self._ask(due_links(self.options.selection, now=self.now))
            if not (self.report.withheld or self.broken or self._is_over()):
                self._ask(self.hearing.others(), beyond=True)
        self._settle()

    def run_these(self, ids: list[int]) -> None:
        self.hearing.canaries = canaries.canaries(now=self.now, allowed=self.manners.allowed)
        self._ask(these_links(ids), few=True)
        if len(ids) >= FEW:
            self._settle()
        elif self.hearing.our_side_is_down():
            self._withhold(SILENT_CANARIES)
        else:
            self._write_all(Belief(), self.held.batches())
        if self.report.withheld and self.noted is not None:
            self.noted.update({finding.standing.id: Reason.LOCAL for finding in self.held})

    # --- before and after
    def _open(self) -> None:
        if self.told is not None:
            self.total = how_many_due(self.options.selection, now=self.now)
            self.total = min(self.total, self.options.limit) if self.options.limit is not None else self.total
            self._tell()
        if not self.options.dry_run:
            self.run_row = HealthRun.objects.create(started_at=self.now, heartbeat_at=timezone.now())

    def _close(self) -> None:
        self.report.died, self.report.revived = self.written.died, self.written.revived
        self.report.died_of = self.written.died_of
        self.report.seconds = time.monotonic() - self.began
        self._tell()
        if self.run_row is not None:
            HealthRun.objects.filter(pk=self.run_row.pk).update(
                finished_at=timezone.now(),
                heartbeat_at=timezone.now(),
                withheld=self.report.withheld,
                outcome=self.report.outcome,
                reason=self.report.reason[:500],
                hosts_down=self.report.hosts_down,
                moved=self.report.moved,
                died_of=self.report.died_of,
                **self.report.numbers(),
            )
        if self.shared is not None:
            self.shared.clear()

    def _fail(self, error: Exception) -> None:
        """Close the row of a run that an error ends. When the database is the error, the row stays like a killed
        run's, and the next run resumes all the same. The sentence is public: no details of ours."""
        if self.run_row is None:
            return
        with suppress(DatabaseError):
            HealthRun.objects.filter(pk=self.run_row.pk, finished_at=None).update(
                finished_at=timezone.now(),
                outcome=HealthRun.Outcome.FAILED,
                reason=f"ended by an error of ours ({type(error).__name__})",
            )

    def _withhold(self, reason: str) -> None:
        self.report.withheld, self.report.reason = True, reason

    def _canaries_silent(self) -> bool:
        """Ask the canaries before the run; with links on private hosts alone they are not asked."""
        if not has_public(self.options.selection, self.manners.allowed):
            return False
        self.hearing.canaries = canaries.canaries(now=self.now, allowed=self.manners.allowed)
        return canaries.none_answers(self.hearing.canaries, self.manners, stop=self.interrupted)

    # --- asking
    def _ask(self, links: Iterator[DueLink], *, few: bool = False, beyond: bool = False) -> None:
        try:
            for _ in self.hearing.hear(links, stop=self._is_over, few=few, beyond=beyond):
                self._now_and_then()
                if self.report.withheld:
                    return
        except AskingBroke as broke:
            self.broken = str(broke)

    def _share_out(self, run: HealthRun, since: datetime | None) -> None:
        """Let the workers ask, and take over what they heard."""
        self.shared = SharedRun(run, self.options, canaries=self.hearing.canaries, since=since, told=self.told)
        withheld = self.shared.ask(self._why_end)
        self.shared.join_into(self.heard)
        # Their good news is written: what it revived stands in the flips of this moment.
        self.written.revived += LinkFlip.objects.filter(at=self.now, is_active=True).count()
        if withheld:
            self._withhold(withheld)

    def _why_end(self) -> HealthRun.Ending | None:
        if self.interrupted():
            return HealthRun.Ending.INTERRUPTED
        return HealthRun.Ending.LATE if self._is_late() else None

    def _is_over(self) -> bool:
        return self._is_late() or self.interrupted()

    def _is_late(self) -> bool:
        minutes = self.options.max_runtime_minutes
        return minutes is not None and time.monotonic() - self.began > minutes * 60

    # --- now and then
    def _now_and_then(self) -> None:
        if self.heard.slice_is_suspicious() and self.hearing.our_side_is_down(stop=self._is_over):
            self._withhold(LOST_ON_THE_WAY)
        moment = time.monotonic()
        if moment - self.spoke > 0.2:
            self.spoke = moment
            self._tell()
        if self.run_row is not None and moment - self.beat > HEARTBEAT_SECONDS:
            self.beat = moment
            HealthRun.objects.filter(pk=self.run_row.pk).update(
                heartbeat_at=timezone.now(), **{**self.report.numbers(), "died": self.written.died}
            )

    def _tell(self) -> None:
        if self.told is not None:
            self.told(Progress.of(self.report.verdicts, self.total))

    # --- believing
    def _settle(self) -> None:
        """Judge the whole run; then write what was held back, pause hosts, remove movies."""
        if self.report.withheld:
            return
        cut_off = self._doubtful() and not self._cut_short() and self.hearing.our_side_is_down(stop=self.interrupted)
        if cut_off:
            self._withhold(LOST_ON_THE_WAY)
            return
        if why := self._cut_short():
            self.report.complete, self.report.reason = False, why
            self._write_all(Belief(), ())
            return
        belief = self._belief()
        self.report.withheld, self.report.reason = belief.withheld, belief.reason
        if belief.withheld:
            return
        self.report.hosts_down = sorted(belief.down)
        held = self.held.batches() if self.shared is None else self.shared.shelf.batches()
        self._write_all(belief, held)
        self._move()
        self._prune()

    def _cut_short(self) -> str:
        """Why only the good news of this run counts; empty: it went on to its end."""
        return self.broken or (INTERRUPTED if self.interrupted() else "")

    def _doubtful(self) -> bool:
        """Whether an active link would turn off for something below HTTP."""
        return any(tally.turned_soft and tally.below_http for tally in self.heard.hosts.values())

    def _belief(self) -> Belief:
        landings = {place: len(hosts) for place, hosts in self.heard.landings.items()}
        active = StreamingLink.objects.filter(is_active=True).count()
        return guard.judge_run(self.heard.hosts, active_links=active, force=self.options.force, landings=landings)

    def _write_all(self, belief: Belief, held: Iterable[list[Finding]]) -> None:
        self.hearing.write_good(belief)
        for batch in () if self.shared is None else self.shared.shelf.good():
            self.hearing.write(batch, belief)
        for batch in held:
            self.hearing.write([finding for finding in batch if _counts(finding, belief)], belief)
        if not self.options.dry_run:
            HostPause.objects.write(self.heard.pauses, HostPause.Kind.RETRY_AFTER)
            down = dict.fromkeys(belief.down, self.now + BREAKER_PAUSE)
            HostPause.objects.write(down, HostPause.Kind.BREAKER)
            mark_private(self.heard.private)

    def _move(self) -> None:
        """Offer, or follow, what has moved for good."""
        if self.options.follow_moves and not self.options.dry_run:
            self.report.moves = follow_moves(now=self.now)
        self.report.moved = how_many_moved()

    def _prune(self) -> None:
        if not self.options.prune:
            return
        if self.options.dry_run:
            self.report.removed = would_remove(self.hearing.would, now=self.now)
        else:
            self.report.removed = prune_after_check(now=self.now)


def _counts(finding: Finding, belief: Belief) -> bool:
    """Whether a finding is to be written. A link that works is not turned off for what its host's others did: one that
    was not asked itself waits for its turn in a later run, unless the host's links are kept anyhow."""
    place, was_active = finding.standing.place, finding.standing.is_active
    return place not in belief.cut_off and not (finding.unasked and was_active and place not in belief.down)
