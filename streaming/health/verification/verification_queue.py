"""The links of one source in a run that wait until the source's API confirms them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from scraper.extraction.json_values import UnreadableResponse
from scraper.net.throttling import is_throttled
from scraper.source_apis import DOUBTED_STATUSES, MISSING, NOT_PUBLIC, ApiStatus, ItemRef, SourceApi
from streaming.health.judging.results import CheckResult
from streaming.health.judging.verdict import Verdict, source_judgement
from streaming.health.verification.api_client import ApiClient, ApiReply
from streaming.reason_codes import Reason, Strength

logger = logging.getLogger(__name__)

MAX_QUERIES_PER_RUN = 300
"""Queries to one API in a run: at one a second (Internet Archive) they take five minutes."""
MAX_API_FAILURES = 2
MAX_CACHED_FILES = 2_000
MAX_SURELY_MISSING = 3
"""If an API misses more names at once that were there before, it may have lost them: that proves nothing of any."""
SUSPICIOUS_MIN_MISSING, SUSPICIOUS_MISSING_RATIO = 5, 0.5
"""If an API misses so many names, and more than this ratio of all, it has more likely lost its own data."""


SUSPICIOUS_REFUSALS = 2


class PendingLink(NamedTuple):
    """A link that waits for its source's API.

    `earlier_reason`: what the API said earlier, `ok` or the reason for which it turned the link off; empty: nothing
    that still counts.
    """

    result: CheckResult
    item: ItemRef
    earlier_reason: str

    def without_status(self) -> CheckResult:
        """Return the result by HTTP, which does not overrule what the API said earlier."""
        return self._judged(Reason(self.earlier_reason)) if self.earlier_reason else self.result

    def reason_from(self, status: ApiStatus | None) -> str | None:
        """Return what a status says of this link: empty if it is available; None: nothing."""
        return status.reason_for(self.item.part) if status else None

    def is_newly_missing(self, status: ApiStatus | None) -> bool:
        """Return whether a status calls a link missing that no earlier one turned off."""
        return self.reason_from(status) == MISSING and self.earlier_reason in ("", Reason.OK)

    def with_status(self, status: ApiStatus | None, *, missing: Reason = Reason.MISSING) -> CheckResult:
        """Return the result with the API's status of its item; None: the API gave none.

        `missing`: the reason of a link that is newly missing. One that was weaker than missing earlier stays so.
        """
        reason = self.reason_from(status)
        if reason is None:
            return self.without_status()
        if self.is_newly_missing(status):
            reason = missing
        elif reason == MISSING and self.earlier_reason == Reason.NOT_FOUND:
            reason = Reason.NOT_FOUND
        return self._judged(Reason(reason) if reason else Reason.OK)._replace(is_verified=True)

    def _judged(self, reason: Reason) -> CheckResult:
        """Return the result with what the API said. One that worked by HTTP too stays as it is, doubtful or not."""
        if reason is not Reason.OK:
            return self.result._replace(judgement=source_judgement(reason))
        if self.result.judgement.verdict is Verdict.ALIVE:
            return self.result
        return self.result._replace(
            judgement=source_judgement(reason), is_transport_failure=False, page_hash="", landing_hash="", page=None
        )


def is_correctable(result: CheckResult) -> bool:
    """Return whether an API may correct a failure: a 404 of the link itself stands, walls and odd pages need not."""
    judgement = result.judgement
    return judgement.verdict.is_bad and judgement.strength is not Strength.PROVEN


@dataclass(slots=True)
class VerificationQueue:
    """The pending links of one source, and its API's replies; `opened` when its first link comes.

    `selected_names`: the items to query; None: whichever come first. `pending` and `queried` are links by item name;
    only one query is under way at a time. `statuses`: replies so far, for later links of the same items. `doubted`:
    links whose items the API does not know or does not show. They wait until the end of the run, because a broken API
    replies so to everything, and one that has had enough of us to everything from then on. `control`: the item that the
    API knew before and is asked about again at the end; empty: none. `closed`: no more queries.
    """

    number: int
    source_api: SourceApi
    opened: bool = False
    selected_names: frozenset[str] | None = None
    queries: int = 0
    failures: int = 0
    closed: bool = False
    pending: dict[str, list[PendingLink]] = field(default_factory=dict)
    queried: dict[str, list[PendingLink]] = field(default_factory=dict)
    statuses: dict[str, ApiStatus] = field(default_factory=dict)
    doubted: dict[str, list[PendingLink]] = field(default_factory=dict)
    names_known: int = 0
    control: str = ""
    client: ApiClient | None = None

    @property
    def has_work(self) -> bool:
        """Whether links wait for a query or its reply."""
        return bool(self.pending or self.queried)

    @property
    def is_exhausted(self) -> bool:
        """Whether no more queries will be sent in this run."""
        return self.closed or self.queries >= MAX_QUERIES_PER_RUN

    def accepts(self, name: str, *, is_failing: bool) -> bool:
        """Return whether a link of this item may wait. `is_failing`: by HTTP; such links are not selected before."""
        if name in self.queried:
            return True
        if self.is_exhausted:
            return False
        if self.selected_names is not None and not is_failing:
            return name in self.selected_names
        free = (MAX_QUERIES_PER_RUN - self.queries) * self.source_api.batch_size - len(self.pending)
        return name in self.pending or free > 0

    def add(self, link: PendingLink) -> None:
        """Let a link wait; one whose item is being queried waits for that reply."""
        name = link.item.name
        (self.queried if name in self.queried else self.pending).setdefault(name, []).append(link)

    def is_ready(self, *, ended: bool) -> bool:
        """Return whether a query can be sent: a full one, or any once no more links will come (`ended`)."""
        if self.queried or self.is_exhausted:
            return False
        return len(self.pending) >= (1 if ended else self.source_api.batch_size)

    def next_query(self) -> tuple[str, int]:
        """Return the URL of the next query and the number of pending names it covers."""
        return self.source_api.build_query(self.source_api.base, list(self.pending)[: self.source_api.batch_size])

    def start_query(self, count: int) -> None:
        """Mark the first `count` pending names as being queried."""
        self.queries += 1
        self.queried = {name: self.pending.pop(name) for name in list(self.pending)[:count]}

    def parse_reply(self, reply: ApiReply) -> dict[str, ApiStatus]:
        """Return the statuses that a reply contains; empty if it contains none.

        The queue is closed when the API is throttled or has failed twice in a row.
        """
        if is_throttled_reply(reply):
            self.closed = True
            return {}
        try:
            if reply.status is None or reply.data is None:
                raise UnreadableResponse("no response with data")
            statuses = self.source_api.parse_statuses(reply.status, reply.data, self.queried.keys())
        except UnreadableResponse:
            self.failures += 1
            self.closed = self.failures >= MAX_API_FAILURES
            return {}
        self.failures = 0
        return statuses

    def apply_reply(self, statuses: Mapping[str, ApiStatus]) -> list[CheckResult]:
        """Return the results of the links that were queried, without those whose items are missing."""
        self.statuses |= {name: one for name, one in statuses.items() if len(one.parts or ()) <= MAX_CACHED_FILES}
        self.names_known += len(statuses)
        queried, self.queried = self.queried, {}
        resolved = (self.resolve(link, statuses.get(name)) for name, links in queried.items() for link in links)
        return [result for result in resolved if result is not None]

    def resolve(self, link: PendingLink, status: ApiStatus | None) -> CheckResult | None:
        """Return the link's result; None: its item is missing or not shown, so it waits for the end of the run."""
        if status is None or not _is_doubted(status, link):
            return link.with_status(status)
        self.doubted.setdefault(link.item.name, []).append(link)
        return None

    @property
    def available_name(self) -> str:
        """An item that the API has shown in this run; empty: none."""
        return next((name for name, status in self.statuses.items() if _shows_item(status)), "")

    @property
    def needs_control(self) -> bool:
        """Whether what the API doubts may be due to itself: it has shown no item, or it refuses several.

        A service that is asked too often refuses all that follows, as it refuses what is not public.
        """
        refused = sum(self.statuses[name].reason == NOT_PUBLIC for name in self.doubted if name in self.statuses)
        return bool(self.doubted) and (not self.available_name or refused >= SUSPICIOUS_REFUSALS)

    def ask_control(self, name: str) -> None:
        """Query this item at the end of the run, though others may have taken all queries."""
        self.control, self.pending[name] = name, []
        self.statuses.pop(name, None)
        self.queries = min(self.queries, MAX_QUERIES_PER_RUN - 1)

    def release(self) -> list[CheckResult]:
        """Return the results of all links that wait for the API, by HTTP alone."""
        links = chain.from_iterable([*self.pending.values(), *self.queried.values()])
        self.pending, self.queried = {}, {}
        return [link.without_status() for link in links]

    def settle(self) -> list[CheckResult]:
        """Return the results of the doubted links at the end of the run.

        They fail unless the API doubts nearly everything, or what it knew before.
        """
        misses_most = (
            len(self.doubted) >= SUSPICIOUS_MIN_MISSING
            and len(self.doubted) > SUSPICIOUS_MISSING_RATIO * self.names_known
        )
        control = self.statuses.get(self.control)
        suspicious = misses_most or (bool(self.control) and (control is None or not _shows_item(control)))
        if suspicious and self.doubted:
            logger.warning(
                "%s misses %d of %d items: ignored", self.source_api.host, len(self.doubted), self.names_known
            )
        links, self.doubted = self.doubted, {}
        statuses = {} if suspicious else self.statuses
        new = sum(any(link.is_newly_missing(statuses.get(name)) for link in waiting) for name, waiting in links.items())
        missing = Reason.MISSING if new <= MAX_SURELY_MISSING else Reason.NOT_FOUND
        return [
            link.with_status(statuses.get(name), missing=missing) for name, waiting in links.items() for link in waiting
        ]


def _is_doubted(status: ApiStatus, link: PendingLink) -> bool:
    """Return whether a status of the item, or of one of its files, might be that of every item."""
    return status.reason in DOUBTED_STATUSES or link.reason_from(status) in DOUBTED_STATUSES


def _shows_item(status: ApiStatus) -> bool:
    """Return whether an API says of an item that it is there."""
    return status.reason is not None and status.reason not in DOUBTED_STATUSES


def is_throttled_reply(reply: ApiReply) -> bool:
    """Return whether the API asks for fewer requests; with any status, a `Retry-After` does so."""
    return reply.retry_after is not None or is_throttled(reply.status, {})
