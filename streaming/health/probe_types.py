"""Values that pass between the prober and the judge: requests, responses and what lies between. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from streaming.reason_codes import Reason

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Failure(StrEnum):
    """Why there is no HTTP response to judge; each is a `Reason`."""

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
    """How far the probe of one link has come: all that this prober, or another worker, needs to continue.

    `url` is requested next, with HEAD unless `get`. `is_confirmation`: this is the request whose response decides, made
    as a browser makes it; `is_late`: it repeats one that timed out, at the end of the run and with more time. `hops`
    counts redirects, `tries` the repetitions of a GET that failed; `seen` has the URLs that redirected. `head`: the
    response to HEAD, while GET looks at the body. `head_hung`: HEAD timed out. `cookies`: those for the host of `url`;
    None: none are kept. `jar`: those of hosts it came by, and of whole domains, by host or domain.
    `is_permanent`: all redirects so far were permanent ones; `moved_to` is where these led. `fragment`: the one of the
    last redirect, if a program in the page reads it as a path.
    """

    url: str
    get: bool = False
    is_confirmation: bool = False
    is_late: bool = False
    hops: int = 0
    tries: int = 0
    seen: tuple[str, ...] = ()
    head: ProbeResponse | None = None
    head_hung: bool = False
    cookies: dict[str, str] | None = None
    jar: dict[str, dict[str, str]] | None = None
    moved_to: str = ""
    is_permanent: bool = True
    fragment: str = ""

    def restart(self, url: str) -> ProbeState:
        """Return the state that starts again with a GET of the link's own URL: a host may redirect HEAD elsewhere."""
        return ProbeState(url=url, get=True, tries=self.tries, head_hung=self.head_hung)

    def confirm(self, url: str) -> ProbeState:
        """Return the state that starts the confirmation at the link's own URL, with cookies from there on."""
        return self.restart(url)._replace(is_confirmation=True, is_late=self.is_late, head=self.head, cookies={})


class ProbeRequest(NamedTuple):
    """One link to probe.

    `media`: a video is expected, so its bytes may prove more than a page's. `title`: the movie's, for the judge.
    `state`: where another worker stopped; None: nobody has sent a request yet. `is_failing`: the link failed until now.
    """

    id: int
    url: str
    media: bool = False
    title: str = ""
    state: ProbeState | None = None
    is_failing: bool = False


class ProbeResponse(NamedTuple):
    """The final response to one link's request, after redirects, GET and retries.

    `status` None: there is no HTTP response, `failure` is the reason. `length` None: not stated. `body` None: it was
    not requested (HEAD); else its first bytes. `response_ms` None: there was no first byte. `not_sent`: the request was
    not sent to the end, since the URL may not be opened or its host never responded. `moved_to`: where permanent
    redirects led, before any other kind of redirect. `state`: this is no response, another worker is to continue.
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
        """Whether nothing came on HTTP's level: the host, the network or this machine failed."""
        return self.status is None and self.failure in TRANSPORT_FAILURES

    @property
    def retry_after(self) -> str:
        """The `Retry-After` header as sent; empty if there is none."""
        return self.headers.get("retry-after", "")
