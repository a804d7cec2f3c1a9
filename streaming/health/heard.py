"""What goes between those who ask links and those who believe what was heard. Pure."""

from __future__ import annotations

from typing import NamedTuple

from streaming.health.answers import ProbeState
from streaming.health.verdict import Judgement


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


class SlotRequests(list[tuple[str, float]]):
    """Places whose next turn is to be reserved, with their pauses."""


class SlotGrants(list[tuple[str, float | None]]):
    """Those places, with the seconds until their turn; None: not in this run."""
