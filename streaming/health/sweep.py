"""One round over the links that are due: asked, judged, believed or not, written, pruned.

Good news is written at once, in batches; bad news (anything that turns a link off or counts against it) is held back
until the whole run is believed. See docs/decisions/0003-how-a-run-is-believed.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from scraper.addresses import host_of
from scraper.sources import pause_at
from streaming.health import canaries, guard
from streaming.health.answers import Question
from streaming.health.asking import ask
from streaming.health.broken import INTERRUPTED, Before, left_before
from streaming.health.changes import Change, Finding, change_of
from streaming.health.due import DueLink, Selection, due_links, has_public, how_many_due, is_private, these_links
from streaming.health.gathering import Gathering
from streaming.health.guard import Belief, HostTally
from streaming.health.heard import Heard
from streaming.health.held import Held
from streaming.health.machine import only_sweep, room_for
from streaming.health.manners import MOST_ASIDE, Manners
from streaming.health.moves import follow_moves, how_many_moved
from streaming.health.probe import never
from streaming.health.prune import prune_after_check, would_remove
from streaming.health.report import Report, hosts_down_before
from streaming.health.verdict import Verdict
from streaming.health.verifying import Verifier
from streaming.health.writing import Written, flips_of, mark_private, write
from streaming.ingest.blocklist import Blocklist
from streaming.models import HealthRun, HostPause, StreamingLink
from streaming.turns import reserve

BATCH = 500
FEW = 5
HEARTBEAT_SECONDS = 5.0
BREAKER_PAUSE = timedelta(hours=1)
OTHER_RUN = "another check is running; this one did nothing"
SILENT_CANARIES = "no canary answers: this machine seems to have no way to the internet"
LOST_ON_THE_WAY = "links that answered in this run do not answer any more: our own side went down"


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is asked to do; None: as in the settings. `limit` counts links that are asked.

    `strict`: a request that a host leaves hanging keeps its place among the `per_host`; none is put aside.
    """

    selection: Selection = field(default_factory=Selection)
    limit: int | None = None
    timeout: float = 5.0
    concurrency: int | None = None
    per_host: int = 4
    max_runtime_minutes: float | None = None
    dry_run: bool = False
    prune: bool = True
    follow_moves: bool = False
    strict: bool = False
    force: bool = False

    def manners(self) -> Manners:
        return Manners(
            user_agent=settings.USER_AGENT,
            per_host=self.per_host,
            most_aside=0 if self.strict else MOST_ASIDE,
            concurrency=room_for(self.concurrency or settings.HEALTH_CONCURRENCY),
            timeout=self.timeout,
            stall=min(1.0, self.timeout / 2),
            delay=settings.HEALTH_HOST_DELAY_MS / 1000,
            allowed=settings.ALLOW_PRIVATE_HOSTS,
            pause_of=partial(pause_at, delays=settings.SOURCE_DELAYS),
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; `total` is what was due when it began."""

    done: int
    total: int
    alive: int
    failed: int


Told = Callable[[Progress], None]


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
    sweep = _Sweep(Options(prune=False), now=timezone.now())
    return sweep.run_these(list(link_ids))


def _turn(place: str, pause: float) -> float | None:
    """The seconds until this host is ours to ask: spiders and other machines ask it too."""
    return reserve(urlsplit(f"//{place}").hostname or place, pause=pause)


class _Sweep:
    """The state of one run: what is asked, what came, what is held back."""

    def __init__(
        self, options: Options, *, now: datetime, told: Told | None = None, stop: Callable[[], bool] = never
    ) -> None:
        self.options, self.now, self.told, self.interrupted = options, now, told, stop
        self.manners = options.manners()
        self.report = Report(dry_run=options.dry_run)
        self.run_row: HealthRun | None = None
        self.asked: dict[int, DueLink] = {}
        self.heard = Gathering(now=now, opened=self._opened)
        self.report.verdicts = self.heard.verdicts
        self.reasons: dict[int, str] = {}
        self.before = Before()
        self.canaries: list[Question] = []
        self.written = Written()
        self.would: list[Change] = []
        self.total = 0
        self.began = self.beat = self.spoke = time.monotonic()

    # --- the two ways to run
    def run(self) -> Report:
        """The story of a run."""
        self.before = left_before(self.options.selection, now=self.now)
        self.report.down_before = hosts_down_before()
        self._open()
        if self._canaries_silent():
            self._withhold(SILENT_CANARIES)
        else:
            self._ask(due_links(self.options.selection, now=self.now))
            self._settle()
        self._close()
        return self.report

    def run_these(self, ids: list[int]) -> dict[int, str]:
        self.canaries = canaries.canaries(now=self.now, allowed=self.manners.allowed)
        self._ask(these_links(ids), few=True)
        if len(ids) >= FEW:
            self._settle()
        elif self._our_side_is_down():
            self._withhold(SILENT_CANARIES)
        else:
            self._write_all(Belief())
        if self.report.withheld:
            return {**self.reasons, **{finding.standing.id: "local" for finding in self.heard.held}}
        return self.reasons

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
                reason=self.report.reason[:500],
                hosts_down=self.report.hosts_down,
                moved=self.report.moved,
                died_of=self.report.died_of,
                **self.report.numbers(),
            )

    def _withhold(self, reason: str) -> None:
        self.report.withheld, self.report.reason = True, reason

    def _canaries_silent(self) -> bool:
        """Ask the canaries before the run; with links on private hosts alone they are not asked."""
        if not has_public(self.options.selection, self.manners.allowed):
            return False
        self.canaries = canaries.canaries(now=self.now, allowed=self.manners.allowed)
        return canaries.none_answers(self.canaries, self.manners)

    # --- asking
    def _ask(self, links: Iterator[DueLink], *, few: bool = False) -> None:
        among = None if few or self.options.limit is not None else self.options.selection
        verifier = Verifier(
            self.manners, now=self.now, stop=self._is_over, pauses=self.heard.pauses, among=among, few=few
        )
        questions, known = self._questions(links), self.before.answered
        all_heard = ask(questions, self.manners, turn=_turn, stop=self._is_over, known=known)
        for heard in verifier.verified(all_heard, self.asked):
            self._take(heard)
            if self.report.withheld:
                return

    def _is_over(self) -> bool:
        minutes = self.options.max_runtime_minutes
        late = minutes is not None and time.monotonic() - self.began > minutes * 60
        return late or self.interrupted()

    def _questions(self, links: Iterator[DueLink]) -> Iterator[Question]:
        """The links as questions; those that may not be asked are counted and passed over."""
        blocklist = Blocklist.load()
        taken_down = bool(blocklist.hosts or blocklist.prefixes or blocklist.imdb_ids)
        paused = set(HostPause.objects.standing(self.now).values_list("host", flat=True))
        left = self.options.limit
        for link in links:
            if left == 0:
                return
            if taken_down and blocklist.forbids(url=link.url, imdb_id=link.imdb_id):
                self._pass_over(link.standing.id, "blocked_host")
            elif paused and {link.standing.place, host_of(link.url)} & paused:
                self._pass_over(link.standing.id, "paused")
            else:
                left = None if left is None else left - 1
                self.asked[link.standing.id] = link
                yield link.question()

    def _pass_over(self, link_id: int, reason: str) -> None:
        self.heard.pass_over()
        self._note_reason(link_id, reason)

    def _note_reason(self, link_id: int, reason: str) -> None:
        """Remember the reason for the few links of `check_now`; a whole sweep reports counts."""
        if self.run_row is None and not self.options.dry_run:
            self.reasons[link_id] = reason

    def _opened(self, place: str) -> HostTally:
        """The tally of a host that is met for the first time."""
        return HostTally(public=not is_private(place, self.manners.allowed), before=self.before.not_asked[place])

    def _take(self, heard: Heard) -> None:
        link = self.asked.pop(heard.id)
        self._note_reason(heard.id, heard.judgement.reason)
        finding = Finding(
            link.standing, heard.judgement, heard.status, heard.response_ms, heard.moved_to, heard.vouched
        )
        self.heard.take(finding, heard, link.question())
        self._now_and_then()

    # --- now and then
    def _now_and_then(self) -> None:
        if len(self.heard.good) >= BATCH:
            self._write_good(Belief())
        if self.heard.slice_is_suspicious() and self._our_side_is_down():
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

    def _our_side_is_down(self) -> bool:
        again = canaries.to_ask_again(self.canaries, self.heard.witnesses, allowed=self.manners.allowed)
        return canaries.none_answers(again, self.manners)

    def _tell(self) -> None:
        if self.told is not None:
            counts = self.report.verdicts
            failed = counts[Verdict.GONE] + counts[Verdict.BLOCKED] + counts[Verdict.UNREACHABLE]
            self.told(Progress(self.heard.done, max(self.total, self.heard.done), counts[Verdict.ALIVE], failed))

    # --- believing
    def _settle(self) -> None:
        """Judge the whole run; then write what was held back, pause hosts, remove movies."""
        if self.report.withheld:
            return
        if self.interrupted():
            self.report.complete, self.report.reason = False, INTERRUPTED
            self.heard.held = Held()
            self._write_all(Belief())
            return
        if self._doubtful() and self._our_side_is_down():
            self._withhold(LOST_ON_THE_WAY)
            return
        belief = self._belief()
        self.report.withheld, self.report.reason = belief.withheld, belief.reason
        if belief.withheld:
            return
        self._pause_hosts(belief)
        self._write_all(belief)
        self._move()
        self._prune()

    def _doubtful(self) -> bool:
        """Whether an active link would turn off for something below HTTP."""
        return any(tally.turned_soft and tally.below_http for tally in self.heard.hosts.values())

    def _belief(self) -> Belief:
        landings = {place: len(hosts) for place, hosts in self.heard.landings.items()}
        active = StreamingLink.objects.filter(is_active=True).count()
        return guard.judge_run(self.heard.hosts, active_links=active, force=self.options.force, landings=landings)

    def _pause_hosts(self, belief: Belief) -> None:
        self.report.hosts_down = sorted(belief.down)
        self.heard.pauses |= dict.fromkeys(belief.down, (self.now + BREAKER_PAUSE, "most of its links failed at once"))

    def _write_all(self, belief: Belief) -> None:
        self._write_good(belief)
        for batch in self.heard.held.batches():
            self._write([finding for finding in batch if finding.standing.place not in belief.cut_off], belief)
        if not self.options.dry_run:
            HostPause.objects.write(self.heard.pauses)
            mark_private(self.heard.private)

    def _write_good(self, belief: Belief) -> None:
        good, self.heard.good = self.heard.good, []
        self._write(good, belief)

    def _write(self, findings: Iterable[Finding], belief: Belief) -> None:
        changes = [self._change(finding, belief) for finding in findings]
        if self.options.dry_run:
            self.would.extend(change for change in changes if change.is_flip or not change.is_active)
            self.written.add(flips_of(changes))
        else:
            self.written.add(write(changes, now=self.now))

    def _change(self, finding: Finding, belief: Belief) -> Change:
        down = finding.standing.place in belief.down
        return change_of(finding, now=self.now, host_down=down, adaptive=settings.HEALTH_ADAPTIVE)

    def _move(self) -> None:
        """Offer, or follow, what has moved for good."""
        if self.options.follow_moves and not self.options.dry_run:
            self.report.moves = follow_moves(now=self.now)
        self.report.moved = how_many_moved()

    def _prune(self) -> None:
        if not self.options.prune:
            return
        if self.options.dry_run:
            self.report.removed = would_remove(self.would, now=self.now)
        else:
            self.report.removed = prune_after_check(now=self.now)
