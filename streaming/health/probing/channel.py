"""A socket between two processes of ours that carries values: neither waits for the other unless it wants to."""

from __future__ import annotations

import pickle
import select
import socket
import struct
from collections import deque
from typing import Any

LENGTH = struct.Struct("!I")
SEND_BUFFER_BYTES = 1 << 20
RECEIVE_BYTES = 1 << 18


class SlotRequests(list[tuple[str, float]]):
    """Hosts (netlocs) that need a slot reserved for the next request, each with its delay in seconds."""


class SlotGrants(list[tuple[str, float | None]]):
    """The same hosts, each with the seconds until its slot; None: no slot in this run."""


class Channel:
    """One end. What is sent and received is pickled, so both ends must be our own code on this machine.

    Raises EOFError when the other side is gone.
    """

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._out: deque[memoryview] = deque()
        self._in = bytearray()

    def fileno(self) -> int:
        return self.socket.fileno()

    def send(self, value: Any) -> None:
        """Send without waiting: what finds no room goes with the next `put` or `push`."""
        data = pickle.dumps(value, protocol=5)
        self._out.append(memoryview(LENGTH.pack(len(data)) + data))
        self.flush()

    def flush(self) -> bool:
        """Send what is left; whether all of it went."""
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
        """The next value that has come whole, or None: not yet."""
        if (value := self._next()) is not None:
            return value
        try:
            while piece := self.socket.recv(RECEIVE_BYTES):
                self._in += piece
                if (value := self._next()) is not None:
                    return value
        except BlockingIOError:
            return None
        except ConnectionError as error:
            raise EOFError from error
        raise EOFError

    def wait(self, seconds: float) -> None:
        """Until there is something to take, or room for what is left to send."""
        select.select([self.socket], [self.socket] if self._out else [], [], seconds)

    def close(self) -> None:
        self.socket.close()

    def _next(self) -> Any | None:
        if len(self._in) < LENGTH.size:
            return None
        end = LENGTH.size + LENGTH.unpack_from(self._in)[0]
        if len(self._in) < end:
            return None
        value = pickle.loads(memoryview(self._in)[LENGTH.size : end])  # noqa: S301  From our own process.
        del self._in[:end]
        return value
