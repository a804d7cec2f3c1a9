"""Removing movies with a tombstone, and restoring them: the same rows with the same ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.core import serializers
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from streaming.ingest.blocklist import Blocklist
from streaming.models import Binding, LinkFlip, Movie, MovieQuerySet, RemovedMovie, StreamingLink
from streaming.models.removed import next_removed_check

BATCH_SIZE = 200
LINK, FLIP, BINDING = (StreamingLink._meta.label_lower, LinkFlip._meta.label_lower, Binding._meta.label_lower)
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
    removed = 0
    while ids := list(movies.order_by("pk").values_list("pk", flat=True)[:BATCH_SIZE]):
        with transaction.atomic():
            tombstone = RemovedMovie(reason=reason, cause=cause, removed_at=_moment(now))
            removed += _remove(_lock_removable(movies, ids), tombstone)
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


def _lock_removable(movies: MovieQuerySet, ids: Sequence[int]) -> list[Movie]:
    """Lock the rows and return those still in `movies`: a link may have been found since they were selected."""
    list(Movie.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))
    return list(movies.filter(pk__in=ids).order_by("pk"))


def _remove(batch: Sequence[Movie], tombstone: RemovedMovie) -> int:
    """Remove the movies of one batch; `tombstone` has what is the same for all of them."""
    _write_tombstones(batch, tombstone)
    Movie.objects.filter(pk__in=[movie.pk for movie in batch]).delete()
    return len(batch)


def _write_tombstones(batch: Sequence[Movie], common: RemovedMovie) -> None:
    links, flips = defaultdict(list), defaultdict(list)
    for link in StreamingLink.objects.filter(movie__in=batch).order_by("pk"):
        links[link.movie_id].append(link)
    for flip in LinkFlip.objects.filter(link__movie__in=batch).select_related("link").order_by("pk"):
        flips[flip.link.movie_id].append(flip)
    bindings = defaultdict(list)
    for binding in Binding.objects.filter(movie__in=batch).order_by("pk"):
        bindings[binding.movie_id].append(binding)
    next_check_at = None
    if common.returns_by_itself:
        next_check_at = next_removed_check(removed_at=common.removed_at, now=common.removed_at)
    # A movie that was created again instead of restored has an open tombstone already: its rows go into the new one.
    existing = RemovedMovie.objects.filter(imdb_id__in=[movie.imdb_id for movie in batch], restored_at=None)
    earlier = {tombstone.imdb_id: tombstone.snapshot["rows"] for tombstone in existing}
    existing.delete()
    RemovedMovie.objects.bulk_create(
        RemovedMovie(
            imdb_id=movie.imdb_id,
            title=movie.title,
            removed_at=common.removed_at,
            reason=common.reason,
            cause=common.cause,
            next_check_at=next_check_at,
            snapshot=_snapshot(
                [movie, *links[movie.pk], *flips[movie.pk], *bindings[movie.pk]], earlier.get(movie.imdb_id, [])
            ),
        )
        for movie in batch
    )


def _snapshot(rows: Sequence[models.Model], earlier: Sequence[dict[str, Any]]) -> dict[str, Any]:
    current = serializers.serialize("python", rows)
    return {"rows": [*current, *_rows_only_in_earlier(earlier, current)]}


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
            return _restore(tombstone, Blocklist.load_locked(), at=at)
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


def _old_link_ids(tombstone: RemovedMovie) -> list[int]:
    return [row["pk"] for row in tombstone.snapshot["rows"] if row["model"] == LINK]


def _insert_with_free_ids(model: type[Row], rows: Sequence[Row]) -> None:
    """Insert the rows with their old ids; a row whose id is in use gets a new one."""
    used = set(model._default_manager.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    for row in rows:
        if row.pk in used:
            row.pk = None
    model._default_manager.bulk_create(rows)
