"""A run shared out over workers, seen by whoever began it: makes parts, rings for them, waits, takes what they heard.

See docs/decisions/0008-a-run-over-many-machines.md.
"""

from __future__ import annotations

import logging
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Thread

from django.conf import settings
from django.db import connections
from django.db.models import F, Q, Sum
from django.db.models.functions import Now
from django.utils.module_loading import import_string

from streaming.health import handing, helping, parts
from streaming.health.answers import Question
from streaming.health.due import spread
from streaming.health.gathering import Gathering
from streaming.health.options import Options, Progress, Told
from streaming.health.report import numbers_of
from streaming.health.shares import MOST_SHARES
from streaming.models import HealthPart, HealthPiece, HealthRun, HealthWorker

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
# Idle workers come at once; a host is asked from the beginning only by those who have come by then.
MUSTER_SECONDS = 2.0
# After so long without any worker this process asks the links itself.
PATIENCE_SECONDS = 10.0
# A worker of several processes hears several, and comes once; those that nobody hears are dropped.
BELLS = 64
GIVEN_UP = f"a part of the links was given up after {parts.MOST_ATTEMPTS} attempts: whoever asked it died"
WhyEnd = Callable[[], HealthRun.Ending | None]


class SharedRun:
    """The parts of one run. `shelf`: the findings that they handed over."""

    def __init__(
        self, run: HealthRun, options: Options, *, canaries: Sequence[Question], since: datetime | None,
        told: Told | None,
    ) -> None:  # fmt: skip
        self.run, self.options, self.told = run, options, told
        self.shelf = parts.RunShelf(run.pk)
        self.round = self.total = 0
        self._hand: Thread | None = None
        self._beaten = self._rung = float("-inf")
        self._without_worker: float | None = None
        self.run.plan = {
            "version": handing.VERSION,
            "options": options.as_plan(),
            "canaries": [list(question) for question in canaries],
            "since": since and since.isoformat(),
        }

    def ask(self, why_end: WhyEnd) -> str:
        """Have all asked, until it is to end; why nothing of it is believed, most often empty."""
        self._wait_for_the_last_run(why_end)
        self._save_plan()
        self._beat()
        self._muster(why_end)
        self._make_parts()
        while self._goes_on(why_end):
            self._now_and_then()
            time.sleep(LOOK_SECONDS)
        while parts.at_work().filter(run=self.run).exists():
            time.sleep(LOOK_SECONDS)
        if self._hand is not None:
            self._hand.join()
        self.run.refresh_from_db(fields=["ending", "reason"])
        return self.run.reason if self.run.ending == HealthRun.Ending.WITHHELD else ""

    def join_into(self, heard: Gathering) -> None:
        """What all parts heard, as if one had."""
        for data in parts.packed(self.run.pk, HealthPiece.Kind.HEARD):
            handing.add_heard(data, heard)

    def clear(self) -> None:
        """The run is over: what its parts handed over is not needed any more."""
        HealthPart.objects.filter(run=self.run).delete()
        HealthWorker.objects.filter(run=self.run).delete()

    # --- before
    def _wait_for_the_last_run(self, why_end: WhyEnd) -> None:
        """Workers of a run that was broken off may still ask, or wait for its parts; they are told, and end within a
        lease. Until they have left, whoever hears our bell at their machine may be none that comes."""
        theirs = HealthRun.objects.filter(Q(parts__isnull=False) | Q(workers__isnull=False), ending="")
        theirs.update(ending=HealthRun.Ending.INTERRUPTED)
        while parts.at_work().exists() or parts.living().exists():
            if why_end() is not None:
                return  # Whoever comes next waits for them.
            time.sleep(LOOK_SECONDS)
        HealthPart.objects.all().delete()
        HealthWorker.objects.all().delete()

    def _save_plan(self) -> None:
        self.run.save(update_fields=["plan"])

    def _muster(self, why_end: WhyEnd) -> None:
        """Ring, and wait for those who come."""
        ring(self.run.pk, times=BELLS)
        began = self._rung = time.monotonic()
        while why_end() is None:
            waited = time.monotonic() - began
            if waited > MUSTER_SECONDS and parts.how_many_came(self.run.pk):
                return
            if waited > PATIENCE_SECONDS and not parts.how_many_came(self.run.pk):
                self._lend_a_hand()
                return
            self._now_and_then()
            time.sleep(LOOK_SECONDS)

    def _make_parts(self) -> None:
        """As many as there are workers: all hosts are asked at once, as one process would; slow ones take as long."""
        of = self.run.plan["of"] = min(MOST_SHARES, self.options.parts or parts.how_many_came(self.run.pk) or 1)
        self._save_plan()
        limit = self.options.limit
        due = spread(self.options.selection, now=self.run.started_at, of=of, limit=limit)
        self.total = due.total()
        HealthPart.objects.bulk_create(
            HealthPart(run=self.run, number=number, due=links, limit=None if limit is None else links)
            for number, links in due.items()
        )

    # --- while it runs
    def _goes_on(self, why_end: WhyEnd) -> bool:
        if (why := why_end()) is not None:
            parts.end(self.run.pk, why)
            return False
        mine = HealthPart.objects.filter(run=self.run)
        if mine.filter(parts.claimable(), attempt__gte=parts.MOST_ATTEMPTS).exists():
            parts.end(self.run.pk, HealthRun.Ending.WITHHELD, GIVEN_UP)
            return False
        if mine.exclude(state=HealthPart.State.DONE).exists():
            return HealthRun.objects.filter(pk=self.run.pk, ending="").exists()
        if self._next_round():
            return True
        parts.end(self.run.pk, HealthRun.Ending.SETTLED)
        return False

    def _next_round(self) -> bool:
        """Parts of the links that redirects led to other shares' hosts; False when there is none."""
        led = HealthPiece.objects.filter(
            part__run=self.run, part__round=self.round, attempt=F("part__attempt"), kind=HealthPiece.Kind.ONWARD
        )  # fmt: skip
        rows = list(led.order_by().values_list("number").annotate(links=Sum("things")))
        self.round += 1
        HealthPart.objects.bulk_create(
            HealthPart(run=self.run, round=self.round, number=number, due=links) for number, links in rows
        )
        return bool(rows)

    def _now_and_then(self) -> None:
        now, lease = time.monotonic(), settings.SCRAPE_LEASE_SECONDS
        if now - self._beaten > min(1.0, lease / 4):
            self._beaten = now
            self._beat()
            self._look_for_workers(now, lease)

    def _beat(self) -> None:
        counts: Counter[str] = Counter()
        for told in HealthPart.objects.filter(run=self.run).values_list("counts", flat=True):
            counts.update(told)
        HealthRun.objects.filter(pk=self.run.pk).update(heartbeat_at=Now(), **numbers_of(counts))
        if self.told is not None:
            self.told(Progress.of(counts, self.total))

    def _look_for_workers(self, now: float, lease: float) -> None:
        """Ring for parts that nobody has taken, once a lease; when nobody comes, ask them here."""
        waiting = HealthPart.objects.filter(parts.claimable(), run=self.run).count()
        if waiting and now - self._rung > lease:
            self._rung = now
            ring(self.run.pk, times=waiting)
        if not waiting or parts.how_many_came(self.run.pk):
            self._without_worker = None
            return
        self._without_worker = self._without_worker or now
        if now - self._without_worker > PATIENCE_SECONDS:
            self._lend_a_hand()

    def _lend_a_hand(self) -> None:
        if self._hand is None or not self._hand.is_alive():
            log.warning("no worker took a part of the check; this process asks the links itself")
            self._hand = Thread(target=self._help, daemon=True)
            self._hand.start()

    def _help(self) -> None:
        try:
            helping.help_with(self.run.pk, name=socket.gethostname())
        finally:
            connections.close_all()


def ring(run_id: int, *, times: int) -> None:
    """Tell the workers that a run wants them."""
    if settings.HEALTH_BELL:
        import_string(settings.HEALTH_BELL)(run_id, times=times)
