"""`make bench-health`: the checker end to end, database included, beside other link checkers over the same farm.

Ratios within one run are what counts; the machine is never idle. The farm and the bare prober are compiled from this
folder into one that is thrown away; lychee comes from the package registry.
"""

from __future__ import annotations

import argparse
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import farm, lists, lychee
from bench.instance import ROOT, table
from bench.memory import Memory
from bench.verdicts import Counted, count

LINKS = 20_000
MILLION = (200_000, 1_000_000)
PRUNED = "HS"
LOOK = 0.01
HEADS = (
    "list", "program", "s", "links/s", "ours : it", "CPU s", "MiB", "wrong", "alive called dead", "films lost",
    "films gone", "answering", "hanging", "longest s",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Timed:
    """One run of one program; `counted` None: it was ended before it told anything, or withheld what it found.

    `mebibytes`: the most that it and its processes held together (proportional set size, sampled).
    """

    seconds: float
    cpu: float
    mebibytes: float
    seen: farm.Stats
    counted: Counted | None = None
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Bench:
    """The folder that is thrown away, the farm, what else can be run, and how long a program may take."""

    folder: Path
    farm: farm.Farm
    bare: Path
    lychee: Path | None
    patience: float

    def list_of(self, profile: str, links: int) -> Path:
        file = self.folder / f"{profile}{links}.tsv"
        return file if file.exists() else lists.written(lists.made(profile, links, self.farm.ports), file)

    @property
    def out(self) -> Path:
        return self.folder / "out.tsv"

    @property
    def environment(self) -> dict[str, str]:
        """The farm's authority is trusted by all."""
        trusted = {"SSL_CERT_FILE": str(self.farm.ca)} if self.farm.ca else {}
        return {**os.environ, **trusted, "PYTHONPATH": str(ROOT)}

    def timed(self, command: Sequence[object], count: Callable[[], Counted], **more: str) -> Timed:
        self.farm.forget()
        with (self.folder / "said.log").open("wb") as log:
            began = time.monotonic()
            process = subprocess.Popen(
                [str(word) for word in command], stdout=log, stderr=log, cwd=ROOT, env={**self.environment, **more}
            )
            with Memory(lambda: [process.pid]) as memory:
                ended, cpu = _watched(process, began + self.patience)
            seconds = time.monotonic() - began
        withheld = "withheld:" in self.said()
        counted = count() if ended and not withheld else None
        return Timed(seconds, cpu, memory.peak / 1024, self.farm.stats(), counted, withheld)

    def said(self) -> str:
        """What the last program wrote."""
        return (self.folder / "said.log").read_text(errors="replace")


def _watched(process: subprocess.Popen[bytes], until: float) -> tuple[bool, float]:
    """Whether it ended by itself; its CPU seconds, with those of the processes that it waited for."""
    killed = False
    while True:
        done, _, used = os.wait4(process.pid, os.WNOHANG)
        if done:
            process.returncode = 0
            return not killed, used.ru_utime + used.ru_stime
        if not killed and time.monotonic() > until:
            process.kill()
            killed = True
        time.sleep(LOOK)


# --- the programs
def openreel(bench: Bench, listed: Path, *more: str) -> Timed:
    """As a user runs it, from a database to a database; movies are removed where the list is made for that.

    H and S would turn off far more at once than a run is believed to: --force stands for the person who knows better.
    """
    database = bench.folder / f"{listed.stem}.sqlite3"
    database.unlink(missing_ok=True)
    environment = {
        "ENV_FILE": os.devnull, "SECRET_KEY": "only-for-timing", "VAR_DIR": str(bench.folder),
        "DATABASE_URL": f"sqlite:///{database}", "ALLOW_PRIVATE_HOSTS": "127.0.0.0/8",
        "DJANGO_SETTINGS_MODULE": "MovieBackend.settings",
    }  # fmt: skip
    load = [sys.executable, "-m", "bench.load", str(listed)]
    subprocess.run(load, cwd=ROOT, env={**bench.environment, **environment}, check=True)
    pruned = listed.stem[0] in PRUNED
    command = [sys.executable, "manage.py", "check_link_health", "--format", "json", *more]
    command.append("--force" if pruned else "--no-prune")
    return bench.timed(command, lambda: in_database(database, listed, pruned=pruned), **environment)


def strict(bench: Bench, listed: Path) -> Timed:
    return openreel(bench, listed, "--strict")


def in_database(database: Path, listed: Path, *, pruned: bool) -> Counted:
    with closing(sqlite3.connect(database)) as rows:
        links = rows.execute("SELECT source_url, is_active, reason FROM streaming_streaminglink").fetchall()
        movies = {row[0] for row in rows.execute("SELECT imdb_id FROM streaming_movie")}
    # Of a host that was down as a whole the links are rightly kept; those of a removed movie are not there any more.
    kept = {url for url, _, reason in links if reason == "host_down"}
    said = {url: lists.ALIVE if active else lists.DEAD for url, active, _ in links}
    there = (lambda movie: lists.imdb_id(movie) in movies) if pruned else None
    return count(lists.read(listed), lambda url: said.get(url, lists.DEAD), kept=kept, is_there=there)


def bare(bench: Bench, listed: Path) -> Timed:
    return bench.timed([bench.bare, listed, bench.out], lambda: in_file(bench.out, listed))


def pycurl_alone(bench: Bench, listed: Path) -> Timed:
    return _driver(bench, "bench.curl_alone", listed)


def requests_pool(bench: Bench, listed: Path) -> Timed:
    return _driver(bench, "bench.request_pool", listed)


def _driver(bench: Bench, module: str, listed: Path) -> Timed:
    trusted = ["--ca", bench.farm.ca] if bench.farm.ca else []
    command = [sys.executable, "-m", module, listed, bench.out, *trusted]
    return bench.timed(command, lambda: in_file(bench.out, listed))


def in_file(out: Path, listed: Path) -> Counted:
    with out.open(encoding="utf-8") as lines:
        said = dict(line.rstrip("\n").split("\t") for line in lines)
    return count(lists.read(listed), lambda url: said.get(url, ""))


def lychee_head(bench: Bench, listed: Path) -> Timed:
    return _lychee(bench, listed, "head")


def lychee_get(bench: Bench, listed: Path) -> Timed:
    return _lychee(bench, listed, "get")


def _lychee(bench: Bench, listed: Path, method: str) -> Timed:
    asked, out = bench.folder / "urls.txt", bench.folder / "lychee.json"
    asked.write_text("\n".join(lists.urls(listed)) + "\n")
    command = lychee.command(bench.lychee, asked, out, method=method)
    return bench.timed(command, lambda: count(lists.read(listed), lychee.said(out).get))


@dataclass(frozen=True, slots=True)
class Program:
    """Who is timed over which lists when nobody says otherwise.

    Without a breaker list D takes everybody 5 s x 80 links / 4 a host = 100 s, so one of them is enough there.
    """

    title: str
    run: Callable[[Bench, Path], Timed]
    profiles: str


PROGRAMS: Mapping[str, Program] = {
    "openreel": Program("Openreel, database included", openreel, lists.PROFILES),
    "strict": Program("Openreel --strict", strict, "B"),
    "bare": Program("bare C prober, HEAD only", bare, "ABDZHS"),
    "pycurl": Program("pycurl alone", pycurl_alone, "ABCZHS"),
    "lychee-head": Program("lychee HEAD", lychee_head, "ABCZHS"),
    "lychee-get": Program("lychee GET", lychee_get, "ABCZHS"),
    "requests": Program("requests, tuned pool", requests_pool, "ABCZHS"),
}


# --- the table
@dataclass(slots=True)
class Runs:
    """The runs over one list, program by program."""

    listed: str
    links: int
    of: dict[str, list[Timed]] = field(default_factory=dict)

    def rows(self) -> Iterator[list[str]]:
        ours = _median(next(iter(self.of.values())))
        for name, timed in self.of.items():
            yield [self.listed, PROGRAMS[name].title, *_cells(_median(timed), self.links, ours)]


def _median(runs: Sequence[Timed]) -> Timed:
    """The run in the middle, by seconds."""
    return min(runs, key=lambda run: abs(run.seconds - statistics.median_low([one.seconds for one in runs])))


def _cells(timed: Timed, links: int, ours: Timed) -> list[str]:
    ended = timed.counted is not None
    seconds = f"{timed.seconds:.1f}" if ended else f"> {timed.seconds:.0f}, ended"
    if timed.withheld:
        seconds = f"{timed.seconds:.1f}, withheld"
    ratio = f"{ours.seconds / timed.seconds:.2f}"
    return [
        seconds, f"{links / timed.seconds:,.0f}" if ended else "-", ratio if ended else f"< {ratio}",
        f"{timed.cpu:.1f}", f"{timed.mebibytes:.0f}", *_counts(timed.counted), str(timed.seen.most_answering),
        str(timed.seen.most_hanging), f"{timed.seen.longest_ms / 1000:.1f}",
    ]  # fmt: skip


def _counts(counted: Counted | None) -> list[str]:
    if counted is None:
        return ["-"] * 4
    films = ["-", "-"]
    if counted.films_all_gone is not None:
        films = [str(counted.films_lost), f"{counted.films_gone} of {counted.films_all_gone}"]
    return [str(counted.wrong), str(counted.alive_called_dead), *films]


def measured(bench: Bench, profile: str, links: int, *, names: Sequence[str], repeat: int) -> Runs:
    listed = bench.list_of(profile, links)
    runs = Runs(f"{profile} {links:,}", links)
    for _ in range(repeat):
        for name in names:
            runs.of.setdefault(name, []).append(PROGRAMS[name].run(bench, listed))
            _grumble(bench, name, profile, runs.of[name][-1])
    for file in bench.folder.glob(f"{listed.stem}.*"):
        file.unlink()
    return runs


def _grumble(bench: Bench, name: str, profile: str, timed: Timed) -> None:
    """A run of ours that ended badly would look fast."""
    said = bench.said().strip().splitlines()
    if name in ("openreel", "strict") and timed.counted is None:
        print(f"{PROGRAMS[name].title}, list {profile}: {said[-1] if said else 'ended'}")


def asked_for(profile: str, only: Sequence[str], *, has_lychee: bool) -> list[str]:
    """Ours comes first: the others are held against it."""
    chosen = only or [name for name, program in PROGRAMS.items() if profile in program.profiles]
    return [name for name in PROGRAMS if name in chosen and (has_lychee or not name.startswith("lychee"))]


def million(bench: Bench) -> str:
    """Five times the links must not need more memory; our row alone."""
    fewer, more = (measured(bench, "B", links, names=["openreel"], repeat=1) for links in MILLION)
    first, second = (runs.of["openreel"][0].mebibytes for runs in (fewer, more))
    rows = [row for runs in (fewer, more) for row in runs.rows()]
    sentence = (
        f"Peak memory with {MILLION[1]:,} links: {second:.0f} MiB, {second / first:.2f} x that with {MILLION[0]:,}."
    )
    return "\n".join([table("Memory, list B", HEADS, rows), sentence])


# --- the door
@contextmanager
def prepared(patience: float) -> Iterator[Bench]:
    """The farm, compiled and started; a peer, when the registry has it; all of it thrown away."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    lacking = farm.missing_for_tls()
    with (
        tempfile.TemporaryDirectory(prefix="openreel-bench-") as name,
        farm.running(Path(name), tls=not lacking) as one,
    ):
        folder = Path(name)
        peer = lychee.installed(folder / "peer")
        for sentence in (lacking, "" if peer else lychee.MISSING):
            if sentence:
                print(f"bench-health: {sentence}")
        yield Bench(folder, one, farm.compiled("bare.c", folder), peer, patience)


def words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.health", description="The checker beside others, over one farm."
    )
    parser.add_argument("--links", type=int, default=LINKS, help="of each list")
    parser.add_argument("--profiles", default="A,B,D,H,S", help="of A, B, C, D, Z, H, S: see bench/lists.py")
    parser.add_argument("--only", default="", help=f"these programs, whatever the list: {', '.join(PROGRAMS)}")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each; the table has the middle one")
    parser.add_argument("--patience", type=float, default=120.0, help="seconds after which a program is ended")
    parser.add_argument("--million", action="store_true", help="ours alone with 200,000 and 1,000,000 links: memory")
    return parser.parse_args()


def main() -> None:
    asked = words()
    if reason := farm.missing():
        print(f"bench-health: {reason}")
        return
    only = [name for name in asked.only.split(",") if name]
    with prepared(asked.patience if not asked.million else 3600.0) as bench:
        if asked.million:
            print(million(bench))
            return
        rows: list[list[str]] = []
        for profile in asked.profiles.split(","):
            if profile == "C" and bench.farm.ca is None:
                continue
            names = asked_for(profile, only, has_lychee=bench.lychee is not None)
            rows += measured(bench, profile, asked.links, names=names, repeat=asked.repeat).rows()
    print(table("Links checked over 250 hosts on loopback, time-out 5 s, 4 at a time a host", HEADS, rows))


if __name__ == "__main__":
    main()
