"""The origin farm of the timings: compiled, given certificates, started, asked what it saw, ended.

Everything it needs is a C compiler; without OpenSSL (its headers and its program) it speaks http alone.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.instance import ROOT, listens, wait_until
from bench.lists import HOSTS, Ports
from tests.helpers.http_servers import free_port

SOURCES = ROOT / "bench"
OPEN = urllib.request.build_opener(urllib.request.ProxyHandler({}))
TLS_HEADERS = "#include <openssl/ssl.h>\nint main(void) { return SSL_CTX_new(TLS_server_method()) == 0; }\n"


@dataclass(frozen=True, slots=True)
class Stats:
    """What the farm saw since it last forgot.

    At one host: `most_answering` requests in the making at once, `most_hanging` left hanging at once (for more than a
    second or for ever), `most_open` connections. `longest_ms`: how long a client stayed with one request.
    """

    requests: int
    head: int
    get: int
    connections: int
    handshakes: int
    hosts: int
    most_answering: int
    most_hanging: int
    most_open: int
    longest_ms: int


@dataclass(frozen=True, slots=True)
class Farm:
    """A farm that runs; `ca` is what its certificates are to be trusted by, None: it speaks http alone."""

    ports: Ports
    ca: Path | None

    def stats(self) -> Stats:
        return Stats(**self._asked("stats"))

    def forget(self) -> None:
        self._asked("reset")

    def _asked(self, what: str) -> dict[str, int]:
        with OPEN.open(f"http://127.0.0.1:{self.ports.http}/-/{what}", timeout=10) as answer:
            reply: dict[str, int] = json.load(answer)
            return reply


def missing() -> str:
    """What stands in the way of any farm, in one sentence; empty: nothing."""
    if not sys.platform.startswith("linux"):
        return "the farm needs Linux, where every 127.0.0.x is this machine: nothing is measured"
    if shutil.which("gcc"):
        return ""
    return "no C compiler, in which the farm is written (apt-get install gcc libssl-dev): nothing is measured"


def missing_for_tls() -> str:
    """What stands in the way of https."""
    if shutil.which("openssl") is None:
        return "no openssl, which makes the farm's certificates (apt-get install openssl): https is left out"
    with tempfile.TemporaryDirectory(prefix="openreel-tls-") as folder:
        source = Path(folder) / "tls.c"
        source.write_text(TLS_HEADERS)
        output = subprocess.run(
            ["gcc", source, "-o", f"{folder}/tls", "-lssl", "-lcrypto"], capture_output=True, check=False
        )
    return "no headers of OpenSSL (apt-get install libssl-dev): https is left out" if output.returncode else ""


def compiled(source: str, folder: Path, *flags: str) -> Path:
    program = folder / Path(source).stem
    subprocess.run(["gcc", "-O2", "-o", program, SOURCES / source, *flags], check=True)
    return program


@contextmanager
def running(folder: Path, *, hosts: int = HOSTS, tls: bool = True) -> Iterator[Farm]:
    """A farm on free ports, with one port beside at which surely nobody listens."""
    program = compiled("farm.c", folder, *(["-lssl", "-lcrypto"] if tls else ["-DWITHOUT_TLS"]))
    with closing(socket.socket()) as taken:
        taken.bind(("", 0))  # Bound and never listening: connections to it are refused.
        refused = taken.getsockname()[1]
        ports = Ports(free_port(), free_port() if tls else 0, free_port() if tls else 0, refused)
        port_numbers: list[str | Path] = [str(ports.http)]
        if tls:
            make_certificates(folder, hosts)
            port_numbers += [str(ports.https), folder / "farm.pem", folder / "farm.key"]
            port_numbers += [str(ports.self_signed), folder / "self.pem", folder / "self.key"]
        process = subprocess.Popen([program, str(hosts), *port_numbers])
        try:
            wait_until(lambda: process.poll() is not None or listens(ports.http))
            yield Farm(ports, folder / "ca.pem" if tls else None)
        finally:
            process.terminate()
            process.wait(10)


def make_certificates(folder: Path, hosts: int) -> None:
    """An authority, a certificate of its for all hosts, and one that nobody signed."""
    names = ",".join([f"IP:127.0.0.{number}" for number in range(1, hosts + 1)])
    for_all = ["-addext", f"subjectAltName={names}", "-addext", "basicConstraints=critical,CA:FALSE"]
    _certificate(folder, "ca", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    _certificate(folder, "farm", *for_all, "-CA", str(folder / "ca.pem"), "-CAkey", str(folder / "ca.key"))
    _certificate(folder, "self", *for_all)


def _certificate(folder: Path, name: str, *more: str) -> None:
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
        "-subj", f"/CN=openreel bench {name}", "-keyout", f"{name}.key", "-out", f"{name}.pem", *more,
    ]  # fmt: skip
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
