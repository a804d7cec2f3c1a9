"""`make bench-health`: times the whole checker, with its database, and other link checkers on the same farm.

Compare only ratios within one run, since other programs use the machine too. The farm and the bare prober are compiled
into a temporary folder; lychee comes from the package registry.
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
from bench.verdicts import Score, count

LINKS = 20_000
MILLION = (200_000, 1_000_000)
PRUNED_PROFILES = "HS"
POLL_SECONDS = 0.01
HEADS = (
    "list", "program", "s", "links/s", "ours : it", "CPU s", "MiB", "wrong", "alive called dead", "films lost",
    "films gone", "answering", "hanging", "longest s",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Timed:
    """One run of one program. `score` is None if it was stopped early or withheld its results.

    `mebibytes` is the peak memory of all its processes together (proportional set size, sampled).
    """

    seconds: float
    cpu: float
    mebibytes: float
    stats: farm.Stats
    score: Score | None = None
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Bench:
    """The temporary folder, the farm, the installed programs, and the seconds that a program may take."""

    folder: Path
    farm: farm.Farm
    bare: Path
    lychee: Path | None
    patience: float

    def list_of(self, profile: str, links: int) -> Path:
        file = self.folder / f"{profile}{links}.tsv"
        return file if file.exists() else lists.write_list(lists.generate(profile, links, self.farm.ports), file)

    @property
    def out(self) -> Path:
        return self.folder / "out.tsv"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of all programs: they trust the farm's certificate authority."""
        trusted = {"SSL_CERT_FILE": str(self.farm.ca)} if self.farm.ca else {}
        return {**os.environ, **trusted, "PYTHONPATH": str(ROOT)}

    def time_program(self, command: Sequence[object], count: Callable[[], Score], **variables: str) -> Timed:
        self.farm.reset()
        with (self.folder / "output.log").open("wb") as log:
            started = time.monotonic()
            process = subprocess.Popen(
                [str(argument) for argument in command],
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env={**self.environment, **variables},
            )
            with Memory(lambda: [process.pid]) as memory:
                finished, cpu = _wait_or_kill(process, started + self.patience)
            seconds = time.monotonic() - started
        withheld = "withheld:" in self.output()
        score = count() if finished and not withheld else None
        return Timed(seconds, cpu, memory.peak / 1024, self.farm.stats(), score, withheld)

    def output(self) -> str:
        """The output of the last program."""
        return (self.folder / "output.log").read_text(errors="replace")


def _wait_or_kill(process: subprocess.Popen[bytes], until: float) -> tuple[bool, float]:
    """Return whether it finished in time, and its CPU seconds with those of child processes."""
    killed = False
    while True:
        pid, _, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = 0
            return not killed, usage.ru_utime + usage.ru_stime
        if not killed and time.monotonic() > until:
            process.kill()
            killed = True
        time.sleep(POLL_SECONDS)


# --- the programs
def openreel(bench: Bench, listed: Path, *more: str) -> Timed:
    """Run the command as a user does, on a database; movies are removed with the lists H and S.

    Those two lists have more dead links than an accepted run may have, so they need --force; and only without a grace
    does one run remove movies.
    """
    database = bench.folder / f"{listed.stem}.sqlite3"
    database.unlink(missing_ok=True)
    removes_movies = listed.stem[0] in PRUNED_PROFILES
    environment = {
        "ENV_FILE": os.devnull, "SECRET_KEY": "only-for-timing-and-long-enough-to-start", "VAR_DIR": str(bench.folder),
        "DATABASE_URL": f"sqlite:///{database}", "ALLOW_PRIVATE_HOSTS": "127.0.0.0/8",
        "DJANGO_SETTINGS_MODULE": "MovieBackend.settings", **({"LINK_GRACE_HOURS": "0"} if removes_movies else {}),
    }  # fmt: skip
    load = [sys.executable, "-m", "bench.load", str(listed)]
    subprocess.run(load, cwd=ROOT, env={**bench.environment, **environment}, check=True)
    command = [sys.executable, "manage.py", "check_link_health", "--format", "json", *more]
    command.append("--force" if removes_movies else "--no-prune")
    return bench.time_program(
        command, lambda: score_database(database, listed, removes_movies=removes_movies), **environment
    )


