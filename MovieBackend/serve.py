"""Run everything with one command, `make run`, until Ctrl-C.

The first start creates `var/env` with a secret key, the database, the static files, and the demo catalogue unless the
site is a public one. Then the example site and the web server run as child processes until one of them ends or a signal
arrives.
"""

from __future__ import annotations

import hashlib
import io
import ipaddress
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import IO
from urllib.error import URLError
from urllib.parse import urlsplit

import django
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from MovieBackend.child_processes import end_with
from MovieBackend.private_files import start_private, tighten_and_report
from streaming import file_locks

ROOT = Path(__file__).resolve().parent.parent
DEMO_CATALOGUE = ROOT / "streaming" / "data" / "demo_catalogue.jsonl"
SHUTDOWN_TIMEOUT_SECONDS = 10.0
START_TIMEOUT_SECONDS = 300.0
RESTART_SECONDS = 30.0
MAX_LOG_BYTES = 1024 * 1024
WILDCARD_HOSTS = ("0.0.0.0", "::")  # noqa: S104  values that HOST may have, not a default
WORKER_CLASS = "MovieBackend.web_worker.BufferedWorker"
# Endings of names that no public name server knows; a name without a dot is one too.
LOCAL_ENDINGS = (".localhost", ".local", ".lan", ".internal", ".home.arpa")
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StartupError(Exception):
    """Why the server cannot start, in one sentence."""


def main() -> int:
    """Prepare, run and stop; print one line and return 1 if it cannot start."""
    for number in STOP_SIGNALS:
        signal.signal(number, _on_signal)
    start_private()
    try:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "MovieBackend.settings")
        folder = Path(os.environ.get("VAR_DIR") or ROOT / "var")
        # A second start at the same time waits until the first serves, and then finds its port in use.
        with file_locks.exclusive_lock(folder / "start.lock", timeout=START_TIMEOUT_SECONDS):
            _make_env_file(folder)
            django.setup()
            children = _start_servers()
        return _run(children)
    except (StartupError, CommandError, ImproperlyConfigured, OSError) as error:
        print(f"openreel: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nOpenreel has stopped.", flush=True)
        return 0


def _on_signal(number: int, frame: object) -> None:
    for other in STOP_SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise KeyboardInterrupt


def _make_env_file(folder: Path) -> None:
    """Write `var/env` for server, cron and command line, unless SECRET_KEY is set there or in the environment, where
    SECRET_KEY_FILE may name a file with it instead.

    A file without it, such as one with settings of the operator's, gets one added.
    """
    file = Path(os.environ.get("ENV_FILE") or folder / "env").resolve()
    has_key = os.environ.get("SECRET_KEY") or os.environ.get("SECRET_KEY_FILE")
    if has_key or (file.exists() and not file.is_file()):
        return
    present = file.read_bytes() if file.exists() else b""
    if re.search(rb"^[ \t]*(?:export[ \t]+)?SECRET_KEY(?:_FILE)?[ \t]*=[ \t]*[\"']?[^\s\"'#]", present, re.MULTILINE):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all: without its key a file that a full disk has cut would stop each later start.
    new = file.with_name(f"{file.name}.new")
    with open(file_locks.open_private(new, os.O_WRONLY | os.O_TRUNC), "wb") as out:
        out.write(present + _new_settings(is_first=not present.strip()).encode())
        out.flush()
        os.fsync(out.fileno())
    os.replace(new, file)


def _new_settings(*, is_first: bool) -> str:
    """The lines to add to an env file; an empty one gets the address of the example site, too."""
    key = f"SECRET_KEY={secrets.token_urlsafe(50)}"
    if not is_first:
        return f"\n{key}\n"
    site = (
        os.environ.get("EXAMPLE_SITE_URL") or f"http://127.0.0.1:{_port_or_default(os.environ.get('PORT', '8000')) + 1}"
    )
    lines = [
        "# Settings of this installation for server, cron and command line; environment variables take precedence.",
        key,
        f"EXAMPLE_SITE_URL={site}",
        f"ALLOW_PRIVATE_HOSTS={os.environ.get('ALLOW_PRIVATE_HOSTS') or urlsplit(site).netloc}",
    ]
    return "\n".join(lines) + "\n"


