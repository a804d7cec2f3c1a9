"""Canaries: links that ought to answer. When none of them does, it is our side that is down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from django.conf import settings

from scraper.net.url_policy import PrivateHostAllowlist
from streaming.health.judging.verdict import Verdict, judge
from streaming.health.probe_types import ProbeRequest
from streaming.health.probing.config import ProbeConfig, no_delay
from streaming.health.probing.prober import Prober, never_stop
from streaming.health.selection import MEDIA_KINDS, is_private
from streaming.models import StreamingLink, StreamingLinkQuerySet
from streaming.reason_codes import Reason

CANARY_COUNT = 5
RECENT = timedelta(days=7)
CANDIDATES = 500
CANARY_COLUMNS = ("pk", "source_url", "kind", "host")


def choose_canaries(*, now: datetime, allowed: PrivateHostAllowlist) -> list[ProbeRequest]:
    """`HEALTH_CANARIES`, or links of ours that were alive lately; there may be none.

    On different public hosts where we have them, else further ones of the same: one link that died, or one host that is
    away, is no outage of ours.
    """
    if settings.HEALTH_CANARIES:
        return [ProbeRequest(number, url) for number, url in enumerate(settings.HEALTH_CANARIES)]
    lately = StreamingLink.objects.active().filter(
        reason=Reason.OK, last_checked__gt=now - RECENT, last_checked__lte=now
    )
    rows = list(lately.order_by("-last_checked", "-pk").values_list(*CANARY_COLUMNS)[:CANDIDATES])
    if len({host for *_, host in rows}) < CANARY_COUNT:
        rows += islice(_one_per_host(lately), 2 * CANARY_COUNT)
    is_public = {host: not is_private(host, allowed) for *_, host in rows}
    found = {pk: (host, ProbeRequest(pk, url, kind in MEDIA_KINDS)) for pk, url, kind, host in rows if is_public[host]}
    first = dict(reversed(found.values()))
    others = [question for host, question in found.values() if question is not first[host]]
    return [*first.values(), *others][:CANARY_COUNT]


def _one_per_host(links: StreamingLinkQuerySet) -> Iterator[tuple[int, str, str, str]]:
    """A link on each host, from host to host along the index."""
    host = ""
    while row := links.filter(host__gt=host).order_by("host", "pk").values_list(*CANARY_COLUMNS).first():
        host = row[3]
        yield row


def all_canaries_fail(
    questions: Iterable[ProbeRequest], config: ProbeConfig, *, stop: Callable[[], bool] = never_stop
) -> bool:
    """Whether there are canaries and not one of them is alive now; False when `stop` ends the asking before."""
    asked = {number: one._replace(id=number, title="", state=None) for number, one in enumerate(questions)}
    prober = Prober(replace(config, delay=0.0, delay_for_host=no_delay), stop=stop)
    answers = prober.responses(asked.values())
    for answer in answers:  # The first good answer settles it; the others need not be waited for.
        if judge(answer, asked[answer.id]).verdict in (Verdict.ALIVE, Verdict.THROTTLED):
            return False
    return bool(asked) and not stop()


def canaries_to_recheck(
    chosen: Iterable[ProbeRequest], control_links: Mapping[str, ProbeRequest], *, allowed: PrivateHostAllowlist
) -> list[ProbeRequest]:
    """Whom to ask in the middle of a run: the canaries and links that answered in it.

    While there are public ones, private ones say nothing of our way out.
    """
    public = [question for place, question in control_links.items() if not is_private(place, allowed)]
    return [*chosen, *public[-CANARY_COUNT:]] or list(control_links.values())[-CANARY_COUNT:]
