"""Verify links by the API of their source, where there is one, before the result counts.

Links that are alive by HTTP are verified; oEmbed services also correct failures that are no proof.

The prober does not wait: links that wait for an API are kept in queues while other links are probed and written, and
threads without database access send the queries. Request slots at a source are reserved here, in the database.
See docs/decisions/0009-what-sources-say-of-their-links.md.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue

from django.conf import settings

from scraper.oembed_apis import oembed_apis
from scraper.source_apis import ItemRef, SourceApi, source_apis
from streaming.health.judging.removal import DOUBTED_REASONS, SOURCE_API_REASONS, grace_factor
from streaming.health.judging.results import CheckResult, LinkState
from streaming.health.judging.verdict import Verdict
from streaming.health.probing.config import ProbeConfig
from streaming.health.selection import DENIAL_MAX_AGE, Selection, longest_unverified
from streaming.health.verification import verification_queue
from streaming.health.verification.api_client import MAX_RESPONSE_BYTES, ApiClient, ApiReply
from streaming.health.verification.verification_queue import (
    PendingLink,
    VerificationQueue,
    is_correctable,
    is_throttled_reply,
)
from streaming.host_rate_limit import request_delay_for, reserve_slot
from streaming.models import HostPause, StreamingLink
from streaming.reason_codes import Reason
from streaming.retry_after import PauseSet

MAX_PENDING_LINKS = 5_000
"""Links that wait at a time; further ones count by HTTP alone and come first in the next run."""
CONTROL_CANDIDATES = 20
POLL_SECONDS = 0.1
POLL_INTERVAL_SECONDS = 0.02
"""Seconds between two looks at the replies while links are probed, thousands a second."""


@dataclass(frozen=True, slots=True)
class VerificationLimits:
    """How old a verification may be, and how long verifying may hold up a run.

    `max_slot_wait`: the longest wait for a request slot at a source. `drain_seconds`: after the last link was probed;
    then links without a reply count by HTTP alone.
    """

    max_age: timedelta
    max_slot_wait: timedelta
    drain_seconds: float


IMMEDIATE = VerificationLimits(max_age=timedelta(0), max_slot_wait=timedelta(seconds=10), drain_seconds=10.0)
"""For a few links of which a person waits for the result: each is verified, but not at any cost."""


def run_limits() -> VerificationLimits:
    """Return the limits of a run, by `HEALTH_VERIFY_HOURS`."""
    max_age = timedelta(hours=settings.HEALTH_VERIFY_HOURS)
    return VerificationLimits(max_age=max_age, max_slot_wait=timedelta(minutes=1), drain_seconds=300.0)


class Verifier:
    """The verification of one run's links.

    `selection`: the links of the run, of which the longest unverified ones are chosen; None: whichever come first.
    `pauses` receives the hosts of APIs that are throttled.
    """

    def __init__(
        self,
        config: ProbeConfig,
        *,
        now: datetime,
        stop: Callable[[], bool],
        pauses: PauseSet,
        selection: Selection | None,
        limits: VerificationLimits,
    ) -> None:
        self.config, self.now, self.stop = config, now, stop
        self.pauses, self.selection, self.limits = pauses, selection, limits
        self.verified_before = now - limits.max_age
        self.replies: SimpleQueue[tuple[int, ApiReply]] = SimpleQueue()
        self.queues = [VerificationQueue(number, source_api) for number, source_api in enumerate(_configured_apis())]
        self.queues_by_netloc: defaultdict[str, list[VerificationQueue]] = defaultdict(list)
        for queue in self.queues:
            for netloc in queue.source_api.netlocs:
                self.queues_by_netloc[netloc].append(queue)
        self.pending_links = 0
        self.polled_at = 0.0

    def verify(self, results: Iterable[CheckResult], links: Mapping[int, LinkState]) -> Iterator[CheckResult]:
        """Yield each result once, as soon as it is final; `links` has the states of those that are not yet."""
        if not settings.HEALTH_VERIFY_HOURS:
            yield from results
            return
        try:
            for result in results:
                final: CheckResult | None = result
                if result.judgement.verdict is Verdict.ALIVE or is_correctable(result):
                    final = self._enqueue_or_pass(result, links[result.id])
                if final is not None:
                    yield final
                if self.pending_links and time.monotonic() - self.polled_at > POLL_INTERVAL_SECONDS:
                    self._send_queries(ended=False)
                    yield from self._receive(timeout=0.0)
                    self.polled_at = time.monotonic()
            yield from self._drain()
        finally:
            for queue in self.queues:
                if queue.client is not None:
                    queue.client.close()

    # --- links
    def _enqueue_or_pass(self, result: CheckResult, link: LinkState) -> CheckResult | None:
        """Return the final result of a link; None: it waits for its source's API."""
        is_failing = result.judgement.verdict is not Verdict.ALIVE
        queue, item = self._queue_for(link)
        if queue is None or item is None or (is_failing and not queue.source_api.corrects_http):
            return result
        is_recent = self._is_recent(link)
        pending = PendingLink(result, item, _earlier_reason(link, result, is_recent=is_recent))
        if item.name in queue.statuses:
            final = queue.resolve(pending, queue.statuses[item.name])
            self.pending_links += final is None
            return final
        # A failure that the last statement does not explain is a reason to ask again, however recent that one is.
        is_settled = is_recent and (not is_failing or bool(pending.earlier_reason))
        may_wait = self.pending_links < MAX_PENDING_LINKS and queue.accepts(item.name, is_failing=is_failing)
        if is_settled or not may_wait:
            return pending.without_status()
        queue.add(pending)
        self.pending_links += 1
        return None

    def _queue_for(self, link: LinkState) -> tuple[VerificationQueue | None, ItemRef | None]:
        for queue in self.queues_by_netloc.get(link.netloc, ()):
            if item := queue.source_api.item_for_url(link.url):
                if not queue.opened:
                    self._open(queue)
                return queue, item
        return None, None

    def _open(self, queue: VerificationQueue) -> None:
        pause = HostPause.objects.active(self.now).filter(host=queue.source_api.host)
        queue.opened, queue.closed = True, pause.exists()
        if self.selection is not None:
            queue.selected_names = _names_to_query(
                queue.source_api, self.selection, before=self.verified_before, now=self.now
            )

    def _is_recent(self, link: LinkState) -> bool:
        """Return whether a link need not be verified again; a verification in the future does not count.

        What its API denies is asked again sooner while the grace lasts: the API may have been wrong.
        """
        before = self.verified_before
        grace = timedelta(hours=settings.LINK_GRACE_HOURS) * grace_factor(reason=link.reason, strength=link.strength)
        if link.reason in DOUBTED_REASONS and timedelta(seconds=link.failing_seconds) < grace:
            before = max(before, self.now - DENIAL_MAX_AGE)
        return link.verified_at is not None and before < link.verified_at <= self.now

    # --- queries
    def _send_queries(self, *, ended: bool) -> None:
        for queue in self.queues:
            if queue.is_ready(ended=ended):
                self._send_query(queue)

    def _send_query(self, queue: VerificationQueue) -> None:
        wait = _reserve_api_slot(queue.source_api, max_wait=self.limits.max_slot_wait)
        if wait is None:
            queue.closed = True
            return
        url, count = queue.next_query()
        queue.start_query(count)
        if queue.client is None:
            max_bytes = queue.source_api.max_response_bytes or MAX_RESPONSE_BYTES
            queue.client = ApiClient(queue.number, self.replies, self.config, max_bytes=max_bytes)
            queue.client.start()
        queue.client.submit(url, after=wait)

    # --- replies
    def _receive(self, *, timeout: float) -> Iterator[CheckResult]:
        """Yield the links of the next reply, if it comes within `timeout` seconds, and those that will get none."""
        results: list[CheckResult] = []
        with suppress(Empty):
            number, reply = self.replies.get(timeout=timeout) if timeout else self.replies.get_nowait()
            queue = self.queues[number]
            if is_throttled_reply(reply):
                self.pauses.add_requested(queue.source_api.host, reply.retry_after or "", now=self.now)
            results += queue.apply_reply(queue.parse_reply(reply))
        for queue in self.queues:
            if queue.pending and not queue.queried and queue.is_exhausted:
                results += queue.release()
        self.pending_links -= len(results)
        yield from results

    def _drain(self) -> Iterator[CheckResult]:
        """Yield all links that still wait, once no more will come."""
        end = time.monotonic() + self.limits.drain_seconds
        yield from self._query_until(end)
        for queue in self.queues:
            if queue.needs_control and (name := queue.available_name or _confirmed_name(queue)):
                queue.ask_control(name)
        yield from self._query_until(end)
        for queue in self.queues:
            yield from queue.release()
            yield from queue.settle()

    def _query_until(self, end: float) -> Iterator[CheckResult]:
        while any(queue.has_work for queue in self.queues) and time.monotonic() < end and not self.stop():
            self._send_queries(ended=True)
            yield from self._receive(timeout=POLL_SECONDS)


