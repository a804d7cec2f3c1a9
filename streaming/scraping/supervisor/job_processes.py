"""Run each job in a process of its own: forked with everything imported, or spawned where forking is not possible.

A job process has its own session, so that its descendants can be killed with it, its own database connection, and an
unnamed log file that only its supervisor reads. All it is given is the job's id.
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
from setproctitle import setproctitle

from streaming import file_locks
from streaming.models.job import MAX_LOG_BYTES

# RLIMIT_FSIZE would also limit the SQLite file, where a write beyond the limit fails with "disk I/O error". So the
# supervisor checks the size of the log and stops a job that writes too much.
MAX_LOG_FILE_BYTES = 4 * 1024 * 1024
PR_SET_PDEATHSIG = 1
CAN_FORK = sys.platform == "linux"
NICE_INCREMENT = 5

# What `ps aux | grep scrapy` lists.
SUPERVISOR_TITLE = "openreel: scrapy supervisor"
JOB_TITLE = "openreel: scrapy job {job_id}"

JobCallable = Callable[[int], object]


class JobProcess(Protocol):
    """A running job.

    `poll` returns the exit status once (below 0: the signal that killed it), None while the process runs; `wait` sleeps
    until it ends, at most `seconds`; `stop` sends TERM, or KILL if `hard`.
    """

    log: IO[bytes]

    def poll(self) -> int | None: ...

    def stop(self, *, hard: bool) -> None: ...

    def wait(self, seconds: float) -> None: ...


def worker_command() -> list[str]:
    """Return the command that starts `manage.py scrape_worker` faster."""
    return [sys.executable, "-m", "MovieBackend.worker"]


def new_log() -> IO[bytes]:
    """Open an unnamed file, so that its space is freed however the supervisor ends."""
    file_locks.create_folder(settings.SCRAPE_DIR)
    return tempfile.TemporaryFile(dir=settings.SCRAPE_DIR)


def exceeds_log_limit(process: JobProcess) -> bool:
    """Whether the process wrote more than MAX_LOG_FILE_BYTES."""
    return os.fstat(process.log.fileno()).st_size > MAX_LOG_FILE_BYTES


def read_log(process: JobProcess) -> bytes:
    """Return the end of the log and delete it."""
    with process.log as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - 2 * MAX_LOG_BYTES))
        return file.read(2 * MAX_LOG_BYTES)


def exit_with_parent(parent: int) -> None:
    """Let the kernel kill this process when its parent dies, so that no job runs twice (Linux only)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the call
        os.kill(os.getpid(), signal.SIGKILL)


def fork_process(job_id: int, *, job_callable: JobCallable, closing: Callable[[], None]) -> ForkedProcess:
    """Run the callable in a fork of this process. `closing` releases what the fork must not keep (lock, FIFO)."""
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
        setproctitle(JOB_TITLE.format(job_id=job_id))
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
    """A job in a fork of this process."""

    def __init__(self, pid: int, log: IO[bytes]) -> None:
        self.pid, self.log = pid, log

    def poll(self) -> int | None:
        # Not reaped yet, so its pid is still its own: kill what it left running in its process group.
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
    """Run the job in a new Python process: slower to start, but works everywhere."""
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
    """A job in a new Python process."""

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
        except ProcessLookupError:  # it has no session of its own yet
            os.kill(pid, number)


def run_in_process(job_id: int, *, job_callable: JobCallable, parent: int) -> None:
    """Run the job in this spawned process."""
    exit_with_parent(parent)
    setproctitle(JOB_TITLE.format(job_id=job_id))
    if hasattr(os, "nice"):
        os.nice(NICE_INCREMENT)
    job_callable(job_id)
