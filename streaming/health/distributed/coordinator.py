"""A distributed run as seen by the process that started it: makes shards, notifies workers, waits, merges results.

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
WORKER_GRACE_SECONDS = 2.0
"""How long the run waits for workers to register before it makes one shard for each."""
LOCAL_FALLBACK_SECONDS = 10.0
"""After so long without any worker this process checks the links itself."""
NOTIFICATION_COUNT = 64
"""A worker with several processes receives several and registers once; those that nobody receives expire."""
SHARD_FAILED_MESSAGE = (
    f"a shard of the links failed {work_units.MAX_SHARD_ATTEMPTS} times: each worker that checked it died"
)
StopCheck = Callable[[], HealthRun.StopReason | None]
"""Returns why the run has to stop now, or None."""


class LocalWorker:
    """A thread of this process that works on a run as any other worker does, for a run that has none."""

    def __init__(self, run_id: int) -> None:
        self._run_id = run_id
        self._thread: Thread | None = None

    def start(self) -> None:
        """Start the thread unless it runs."""
        if self._thread is None or not self._thread.is_alive():
            log.warning("no worker took a shard of the check; this process checks the links itself")
            self._thread = Thread(target=self._work, daemon=True)
            self._thread.start()

    def join(self) -> None:
        """Wait until the thread has ended; return at once if it was never started."""
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        try:
            shard_worker.work_on_run(self._run_id, name=socket.gethostname())
        finally:
            connections.close_all()


class Coordinator:
    """The shards of one run. `results`: those of finished shards that are not written to the links yet."""

    def __init__(
        self, run: HealthRun, options: CheckOptions, *, canaries: Sequence[ProbeRequest], since: datetime | None,
        on_progress: ProgressCallback | None,
    ) -> None:  # fmt: skip
        self.run, self.options, self.on_progress = run, options, on_progress
        self.results = work_units.RunResults(run.pk)
        self.round = self.total = 0
        self._local_worker = LocalWorker(run.pk)
        self._heartbeat_at = self._notified_at = float("-inf")
        self._without_worker_since: float | None = None
        self.run.plan = {
            "version": codec.CODEC_VERSION,
            "options": options.to_plan(),
            "canaries": [codec.request_to_json(request) for request in canaries],
            "since": since and since.isoformat(),
        }

    def execute(self, stop_reason: StopCheck) -> str:
        """Have all links checked; return why the run is withheld, empty if it is not."""
        self._wait_for_previous_run(stop_reason)
        self._save_plan()
        self._heartbeat()
        self._wait_for_workers(stop_reason)
        self._create_shards()
        while self._should_continue(stop_reason):
            self._periodic()
            time.sleep(POLL_SECONDS)
        while work_units.shards_in_progress().filter(run=self.run).exists():
            time.sleep(POLL_SECONDS)
        self._local_worker.join()
        self.run.refresh_from_db(fields=["ending", "reason"])
        return self.run.reason if self.run.ending == HealthRun.StopReason.WITHHELD else ""

    def merge_into(self, tally: RunTally) -> None:
        """Add the tallies of all shards, as if one process had checked their links."""
        for data in work_units.shard_results(self.run.pk, HealthPiece.Kind.TALLY):
            codec.merge_encoded_tally(data, tally)

    def clear(self) -> None:
        """Delete the run's shards, their results and its workers: the run is over."""
        HealthPart.objects.filter(run=self.run).delete()
        HealthWorker.objects.filter(run=self.run).delete()

    # --- before
    def _wait_for_previous_run(self, stop_reason: StopCheck) -> None:
        """Stop the workers of interrupted runs and wait until they are gone, a lease's duration at most.

        Until then the process that receives our notification on their machine may be one that is not free to register.
        """
        others = HealthRun.objects.filter(Q(parts__isnull=False) | Q(workers__isnull=False), ending="")
        others.update(ending=HealthRun.StopReason.INTERRUPTED)
        while work_units.shards_in_progress().exists() or work_units.active_workers().exists():
            if stop_reason() is not None:
                return  # The next run waits for them.
            time.sleep(POLL_SECONDS)
        HealthPart.objects.all().delete()
        HealthWorker.objects.all().delete()

    def _save_plan(self) -> None:
        self.run.save(update_fields=["plan"])

    def _wait_for_workers(self, stop_reason: StopCheck) -> None:
        """Notify the workers and wait for them to register."""
        notify_workers(self.run.pk, times=NOTIFICATION_COUNT)
        started = self._notified_at = time.monotonic()
        while stop_reason() is None:
            waited = time.monotonic() - started
            if waited > WORKER_GRACE_SECONDS and work_units.count_workers(self.run.pk):
                return
            if waited > LOCAL_FALLBACK_SECONDS and not work_units.count_workers(self.run.pk):
                self._local_worker.start()
                return
            self._periodic()
            time.sleep(POLL_SECONDS)

    def _create_shards(self) -> None:
        """Make one shard per worker, so that all hosts are checked at the same time as in one process.

        With more shards than workers the slow hosts of the later shards would wait for those of the earlier ones.
        """
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
    def _should_continue(self, stop_reason: StopCheck) -> bool:
        """Whether there is work left; if not, the row says why the workers have to stop."""
        if (reason := stop_reason()) is not None:
            work_units.stop_run(self.run.pk, reason)
            return False
        shards = HealthPart.objects.filter(run=self.run)
        if shards.filter(work_units.claimable(), attempt__gte=work_units.MAX_SHARD_ATTEMPTS).exists():
            work_units.stop_run(self.run.pk, HealthRun.StopReason.WITHHELD, SHARD_FAILED_MESSAGE)
            return False
        if shards.exclude(state=HealthPart.State.DONE).exists():
            return HealthRun.objects.filter(pk=self.run.pk, ending="").exists()
        if self._start_next_pass():
            return True
        work_units.stop_run(self.run.pk, HealthRun.StopReason.SETTLED)
        return False

    def _start_next_pass(self) -> bool:
        """Make shards of the links that redirects led to other shards' hosts; False when there are none."""
        forwarded = HealthPiece.objects.filter(
            part__run=self.run, part__round=self.round, attempt=F("part__attempt"), kind=HealthPiece.Kind.FORWARDED
        )  # fmt: skip
        rows = list(forwarded.order_by().values_list("number").annotate(links=Sum("things")))
        self.round += 1
        HealthPart.objects.bulk_create(
            HealthPart(run=self.run, round=self.round, number=number, due=links) for number, links in rows
        )
        return bool(rows)

    def _periodic(self) -> None:
        now, lease = time.monotonic(), settings.SCRAPE_LEASE_SECONDS
        if now - self._heartbeat_at > min(1.0, lease / 4):
            self._heartbeat_at = now
            self._heartbeat()
            self._renotify_workers(now, lease)

    def _heartbeat(self) -> None:
        """Write the counts so far to the run's row and report them."""
        counts: Counter[str] = Counter()
        for saved in HealthPart.objects.filter(run=self.run).values_list("counts", flat=True):
            counts.update(saved)
        HealthRun.objects.filter(pk=self.run.pk).update(heartbeat_at=Now(), **verdict_counts(counts))
        if self.on_progress is not None:
            self.on_progress(CheckProgress.of(counts, self.total))

    def _renotify_workers(self, now: float, lease: float) -> None:
        """Notify again for shards that no worker has claimed, once per lease; without workers check them here."""
        unclaimed = HealthPart.objects.filter(work_units.claimable(), run=self.run).count()
        if unclaimed and now - self._notified_at > lease:
            self._notified_at = now
            notify_workers(self.run.pk, times=unclaimed)
        if not unclaimed or work_units.count_workers(self.run.pk):
            self._without_worker_since = None
            return
        self._without_worker_since = self._without_worker_since or now
        if now - self._without_worker_since > LOCAL_FALLBACK_SECONDS:
            self._local_worker.start()


def notify_workers(run_id: int, *, times: int) -> None:
    """Tell the workers that a run needs them; nothing without `HEALTH_NOTIFIER`."""
    if settings.HEALTH_NOTIFIER:
        import_string(settings.HEALTH_NOTIFIER)(run_id, times=times)
