"""What is asked and what came back: the values between the prober and the judge. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from streaming.reason_codes import Reason

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Failure(StrEnum):
    """Why there is no HTTP answer to judge; each is a `Reason`."""

    NONE = Reason.UNCHECKED
    TIMEOUT = Reason.TIMEOUT
    REFUSED = Reason.REFUSED
    RESET = Reason.RESET
    DNS = Reason.DNS
    TLS = Reason.TLS
    PROTOCOL = Reason.PROTOCOL
    LOCAL = Reason.LOCAL
    PRIVATE = Reason.PRIVATE_ADDRESS
    PAUSED = Reason.PAUSED
    BAD_REDIRECT = Reason.BAD_REDIRECT
    LOOP = Reason.REDIRECT_LOOP
    TOO_MANY = Reason.TOO_MANY_REDIRECTS


TRANSPORT_FAILURES = frozenset(
    {
        Failure.TIMEOUT, Failure.REFUSED, Failure.RESET, Failure.DNS, Failure.TLS, Failure.PROTOCOL, Failure.LOCAL,
    }
)  # fmt: skip


class ProbeState(NamedTuple):
    """A link that redirects led to a host which another worker asks: all that it takes to go on from there.

    `url` is to be asked next; the rest is what a `Task` holds.
    """

    url: str
    get: bool = False
    ranged: bool = True
    hops: int = 0
    tries: int = 0
    seen: tuple[str, ...] = ()
    head: ProbeResponse | None = None
    head_hung: bool = False
    cookies: dict[str, str] | None = None
    moved_to: str = ""
    is_permanent: bool = True
    fragment: str = ""


class ProbeRequest(NamedTuple):
    """One link to ask; `media`: a video is due there, so its bytes may settle more than a page's. `title`: the movie's,
    for the judge. `underway`: another worker has begun to ask it."""

    id: int
    url: str
    media: bool = False
    title: str = ""
    state: ProbeState | None = None


class ProbeResponse(NamedTuple):
    """What one link said in the end, after redirects, GET and retry.

    `status` None: nothing on HTTP's level, `trouble` says why. `length` None: not told. `body` is None when the body
    was not asked for (HEAD), else its first bytes. `shared`: the host never answered others, this link was not asked.
    `moved_to`: where permanent redirects led, before any other kind of redirect. `underway`: this is no answer yet, it
    is for another worker to go on.
    """

    id: int
    url: str
    status: int | None = None
    failure: Failure = Failure.NONE
    final_url: str = ""
    hops: int = 0
    content_type: str = ""
    length: int | None = None
    body: bytes | None = None
    headers: Mapping[str, str] = NO_HEADERS
    response_ms: int | None = None
    method: str = "HEAD"
    not_sent: bool = False
    moved_to: str = ""
    state: ProbeState | None = None

    @property
    def is_transport_failure(self) -> bool:
        """Nothing was said on HTTP's level: the host, the way to it, or our own machine failed."""
        return self.status is None and self.failure in TRANSPORT_FAILURES

    @property
    def retry_after(self) -> str:
        return self.headers.get("retry-after", "")
