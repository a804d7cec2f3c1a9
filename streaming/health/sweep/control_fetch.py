"""Decide doubtful pages by a control page: what their host sends for a path that nobody has made.

One request a host and run, with the limits of all other requests, and only for hosts of doubtful pages.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from scraper.net.url_policy import netloc_of
from streaming.health.judging.control_page import PageSample, resolve_doubt, sample_page
from streaming.health.judging.results import CheckResult
from streaming.health.probe_types import ProbeRequest, ProbeResponse
from streaming.health.probing.config import ProbeConfig
from streaming.health.probing.prober import Prober
from streaming.health.probing.prober_process import ReserveSlot

MAX_HELD = 5_000
"""More doubtful results are accepted as they are: so many pages would fill the memory."""


class ControlFetch:
    """Holds the doubtful results of a run until the control pages of their hosts have come.

    Each host's page is remembered for the run; a host that has not responded, or not with the control page, is in no
    mapping, and its doubtful results stay as they are.
    """

    def __init__(self, config: ProbeConfig, *, reserve_slot: ReserveSlot) -> None:
        # A made-up path may lead to another worker's host, which is not to continue.
        self._config, self._reserve_slot = replace(config, shard=None), reserve_slot
        self._held: list[tuple[CheckResult, str]] = []
        self._controls: dict[str, PageSample | None] = {}
        self._asked: set[str] = set()

    def hold(self, result: CheckResult, *, url: str) -> bool:
        """Keep a result whose judgement is doubtful, of the link with this URL; return whether it is kept."""
        if not result.judgement.is_doubtful or result.page is None or len(self._held) >= MAX_HELD:
            return False
        self._held.append((result, url))
        return True

    def resolved(self, *, stop: Callable[[], bool]) -> Iterator[CheckResult]:
        """Yield the results that were kept, decided; none after `stop`: they are checked again in the next run."""
        held, self._held = self._held, []
        if not held:
            return
        self._fetch([url for _, url in held], stop)
        if stop():
            return
        for result, url in held:
            yield self._decide(result, netloc_of(url))

    def _decide(self, result: CheckResult, netloc: str) -> CheckResult:
        if result.page is None or netloc not in self._controls:
            return result._replace(judgement=result.judgement._replace(is_doubtful=False))
        judgement = resolve_doubt(result.judgement, result.page, self._controls[netloc])
        return result._replace(judgement=judgement)

    def _fetch(self, urls: list[str], stop: Callable[[], bool]) -> None:
        """Fetch a control page from each of these hosts that was not asked in this run."""
        url_by_netloc = {netloc_of(url): url for url in urls}
        new = {netloc: url for netloc, url in url_by_netloc.items() if netloc not in self._asked}
        self._asked.update(new)
        requests = [ProbeRequest(id=number, url=control_url(url)) for number, url in enumerate(new.values())]
        prober = Prober(self._config, stop=stop)
        for responses in prober.response_batches(requests):
            for response in responses:
                self._add(response)
            for host_slot in prober.slot_requests():
                prober.grant_slot(host_slot.netloc, self._reserve_slot(host_slot.netloc, host_slot.delay_between))

    def _add(self, response: ProbeResponse) -> None:
        """Remember the control page of a host, None if it sent an error status; nothing if it is busy or away."""
        status = response.status
        if status is not None and (200 <= status < 300 or status in (404, 410)):
            self._controls[netloc_of(response.url)] = sample_page(response)


def control_url(url: str) -> str:
    """Return a URL beside this one that nobody has made."""
    parts = urlsplit(url)
    folder = parts.path.rpartition("/")[0]
    return f"{parts.scheme}://{parts.netloc}{folder}/{uuid.uuid4().hex}"
