"""Send messages to all services at once, within one time-out for all of them."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings

from streaming.alarms.targets import NotifyTarget, send_heartbeat
from streaming.models import AlarmMessage

TIMEOUT_ERROR = "it did not answer in time"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryResult:
    """What became of one message; `error` is empty if it was accepted."""

    message: AlarmMessage
    target: NotifyTarget
    error: str


def deliver(messages: Sequence[AlarmMessage], targets: Sequence[NotifyTarget]) -> Iterator[DeliveryResult]:
    """Send the messages, those of each target in order and in a thread of its own; yield results as they come.

    After `NOTIFY_TIMEOUT` seconds the rest counts as not accepted. Threads that hang are left behind: they end with the
    process, which has to end soon.
    """
    results: queue.SimpleQueue[DeliveryResult] = queue.SimpleQueue()
    waiting = {id(message): message for message in messages}
    for target in targets:
        own = [message for message in messages if message.target == target.key]
        threading.Thread(target=_send_all, args=(own, target, results), daemon=True).start()
    end = time.monotonic() + settings.NOTIFY_TIMEOUT
    while waiting:
        try:
            result = results.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            break
        del waiting[id(result.message)]
        yield result
    by_key = {target.key: target for target in targets}
    for message in waiting.values():
        yield DeliveryResult(message=message, target=by_key[message.target], error=TIMEOUT_ERROR)


def request_heartbeat(url: str) -> str:
    """Request the heartbeat address, for `NOTIFY_TIMEOUT` seconds in all; return why that failed, or nothing.

    In a thread, for a host that sends a byte now and then would hold its request for ever.
    """
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(send_heartbeat(url)), daemon=True).start()
    try:
        return answers.get(timeout=settings.NOTIFY_TIMEOUT)
    except queue.Empty:
        return TIMEOUT_ERROR


def _send_all(
    messages: Sequence[AlarmMessage], target: NotifyTarget, results: queue.SimpleQueue[DeliveryResult]
) -> None:
    """Send one after the other; once one is not accepted, the others are not tried either, and get its error."""
    error = ""
    for message in messages:
        error = error or target.send(message)
        results.put(DeliveryResult(message=message, target=target, error=error))
