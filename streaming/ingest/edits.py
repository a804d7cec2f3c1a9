"""Edits by staff (API and admin), one row at a time, validated like all other records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from scraper.items import LINK_FACTS, LINK_FIELDS, MOVIE_FACTS
from scraper.net.url_policy import InvalidValue, normalize_url
from scraper.sources import LicenceStatus
from streaming.ingest.blocklist import Blocklist
from streaming.ingest.facts import to_column
from streaming.ingest.records import LinkRecord, MovieRecord, parse_link, parse_movie
from streaming.ingest.row_locks import MOVIE_GONE, RowGone, lock_link, lock_movie
from streaming.ingest.save import publication_status, save_links
from streaming.ingest.url_identity import canonical_key
from streaming.models import LinkFlip, Movie, StreamingLink
from streaming.models.movie import mark_updated
from streaming.reason_codes import Reason

DUPLICATE = "this movie already has a link with this address"
TAKEN_DOWN = "this address has been taken down here"
MOVIE_FIELDS = ("title", "year", "type", "poster_url", "synopsis", *(name for name in MOVIE_FACTS if name != "fame"))
EDITED_COLUMNS = ("source", "source_url", "host", *LINK_FIELDS)
FIELD_BY_ERROR_CODE = {
    "no_title": "title",
    "bad_imdb_id": "imdb_id",
    "duplicate_movie": "imdb_id",
    "taken_down_movie": "imdb_id",
    "bad_licence_url": "licence_url",
    "licence_refused": "licence",
    **{
        f"bad_{name}": name
        for name in (
            "year",
            "type",
            "source",
            "kind",
            "quality",
            "language",
            "licence",
            "season",
            "episode",
            "is_active",
            "is_published",
            *MOVIE_FACTS,
            *LINK_FACTS,
        )
    },
}
RESET_HEALTH: dict[str, Any] = {
    "last_checked": None,
    "reason": "",
    "http_status": None,
    "response_ms": None,
    "failures": 0,
    "strength": "",
    "failing_seconds": 0,
    "checks": "",
    "moved_to": "",
    "moved_seen": 0,
    "verified_at": None,
}


def validate_movie(raw: Mapping[str, Any]) -> MovieRecord:
    """Return the movie's fields as they would be saved; raise InvalidValue if one is invalid."""
    record = parse_movie(raw)
    if record.refused:
        raise record.refused[0]
    if not record.title:
        raise InvalidValue("no_title", "title is missing")
    if Blocklist.load().is_blocked(imdb_id=record.imdb_id):
        raise InvalidValue("taken_down_movie", f"{record.imdb_id} has been taken down here")
    return record


def validate_link(raw: Mapping[str, Any]) -> LinkRecord:
    """Return the link's fields as they would be saved; raise InvalidValue if one is invalid.

    Staff may publish a link without a licence, but not one with a licence that is not free.
    """
    _check_licence_url(raw)
    record = parse_link(raw, allowed=settings.ALLOW_PRIVATE_HOSTS)
    if record.refused:
        raise record.refused[0]
    if publication_status(record) is LicenceStatus.REFUSED:
        raise InvalidValue("licence_refused", f"{record.licence} is not published here: see ALLOW_LICENCES")
    _check_takedown(Blocklist.load(), record.source_url, imdb_id=record.imdb_id)
    return record


@transaction.atomic
def create_movie(raw: Mapping[str, Any]) -> Movie:
    """Create a movie; raise InvalidValue if a field is invalid or the movie exists, RowGone if it went at once."""
    Blocklist.load_locked()
    record = validate_movie(raw)
    if Movie.objects.filter(imdb_id=record.imdb_id).exists():
        raise InvalidValue("duplicate_movie", f"{record.imdb_id} is in the catalogue already")
    save_links([], movies=[record], is_operator=True)
    created = Movie.objects.filter(imdb_id=record.imdb_id).first()
    if created is None:  # Somebody else created it first, and removed it.
        raise RowGone(MOVIE_GONE)
    return created


@transaction.atomic
def update_movie(movie: Movie, raw: Mapping[str, Any]) -> Movie:
    """Change the given fields; unlike a spider, staff may also empty them. Raise RowGone if the movie was removed."""
    Blocklist.load_locked()
    movie = lock_movie(movie.pk)
    current = {name: getattr(movie, name) for name in ("imdb_id", *MOVIE_FIELDS)}
    record = validate_movie({**current, **raw})
    if record.imdb_id != movie.imdb_id:
        raise InvalidValue("bad_imdb_id", "imdb_id cannot be changed: create another movie")
    synopses = _edited_synopses(movie, record)
    for name in MOVIE_FIELDS:
        setattr(movie, name, to_column(getattr(record, name)))
    movie.synopses = synopses
    movie.type = record.type or Movie.Type.MOVIE
    movie.updated_at = timezone.now()
    movie.save(update_fields=[*MOVIE_FIELDS, "search_title", "search_words", "updated_at"])
    return movie


