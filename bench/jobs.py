"""`make bench-jobs`: from the click to the first new link, and many films at once, against what else runs spiders.

Ratios within one run are what counts; the machine is never idle. Everything is on loopback, the peers come from the
package registry into a folder that is thrown away.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench.many import two_workers_against_one
from bench.memory import Memory
from bench.place import ROOT, Place, listens, table, until
from tests.helpers.http_servers import free_port

PEERS = ("scrapyd==1.6.0", "scrapyrt==0.18.1", "Scrapy==2.19.0", "python-dotenv==1.2.4")
# The peers do not install the resolver that guards our spiders, and the spiders refuse to run without it.
PEER_SETTINGS = """
from scraper.settings import *
DOWNLOADER_MIDDLEWARES_BASE = {
    path: order for path, order in DOWNLOADER_MIDDLEWARES_BASE.items() if not path.endswith("UrlPolicyMiddleware")
}
TWISTED_DNS_RESOLVER = "scrapy.resolver.CachingThreadedResolver"
"""
SCRAPYD = "[scrapyd]\nhttp_port = {port}\nbind_address = 127.0.0.1\npoll_interval = 0.5\nitems_dir = items\n"


FRESH, SAVING, WARM = "fresh `scrapy crawl`, printing", "fresh crawl, saving", "Openreel, warm"
CLOSED_JOB = """
import django
django.setup()
from django.utils import timezone
from streaming.models import Movie, ScrapeJob
from streaming.scraping.outcomes import waiting_results
for film in {films}:
    job = ScrapeJob.objects.create(
        movie=Movie.objects.get(imdb_id=film), sources=waiting_results(["example"]), state="failed", finished_at=timezone.now()
    )
    print(job.pk)
