"""Start, wake and stop this machine's supervisor.

Notifications may be lost, late or repeated without harm: the supervisor finds its jobs in the database.
"""

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

from django.conf import settings

from streaming import file_locks
from streaming.child_environment import child_environment
from streaming.scraping.supervisor import wakeup
from streaming.scraping.supervisor.job_processes import worker_command

log = logging.getLogger(__name__)

MAX_SUPERVISOR_LOG_BYTES = 1024 * 1024


def lock_path() -> Path:
    return Path(settings.SCRAPE_DIR) / "supervisor.lock"


def wakeup_path() -> Path:
    return Path(settings.SCRAPE_DIR) / "wakeup"


def log_path() -> Path:
    return Path(settings.SCRAPE_DIR) / "supervisor.log"


def notify_local(job_id: int) -> None:
    """Make this machine run the job; the `SCRAPE_NOTIFIER` without Celery. Any supervisor finds the job by itself."""
    ensure_supervisor()


def ensure_supervisor() -> None:
    """Wake this machine's supervisor, or start one; never raises."""
    if wakeup.send_wakeup(wakeup_path()):
        return
    try:
        lock = file_locks.try_lock(lock_path())
        if lock is not None:
            with lock:
                _start_supervisor(lock)
        # Locked without a FIFO: a supervisor is starting or stopping, and checks for jobs once more in either case.
    except (OSError, subprocess.CalledProcessError) as error:  # CalledProcessError: the shell could not fork
        log.error("no supervisor could be started: %s", error)


def _start_supervisor(lock: IO[str]) -> None:
    """Start a detached supervisor that inherits the lock, so that concurrent notifications start only one."""
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
        # The shell exits at once and is reaped here; its background process becomes a child of init.
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
    if path.exists() and path.stat().st_size > MAX_SUPERVISOR_LOG_BYTES:
        flags |= os.O_TRUNC
    return open(file_locks.open_private(path, flags), "ab")


def _supervisor_environment() -> dict[str, str]:
    """Return our environment with absolute paths, because the supervisor has another working directory."""
    return {**child_environment(), "SCRAPE_DIR": str(Path(settings.SCRAPE_DIR).resolve())}


def stop_supervisor(*, seconds: float = 10.0) -> int | None:
    """Let this machine's supervisor requeue its jobs and stop, within `seconds`; return its pid, None without one."""
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
    """Return the supervisor's pid, None without one; one that is starting locks the file before it writes its pid."""
    while (
        (pid := file_locks.holder_pid(lock_path())) is None
        and file_locks.is_locked(lock_path())
        and time.monotonic() < until
    ):
        time.sleep(0.02)
    return pid
