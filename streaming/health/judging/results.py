"""Values of one link in a run: its state before the check and the result of the check. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, NamedTuple

from streaming.health.judging.control_page import PageSample
from streaming.health.judging.verdict import Judgement, Verdict
from streaming.health.probe_types import ProbeRequest, ProbeState

OFF_LATELY = timedelta(hours=24)
LINK_FIELDS = (
    "id", "movie_id", "netloc", "is_active", "reason", "failures", "state_since", "checks", "moved_to", "moved_seen",
    "strength", "failing_seconds", "last_checked",
)  # fmt: skip
RESULT_FIELDS = (
    "http_status", "response_ms", "moved_to", "is_transport_failure", "is_verified", "not_sent", "page_hash",
    "landing_hash",
)  # fmt: skip
"""The fields that a result needs until it is written: see `CheckResult.compact`."""
_link_values, _result_values = attrgetter(*LINK_FIELDS), attrgetter(*RESULT_FIELDS)


class LinkState(NamedTuple):
    """A link before its check: its health, and what probing and judging it need.

    `netloc` is its host, with the port when it is an unusual one. `media`: the URL should be a video, not a page.
    `state_since`: when `is_active` last changed; None: it never did. `last_checked`, `verified_at`: when it was last
    checked and when its source's API last confirmed it; None: never. `probe_state`: where another worker stopped
    probing it; None: not probed in this run yet.
    """

    id: int
    movie_id: int
    netloc: str
    is_active: bool
    reason: str
    failures: int
    state_since: datetime | None
    checks: str
    moved_to: str = ""
    moved_seen: int = 0
    strength: str = ""
    failing_seconds: int = 0
    last_checked: datetime | None = None
    url: str = ""
    media: bool = False
    title: str = ""
    imdb_id: str = ""
    verified_at: datetime | None = None
    probe_state: ProbeState | None = None
    taken_down: bool = False

    def request(self) -> ProbeRequest:
        """The request that probes this link."""
        return ProbeRequest(
            id=self.id,
            url=self.url,
            media=self.media,
            title=self.title,
            state=self.probe_state,
            is_failing=not self.is_active,
        )

    def is_off_lately(self, now: datetime) -> bool:
        """Whether a check turned the link off within the last day; a moment in the future does not count."""
        is_late = self.state_since is not None and now - OFF_LATELY <= self.state_since <= now
        return is_late and self.failures > 0 and not self.is_active

    def compact(self) -> LinkState:
        """The same health without what only the request needs: tens of thousands of URLs would fill the memory."""
        return self._replace(url="", media=False, title="", imdb_id="", verified_at=None, probe_state=None)


class CheckResult(NamedTuple):
    """The judgement of one link, and what a run needs to know of its response.

    `response_ms` None: no response. `is_transport_failure`: nothing came on HTTP's level. `redirect_target`: the netloc
    that redirects led to; empty: there were none. `is_verified`: the source's API said so. `not_sent`: the link got the
    verdict of its host, which never responded. `probe_state`: there is no judgement yet, another worker continues.
    `page_hash`, `landing_hash`: of a link that fails or failed until now, what it may have in common with those of
    other hosts; see `causes`. `date`: the `Date` header as sent; empty: none. `responded_at`: when the result came, by
    the monotonic clock.
    `page`: of a doubtful page, what a control page is compared with. `link`: the state before the check; None until
    the process that owns the database has set it.
    """

    id: int
    judgement: Judgement
    http_status: int | None = None
    response_ms: int | None = None
    moved_to: str = ""
    is_transport_failure: bool = False
    redirect_target: str = ""
    retry_after: str = ""
    is_verified: bool = False
    not_sent: bool = False
    page_hash: str = ""
    landing_hash: str = ""
    date: str = ""
    responded_at: float = 0.0
    probe_state: ProbeState | None = None
    page: PageSample | None = None
    link: LinkState | None = None

    def require_link(self) -> LinkState:
        """The state before the check. Raises ValueError when it has not been set."""
        if self.link is None:
            raise ValueError(f"the result of link {self.id} has no link")
        return self.link

    @property
    def is_revival(self) -> bool:
        """Whether a link that was off is alive. Raises ValueError when the link has not been set."""
        return self.judgement.verdict is Verdict.ALIVE and not self.require_link().is_active

    def compact(self) -> CheckResult:
        """What deciding on the link and writing it need, without the rest."""
        link = self.require_link().compact()
        return self._replace(redirect_target="", retry_after="", date="", page=None, link=link)

    def to_row(self) -> tuple[tuple[Any, ...], Judgement, tuple[Any, ...]]:
        """Return the values of a compact result: `LINK_FIELDS`, the judgement, `RESULT_FIELDS`."""
        return _link_values(self.require_link()), self.judgement, _result_values(self)

    @classmethod
    def from_row(cls, link_values: tuple[Any, ...], judgement: Judgement, values: tuple[Any, ...]) -> CheckResult:
        """Return the compact result with these values."""
        link = LinkState(**dict(zip(LINK_FIELDS, link_values, strict=True)))
        return cls(id=link.id, judgement=judgement, link=link, **dict(zip(RESULT_FIELDS, values, strict=True)))
