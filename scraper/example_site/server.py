"""The web server of the example site: threads, keep-alive, ranges, and failures like those of the real web."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from scraper.example_site.films import (
    FILMS,
    HANG_SECONDS,
    SLOW_SECONDS,
    ExampleFilm,
    ExampleLink,
    LinkBehaviour,
    captions_of,
    example_links,
)
from scraper.example_site.pages import (
    ROBOTS,
    caption_file,
    film_file,
    film_page,
    front_page,
    link_file,
    media_type,
    missing_page,
    page,
    watch_page,
)

HTML, TEXT, JSON = "text/html; charset=utf-8", "text/plain; charset=utf-8", "application/json"
HOST = re.compile(r"[\w.\-]+(:[0-9]{1,5})?|\[[0-9a-fA-F:.]+\](:[0-9]{1,5})?", re.ASCII)
RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})", re.ASCII)
PART = re.compile(r"/media/(tt[0-9]{7,9})/(part[12]\.ts)", re.ASCII)
MAX_COUNTED_PATHS = 10_000
PLAIN_ERRORS = {
    LinkBehaviour.NOT_FOUND: HTTPStatus.NOT_FOUND,
    LinkBehaviour.FORBIDDEN: HTTPStatus.FORBIDDEN,
    LinkBehaviour.GONE: HTTPStatus.GONE,
    LinkBehaviour.BROKEN: HTTPStatus.INTERNAL_SERVER_ERROR,
}


@dataclass(frozen=True, slots=True)
class SiteResponse:
    """One response; `ranges`: parts of its body may be requested."""

    body: bytes
    content_type: str = HTML
    status: int = HTTPStatus.OK
    headers: dict[str, str] = field(default_factory=dict)
    ranges: bool = False


class ExampleSite(ThreadingHTTPServer):
    """One daemon thread per connection; `slow` is the delay of a film page in seconds."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], *, slow: float = 0.0) -> None:
        self.films: dict[str, ExampleFilm] = {film.path: film for film in FILMS}
        self.by_id: dict[str, ExampleFilm] = {film.imdb_id: film for film in FILMS}
        self.links = example_links()
        self.links_by_path = {link.path: (self.by_id[key], link) for key, links in self.links.items() for link in links}
        self.captions_by_path = {captions.path: captions for film in FILMS for captions in captions_of(film)}
        self.slow = slow
        self.stopping = threading.Event()
        self.requests: Counter[str] = Counter()
        self.count_lock = threading.Lock()
        super().__init__(address, ExampleRequestHandler)

    def count(self, path: str) -> None:
        with self.count_lock:
            known = path in self.requests or len(self.requests) < MAX_COUNTED_PATHS
            self.requests[path if known else "other"] += 1

    def stats(self) -> dict[str, Any]:
        with self.count_lock:
            return {"total": self.requests.total(), "requests": dict(self.requests)}

    def stop(self) -> None:
        """Stop at once; requests in progress get no response."""
        self.stopping.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Not an error: a client that disconnects, or one whose connection is closed when the site stops.
        if not (self.stopping.is_set() or isinstance(sys.exc_info()[1], ConnectionError | TimeoutError)):
            super().handle_error(request, client_address)


class ExampleRequestHandler(BaseHTTPRequestHandler):
    """Handles the requests of one connection."""

    server: ExampleSite
    protocol_version = "HTTP/1.1"
    server_version = "ExampleSite"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.server.count(path)
        response = self._response(path)
        if response is None:
            self.close_connection = True
        else:
            self._send(self._part_of(response) if response.ranges else response)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def _response(self, path: str) -> SiteResponse | None:
        """Return the response; None to close the connection without one."""
        if path in self.server.links_by_path:
            return self._link_response(*self.server.links_by_path[path])
        if path in self.server.films:
            self.server.stopping.wait(self.server.slow)
            film = self.server.films[path]
            return _html(film_page(film, self.server.links[film.imdb_id], site=self._site()))
        if (part := PART.fullmatch(path)) and part[1] in self.server.by_id:
            return SiteResponse(film_file(part[2]), media_type(path), ranges=True)
        if captions := self.server.captions_by_path.get(path):
            return SiteResponse(caption_file(captions), media_type(path))
        return self._plain(path)

    def _plain(self, path: str) -> SiteResponse:
        match path:
            case "/":
                return _html(front_page(FILMS))
            case "/robots.txt":
                return SiteResponse(ROBOTS.encode(), TEXT)
            case "/-/stats":
                return SiteResponse(json.dumps(self.server.stats()).encode(), JSON)
            case _:
                return _html(missing_page(), HTTPStatus.NOT_FOUND)

    def _link_response(self, film: ExampleFilm, link: ExampleLink) -> SiteResponse | None:
        if link.behaviour in PLAIN_ERRORS:
            status = PLAIN_ERRORS[link.behaviour]
            return _html(page(status.phrase, f"<p>{status.description or status.phrase}.</p>"), status)
        match link.behaviour:
            case LinkBehaviour.HANGS:
                self.server.stopping.wait(HANG_SECONDS)
                return None
            case LinkBehaviour.SLOW:
                self.server.stopping.wait(SLOW_SECONDS)
            case LinkBehaviour.SOFT_404:
                return _html(missing_page())
            case LinkBehaviour.TO_FRONT:
                return _redirect("/", HTTPStatus.FOUND)
            case LinkBehaviour.MOVED:
                return _redirect(f"/media/{film.imdb_id}/480p.{film.language}.mp4", HTTPStatus.MOVED_PERMANENTLY)
            case LinkBehaviour.NO_HEAD if self.command == "HEAD":
                return SiteResponse(b"", TEXT, HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "GET"})
        return _content(film, link)

    def _site(self) -> str:
        host = self.headers.get("Host", "")
        name, port = self.server.server_address[:2]
        return f"http://{host}" if HOST.fullmatch(host) else f"http://{name!s}:{port}"

    def _part_of(self, response: SiteResponse) -> SiteResponse:
        requested = RANGE.fullmatch(self.headers.get("Range", "").strip())
        headers, size = {"Accept-Ranges": "bytes"}, len(response.body)
        if requested is None or requested[1] == requested[2] == "":
            return SiteResponse(response.body, response.content_type, headers=headers)
        first = int(requested[1]) if requested[1] else max(0, size - int(requested[2]))
        last = min(int(requested[2]), size - 1) if requested[1] and requested[2] else size - 1
        if first >= size or first > last:
            headers["Content-Range"] = f"bytes */{size}"
            return SiteResponse(b"", response.content_type, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers)
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        return SiteResponse(response.body[first : last + 1], response.content_type, HTTPStatus.PARTIAL_CONTENT, headers)

    def _send(self, response: SiteResponse) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)


def _content(film: ExampleFilm, link: ExampleLink) -> SiteResponse:
    if link.kind in ("page", "embed"):
        return _html(watch_page(film, language=link.language))
    return SiteResponse(link_file(link.path), media_type(link.path), ranges=True)


def _html(text: str, status: int = HTTPStatus.OK) -> SiteResponse:
    return SiteResponse(text.encode(), status=status)


def _redirect(location: str, status: int) -> SiteResponse:
    return SiteResponse(b"", status=status, headers={"Location": location})
