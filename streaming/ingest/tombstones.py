"""Removing movies with a tombstone, and restoring them: the same rows with the same ids."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any, TypeVar

import orjson
from django.core import serializers
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from streaming.ingest.batch_limit import BatchLimit
from streaming.ingest.blocklist import Blocklist
from streaming.ingest.bulk_connection import bulk_connection
from streaming.ingest.bulk_insert import insert_rows
from streaming.ingest.row_locks import lock_appearance
from streaming.models import (
    ArchivedCopy,
    Binding,
    LinkFlip,
    LinkReport,
    Movie,
    MovieQuerySet,
    RemovedMovie,
    ScrapeJob,
    StreamingLink,
)
from streaming.models.bulk_counts import removal_counted_together
from streaming.models.id_list import IdList
from streaming.models.removed import next_removed_check
from streaming.models.row_json import row_as_json

FIRST_BATCH_MOVIES, MIN_BATCH_MOVIES, MAX_BATCH_MOVIES = 100, 100, 2000
"""A smaller batch would hardly hold the lock for less: rows are counted together from 100 movies on."""
MOVIE, LINK, FLIP, BINDING = (model._meta.label_lower for model in (Movie, StreamingLink, LinkFlip, Binding))
URL_FIELD_BY_MODEL = {LINK: "source_url", BINDING: "url"}
Row = TypeVar("Row", bound=models.Model)


def remove_movies(
    movies: MovieQuerySet,
    *,
    reason: str,
    cause: RemovedMovie.Cause = RemovedMovie.Cause.CHECK,
    now: datetime | None = None,
) -> int:
    """Remove these movies and write their tombstones, one transaction per batch; return how many.

    `now`: the moment of the run that removes them, see `_moment`.
    """
    removed, last = 0, 0
    limit = BatchLimit(FIRST_BATCH_MOVIES, minimum=MIN_BATCH_MOVIES, maximum=MAX_BATCH_MOVIES)
    with ExitStack() as many:
        # From the last one on: what stays would be read again for each batch.
        while ids := list(movies.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[: limit.rows]):
            if not last and len(ids) == limit.rows and not connection.in_atomic_block:
                many.enter_context(bulk_connection())
            limit.let_others_write()
            last, started = ids[-1], time.monotonic()
            with transaction.atomic():
                tombstone = RemovedMovie(reason=reason, cause=cause, removed_at=_moment(now))
                removed += _remove(_lock_removable(movies, ids), tombstone)
            limit.adapt(time.monotonic() - started)
    return removed


def restore_movies(
    imdb_ids: Iterable[str],
    *,
    causes: Sequence[str] = RemovedMovie.Cause.values,
    now: datetime | None = None,
) -> list[str]:
    """Restore movies that were removed for one of these causes; return the ids of those restored.

    Movies that exist or are taken down are skipped. `now`: the moment of the run that restores them, see `_moment`.
    """
    restored = []
    for tombstone in RemovedMovie.objects.removed().filter(imdb_id__in=set(imdb_ids), cause__in=causes).order_by("pk"):
        if _restore_if_missing(tombstone, at=_moment(now)):
            restored.append(tombstone.imdb_id)
    return restored


def _moment(now: datetime | None) -> datetime:
    """The time of an event: that of writing it, or mirrors that have read up to it would never learn of it.

    It is not before the run that writes it: its checks count as checks before the event.
    """
    return timezone.now() if now is None else max(now, timezone.now())


def _lock_removable(movies: MovieQuerySet, ids: Sequence[int]) -> list[int]:
    """Lock the rows and return those still in `movies`: a link may have been found since they were selected."""
    list(Movie.objects.select_for_update().filter(pk__in=IdList(ids)).order_by("pk").values_list("pk"))
    return list(movies.filter(pk__in=IdList(ids)).order_by("pk").values_list("pk", flat=True))


def _remove(ids: Sequence[int], tombstone: RemovedMovie) -> int:
    """Remove the movies of one batch; `tombstone` has what is the same for all of them."""
    if ids:
        _write_tombstones(ids, tombstone)
        with removal_counted_together(ids):
            for rows in _rows_of_movies(ids).values():
                rows._raw_delete(rows.db)
    return len(ids)


def _rows_of_movies(ids: Sequence[int]) -> dict[str, models.QuerySet[Any]]:
    """All that exists only as long as these movies do, by model, in the order in which it may be deleted."""
    links = StreamingLink.objects.filter(movie__in=IdList(ids))
    rows = (
        LinkFlip.objects.filter(link__in=links.values("pk")),
        LinkReport.objects.filter(link__in=links.values("pk")),
        ArchivedCopy.objects.filter(link__in=links.values("pk")),
        links,
        Binding.objects.filter(movie__in=IdList(ids)),
        ScrapeJob.objects.filter(movie__in=IdList(ids)),
        Movie.objects.filter(pk__in=IdList(ids)),
    )
    return {queryset.model._meta.label_lower: queryset for queryset in rows}


def _write_tombstones(ids: Sequence[int], common: RemovedMovie) -> None:
    found = _rows_of_movies(ids)
    movies, rows = list(_with_json(found[MOVIE], "pk", "imdb_id", "title")), _rows_beside_movie(found)
    next_check_at = None
    if common.returns_by_itself:
        next_check_at = next_removed_check(removed_at=common.removed_at, now=common.removed_at)
    # A movie that was created again instead of restored has an open tombstone already: its rows go into the new one.
    earlier = _take_open_tombstones([imdb_id for _, imdb_id, *_ in movies])
    adapt = connection.ops.adapt_datetimefield_value
    same = (adapt(common.removed_at), common.reason, str(common.cause), adapt(next_check_at))
    insert_rows(
        RemovedMovie,
        ("imdb_id", "title", "snapshot", "removed_at", "reason", "cause", "next_check_at"),
        (
            (imdb_id, title, _snapshot([movie, *rows[pk]], earlier.get(imdb_id, [])), *same)
            for pk, imdb_id, title, movie in movies
        ),
    )


def _rows_beside_movie(found: Mapping[str, models.QuerySet[Any]]) -> Mapping[int, list[str]]:
    """The JSON of links, their flips and bindings, in this order, by the movie's id."""
    rows, movie_by_link = defaultdict[int, list[str]](list), dict[int, int]()
    for pk, movie, link in _with_json(found[LINK], "pk", "movie_id"):
        movie_by_link[pk] = movie
        rows[movie].append(link)
    for link, flip in _with_json(found[FLIP], "link_id"):
        rows[movie_by_link[link]].append(flip)
    for movie, binding in _with_json(found[BINDING], "movie_id"):
        rows[movie].append(binding)
    return rows


