"""What is measured of a build on a catalogue: requests per second by a server, and pages in one process."""

from __future__ import annotations

import http.client
import json
import random
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

from bench.catalogue.clients import measure
from bench.catalogue.databases import BARE, OPENREEL, Catalogue, gunicorn_command
from bench.catalogue.films import generate, imdb_id
from bench.instance import ROOT, listens, wait_until
from tests.helpers.http_servers import free_port

CLIENTS, WORKERS, THREADS = 8, 2, 8
DETAILS, TYPED_TITLES, SEED = 500, 60, 1
MOVIES = "/api/streaming/movies/"
FIRST, UNSEEN, DETAIL = "first page", "pages, each once", "one movie"
NOT_MODIFIED, EMPTY = "304 for the first page", "empty view"
HEADERS = {"User-Agent": "Googlebot/2.1", "Accept": "*/*"}
TUTORIAL_PAGES = ("", "?year=1968", "?search=love", "?page={last}", "tt0000020/")
LISTS = (
    "", "?type=show", "?year=1968", "?search=night", "?search=love", "?search=night+dead", "?search=nigh",
    "?search=montain", "?search=zzqqxx", "?language=eo&quality=2160p", "?source=commons", "?page={last}", "?cursor=",
    "?ordering=-year", "?has_links=false", "?updated_since=2026-11-10", "tt0000020/",
)  # fmt: skip
PAGES = (
    "/", "/?q=love", "/?q=nigh", "/?working=1&language=eo", "/?sort=links", "/?decade=1960", "/?page={last}",
    "/streaming/tt0000020/", "/health/", "/sources/", "/api/streaming/stats/", "/metrics", "/sitemap.xml",
    "/feeds/new.xml", "/api/streaming/changes/", "/readyz",
)  # fmt: skip
LAST_PAGE, PAGE_ROWS = 400, 24


@dataclass(slots=True, kw_only=True)
class Measured:
    """The figures of one build on one catalogue; pages by path as (first, best), typing as (p50, p99), in ms.

    `import_seconds` is 0 if the films were there already.
    """

    rates: dict[str, float] = field(default_factory=dict)
    pages: dict[str, tuple[float, float]] = field(default_factory=dict)
    typing: tuple[float, float] | None = None
    import_seconds: float = 0.0


def measure_build(build: str, catalogue: Catalogue, *, seconds: float) -> Measured:
    """Measure one build; `seconds` is the time for each rate, and five times that is the limit for typing."""
    measured = Measured(rates=_rates(build, catalogue, seconds))
    if build == BARE:
        return measured
    wanted = {"pages": _pages(build, catalogue.films), "typed": list(_typed(catalogue.films)), "seconds": 5 * seconds}
    result = json.loads(_run(build, catalogue, json.dumps(wanted)))
    measured.pages = {page["path"]: (page["first"], page["best"]) for page in result["pages"]}
    times = sorted(result["typed"])
    measured.typing = statistics.median(times), times[int(len(times) * 0.99)]
    return measured


def _pages(build: str, films: int) -> Sequence[str]:
    """The paths to time; the deep page is 400, or the last one of a smaller catalogue."""
    paths = [f"{MOVIES}{rest}" for rest in (LISTS if build == OPENREEL else TUTORIAL_PAGES)]
    last = min(LAST_PAGE, films // PAGE_ROWS)
    return [path.format(last=last) for path in (*paths, *(PAGES if build == OPENREEL else ()))]


def _run(build: str, catalogue: Catalogue, wanted: str) -> str:
    command = [sys.executable, "-m", "bench.catalogue.probe"]
    environment = catalogue.environment(build)
    return subprocess.run(
        command, cwd=ROOT, env=environment, check=True, input=wanted, stdout=subprocess.PIPE, text=True
    ).stdout


def _rates(build: str, catalogue: Catalogue, seconds: float) -> dict[str, float]:
    rng = random.Random(SEED)
    details = [f"{MOVIES}{imdb_id(rng.randint(1, catalogue.films))}/" for _ in range(DETAILS)]
    with _server(build, catalogue) as port:
        rates = {FIRST: _rate(port, [MOVIES], seconds), DETAIL: _rate(port, details, seconds)}
        if build != BARE:
            rates[UNSEEN] = _rate(port, _unseen_pages(catalogue.films), seconds)
        if build == OPENREEL:
            rates[EMPTY] = _rate(port, ["/empty/"], seconds)
            rates[NOT_MODIFIED] = _rate(port, [MOVIES], seconds, etag=_etag(port))
    return rates


def _unseen_pages(films: int) -> Sequence[str]:
    """More lists than are requested, so that no response is there already; the tutorial ignores the size."""
    last = min(LAST_PAGE, films // PAGE_ROWS) // 2
    return [f"{MOVIES}?page={page}&page_size={size}" for size in range(PAGE_ROWS, 9, -1) for page in range(1, last)]


def _rate(port: int, paths: Sequence[str], seconds: float, *, etag: str = "") -> float:
    headers = {**HEADERS, **({"If-None-Match": etag} if etag else {})}
    rate = measure(port, paths, clients=CLIENTS, seconds=seconds, headers=headers, status=304 if etag else 200)
    if rate.unexpected:
        raise RuntimeError(f"{paths[0]}: {rate.unexpected} responses had another status")
    return rate.per_second


def _etag(port: int) -> str:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", MOVIES, headers=HEADERS)
        return connection.getresponse().headers["ETag"]


@contextmanager
def _server(build: str, catalogue: Catalogue) -> Iterator[int]:
    port = free_port()
    command = gunicorn_command(build, port, workers=WORKERS, threads=THREADS)
    log = (catalogue.folder / "servers.log").open("ab")
    with log, subprocess.Popen(command, cwd=ROOT, env=catalogue.environment(build), stderr=log) as server:
        try:
            wait_until(lambda: server.poll() is not None or listens(port))
            yield port
        finally:
            server.terminate()


def _typed(films: int) -> Iterator[str]:
    """Searches as somebody types titles that are there, letter by letter, in a fixed random order."""
    titles = [film["title"] for film in generate(min(films, 10_000))]
    rng = random.Random(SEED)
    searches = [title[:end] for title in rng.sample(titles, TYPED_TITLES) for end in range(1, len(title) + 1)]
    rng.shuffle(searches)
    yield from (f"{MOVIES}?{urlencode({'search': text})}" for text in searches if text.strip())
