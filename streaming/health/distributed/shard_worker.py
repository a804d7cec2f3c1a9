"""A worker of a distributed run: claims shards until the run is over, and keeps the hosts of the shards it claimed."""

from __future__ import annotations

import os
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError

from scraper.net.url_policy import host_of
from streaming.health.distributed import codec, work_units
from streaming.health.distributed.work_units import ShardClaim
from streaming.health.judging.guard import WENT_OFFLINE_MESSAGE, RunDecision
from streaming.health.judging.results import LinkState
from streaming.health.judging.verdict import Verdict
from streaming.health.probe_types import ProbeState
from streaming.health.probing.prober import never_stop
from streaming.health.selection import due_links, in_shard, links_by_id
from streaming.health.sharding import bucket_for, shard_number
from streaming.health.sweep.checker import LinkChecker
from streaming.health.sweep.options import options_from_plan
from streaming.health.sweep.resume import ResumeState, WrittenResult, load_resume_state, written_results
from streaming.models import HealthRun, StreamingLink, StreamingLinkQuerySet

POLL_SECONDS = 0.3
RENEWALS_PER_LEASE = 4  # at least, for short leases; long ones are renewed once a second


def work_on_run(run_id: int, *, name: str, should_stop: Callable[[], bool] = never_stop) -> None:
    """Check shards of this run until the run is over or `should_stop` returns True.

    Each call works under a new owner name: a process that failed at a shard and came back would otherwise keep that
    shard's lease alive.
    """
    owner = f"{name[:150]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    if work_units.active_run(run_id) is None:
        return  # The notification came late: the run is over.
    try:
        work_units.register_worker(run_id, owner=owner)
        while not should_stop() and (run := work_units.active_run(run_id)) is not None:
            claim = work_units.claim_shard(run, owner=owner)
            if claim is not None:
                ShardWorker(run, claim, should_stop=should_stop).execute()
            else:
                # Redirects may still lead to this worker's hosts, so it stays until the run is over.
                work_units.renew_worker(run_id, owner=owner)
                time.sleep(POLL_SECONDS)
    except IntegrityError:
        return  # The run is over and its rows are deleted: nobody needs these results any more.
    finally:
        work_units.deregister_worker(run_id, owner=owner)


class ShardWorker:
    """The check of one claimed shard in one round."""

    def __init__(self, run: HealthRun, claim: ShardClaim, *, should_stop: Callable[[], bool]) -> None:
        self.run, self.claim, self.should_stop = run, claim, should_stop
        options = options_from_plan(run.plan["options"])
        self.selection = replace(options.selection, shard=claim.shard)
        self.failures = work_units.ShardResultSink(claim)
        options = replace(options, selection=self.selection, limit=claim.limit)
        self.checker = LinkChecker(options, now=run.started_at, sink=self.failures)
        self.checker.canaries = [codec.request_from_json(canary) for canary in run.plan["canaries"]]
        self._run_is_over = False
        self._renewed_at = time.monotonic()

    def execute(self) -> None:
        """Check the due links of the shard's hosts, or those that redirects led to them, and save the results."""
        if self.claim.round == 0:
            self._check_due()
        else:
            links = self._forwarded_links()
            self._check(self.checker.check_due(links, limit=self.claim.limit, stop=self._is_over))
        self._finish()

    def _check_due(self) -> None:
        self._resume()
        limit = self.claim.limit
        left = None if limit is None else max(0, limit - self.checker.tally.done)
        links = due_links(self.selection, now=self.run.started_at)
        if self._check(self.checker.check_due(links, limit=left, stop=self._is_over)):
            self._check(self.checker.check_extra(stop=self._is_over))

    def _check(self, results: Iterator[None]) -> bool:
        """Take results until there are no more; False if the run is over or this worker has to stop."""
        for _ in results:
            if len(self.checker.forwarded) >= codec.CHUNK_SIZE:
                self._forward()
            if self.checker.went_offline():
                work_units.stop_run(self.run.pk, HealthRun.StopReason.WITHHELD, WENT_OFFLINE_MESSAGE)
                return False
        return not self._is_over()

    def _finish(self) -> None:
        if self.should_stop():
            # The successes are written, so the next worker finds them; nothing is lost.
            self.checker.write_successes(RunDecision())
            work_units.requeue_shard(self.claim)
            return
        self._forward()
        self.failures.flush()
        work_units.finish_shard(self.claim, self.checker.tally)

    def _is_over(self) -> bool:
        """Whether to stop. Called several times a second even without responses, so it also renews the leases."""
        moment = time.monotonic()
        if moment - self._renewed_at > min(1.0, settings.SCRAPE_LEASE_SECONDS / RENEWALS_PER_LEASE):
            self._renewed_at = moment
            work_units.renew_worker(self.run.pk, owner=self.claim.owner)
            has_claim = work_units.save_progress(self.claim, self.checker.tally)
            self._run_is_over = not has_claim or work_units.active_run(self.run.pk) is None
        return self._run_is_over or self.should_stop()

    # --- what other workers and runs found
    def _resume(self) -> None:
        """Load what interrupted runs found, and count what an earlier attempt at this shard wrote."""
        since = self.run.plan["since"]
        moment = None if since is None else datetime.fromisoformat(since)
        self.checker.resume_state = load_resume_state(self.selection, since=moment, now=self.run.started_at)
        self._count_written(self.selection.links())

    def _forwarded_links(self) -> Iterator[LinkState]:
        """The links that redirects led here, without those whose success an earlier attempt wrote."""
        links = in_shard(StreamingLink.objects.all(), self.claim.shard)
        alive = {row.netloc for row in self._written_results(links) if row.verdict is Verdict.ALIVE}
        self.checker.resume_state = ResumeState(frozenset(alive))
        return self._unwritten_forwarded_links()

    def _unwritten_forwarded_links(self) -> Iterator[LinkState]:
        for chunk in work_units.forwarded_links(self.claim):
            state_by_id = dict(chunk)
            written = StreamingLink.objects.filter(pk__in=state_by_id, last_checked=self.run.started_at)
            self._count_written(written)
            unwritten = sorted(state_by_id.keys() - set(written.values_list("pk", flat=True)))
            for link in links_by_id(unwritten):
                yield link._replace(probe_state=state_by_id[link.id])

    def _count_written(self, links: StreamingLinkQuerySet) -> None:
        """Count the results that an earlier attempt at this shard wrote: its worker died, or had to stop."""
        responsive = set()
        for row in self._written_results(links):
            self.checker.tally.add_written(row.netloc, row.verdict, was_active=row.was_active)
            responsive.add(row.netloc)
        state = self.checker.resume_state
        self.checker.resume_state = replace(state, responsive_hosts=state.responsive_hosts | responsive)

    def _written_results(self, links: StreamingLinkQuerySet) -> Iterator[WrittenResult]:
        return written_results(links, now=self.run.started_at)

    # --- links of other shards
    def _forward(self) -> None:
        """Pass links that redirects led away to the shards of their new hosts."""
        forwarded, self.checker.forwarded = self.checker.forwarded, []
        by_shard: defaultdict[int, list[tuple[int, ProbeState]]] = defaultdict(list)
        for link_id, state in forwarded:
            by_shard[shard_number(bucket_for(host_of(state.url)), of=self.claim.shard.of)].append((link_id, state))
        for number, links in by_shard.items():
            work_units.save_forwarded(self.claim, number, links)