def _take_open_tombstones(imdb_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Delete the open tombstones of these movies; return the rows of each."""
    existing = RemovedMovie.objects.removed().filter(imdb_id__in=imdb_ids)
    if rows := {tombstone.imdb_id: tombstone.snapshot["rows"] for tombstone in existing}:
        existing.delete()
    return rows


def _with_json(rows: models.QuerySet[Any], *columns: str) -> Iterable[tuple[Any, ...]]:
    """These columns of the rows, in order of ids, and each row as JSON."""
    return rows.order_by("pk").values_list(*columns, row_as_json(rows.model))


def _snapshot(current: Sequence[str], earlier: Sequence[dict[str, Any]]) -> str:
    """The JSON of these rows, each of which is JSON, and of those that only an earlier tombstone has."""
    more = _rows_only_in_earlier(earlier, [orjson.loads(row) for row in current]) if earlier else []
    return f'{{"rows":[{",".join([*current, *(orjson.dumps(row).decode() for row in more)])}]}}'


def _rows_only_in_earlier(earlier: Sequence[dict[str, Any]], current: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The links and bindings of an earlier tombstone whose URLs are not among the current rows, and their flips."""
    known = {(row["model"], _url(row)) for row in current}
    kept = [row for row in earlier if row["model"] in URL_FIELD_BY_MODEL and (row["model"], _url(row)) not in known]
    links = {row["pk"] for row in kept if row["model"] == LINK}
    return [*kept, *(row for row in earlier if row["model"] == FLIP and row["fields"]["link"] in links)]


def _url(row: dict[str, Any]) -> str | None:
    url: str | None = row["fields"].get(URL_FIELD_BY_MODEL.get(row["model"]))
    return url


def _restore_if_missing(tombstone: RemovedMovie, *, at: datetime) -> bool:
    try:
        with transaction.atomic():
            blocklist = Blocklist.load_locked()
            lock_appearance(restores=True)
            return _restore(tombstone, blocklist, at=at)
    except IntegrityError:
        # Another request has created or restored the movie since we looked for it; any other cause is an error.
        if not Movie.objects.filter(imdb_id=tombstone.imdb_id).exists():
            raise
        return False


def _restore(tombstone: RemovedMovie, blocklist: Blocklist, *, at: datetime) -> bool:
    if blocklist.is_blocked(imdb_id=tombstone.imdb_id):
        return False
    if Movie.objects.filter(imdb_id=tombstone.imdb_id).exists():
        return False  # The tombstone stays: it holds the rows of the movie that existed before this one.
    if not RemovedMovie.objects.filter(pk=tombstone.pk, restored_at=None).update(restored_at=at):
        return False
    _insert_rows(tombstone, blocklist)
    return True


def _insert_rows(tombstone: RemovedMovie, blocklist: Blocklist) -> None:
    rows = [loaded.object for loaded in serializers.deserialize("python", tombstone.snapshot["rows"])]
    movie = next(row for row in rows if isinstance(row, Movie))
    links = [row for row in rows if isinstance(row, StreamingLink)]
    flips = [row for row in rows if isinstance(row, LinkFlip)]
    bindings = [row for row in rows if isinstance(row, Binding)]
    _insert_with_free_ids(Movie, [movie])
    for link in links:
        link.movie = movie
        link.next_check_at = None  # Due at once: its next check may have been planned for a month later.
        if blocklist.is_blocked(url=link.source_url):
            link.take_down()
        else:
            link.bring_back()
    _insert_with_free_ids(StreamingLink, links)
    link_by_old_id = dict(zip(_old_link_ids(tombstone), links, strict=True))
    for flip in flips:
        flip.link = link_by_old_id[flip.link_id]
    _insert_with_free_ids(LinkFlip, flips)
    for binding in bindings:
        binding.movie = movie
    _insert_with_free_ids(Binding, bindings)


def snapshot_links(tombstone: RemovedMovie) -> list[dict[str, Any]]:
    """The fields of the removed movie's links."""
    return [row["fields"] for row in tombstone.snapshot["rows"] if row["model"] == LINK]


def forget_links(tombstone: RemovedMovie, is_forgotten: Callable[[int, Mapping[str, Any]], bool]) -> None:
    """Take links, by their ids and fields, and their flips out of a tombstone, so that they do not return with it."""
    rows = tombstone.snapshot["rows"]
    ids = {row["pk"] for row in rows if row["model"] == LINK and is_forgotten(row["pk"], row["fields"])}
    kept = [
        row
        for row in rows
        if not ((row["model"] == LINK and row["pk"] in ids) or (row["model"] == FLIP and row["fields"]["link"] in ids))
    ]
    if ids:
        tombstone.snapshot = {**tombstone.snapshot, "rows": kept}
        tombstone.save(update_fields=["snapshot"])


def _old_link_ids(tombstone: RemovedMovie) -> list[int]:
    return [row["pk"] for row in tombstone.snapshot["rows"] if row["model"] == LINK]


def _insert_with_free_ids(model: type[Row], rows: Sequence[Row]) -> None:
    """Insert the rows with their old ids; a row whose id is in use gets a new one."""
    used = set(model._default_manager.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    for row in rows:
        if row.pk in used:
            row.pk = None
    model._default_manager.bulk_create(rows)
