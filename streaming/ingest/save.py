"""Saves records as rows in batches: each link once, without resetting its health; restores removed movies."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import ExpressionWrapper, F, IntegerField, TextField
from django.utils import timezone

from scraper.items import LINK_FIELDS, MAX_EVIDENCE_LENGTH, MOVIE_FACTS
from scraper.sources import PAID, LicenceStatus, licence_status
from streaming.film_length import length_note
from streaming.ingest.blocklist import Blocklist
from streaming.ingest.bulk_insert import insert_rows
from streaming.ingest.facts import join_synopses, to_column, to_driver
from streaming.ingest.records import LinkRecord, MovieRecord
from streaming.ingest.row_locks import lock_appearance
from streaming.ingest.tombstones import restore_movies
from streaming.ingest.url_identity import canonical_key
from streaming.models import FollowedMovie, Movie, RemovedMovie, StreamingLink, StreamingLinkQuerySet
from streaming.models.bulk_counts import links_counted_together, movies_counted_together
from streaming.models.id_list import IdList
from streaming.models.movie import lock_movies, mark_updated
from streaming.reason_codes import Reason
from streaming.search_words import fold_for_search, title_words

# Not `source`: the source that found a link first keeps it. Not `is_published`: saving only ever publishes.
UPDATED_COLUMNS = (*LINK_FIELDS, "last_seen")
INSERTED_COLUMNS = (
    "movie", "source", "source_url", "host", *LINK_FIELDS, "is_published", "is_active", "last_checked", "reason",
    "first_seen", "last_seen",
)  # fmt: skip
INSERTED_MOVIE_COLUMNS = (
    "imdb_id", "title", "search_title", "search_words", "year", "type", "poster_url", "synopsis", "created_at",
    "updated_at", *MOVIE_FACTS,
)  # fmt: skip
UPSERT = f"(movie_id, source_url) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in UPDATED_COLUMNS)}"
ASSIGNMENTS = ", ".join(f"{name} = %s" for name in UPDATED_COLUMNS)
UPDATE_SQL = f"UPDATE streaming_streaminglink SET {ASSIGNMENTS} WHERE id = %s"  # noqa: S608  names of our columns
DESCRIPTION = attrgetter(*LINK_FIELDS)
LICENCE, LICENCE_URL, EVIDENCE = (LINK_FIELDS.index(name) for name in ("licence", "licence_url", "evidence"))
# SQLite takes 250,000 values in one statement, some builds of it only 999.
ID_BATCH_SIZE = 500
STORED_COLUMNS = ("pk", "movie_id", "source", "source_url", "host", "moved_from")
# The drivers' own values of all columns: with a conversion for one of them, Django goes through each row once more.
READ_COLUMNS = (
    *STORED_COLUMNS,
    ExpressionWrapper(F("is_published"), output_field=IntegerField()),
    *LINK_FIELDS[:-1],
    ExpressionWrapper(F(LINK_FIELDS[-1]), output_field=TextField()),
)
DESCRIPTION_START = len(STORED_COLUMNS) + 1
MAX_SEARCH_TITLE_LENGTH = Movie._meta.get_field("search_title").max_length
FILLABLE_MOVIE_FIELDS = ("year", "poster_url", "synopsis", *MOVIE_FACTS)
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
OPERATOR_EVIDENCE = "Stated by the operator"


@dataclass(slots=True)
class SaveReport:
    """The result of a batch: counts of links and movies, and of rejected records by code.

    `waiting` and `waiting_new` count the links among them that await review; `doubt` is the source's doubt about the
    first of those that has one. `locked_seconds` is how long other writers to SQLite had to wait.
    """

    new: int = 0
    seen_again: int = 0
    waiting: int = 0
    waiting_new: int = 0
    doubt: str = ""
    movies_new: int = 0
    movies_restored: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    locked_seconds: float = 0.0

    def add(self, other: SaveReport) -> None:
        """Add the counts of another batch."""
        self.new += other.new
        self.seen_again += other.seen_again
        self.waiting += other.waiting
        self.waiting_new += other.waiting_new
        self.doubt = self.doubt or other.doubt
        self.movies_new += other.movies_new
        self.movies_restored += other.movies_restored
        self.refused.update(other.refused)
        self.locked_seconds += other.locked_seconds


def save_links(
    links: Sequence[LinkRecord],
    *,
    movies: Sequence[MovieRecord] = (),
    is_operator: bool = False,
    needs_link: bool = False,
) -> SaveReport:
    """Save one batch in one short transaction, with a constant number of queries.

    `movies` describe movies that may be new. `is_operator`: the operator states the links (an import, an edit by hand),
    so they are published without a licence too, and movies that staff removed return. `needs_link`: a movie that is
    new is saved only together with a link that is not rejected.

    A link with a free licence is published. One without a licence, or with a doubt of its source, awaits review.
    Rejected are links with a licence that is not free (`licence_refused`), of a paid service (`may_not_be_free`), with
    an address that was taken down (`blocked_address`), and of a movie that is neither known, restorable nor described
    with a title, or that staff removed, now or while the batch is saved (`unknown_movie`).
    """
    report = SaveReport()
    keyed = [_KeyedLink(link, canonical_key(link.source_url)) for link in _publishable(links, report)]
    with transaction.atomic():
        started = time.monotonic()
        _save_locked(keyed, movies, report, is_operator=is_operator, needs_link=needs_link)
    report.locked_seconds = time.monotonic() - started
    return report


def _save_locked(
    links: Iterable[_KeyedLink],
    movies: Sequence[MovieRecord],
    report: SaveReport,
    *,
    is_operator: bool,
    needs_link: bool,
) -> None:
    blocklist = Blocklist.load_locked()
    allowed_links = _drop_blocked(links, blocklist, report)
    allowed_movies = [movie for movie in movies if not blocklist.is_blocked(imdb_id=movie.imdb_id)]
    report.refused["blocked_address"] += len(movies) - len(allowed_movies)
    causes = RemovedMovie.Cause.values if is_operator else RemovedMovie.CAUSES_UNDONE_BY_LINKS
    linked = {one.link.imdb_id for one in allowed_links}
    known = _known_movies(linked, allowed_movies, report, causes=causes)
    creatable = [movie for movie in allowed_movies if movie.imdb_id in linked] if needs_link else allowed_movies
    created = _create_movies(known, creatable, report, causes=causes)
    ids = {imdb_id: movie["pk"] for imdb_id, movie in known.items()} | created
    # The same order as in the checker and in removals: movies before links.
    existing = lock_movies(ids.values())
    ids = {imdb_id: pk for imdb_id, pk in ids.items() if pk in existing}
    allowed_links = _doubted(allowed_links, _runtimes(known, allowed_movies))
    changed = _upsert(allowed_links, ids, report, is_operator=is_operator)
    _save_missing_fields(_missing_fields(known, allowed_movies))
    _mark_updated(changed - set(created.values()))
    if is_operator:
        FollowedMovie.objects.claim_for_staff(movie.imdb_id for movie in allowed_movies)


def _mark_updated(movie_ids: Collection[int]) -> None:
    for batch in _batches(movie_ids):
        mark_updated(Movie.objects.filter(pk__in=batch))


def _publishable(links: Iterable[LinkRecord], report: SaveReport) -> list[LinkRecord]:
    status = cache(_licence_status)
    kept = []
    for link in links:
        if status(link.source, link.licence) is LicenceStatus.REFUSED:
            report.refused["may_not_be_free" if link.licence == PAID else "licence_refused"] += 1
        else:
            kept.append(link)
    return kept


def _licence_status(source: str, licence: str) -> LicenceStatus:
    return licence_status(source, licence, allowed_too=settings.ALLOW_LICENCES)


def publication_status(link: LinkRecord) -> LicenceStatus:
    """What the policy of the source and the settings say about the link's licence.

    A doubt makes a free licence unstated. The example site's own links on this machine need no licence.
    """
    status = _licence_status(link.source, link.licence)
    is_example = link.source == "example" and link.host in LOOPBACK_HOSTS
    if status is LicenceStatus.FREE and link.doubt:
        return LicenceStatus.UNSTATED
    return LicenceStatus.FREE if status is LicenceStatus.UNSTATED and is_example else status


class _KeyedLink(NamedTuple):
    """A link with the key that all spellings of its URL have in common, which takes time to find."""

    link: LinkRecord
    key: str


def _drop_blocked(links: Iterable[_KeyedLink], blocklist: Blocklist, report: SaveReport) -> list[_KeyedLink]:
    kept: dict[tuple[str, str], LinkRecord] = {}
    is_any_blocked = bool(blocklist)
    for link, canonical in links:
        if is_any_blocked and blocklist.is_blocked(url=link.source_url, imdb_id=link.imdb_id):
            report.refused["blocked_address"] += 1
        else:
            key = (link.imdb_id, canonical)
            kept[key] = _prefer_https(link, kept.get(key))
    # Sorted, so that two batches lock the same rows in the same order. Otherwise PostgreSQL aborts one of them because
    # of a deadlock and its links are lost (seen with two crawls of the same films).
    return [_KeyedLink(kept[imdb_id, key], key) for imdb_id, key in sorted(kept)]


def _runtimes(known: Mapping[str, Mapping[str, Any]], movies: Sequence[MovieRecord]) -> dict[str, int]:
    """The minutes of the films (no shows) of a batch, as far as they are known."""
    stated = {movie.imdb_id: movie.runtime_minutes for movie in movies if movie.type != Movie.Type.SHOW}
    stored = {key: row["runtime_minutes"] for key, row in known.items() if row["type"] != Movie.Type.SHOW}
    return {key: minutes for key, minutes in (*stated.items(), *stored.items()) if minutes}


def _doubted(links: Sequence[_KeyedLink], runtimes: Mapping[str, int]) -> list[_KeyedLink]:
    """The links, with a doubt if their file is much shorter or longer than the film."""
    return [_doubt_length(one, runtimes) if one.link.duration_seconds else one for one in links]


def _doubt_length(one: _KeyedLink, runtimes: Mapping[str, int]) -> _KeyedLink:
    link, runtime = one.link, runtimes.get(one.link.imdb_id)
    if link.season or link.episode or link.doubt:
        return one
    note = length_note(link.source_url, duration_seconds=link.duration_seconds, runtime_minutes=runtime)
    return one._replace(link=link._replace(doubt=f"The file is {note}")) if note else one


def _prefer_https(link: LinkRecord, other: LinkRecord | None) -> LinkRecord:
    """The later of two records of a link, with the URL of the earlier one if only that is https."""
    if other is None or link.source_url.startswith("https:") or not other.source_url.startswith("https:"):
        return link
    return link._replace(source_url=other.source_url, host=other.host)


def _known_movies(
    linked: Collection[str], movies: Sequence[MovieRecord], report: SaveReport, *, causes: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """The existing movies by IMDb id, after restoring those that have links in this batch.

    `linked`: the IMDb ids of the links; `causes`: those of removals that the batch undoes.
    """
    known = _read_movies({*linked, *(movie.imdb_id for movie in movies)})
    if missing := set(linked) - known.keys():
        report.movies_restored += len(restore_movies(missing, causes=causes))
        # All of them, not only those just restored: another crawl may have restored or created one meanwhile.
        known |= _read_movies(missing)
    return known


def _read_movies(imdb_ids: Collection[str]) -> dict[str, dict[str, Any]]:
    columns = ("pk", "imdb_id", "title", "type", *FILLABLE_MOVIE_FIELDS)
    return {
        row["imdb_id"]: row
        for batch in _batches(imdb_ids)
        for row in Movie.objects.filter(imdb_id__in=batch).values(*columns)
    }


def _batches(ids: Collection[Any]) -> Iterator[list[Any]]:
    unique = sorted(set(ids))
    return (unique[start : start + ID_BATCH_SIZE] for start in range(0, len(unique), ID_BATCH_SIZE))


def _create_movies(
    known: Mapping[str, Mapping[str, Any]], movies: Sequence[MovieRecord], report: SaveReport, *, causes: Sequence[str]
) -> dict[str, int]:
    """Create the unknown movies; return their row ids by IMDb id.

    Those that were removed for another than these causes, by staff or a takedown, stay removed.
    """
    described = {movie.imdb_id: movie for movie in movies if movie.title and movie.imdb_id not in known}
    stays_removed = RemovedMovie.objects.removed().exclude(cause__in=causes)
    for batch in _batches(described):
        for imdb_id in stays_removed.filter(imdb_id__in=batch).values_list("imdb_id", flat=True):
            del described[imdb_id]
    new = [described[key] for key in sorted(described)]
    report.movies_new += len(new)
    if new:
        lock_appearance(restores=False)
    # Another crawl may create the same movie: then both read the row of the first.
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    rows = [_movie_row(one, now) for one in new]
    with movies_counted_together(len(rows)):
        insert_rows(Movie, INSERTED_MOVIE_COLUMNS, rows, conflict="DO NOTHING")
    return {
        imdb_id: pk
        for batch in _batches(described)
        for imdb_id, pk in Movie.objects.filter(imdb_id__in=batch).values_list("imdb_id", "pk")
    }


def _movie_row(record: MovieRecord, now: Any) -> tuple[Any, ...]:
    """The values of INSERTED_MOVIE_COLUMNS."""
    return (
        record.imdb_id,
        record.title,
        fold_for_search(record.title)[:MAX_SEARCH_TITLE_LENGTH],
        title_words(
            record.title,
            record.original_title,
            *(title for _, title in record.other_titles),
            people=[person.name for person in (*record.directors, *record.cast)],
        ),
        record.year,
        record.type or Movie.Type.MOVIE.value,
        record.poster_url,
        record.synopsis,
        now,
        now,
        *(to_driver(to_column(getattr(record, name))) for name in MOVIE_FACTS[:-1]),
        record.fame or 0,
    )


def _missing_fields(known: Mapping[str, Mapping[str, Any]], movies: Sequence[MovieRecord]) -> list[Movie]:
    """The known movies of which these fill empty fields, or add a synopsis in a language that has none.

    Other values, maybe edited by staff, stay.
    """
    described = {movie.imdb_id: movie for movie in movies}
    changed = []
    for imdb_id in known.keys() & described.keys():
        row, record = known[imdb_id], described[imdb_id]
        synopses = to_column(join_synopses(row["synopses"], record.synopses))
        is_filled = any(getattr(record, name) and not row[name] for name in FILLABLE_MOVIE_FIELDS)
        if is_filled or synopses != row["synopses"]:
            values = {name: row[name] or to_column(getattr(record, name)) for name in FILLABLE_MOVIE_FIELDS}
            values |= {"fame": values["fame"] or 0, "synopses": synopses}
            movie = Movie(pk=row["pk"], title=row["title"], updated_at=timezone.now(), **values)
            movie.search_words = title_words(movie.title, *movie.search_titles, people=movie.search_people)
            changed.append(movie)
    return changed


def _save_missing_fields(movies: Sequence[Movie]) -> None:
    if movies:
        Movie.objects.bulk_update(movies, [*FILLABLE_MOVIE_FIELDS, "search_words", "updated_at"])


class _StoredLink(NamedTuple):
    """What saving needs to know of a row; `description` has the values of LINK_FIELDS."""

    pk: int
    movie_id: int
    source: str
    source_url: str
    host: str
    moved_from: str
    is_published: bool
    description: tuple[Any, ...]


class _LinkWrite(NamedTuple):
    """A link to write: its record, its movie, the values of LINK_FIELDS to store, and its row (None: it is new)."""

    link: LinkRecord
    movie_id: int
    description: tuple[Any, ...]
    existing: _StoredLink | None
    is_published: bool

    @property
    def is_redescribed(self) -> bool:
        """Whether a known link gets other values."""
        return self.existing is not None and self.description != self.existing.description

    @property
    def becomes_published(self) -> bool:
        """Whether an unpublished row is published now. Saving never unpublishes a link."""
        return self.existing is not None and self.is_published and not self.existing.is_published


def _upsert(links: Sequence[_KeyedLink], ids: dict[str, int], report: SaveReport, *, is_operator: bool) -> set[int]:
    """Save the links; return the ids of the movies with a visible change."""
    known = [one for one in links if one.link.imdb_id in ids]
    report.refused["unknown_movie"] += len(links) - len(known)
    rows = _existing_rows({ids[one.link.imdb_id] for one in known}, known)
    writes, same = list[_LinkWrite](), list[int]()
    for one in known:
        movie_id = ids[one.link.imdb_id]
        old = rows.get((movie_id, one.key))
        if old is not None and _is_same(one.link, old, is_operator=is_operator):
            same.append(old.pk)
        else:
            writes.append(_link_write(one.link, movie_id, old, is_operator=is_operator))
    report.seen_again += len(same)
    _count(writes, report)
    return _write_links(writes, same=same)


def _is_same(link: LinkRecord, old: _StoredLink, *, is_operator: bool) -> bool:
    """Whether a published row stays as it is; False if that takes a closer look. Most known links are such."""
    stated, stored = _description(link), old.description
    evidence = stored[EVIDENCE]
    if not old.is_published or (is_operator and not evidence):
        return False
    return stated == stored or (
        not stated[EVIDENCE] and (*stated[:EVIDENCE], evidence, *stated[EVIDENCE + 1 :]) == stored
    )


def _write_links(writes: Sequence[_LinkWrite], *, same: Sequence[int]) -> set[int]:
    """Insert the new links, update the changed ones, publish, and mark all known ones as seen now.

    `same`: the ids of rows that stay as they are. Returns the ids of the movies with a visible change.
    """
    now = timezone.now()
    new, changed = [one for one in writes if one.existing is None], [one for one in writes if one.is_redescribed]
    published = [one for one in writes if one.becomes_published]
    rows = _rows(new, now=now)
    with links_counted_together(len(rows)):
        # A conflict only if another crawl inserts the same link at the same time.
        insert_rows(StreamingLink, INSERTED_COLUMNS, rows, conflict=UPSERT)
    _update_links(changed, now=now)
    if seen := {*same, *_row_ids(writes)}:
        StreamingLink.objects.filter(pk__in=IdList(sorted(seen))).update(last_seen=now)
    if published:
        StreamingLink.objects.filter(pk__in=IdList(sorted(_row_ids(published)))).update(is_published=True)
    return {one.movie_id for one in (*new, *changed, *published)}


def _row_ids(writes: Iterable[_LinkWrite]) -> set[int]:
    return {one.existing.pk for one in writes if one.existing}


def _update_links(changed: Iterable[_LinkWrite], *, now: datetime) -> None:
    """Store the descriptions of known links."""
    seen = connection.ops.adapt_datetimefield_value(now)
    rows = [(*_to_driver(one.description), seen, one.existing.pk) for one in changed if one.existing]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(UPDATE_SQL, rows)


def _existing_rows(movie_ids: set[int], links: Sequence[_KeyedLink]) -> dict[tuple[int, str], _StoredLink]:
    """Lock and return the rows of these movies with one of the links' keys, by movie and key.

    A row is also found by the URL that it had before a permanent redirect, which a source may still state.
    """
    # Most rows have the very URL of a link, of which the key is known.
    key_by_url = {one.link.source_url: one.key for one in links}
    rows: dict[tuple[int, str], _StoredLink] = {}
    moved: dict[tuple[int, str], _StoredLink] = {}
    for row in _read_rows(movie_ids, {one.key for one in links}):
        rows.setdefault((row.movie_id, key_by_url.get(row.source_url) or canonical_key(row.source_url)), row)
        if row.moved_from:
            moved.setdefault((row.movie_id, canonical_key(row.moved_from)), row)
    return moved | rows


def _read_rows(movie_ids: set[int], keys: set[str]) -> list[_StoredLink]:
    """The rows in order of movies and ids; on PostgreSQL those with one of these keys, locked, in order of ids."""
    found = _stored_links(StreamingLink.objects.filter(movie__in=IdList(sorted(movie_ids))).order_by("movie_id", "pk"))
    if not connection.features.has_select_for_update:
        return found
    matching = [
        row.pk for row in found if any(canonical_key(url) in keys for url in (row.source_url, row.moved_from) if url)
    ]
    locked = StreamingLink.objects.select_for_update().filter(pk__in=IdList(matching))
    return _stored_links(locked.order_by("pk")) if matching else []


def _stored_links(rows: StreamingLinkQuerySet) -> list[_StoredLink]:
    return [_stored_link(row) for row in rows.values_list(*READ_COLUMNS)]


def _stored_link(row: tuple[Any, ...]) -> _StoredLink:
    captions = [] if row[-1] == "[]" else json.loads(row[-1])
    return _StoredLink._make((*row[:DESCRIPTION_START], (*row[DESCRIPTION_START:-1], captions)))


def _link_write(link: LinkRecord, movie_id: int, old: _StoredLink | None, *, is_operator: bool) -> _LinkWrite:
    description = _description(link) if old is None else _merged(link, old)
    if is_operator and not description[EVIDENCE]:
        evidence = description[LICENCE_URL][:MAX_EVIDENCE_LENGTH] or OPERATOR_EVIDENCE
        description = (*description[:EVIDENCE], evidence, *description[EVIDENCE + 1 :])
    if is_operator or (old is not None and old.is_published):
        return _LinkWrite(link, movie_id, description, old, True)
    origin = old or link
    stored = link._replace(source=origin.source, host=origin.host, licence=description[LICENCE])
    return _LinkWrite(link, movie_id, description, old, publication_status(stored) is LicenceStatus.FREE)


def _description(link: LinkRecord) -> tuple[Any, ...]:
    """The values of LINK_FIELDS as the columns have them: the last are the captions, a list."""
    values = DESCRIPTION(link)
    return (*values[:-1], to_column(values[-1]))


def _to_driver(description: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*description[:-1], to_driver(description[-1]))


def _merged(link: LinkRecord, old: _StoredLink) -> tuple[Any, ...]:
    """The link's description with the values of its row where it states none.

    The values of the source that found the link first take precedence; other sources fill gaps only, or two sources
    would overwrite each other's values in turn.
    """
    stated, stored = _description(link), old.description
    if stated == stored:
        return stored
    first, second = (stated, stored) if link.source == old.source else (stored, stated)
    return tuple([one or other for one, other in zip(first, second, strict=True)])


def _rows(writes: Iterable[_LinkWrite], *, now: datetime) -> list[tuple[Any, ...]]:
    """The values of INSERTED_COLUMNS for each new link, as the driver takes them fastest."""
    flag, adapt = (int, _sqlite_time) if connection.vendor == "sqlite" else (bool, _same_time)
    seen = adapt(now)
    return [
        (
            write.movie_id,
            write.link.source,
            write.link.source_url,
            write.link.host,
            *_to_driver(write.description),
            flag(write.is_published),
            flag(write.link.is_active),
            adapt(write.link.last_checked),
            (Reason.UNCHECKED if write.link.is_active else Reason.IMPORTED).value,
            seen,
            seen,
        )
        for write in writes
    ]


def _sqlite_time(at: datetime | None) -> str | None:
    """A time as Django stores it, in UTC without saying so. Records have times in UTC."""
    return None if at is None else at.astimezone(UTC).isoformat(" ")[: -len("+00:00")]


def _same_time(at: datetime | None) -> datetime | None:
    return at


def _count(writes: Sequence[_LinkWrite], report: SaveReport) -> None:
    new = sum(write.existing is None for write in writes)
    waiting = [write for write in writes if not write.is_published]
    report.new += new
    report.seen_again += len(writes) - new
    report.waiting += len(waiting)
    report.waiting_new += sum(write.existing is None for write in waiting)
    report.doubt = report.doubt or next((write.link.doubt for write in waiting if write.link.doubt), "")
