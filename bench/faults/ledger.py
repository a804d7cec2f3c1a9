"""What the site promised to its clients, to be compared with what it kept."""

from __future__ import annotations

import http.client
import json
import time
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bench.instance import Instance

CLOSED = frozenset({"succeeded", "failed", "cancelled"})
PATIENCE_SECONDS = 90.0
ACCEPTED = frozenset({200, 202})


@dataclass(slots=True)
class Ledger:
    """The clicks on one instance. `promised`: addresses of the jobs of those that were accepted, by film."""

    instance: Instance
    patience: float = PATIENCE_SECONDS
    promised: dict[str, str] = field(default_factory=dict)
    statuses: list[int | None] = field(default_factory=list)

    def click(self) -> None:
        """Ask for links of a new film; a refused or broken request promises nothing."""
        film = self.instance.film()
        status, location = self._request("POST", f"/api/streaming/movies/{film}/refresh_links/")
        self.statuses.append(status)
        if status in ACCEPTED and location:
            self.promised[film] = urlsplit(location).path

    def clicks(self, number: int, *, pause: float = 0.05) -> None:
        for _ in range(number):
            self.click()
            time.sleep(pause)

    def lost(self) -> list[str]:
        """Wait until each promised job has ended; return the films whose job never does, or has no record."""
        end = time.monotonic() + self.patience
        waiting = dict(self.promised)
        while waiting and time.monotonic() < end:
            waiting = {film: address for film, address in waiting.items() if self._state(address) not in CLOSED}
            time.sleep(0.2)
        return sorted(waiting)

    def found(self) -> int:
        """The number of promised jobs that found links."""
        return sum(self._job(address).get("outcome") == "found" for address in self.promised.values())

    def refused(self) -> int:
        return sum(status not in ACCEPTED for status in self.statuses)

    def _state(self, address: str) -> str:
        return str(self._job(address).get("state", ""))

    def _job(self, address: str) -> dict[str, object]:
        status, _, body = self._fetch("GET", address)
        return dict(json.loads(body)) if status == 200 else {}

    def _request(self, method: str, path: str) -> tuple[int | None, str]:
        status, location, _ = self._fetch(method, path)
        return status, location

    def _fetch(self, method: str, path: str) -> tuple[int | None, str, bytes]:
        """Return status, Location and body; no status if the connection broke."""
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", self.instance.web_port, timeout=60)) as connection:
                connection.request(method, path, headers={"User-Agent": "Mozilla/5.0 (faults)"})
                response = connection.getresponse()
                return response.status, response.headers.get("Location", ""), response.read()
        except (OSError, http.client.HTTPException):
            return None, "", b""
