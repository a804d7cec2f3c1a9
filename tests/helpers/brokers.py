"""Redis and RabbitMQ servers for tests: separate processes with their own ports and folders that can be killed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.external_services import skip_or_fail
from tests.helpers.http_servers import free_port

RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


class Broker:
    """One broker; after a restart its messages are still there (RabbitMQ) or gone (Redis)."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder, self.port = kind, folder, free_port()
        self.process: subprocess.Popen[bytes] | None = None
        if self.binary() is None:
            skip_or_fail(f"no {kind} here (apt-get install {kind}-server)")

    def binary(self) -> str | None:
        if self.kind == "redis":
            return shutil.which("redis-server")
        return str(RABBITMQ) if RABBITMQ.exists() else None

    @property
    def url(self) -> str:
        if self.kind == "redis":
            return f"redis://127.0.0.1:{self.port}/0"
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self) -> None:
        command, environment = [self.binary()], dict(os.environ)
        if self.kind == "redis":
            command += ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        else:
            environment |= self._rabbitmq_environment()
        with (self.folder / "broker.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        end = time.monotonic() + 60
        while not self._is_ready():
            assert time.monotonic() < end, (self.folder / "broker.log").read_text()
            assert self.process.poll() is None, (self.folder / "broker.log").read_text()
            time.sleep(0.05)

    def _rabbitmq_environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": f"openreel{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self.folder),
            "RABBITMQ_LOG_BASE": str(self.folder),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "none"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1",
        }

    def _is_ready(self) -> bool:
        """Whether it speaks its protocol; RabbitMQ listens before it accepts connections."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
                probe.sendall(b"PING\r\n" if self.kind == "redis" else b"AMQP\x00\x00\x09\x01")
                return bool(probe.recv(8))
        except OSError:
            return False

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Freeze the broker: its connections stay open, but it does not respond."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.process.pid, signal.SIGCONT)

    def kill(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
            self.process = None
