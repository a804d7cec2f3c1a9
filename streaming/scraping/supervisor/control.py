"""The doorbell: wake this machine's supervisor, or start one when there is none; or ring wherever `SCRAPE_NOTIFIER` says.
The job's row is the job; a bell that is lost, late or rung twice does no harm."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from streaming import file_locks
from streaming.scraping.supervisor import wakeup
from streaming.scraping.supervisor.job_processes import worker_command

log = logging.getLogger(__name__)


MAX_LOG_BYTES = 1024 * 1024


def lock_path() -> Path:
    return Path(settings.SCRAPE_DIR) / "supervisor.lock"


def wakeup_path() -> Path:
    return Path(settings.SCRAPE_DIR) / "bell"


def log_path() -> Path:
    return Path(settings.SCRAPE_DIR) / "supervisor.log"


def notify_local(job_id: int) -> None:
    """The bell of the embedded engine; its supervisor looks at the queue itself, so it need not know which job."""
    ensure_supervisor()


def ensure_supervisor() -> None:
    """Make sure that this machine's supervisor looks at the queue soon."""
    if wakeup.send_wakeup(wakeup_path()):
        return
    try:
        lock = file_locks.try_lock(lock_path())
        if lock is not None:
            with lock:
                _start_supervisor(lock)
        # Held without a bell: one is just starting or just leaving, and either looks at the queue once more.
    except (OSError, subprocess.CalledProcessError) as error:  # the latter: the shell had no process to spare
        log.error("no supervisor could be started: %s", error)


def _start_supervisor(lock: IO[str]) -> None:
    """Start a supervisor that is nobody's child. It inherits the lock, so that of many who ring only one starts one."""
    command = [*worker_command(), "--lock", str(lock.fileno())]
    with _open_log() as output:
        if sys.platform == "win32":
            lock.close()
            subprocess.Popen(  # noqa: S603  our own command
                [*worker_command(), "--embedded"],
                cwd=settings.BASE_DIR,
                env=_supervisor_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                creationflags=subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP,
            )
            return
        # The shell leaves at once and is reaped here; what it has put in the background belongs to init.
        subprocess.run(  # noqa: S603  our own command, and a number
            ["/bin/sh", "-c", '"$@" &', "sh", *command],
            check=True,
            cwd=settings.BASE_DIR,
            env=_supervisor_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[lock.fileno()],
            start_new_session=True,
        )


def _open_log() -> IO[bytes]:
    path = log_path()
    flags = os.O_WRONLY | os.O_APPEND
    if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
        flags |= os.O_TRUNC
    return open(file_locks.open_private(path, flags), "ab")


def _supervisor_environment() -> dict[str, str]:
    """Ours, and in full what the supervisor would else read relative to where it stands."""
    environment = {**os.environ, "SCRAPE_DIR": str(Path(settings.SCRAPE_DIR).resolve())}
    if connection.vendor == "sqlite":
        environment["DATABASE_URL"] = f"sqlite:///{quote(str(Path(connection.settings_dict['NAME']).resolve()))}"
    return environment


def stop_supervisor(*, seconds: float = 10.0) -> int | None:
    """Let this machine's supervisor hand its jobs back and leave; its process id, None when there was none."""
    end = time.monotonic() + seconds
    pid = _supervisor_pid(until=end)
    if pid is None:
        return None
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    while file_locks.holder_pid(lock_path()) == pid and time.monotonic() < end:
        time.sleep(0.05)
    return pid


def _supervisor_pid(*, until: float) -> int | None:
    """Its process id. One that is only just starting holds the lock and has not signed it yet: it is waited for."""
    while (
        (pid := file_locks.holder_pid(lock_path())) is None
        and file_locks.is_locked(lock_path())
        and time.monotonic() < until
    ):
        time.sleep(0.02)
    return pid