def strict(bench: Bench, listed: Path) -> Timed:
    return openreel(bench, listed, "--strict")


def score_database(database: Path, listed: Path, *, removes_movies: bool) -> Score:
    with closing(sqlite3.connect(database)) as rows:
        links = rows.execute("SELECT source_url, is_active, reason FROM streaming_streaminglink").fetchall()
        movies = {row[0] for row in rows.execute("SELECT imdb_id FROM streaming_movie")}
    # Links of a host that is down are rightly kept; those of a removed movie no longer exist.
    kept = {url for url, _, reason in links if reason == "host_down"}
    verdicts = {url: lists.ALIVE if active else lists.DEAD for url, active, _ in links}
    movie_exists = (lambda movie: lists.imdb_id(movie) in movies) if removes_movies else None
    return count(
        lists.read_list(listed), lambda url: verdicts.get(url, lists.DEAD), kept=kept, movie_exists=movie_exists
    )


def bare(bench: Bench, listed: Path) -> Timed:
    return bench.time_program([bench.bare, listed, bench.out], lambda: score_file(bench.out, listed))


def pycurl_alone(bench: Bench, listed: Path) -> Timed:
    return _driver(bench, "bench.curl_alone", listed)


def requests_pool(bench: Bench, listed: Path) -> Timed:
    return _driver(bench, "bench.request_pool", listed)


def _driver(bench: Bench, module: str, listed: Path) -> Timed:
    trusted = ["--ca", bench.farm.ca] if bench.farm.ca else []
    command = [sys.executable, "-m", module, listed, bench.out, *trusted]
    return bench.time_program(command, lambda: score_file(bench.out, listed))


def score_file(out: Path, listed: Path) -> Score:
    with out.open(encoding="utf-8") as lines:
        verdicts = dict(line.rstrip("\n").split("\t") for line in lines)
    return count(lists.read_list(listed), lambda url: verdicts.get(url, ""))


def lychee_head(bench: Bench, listed: Path) -> Timed:
    return _lychee(bench, listed, "head")


def lychee_get(bench: Bench, listed: Path) -> Timed:
    return _lychee(bench, listed, "get")


def _lychee(bench: Bench, listed: Path, method: str) -> Timed:
    urls, out = bench.folder / "urls.txt", bench.folder / "lychee.json"
    urls.write_text("\n".join(lists.urls(listed)) + "\n")
    command = lychee.command(bench.lychee, urls, out, method=method)
    return bench.time_program(command, lambda: count(lists.read_list(listed), lychee.read_verdicts(out).get))


