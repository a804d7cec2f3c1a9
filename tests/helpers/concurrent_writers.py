"""Four writers at random on one database while a mirror follows.

Run it as `python -m tests.helpers.concurrent_writers STEPS SEED`. It prints as JSON how many changes were made, in
which movies the mirror differs from the catalogue at the end, and where the catalogue contradicts its own counters.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import django

django.setup()

from django.core.exceptions import ObjectDoesNotExist  # noqa: E402
from django.db import DatabaseError, connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from scraper.net.url_policy import InvalidValue  # noqa: E402
from streaming.catalogue_check import check_all  # noqa: E402
from streaming.ingest import edits, review, takedown  # noqa: E402
from streaming.ingest.row_locks import RowGone  # noqa: E402
from streaming.ingest.tombstones import remove_movies, restore_movies  # noqa: E402
from streaming.models import Movie, RemovedMovie, StreamingLink  # noqa: E402
from streaming.search_words import title_words  # noqa: E402

CHANGES = "/api/streaming/changes/"
WRITERS, MOVIES = 4, 24
# What a person would have to decide: two writers met at the same rows.
CONFLICTS = (InvalidValue, DatabaseError, ObjectDoesNotExist, RowGone)


class Mirror:
    """A copy of the catalogue, kept as `docs/api.md` says."""

    def __init__(self) -> None:
        self.client, self.since, self.movies = Client(SERVER_NAME="127.0.0.1"), "", {}

    def follow(self) -> None:
        """Apply all changes that there are now."""
        more = True
        while more:
            page = self.client.get(CHANGES, {"since": self.since}).json()
            for row in page["changed"]:
                self.movies[row["imdb_id"]] = contents(row)
            for row in page["removed"]:
                self.movies.pop(row["imdb_id"], None)
            self.since, more = page["next_since"], page["more"]


def contents(row: dict[str, Any]) -> list[Any]:
    return [row["title"], sorted([link["source_url"], link["label"]] for link in row["links"])]


def sum_up() -> None:
    """What triggers do on PostgreSQL for each thousand rows of a counter."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for name in ("linkcount", "moviecount", "inactivereasoncount", "catalogueversion"):
                cursor.execute(f"SELECT streaming_{name}_fold()")


def imdb_id(chance: random.Random) -> str:
    return f"tt{chance.randrange(MOVIES):07d}"


def write(chance: random.Random) -> None:
    """One change of one movie, by the code that staff, spiders and the checker use, or by plain SQL."""
    name, number = imdb_id(chance), chance.randrange(10**6)
    movies, links = Movie.objects.filter(imdb_id=name), StreamingLink.objects.filter(movie__imdb_id=name)
    steps: list[Callable[[], object]] = [
        lambda: edits.create_movie({"imdb_id": name, "title": f"Movie {number}"}),
        lambda: edits.update_movie(movies.get(), {"title": f"Title {number}"}),
        lambda: edits.create_link(
            {"source": "commons", "source_url": f"https://films.example.org/{number}", "licence": "cc-by"},
            movie=movies.get(),
        ),
        lambda: [edits.update_link(link, {"label": f"Label {number}"}) for link in links[:1]],
        lambda: [edits.delete_link(link) for link in links[:1]],
        lambda: review.withdraw(links),
        lambda: review.publish(links, by="tests"),
        lambda: links.update(is_active=chance.random() < 0.7),
        lambda: links.update(last_checked=timezone.now(), reason=chance.choice(("ok", "http_404", "timeout"))),
        lambda: links.update(language=chance.choice(("", "en", "fr")), quality=chance.choice(("", "720p"))),
        lambda: movies.update(year=chance.choice((None, 1922, 1968)), type=chance.choice(("movie", "show"))),
        sum_up,
        lambda: movies.update(
            title=f"By SQL {number}", search_title=f"by sql {number}", search_words=title_words(f"By SQL {number}")
        ),
        lambda: remove_movies(movies, reason="gone", cause=RemovedMovie.Cause.CLEANUP),
        lambda: restore_movies([name]),
        lambda: takedown.block(name, reason="asked") if chance.random() < 0.2 else takedown.unblock(name),
    ]
    chance.choice(steps)()


def keep_writing(seed: int, steps: int) -> int:
    """Make this many changes; return how many met no conflict."""
    chance, made = random.Random(seed), 0
    for _ in range(steps):
        try:
            with transaction.atomic():
                write(chance)
                # Long enough that others begin later and commit earlier; on SQLite they would only wait.
                time.sleep(chance.choice((0, 0, 0.01, 0.03)) if connection.vendor == "postgresql" else 0)
            made += 1
        except CONFLICTS:
            continue
    connection.close()
    return made


def main(steps: int, seed: int) -> None:
    mirror = Mirror()
    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(keep_writing, seed + number, steps) for number in range(WRITERS)]
        while not all(writer.done() for writer in writers):
            mirror.follow()
    made = sum(writer.result() for writer in writers)
    mirror.follow()
    fresh = Mirror()
    fresh.follow()
    truth = {
        movie.imdb_id: [
            movie.title, sorted([link.source_url, link.display_label] for link in movie.links.active())
        ]
        for movie in Movie.objects.all()
    }  # fmt: skip
    wrong = sorted(name for name in mirror.movies.keys() | truth.keys() if mirror.movies.get(name) != truth.get(name))
    lies = [f"{finding.check.name}: {problem}" for finding in check_all() for problem in finding.problems]
    print(
        json.dumps({"lies": lies, "made": made, "movies": len(truth), "wrong": wrong, "fresh": fresh.movies == truth})
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