def _edited_synopses(movie: Movie, record: MovieRecord) -> list[list[str]]:
    """The synopses by language as staff leave them: who changes only `synopsis` also changes it in its language."""
    stated: list[list[str]] = to_column(record.synopses)
    was, now = (" ".join(one.synopsis.split()) for one in (movie, record))
    if was == now or stated != movie.synopses:
        return stated
    return [[language, now if text == was else text] for language, text in stated if text != was or now]


@transaction.atomic
def create_link(raw: Mapping[str, Any], *, movie: Movie) -> StreamingLink:
    """Create a link of this movie; raise InvalidValue if a field is invalid or the movie has the link.

    A link that moved permanently from this URL counts as the same. Raise RowGone if the movie was removed.
    """
    Blocklist.load_locked()
    movie = lock_movie(movie.pk)
    record = validate_link({**raw, "imdb_id": movie.imdb_id})
    if _find_link(movie, record.source_url, column="source_url") or _find_link(
        movie, record.source_url, column="moved_from"
    ):
        raise InvalidValue("duplicate", DUPLICATE)
    save_links([record], is_operator=True)
    link = StreamingLink.objects.filter(movie=movie, source_url=record.source_url).first()
    if link is None:
        raise InvalidValue("taken_down", TAKEN_DOWN)  # since it was validated
    return link if _is_published(raw) else update_link(link, {"is_published": False})


@transaction.atomic
def update_link(link: StreamingLink, raw: Mapping[str, Any]) -> StreamingLink:
    """Change the given fields. A new URL resets the health of the link. Raise RowGone if the link was deleted."""
    blocklist = Blocklist.load_locked()
    link = lock_link(link)
    current = {name: getattr(link, name) for name in (*EDITED_COLUMNS, "is_active")}
    changes = _changes(link, validate_link({**current, **raw, "imdb_id": link.movie.imdb_id}))
    changes["is_published"] = _is_published({"is_published": link.is_published, **raw})
    if _find_link(link.movie, changes["source_url"], column="source_url") not in (None, link.pk):
        raise InvalidValue("duplicate", DUPLICATE)
    for name, value in changes.items():
        setattr(link, name, value)
    try:
        with transaction.atomic():
            _check_takedown(blocklist, changes["source_url"], imdb_id=link.movie.imdb_id)
            mark_updated(Movie.objects.filter(pk=link.movie_id))
            # The old URL may have been taken down; this one is not.
            StreamingLink.objects.filter(pk=link.pk).bring_back()
            # Only the changed columns: the checker may be writing the others at the same time.
            link.save(update_fields=list(changes))
            if "is_active" in changes:
                LinkFlip.objects.create(
                    link=link, at=changes["state_since"], is_active=link.is_active, reason=Reason.BY_HAND
                )
    except IntegrityError:
        raise InvalidValue("duplicate", DUPLICATE) from None
    return link


@transaction.atomic
def delete_link(link: StreamingLink) -> None:
    """Delete a link and record that its movie has changed. Raise RowGone if the link was deleted already."""
    link = lock_link(link)
    mark_updated(Movie.objects.filter(pk=link.movie_id))
    link.delete()


def _changes(link: StreamingLink, record: LinkRecord) -> dict[str, Any]:
    changes = {name: to_column(getattr(record, name)) for name in EDITED_COLUMNS}
    if record.source_url != link.source_url:
        # The check is due now; the result of one that has begun belongs to the old URL.
        changes |= {**RESET_HEALTH, "next_check_at": timezone.now()}
    if record.is_active != link.is_active:
        changes |= {
            "is_active": record.is_active,
            "state_since": timezone.now(),
            "reason": Reason.BY_HAND,
            "failures": 0,
            "strength": "",
            "failing_seconds": 0,
        }
    return changes


def _check_takedown(blocklist: Blocklist, url: str, *, imdb_id: str) -> None:
    if blocklist.is_blocked(url=url, imdb_id=imdb_id):
        raise InvalidValue("taken_down", TAKEN_DOWN)


def _is_published(raw: Mapping[str, Any]) -> bool:
    value = raw.get("is_published", True)
    if not isinstance(value, bool):
        raise InvalidValue("bad_is_published", "is_published is not true or false")
    return value


def _find_link(movie: Movie, url: str, *, column: str) -> int | None:
    """The id of this movie's link with this URL in `column`, in any spelling; None if there is none."""
    rows = movie.links.exclude(**{column: ""}).order_by("pk").values_list("pk", column)
    key = canonical_key(url)
    return next((pk for pk, known_url in rows if canonical_key(known_url) == key), None)


def field_for_error(error: InvalidValue, *, url_field: str) -> str:
    """The field that an error is about; `url_field` is the one for errors of a URL."""
    return FIELD_BY_ERROR_CODE.get(error.code, url_field)


def _check_licence_url(raw: Mapping[str, Any]) -> None:
    if raw.get("licence_url"):
        try:
            normalize_url(raw["licence_url"], allowed=settings.ALLOW_PRIVATE_HOSTS)
        except InvalidValue as error:
            raise InvalidValue("bad_licence_url", str(error)) from None
