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

from streaming.health.judging.guard import HostTally
from streaming.health.judging.results import Finding, Standing
from streaming.health.judging.verdict import Judgement, Verdict
from streaming.health.probe_types import Failure, ProbeRequest, ProbeResponse, ProbeState
from streaming.health.sweep.tally import RunTally
from streaming.reason_codes import Reason

CODEC_VERSION = 2
# Half a megabyte at the very most, a few ten kilobytes most often.
CHUNK_SIZE = 500
HOSTS_PER_CHUNK = 2000
T = TypeVar("T")


def in_chunks(things: Iterable[T], maximum: int = CHUNK_SIZE) -> Iterator[list[T]]:
    left = iter(things)
    while piece := list(islice(left, maximum)):
        yield piece


# --- findings
def encode_results(findings: Sequence[Finding]) -> bytes:
    return _encode([[_encode_link(one.link_state), one.judgement, *one[2:]] for one in findings])


def decode_results(data: bytes) -> list[Finding]:
    return [Finding(_decode_link(bare), _decode_judgement(encoded), *rest) for bare, encoded, *rest in _decode(data)]


def _encode_link(link_state: Standing) -> list[Any]:
    return list(link_state._replace(state_since=link_state.state_since and link_state.state_since.isoformat()))  # type: ignore[arg-type]


def _decode_link(bare: list[Any]) -> Standing:
    link_state = Standing(*bare)
    return link_state._replace(state_since=_decode_datetime(link_state.state_since))


def _decode_judgement(row: list[str]) -> Judgement:
    return Judgement(Verdict(row[0]), Reason(row[1]))


# --- links on their way
def encode_forwarded(links: Sequence[tuple[int, ProbeState]]) -> bytes:
    return _encode([[link_id, _encode_state(state)] for link_id, state in links])


def decode_forwarded(data: bytes) -> list[tuple[int, ProbeState]]:
    return [(link_id, _decode_state(encoded)) for link_id, encoded in _decode(data)]


def _encode_state(state: ProbeState) -> list[Any]:
    head = state.head and state.head._replace(headers=dict(state.head.headers))
    return list(state._replace(head=head))


def _decode_state(row: list[Any]) -> ProbeState:
    state = ProbeState(*row)
    return state._replace(seen=tuple(state.seen), head=_decode_response(row[6]))


def _decode_response(row: list[Any] | None) -> ProbeResponse | None:
    """What HEAD said, so never with a body."""
    if row is None:
        return None
    answer = ProbeResponse(*row)
    return answer._replace(failure=Failure(answer.failure))


# --- what the guard wants to know
def encode_tally(run_tally: RunTally) -> Iterator[bytes]:
    """In pieces of some thousand hosts; joined they are the whole, but for its findings, which go their own way."""
    first: dict[str, Any] = {
        "verdicts": run_tally.verdicts,
        "pauses": {place: until.isoformat() for place, until in run_tally.pauses.items()},
        "witnesses": {place: list(question) for place, question in run_tally.control_links.items()},
    }
    yield _encode(first)
    for hosts in in_chunks(run_tally.hosts.items(), HOSTS_PER_CHUNK):
        yield _encode({"hosts": {place: _row(tally) for place, tally in hosts}})
    for private in in_chunks(run_tally.private, HOSTS_PER_CHUNK):
        yield _encode({"private": private})
    landings = ((landed, place) for landed, places in run_tally.redirect_targets.items() for place in places)
    for pairs in in_chunks(landings, HOSTS_PER_CHUNK):
        yield _encode({"landings": pairs})


def merge_encoded_tally(data: bytes, tally: RunTally) -> None:
    """Join what `pack_heard` gave, a piece."""
    encoded = _decode(data)
    part = RunTally(now=tally.now, opened=tally.opened, sink=tally.failures)
    part.verdicts = Counter({Verdict(word): number for word, number in encoded.get("verdicts", {}).items()})
    part.pauses = {place: datetime.fromisoformat(until) for place, until in encoded.get("pauses", {}).items()}
    part.control_links = {place: ProbeRequest(*question) for place, question in encoded.get("witnesses", {}).items()}
    part.hosts = {place: HostTally(*row) for place, row in encoded.get("hosts", {}).items()}
    part.private = encoded.get("private", [])
    for landed, place in encoded.get("landings", []):
        part.redirect_targets.setdefault(landed, set()).add(place)
    tally.merge(part)


def _row(tally: HostTally) -> list[int | bool]:
    return [
        tally.public, tally.asked, tally.below_http, tally.active, tally.active_failed, tally.active_gone, tally.alive_earlier,
    ]  # fmt: skip


def _decode_datetime(text: Any) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _encode(things: object) -> bytes:
    return zlib.compress(json.dumps(things, separators=(",", ":")).encode())


def _decode(data: bytes) -> Any:
    return json.loads(zlib.decompress(data))
