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

from scraper.addresses import host_of
from streaming.health import parts
from streaming.health.answers import Question, Underway
from streaming.health.broken import Before, Kept, left_before, written_in
from streaming.health.due import DueLink, due_links, in_share, these_links
from streaming.health.guard import LOST_ON_THE_WAY, Belief
from streaming.health.handing import PIECE
from streaming.health.hearing import Hearing
from streaming.health.options import of_plan
from streaming.health.parts import Claim
from streaming.health.probe import never
from streaming.health.shares import bucket_of, number_of
from streaming.health.verdict import Verdict
from streaming.models import HealthRun, StreamingLink, StreamingLinkQuerySet

LOOK_SECONDS = 0.3
LEASES_RENEWED = 4  # times within a lease, or oftener


def help_with(run_id: int, *, name: str, leaving: Callable[[], bool] = never) -> None:
    """Ask parts of this run until it is over, or until this worker is told to leave.

    Each time under a new name: else a process that failed at a part and came again would keep that part's lease alive.
    """
    owner = f"{name[:150]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    if parts.going(run_id) is None:
        return  # A bell of a run that is over by now.
    try:
        parts.come(run_id, owner=owner)
        while not leaving() and (run := parts.going(run_id)) is not None:
            mine = parts.claim(run, owner=owner)
            if mine is not None:
                _Part(run, mine, leaving).ask()
            else:
                # Redirects may lead to hosts that are this worker's: it is not done before all are.
                parts.keep(run_id, owner=owner)
                time.sleep(LOOK_SECONDS)
    except IntegrityError:
        return  # The run is over, and its parts with it: nobody wants to know any more.
    finally:
        parts.leave(run_id, owner=owner)


class _Part:
    """The state of one part while it is asked."""

    def __init__(self, run: HealthRun, mine: Claim, leaving: Callable[[], bool]) -> None:
        self.run, self.mine, self.leaving = run, mine, leaving
        options = of_plan(run.plan["options"])
        self.selection = replace(options.selection, share=mine.share)
        self.shelf = parts.PartShelf(mine)
        asked = replace(options, selection=self.selection, limit=mine.limit)
        self.hearing = Hearing(asked, now=run.started_at, shelf=self.shelf)
        self.hearing.canaries = [Question(*canary) for canary in run.plan["canaries"]]
        self.over = False
        self.beaten = time.monotonic()

    def ask(self) -> None:
        """Ask what is due on these hosts, or what led to them, and hand over what was heard."""
        links = self._due() if self.mine.round == 0 else self._handed_on()
        if self._hear(links) and self.mine.round == 0:
            self._hear(self.hearing.others(), beyond=True)
        self._end()

    def _hear(self, links: Iterator[DueLink], *, beyond: bool = False) -> bool:
        """Whether to go on: neither is the run over nor are we told to leave."""
        for _ in self.hearing.hear(links, stop=self._is_over, beyond=beyond):
            if len(self.hearing.onward) >= PIECE:
                self._hand_on()
            if self.hearing.heard.slice_is_suspicious() and self.hearing.our_side_is_down():
                parts.end(self.run.pk, HealthRun.Ending.WITHHELD, LOST_ON_THE_WAY)
                return False
        return not self._is_over()

    def _end(self) -> None:
        if self.leaving():
            # Nothing of it is lost: it is true, and whoever goes on finds it written.
            self.hearing.write_good(Belief())
            parts.give_back(self.mine)
            return
        self._hand_on()
        self.shelf.flush()
        parts.close(self.mine, self.hearing.heard)

    def _is_over(self) -> bool:
        """Looked at several times a second, whether links answer or not; asks the database now and then."""
        moment = time.monotonic()
        if moment - self.beaten > min(1.0, settings.SCRAPE_LEASE_SECONDS / LEASES_RENEWED):
            self.beaten = moment
            parts.keep(self.run.pk, owner=self.mine.owner)
            standing = parts.tell(self.mine, self.hearing.heard)
            self.over = not standing or parts.going(self.run.pk) is None
        return self.over or self.leaving()

    # --- what is asked
    def _due(self) -> Iterator[DueLink]:
        since = self.run.plan["since"]
        moment = None if since is None else datetime.fromisoformat(since)
        self.hearing.before = left_before(self.selection, since=moment, now=self.run.started_at)
        self._remember(self.selection.links())
        if self.mine.limit is not None:
            left = max(0, self.mine.limit - self.hearing.heard.done)
            self.hearing.options = replace(self.hearing.options, limit=left)
        return due_links(self.selection, now=self.run.started_at)

    def _handed_on(self) -> Iterator[DueLink]:
        """The links that led here, but for those of which the good news was written before this attempt."""
        lively = in_share(StreamingLink.objects.all(), self.mine.share)
        answered = {kept.place for kept in self._kept(lively) if kept.verdict is Verdict.ALIVE}
        self.hearing.before = Before(frozenset(answered))
        return self._those_left()

    def _those_left(self) -> Iterator[DueLink]:
        for piece in parts.onward_to(self.mine):
            underway = dict(piece)
            written = StreamingLink.objects.filter(pk__in=underway, last_checked=self.run.started_at)
            self._remember(written)
            left = sorted(underway.keys() - set(written.values_list("pk", flat=True)))
            for link in these_links(left):
                yield link._replace(underway=underway[link.standing.id])

    def _remember(self, links: StreamingLinkQuerySet) -> None:
        """Count what a worker that died, or left, had written of this part."""
        hearing = self.hearing
        answered = set()
        for kept in self._kept(links):
            hearing.heard.remember(kept.place, kept.verdict, was_active=kept.was_active)
            answered.add(kept.place)
        hearing.before = replace(hearing.before, answered=hearing.before.answered | answered)

    def _kept(self, links: StreamingLinkQuerySet) -> Iterator[Kept]:
        return written_in(links, now=self.run.started_at)

    # --- what is for others
    def _hand_on(self) -> None:
        onward, self.hearing.onward = self.hearing.onward, []
        by_share: defaultdict[int, list[tuple[int, Underway]]] = defaultdict(list)
        for link_id, underway in onward:
            by_share[number_of(bucket_of(host_of(underway.url)), of=self.mine.share.of)].append((link_id, underway))
        for number, links in by_share.items():
            parts.put_onward(self.mine, number, links)
