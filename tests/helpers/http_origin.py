"""A web server on loopback whose paths behave like links: well, badly, or not at all."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MP4 = b"\x00\x00\x00\x20ftypisom" + b"\x00" * 4000
FILM = b"<!doctype html><title>Nosferatu (1922)</title><h1>Nosferatu</h1><video src=film.mp4></video>"
MISSING = b"<!doctype html><title>404 - Page not found</title><h1>Oops! Page not found</h1>"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Origin

    def setup(self):
        super().setup()
        self.server.sockets.add(self.request)

    def finish(self):
        with contextlib.suppress(OSError):
            super().finish()
        self.server.sockets.discard(self.request)

    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self.serve()

    do_GET = do_HEAD

    def serve(self):
        self.server.log.append((self.command, self.path))
        self.server.asked(self)
        if self.server.behaviour is not None:
            self.server.behaviour(self)
            return
        kind = self.server.everything or self.path.split("/")[1].partition("?")[0]
        getattr(self, f"on_{kind}", self.on_status)(kind)

    def send(self, status, body=b"", content_type="text/html", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            with contextlib.suppress(OSError):
                self.wfile.write(body)

    def on_status(self, kind):
        self.send(int(kind) if kind.isdigit() else 404)

    def on_page(self, kind):
        self.send(200, FILM)

    def on_soft(self, kind):
        self.send(200, MISSING)

    def on_video(self, kind):
        if self.command == "GET" and "Range" in self.headers:
            self.send(206, MP4[:2048], "video/mp4", Content_Range=f"bytes 0-2047/{len(MP4)}")
        else:
            self.send(200, MP4, "video/mp4")

    def on_nohead(self, kind):
        self.send(405) if self.command == "HEAD" else self.send(200, FILM)

    def on_headonly(self, kind):
        self.send(200) if self.command == "HEAD" else self.send(501)

    def on_headhangs(self, kind):
        self.on_hang(kind) if self.command == "HEAD" else self.send(200, FILM)

    def on_flaky(self, kind):
        count = sum(path == self.path for _, path in self.server.log)
        self.send(200, FILM) if count >= 3 else self.send(502)

    def on_busy(self, kind):
        self.send(429, Retry_After="120")

    def on_later(self, kind):
        self.send(503, Retry_After="120")

    def on_norange(self, kind):
        self.send(416) if "Range" in self.headers else self.send(200, FILM)

    def on_to(self, kind):
        """/to/TARGET redirects there; a target without slash is a number of further hops."""
        target = self.path.removeprefix("/to/")
        if target.isdigit():
            target = "/page/end" if target == "0" else f"/to/{int(target) - 1}"
        self.send(302, Location=target if "://" in target else f"/{target.lstrip('/')}")

    def on_moved(self, kind):
        """/moved/TARGET redirects there permanently."""
        self.send(301, Location="/" + self.path.removeprefix("/moved/").lstrip("/"))

    def on_loop(self, kind):
        self.send(302, Location="/loop/b" if self.path == "/loop/a" else "/loop/a")

    def on_cookie(self, kind):
        if "seen=1" in self.headers.get("Cookie", ""):
            self.send(200, FILM)
        else:
            self.send(302, Location=self.path, Set_Cookie="seen=1; Path=/")

    def on_accent(self, kind):
        """Set a cookie that is not ASCII; without it, the redirects are a circle."""
        if "seen=" in self.headers.get("Cookie", ""):
            self.send(200, FILM)
        else:
            self.send(302, Location=self.path, Set_Cookie="seen=\u00e9; Path=/")

    def on_(self, kind):
        self.send(200, b"<title>Welcome</title>")

    def on_hang(self, kind):
        self.server.closing.wait(30)
        self.close_connection = True

    def on_drip(self, kind):
        with contextlib.suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
            while not self.server.closing.wait(0.05):
                self.wfile.write(b"a")
        self.close_connection = True

    def on_endless(self, kind):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        with contextlib.suppress(OSError):
            while self.command == "GET" and not self.server.closing.is_set():
                self.wfile.write(b"a" * 65536)
                self.server.sent += 65536
        self.close_connection = True

    def on_short(self, kind):
        """State a wrong length: the page breaks off."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "100000")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(FILM)
        self.close_connection = True

    def on_bigheaders(self, kind):
        with contextlib.suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"X-Big: " + b"a" * 8000 + b"\r\n") * 200 + b"\r\n")
        self.close_connection = True

    def on_reset(self, kind):
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.request.close()
        self.close_connection = True

    def on_junk(self, kind):
        self.wfile.write(b"220 mail.example.org ESMTP\r\n\r\n")
        self.close_connection = True


class Origin(ThreadingHTTPServer):
    """A server; `log`: (method, path). After `shut_after` requests it goes down.

    `everything`: a kind that all paths have; `behaviour`: a function that responds in place of all kinds.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 200

    def __init__(self, host="127.0.0.1", *, everything="", behaviour=None):
        super().__init__((host, 0), Handler)
        self.behaviour = behaviour
        self.log, self.sockets, self.everything, self.sent = [], set(), everything, 0
        self.closing, self.shut_after, self.turn_after = threading.Event(), None, None
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def url(self, path):
        host, port = self.server_address[:2]
        return f"http://{host}:{port}/{path}"

    def asked(self, handler):
        if self.shut_after is not None and len(self.log) > self.shut_after:
            self.go_down()
            raise ConnectionAbortedError
        if self.turn_after is not None and len(self.log) > self.turn_after[0]:
            self.everything = self.turn_after[1]

    def go_down(self):
        """Refuse connections from now on, and break the open ones."""
        self.closing.set()
        self.socket.close()
        for one in list(self.sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        # On a closed socket its loop would turn without a pause, and take the time of what is tested.
        self.shutdown()

    def handle_error(self, request, client_address):
        pass

    def __exit__(self, *args):
        self.go_down()


def wait_for(condition, seconds=20.0):
    """Poll until the condition is true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not become true"
        time.sleep(0.01)
