"""Compiles, starts and stops the origin farm (`farm.c`), a server that plays many web hosts, and reads its statistics.

It needs a C compiler. Without OpenSSL (headers and program) the farm serves http only.
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
    """The statistics of the farm since the last reset.

    `most_answering`, `most_hanging` and `most_open` are maximums for one host at a time: requests in progress, requests
    left hanging (for more than a second or for ever) and connections. `longest_ms` is the longest time that a client
    waited for one response.
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
    """A running farm. `ca` is the file of its certificate authority; None if it serves http only."""

    ports: Ports
    ca: Path | None

    def stats(self) -> Stats:
        """Read the statistics."""
        return Stats(**self._request("stats"))

    def reset(self) -> None:
        """Set all statistics to zero."""
        self._request("reset")

    def _request(self, name: str) -> dict[str, int]:
        with OPEN.open(f"http://127.0.0.1:{self.ports.http}/-/{name}", timeout=10) as response:
            values: dict[str, int] = json.load(response)
            return values


def missing() -> str:
    """Return why the farm cannot run here, as one sentence; empty if it can."""
    if not sys.platform.startswith("linux"):
        return "the farm needs Linux, where all addresses 127.0.0.x are local: nothing is measured"
    if shutil.which("gcc"):
        return ""
    return "no C compiler for the farm (apt-get install gcc libssl-dev): nothing is measured"


def missing_for_tls() -> str:
    """Return why the farm cannot serve https here, as one sentence; empty if it can."""
    if shutil.which("openssl") is None:
        return "no openssl to create certificates (apt-get install openssl): https is left out"
    with tempfile.TemporaryDirectory(prefix="openreel-tls-") as folder:
        source = Path(folder) / "tls.c"
        source.write_text(TLS_HEADERS)
        output = subprocess.run(
            ["gcc", source, "-o", f"{folder}/tls", "-lssl", "-lcrypto"], capture_output=True, check=False
        )
    return "no headers of OpenSSL (apt-get install libssl-dev): https is left out" if output.returncode else ""


def compile_program(source: str, folder: Path, *flags: str) -> Path:
    """Compile a C file of this folder into `folder`; return the program."""
    program = folder / Path(source).stem
    subprocess.run(["gcc", "-O2", "-o", program, SOURCES / source, *flags], check=True)
    return program


@contextmanager
def running(folder: Path, *, hosts: int = HOSTS, tls: bool = True) -> Iterator[Farm]:
    """Run a farm on free ports, with one more port that refuses connections."""
    program = compile_program("farm.c", folder, *(["-lssl", "-lcrypto"] if tls else ["-DWITHOUT_TLS"]))
    with closing(socket.socket()) as unused:
        unused.bind(("", 0))  # Bound but not listening: connections are refused.
        refused = unused.getsockname()[1]
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
    """Create a certificate authority, its certificate for all hosts, and a self-signed one."""
    names = ",".join([f"IP:127.0.0.{number}" for number in range(1, hosts + 1)])
    extensions = ["-addext", f"subjectAltName={names}", "-addext", "basicConstraints=critical,CA:FALSE"]
    _certificate(folder, "ca", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    _certificate(folder, "farm", *extensions, "-CA", str(folder / "ca.pem"), "-CAkey", str(folder / "ca.key"))
    _certificate(folder, "self", *extensions)


def _certificate(folder: Path, name: str, *options: str) -> None:
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
        "-subj", f"/CN=openreel bench {name}", "-keyout", f"{name}.key", "-out", f"{name}.pem", *options,
    ]  # fmt: skip
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
