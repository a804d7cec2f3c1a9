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

from streaming.health.distributed import codec, shard_worker, work_units
from streaming.health.probe_types import ProbeRequest
from streaming.health.selection import count_due_by_shard
from streaming.health.sharding import MAX_SHARDS
from streaming.health.sweep.options import CheckOptions, CheckProgress, ProgressCallback
from streaming.health.sweep.report import verdict_counts
from streaming.health.sweep.tally import RunTally
from streaming.models import HealthPart, HealthPiece, HealthRun, HealthWorker

log = logging.getLogger(__name__)

POLL_SECONDS = 0.2
# Idle workers come at once; a host is asked from the beginning only by those who have come by then.
WORKER_GRACE_SECONDS = 2.0
# After so long without any worker this process asks the links itself.
LOCAL_FALLBACK_SECONDS = 10.0
# A worker of several processes hears several, and comes once; those that nobody hears are dropped.
NOTIFICATION_COUNT = 64
SHARD_FAILED_MESSAGE = (
    f"a part of the links was given up after {work_units.MAX_SHARD_ATTEMPTS} attempts: whoever asked it died"
)
StopCheck = Callable[[], HealthRun.StopReason | None]


class Coordinator:
    """The parts of one run. `shelf`: the findings that they handed over."""

    def __init__(
        self, run: HealthRun, options: CheckOptions, *, canaries: Sequence[ProbeRequest], since: datetime | None,
        on_progress: ProgressCallback | None,
    ) -> None:  # fmt: skip
        self.run, self.options, self.told = run, options, on_progress
        self.failures = work_units.RunResults(run.pk)
        self.round = self.total = 0
        self._hand: Thread | None = None
        self._beaten = self._rung = float("-inf")
        self._without_worker: float | None = None
        self.run.plan = {
            "version": codec.CODEC_VERSION,
            "options": options.to_plan(),
            "canaries": [list(question) for question in canaries],
            "since": since and since.isoformat(),
        }

    def execute(self, why_end: StopCheck) -> str:
        """Have all asked, until it is to end; why nothing of it is believed, most often empty."""
        self._wait_for_the_last_run(why_end)
        self._save_plan()
        self._heartbeat()
        self._wait_for_workers(why_end)
        self._create_shards()
        while self._should_continue(why_end):
            self._periodic()
            time.sleep(POLL_SECONDS)
        while work_units.shards_in_progress().filter(run=self.run).exists():
            time.sleep(POLL_SECONDS)
        if self._hand is not None:
            self._hand.join()
        self.run.refresh_from_db(fields=["ending", "reason"])
        return self.run.reason if self.run.ending == HealthRun.StopReason.WITHHELD else ""

    def merge_into(self, tally: RunTally) -> None:
        """What all parts heard, as if one had."""
        for data in work_units.shard_results(self.run.pk, HealthPiece.Kind.TALLY):
            codec.merge_encoded_tally(data, tally)

    def clear(self) -> None:
        """The run is over: what its parts handed over is not needed any more."""
        HealthPart.objects.filter(run=self.run).delete()
        HealthWorker.objects.filter(run=self.run).delete()

    # --- before
    def _wait_for_the_last_run(self, why_end: StopCheck) -> None:
        """Workers of a run that was broken off may still ask, or wait for its parts; they are told, and end within a
        lease. Until they have left, whoever hears our bell at their machine may be none that comes."""
        theirs = HealthRun.objects.filter(Q(parts__isnull=False) | Q(workers__isnull=False), ending="")
        theirs.update(ending=HealthRun.StopReason.INTERRUPTED)
        while work_units.shards_in_progress().exists() or work_units.active_workers().exists():
            if why_end() is not None:
                return  # Whoever comes next waits for them.
            time.sleep(POLL_SECONDS)
        HealthPart.objects.all().delete()
        HealthWorker.objects.all().delete()

    def _save_plan(self) -> None:
        self.run.save(update_fields=["plan"])

    def _wait_for_workers(self, why_end: StopCheck) -> None:
        """Ring, and wait for those who come."""
        notify_workers(self.run.pk, times=NOTIFICATION_COUNT)
        began = self._rung = time.monotonic()
        while why_end() is None:
            waited = time.monotonic() - began
            if waited > WORKER_GRACE_SECONDS and work_units.count_workers(self.run.pk):
                return
            if waited > LOCAL_FALLBACK_SECONDS and not work_units.count_workers(self.run.pk):
                self._start_local_worker()
                return
            self._periodic()
            time.sleep(POLL_SECONDS)

    def _create_shards(self) -> None:
        """As many as there are workers: all hosts are asked at once, as one process would; slow ones take as long."""
        of = self.run.plan["of"] = min(
            MAX_SHARDS, self.options.shard_count or work_units.count_workers(self.run.pk) or 1
        )
        self._save_plan()
        limit = self.options.limit
        due = count_due_by_shard(self.options.selection, now=self.run.started_at, of=of, limit=limit)
        self.total = due.total()
        HealthPart.objects.bulk_create(
            HealthPart(run=self.run, number=number, due=links, limit=None if limit is None else links)
            for number, links in due.items()
        )

    # --- while it runs
    def _should_continue(self, why_end: StopCheck) -> bool:
        if (why := why_end()) is not None:
            work_units.stop_run(self.run.pk, why)
            return False
        mine = HealthPart.objects.filter(run=self.run)
        if mine.filter(work_units.claimable(), attempt__gte=work_units.MAX_SHARD_ATTEMPTS).exists():
            work_units.stop_run(self.run.pk, HealthRun.StopReason.WITHHELD, SHARD_FAILED_MESSAGE)
            return False
        if mine.exclude(state=HealthPart.State.DONE).exists():
            return HealthRun.objects.filter(pk=self.run.pk, ending="").exists()
        if self._start_next_pass():
            return True
        work_units.stop_run(self.run.pk, HealthRun.StopReason.SETTLED)
        return False

    def _start_next_pass(self) -> bool:
        """Parts of the links that redirects led to other shares' hosts; False when there is none."""
        led = HealthPiece.objects.filter(
            part__run=self.run, part__round=self.round, attempt=F("part__attempt"), kind=HealthPiece.Kind.FORWARDED
        )  # fmt: skip
        rows = list(led.order_by().values_list("number").annotate(links=Sum("things")))
        self.round += 1
        HealthPart.objects.bulk_create(
            HealthPart(run=self.run, round=self.round, number=number, due=links) for number, links in rows
        )
        return bool(rows)

    def _periodic(self) -> None:
        now, lease = time.monotonic(), settings.SCRAPE_LEASE_SECONDS
        if now - self._beaten > min(1.0, lease / 4):
            self._beaten = now
            self._heartbeat()
            self._renotify_workers(now, lease)

    def _heartbeat(self) -> None:
        counts: Counter[str] = Counter()
        for saved in HealthPart.objects.filter(run=self.run).values_list("counts", flat=True):
            counts.update(saved)
        HealthRun.objects.filter(pk=self.run.pk).update(heartbeat_at=Now(), **verdict_counts(counts))
        if self.told is not None:
            self.told(CheckProgress.of(counts, self.total))

    def _renotify_workers(self, now: float, lease: float) -> None:
        """Ring for parts that nobody has taken, once a lease; when nobody comes, ask them here."""
        waiting = HealthPart.objects.filter(work_units.claimable(), run=self.run).count()
        if waiting and now - self._rung > lease:
            self._rung = now
            notify_workers(self.run.pk, times=waiting)
        if not waiting or work_units.count_workers(self.run.pk):
            self._without_worker = None
            return
        self._without_worker = self._without_worker or now
        if now - self._without_worker > LOCAL_FALLBACK_SECONDS:
            self._start_local_worker()

    def _start_local_worker(self) -> None:
        if self._hand is None or not self._hand.is_alive():
            log.warning("no worker took a part of the check; this process asks the links itself")
            self._hand = Thread(target=self._run_local_worker, daemon=True)
            self._hand.start()

    def _run_local_worker(self) -> None:
        try:
            shard_worker.work_on_run(self.run.pk, name=socket.gethostname())
        finally:
            connections.close_all()


def notify_workers(run_id: int, *, times: int) -> None:
    """Tell the workers that a run wants them."""
    if settings.HEALTH_NOTIFIER:
        import_string(settings.HEALTH_NOTIFIER)(run_id, times=times)
