"""An instance of its own: serves this database, and changes it at random when it is asked to.

Run it as `python -m tests.helpers.instance_process PORT SEED`. It writes `ready`, and for each number N that it reads
makes N changes in films of which staff, spiders, checks and takedowns have some, and writes how many it made.
"""

from __future__ import annotations

import random
import sys
import threading

from tests.helpers import concurrent_writers  # sets Django up

# isort: split
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.db import connection, transaction

from streaming import views
from streaming.ingest import edits
from streaming.models import Movie
from tests.helpers.concurrent_writers import CONFLICTS, write

FILMS, FILMS_PER_PAGE, LINKS_RATIO = 40, 7, 0.3


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Log nothing."""


def serve(port: int) -> None:
    """Serve the site in a thread that ends with the process."""
    server = ThreadedWSGIServer(("127.0.0.1", port), QuietHandler)
    server.set_app(get_wsgi_application())
    threading.Thread(target=server.serve_forever, daemon=True).start()


def add_link(chance: random.Random) -> None:
    """Add a link to some film."""
    url = f"https://films.example.org/{chance.randrange(10**6)}"
    movie = Movie.objects.get(imdb_id=concurrent_writers.imdb_id(chance))
    edits.create_link({"source": "commons", "source_url": url, "licence": "cc-by"}, movie=movie)


def change(chance: random.Random, number: int) -> int:
    """Make this many changes; return in how many tries."""
    made = tries = 0
    while made < number:
        tries += 1
        try:
            with transaction.atomic():
                (add_link if chance.random() < LINKS_RATIO else write)(chance)
            made += 1
        except CONFLICTS:
            continue
    return tries


def main(port: int, seed: int) -> None:
    concurrent_writers.MOVIES, views.CHANGES_PAGE_SIZE = FILMS, FILMS_PER_PAGE
    chance = random.Random(seed)
    serve(port)
    print("ready", flush=True)
    for line in sys.stdin:
        print(change(chance, int(line)), flush=True)
    connection.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
