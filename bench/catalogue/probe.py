"""`python -m bench.catalogue.probe`: time requests in one process, without a server.

Reads a JSON object `{"pages": [PATH, ...], "typed": [PATH, ...], "seconds": LIMIT}` from standard input and prints one
with the milliseconds of each page, first with cold caches and best of five, and those of each typed search. Settings
and database come from the environment. A page that takes long is requested less often, and typing ends at the limit.
"""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Iterable
from typing import Any

import django
from django.core.cache import cache
from django.core.wsgi import get_wsgi_application

REPEATS = 5
PATIENCE_MS = 10_000
# A crawler: its visits start no scrapes.
USER_AGENT = "Googlebot/2.1"

django.setup()
application = get_wsgi_application()


def request(path: str) -> float:
    """Return the milliseconds that the application takes; RuntimeError if the response is not 200."""
    path, _, query = path.partition("?")
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "127.0.0.1", "HTTP_USER_AGENT": USER_AGENT,
        "REMOTE_ADDR": "127.0.0.1", "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr, "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False,
    }  # fmt: skip
    seen: list[str] = []
    began = time.perf_counter()
    response = application(environ, lambda status, headers, exc_info=None: seen.append(status))
    b"".join(response)
    took = (time.perf_counter() - began) * 1000
    response.close()
    if not seen[0].startswith("200"):
        raise RuntimeError(f"{path}?{query}: {seen[0]}")
    return took


def time_page(path: str) -> dict[str, Any]:
    """The first request with empty caches and the best of five."""
    cache.clear()
    times = [request(path)]
    while len(times) < REPEATS and times[-1] < PATIENCE_MS:
        times.append(request(path))
    return {"path": path, "first": times[0], "best": min(times)}


def time_typing(paths: Iterable[str], *, limit: float) -> list[float]:
    """The milliseconds of each search, until the limit in seconds is over."""
    end = time.monotonic() + limit
    times = []
    for path in paths:
        times.append(request(path))
        if time.monotonic() > end:
            break
    return times


if __name__ == "__main__":
    wanted = json.load(sys.stdin)
    if wanted["pages"]:
        request(wanted["pages"][0])  # Imports and connections are not measured.
    results = [time_page(path) for path in wanted["pages"]]
    print(json.dumps({"pages": results, "typed": time_typing(wanted["typed"], limit=wanted["seconds"])}))
