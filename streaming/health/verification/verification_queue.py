"""The links of one source in a run that wait until the source's API confirms them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from scraper.extraction.json_values import UnreadableResponse
from scraper.net.throttling import is_throttled
from scraper.source_apis import MISSING, ApiStatus, ItemRef, SourceApi
from streaming.health.judging.results import CheckResult
from streaming.health.judging.verdict import gone_judgement
from streaming.health.verification.api_client import ApiClient, ApiReply
from streaming.reason_codes import Reason

logger = logging.getLogger(__name__)

MAX_QUERIES_PER_RUN = 300
"""Queries to one API in a run: at one a second (Internet Archive) they take five minutes."""
MAX_API_FAILURES = 2
MAX_CACHED_FILES = 2_000
SUSPICIOUS_MIN_MISSING, SUSPICIOUS_MISSING_RATIO = 5, 0.5
"""If an API misses so many names, and more than this ratio of all, it has more likely lost its own data."""


class PendingLink(NamedTuple):
    """A link that is alive by HTTP and waits for its source's API.

    `earlier_reason`: the reason for which the API turned the link off earlier; empty: it did not.
    """

    result: CheckResult
    item: ItemRef
    earlier_reason: str

    def without_status(self) -> CheckResult:
        """Return the result by HTTP, which does not overrule what the API said earlier."""
        if not self.earlier_reason:
            return self.result
        return self.result._replace(judgement=gone_judgement(Reason(self.earlier_reason)))

    def with_status(self, status: ApiStatus | None) -> CheckResult:
        """Return the result with the API's status of its item; None: the API gave none."""
        reason = status.reason_for(self.item.part) if status else None
        if reason is None:
            return self.without_status()
        result = self.result._replace(judgement=gone_judgement(Reason(reason))) if reason else self.result
        return result._replace(is_verified=True)


@dataclass(slots=True)
class VerificationQueue:
    """The pending links of one source, and its API's replies; `opened` when its first link comes.

    `selected_names`: the items to query; None: whichever come first. `pending` and `queried` are links by item name;
    only one query is under way at a time. `statuses`: replies so far, for later links of the same items. `missing`:
    links whose items the API does not know. They wait until the end of the run, because a broken API replies with
    nothing, too. `has_control`: an item that the API knew recently is queried as well. `closed`: no more queries.
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
    missing: dict[str, list[PendingLink]] = field(default_factory=dict)
    names_known: int = 0
    names_available: int = 0
    has_control: bool = False
    client: ApiClient | None = None

    @property
    def has_work(self) -> bool:
        """Whether links wait for a query or its reply."""
        return bool(self.pending or self.queried)

    @property
    def is_exhausted(self) -> bool:
        """Whether no more queries will be sent in this run."""
        return self.closed or self.queries >= MAX_QUERIES_PER_RUN

    def accepts(self, name: str) -> bool:
        """Return whether a link of this item may wait."""
        if name in self.queried:
            return True
        if self.is_exhausted:
            return False
        if self.selected_names is not None:
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
        self.names_available += sum(one.reason != MISSING for one in statuses.values())
        queried, self.queried = self.queried, {}
        resolved = (self.resolve(link, statuses.get(name)) for name, links in queried.items() for link in links)
        return [result for result in resolved if result is not None]

    def resolve(self, link: PendingLink, status: ApiStatus | None) -> CheckResult | None:
        """Return the link's result; None: its item is missing, so it waits for the end of the run."""
        if status is None or status.reason != MISSING:
            return link.with_status(status)
        self.missing.setdefault(link.item.name, []).append(link)
        return None

    def release(self) -> list[CheckResult]:
        """Return the results of all links that wait for the API, by HTTP alone."""
        links = chain.from_iterable([*self.pending.values(), *self.queried.values()])
        self.pending, self.queried = {}, {}
        return [link.without_status() for link in links]

    def settle(self) -> list[CheckResult]:
        """Return the results of the missing links at the end of the run.

        They are gone unless the API misses nearly everything, or all that it knew recently.
        """
        misses_most = (
            len(self.missing) >= SUSPICIOUS_MIN_MISSING
            and len(self.missing) > SUSPICIOUS_MISSING_RATIO * self.names_known
        )
        suspicious = misses_most or (self.has_control and not self.names_available)
        if suspicious and self.missing:
            logger.warning(
                "%s misses %d of %d items: ignored", self.source_api.host, len(self.missing), self.names_known
            )
        status = None if suspicious else ApiStatus(MISSING)
        links, self.missing = self.missing, {}
        return [link.with_status(status) for link in chain.from_iterable(links.values())]


def is_throttled_reply(reply: ApiReply) -> bool:
    """Return whether the API asks for fewer requests; with any status, a `Retry-After` does so."""
    return reply.retry_after is not None or is_throttled(reply.status, {})
