"""Asking links and writing the good news while it comes: what a run does with all links, a part of it with its own.

Bad news goes to the `shelf`, where it waits until the whole run is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings

from scraper.net.url_policy import host_of
from streaming.health.judging.guard import HostTally, RunDecision
from streaming.health.judging.results import CheckResult, LinkState
from streaming.health.judging.transitions import LinkUpdate, link_update
from streaming.health.probe_types import ProbeRequest, ProbeState
from streaming.health.probing.prober import never_stop
from streaming.health.probing.prober_process import probe_links
from streaming.health.selection import is_private, links_by_id, other_active_links
from streaming.health.sweep import canaries
from streaming.health.sweep.options import CheckOptions
from streaming.health.sweep.resume import ResumeState
from streaming.health.sweep.tally import ResultSink, RunTally
from streaming.health.sweep.writer import WriteReport, count_flips, write_updates
from streaming.health.verification.verifier import Verifier
from streaming.host_rate_limit import reserve_slot
from streaming.ingest.blocklist import Blocklist
from streaming.models import HostPause
from streaming.reason_codes import Reason

BATCH_SIZE = 500


def _reserve_slot(place: str, pause: float) -> float | None:
    """The seconds until this host is ours to ask: spiders and other machines ask it too."""
    return reserve_slot(urlsplit(f"//{place}").hostname or place, delay=pause)


class LinkChecker:
    """`before`: what broken runs left; `canaries`: whom to ask when our own side may be down.

    `noted`: the reason of each link, for the few of `check_now`; None: not wanted. `onward`: links that led to another
    worker's host, emptied by whoever hands them on. `would`: what a dry run would change.
    """

    def __init__(
        self, options: CheckOptions, *, now: datetime, sink: ResultSink, noted: dict[int, str] | None = None
    ) -> None:
        self.options, self.now, self.reasons_out = options, now, noted
        self.manners = options.probe_config()
        self.tally = RunTally(now=now, opened=self._new_host_tally, sink=sink)
        self.resume_state = ResumeState()
        self.canaries: list[ProbeRequest] = []
        self.forwarded: list[tuple[int, ProbeState]] = []
        self.written = WriteReport()
        self.planned_updates: list[LinkUpdate] = []
        self._asked: dict[int, LinkState] = {}

    def extra_links(self) -> Iterator[LinkState]:
        """More links of hosts of which few were due and some failed: without them a host that is down would be taken
        for links that died, a few in every run."""
        asked, ids = self.tally.checked_active, list[int]()
        for place, limit in self.tally.extra_links_needed().items():
            ids += other_active_links(place, besides=asked[place], limit=limit, now=self.now)
        for start in range(0, len(ids), BATCH_SIZE):
            yield from links_by_id(ids[start : start + BATCH_SIZE])

    def check(
        self, links: Iterable[LinkState], *, stop: Callable[[], bool], few: bool = False, beyond: bool = False
    ) -> Iterator[None]:
        """Ask these; stands still after each answer, so that whoever wants to know can look. `few`: a person waits.
        `beyond`: they are asked although the run's limit may be reached."""
        among = None if few or self.options.limit is not None else self.options.selection
        verifier = Verifier(self.manners, now=self.now, stop=stop, pauses=self.tally.pauses, among=among, few=few)
        results = probe_links(
            self._requests(links, None if beyond else self.options.limit),
            self.manners,
            turn=_reserve_slot,
            stop=stop,
            responsive_hosts=self.resume_state.responsive_hosts,
        )
        for result in verifier.verify(results, self._asked):
            self._add_result(result)
            yield

    def is_offline(self, *, stop: Callable[[], bool] = never_stop) -> bool:
        again = canaries.canaries_to_recheck(self.canaries, self.tally.control_links, allowed=self.manners.allowed)
        return canaries.all_canaries_fail(again, self.manners, stop=stop)

    # --- asking
    def _requests(self, links: Iterable[LinkState], left: int | None) -> Iterator[ProbeRequest]:
        """The links as questions; those that may not be asked are counted and passed over."""
        blocklist = Blocklist.load()
        taken_down = bool(blocklist.hosts or blocklist.prefixes or blocklist.imdb_ids)
        paused = set(HostPause.objects.active(self.now).values_list("host", flat=True))
        for link in links:
            if left == 0:
                return
            if link.id in self._asked:
                continue  # Somebody checked it by hand while it waits here, so it was drawn once more.
            if taken_down and blocklist.is_blocked(url=link.url, imdb_id=link.imdb_id):
                self._skip(link.id, Reason.BLOCKED_HOST)
            elif paused and {link.netloc, host_of(link.url)} & paused:
                self._skip(link.id, Reason.PAUSED)
            else:
                left = None if left is None else left - 1
                self._asked[link.id] = link
                yield link.request()

    def _skip(self, link_id: int, reason: str) -> None:
        self.tally.add_skipped()
        self._note_reason(link_id, reason)

    def _note_reason(self, link_id: int, reason: str) -> None:
        if self.reasons_out is not None:
            self.reasons_out[link_id] = reason

    def _new_host_tally(self, place: str) -> HostTally:
        """The tally of a host that is met for the first time."""
        return HostTally(
            public=not is_private(place, self.manners.allowed), alive_earlier=self.resume_state.alive_by_host[place]
        )

    def _add_result(self, result: CheckResult) -> None:
        link = self._asked.pop(result.id)
        if result.probe_state is not None:
            self.forwarded.append((result.id, result.probe_state))
            return
        self._note_reason(result.id, result.judgement.reason)
        self.tally.add(result._replace(link=link))
        if len(self.tally.successes) >= BATCH_SIZE:
            self.write_good(RunDecision())

    # --- writing
    def write_good(self, decision: RunDecision) -> None:
        good, self.tally.successes = self.tally.successes, []
        self.write(good, decision)

    def write(self, results: Iterable[CheckResult], decision: RunDecision) -> None:
        changes = [self._link_update(result, decision) for result in results]
        if self.options.dry_run:
            self.planned_updates.extend(change for change in changes if change.is_flip or not change.is_active)
            self.written.add(count_flips(changes))
        else:
            self.written.add(write_updates(changes, now=self.now))

    def _link_update(self, result: CheckResult, decision: RunDecision) -> LinkUpdate:
        down = result.require_link().netloc in decision.hosts_down
        return link_update(result, now=self.now, host_down=down, adaptive=settings.HEALTH_ADAPTIVE)
