"""Messages between two processes of ours over a socket, without blocking."""

from __future__ import annotations

import pickle
import select
import socket
import struct
from collections import deque
from collections.abc import Sequence
from typing import Any

LENGTH = struct.Struct("!I")
SEND_BUFFER_BYTES = 1 << 20
RECEIVE_BYTES = 1 << 18


class SlotRequests(list[tuple[str, float]]):
    """Hosts (netlocs) that need a slot reserved for the next request, each with its delay in seconds."""


class SlotGrants(list[tuple[str, float | None]]):
    """The same hosts, each with the seconds until its slot; None: no slot in this run."""


class Channel:
    """One end of the socket. Messages are pickled, so both ends must be our own code on this machine.

    Methods raise EOFError when the other end is closed.
    """

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._out: deque[memoryview] = deque()
        self._in = bytearray()

    def fileno(self) -> int:
        """Return the descriptor, which is readable when a message may have come."""
        return self.socket.fileno()

    def send(self, value: Any) -> None:
        """Send a message; what does not fit into the socket's buffer follows with the next `send` or `flush`."""
        data = pickle.dumps(value, protocol=5)
        self._out.append(memoryview(LENGTH.pack(len(data)) + data))
        self.flush()

    def flush(self) -> bool:
        """Send what is left to send; return whether all of it is sent."""
        try:
            while self._out:
                rest = self._out[0]
                sent = self.socket.send(rest)
                if sent < len(rest):
                    self._out[0] = rest[sent:]
                else:
                    self._out.popleft()
        except BlockingIOError:
            return False
        except ConnectionError as error:
            raise EOFError from error
        return True

    def receive(self) -> Any | None:
        """Return the next message; None: it has not come completely."""
        if (value := self._next()) is not None:
            return value
        try:
            while data := self.socket.recv(RECEIVE_BYTES):
                self._in += data
                if (value := self._next()) is not None:
                    return value
        except BlockingIOError:
            return None
        except ConnectionError as error:
            raise EOFError from error
        raise EOFError

    def wait(self, seconds: float) -> None:
        """Wait until something has come or can be sent, at most so many seconds."""
        wait_for_any([self], seconds)

    @property
    def has_unsent(self) -> bool:
        """Whether something is left to send."""
        return bool(self._out)

    def close(self) -> None:
        """Close this end; the other one gets EOFError."""
        self.socket.close()

    def _next(self) -> Any | None:
        if len(self._in) < LENGTH.size:
            return None
        end = LENGTH.size + LENGTH.unpack_from(self._in)[0]
        if len(self._in) < end:
            return None
        value = pickle.loads(memoryview(self._in)[LENGTH.size : end])  # noqa: S301  It comes from our own process.
        del self._in[:end]
        return value


def wait_for_any(channels: Sequence[Channel], seconds: float) -> None:
    """Wait until something has come over one of these channels or can be sent, at most so many seconds."""
    select.select(channels, [channel for channel in channels if channel.has_unsent], [], seconds)