def _configured_apis() -> list[SourceApi]:
    apis = source_apis(
        archive=settings.INTERNET_ARCHIVE_URL, commons=settings.COMMONS_API_URL, instances=settings.PEERTUBE_URLS
    )
    return apis + oembed_apis(
        youtube=settings.YOUTUBE_OEMBED_URL,
        vimeo=settings.VIMEO_OEMBED_URL,
        dailymotion=settings.DAILYMOTION_OEMBED_URL,
    )


def _earlier_reason(link: LinkState, result: CheckResult, *, is_recent: bool) -> str:
    """Return what the API said of a link earlier, as far as it still counts against HTTP; empty: nothing.

    That the film is there counts for as long as a verification does, against walls and outages.
    """
    if not link.is_active:
        return link.reason if link.reason in SOURCE_API_REASONS else ""
    is_shut_out = result.judgement.verdict in (Verdict.BLOCKED, Verdict.UNREACHABLE)
    return Reason.OK if is_recent and is_shut_out else ""


def _reserve_api_slot(source_api: SourceApi, *, max_wait: timedelta) -> float | None:
    """Return the seconds until this API may be queried; None: others have taken all slots until then."""
    delay = request_delay_for(source_api.host, source=source_api.slug)
    return reserve_slot(source_api.host, delay=delay, max_wait=max_wait) if delay else 0.0


def _confirmed_name(queue: VerificationQueue) -> str:
    """Return an item that the API confirmed recently and no link waits for; empty: none.

    If the API now misses it, too, nothing that it misses counts. Most runs query only few items.
    """
    confirmed = (
        StreamingLink.objects.active()
        .filter(host__in=queue.source_api.hosts, reason=Reason.OK)
        .exclude(verified_at=None)
    )
    for url in confirmed.order_by("-verified_at", "-pk").values_list("source_url", flat=True)[:CONTROL_CANDIDATES]:
        item = queue.source_api.item_for_url(url)
        if item and item.name not in queue.doubted:
            return item.name
    return ""


def _names_to_query(source_api: SourceApi, selection: Selection, *, before: datetime, now: datetime) -> frozenset[str]:
    """Return the names of the longest unverified items, over all hosts of the API, as many as a run may query."""
    names: dict[str, None] = {}
    limit = verification_queue.MAX_QUERIES_PER_RUN * source_api.batch_size
    for host in source_api.hosts:
        for url in longest_unverified(selection, host, before=before, now=now):
            if item := source_api.item_for_url(url):
                names[item.name] = None
            if len(names) >= limit:
                return frozenset(names)
    return frozenset(names)
