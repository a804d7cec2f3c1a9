"""Drawn pictures, kept for a week; a flood of requests for new ones leaves threads of the web server free."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable

from django.conf import settings
from django.core.cache import caches

KEEP_SECONDS = 7 * 86_400
RETRY_AFTER_SECONDS = 2
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
drawing_slots = threading.BoundedSemaphore(max(1, settings.WEB_THREADS * 3 // 4))
"""How many threads of a process may draw or wait for it; a picture takes 0.02 to 0.1 seconds."""
_at_work = threading.BoundedSemaphore(2)
"""How many of them draw: more would only slow down each other and all other requests."""


class DrawingBusy(Exception):
    """As many threads as may be are drawing, or waiting to."""


def get_picture(key: str, draw: Callable[[], bytes]) -> bytes:
    """The picture with this key, drawn if it is not in the cache. Raises DrawingBusy."""
    if (kept := find_picture(key)) is not None:
        return kept
    if not drawing_slots.acquire(blocking=False):
        raise DrawingBusy(key)
    try:
        with _at_work:
            # Another request may have drawn it in the meantime.
            return find_picture(key) or keep_picture(key, draw())
    finally:
        drawing_slots.release()


def find_picture(key: str) -> bytes | None:
    """The kept picture; None for anything that we do not write, since others may have written to the cache."""
    kept = caches["pictures"].get(key)
    try:
        picture = base64.b64decode(kept, validate=True) if isinstance(kept, str) else b""
    except ValueError:
        return None
    return picture if picture.startswith(PNG_SIGNATURE) else None


def keep_picture(key: str, drawn: bytes) -> bytes:
    """Keep a picture for a week, and return it."""
    # As text: the cache holds JSON only.
    caches["pictures"].set(key, base64.b64encode(drawn).decode(), KEEP_SECONDS)
    return drawn
