"""Values of a checked link: its state before the check and the result. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from streaming.health.judging.verdict import Judgement
from streaming.health.probe_types import ProbeState


class Standing(NamedTuple):
    """A link's health before a check; `place` is its host, with the port when it is an unusual one."""

    id: int
    movie_id: int
    place: str
    is_active: bool
    reason: str
    failures: int
    state_since: datetime | None
    checks: str
    moved_to: str = ""
    moved_seen: int = 0


class Finding(NamedTuple):
    """One link's judgement with the little of its answer that is kept. `unasked`: it is the verdict of its host."""

    link_state: Standing
    judgement: Judgement
    http_status: int | None
    response_ms: int | None
    moved_to: str = ""
    is_verified: bool = False
    unasked: bool = False


class Heard(NamedTuple):
    """What came of one link: its judgement, and what a run wants to know of its answer.

    `below_http`: nothing was said on HTTP's level. `landed`: the host that redirects led to, empty without any.
    `vouched`: the judgement is what the link's source itself says. `underway`: nothing yet, another worker is to go on.
    `unasked`: the link got the verdict of its host, which never answered others.
    """

    id: int
    judgement: Judgement
    status: int | None
    response_ms: int | None
    moved_to: str
    is_transport_failure: bool
    redirect_target: str
    retry_after: str
    is_verified: bool = False
    state: ProbeState | None = None
    not_sent: bool = False
