"""Another instance on loopback whose `changes/` says whatever a test wants, truths and lies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.helpers.http_servers import serving


def film(number: int = 1, *, links: Any = (), **fields: Any) -> dict[str, Any]:
    """A film as `changes/` has it."""
    return {"imdb_id": f"tt{number:07d}", "title": f"Film {number}", "links": list(links), **fields}


def link(name: str = "a", **fields: Any) -> dict[str, Any]:
    """A link as `changes/` has it, working at the other instance."""
    stated = {"source": "commons", "source_url": f"https://films.example.org/{name}", "licence": "cc-by"}
    verdict = {"is_active": True, "last_checked": "2026-01-01T00:00:00Z", "reason": "ok"}
    return {**stated, **verdict, **fields}


class OtherInstance(ThreadingHTTPServer):
    """Answers with the page of the cursor, made by `say`, or with `raw`: status, headers and bytes."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.number, self.asked, self.tokens = 0, [], []
        self.raw: tuple[int, dict[str, str], bytes] | None = None
        self.over = type("Over", (), {"set": lambda _: None})()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def say(self, *changed: Any, removed: Any = (), more: bool = False, **body: Any) -> None:
        """Add the next page; `removed` are numbers of films, or objects."""
        before, self.number = f"n{self.number}" if self.number else "", self.number + 1
        gone = [{"imdb_id": f"tt{one:07d}", "reason": ""} if isinstance(one, int) else one for one in removed]
        page = {"changed": list(changed), "removed": gone, "next_since": f"n{self.number}", "more": more, **body}
        self.pages[before] = (200, {}, json.dumps(page).encode())
        end = {**page, "changed": [], "removed": [], "more": False}
        self.pages.setdefault(f"n{self.number}", (200, {}, json.dumps(end).encode()))

    def say_raw(self, body: bytes | str, *, status: int = 200, **headers: str) -> None:
        """Answer every request like this from now on."""
        data = body.encode() if isinstance(body, str) else body
        self.raw = (status, {name.replace("_", "-"): value for name, value in headers.items()}, data)


class _Handler(BaseHTTPRequestHandler):
    server: OtherInstance

    def do_GET(self) -> None:
        since = parse_qs(urlsplit(self.path).query).get("since", [""])[0]
        self.server.asked.append(since)
        self.server.tokens.append(self.headers.get("X-Openreel-Follower"))
        gone = (410, {}, b'{"detail": "This cursor is not of this catalogue"}')
        status, headers, body = self.server.raw or self.server.pages.get(since, gone)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@contextmanager
def other_instance() -> Iterator[OtherInstance]:
    with serving(OtherInstance()) as site:
        yield site
