"""CheckResults that wait until the run is judged, packed: a tenth of a million links may be bad. Pure."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

from streaming.health.judging.results import CheckResult

PACK_SIZE = 500


class ResultSpool:
    """A list one can only lengthen and read, in a tenth of the room: what findings share is kept once a pack."""

    def __init__(self) -> None:
        self._packs: list[bytes] = []
        self._loose: list[CheckResult] = []

    def append(self, result: CheckResult) -> None:
        self._loose.append(result.compact())
        if len(self._loose) >= PACK_SIZE:
            self._packs.append(pickle.dumps(self._loose, protocol=5))
            self._loose = []

    def batches(self) -> Iterator[list[CheckResult]]:
        for pack in self._packs:
            yield pickle.loads(pack)  # noqa: S301  Our own, of this very process.
        if self._loose:
            yield self._loose

    def __iter__(self) -> Iterator[CheckResult]:
        for batch in self.batches():
            yield from batch
