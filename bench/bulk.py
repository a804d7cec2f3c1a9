"""Compare imports, exports and removals with raw SQL on SQLite (`make bench-bulk`), all in one run.

Raw SQL is what the database alone takes: the same rows by `executemany`, with the same indexes but without triggers,
search index and validation. CPU time counts, because no machine is idle; another process asks for the write lock all
the time and says how long it had to wait at most.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from bench.instance import table

SEED = 20_261_129
SOURCES = ("internet_archive", "commons", "library_of_congress", "peertube", "wikidata")
QUALITIES = ("480p", "720p", "1080p", "2160p", "")
LANGUAGES = ("en", "en", "en", "es", "fr", "de", "it", "ja", "ru", "")
SYLLABLES = [
    "ba",
    "ce",
    "di",
    "fo",
    "gu",
    "ha",
    "je",
    "ki",
    "lo",
    "mu",
    "na",
    "pe",
    "ri",
    "so",
    "tu",
    "va",
    "we",
    "yo",
    "za",
    "sh",
]
BATCH_FILMS = 1000
FILMS_PER_REMOVAL = 10
WAITER = """
import sqlite3, sys, time
connection, longest = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None), 0.0
print("ready", flush=True)
while True:
    started = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    longest = max(longest, time.perf_counter() - started)
    connection.execute("ROLLBACK")
    print(longest, flush=True)
    time.sleep(0.02)
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One step: seconds by the clock and of CPU, and what a step of ours made another writer wait at most."""

    name: str
    links: int
    wall: float
    cpu: float
    longest_wait: float | None = None

    def row(self, raw: Measured) -> list[str]:
        waited = "" if self.longest_wait is None else f"{self.longest_wait:.2f}"
        rates = (f"{self.links / seconds:,.0f}" for seconds in (self.cpu, self.wall))
        return [self.name, *rates, f"{self.cpu:.1f}", f"{self.cpu / raw.cpu:.1f}", waited]


def write_films(path: Path, count: int) -> int:
    """Write a seeded catalogue in the format of exports; return the number of its links."""
    rng, links = random.Random(SEED), 0
    words = ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(20_000)]
    with path.open("wb") as out:
        for number in range(1, count + 1):
            film = _film(number, rng, words)
            links += len(film["links"])
            out.write(orjson.dumps(film) + b"\n")
    return links


def _film(number: int, rng: random.Random, words: list[str]) -> dict[str, object]:
    def text(length: int) -> str:
        return " ".join(words[int(len(words) * rng.random() ** 3)] for _ in range(length))

    imdb_id = f"tt{number * 7 + 13:07d}"
    return {
        "imdb_id": imdb_id,
        "title": text(rng.randint(1, 6)).capitalize(),
        "year": 2026 - min(130, int(rng.expovariate(1 / 22))),
        "type": "show" if rng.random() < 0.2 else "movie",
        "poster_url": f"https://posters.example.org/{imdb_id}.jpg",
        "synopsis": text(rng.randint(0, 80)),
        "links": [_link(imdb_id, part, rng) for part in range(rng.randint(0, 10))],
    }


def _link(imdb_id: str, part: int, rng: random.Random) -> dict[str, object]:
    source = rng.choice(SOURCES)
    return {
        "source": source,
        "source_url": f"https://{source.replace('_', '-')}.example.org/watch/{imdb_id}/{part}?v={rng.randrange(10**6)}",
        "kind": "page",
        "label": "",
        "quality": rng.choice(QUALITIES),
        "language": rng.choice(LANGUAGES),
        "licence": "public-domain",
        "licence_url": "",
        "is_active": rng.random() < 0.75,
        "last_checked": f"2026-01-{rng.randint(1, 28):02}T{rng.randrange(24):02}:{rng.randrange(60):02}:00Z",
    }


@contextmanager
def longest_wait(database: Path) -> Iterator[Callable[[], float]]:
    """Ask for the write lock all the time; yield a function that returns the longest wait so far."""
    command = [sys.executable, "-c", WAITER, str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        lines: list[str] = []

        def read() -> float:
            process.kill()
            lines.extend(process.stdout or ())
            complete = [line for line in lines if line.endswith("\n")]
            return float(complete[-1]) if complete else 0.0

        yield read


def measure(name: str, links: int, step: Callable[[], object], *, database: Path | None = None) -> Measured:
    """Run a step; with a database, beside another writer to it."""
    if database is None:
        wall, cpu = time.perf_counter(), time.process_time()
        step()
        return Measured(name, links, time.perf_counter() - wall, time.process_time() - cpu)
    with longest_wait(database) as waited:
        measured = measure(name, links, step)
        return Measured(name, links, measured.wall, measured.cpu, waited())


def raw_connection(database: Path) -> sqlite3.Connection:
    """A connection with the product's settings to a copy without triggers."""
    connection = sqlite3.connect(database, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-65536", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    return connection


def raw_import(connection: sqlite3.Connection, full: Path) -> Callable[[], None]:
    """A function that inserts the rows of a filled database."""
    with closing(sqlite3.connect(full)) as source:
        movies = source.execute("SELECT * FROM streaming_movie ORDER BY id").fetchall()
        links = source.execute("SELECT * FROM streaming_streaminglink ORDER BY movie_id, id").fetchall()
        columns = [row[1] for row in source.execute("PRAGMA table_info(streaming_streaminglink)")]
    owner, by_movie = columns.index("movie_id"), dict[int, list[tuple[object, ...]]]()
    for link in links:
        by_movie.setdefault(link[owner], []).append(link)

    def insert() -> None:
        for start in range(0, len(movies), BATCH_FILMS):
            batch = movies[start : start + BATCH_FILMS]
            connection.execute("BEGIN IMMEDIATE")
            _insert(connection, "streaming_movie", batch)
            _insert(
                connection, "streaming_streaminglink", [link for movie in batch for link in by_movie.get(movie[0], ())]
            )
            connection.execute("COMMIT")

    return insert


def _insert(connection: sqlite3.Connection, name: str, rows: list[tuple[object, ...]]) -> None:
    if rows:
        connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)


