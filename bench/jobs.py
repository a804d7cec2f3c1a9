"""Compare scrape jobs with other ways to run spiders (`make bench-jobs`): time to the first link, many films at once.

Only ratios within one run count, because no machine is idle. Everything runs on loopback; the peers are installed into
a temporary folder.
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

from bench.instance import ROOT, Instance, listens, table, wait_until
from bench.many import two_workers_against_one
from bench.memory import Memory
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
        movie=Movie.objects.get(imdb_id=film), sources=waiting_results(["example"]), state="failed",
        finished_at=timezone.now(),
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


def fresh_crawl(instance: Instance) -> float:
    """Return the seconds until a new process for one film has printed its first link."""
    command = [sys.executable, "-u", "-m", "scrapy", "crawl", "example", "-a", f"imdb_id={instance.film()}"]
    began = time.monotonic()
    with subprocess.Popen(
        [*command, "-O", "-:jsonlines"],
        cwd=ROOT,
        env=instance.environment,
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


def fresh_saving(instance: Instance) -> float:
    """Return the seconds until a new process for one film has saved its first link."""
    film = instance.film()
    command = saving_command(*instance.run(CLOSED_JOB.format(films=[film])).split())
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env=instance.environment)
    seconds = wait_until(lambda: instance.has_links(film)) - began
    process.wait()
    return seconds


def ours(instance: Instance) -> float:
    """Return the seconds from a click to the first link in the database."""
    film = instance.film()
    began = time.monotonic()
    status, _ = instance.click(film)
    if status != 202:
        raise RuntimeError(f"the click got status {status}: {instance.output()[-2000:]}")
    return wait_until(lambda: instance.has_links(film)) - began


def ours_cold(instance: Instance) -> float:
    instance.manage("scrape_worker", "--stop")
    return ours(instance)


@contextmanager
def peers(instance: Instance) -> Iterator[Path | None]:
    """Yield a folder with a virtual environment of the peers; None if they cannot be installed."""
    folder = instance.folder / "peers"
    python = folder / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    installed = subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", *PEERS], capture_output=True, check=False
    )
    if installed.returncode != 0:
        yield None
        return
    (folder / "scrapy.cfg").write_text("[settings]\ndefault = peer_settings\ntimed = peer_settings\n")
    (folder / "peer_settings.py").write_text(PEER_SETTINGS)
    instance.environment["PYTHONPATH"] = f"{ROOT}:{folder}"
    yield folder


def scrapyrt(instance: Instance, folder: Path) -> Callable[[Instance], float]:
    """Start ScrapyRT, which keeps one process and responds when the crawl has ended."""
    port = free_port()
    instance.start(
        "-m", "scrapyrt.cmdline", "-p", str(port), "-i", "127.0.0.1", python=str(folder / "bin/python"), cwd=folder
    )
    wait_until(lambda: listens(port))

    def seconds(instance: Instance) -> float:
        query = {
            "spider_name": "example",
            "start_requests": "true",
            "crawl_args": json.dumps({"imdb_id": instance.film()}),
        }
        began = time.monotonic()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/crawl.json?{urllib.parse.urlencode(query)}") as response:
            items = json.load(response)["items"]
        if not items:
            raise RuntimeError("ScrapyRT found no link")
        return time.monotonic() - began

    return seconds


def scrapyd(instance: Instance, folder: Path) -> Callable[[Instance], float]:
    """Start scrapyd, which starts a process per job from a queue that it polls twice a second."""
    port = free_port()
    (folder / "scrapyd.conf").write_text(SCRAPYD.format(port=port))
    instance.start("-m", "scrapyd", python=str(folder / "bin/python"), cwd=folder)
    wait_until(lambda: listens(port))

    def seconds(instance: Instance) -> float:
        form = urllib.parse.urlencode({"project": "timed", "spider": "example", "imdb_id": instance.film()}).encode()
        began = time.monotonic()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/schedule.json", form) as response:
            job = json.load(response)["jobid"]
        items = folder / "items" / "timed" / "example" / f"{job}.jl"
        return wait_until(lambda: items.exists() and items.stat().st_size > 0) - began

    return seconds


def first_link(instance: Instance, *, rounds: int) -> str:
    """Time all ways in turn, so that load on the machine affects them alike."""
    with peers(instance) as folder:
        ways: dict[str, Callable[[Instance], float]] = {
            FRESH: fresh_crawl,
            SAVING: fresh_saving,
            "Openreel, no supervisor yet": ours_cold,
            WARM: ours,
        }
        if folder is None:
            print("ScrapyRT and scrapyd could not be installed; they are left out.")
        else:
            ways |= {"ScrapyRT": scrapyrt(instance, folder), "scrapyd (poll 0.5 s)": scrapyd(instance, folder)}
        before = instance.request_counts()
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                taken[name].append(way(instance))
        pages = _film_pages(instance.request_counts()) - _film_pages(before)
    if pages != rounds * len(ways):
        raise RuntimeError(f"{pages} film pages were read, not {rounds * len(ways)}")
    warm = median(taken[WARM])
    rows = [
        (name, *(f"{pick(x):.3f}" for pick in (median, min, max)), *_ratios(median(x), taken, warm=warm))
        for name, x in taken.items()
    ]
    heads = ("way", "median s", "min", "max", "to printing", "to saving", "warm to this")
    return table(
        f"Click to first new link ({rounds} rounds, each response {instance.latency * 1000:.0f} ms)", heads, rows
    )


def _ratios(seconds: float, taken: dict[str, list[float]], *, warm: float) -> Iterator[str]:
    for ratio in (seconds / median(taken[FRESH]), seconds / median(taken[SAVING]), warm / seconds):
        yield f"{ratio:.2f}"


def _film_pages(requests: dict[str, int]) -> int:
    return sum(count for path, count in requests.items() if path.startswith("/films/"))


def page_times(instance: Instance, *, rounds: int) -> str:
    """Compare a page view that starts a scrape with one of the same page in its cooldown."""
    instance.page(f"/streaming/{instance.film()}/")
    starting, resting = [], []
    for _ in range(rounds):
        film = instance.film()
        starting.append(instance.page(f"/streaming/{film}/")[1])
        wait_until(lambda film=film: instance.has_links(film))
        resting.append(instance.page(f"/streaming/{film}/")[1])
    first, second = median(starting), median(resting)
    return table(
        "Page of a movie",
        ("starts a scrape, ms", "starts none, ms", "ratio"),
        [(f"{first * 1000:.1f}", f"{second * 1000:.1f}", f"{first / second:.2f}")],
    )


def storm(instance: Instance, *, films: int) -> tuple[float, list[object]]:
    """Click on many films at once with a running supervisor; return the seconds until all have ended, and a row."""
    ours(instance)
    wanted = [instance.film() for _ in range(films)]
    newest = int(str(instance.rows("SELECT coalesce(max(id), 0) FROM streaming_scrapejob")[0][0]))
    lock = instance.folder / "scrape" / "supervisor.lock"
    with Memory(lambda: [int(lock.read_text())]) as memory, ThreadPoolExecutor(50) as pool:
        began = time.monotonic()
        responses = list(pool.map(instance.click, wanted))
        sql = "SELECT count(*) FROM streaming_scrapejob WHERE id > ? AND finished_at IS NOT NULL"
        seconds = wait_until(lambda: instance.rows(sql, newest) == [(films,)], step=0.05) - began
    closed = instance.rows(
        "SELECT state, attempt, log, (julianday(started_at) - julianday(queued_at)) * 86400 FROM streaming_scrapejob"
        " WHERE id > ?",
        newest,
    )
    lost = sum(not instance.has_links(film) for film in wanted) + sum(row[:2] != ("succeeded", 1) for row in closed)
    locked = instance.output().count("database is locked") + sum("database is locked" in str(row[2]) for row in closed)
    refused = sum(status != 202 for status, _ in responses)
    slowest = max(taken for _, taken in responses)
    longest_seconds = max(float(str(row[3])) for row in closed)
    row = [
        f"{films} films, Openreel",
        f"{seconds:.1f}",
        f"{films / seconds:.1f}",
        f"{slowest:.2f}",
        f"{longest_seconds:.1f}",
    ]
    return seconds, [*row, f"{memory.peak / 1024:.0f}", lost, locked, refused]


def printing_commands(instance: Instance, *, films: int) -> list[list[str]]:
    names = [instance.film() for _ in range(films)]
    return [[sys.executable, "-m", "scrapy", "crawl", "example", "-a", f"imdb_id={name}"] for name in names]


def saving_commands(instance: Instance, *, films: int) -> list[list[str]]:
    made = instance.run(CLOSED_JOB.format(films=[instance.film() for _ in range(films)]))
    return [saving_command(job) for job in made.split()]


def one_process_each(instance: Instance, commands: list[list[str]], *, doing: str) -> tuple[float, list[object]]:
    """Start a process per film, like a web server without a queue; return the seconds, and a table row."""
    films = len(commands)
    began = time.monotonic()
    started: list[subprocess.Popen[bytes]] = []
    with Memory(lambda: [process.pid for process in started]) as memory:
        for command in commands:
            started.append(
                subprocess.Popen(
                    command, cwd=ROOT, env=instance.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
            )
        failed = sum(process.wait() != 0 for process in started)
    seconds = time.monotonic() - began
    row = [f"{films} films, one process each, {doing}", f"{seconds:.1f}", f"{films / seconds:.1f}", "-", "-"]
    return seconds, [*row, f"{memory.peak / 1024:.0f}", failed, "-", "-"]


def storms(instance: Instance) -> str:
    fifty, few = storm(instance, films=50)
    _, many = storm(instance, films=500)
    printing, alone = one_process_each(instance, printing_commands(instance, films=50), doing="printing")
    saving, as_we_do = one_process_each(instance, saving_commands(instance, films=50), doing="saving")
    heads = (
        "at once",
        "all done s",
        "a second",
        "slowest response s",
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


def clicks(instance: Instance) -> str:
    """Count the jobs and crawls of 500 clicks on one film."""
    film = instance.film()
    with ThreadPoolExecutor(50) as pool:
        responses = list(pool.map(instance.click, [film] * 500))
    wait_until(lambda: instance.has_links(film))
    jobs = instance.rows(
        "SELECT count(*) FROM streaming_scrapejob j JOIN streaming_movie m ON m.id = j.movie_id WHERE imdb_id = ?", film
    )[0][0]
    pages = instance.request_counts().get(f"/films/{film}/", 0)
    odd = sum(status not in (200, 202) for status, _ in responses)
    return table("500 clicks on one film", ("jobs", "crawls", "other than 200 or 202"), [(jobs, pages, odd)])


PARTS = ("first", "page", "clicks", "storm", "celery")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.jobs", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="openreel-bench-", ignore_cleanup_errors=True) as folder:
        instance = Instance(Path(folder))
        benchmarks: dict[str, Callable[[], str]] = {
            "first": lambda: first_link(instance, rounds=options.rounds),
            "page": lambda: page_times(instance, rounds=3 * options.rounds),
            "clicks": lambda: clicks(instance),
            "storm": lambda: storms(instance),
        }
        try:
            instance.open()
            ours(instance)
            for part in options.only:
                if part in benchmarks:
                    print(benchmarks[part](), flush=True)
        finally:
            instance.close()
        if "celery" in options.only:
            print(two_workers_against_one(Path(folder)), flush=True)


if __name__ == "__main__":
    main()
