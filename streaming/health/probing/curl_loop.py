"""The transfers in progress, on libcurl's multi interface: starting, waiting, completing. No database."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

import pycurl

from streaming.health.probing.config import ProbeConfig
from streaming.health.probing.host_queue import HostScheduler, HostSlot, ProbeTask
from streaming.health.probing.poller import new_poller
from streaming.health.probing.transfer import Transfer

MAX_WAIT_SECONDS = 0.1
MESSAGE_BATCH = 256
# What pycurl and encodings raise because of one odd link or response; it must not end the run of all.
LIBRARY_ERRORS = (pycurl.error, ValueError, TypeError)


class CurlLoop:
    """Runs transfers and gives their slots back to the scheduler. `stalled`: how many are without a slot."""

    def __init__(self, config: ProbeConfig, scheduler: HostScheduler) -> None:
        self.stalled = 0
        self._config, self._scheduler = config, scheduler
        self._transfers: dict[Any, Transfer] = {}
        self._free: list[Transfer] = []
        self._timer: float | None = None
        self._poller = new_poller()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, config.concurrency * 2)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._poller.on_curl_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)

    @property
    def is_idle(self) -> bool:
        """Whether no transfer is in progress."""
        return not self._transfers

    @property
    def has_capacity(self) -> bool:
        """Whether one more transfer may start now."""
        return len(self._transfers) - self.stalled < self._config.concurrency

    def watch_descriptor(self, descriptor: int) -> None:
        """End the wait when this descriptor becomes readable."""
        self._poller.watch_descriptor(descriptor)

    def start(self, task: ProbeTask, host_slot: HostSlot, *, timeout: float, now: float) -> Transfer:
        """Start the next request of a task whose slot is taken. Raises LIBRARY_ERRORS for a request it cannot make."""
        transfer = self._free.pop() if self._free else Transfer(self._config)
        try:
            transfer.start(task, host_slot, timeout=timeout, now=now)
        except LIBRARY_ERRORS:
            transfer.curl.close()
            raise
        self._transfers[transfer.curl] = transfer
        self._multi.add_handle(transfer.curl)
        return transfer

    def wait(self, now: float, *, wake_at: Iterable[float | None]) -> None:
        """Let libcurl read and write until something happens or one of these moments comes; None: no such moment."""
        for descriptor, mask in self._poller.wait(self._seconds_until_wake(now, wake_at)):
            self._multi.socket_action(descriptor, mask)
        if self._timer is not None and self._timer <= time.monotonic():
            self._timer = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def completed(self) -> Iterator[tuple[Transfer, int]]:
        """Return the transfers that have ended, with libcurl's error code or 0; each has to be released."""
        left = 1
        while left:
            left, succeeded, failed = self._multi.info_read(MESSAGE_BATCH)
            for handle, code in [
                *((handle, 0) for handle in succeeded),
                *((handle, code) for handle, code, _ in failed),
            ]:
                if handle in self._transfers:  # Not one that was released a moment ago.
                    yield self._transfers[handle], code

    def mark_stalled(self, transfer: Transfer) -> None:
        """Let another link use the slot of a stalled transfer, unless too many are stalled already."""
        if self.stalled < self._config.concurrency and self._scheduler.mark_stalled(transfer.host_slot):
            transfer.is_stalled = True
            self.stalled += 1

    def release(self, transfer: Transfer) -> None:
        """End a transfer, completed or not, and free its slot."""
        self._multi.remove_handle(transfer.curl)
        del self._transfers[transfer.curl]
        transfer.reset()
        self.stalled -= transfer.is_stalled
        self._scheduler.release(transfer.host_slot, stalled=transfer.is_stalled)
        self._free.append(transfer)

    def transfers_of(self, host_slot: HostSlot) -> list[Transfer]:
        """Return the transfers from this host that are in progress."""
        return [transfer for transfer in self._transfers.values() if transfer.host_slot is host_slot]

    def close(self) -> None:
        """End all transfers and close their handles."""
        for transfer in list(self._transfers.values()):
            self.release(transfer)
        self._multi.close()
        for transfer in self._free:
            transfer.curl.close()
        self._poller.close()

    def _seconds_until_wake(self, now: float, wake_at: Iterable[float | None]) -> float:
        moments = (moment for moment in (*wake_at, self._timer) if moment is not None)
        return max(0.0, min([MAX_WAIT_SECONDS, *(moment - now for moment in moments)]))

    def _on_timer(self, milliseconds: int) -> None:
        self._timer = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000
