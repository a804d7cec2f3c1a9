"""Links that timed out or met an error of their server: each is asked once more at the end of the run. Pure.

Some hosts need 7 or 12 seconds for their first byte (the Internet Archive at busy hours), and what is too slow now may
be quick in a minute: they have twice the time. A server that starts again sends errors for some seconds. Waiting until
all links were asked costs the others nothing.
"""

from __future__ import annotations

from streaming.health.probe_types import Failure
from streaming.health.probing.host_queue import HostSlot, ProbeTask

LATE_TIMEOUT_FACTOR = 2


class DeferredTasks:
    """Tasks to repeat when no other task waits any more."""

    def __init__(self) -> None:
        self._tasks: list[ProbeTask] = []
        self._host_slots: set[HostSlot] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def add(self, task: ProbeTask, host_slot: HostSlot) -> None:
        """Defer a task whose request to this host failed for now, or was not sent because others timed out."""
        task.confirm(is_late=True)
        self._tasks.append(task)
        self._host_slots.add(host_slot)

    def accepts(self, task: ProbeTask, host_slot: HostSlot) -> bool:
        """Whether a task whose host is given up is deferred: after timeouts, unless the host was asked late already."""
        return host_slot.closed_reason(task.state.url) is Failure.TIMEOUT and not host_slot.was_reopened

    def take(self) -> list[ProbeTask]:
        """Return the deferred tasks; hosts that were given up after timeouts may be asked again."""
        tasks, self._tasks = self._tasks, []
        while self._host_slots:
            self._host_slots.pop().reopen()
        return tasks
