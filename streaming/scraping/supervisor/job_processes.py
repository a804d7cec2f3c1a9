"""One process a job: forked from the supervisor with all imports warm, or spawned where forking is not to be had.

A child has its own session, so that all it starts can be killed with it, its own database connection, an unnamed log
file that only its supervisor can read, and knows nothing but the job's number.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Protocol

from django.conf import settings
from django.db import connections

from streaming.models.job import MAX_LOG_BYTES

# A limit on file sizes (RLIMIT_FSIZE) would hit the SQLite file as well: a write behind the limit fails with "disk I/O
# error". So the supervisor looks at the log's size and ends a child that writes too much.
MAX_LOG_FILE_BYTES = 4 * 1024 * 1024
PR_SET_PDEATHSIG = 1
CAN_FORK = sys.platform == "linux"
NICE_INCREMENT = 5

JobCallable = Callable[[int], object]


class JobProcess(Protocol):
    """A running job. `ended` answers its exit status once (below 0: the signal), None while it runs; until then `wait`
    sleeps, so long at most."""

    log: IO[bytes]

    def poll(self) -> int | None: ...

    def stop(self, *, hard: bool) -> None: ...

    def wait(self, seconds: float) -> None: ...


def worker_command() -> list[str]:
    """`manage.py scrape_worker`, started more quickly."""
    return [sys.executable, "-m", "MovieBackend.worker"]


def new_log() -> IO[bytes]:
    """A file without a name: mode 0600, and its room is free again however the supervisor ends."""
    settings.SCRAPE_DIR.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=settings.SCRAPE_DIR)


def exceeds_log_limit(child: JobProcess) -> bool:
    return os.fstat(child.log.fileno()).st_size > MAX_LOG_FILE_BYTES


def read_log(child: JobProcess) -> bytes:
    """The end of what the child wrote; the file is gone afterwards."""
    with child.log as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - 2 * MAX_LOG_BYTES))
        return file.read(2 * MAX_LOG_BYTES)


def exit_with_parent(parent: int) -> None:
    """Let the kernel kill this process when its parent dies, so that a job is never run by two (Linux only)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        os.kill(os.getpid(), signal.SIGKILL)


def fork_process(job_id: int, *, job_callable: JobCallable, closing: Callable[[], None]) -> ForkedProcess:
    """Run the deed in a copy of this process. `closing` drops what the copy must not keep (lock, bell)."""
    connections.close_all()
    log, parent = new_log(), os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return ForkedProcess(pid, log)
    code = 1
    try:
        os.setsid()
        exit_with_parent(parent)
        _prepare_child(log, closing)
        job_callable(job_id)
        code = 0
    except BaseException:  # noqa: BLE001  the traceback goes to the job's log, the status to the supervisor
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _prepare_child(log: IO[bytes], closing: Callable[[], None]) -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    closing()
    os.nice(NICE_INCREMENT)


class ForkedProcess:
    """A copy of the supervisor."""

    def __init__(self, pid: int, log: IO[bytes]) -> None:
        self.pid, self.log = pid, log

    def poll(self) -> int | None:
        # Looked at before it is reaped: while its number is still its own, what it left running is killed by it.
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def stop(self, *, hard: bool) -> None:
        _signal_group(self.pid, hard=hard)

    def wait(self, seconds: float) -> None:
        descriptor = os.pidfd_open(self.pid)
        try:
            select.select([descriptor], [], [], max(0.0, seconds))
        finally:
            os.close(descriptor)


def spawn_process(job_id: int) -> SpawnedProcess:
    """Run the job in a fresh Python: slower to start, but works everywhere."""
    log = new_log()
    command = [*worker_command(), "--job", str(int(job_id)), "--parent", str(os.getpid())]
    process = subprocess.Popen(  # noqa: S603  our own command, and a number
        command,
        cwd=settings.BASE_DIR,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    return SpawnedProcess(process, log)


class SpawnedProcess:
    """A process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
        self.process, self.log = process, log

    def poll(self) -> int | None:
        return self.process.poll()

    def stop(self, *, hard: bool) -> None:
        if sys.platform == "win32":
            self.process.kill()
        else:
            _signal_group(self.process.pid, hard=hard)

    def wait(self, seconds: float) -> None:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.0, seconds))


def _signal_group(pid: int, *, hard: bool) -> None:
    number = signal.SIGKILL if hard else signal.SIGTERM
    with suppress(ProcessLookupError):
        try:
            os.killpg(pid, number)
        except ProcessLookupError:  # it has not made its own session yet
            os.kill(pid, number)


def run_in_process(job_id: int, *, job_callable: JobCallable, parent: int) -> None:
    """What a spawned child does."""
    exit_with_parent(parent)
    if hasattr(os, "nice"):
        os.nice(NICE_INCREMENT)
    job_callable(job_id)
