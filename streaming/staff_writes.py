"""What staff write by the API, one row at a time or many: validated, logged, and with the same permissions.

Each function is one transaction with its log entry, and raises an error of the API if it refuses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, PermissionDenied, ValidationError

from streaming.ingest import edits
from streaming.ingest.row_locks import RowGone
from streaming.ingest.tombstones import remove_movies
from streaming.models import Movie, RemovedMovie, StreamingLink
from streaming.serializers import (
    MAX_BULK_OPERATIONS,
    LinkDetailSerializer,
    LinkWriteSerializer,
    MovieWriteSerializer,
    WriteSerializer,
)
from streaming.write_log import log_added, log_changed, log_deleted

Account = User | AnonymousUser
MAX_OPERATIONS = MAX_BULK_OPERATIONS
MOVIE_WRITES = {
    "create": ("streaming.add_movie",),
    "partial_update": ("streaming.change_movie",),
    "destroy": ("streaming.delete_movie",),
}
LINK_WRITES = {
    "create": ("streaming.add_streaminglink",),
    "partial_update": ("streaming.change_streaminglink",),
    "destroy": ("streaming.delete_streaminglink",),
}
"""The model permissions that each write needs."""
ACTIONS = {"add": "create", "change": "partial_update", "delete": "destroy"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteResult:
    """What came of one write of many: an HTTP status, and the row or the error as its single write would answer it."""

    index: int
    status: int
    body: Any = None


def add_movie(user: Account, data: Any) -> Movie:
    written = validated(MovieWriteSerializer(data=data))
    with transaction.atomic():
        movie: Movie = written.save_with(edits.create_movie, address="poster_url")
        log_added(user, movie, note=_note("Added", written))
    return movie


def change_movie(user: Account, movie: Movie, data: Any) -> Movie:
    written = validated(MovieWriteSerializer(data=data, partial=True))
    with transaction.atomic():
        changed: Movie = written.save_with(edits.update_movie, movie, address="poster_url")
        log_changed(user, changed, note=_note("Changed", written))
    return changed


@transaction.atomic
def remove_movie(user: Account, movie: Movie) -> None:
    log_deleted(user, movie, note="Removed by the API.")
    reason = f"removed by {user}"[:200]
    if not remove_movies(Movie.objects.filter(pk=movie.pk), reason=reason, cause=RemovedMovie.Cause.STAFF):
        raise NotFound(f"There is no movie {movie.imdb_id}.")


def add_link(user: Account, data: Any) -> StreamingLink:
    written = validated(LinkWriteSerializer(data=data))
    movie = written.validated_data.pop("movie")
    with transaction.atomic():
        link: StreamingLink = written.save_with(edits.create_link, address="source_url", movie=movie)
        log_added(user, link, note=_note("Added", written))
    return link


def change_link(user: Account, link: StreamingLink, data: Any) -> StreamingLink:
    written = validated(LinkWriteSerializer(data=data, partial=True))
    if written.validated_data.pop("movie", link.movie) != link.movie:
        raise ValidationError({"movie": ["A link cannot change its movie. Add it to the other one."]})
    with transaction.atomic():
        changed: StreamingLink = written.save_with(edits.update_link, link, address="source_url")
        log_changed(user, changed, note=_note("Changed", written))
    return changed


@transaction.atomic
def delete_link(user: Account, link: StreamingLink) -> None:
    log_deleted(user, link, note="Deleted by the API.")
    edits.delete_link(link)


def write_many(user: Account, operations: Sequence[Mapping[str, Any]]) -> list[WriteResult]:
    """Do these writes in order, each by itself: one that is refused changes nothing, and the others are done.

    A database that takes no write ends the whole request, as it does a single write.
    """
    return [_write_one(user, index, operation) for index, operation in enumerate(operations)]


def _write_one(user: Account, index: int, operation: Mapping[str, Any]) -> WriteResult:
    try:
        written = _apply(user, operation)
    except RowGone as gone:
        return WriteResult(index=index, status=status.HTTP_409_CONFLICT, body={"detail": str(gone)})
    except APIException as refusal:
        detail = refusal.detail
        body = detail if isinstance(detail, dict | list) else {"detail": detail}
        return WriteResult(index=index, status=refusal.status_code, body=body)
    codes = {"add": status.HTTP_201_CREATED, "delete": status.HTTP_204_NO_CONTENT}
    return WriteResult(index=index, status=codes.get(operation["action"], status.HTTP_200_OK), body=written)


def _apply(user: Account, operation: Mapping[str, Any]) -> dict[str, Any] | None:
    """Do one write; the row that it wrote, None if it deleted one."""
    is_movie = operation["type"] == "movie"
    required = (MOVIE_WRITES if is_movie else LINK_WRITES)[ACTIONS[operation["action"]]]
    if not user.has_perms(required):
        raise PermissionDenied(f"This needs a staff account with the permission {' and '.join(required)}.")
    write = _write_movie if is_movie else _write_link
    return write(user, operation["action"], str(operation.get("id", "")), operation.get("data", {}))


def _write_movie(user: Account, action: str, identifier: str, data: Any) -> dict[str, Any] | None:
    if action == "add":
        return _movie_body(add_movie(user, data))
    movie = Movie.objects.shown().by_identifier(identifier).first()
    if movie is None:
        raise NotFound(f"There is no movie {identifier[:20]}.")
    if action == "change":
        return _movie_body(change_movie(user, movie, data))
    remove_movie(user, movie)
    return None


def _write_link(user: Account, action: str, identifier: str, data: Any) -> dict[str, Any] | None:
    if action == "add":
        return _link_body(add_link(user, data))
    links = StreamingLink.objects.select_related("movie")
    is_id = identifier.isascii() and identifier.isdigit() and len(identifier) <= 18
    link = links.filter(pk=int(identifier)).first() if is_id else None
    if link is None:
        raise NotFound(f"There is no link {identifier[:20]}.")
    if action == "change":
        return _link_body(change_link(user, link, data))
    delete_link(user, link)
    return None


def _movie_body(movie: Movie) -> dict[str, Any]:
    return {"id": movie.pk, "imdb_id": movie.imdb_id}


def _link_body(link: StreamingLink) -> dict[str, Any]:
    return cast(dict[str, Any], LinkDetailSerializer(link).data)


def validated(serializer: Any) -> Any:
    """The serializer, whose data are valid; raise ValidationError otherwise."""
    serializer.is_valid(raise_exception=True)
    return serializer


def _note(verb: str, written: WriteSerializer) -> str:
    """What the log says of a write: the fields, not their values."""
    return f"{verb} by the API: {', '.join(sorted(written.validated_data)) or 'nothing'}."
