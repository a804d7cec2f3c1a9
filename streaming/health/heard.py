"""What came of asking one link: the value between those who ask and those who believe. Pure."""

from __future__ import annotations

from typing import NamedTuple

from streaming.health.verdict import Judgement


class Heard(NamedTuple):
    """What came of one link: its judgement, and what a run wants to know of its answer.

    `below_http`: nothing was said on HTTP's level. `landed`: the host that redirects led to, empty without any.
    """

    id: int
    judgement: Judgement
    status: int | None
    response_ms: int | None
    moved_to: str
    below_http: bool
    landed: str
    retry_after: str
