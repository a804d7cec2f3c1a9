"""What each link checker says of the links of the farm: Openreel's own command, lychee, LinkChecker."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bench.truth import machine
from bench.truth.farm import Farm, FarmLink

LINKCHECKER = "LinkChecker==10.6.0"
LINKCHECKER_MISSING = f"{LINKCHECKER} cannot be installed here: its column is left out"
PATIENCE_SECONDS = 300
DENIED_STATUSES = frozenset({401, 402, 403, 405, 407, 418, 451, 999})
DENIED_REASONS = frozenset(
    {"http_401", "http_403", "http_451", "http_999", "http_4xx", "bot_wall", "login", "abroad", "unknown_page"}
)
AWAY_REASONS = frozenset(
    {
        "maintenance",
        "timeout",
        "refused",
        "reset",
        "dns",
        "tls",
        "http_5xx",
        "protocol",
        "bad_redirect",
        "too_many_redirects",
    }
)
"""Those of the strength `unreachable`: off, and said to be so for now."""
HOURS = (12, 24, 36, 48)
"""When the command runs again after its first run; films whose links all died count after 24 hours at the earliest."""


class Opinion(StrEnum):
    """What a program says of a link."""

    ALIVE = "alive"
    DENIED = "denied"
    AWAY = "away"
    DEAD = "dead"


Opinions = Mapping[str, Opinion]


@dataclass(frozen=True, slots=True)
class Ours:
    """What the command said in its first run and why, and the links whose movies it had removed after the last."""

    opinions: Opinions
    reasons: Mapping[str, str]
    removed: frozenset[str]


def ours(farm: Farm, folder: Path) -> Ours:
    """Set up Django in this process, with a database in `folder`, and run the command as cron would for two days."""
    os.environ.update(machine.environment(folder))
    machine.start(farm.elsewhere, knows=lambda _name: False)
    machine.set_clock(machine.moment_of(0))
    machine.create_database()
    return watched(farm)


def watched(farm: Farm) -> Ours:
    """The same in a database that is there."""
    links = farm.links()
    load(links)
    check(farm, hour=0)
    said, why = opinions(links), reasons()
    for hour in HOURS:
        check(farm, hour=hour)
    present = machine.movies_present()
    return Ours(said, why, frozenset(link.url for link in links if link.imdb_id not in present))


def load(links: Iterable[FarmLink]) -> None:
    """Write the catalogue: a movie a link."""
    from streaming.models import Movie, StreamingLink  # noqa: PLC0415  Django has to be set up first

    listed = list(links)
    movies = Movie.objects.bulk_create(Movie(imdb_id=link.imdb_id, title=link.behaviour.title) for link in listed)
    StreamingLink.objects.bulk_create(
        StreamingLink(movie=movie, source="example", source_url=link.url, host=link.host, kind=link.behaviour.kind)
        for movie, link in zip(movies, listed, strict=True)
    )


def check(farm: Farm, *, hour: float) -> machine.Outcome:
    farm.hour = hour
    return machine.check(machine.Options(), now=machine.moment_of(hour))


def opinions(links: Iterable[FarmLink]) -> dict[str, Opinion]:
    """What the database says of each link; dead: it is not there any more."""
    from streaming.models import StreamingLink  # noqa: PLC0415

    rows = {
        link.source_url: opinion_of(is_active=link.is_active, reason=link.reason)
        for link in StreamingLink.objects.all()
    }
    return {link.url: rows.get(link.url, Opinion.DEAD) for link in links}


def reasons() -> dict[str, str]:
    """The reason that the database has for each link."""
    from streaming.models import StreamingLink  # noqa: PLC0415

    return dict(StreamingLink.objects.values_list("source_url", "reason"))


def opinion_of(*, is_active: bool, reason: str) -> Opinion:
    if is_active:
        return Opinion.ALIVE
    if reason in DENIED_REASONS:
        return Opinion.DENIED
    return Opinion.AWAY if reason in AWAY_REASONS else Opinion.DEAD


# --- the others
def lychee_opinions(program: Path, links: Iterable[FarmLink], folder: Path, *, method: str) -> dict[str, Opinion]:
    """With its time-out of 20 s, and one more try after a second."""
    asked, out = folder / f"urls-{method}.txt", folder / f"lychee-{method}.json"
    asked.write_text("".join(f"{link.url}\n" for link in links), encoding="utf-8")
    command: list[str | Path] = [
        program, "--no-progress", "-v", "-X", method, "--max-retries", "1", "--retry-wait-time", "1", "-t", "20",
        "-f", "json", "-o", out, asked,
    ]  # fmt: skip
    subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE_SECONDS)
    said = json.loads(out.read_text())
    found: dict[str, Opinion] = {}
    for name, opinion in (("success_map", Opinion.ALIVE), ("error_map", Opinion.DEAD), ("timeout_map", Opinion.AWAY)):
        for one in (entry for entries in said.get(name, {}).values() for entry in entries):
            found[one["url"]] = _opinion_of_status(one["status"].get("code"), otherwise=opinion)
    return found


def _opinion_of_status(status: object, *, otherwise: Opinion) -> Opinion:
    """What the status of an answer says if a program tells it: denied, or away for a while."""
    if not isinstance(status, int) or otherwise is Opinion.ALIVE:
        return otherwise
    if status in DENIED_STATUSES:
        return Opinion.DENIED
    return Opinion.AWAY if status >= 500 else otherwise


def install_linkchecker(folder: Path) -> Path | None:
    """In a virtualenv of its own; None: it cannot be had."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = subprocess.run([folder / "bin/pip", "install", "--quiet", LINKCHECKER], capture_output=True, check=False)
    return None if pip.returncode else folder / "bin" / "linkchecker"


def linkchecker_opinions(program: Path, links: Iterable[FarmLink]) -> dict[str, Opinion]:
    """With its defaults, but that it obeys no robots.txt, as the others, and asks 50 at a time. It says its opinion on
    standard output: where it is started by root it may write no file."""
    command = [str(program), "--no-status", "--verbose", "--no-robots", "--recursion-level=0", "--threads=50",
               "--output=csv/utf-8", "--stdin"]  # fmt: skip
    asked = "".join(f"{link.url}\n" for link in links)
    said = subprocess.run(command, input=asked, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    lines = [line for line in said.stdout.splitlines() if not line.startswith("#")]
    return {row["urlname"]: _linkchecker_opinion(row) for row in csv.DictReader(lines, delimiter=";")}


def _linkchecker_opinion(row: Mapping[str, str]) -> Opinion:
    if row["valid"] == "True":
        return Opinion.ALIVE
    status = row["result"].partition(" ")[0]
    return _opinion_of_status(int(status) if status.isdigit() else None, otherwise=Opinion.DEAD)
