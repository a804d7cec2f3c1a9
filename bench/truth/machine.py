"""The machine that checks, with a clock and name servers of the simulation and a database of its own.

Everything above these two is real: the command `check_link_health` runs as cron would run it, in this process, or in
one of its own that is killed half-way. No module of the checker is imported here, so these may move.
"""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import django
from django.core.management import CommandError, call_command
from django.utils import timezone

from bench.truth.web import EPOCH, PORT, Web
from bench.truth.worlds import Film, Link, World

ROOT = Path(__file__).parents[2]
GRACE_HOURS = 24
WITHHELD = 3
KILLED_BY = -signal.SIGKILL
PATIENCE_SECONDS = 60.0
MADE_UP = ".example"


@dataclass(frozen=True, slots=True)
class Options:
    """What the command is asked, by the names of its options."""

    limit: int | None = None
    due: bool = False
    older_than: float | None = None
    timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run reported of itself; `reason`: why it was withheld, or what of an accepted one is worth a sentence."""

    checked: int
    died: int
    revived: int
    removed: int
    withheld: bool
    reason: str


# --- the clock, the names and the database
class SimulatedClock(datetime):
    """`datetime` with a now that is set; Django's `timezone.now` reads it, and everything reads that."""

    moment: datetime = EPOCH

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.fromtimestamp(cls.moment.timestamp(), tz)


def environment(folder: Path, *, is_adaptive: bool = False, canaries: str = "") -> dict[str, str]:
    """What Openreel's settings are read from."""
    return {
        "DJANGO_SETTINGS_MODULE": "MovieBackend.settings",
        "ENV_FILE": os.devnull,
        "SECRET_KEY": "only-for-the-simulation-and-long-enough",
        "VAR_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "CACHE_URL": "memory://",
        "CELERY_BROKER_URL": "",
        "ALLOW_PRIVATE_HOSTS": "127.0.0.0/8",
        "LINK_GRACE_HOURS": str(GRACE_HOURS),
        "HEALTH_ADAPTIVE": "1" if is_adaptive else "0",
        "HEALTH_CANARIES": canaries,
    }


def start(web_address: str, *, knows: Callable[[str], bool]) -> None:
    """Give this process the simulation's clock and names, then Django. `knows`: whether a made-up name leads anywhere;
    all that do lead to the web's address."""
    real = socket.getaddrinfo

    def resolve(host: str | bytes | None, port: Any, *more: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host or ""
        if not name.endswith(MADE_UP):
            return real(host, port, *more, **options)
        if not knows(name):
            raise socket.gaierror(socket.EAI_NONAME, "the simulation knows no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (web_address, port or 0))]

    socket.getaddrinfo = resolve
    timezone.datetime = SimulatedClock  # type: ignore[attr-defined]
    django.setup()


def set_clock(moment: datetime) -> None:
    SimulatedClock.moment = moment


def create_database() -> None:
    call_command("migrate", verbosity=0)


def load(world: World) -> None:
    """Write the catalogue."""
    from streaming.models import Movie, StreamingLink  # noqa: PLC0415  Django has to be set up first

    movies = {film.imdb_id: _movie(Movie, film) for film in world.films}
    Movie.objects.bulk_create(movies.values())
    StreamingLink.objects.bulk_create(
        StreamingLink(
            movie=movies[film.imdb_id], source="example", source_url=url_of(link), host=link.host,
            kind="file" if link.is_file else "page",
        )
        for film in world.films
        for link in film.links
    )  # fmt: skip


def _movie(model: Any, film: Film) -> Any:
    return model(imdb_id=film.imdb_id, title=film.title, type="show" if film.is_show else "movie")


def url_of(link: Link) -> str:
    return f"http://{link.host}:{PORT}{link.path}"


def movies_present() -> frozenset[str]:
    """The IMDb ids in the catalogue now."""
    from streaming.models import Movie  # noqa: PLC0415

    return frozenset(Movie.objects.values_list("imdb_id", flat=True))


def inactive_urls() -> frozenset[str]:
    from streaming.models import StreamingLink  # noqa: PLC0415

    return frozenset(StreamingLink.objects.filter(is_active=False).values_list("source_url", flat=True))


# --- runs
def check(options: Options, *, now: datetime) -> Outcome:
    """One run of the command at that moment of the machine's clock."""
    set_clock(now)
    output = io.StringIO()
    try:
        call_command("check_link_health", format="json", stdout=output, **asdict(options))
    except CommandError as error:
        if error.returncode != WITHHELD:
            raise
    report: Mapping[str, Any] = json.loads(output.getvalue().splitlines()[-1])
    return Outcome(**{name: report[name] for name in Outcome.__dataclass_fields__})


def check_and_kill(options: Options, *, now: datetime, web: Web, web_address: str, after: int) -> None:
    """Begin a run in a process of its own and kill it when the web has served so many requests.

    One that is withheld sooner, because its canaries fail, ends by itself.
    """
    web.silent_after = web.requests + after
    words = [web_address, now.isoformat(), json.dumps(asdict(options))]
    process = subprocess.Popen([sys.executable, "-m", "bench.truth.machine", *words], cwd=ROOT)
    try:
        end = time.monotonic() + PATIENCE_SECONDS
        while web.requests <= web.silent_after and process.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
    finally:
        process.kill()
        web.silent_after = None
    if (returncode := process.wait()) not in (KILLED_BY, WITHHELD):
        raise RuntimeError(f"the run that was to be killed ended by itself, with status {returncode}")


def main() -> None:
    """A run that is to be killed, for `check_and_kill`; the exit status says whether it ended withheld."""
    web_address, moment, options = sys.argv[1:]
    start(web_address, knows=lambda _name: True)
    outcome = check(Options(**json.loads(options)), now=datetime.fromisoformat(moment))
    sys.exit(WITHHELD if outcome.withheld else 0)


def moment_of(hour: float, *, offset: float = 0.0) -> datetime:
    """What a clock shows that is `offset` hours ahead."""
    return EPOCH + timedelta(hours=hour + offset)


if __name__ == "__main__":
    main()
