"""Failures that wait until the run is accepted, packed in memory: there may be a hundred thousand. Pure."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

from streaming.health.judging.results import CheckResult

PACK_SIZE = 500


class ResultSpool:
    """A list to append to and read, in a tenth of the memory: values common to a pack are stored once."""

    def __init__(self) -> None:
        self._packs: list[bytes] = []
        self._loose: list[CheckResult] = []

    def append(self, result: CheckResult) -> None:
        """Add a result, without what deciding on it and writing it do not need."""
        self._loose.append(result.compact())
        if len(self._loose) >= PACK_SIZE:
            self._packs.append(pickle.dumps([one.to_row() for one in self._loose], protocol=5))
            self._loose = []

    def batches(self) -> Iterator[list[CheckResult]]:
        """Yield all results in their order, one pack at a time."""
        for pack in self._packs:
            rows = pickle.loads(pack)  # noqa: S301  Written by this process.
            yield [CheckResult.from_row(*row) for row in rows]
        if self._loose:
            yield self._loose

    def __iter__(self) -> Iterator[CheckResult]:
        for batch in self.batches():
            yield from batch
