"""A worker of a run that was shared out: takes parts of it until the run is over, and stays with the shares it took."""

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
RENEWALS_PER_LEASE = 4  # times within a lease, or oftener


def work_on_run(run_id: int, *, name: str, should_stop: Callable[[], bool] = never_stop) -> None:
    """Ask parts of this run until it is over, or until this worker is told to leave.

    Each time under a new name: else a process that failed at a part and came again would keep that part's lease alive.
    """
    owner = f"{name[:150]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    if work_units.active_run(run_id) is None:
        return  # A bell of a run that is over by now.
    try:
        work_units.register_worker(run_id, owner=owner)
        while not should_stop() and (run := work_units.active_run(run_id)) is not None:
            mine = work_units.claim_shard(run, owner=owner)
            if mine is not None:
                ShardWorker(run, mine, should_stop).execute()
            else:
                # Redirects may lead to hosts that are this worker's: it is not done before all are.
                work_units.renew_worker(run_id, owner=owner)
                time.sleep(POLL_SECONDS)
    except IntegrityError:
        return  # The run is over, and its parts with it: nobody wants to know any more.
    finally:
        work_units.deregister_worker(run_id, owner=owner)


class ShardWorker:
    """The state of one part while it is asked."""

    def __init__(self, run: HealthRun, mine: ShardClaim, leaving: Callable[[], bool]) -> None:
        self.run, self.mine, self.leaving = run, mine, leaving
        options = options_from_plan(run.plan["options"])
        self.selection = replace(options.selection, shard=mine.shard)
        self.shelf = work_units.ShardResultSink(mine)
        asked = replace(options, selection=self.selection, limit=mine.limit)
        self.hearing = LinkChecker(asked, now=run.started_at, sink=self.shelf)
        self.hearing.canaries = [codec.request_from_json(canary) for canary in run.plan["canaries"]]
        self.over = False
        self.beaten = time.monotonic()

    def execute(self) -> None:
        """Ask what is due on these hosts, or what led to them, and hand over what was heard."""
        links = self._due_links() if self.mine.round == 0 else self._forwarded_links()
        if self._check(links) and self.mine.round == 0:
            self._check(self.hearing.extra_links(), beyond=True)
        self._end()

    def _check(self, links: Iterator[LinkState], *, beyond: bool = False) -> bool:
        """Whether to go on: neither is the run over nor are we told to leave."""
        for _ in self.hearing.check(links, stop=self._is_over, beyond=beyond):
            if len(self.hearing.forwarded) >= codec.CHUNK_SIZE:
                self._forward()
            if self.hearing.tally.slice_is_suspicious() and self.hearing.is_offline():
                work_units.stop_run(self.run.pk, HealthRun.StopReason.WITHHELD, WENT_OFFLINE_MESSAGE)
                return False
        return not self._is_over()

    def _end(self) -> None:
        if self.leaving():
            # Nothing of it is lost: it is true, and whoever goes on finds it written.
            self.hearing.write_good(RunDecision())
            work_units.requeue_shard(self.mine)
            return
        self._forward()
        self.shelf.flush()
        work_units.finish_shard(self.mine, self.hearing.tally)

    def _is_over(self) -> bool:
        """Looked at several times a second, whether links answer or not; asks the database now and then."""
        moment = time.monotonic()
        if moment - self.beaten > min(1.0, settings.SCRAPE_LEASE_SECONDS / RENEWALS_PER_LEASE):
            self.beaten = moment
            work_units.renew_worker(self.run.pk, owner=self.mine.owner)
            link_state = work_units.save_progress(self.mine, self.hearing.tally)
            self.over = not link_state or work_units.active_run(self.run.pk) is None
        return self.over or self.leaving()

    # --- what is asked
    def _due_links(self) -> Iterator[LinkState]:
        since = self.run.plan["since"]
        moment = None if since is None else datetime.fromisoformat(since)
        self.hearing.resume_state = load_resume_state(self.selection, since=moment, now=self.run.started_at)
        self._count_written(self.selection.links())
        if self.mine.limit is not None:
            left = max(0, self.mine.limit - self.hearing.tally.done)
            self.hearing.options = replace(self.hearing.options, limit=left)
        return due_links(self.selection, now=self.run.started_at)

    def _forwarded_links(self) -> Iterator[LinkState]:
        """The links that led here, but for those of which the good news was written before this attempt."""
        lively = in_shard(StreamingLink.objects.all(), self.mine.shard)
        answered = {kept.place for kept in self._written_results(lively) if kept.verdict is Verdict.ALIVE}
        self.hearing.resume_state = ResumeState(frozenset(answered))
        return self._remaining_forwarded()

    def _remaining_forwarded(self) -> Iterator[LinkState]:
        for piece in work_units.forwarded_links(self.mine):
            state = dict(piece)
            written = StreamingLink.objects.filter(pk__in=state, last_checked=self.run.started_at)
            self._count_written(written)
            left = sorted(state.keys() - set(written.values_list("pk", flat=True)))
            for link in links_by_id(left):
                yield link._replace(probe_state=state[link.id])

    def _count_written(self, links: StreamingLinkQuerySet) -> None:
        """Count what a worker that died, or left, had written of this part."""
        hearing = self.hearing
        answered = set()
        for kept in self._written_results(links):
            hearing.tally.add_written(kept.place, kept.verdict, was_active=kept.was_active)
            answered.add(kept.place)
        hearing.resume_state = replace(
            hearing.resume_state, responsive_hosts=hearing.resume_state.responsive_hosts | answered
        )

    def _written_results(self, links: StreamingLinkQuerySet) -> Iterator[WrittenResult]:
        return written_results(links, now=self.run.started_at)

    # --- what is for others
    def _forward(self) -> None:
        forwarded, self.hearing.forwarded = self.hearing.forwarded, []
        by_shard: defaultdict[int, list[tuple[int, ProbeState]]] = defaultdict(list)
        for link_id, state in forwarded:
            by_shard[shard_number(bucket_for(host_of(state.url)), of=self.mine.shard.of)].append((link_id, state))
        for number, links in by_shard.items():
            work_units.save_forwarded(self.mine, number, links)
