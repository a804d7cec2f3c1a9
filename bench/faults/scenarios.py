"""The faults: each works on an instance of its own and returns what was promised and what was lost."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.faults.ledger import Ledger
from bench.faults.postgres import Cluster
from bench.instance import Instance, wait_until
from streaming.file_locks import holder_pid
from tests.helpers.process_info import children_of

SEED = 20_261_128
FULL_DISK_MEGABYTES = 24
VICTIM_SECONDS = 15.0
OUT_OF_MEMORY_BYTES = 1 << 20
CHECKED_FILMS = 1000
IMPORTED_FILMS = 10_000
FIRST_NUMBER = 10_001
CHECK = ("check_link_health", "--no-prune", "--force")
COUNTS = """
import django
django.setup()
import json
from django.db.models import Count
from streaming.models import Movie, StreamingLink
links = StreamingLink.objects
print(json.dumps({
    "movies": Movie.objects.count(),
    "links": links.count(),
    "bare": Movie.objects.annotate(n=Count("links")).filter(title__startswith="Imported", n__lt=2).count(),
    "unchecked": links.filter(last_checked=None).count(),
    "active": links.filter(is_active=True).count(),
}))
"""


@dataclass(frozen=True, slots=True)
class Result:
    """What one scenario did. `promised`: accepted clicks, or rows that commands keep; `refused`: other clicks."""

    times: int
    promised: int
    lost: int
    refused: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a scenario runs. `rounds`: how often the fault happens."""

    folder: Path
    rounds: int
    cluster: Cluster | None = None
    seed: int = SEED

    @property
    def random(self) -> random.Random:
        return random.Random(self.seed)

    @contextmanager
    def instance(self, *, latency: float = 0.3) -> Iterator[Instance]:
        """Yield a running instance with empty films, on this setting's database."""
        instance = Instance(self.folder, latency=latency)
        if self.cluster is not None:
            instance.environment["DATABASE_URL"] = self.cluster.url
        instance.open()
        try:
            yield instance
        finally:
            instance.close()


# --- processes of the web and of the scrapes
def kill_web_workers(setting: Setting) -> Result:
    """Kill one process of the web server after the other while people click."""
    with setting.instance() as instance:
        server = instance.started[-1].pid
        return _click_and_kill(setting, instance, lambda: [pid for pid, _ in children_of(server)])


def kill_supervisors(setting: Setting) -> Result:
    """Kill the supervisor of the scrapes while jobs wait and run."""
    with setting.instance() as instance:
        return _click_and_kill(setting, instance, lambda: _supervisors(instance))


def kill_jobs(setting: Setting) -> Result:
    """Kill the process of a running job."""
    with setting.instance() as instance:
        return _click_and_kill(setting, instance, lambda: _jobs(instance))


def starve_jobs(setting: Setting) -> Result:
    """Let the process of a running job get no more memory."""

    def starve(pid: int) -> None:
        resource.prlimit(pid, resource.RLIMIT_AS, (OUT_OF_MEMORY_BYTES, OUT_OF_MEMORY_BYTES))

    with setting.instance() as instance:
        return _click_and_kill(setting, instance, lambda: _jobs(instance), strike=starve)


def _click_and_kill(
    setting: Setting,
    instance: Instance,
    victims: Callable[[], list[int]],
    *,
    strike: Callable[[int], None] = lambda pid: _kill(pid),
) -> Result:
    ledger, chance, struck = Ledger(instance), setting.random, 0
    for _ in range(setting.rounds):
        ledger.clicks(4)
        time.sleep(chance.uniform(0, 0.4))
        if pids := _wait_for(victims):
            with suppress(ProcessLookupError):  # it has just ended by itself
                strike(chance.choice(pids))
                struck += 1
        ledger.clicks(2)
    return _result(ledger, struck)


def _wait_for(victims: Callable[[], list[int]]) -> list[int]:
    """Return the processes to strike, as soon as there are some; none if there are none for long."""
    end = time.monotonic() + VICTIM_SECONDS
    while not (pids := victims()) and time.monotonic() < end:
        time.sleep(0.02)
    return pids


def _result(ledger: Ledger, times: int, *, note: str = "") -> Result:
    lost = ledger.lost()
    found = f"{ledger.found()} found links"
    return Result(times, len(ledger.promised), len(lost), ledger.refused(), f"{note}, {found}" if note else found)


def _supervisors(instance: Instance) -> list[int]:
    pid = holder_pid(instance.folder / "scrape" / "supervisor.lock")
    return [pid] if pid else []


def _jobs(instance: Instance) -> list[int]:
    return [child for pid in _supervisors(instance) for child, _ in children_of(pid)]


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


# --- the database
def restart_database(setting: Setting) -> Result:
    """Restart PostgreSQL at once, as after a power cut, while people click, jobs run and links are checked."""
    assert setting.cluster is not None
    with setting.instance() as instance:
        ledger = Ledger(instance)
        for _ in range(setting.rounds):
            clicking = threading.Thread(target=ledger.clicks, args=(10,))
            clicking.start()
            check = instance.start("manage.py", "check_link_health", "--no-prune")
            time.sleep(setting.random.uniform(0.2, 1.0))
            setting.cluster.restart()
            clicking.join()
            check.wait(60)
        return _result(ledger, setting.rounds)


# --- the disk
def fill_disk(setting: Setting) -> Result:
    """Let the disk of the data folder run full while people click, and free it again."""
    return _with_small_disk(setting, lambda one: _fill(one.folder), lambda one: (one.folder / "ballast").unlink())


