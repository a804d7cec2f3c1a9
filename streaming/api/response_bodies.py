"""Bodies of responses that this process rendered lately, under a fingerprint of all that they show."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from threading import Lock

from django.http import HttpResponse, HttpResponseBase
from rest_framework.response import Response

LIST_BYTES, MOVIE_BYTES = 16 * 1024 * 1024, 8 * 1024 * 1024
MAX_BODY_BYTES = 256 * 1024
MAX_AGE_SECONDS = 60.0
ENTRY_BYTES = 1024
"""What an entry takes besides its body: key, type, time and objects, by which an empty list is as large as any."""


@dataclass(frozen=True, slots=True)
class RenderedBody:
    """A body with its type; `expires_at` by the monotonic clock."""

    content: bytes
    content_type: str
    expires_at: float

    @property
    def size(self) -> int:
        """About the memory that it takes."""
        return len(self.content) + ENTRY_BYTES


class ResponseBodies:
    """The bodies that were used last, at most `max_bytes` of them, each for a minute.

    Of a key, which may be as long as a header of the client, only the digest is kept. A key says everything that the
    response depends on, the state of the catalogue included. So a body is never older than what a client with the same
    ETag would go on showing after a 304.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bodies: OrderedDict[bytes, RenderedBody] = OrderedDict()
        self._bytes, self._lock = 0, Lock()

    def respond(self, key: object, build: Callable[[], Response]) -> HttpResponseBase:
        """The response with the body of this key, or that of `build`, whose body is kept if it is a 200."""
        digest = blake2b(repr(key).encode(), digest_size=16).digest()
        found = self._find(digest)
        if found is not None:
            return HttpResponse(found.content, content_type=found.content_type)
        response = build()
        if response.status_code == 200:
            response.add_post_render_callback(lambda rendered: self._keep(digest, rendered))
        return response

    def clear(self) -> None:
        """Forget all bodies."""
        with self._lock:
            self._bodies.clear()
            self._bytes = 0

    def _find(self, key: bytes) -> RenderedBody | None:
        with self._lock:
            found = self._bodies.get(key)
            if found is None or found.expires_at < time.monotonic():
                return None
            self._bodies.move_to_end(key)
            return found

    def _keep(self, key: bytes, response: HttpResponse) -> None:
        if len(response.content) > MAX_BODY_BYTES:
            return
        # A copy: orjson's own result takes 4 KiB at least.
        content = memoryview(response.content).tobytes()
        body = RenderedBody(content, response["Content-Type"], time.monotonic() + MAX_AGE_SECONDS)
        with self._lock:
            if (old := self._bodies.pop(key, None)) is not None:
                self._bytes -= old.size
            self._bodies[key] = body
            self._bytes += body.size
            while self._bytes > self._max_bytes:
                self._bytes -= self._bodies.popitem(last=False)[1].size


list_bodies = ResponseBodies(LIST_BYTES)
"""Of the lists of movies, which are the same for everybody."""
movie_bodies = ResponseBodies(MOVIE_BYTES)
"""Of single movies, where the state of the refresh that a visitor sees is a part of the key."""
