"""Canaries: links that ought to answer. When none of them does, it is our side that is down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from django.conf import settings

from scraper.addresses import Allowed
from streaming.health.answers import Question
from streaming.health.due import MEDIA_KINDS, is_private
from streaming.health.manners import Manners, no_pause
from streaming.health.probe import Prober, never
from streaming.health.verdict import LinkFacts, Verdict, judge
from streaming.models import StreamingLink, StreamingLinkQuerySet
from streaming.reason_codes import Reason

HOW_MANY = 5
LATELY = timedelta(days=7)
LOOKED_AT = 500
COLUMNS = ("pk", "source_url", "kind", "host")


def canaries(*, now: datetime, allowed: Allowed) -> list[Question]:
    """`HEALTH_CANARIES`, or links of ours that were alive lately; there may be none.

    On different public hosts where we have them, else further ones of the same: one link that died, or one host that is
    away, is no outage of ours.
    """
    if settings.HEALTH_CANARIES:
        return [Question(number, url) for number, url in enumerate(settings.HEALTH_CANARIES)]
    lately = StreamingLink.objects.active().filter(
        reason=Reason.OK, last_checked__gt=now - LATELY, last_checked__lte=now
    )
    rows = list(lately.order_by("-last_checked", "-pk").values_list(*COLUMNS)[:LOOKED_AT])
    if len({host for *_, host in rows}) < HOW_MANY:
        rows += islice(_one_a_host(lately), 2 * HOW_MANY)
    is_public = {host: not is_private(host, allowed) for *_, host in rows}
    found = {pk: (host, Question(pk, url, kind in MEDIA_KINDS)) for pk, url, kind, host in rows if is_public[host]}
    first = dict(reversed(found.values()))
    others = [question for host, question in found.values() if question is not first[host]]
    return [*first.values(), *others][:HOW_MANY]


def _one_a_host(links: StreamingLinkQuerySet) -> Iterator[tuple[int, str, str, str]]:
    """A link on each host, from host to host along the index."""
    host = ""
    while row := links.filter(host__gt=host).order_by("host", "pk").values_list(*COLUMNS).first():
        host = row[3]
        yield row


def none_answers(questions: Iterable[Question], manners: Manners, *, stop: Callable[[], bool] = never) -> bool:
    """Whether there are canaries and not one of them is alive now; False when `stop` ends the asking before."""
    asked = dict(enumerate(questions))
    prober = Prober(replace(manners, delay=0.0, pause_of=no_pause), stop=stop)
    answers = prober.ask(Question(number, one.url, one.media) for number, one in asked.items())
    for answer in answers:  # The first good answer settles it; the others need not be waited for.
        if judge(answer, LinkFacts(media=asked[answer.id].media)).verdict in (Verdict.ALIVE, Verdict.THROTTLED):
            return False
    return bool(asked) and not stop()


def to_ask_again(chosen: Iterable[Question], witnesses: Mapping[str, Question], *, allowed: Allowed) -> list[Question]:
    """Whom to ask in the middle of a run: the canaries and links that answered in it.

    While there are public ones, private ones say nothing of our way out.
    """
    public = [question for place, question in witnesses.items() if not is_private(place, allowed)]
    return [*chosen, *public[-HOW_MANY:]] or list(witnesses.values())[-HOW_MANY:]
