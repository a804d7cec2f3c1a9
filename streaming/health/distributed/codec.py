"""What the machines of one run exchange, as compressed JSON: none executes what another one wrote. Pure.

A run's plan contains `CODEC_VERSION`; a worker that has another version leaves the run alone. Values travel as rows of
the named fields, so a field that is not listed is not sent.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from operator import attrgetter
from typing import Any, TypeVar

from streaming.health.judging.guard import HostTally
from streaming.health.judging.results import CheckResult
from streaming.health.judging.verdict import Judgement, Verdict
from streaming.health.probe_types import Failure, ProbeRequest, ProbeResponse, ProbeState
from streaming.health.sweep.tally import RunTally
from streaming.reason_codes import Reason
from streaming.retry_after import PauseKind

CODEC_VERSION = 9
# Some ten kilobytes a chunk, half a megabyte at most.
CHUNK_SIZE = 500
HOSTS_PER_CHUNK = 2000
HOST_FIELDS = (
    "public", "checked", "transport_failures", "active", "active_failed", "active_gone", "off_lately", "alive_earlier",
    "alive", "clock_offset",
)  # fmt: skip
REQUEST_FIELDS = ("id", "url", "media", "title", "is_failing")
LINK_DATES = ("state_since", "last_checked")
_host_row = attrgetter(*HOST_FIELDS)
T = TypeVar("T")


def in_chunks(items: Iterable[T], maximum: int = CHUNK_SIZE) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, maximum)):
        yield chunk


# --- requests
def request_to_json(request: ProbeRequest) -> dict[str, Any]:
    return {name: getattr(request, name) for name in REQUEST_FIELDS}


def request_from_json(fields: dict[str, Any]) -> ProbeRequest:
    return ProbeRequest(**fields)


# --- results
def encode_results(results: Sequence[CheckResult]) -> bytes:
    """Results as the spool keeps them: see `CheckResult.compact`."""
    return _encode([_with_text_dates(one).to_row() for one in results])


def decode_results(data: bytes) -> list[CheckResult]:
    return [_decode_result(*row) for row in _decode(data)]


def _with_text_dates(result: CheckResult) -> CheckResult:
    link = result.require_link()
    dates: dict[str, Any] = {name: _encode_datetime(getattr(link, name)) for name in LINK_DATES}
    return result._replace(link=link._replace(**dates))


def _decode_result(link_values: Any, judgement: list[Any], values: Any) -> CheckResult:
    verdict, reason, *_ = judgement
    result = CheckResult.from_row(link_values, Judgement(verdict=Verdict(verdict), reason=Reason(reason)), values)
    link = result.require_link()
    dates: dict[str, Any] = {name: _decode_datetime(getattr(link, name)) for name in LINK_DATES}
    return result._replace(link=link._replace(**dates))


# --- forwarded links
def encode_forwarded(links: Sequence[tuple[int, ProbeState]]) -> bytes:
    return _encode([[link_id, _encode_state(state)] for link_id, state in links])


def decode_forwarded(data: bytes) -> list[tuple[int, ProbeState]]:
    return [(link_id, _decode_state(encoded)) for link_id, encoded in _decode(data)]


def _encode_state(state: ProbeState) -> dict[str, Any]:
    head = state.head and {**state.head._asdict(), "headers": dict(state.head.headers)}
    return {**state._asdict(), "head": head}


def _decode_state(fields: dict[str, Any]) -> ProbeState:
    head = _decode_response(fields["head"])
    return ProbeState(**{**fields, "seen": tuple(fields["seen"]), "head": head})


def _decode_response(fields: dict[str, Any] | None) -> ProbeResponse | None:
    """The response to HEAD, which has no body; None: HEAD was not sent."""
    return None if fields is None else ProbeResponse(**{**fields, "failure": Failure(fields["failure"])})


# --- tallies
def encode_tally(run_tally: RunTally) -> Iterator[bytes]:
    """A tally in chunks of some thousand hosts, without its results, which `encode_results` encodes."""
    yield _encode(
        {
            "verdicts": run_tally.verdicts,
            "pauses": {host: [pause.until.isoformat(), pause.kind] for host, pause in run_tally.pauses},
            "control_links": {
                netloc: request_to_json(one) for netloc, one in run_tally.control_links.by_netloc.items()
            },
        }
    )
    for hosts in in_chunks(run_tally.hosts.items(), HOSTS_PER_CHUNK):
        yield _encode({"hosts": {netloc: _host_row(tally) for netloc, tally in hosts}})
    for private in in_chunks(run_tally.private, HOSTS_PER_CHUNK):
        yield _encode({"private": private})
    for name, netlocs_by_key in (
        ("redirect_targets", run_tally.redirect_targets),
        ("causes", run_tally.causes.hosts_by_hash),
        ("refusals", run_tally.refusals.by_host()),
    ):
        for chunk in in_chunks(_pairs(netlocs_by_key), HOSTS_PER_CHUNK):
            yield _encode({name: chunk})


def _pairs(sets: Mapping[str, Iterable[T]]) -> Iterator[tuple[str, T]]:
    return ((key, one) for key, members in sets.items() for one in members)


def merge_encoded_tally(data: bytes, tally: RunTally) -> None:
    """Add one chunk of `encode_tally` to this tally."""
    encoded = _decode(data)
    part = RunTally(now=tally.now, new_host_tally=tally.new_host_tally, sink=tally.failures)
    part.verdicts = Counter({Verdict(verdict): number for verdict, number in encoded.get("verdicts", {}).items()})
    for host, (until, kind) in encoded.get("pauses", {}).items():
        part.pauses.add(host, datetime.fromisoformat(until), kind=PauseKind(kind))
    for netloc, fields in encoded.get("control_links", {}).items():
        part.control_links.add(netloc, request_from_json(fields))
    part.hosts = {
        netloc: HostTally(**dict(zip(HOST_FIELDS, row, strict=True)))
        for netloc, row in encoded.get("hosts", {}).items()
    }
    part.private = encoded.get("private", [])
    for target, netloc in encoded.get("redirect_targets", []):
        part.redirect_targets.setdefault(target, set()).add(netloc)
    for cause, netloc in encoded.get("causes", []):
        part.causes.add_host(cause, netloc)
    for netloc, link_id in encoded.get("refusals", []):
        part.refusals.add_earlier(netloc, [link_id])
    tally.merge(part)


def _encode_datetime(date: datetime | None) -> str | None:
    return None if date is None else date.isoformat()


def _decode_datetime(text: Any) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _encode(value: object) -> bytes:
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode())


def _decode(data: bytes) -> Any:
    return json.loads(zlib.decompress(data))
