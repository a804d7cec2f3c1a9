"""The way of a request into the queue of its host: URL policy, shard, name look-up. No database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from scraper.net.url_policy import MAX_URL_LENGTH, InvalidValue, host_of, normalize_url
from streaming.health.probe_types import Failure, ProbeRequest, ProbeResponse, ProbeState
from streaming.health.probing.config import ProbeConfig
from streaming.health.probing.deferral import DeferredTasks
from streaming.health.probing.dns_resolver import DnsResolver, is_ip_address
from streaming.health.probing.host_queue import HostScheduler, HostSlot, ProbeTask
from streaming.health.probing.redirects import MAX_REDIRECT_URL_LENGTH, failure_of_redirect

# A URL in normalized spelling; it needs no second check at a scheme and netloc that were accepted before.
CANONICAL_URL = re.compile(r"(https?://[a-z0-9.:-]+)/[A-Za-z0-9/%@!$&()*+,;=~._?-]*\Z")
MAX_QUICK_LENGTH = 1500


class RequestIntake:
    """Brings tasks into their host's queue, new ones and those that need a further request."""

    def __init__(self, config: ProbeConfig, scheduler: HostScheduler, deferred: DeferredTasks) -> None:
        self._config, self._scheduler, self._deferred = config, scheduler, deferred
        self._resolver = DnsResolver()
        self._tasks_by_host: dict[str, list[tuple[ProbeTask, float | None]]] = {}
        self._unresolved = 0
        self._accepted: set[str] = set()

    @property
    def pending(self) -> int:
        """The number of tasks that wait in a queue, or for the look-up of their host's name."""
        return self._scheduler.waiting + self._unresolved

    @property
    def has_only_deferred(self) -> bool:
        """Whether tasks are deferred and no other one waits: each link so far was asked at least once."""
        return len(self._deferred) > 0 and not self.pending

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when a name has been looked up."""
        return self._resolver.fileno()

    def close(self) -> None:
        """Abandon the names that are being looked up."""
        self._resolver.close()

    def accept(self, request: ProbeRequest) -> ProbeResponse | None:
        """Queue or defer a new request; return the response if none has to be sent."""
        task = ProbeTask(request, state=request.state or ProbeState(request.url))
        try:
            url = self._normalize(task.state.url, max_length=MAX_URL_LENGTH)
        except InvalidValue as error:
            return not_sent(task, failure_of_redirect(error) if task.state.hops else Failure.PRIVATE)
        if url != task.state.url:
            task.update(url=url)
        if not self._is_own_host(url):
            return _forwarded(task)
        host_slot = self._scheduler.slot_for(url)
        if host_slot.closed_reason(url):
            return next(iter(self.refuse([task], host_slot)), None)
        if self._is_resolved(host_slot, task, at=None):
            self._scheduler.add(host_slot, task)
        return None

    def requeue(self, task: ProbeTask, *, at: float | None = None) -> ProbeResponse | None:
        """Queue a further request of a task, before new links or at that moment; see `accept`."""
        if not self._is_own_host(task.state.url):
            return _forwarded(task)
        host_slot = self._scheduler.slot_for(task.state.url)
        if not self._is_resolved(host_slot, task, at=at):
            return None
        if at is None:
            self._scheduler.add(host_slot, task, first=True)
        else:
            self._scheduler.add_at(host_slot, task, at)
        return None

    def refuse(self, tasks: Iterable[ProbeTask], host_slot: HostSlot) -> list[ProbeResponse]:
        """Return the responses of tasks whose host is given up; after timeouts they are deferred first."""
        responses = []
        for task in tasks:
            if self._deferred.accepts(task, host_slot):
                self._deferred.add(task, host_slot)
            else:
                responses.append(not_sent(task, host_slot.closed_reason(task.state.url)))
        return responses

    def requeue_deferred(self, *, retry_at: float) -> list[ProbeResponse]:
        """Queue the deferred tasks, when no other task waits; return responses as `requeue` does.

        Those whose host responded with an error are sent at `retry_at` at the earliest, the others now.
        """
        responses = []
        for task in self._deferred.take():
            host_slot = self._scheduler.slot_for(task.state.url)
            closed = host_slot.closed_reason(task.state.url)
            response = (
                not_sent(task, closed) if closed else self.requeue(task, at=retry_at if task.state.tries else None)
            )
            if response is not None:
                responses.append(response)
        return responses

    def resolved(self) -> Iterator[tuple[ProbeTask, float | None, Failure]]:
        """Return the tasks whose host was looked up, with the moment for `requeue`; a failure if it has no address."""
        for host, resolution in self._resolver.completed():
            tasks = self._tasks_by_host.pop(host, [])
            self._unresolved -= len(tasks)
            failure = resolution if isinstance(resolution, Failure) else Failure.NONE
            for task, at in tasks:
                yield task, at, failure

    def normalize_redirect(self, url: str) -> str:
        """Return the normalized URL of a redirect. Raises InvalidValue when it may not be opened."""
        return self._normalize(url, max_length=MAX_REDIRECT_URL_LENGTH)

    def _normalize(self, url: str, *, max_length: int) -> str:
        canonical = CANONICAL_URL.match(url)
        if canonical and canonical[1] in self._accepted and len(url) < MAX_QUICK_LENGTH:
            return url
        normalized = normalize_url(url, allowed=self._config.allowed, max_length=max_length)
        if canonical := CANONICAL_URL.match(normalized):
            self._accepted.add(canonical[1])
        return normalized

    def _is_own_host(self, url: str) -> bool:
        return self._config.shard is None or self._config.shard.contains(host_of(url))

    def _is_resolved(self, host_slot: HostSlot, task: ProbeTask, *, at: float | None) -> bool:
        """Whether the host's addresses are known; if not, the task waits for them."""
        if host_slot.is_resolved:
            return True
        host = host_of(task.state.url)
        if host in self._resolver.addresses or is_ip_address(host):
            host_slot.is_resolved, host_slot.addresses = True, self._resolver.addresses.get(host, ())
            return True
        self._tasks_by_host.setdefault(host, []).append((task, at))
        self._unresolved += 1
        self._resolver.resolve(host)
        return False


def not_sent(task: ProbeTask, failure: Failure) -> ProbeResponse:
    """Return the response of a task of which no further request is sent."""
    request = task.request
    return ProbeResponse(
        request.id, request.url, failure=failure, final_url=task.state.url or request.url, not_sent=True
    )


def _forwarded(task: ProbeTask) -> ProbeResponse:
    """Return the state of a task that another worker has to continue."""
    return ProbeResponse(task.request.id, task.request.url, state=task.state)
