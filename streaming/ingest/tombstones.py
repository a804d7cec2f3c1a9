"""Removing a movie with a tombstone, and bringing it back whole: the same rows with the same ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.core import serializers
from django.db import models, transaction
from django.utils import timezone

from streaming.ingest.blocklist import Blocklist
from streaming.models import Binding, LinkFlip, Movie, MovieQuerySet, RemovedMovie, StreamingLink
from streaming.reason_codes import Reason

BATCH_SIZE = 200
LINK, FLIP, BINDING = (StreamingLink._meta.label_lower, LinkFlip._meta.label_lower, Binding._meta.label_lower)
URL_FIELD_BY_MODEL = {LINK: "source_url", BINDING: "url"}
Row = TypeVar("Row", bound=models.Model)


def remove_movies(movies: MovieQuerySet, *, reason: str) -> int:
    """Remove these movies, each with a tombstone written first, in the same transaction a batch. Returns how many."""
    removed = 0
    while ids := list(movies.order_by("pk").values_list("pk", flat=True)[:BATCH_SIZE]):
        with transaction.atomic():
            removed += _remove(_lock_removable(movies, ids), reason=reason)
    return removed


def restore_movies(imdb_ids: Iterable[str]) -> list[str]:
    """Bring removed movies back; the ids of those that came. One that is here already or taken down is passed over."""
    wanted, blocklist = set(imdb_ids), Blocklist.load()
    wanted -= blocklist.imdb_ids
    restored = []
    for tombstone in RemovedMovie.objects.filter(imdb_id__in=wanted, restored_at=None).order_by("pk"):
        with transaction.atomic():
            if _restore(tombstone, blocklist):
                restored.append(tombstone.imdb_id)
    return restored


def _lock_removable(movies: MovieQuerySet, ids: Sequence[int]) -> list[Movie]:
    """Those of `movies` that are to go even now that nobody can add a link to them: one may just have been found."""
    list(Movie.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))
    return list(movies.filter(pk__in=ids).order_by("pk"))


def _remove(batch: Sequence[Movie], *, reason: str) -> int:
    _write_tombstones(batch, reason=reason)
    Movie.objects.filter(pk__in=[movie.pk for movie in batch]).delete()
    return len(batch)


def _write_tombstones(batch: Sequence[Movie], *, reason: str) -> None:
    links, flips = defaultdict(list), defaultdict(list)
    for link in StreamingLink.objects.filter(movie__in=batch).order_by("pk"):
        links[link.movie_id].append(link)
    for flip in LinkFlip.objects.filter(link__movie__in=batch).select_related("link").order_by("pk"):
        flips[flip.link.movie_id].append(flip)
    bindings = defaultdict(list)
    for binding in Binding.objects.filter(movie__in=batch).order_by("pk"):
        bindings[binding.movie_id].append(binding)
    now = timezone.now()
    # A movie that was made anew instead of restored takes what its forerunner left along, or that would be lost.
    existing = RemovedMovie.objects.filter(imdb_id__in=[movie.imdb_id for movie in batch], restored_at=None)
    left = {tombstone.imdb_id: tombstone.snapshot["rows"] for tombstone in existing}
    existing.delete()
    RemovedMovie.objects.bulk_create(
        RemovedMovie(
            imdb_id=movie.imdb_id,
            title=movie.title,
            removed_at=now,
            reason=reason,
            snapshot=_snapshot(
                [movie, *links[movie.pk], *flips[movie.pk], *bindings[movie.pk]], left.get(movie.imdb_id, [])
            ),
        )
        for movie in batch
    )


def _snapshot(rows: Sequence[models.Model], left: Sequence[dict[str, Any]]) -> dict[str, Any]:
    earlier = serializers.serialize("python", rows)
    return {"rows": [*earlier, *_rows_only_in_earlier(left, earlier)]}


def _rows_only_in_earlier(left: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The links and bindings of an earlier tombstone at addresses that are not told again, and those links' flips."""
    known = {(row["model"], _address(row)) for row in rows}
    kept = [row for row in left if row["model"] in URL_FIELD_BY_MODEL and (row["model"], _address(row)) not in known]
    links = {row["pk"] for row in kept if row["model"] == LINK}
    return [*kept, *(row for row in left if row["model"] == FLIP and row["fields"]["link"] in links)]


def _address(row: dict[str, Any]) -> str | None:
    address: str | None = row["fields"].get(URL_FIELD_BY_MODEL.get(row["model"]))
    return address


def _restore(tombstone: RemovedMovie, blocklist: Blocklist) -> bool:
    if Movie.objects.filter(imdb_id=tombstone.imdb_id).exists():
        return False  # Its tombstone stays: it is all that is left of the movie that was here before.
    if not RemovedMovie.objects.filter(pk=tombstone.pk, restored_at=None).update(restored_at=timezone.now()):
        return False
    rows = [loaded.object for loaded in serializers.deserialize("python", tombstone.snapshot["rows"])]
    movie = next(row for row in rows if isinstance(row, Movie))
    links = [row for row in rows if isinstance(row, StreamingLink)]
    flips = [row for row in rows if isinstance(row, LinkFlip)]
    _insert_with_free_ids(Movie, [movie])
    for link in links:
        link.movie = movie
        link.next_check_at = None  # Its rhythm may have left it alone for a month; now somebody wants to know.
        if link.is_active and blocklist.is_blocked(url=link.source_url):
            link.is_active, link.reason = False, Reason.TAKEN_DOWN
    _insert_with_free_ids(StreamingLink, links)
    owners = dict(zip(_old_ids(tombstone), links, strict=True))
    for flip in flips:
        flip.link = owners[flip.link_id]
    _insert_with_free_ids(LinkFlip, flips)
    bindings = [row for row in rows if isinstance(row, Binding)]
    for binding in bindings:
        binding.movie = movie
    _insert_with_free_ids(Binding, bindings)
    return True


def _old_ids(tombstone: RemovedMovie) -> list[int]:
    return [row["pk"] for row in tombstone.snapshot["rows"] if row["model"] == LINK]


def _insert_with_free_ids(model: type[Row], rows: Sequence[Row]) -> None:
    """Insert the rows under their old ids; one whose id has been given away meanwhile gets a new one."""
    taken = set(model._default_manager.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    for row in rows:
        if row.pk in taken:
            row.pk = None
    model._default_manager.bulk_create(rows)
