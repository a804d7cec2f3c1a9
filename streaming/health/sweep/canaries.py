"""Canaries: links that are expected to respond. When none does, this machine is offline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from django.conf import settings

from scraper.net.url_policy import PrivateHostAllowlist, netloc_of
from streaming.health.judging.causes import page_hash
from streaming.health.judging.verdict import Verdict, judge
from streaming.health.probe_types import ProbeRequest
from streaming.health.probing.config import ProbeConfig, no_delay
from streaming.health.probing.prober import Prober, never_stop
from streaming.health.selection import MEDIA_KINDS, is_private
from streaming.health.sweep.tally import ControlLinks
from streaming.models import StreamingLink, StreamingLinkQuerySet
from streaming.reason_codes import Reason

CANARY_COUNT = 5
RECENT = timedelta(days=7)
CANDIDATES = 500
CANARY_COLUMNS = ("pk", "source_url", "kind", "host")


def choose_canaries(*, now: datetime, allowed: PrivateHostAllowlist) -> list[ProbeRequest]:
    """Return `HEALTH_CANARIES`, or links that were alive within a week; there may be none.

    They are on different public hosts if possible, else several on one: neither one dead link nor one host that is down
    must look like an outage of this machine.
    """
    if settings.HEALTH_CANARIES:
        return [ProbeRequest(id=number, url=url) for number, url in enumerate(settings.HEALTH_CANARIES)]
    recent = StreamingLink.objects.active().filter(
        reason=Reason.OK, last_checked__gt=now - RECENT, last_checked__lte=now
    )
    rows = list(recent.order_by("-last_checked", "-pk").values_list(*CANARY_COLUMNS)[:CANDIDATES])
    if len({host for *_, host in rows}) < CANARY_COUNT:
        rows += islice(_one_per_host(recent), 2 * CANARY_COUNT)
    is_public = {host: not is_private(host, allowed) for *_, host in rows}
    found = {
        pk: (host, ProbeRequest(id=pk, url=url, media=kind in MEDIA_KINDS))
        for pk, url, kind, host in rows
        if is_public[host]
    }
    first = dict(reversed(found.values()))
    others = [request for host, request in found.values() if request is not first[host]]
    return [*first.values(), *others][:CANARY_COUNT]


def _one_per_host(links: StreamingLinkQuerySet) -> Iterator[tuple[int, str, str, str]]:
    """Yield the id, URL, kind and host of one link per host, stepping along the index."""
    host = ""
    while row := links.filter(host__gt=host).order_by("host", "pk").values_list(*CANARY_COLUMNS).first():
        host = row[3]
        yield row


class SignsOfLife:
    """What canaries responded.

    A page that several hosts give in the same words is no sign of life, be it in place of a film or of a file: a
    captive portal responds for all.
    """

    def __init__(self) -> None:
        self._hosts_by_page: defaultdict[str, set[str]] = defaultdict(set)
        self._alive_pages: set[str] = set()

    def add(self, netloc: str, page: str, *, is_alive: bool) -> None:
        """Take the response of a host; `page` is the hash of its page, empty if it is none or on a private host."""
        self._hosts_by_page[page].add(netloc)
        if is_alive:
            self._alive_pages.add(page)

    @property
    def are_certain(self) -> bool:
        """Whether no further response can change that a canary is alive: two pages differ, or one is no page."""
        return "" in self._alive_pages or len(self._alive_pages) > 1

    @property
    def are_credible(self) -> bool:
        """Whether a canary is alive, and not only by the page of a portal."""
        is_portal = any(len(self._hosts_by_page[page]) > 1 for page in self._alive_pages)
        return self.are_certain or (bool(self._alive_pages) and not is_portal)


def all_canaries_fail(
    canaries: Iterable[ProbeRequest], config: ProbeConfig, *, stop: Callable[[], bool] = never_stop
) -> bool:
    """Return whether there are canaries and none is alive now; False when `stop` ends the probing first."""
    requests = {number: one._replace(id=number, title="", state=None) for number, one in enumerate(canaries)}
    prober = Prober(replace(config, delay=0.0, delay_for_host=no_delay), stop=stop)
    signs = SignsOfLife()
    for response in prober.responses(requests.values()):  # The first good response decides: the others may be slow.
        request = requests[response.id]
        netloc = netloc_of(request.url)
        page = "" if is_private(netloc, config.allowed) else page_hash(response, request)
        is_alive = judge(response, request).verdict in (Verdict.ALIVE, Verdict.THROTTLED)
        signs.add(netloc, page, is_alive=is_alive)
        if signs.are_certain:
            return False
    return bool(requests) and not signs.are_credible and not stop()


def canaries_to_recheck(
    chosen: Iterable[ProbeRequest], control_links: ControlLinks, *, allowed: PrivateHostAllowlist
) -> list[ProbeRequest]:
    """Return the links to probe during a run: the canaries and the latest control links.

    Control links on private hosts say nothing about the connection to the internet while there are others.
    """
    by_netloc = control_links.by_netloc
    public = [request for netloc, request in by_netloc.items() if not is_private(netloc, allowed)]
    return [*chosen, *public[-CANARY_COUNT:]] or list(by_netloc.values())[-CANARY_COUNT:]