def raw_second_import(connection: sqlite3.Connection, file: Path) -> None:
    """Read the lines as JSON and write when their links were seen, nothing compared."""
    sql = (
        "UPDATE streaming_streaminglink SET last_seen = CURRENT_TIMESTAMP WHERE source_url = ? AND movie_id = "
        "(SELECT id FROM streaming_movie WHERE imdb_id = ?)"
    )
    connection.execute("BEGIN IMMEDIATE")
    with file.open("rb") as lines:
        for line in lines:
            film = json.loads(line)
            connection.executemany(sql, [(link["source_url"], film["imdb_id"]) for link in film["links"]])
    connection.execute("COMMIT")


def raw_export(connection: sqlite3.Connection, target: Path) -> None:
    """Write each link with its film as JSON, unranked."""
    rows = connection.execute(
        "SELECT m.imdb_id, m.title, m.year, m.type, m.poster_url, m.synopsis, l.source, l.source_url, l.kind, l.label, "
        "l.quality, l.language, l.licence, l.licence_url, l.is_active, l.last_checked FROM streaming_movie m "
        "JOIN streaming_streaminglink l ON l.movie_id = m.id ORDER BY m.imdb_id"
    )
    with target.open("w") as out:
        out.writelines(f"{json.dumps(row)}\n" for row in rows)


def raw_removal(connection: sqlite3.Connection, ids: list[int]) -> None:
    """Delete films and their links, without tombstones."""
    for start in range(0, len(ids), BATCH_FILMS):
        listed = ",".join(map(str, ids[start : start + BATCH_FILMS]))
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"DELETE FROM streaming_streaminglink WHERE movie_id IN ({listed})")
        connection.execute(f"DELETE FROM streaming_movie WHERE id IN ({listed})")
        connection.execute("COMMIT")


def run(folder: Path, films: int) -> tuple[list[list[str]], str]:
    """Measure everything; return the rows of the table and a sentence about memory."""
    from django.core.management import call_command  # noqa: PLC0415  after the settings of this run

    from streaming.ingest.tombstones import remove_movies  # noqa: PLC0415
    from streaming.models import Movie, StreamingLink  # noqa: PLC0415
    from streaming.models.id_list import IdList  # noqa: PLC0415

    ours, bare, file, out = (folder / name for name in ("ours.sqlite3", "bare.sqlite3", "films.jsonl", "out.jsonl"))
    links = write_films(file, films)
    call_command("migrate", verbosity=0)
    with closing(sqlite3.connect(ours)) as empty, closing(sqlite3.connect(bare)) as copy:
        empty.backup(copy)

    def command(*args: str) -> Callable[[], object]:
        return lambda: call_command(*args, stdout=io.StringIO(), stderr=io.StringIO())

    first = measure("first import", links, command("import_catalogue", str(file)), database=ours)
    second = measure("second import", links, command("import_catalogue", str(file)), database=ours)
    export = measure("export", links, command("export_catalogue", str(out)))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    ids = list(Movie.objects.order_by("pk").values_list("pk", flat=True))[::FILMS_PER_REMOVAL]
    chosen = IdList(ids)
    removed = StreamingLink.objects.filter(movie__in=chosen).count()
    with closing(raw_connection(bare)) as connection:
        raw = [
            measure("raw SQL", links, raw_import(connection, ours)),
            measure("raw SQL", links, lambda: raw_second_import(connection, file)),
            measure("raw SQL", links, lambda: raw_export(connection, folder / "raw.jsonl")),
            measure("raw SQL", removed, lambda: raw_removal(connection, ids)),
        ]
    removal = measure(
        f"removal of {len(ids):,} films",
        removed,
        lambda: remove_movies(Movie.objects.filter(pk__in=chosen), reason="benchmark"),
        database=ours,
    )
    rows = [
        row
        for mine, bare_step in zip((first, second, export, removal), raw, strict=True)
        for row in (mine.row(bare_step), bare_step.row(bare_step))
    ]
    return rows, f"{films:,} films, {links:,} links; memory of this process {memory} MB before raw SQL"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=10_000)
    films = parser.parse_args().films
    with tempfile.TemporaryDirectory(prefix="openreel-bulk-") as name:
        os.environ["DATABASE_URL"] = f"sqlite:///{name}/ours.sqlite3"
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "MovieBackend.settings")
        import django  # noqa: PLC0415  after the settings of this run

        django.setup()
        rows, note = run(Path(name), films)
    heads = ["step", "links/s of CPU", "links/s", "CPU s", "of raw", "another writer waited, s"]
    print(table(note, heads, rows))


if __name__ == "__main__":
    main()
