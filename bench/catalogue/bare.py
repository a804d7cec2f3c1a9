"""The limit: a WSGI function that reads Openreel's tables by the driver and writes JSON, without Django.

It answers `/api/streaming/movies/`, one movie by IMDb id, and `/empty/`; nothing is checked.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson
import psycopg

DATABASE_URL = os.environ["DATABASE_URL"]
MOVIE = ("id", "imdb_id", "title", "year", "type", "poster_url", "synopsis", "created_at", "updated_at")
LINK = (
    "id", "source", "source_url", "kind", "label", "quality", "language", "licence", "licence_url", "is_active",
    "last_checked", "reason", "strength", "response_ms", "checks",
)  # fmt: skip
PREFIX = "/api/streaming/movies/"
FIRST_PAGE = f"SELECT {', '.join(MOVIE)} FROM streaming_movie ORDER BY search_title, id LIMIT 24"
ONE_MOVIE = f"SELECT {', '.join(MOVIE)} FROM streaming_movie WHERE imdb_id = {{mark}}"
COUNT = "SELECT SUM(movies) FROM streaming_moviecount"
LINKS = (
    f"SELECT movie_id, {', '.join(LINK)} FROM streaming_streaminglink WHERE movie_id IN ({{marks}}) AND is_active AND "
    "is_published ORDER BY id"
)
threads = threading.local()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    body = _respond(environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def _respond(path: str) -> bytes:
    if path == PREFIX:
        rows = _rows(FIRST_PAGE)
        (count,) = _rows(COUNT)[0]
        return orjson.dumps({"count": int(count), "next": f"{PREFIX}?page=2", "results": _movies(rows)})
    if path.startswith(PREFIX):
        return orjson.dumps(_movies(_rows(ONE_MOVIE.format(mark=_mark()), path[len(PREFIX) : -1]))[0])
    return b""


def _movies(rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    links = defaultdict(list)
    marks = ", ".join([_mark()] * len(rows))
    for movie_id, *values in _rows(LINKS.format(marks=marks), *(row[0] for row in rows)):
        links[movie_id].append(dict(zip(LINK, values, strict=True)))
    return [{**dict(zip(MOVIE, row, strict=True)), "links": links[row[0]]} for row in rows]


def _mark() -> str:
    return "?" if DATABASE_URL.startswith("sqlite") else "%s"


def _rows(sql: str, *values: Any) -> list[Any]:
    if not hasattr(threads, "connection"):
        threads.connection = _connect()
    return threads.connection.execute(sql, values).fetchall()


def _connect() -> Any:
    if DATABASE_URL.startswith("sqlite"):
        return sqlite3.connect(DATABASE_URL.removeprefix("sqlite:///"), isolation_level=None)
    return psycopg.connect(DATABASE_URL, autocommit=True)
