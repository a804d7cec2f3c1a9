"""Check links: probe, judge, write. A run in one process and each worker of a distributed run use it.

Successes are written in batches while the check goes on. Failures go to a sink until the whole run is accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from urllib.parse import urlsplit

from scraper.net.url_policy import host_of
from streaming.health.judging.guard import WENT_OFFLINE_MESSAGE, HostTally, RunDecision, wrong_clock
from streaming.health.judging.results import CheckResult, LinkState
from streaming.health.probe_types import ProbeRequest, ProbeState
from streaming.health.probing.prober import never_stop
from streaming.health.probing.prober_pool import probe_links
from streaming.health.selection import is_private, links_by_id, other_active_links
from streaming.health.sweep import canaries
from streaming.health.sweep.control_fetch import ControlFetch
from streaming.health.sweep.options import CheckOptions
from streaming.health.sweep.outages import newest_check
from streaming.health.sweep.resume import ResumeState
from streaming.health.sweep.tally import ResultSink, RunTally
from streaming.health.sweep.writer import ResultWriter
from streaming.health.verification.verifier import IMMEDIATE, Verifier, run_limits
from streaming.host_rate_limit import reserve_slot
from streaming.ingest.blocklist import Blocklist
from streaming.models import HostPause
from streaming.reason_codes import Reason

BATCH_SIZE = 500
ReasonCallback = Callable[[int, str], None]
"""Receives the id of each link and the reason of its result."""


def ignore_reason(_link_id: int, _reason: str) -> None:
    """A callback for checks that need no reasons."""


def _reserve_slot(netloc: str, delay: float) -> float | None:
    """Return the seconds until this host may be asked; spiders and other machines take slots too."""
    return reserve_slot(urlsplit(f"//{netloc}").hostname or netloc, delay=delay)


def wrong_clock_reason(tally: RunTally) -> str:
    """Why the clock of a run with this tally is not plausible; empty if it is."""
    return wrong_clock(tally.hosts, now=tally.now, newest_check=newest_check())


def _extra_links(tally: RunTally) -> Iterator[LinkState]:
    """Yield further active links of the hosts of which too few were checked."""
    ids = list[int]()
    for netloc, limit in tally.extra_links_needed().items():
        ids += other_active_links(netloc, besides=tally.checked_active[netloc], limit=limit, now=tally.now)
    for start in range(0, len(ids), BATCH_SIZE):
        yield from links_by_id(ids[start : start + BATCH_SIZE])


class LinkChecker:
    """The links of one run, or of one shard of it, on their way from probing to writing.

    `resume_state`: what interrupted runs found. `canaries`: links to probe when this machine may be offline.
    `forwarded`: links that redirects led to another shard's hosts; the caller empties it. `writer` writes
    the results. `is_clock_suspect`: the next successes are not written, for the run's clock seems to be wrong.
    """

    def __init__(
        self, options: CheckOptions, *, now: datetime, sink: ResultSink, on_reason: ReasonCallback = ignore_reason
    ) -> None:
        self.options, self.now, self.on_reason = options, now, on_reason
        self.config = options.probe_config()
        self.tally = RunTally(now=now, new_host_tally=self._new_host_tally, sink=sink)
        self.resume_state = ResumeState()
        self.canaries: list[ProbeRequest] = []
        self.forwarded: list[tuple[int, ProbeState]] = []
        self.control_fetch = ControlFetch(self.config, reserve_slot=_reserve_slot)
        self.writer = ResultWriter(now=now, dry_run=options.dry_run)
        self.is_clock_suspect = False
        self._in_progress: dict[int, LinkState] = {}

    # --- the three ways to check links; each pauses after every result, so that the caller can look at the tally
    def check_due(self, links: Iterable[LinkState], *, limit: int | None, stop: Callable[[], bool]) -> Iterator[None]:
        """Check links because they are due, `limit` at most; None: all."""
        return self._check(self._requests(links, limit, on_skip=self._skip), self._verifier(stop), stop)

    def check_extra(self, *, stop: Callable[[], bool]) -> Iterator[None]:
        """Check more links of hosts of which too few were due for the host breaker; no limit holds for them.

        Without them a host that is down would be taken for links that died, a few in every run.
        """
        return self._check(
            self._requests(_extra_links(self.tally), None, on_skip=self._skip), self._verifier(stop), stop
        )

    def check_while_waiting(
        self, links: Iterable[LinkState], *, stop: Callable[[], bool] = never_stop
    ) -> Iterator[None]:
        """Check links for a person who waits: their sources confirm them now, and are given less time."""
        verifier = Verifier(
            self.config, now=self.now, stop=stop, pauses=self.tally.pauses, selection=None, limits=IMMEDIATE
        )
        return self._check(self._requests(links, None, on_skip=self._skip), verifier, stop)

    def probe_only(
        self, links: Iterable[LinkState], *, stop: Callable[[], bool], on_skip: ReasonCallback = ignore_reason
    ) -> Iterator[CheckResult]:
        """Probe and verify links that are not part of the run: they are neither counted nor written."""
        requests = self._requests(links, None, on_skip=on_skip)
        verifier = Verifier(
            self.config, now=self.now, stop=stop, pauses=self.tally.pauses, selection=None, limits=run_limits()
        )
        for result in self._results(requests, verifier, stop):
            yield result._replace(link=self._in_progress.pop(result.id))

    def is_offline(self, *, stop: Callable[[], bool] = never_stop) -> bool:
        """Probe the canaries and links that responded a moment ago: whether all of them fail."""
        requests = canaries.canaries_to_recheck(self.canaries, self.tally.control_links, allowed=self.config.allowed)
        return canaries.all_canaries_fail(requests, self.config, stop=stop)

    def withhold_reason(self, *, stop: Callable[[], bool] = never_stop) -> str:
        """Why the run must end now and be withheld; empty while it need not. Called after each result.

        The clock is wrong, or so many of the latest probes failed that this machine may be offline, and the canaries
        fail too.
        """
        if self.is_clock_suspect:
            return wrong_clock_reason(self.tally)
        return WENT_OFFLINE_MESSAGE if self.tally.slice_is_suspicious() and self.is_offline(stop=stop) else ""

    # --- probing
    def _check(self, requests: Iterator[ProbeRequest], verifier: Verifier, stop: Callable[[], bool]) -> Iterator[None]:
        for result in self._results(requests, verifier, stop):
            self._add_result(result)
            yield

    def _results(
        self, requests: Iterator[ProbeRequest], verifier: Verifier, stop: Callable[[], bool]
    ) -> Iterator[CheckResult]:
        results = probe_links(
            requests,
            self.config,
            reserve_slot=_reserve_slot,
            stop=stop,
            responsive_hosts=self.resume_state.responsive_hosts,
        )
        for result in verifier.verify(results, self._in_progress):
            if not self.control_fetch.hold(result, url=self._in_progress[result.id].url):
                yield result
        yield from self.control_fetch.resolved(stop=stop)

    def _verifier(self, stop: Callable[[], bool]) -> Verifier:
        """The verifier of a run. With a limit it chooses among the probed links, else among all due ones."""
        selection = self.options.selection if self.options.limit is None else None
        return Verifier(
            self.config, now=self.now, stop=stop, pauses=self.tally.pauses, selection=selection, limits=run_limits()
        )

    def _requests(
        self, links: Iterable[LinkState], limit: int | None, *, on_skip: ReasonCallback
    ) -> Iterator[ProbeRequest]:
        """Yield the requests of links that may be probed; `on_skip` receives the others."""
        blocklist = Blocklist.load()
        paused = set(HostPause.objects.active(self.now).values_list("host", flat=True))
        for link in links:
            if limit == 0:
                return
            if link.id in self._in_progress:
                continue  # An immediate check meanwhile changed its last check, so the query returned it again.
            if link.taken_down or (blocklist and blocklist.is_blocked(url=link.url, imdb_id=link.imdb_id)):
                on_skip(link.id, Reason.BLOCKED_HOST)
            elif paused and {link.netloc, host_of(link.url)} & paused:
                on_skip(link.id, Reason.PAUSED)
            else:
                limit = None if limit is None else limit - 1
                self._in_progress[link.id] = link
                yield link.request()

    def _skip(self, link_id: int, reason: str) -> None:
        self.tally.add_skipped()
        self.on_reason(link_id, reason)

    def _new_host_tally(self, netloc: str) -> HostTally:
        """Start the tally of a host when its first result comes."""
        return HostTally(
            public=not is_private(netloc, self.config.allowed), alive_earlier=self.resume_state.alive_by_host[netloc]
        )

    def _add_result(self, result: CheckResult) -> None:
        link = self._in_progress.pop(result.id)
        if result.probe_state is not None:
            self.forwarded.append((result.id, result.probe_state))
            return
        self.on_reason(result.id, result.judgement.reason)
        self.tally.add(result._replace(link=link))
        if len(self.tally.successes) >= BATCH_SIZE:
            self.is_clock_suspect = bool(wrong_clock_reason(self.tally))
            if not self.is_clock_suspect:
                self.write_successes(RunDecision())

    def write_successes(self, decision: RunDecision) -> None:
        """Write the successes that have come since the last batch."""
        successes, self.tally.successes = self.tally.successes, []
        self.writer.write(successes, decision)
