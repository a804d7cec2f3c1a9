"""A PostgreSQL server of its own on loopback, which can be restarted without disturbing anybody."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.helpers.http_servers import free_port

MISSING = "PostgreSQL is not installed: its rows are left out (apt-get install postgresql)"
SERVER_USER = "postgres"


class Cluster:
    """One server with an empty database; it refuses to run as root, so root runs it as the user `postgres`."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.folder, self.binaries, self.port = folder, binaries, free_port()

    @property
    def url(self) -> str:
        return f"postgres://{SERVER_USER}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        self.folder.mkdir()
        self.folder.chmod(0o700)
        if os.geteuid() == 0:
            shutil.chown(self.folder, SERVER_USER)
        self._run("initdb", "-D", str(self.folder / "data"), "-U", SERVER_USER, "--auth=trust", "--no-sync")
        self._control("start")

    def restart(self) -> None:
        """Restart at once, as after a power cut: all connections are gone and the log is replayed."""
        self._control("restart", "-m", "immediate")

    def stop(self) -> None:
        self._control("stop", "-m", "immediate")

    def _control(self, *words: str) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", log, "-o", options, *words)

    def _run(self, program: str, *words: str) -> None:
        command = [str(self.binaries / program), *words]
        if os.geteuid() == 0:
            command = ["setpriv", f"--reuid={SERVER_USER}", f"--regid={SERVER_USER}", "--clear-groups", *command]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


def find_binaries() -> Path | None:
    """Return the folder of the newest PostgreSQL's programs, None if there is none."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    return folders[-1].parent if folders else None
