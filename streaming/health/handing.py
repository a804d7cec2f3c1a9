"""What the machines of one run hand each other, as packed JSON: none runs what another one wrote. Pure.

`VERSION` stands in a run's plan; whoever speaks another one leaves the run alone.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from streaming.health.answers import Answer, Question, Trouble, Underway
from streaming.health.changes import Finding, Standing
from streaming.health.gathering import Gathering
from streaming.health.guard import HostTally
from streaming.health.verdict import Judgement, Verdict
from streaming.reason_codes import Reason

VERSION = 2
# Half a megabyte at the very most, a few ten kilobytes most often.
PIECE = 500
HOSTS = 2000
T = TypeVar("T")


def in_pieces(things: Iterable[T], most: int = PIECE) -> Iterator[list[T]]:
    left = iter(things)
    while piece := list(islice(left, most)):
        yield piece


# --- findings
def pack_findings(findings: Sequence[Finding]) -> bytes:
    return _pack([[_bare(one.standing), one.judgement, *one[2:]] for one in findings])


def findings_of(data: bytes) -> list[Finding]:
    return [Finding(_standing(bare), _judgement(told), *rest) for bare, told, *rest in _unpack(data)]


def _bare(standing: Standing) -> list[Any]:
    return list(standing._replace(state_since=standing.state_since and standing.state_since.isoformat()))  # type: ignore[arg-type]


def _standing(bare: list[Any]) -> Standing:
    standing = Standing(*bare)
    return standing._replace(state_since=_moment(standing.state_since))


def _judgement(told: list[str]) -> Judgement:
    return Judgement(Verdict(told[0]), Reason(told[1]))


# --- links on their way
def pack_onward(links: Sequence[tuple[int, Underway]]) -> bytes:
    return _pack([[link_id, _told(underway)] for link_id, underway in links])


def onward_of(data: bytes) -> list[tuple[int, Underway]]:
    return [(link_id, _underway(told)) for link_id, told in _unpack(data)]


def _told(underway: Underway) -> list[Any]:
    head = underway.head and underway.head._replace(headers=dict(underway.head.headers))
    return list(underway._replace(head=head))


def _underway(told: list[Any]) -> Underway:
    underway = Underway(*told)
    return underway._replace(seen=tuple(underway.seen), head=_answer(told[6]))


def _answer(told: list[Any] | None) -> Answer | None:
    """What HEAD said, so never with a body."""
    if told is None:
        return None
    answer = Answer(*told)
    return answer._replace(trouble=Trouble(answer.trouble))


# --- what the guard wants to know
def pack_heard(heard: Gathering) -> Iterator[bytes]:
    """In pieces of some thousand hosts; joined they are the whole, but for its findings, which go their own way."""
    first: dict[str, Any] = {
        "verdicts": heard.verdicts,
        "pauses": {place: until.isoformat() for place, until in heard.pauses.items()},
        "witnesses": {place: list(question) for place, question in heard.witnesses.items()},
    }
    yield _pack(first)
    for hosts in in_pieces(heard.hosts.items(), HOSTS):
        yield _pack({"hosts": {place: _row(tally) for place, tally in hosts}})
    for private in in_pieces(heard.private, HOSTS):
        yield _pack({"private": private})
    landings = ((landed, place) for landed, places in heard.landings.items() for place in places)
    for pairs in in_pieces(landings, HOSTS):
        yield _pack({"landings": pairs})


def add_heard(data: bytes, heard: Gathering) -> None:
    """Join what `pack_heard` gave, a piece."""
    told = _unpack(data)
    part = Gathering(now=heard.now, opened=heard.opened, shelf=heard.shelf)
    part.verdicts = Counter({Verdict(word): number for word, number in told.get("verdicts", {}).items()})
    part.pauses = {place: datetime.fromisoformat(until) for place, until in told.get("pauses", {}).items()}
    part.witnesses = {place: Question(*question) for place, question in told.get("witnesses", {}).items()}
    part.hosts = {place: HostTally(*row) for place, row in told.get("hosts", {}).items()}
    part.private = told.get("private", [])
    for landed, place in told.get("landings", []):
        part.landings.setdefault(landed, set()).add(place)
    heard.join(part)


def _row(tally: HostTally) -> list[int | bool]:
    return [
        tally.public, tally.asked, tally.below_http, tally.active, tally.turned_soft, tally.turned_gone, tally.before,
    ]  # fmt: skip


def _moment(text: Any) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _pack(things: object) -> bytes:
    return zlib.compress(json.dumps(things, separators=(",", ":")).encode())


def _unpack(data: bytes) -> Any:
    return json.loads(zlib.decompress(data))