@dataclass(frozen=True, slots=True)
class Program:
    """A program, and the lists that it is timed on by default.

    Without a circuit breaker, list D takes every program 5 s x 80 links / 4 per host = 100 s, so one of them is enough.
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
    """The runs on one list by program."""

    listed: str
    links: int
    of: dict[str, list[Timed]] = field(default_factory=dict)

    def rows(self) -> Iterator[list[str]]:
        ours = _median(next(iter(self.of.values())))
        for name, timed in self.of.items():
            yield [self.listed, PROGRAMS[name].title, *_cells(_median(timed), self.links, ours)]


def _median(runs: Sequence[Timed]) -> Timed:
    """The run with the median of the seconds."""
    return min(runs, key=lambda run: abs(run.seconds - statistics.median_low([one.seconds for one in runs])))


def _cells(timed: Timed, links: int, ours: Timed) -> list[str]:
    is_complete = timed.score is not None
    seconds = f"{timed.seconds:.1f}" if is_complete else f"> {timed.seconds:.0f}, stopped"
    if timed.withheld:
        seconds = f"{timed.seconds:.1f}, withheld"
    ratio = f"{ours.seconds / timed.seconds:.2f}"
    return [
        seconds, f"{links / timed.seconds:,.0f}" if is_complete else "-", ratio if is_complete else f"< {ratio}",
        f"{timed.cpu:.1f}", f"{timed.mebibytes:.0f}", *_score_cells(timed.score), str(timed.stats.most_answering),
        str(timed.stats.most_hanging), f"{timed.stats.longest_ms / 1000:.1f}",
    ]  # fmt: skip


def _score_cells(score: Score | None) -> list[str]:
    if score is None:
        return ["-"] * 4
    films = ["-", "-"]
    if score.films_all_dead is not None:
        films = [str(score.films_lost), f"{score.films_gone} of {score.films_all_dead}"]
    return [str(score.wrong), str(score.alive_called_dead), *films]


def measure(bench: Bench, profile: str, links: int, *, names: Sequence[str], repeat: int) -> Runs:
    listed = bench.list_of(profile, links)
    runs = Runs(f"{profile} {links:,}", links)
    for _ in range(repeat):
        for name in names:
            runs.of.setdefault(name, []).append(PROGRAMS[name].run(bench, listed))
            _report_failure(bench, name, profile, runs.of[name][-1])
    for file in bench.folder.glob(f"{listed.stem}.*"):
        file.unlink()
    return runs


def _report_failure(bench: Bench, name: str, profile: str, timed: Timed) -> None:
    """Print the last line of a failed run of ours, which would look fast in the table."""
    lines = bench.output().strip().splitlines()
    if name in ("openreel", "strict") and timed.score is None:
        print(f"{PROGRAMS[name].title}, list {profile}: {lines[-1] if lines else 'stopped'}")


def select_programs(profile: str, only: Sequence[str], *, has_lychee: bool) -> list[str]:
    """The programs to run on this list; ours comes first, since the others are compared with it."""
    selected = only or [name for name, program in PROGRAMS.items() if profile in program.profiles]
    return [name for name in PROGRAMS if name in selected and (has_lychee or not name.startswith("lychee"))]


def measure_memory(bench: Bench) -> str:
    """Run ours with 200,000 and 1,000,000 links: memory must not grow with the list."""
    fewer, more = (measure(bench, "B", links, names=["openreel"], repeat=1) for links in MILLION)
    first, second = (runs.of["openreel"][0].mebibytes for runs in (fewer, more))
    rows = [row for runs in (fewer, more) for row in runs.rows()]
    sentence = (
        f"Peak memory with {MILLION[1]:,} links: {second:.0f} MiB, {second / first:.2f} x that with {MILLION[0]:,}."
    )
    return "\n".join([table("Memory, list B", HEADS, rows), sentence])


# --- the command
@contextmanager
def prepare(patience: float) -> Iterator[Bench]:
    """Compile and start the farm, install lychee if possible, and remove everything at the end."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    no_tls = farm.missing_for_tls()
    with (
        tempfile.TemporaryDirectory(prefix="openreel-bench-") as name,
        farm.running(Path(name), tls=not no_tls) as origin,
    ):
        folder = Path(name)
        program = lychee.install(folder / "lychee")
        for sentence in (no_tls, "" if program else lychee.MISSING):
            if sentence:
                print(f"bench-health: {sentence}")
        yield Bench(folder, origin, farm.compile_program("bare.c", folder), program, patience)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.health", description="Time the checker and others on the same farm."
    )
    parser.add_argument("--links", type=int, default=LINKS, help="number of links of each list")
    parser.add_argument(
        "--profiles", default="A,B,D,H,S", help="lists to use, of A, B, C, D, Z, H and S (see bench/lists.py)"
    )
    parser.add_argument("--only", default="", help=f"run these programs on every list: {', '.join(PROGRAMS)}")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each program; the table shows the median")
    parser.add_argument("--patience", type=float, default=120.0, help="seconds after which a program is stopped")
    parser.add_argument(
        "--million", action="store_true", help="measure the memory of ours with 200,000 and 1,000,000 links"
    )
    return parser.parse_args()


def main() -> None:
    options = parse_arguments()
    if reason := farm.missing():
        print(f"bench-health: {reason}")
        return
    only = [name for name in options.only.split(",") if name]
    with prepare(options.patience if not options.million else 3600.0) as bench:
        if options.million:
            print(measure_memory(bench))
            return
        rows: list[list[str]] = []
        for profile in options.profiles.split(","):
            if profile == "C" and bench.farm.ca is None:
                continue
            names = select_programs(profile, only, has_lychee=bench.lychee is not None)
            rows += measure(bench, profile, options.links, names=names, repeat=options.repeat).rows()
    print(table("Links checked over 250 hosts on loopback, time-out 5 s, 4 at a time a host", HEADS, rows))


if __name__ == "__main__":
    main()