def _port_or_default(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 8000


def _start_servers() -> list[subprocess.Popen[bytes]]:
    """Prepare, start example site and web server, and wait until they respond; raises StartupError."""
    site = urlsplit(settings.EXAMPLE_SITE_URL)
    own_site = site.hostname in ("127.0.0.1", "localhost") and "example" in settings.SOURCES
    _require_free_port(settings.HOST, settings.PORT, "PORT")
    if own_site:
        _require_free_port("127.0.0.1", site.port or 80, "EXAMPLE_SITE_URL")
    _prepare()
    print("Starting the servers ...", flush=True)
    # One that a killed server left behind would run jobs with the code of then.
    _stop_supervisor()
    children = []
    try:
        if own_site:
            children.append(_start("-m", "scraper.example_site", "--port", str(site.port or 80)))
        children.append(_start("-m", "gunicorn", *_gunicorn_options(), "MovieBackend.wsgi"))
        _wait_until_ready(children)
    except BaseException:
        _terminate(children)
        raise
    return children


def _run(children: Sequence[subprocess.Popen[bytes]]) -> int:
    """Run until a signal arrives or a child ends; 1 in that case."""
    schedule: list[subprocess.Popen[bytes]] = []
    try:
        if not settings.CELERY_BROKER_URL:
            # Otherwise the first scrape would wait for its start.
            call_command("scrape_worker", wake=True)
        if settings.SCHEDULE:
            print("Links are checked every hour; see /health/ (SCHEDULE=off leaves that to cron)", flush=True)
        return _wait(children, schedule)
    finally:
        _terminate([*children, *schedule])
        _stop_supervisor()


def _stop_supervisor() -> None:
    call_command("scrape_worker", stop=True, stdout=io.StringIO())


def _require_free_port(host: str, port: int, variable: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StartupError(
                f"{host}:{port} cannot be used ({error.strerror}): stop what uses it, or set {variable} to another port"
            ) from None


def _prepare() -> None:
    tighten_and_report(settings.VAR_DIR, str(settings.DATABASES["default"]["NAME"]))
    print("Migrating the database ...", flush=True)
    call_command("migrate", interactive=False, verbosity=0)
    if not apps.get_model("streaming", "Movie").objects.exists():
        _fill_catalogue()
    _collect_static()


def _fill_catalogue() -> None:
    """Load the demo catalogue, which belongs to the example site: never into a site that is public or has none."""
    if "example" in settings.SOURCES and not settings.BEHIND_HTTPS and all(map(_is_local_name, settings.ALLOWED_HOSTS)):
        print("Loading the demo catalogue ...", flush=True)
        call_command("import_catalogue", str(DEMO_CATALOGUE))
    else:
        print("The catalogue is empty: import_catalogue and discover of manage.py fill it", flush=True)


def _is_local_name(host: str) -> bool:
    """Whether this name or address, as in ALLOWED_HOSTS, means this machine or its network; `*` could be any."""
    name = host.strip("[]").lower()
    try:
        return ipaddress.ip_address(name).is_private
    except ValueError:
        return name != "*" and ("." not in name or name.endswith(LOCAL_ENDINGS))


def _collect_static() -> None:
    """Hash and compress the static files, which takes seconds, unless they are unchanged."""
    stamp, fingerprint = settings.STATIC_ROOT.with_suffix(".stamp"), _static_fingerprint()
    if settings.STATIC_ROOT.exists() and stamp.exists() and stamp.read_text() == fingerprint:
        return
    stamp.unlink(missing_ok=True)  # Whatever ends this half-way, the next start collects them again.
    print("Compressing the static files ...", flush=True)
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.write_text(fingerprint)


def _static_fingerprint() -> str:
    own = sorted(file for file in (ROOT / "static").rglob("*") if file.is_file())
    parts = [f"{file.relative_to(ROOT)} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in own]
    parts.append((ROOT / "requirements.txt").read_text())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _gunicorn_options() -> Sequence[str]:
    host = f"[{settings.HOST}]" if ":" in settings.HOST else settings.HOST
    return (
        f"--bind={host}:{settings.PORT}",
        f"--worker-class={WORKER_CLASS}",
        f"--workers={settings.WEB_WORKERS}",
        f"--threads={settings.WEB_THREADS}",
        "--preload",
        "--no-control-socket",
        "--log-level=warning",
        "--graceful-timeout=5",
    )


def _start(*words: str, output: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    # In a session of its own, so that Ctrl-C reaches only this process, which then stops its children in order.
    # It ends with this process, or a killed server would go on serving the code of then.
    return subprocess.Popen(  # noqa: S603  our own command
        [sys.executable, *words],
        cwd=ROOT,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=end_with(os.getpid()),
    )


def _start_schedule() -> list[subprocess.Popen[bytes]]:
    """Start what cron would do, unless SCHEDULE is off. Its output is in `var/schedule.log`."""
    if not settings.SCHEDULE:
        return []
    path = settings.VAR_DIR / "schedule.log"
    flags = os.O_WRONLY | os.O_APPEND
    if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
        flags |= os.O_TRUNC
    with open(file_locks.open_private(path, flags), "ab") as output:
        return [_start("manage.py", "run_schedule", output=output)]


def _wait_until_ready(children: Sequence[subprocess.Popen[bytes]]) -> None:
    host = "127.0.0.1" if settings.HOST in WILDCARD_HOSTS else settings.HOST
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.PORT}/"
    deadline = time.monotonic() + 6 * SHUTDOWN_TIMEOUT_SECONDS
    while not _is_responding(f"{url}healthz"):
        if time.monotonic() > deadline or any(child.poll() is not None for child in children):
            raise StartupError("the web server did not start; see its messages above")
        time.sleep(0.05)
    print(f"Openreel is at {url} (Ctrl-C stops it)", flush=True)


def _is_responding(url: str) -> bool:
    try:
        # By a loopback name, which ALLOWED_HOSTS does not have to contain.
        request = urllib.request.Request(url, headers={"Host": "127.0.0.1"})  # noqa: S310  # our own address
        with urllib.request.urlopen(request, timeout=2):  # noqa: S310
            return True
    except (URLError, OSError):
        return False


def _wait(children: Sequence[subprocess.Popen[bytes]], schedule: list[subprocess.Popen[bytes]]) -> int:
    """Wait until a child ends. The schedule, kept in that list, is started again if it ends: the site does without."""
    next_start = time.monotonic()
    while all(child.poll() is None for child in children):
        if all(process.poll() is not None for process in schedule) and time.monotonic() >= next_start:
            schedule[:] = _start_schedule()
            next_start = time.monotonic() + RESTART_SECONDS
        time.sleep(0.2)
    return 1


def _terminate(children: Sequence[subprocess.Popen[bytes]]) -> None:
    for child in reversed(children):
        child.terminate()
    deadline = time.monotonic() + SHUTDOWN_TIMEOUT_SECONDS
    for child in children:
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


if __name__ == "__main__":
    sys.exit(main())