"""
CRAWL_AND_SAVE = """
import sys
import django
django.setup()
from streaming.scraping.crawling.job_crawl import run_job_crawl
run_job_crawl(int(sys.argv[1]))
"""


def fresh_crawl(place: Place) -> float:
    """One process a film, until it has printed its first link."""
    command = [sys.executable, "-u", "-m", "scrapy", "crawl", "example", "-a", f"imdb_id={place.film()}"]
    began = time.monotonic()
    with subprocess.Popen(
        [*command, "-O", "-:jsonlines"],
        cwd=ROOT,
        env=place.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        line = process.stdout.readline()
        seconds = time.monotonic() - began
        process.stdout.read()
    if b"source_url" not in line:
        raise RuntimeError("the fresh crawl found no link")
    return seconds


def saving_command(job: str) -> list[str]:
    return [sys.executable, "-c", CRAWL_AND_SAVE, job]


def fresh_saving(place: Place) -> float:
    """One process a film that saves what it finds, as we do, until the first link is in the database."""
    film = place.film()
    command = saving_command(*place.run(CLOSED_JOB.format(films=[film])).split())
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env=place.environment)
    seconds = until(lambda: place.has_links(film)) - began
    process.wait()
    return seconds


def ours(place: Place) -> float:
    """A click on a web server, until the first link is in the database."""
    film = place.film()
    began = time.monotonic()
    status, _ = place.click(film)
    if status != 202:
        raise RuntimeError(f"the click was answered with {status}: {place.said()[-2000:]}")
    return until(lambda: place.has_links(film)) - began


def ours_cold(place: Place) -> float:
    place.manage("scrape_worker", "--stop")
    return ours(place)


@contextmanager
def peers(place: Place) -> Iterator[Path | None]:
    """A folder with a Python that has the peers; None when they cannot be had."""
    folder = place.folder / "peers"
    python = folder / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    got = subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PEERS], capture_output=True, check=False)
    if got.returncode != 0:
        yield None
        return
    (folder / "scrapy.cfg").write_text("[settings]\ndefault = peer_settings\ntimed = peer_settings\n")
    (folder / "peer_settings.py").write_text(PEER_SETTINGS)
    place.environment["PYTHONPATH"] = f"{ROOT}:{folder}"
    yield folder


def scrapyrt(place: Place, folder: Path) -> Callable[[Place], float]:
    """It keeps one process warm and answers when the crawl has ended."""
    port = free_port()
    place.start(
        "-m", "scrapyrt.cmdline", "-p", str(port), "-i", "127.0.0.1", python=str(folder / "bin/python"), cwd=folder
    )
    until(lambda: listens(port))

    def ask(place: Place) -> float:
        response = {
            "spider_name": "example",
            "start_requests": "true",
            "crawl_args": json.dumps({"imdb_id": place.film()}),
        }
        began = time.monotonic()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/crawl.json?{urllib.parse.urlencode(response)}") as answer:
            items = json.load(answer)["items"]
        if not items:
            raise RuntimeError("ScrapyRT found no link")
        return time.monotonic() - began

    return ask


def scrapyd(place: Place, folder: Path) -> Callable[[Place], float]:
    """It starts a process a job, from a queue that it looks at twice a second."""
    port = free_port()
    (folder / "scrapyd.conf").write_text(SCRAPYD.format(port=port))
    place.start("-m", "scrapyd", python=str(folder / "bin/python"), cwd=folder)
    until(lambda: listens(port))

    def ask(place: Place) -> float:
        response = urllib.parse.urlencode({"project": "timed", "spider": "example", "imdb_id": place.film()}).encode()
        began = time.monotonic()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/schedule.json", response) as answer:
            job = json.load(answer)["jobid"]
        items = folder / "items" / "timed" / "example" / f"{job}.jl"
        return until(lambda: items.exists() and items.stat().st_size > 0) - began

    return ask


def first_link(place: Place, *, rounds: int) -> str:
    """All ways in turn, so that a busy moment hits each alike."""
    with peers(place) as folder:
        ways: dict[str, Callable[[Place], float]] = {
            FRESH: fresh_crawl,
            SAVING: fresh_saving,
            "Openreel, no supervisor yet": ours_cold,
            WARM: ours,
        }
        if folder is None:
            print("ScrapyRT and scrapyd could not be installed; they are left out.")
        else:
            ways |= {"ScrapyRT": scrapyrt(place, folder), "scrapyd (poll 0.5 s)": scrapyd(place, folder)}
        before = place.asked()
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                taken[name].append(way(place))
        pages = _film_pages(place.asked()) - _film_pages(before)
    if pages != rounds * len(ways):
        raise RuntimeError(f"{pages} film pages were read, not {rounds * len(ways)}")
    warm = median(taken[WARM])
    rows = [
        (name, *(f"{pick(x):.3f}" for pick in (median, min, max)), *_ratios(median(x), taken, warm=warm))
        for name, x in taken.items()
    ]
    heads = ("way", "median s", "min", "max", "to printing", "to saving", "warm to this")
    return table(f"Click to first new link ({rounds} rounds, each answer {place.latency * 1000:.0f} ms)", heads, rows)


def _ratios(seconds: float, taken: dict[str, list[float]], *, warm: float) -> Iterator[str]:
    for ratio in (seconds / median(taken[FRESH]), seconds / median(taken[SAVING]), warm / seconds):
        yield f"{ratio:.2f}"


def _film_pages(asked: dict[str, int]) -> int:
    return sum(count for path, count in asked.items() if path.startswith("/films/"))


def page_times(place: Place, *, rounds: int) -> str:
    """A page that starts a search against the same page that starts none (it is cooling down)."""
    place.page(f"/streaming/{place.film()}/")
    starting, resting = [], []
    for _ in range(rounds):
        film = place.film()
        starting.append(place.page(f"/streaming/{film}/")[1])
        until(lambda film=film: place.has_links(film))
        resting.append(place.page(f"/streaming/{film}/")[1])
    first, second = median(starting), median(resting)
    return table(
        "Page of a movie",
        ("that starts a search, ms", "that starts none, ms", "ratio"),
        [(f"{first * 1000:.1f}", f"{second * 1000:.1f}", f"{first / second:.2f}")],
    )


def storm(place: Place, *, films: int) -> tuple[float, list[object]]:
    """So many different films at once; a warm supervisor. Seconds, and a row."""
    ours(place)
    wanted = [place.film() for _ in range(films)]
    newest = int(str(place.rows("SELECT coalesce(max(id), 0) FROM streaming_scrapejob")[0][0]))
    lock = place.folder / "scrape" / "supervisor.lock"
    with Memory(lambda: [int(lock.read_text())]) as memory, ThreadPoolExecutor(50) as pool:
        began = time.monotonic()
        answers = list(pool.map(place.click, wanted))
        sql = "SELECT count(*) FROM streaming_scrapejob WHERE id > ? AND finished_at IS NOT NULL"
        seconds = until(lambda: place.rows(sql, newest) == [(films,)], step=0.05) - began
    closed = place.rows(
        "SELECT state, attempt, log, (julianday(started_at) - julianday(queued_at)) * 86400 FROM streaming_scrapejob"
        " WHERE id > ?",
        newest,
    )
    lost = sum(not place.has_links(film) for film in wanted) + sum(row[:2] != ("succeeded", 1) for row in closed)
    locked = place.said().count("database is locked") + sum("database is locked" in str(row[2]) for row in closed)
    refused = sum(status != 202 for status, _ in answers)
    slowest = max(taken for _, taken in answers)
    longest_seconds = max(float(str(row[3])) for row in closed)
    row = [
        f"{films} films, Openreel",
        f"{seconds:.1f}",
        f"{films / seconds:.1f}",
        f"{slowest:.2f}",
        f"{longest_seconds:.1f}",
    ]
    return seconds, [*row, f"{memory.most / 1024:.0f}", lost, locked, refused]


def printing_commands(place: Place, *, films: int) -> list[list[str]]:
    names = [place.film() for _ in range(films)]
    return [[sys.executable, "-m", "scrapy", "crawl", "example", "-a", f"imdb_id={name}"] for name in names]


def saving_commands(place: Place, *, films: int) -> list[list[str]]:
    made = place.run(CLOSED_JOB.format(films=[place.film() for _ in range(films)]))
    return [saving_command(job) for job in made.split()]


def one_process_each(place: Place, commands: list[list[str]], *, doing: str) -> tuple[float, list[object]]:
    """What a web server that starts a crawl of its own for every request does."""
    films = len(commands)
    began = time.monotonic()
    started: list[subprocess.Popen[bytes]] = []
    with Memory(lambda: [process.pid for process in started]) as memory:
        for command in commands:
            started.append(
                subprocess.Popen(
                    command, cwd=ROOT, env=place.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
            )
        failed = sum(process.wait() != 0 for process in started)
    seconds = time.monotonic() - began
    row = [f"{films} films, one process each, {doing}", f"{seconds:.1f}", f"{films / seconds:.1f}", "-", "-"]
    return seconds, [*row, f"{memory.most / 1024:.0f}", failed, "-", "-"]


def storms(place: Place) -> str:
    fifty, few = storm(place, films=50)
    _, many = storm(place, films=500)
    printing, alone = one_process_each(place, printing_commands(place, films=50), doing="printing")
    saving, as_we_do = one_process_each(place, saving_commands(place, films=50), doing="saving")
    heads = (
        "at once",
        "all done s",
        "a second",
        "slowest answer s",
        "longest wait s",
        "MiB",
        "lost",
        "locked",
        "not 202",
    )
    rows = table("Different films at once", heads, [few, many, alone, as_we_do])
    return (
        f"{rows}\n50 films, Openreel to one process each: {fifty / printing:.3f} printing, {fifty / saving:.3f} saving"
    )


def clicks(place: Place) -> str:
    """Five hundred clicks on one film."""
    film = place.film()
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(place.click, [film] * 500))
    until(lambda: place.has_links(film))
    jobs = place.rows(
        "SELECT count(*) FROM streaming_scrapejob j JOIN streaming_movie m ON m.id = j.movie_id WHERE imdb_id = ?", film
    )[0][0]
    pages = place.asked().get(f"/films/{film}/", 0)
    odd = sum(status not in (200, 202) for status, _ in answers)
    return table("500 clicks on one film", ("jobs", "crawls", "other than 200 or 202"), [(jobs, pages, odd)])


PARTS = ("first", "page", "clicks", "storm", "celery")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.jobs", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="openreel-bench-", ignore_cleanup_errors=True) as folder:
        place = Place(Path(folder))
        fake_crawls: dict[str, Callable[[], str]] = {
            "first": lambda: first_link(place, rounds=asked.rounds),
            "page": lambda: page_times(place, rounds=3 * asked.rounds),
            "clicks": lambda: clicks(place),
            "storm": lambda: storms(place),
        }
        try:
            place.open()
            ours(place)
            for part in asked.only:
                if part in fake_crawls:
                    print(fake_crawls[part](), flush=True)
        finally:
            place.close()
        if "celery" in asked.only:
            print(two_workers_against_one(Path(folder)), flush=True)


if __name__ == "__main__":
    main()