def make_read_only(setting: Setting) -> Result:
    """Mount the data folder read-only while people click, and writable again.

    The kernel refuses that for a disk to which files are open. So the folder is mounted a second time, on top, and the
    web server starts new processes: what is opened from now on is read-only.
    """
    return _with_small_disk(setting, _cover_read_only, _uncover, megabytes=128)


def _with_small_disk(
    setting: Setting,
    damage: Callable[[Instance], None],
    mend: Callable[[Instance], None],
    *,
    megabytes: int = FULL_DISK_MEGABYTES,
) -> Result:
    with _tmpfs(setting.folder, megabytes), setting.instance() as instance:
        ledger, broken_pages = Ledger(instance), 0
        for _ in range(setting.rounds):
            ledger.clicks(4)
            damage(instance)
            ledger.clicks(4)
            broken_pages += sum(instance.page(path)[0] >= 500 for path in ("/", "/?search=movie", "/streaming/7/"))
            mend(instance)
            ledger.clicks(2)
        return _result(ledger, setting.rounds, note=f"{broken_pages} pages answered 5xx")


@contextmanager
def _tmpfs(folder: Path, megabytes: int) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _fill(folder: Path) -> None:
    with suppress(OSError), (folder / "ballast").open("wb", buffering=0) as out:
        while True:
            out.write(bytes(4096))


def _cover_read_only(instance: Instance) -> None:
    with tempfile.TemporaryDirectory() as staged:
        # Read-only before it is in place, or somebody has opened a file in it by then.
        subprocess.run(["mount", "--bind", str(instance.folder), staged], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", staged], check=True)
        subprocess.run(["mount", "--bind", staged, str(instance.folder)], check=True)
        subprocess.run(["umount", staged], check=True)
    _replace_web_workers(instance)


def _uncover(instance: Instance) -> None:
    subprocess.run(["umount", "--lazy", str(instance.folder)], check=True)
    _replace_web_workers(instance)


def _replace_web_workers(instance: Instance) -> None:
    """Let gunicorn start new processes, and wait until the old ones, which have files open, are gone."""
    server = instance.started[-1]
    before = {pid for pid, _ in children_of(server.pid)}
    server.send_signal(signal.SIGHUP)
    wait_until(lambda: not before & {pid for pid, _ in children_of(server.pid)}, step=0.1)
    wait_until(lambda: len(children_of(server.pid)) >= len(before), step=0.1)


# --- commands
def kill_checks(setting: Setting) -> Result:
    """Kill the checker at any moment; the next run has to come to what one without a fault finds."""
    with setting.instance(latency=0.02) as instance:
        file = _catalogue(instance, CHECKED_FILMS, address=lambda film, number: _checked_url(instance, film, number))
        instance.manage("import_catalogue", str(file))
        killed = _kill_commands(setting, instance, *CHECK)
        instance.manage(*CHECK)
        counts = _counts(instance)
        working = 2 * CHECKED_FILMS - sum(_is_missing(film, 0) for film in _numbers(CHECKED_FILMS))
        lost = counts["unchecked"] + abs(counts["active"] - working)
        return Result(killed, 2 * CHECKED_FILMS, lost, note=f"{counts['active']} of {working} working links are active")


def _checked_url(instance: Instance, film: int, number: int) -> str:
    return f"{instance.site}/{'missing' if _is_missing(film, number) else 'films'}/tt{film:07d}/{number}"


def _is_missing(film: int, number: int) -> bool:
    """One link in eight is missing, fewer than make a host suspicious."""
    return number == 0 and film % 4 == 0


def kill_imports(setting: Setting) -> Result:
    """Kill an import at any moment: no film is saved in part, and the next import completes it."""
    with setting.instance() as instance:
        file = _catalogue(instance, IMPORTED_FILMS)
        killed = _kill_commands(setting, instance, "import_catalogue", str(file))
        partial = _counts(instance)["bare"]
        instance.manage("import_catalogue", str(file))
        missing = abs(_counts(instance)["links"] - 2 * IMPORTED_FILMS)
        return Result(killed, IMPORTED_FILMS, partial + missing, note=f"{partial} films in part")


def _kill_commands(setting: Setting, instance: Instance, *words: str) -> int:
    """Kill a command again and again, each time later; return how often it was running still."""
    killed, startup = 0, _startup_seconds(instance)
    for number in range(setting.rounds):
        process = instance.start("manage.py", *words)
        time.sleep(startup + setting.random.uniform(0, 0.3) + 2.0 * number / setting.rounds)
        killed += process.poll() is None
        process.kill()
        process.wait()
    return killed


def _startup_seconds(instance: Instance) -> float:
    """How long a command takes on this machine before it does anything, lest it be killed while it is imported."""
    begun = time.monotonic()
    instance.manage("migrate", "--check")
    return time.monotonic() - begun


def _catalogue(
    instance: Instance,
    films: int,
    *,
    address: Callable[[int, int], str] = lambda film, number: f"https://films.example.org/{film}/{number}",
) -> Path:
    """Write a catalogue with two links a film, of films that the instance has not."""
    file = instance.folder / "imported.jsonl"
    with file.open("w") as out:
        for film in _numbers(films):
            links = [
                {"source": "example", "source_url": address(film, number), "licence": "public-domain"}
                for number in range(2)
            ]
            line = {"imdb_id": f"tt{film:07d}", "title": f"Imported {film}", "type": "movie", "links": links}
            out.write(json.dumps(line) + "\n")
    return file


def _numbers(films: int) -> range:
    return range(FIRST_NUMBER, FIRST_NUMBER + films)


def _counts(instance: Instance) -> Mapping[str, int]:
    return dict(json.loads(instance.run(COUNTS)))
