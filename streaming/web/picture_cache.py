"""Drawn pictures, kept for a week; a flood of requests for new ones leaves most threads of the web server free."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable

from django.conf import settings
from django.core.cache import caches

KEEP_SECONDS = 7 * 86_400
RETRY_AFTER_SECONDS = 2
drawing_slots = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 2))
"""How many threads of a process may draw at once; a picture takes 0.02 to 0.1 seconds."""


class DrawingBusy(Exception):
    """As many pictures as may be are being drawn."""


def get_picture(key: str, draw: Callable[[], bytes]) -> bytes:
    """The picture with this key, drawn if it is not in the cache. Raises DrawingBusy."""
    kept = caches["pictures"].get(key)
    if isinstance(kept, str):
        return base64.b64decode(kept)
    if not drawing_slots.acquire(blocking=False):
        raise DrawingBusy(key)
    try:
        drawn = draw()
    finally:
        drawing_slots.release()
    # As text: the cache holds JSON only.
    caches["pictures"].set(key, base64.b64encode(drawn).decode(), KEEP_SECONDS)
    return drawn
