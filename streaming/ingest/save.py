"""Saves records as rows in batches: each link once, without resetting its health; restores removed movies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from scraper.items import LINK_FIELDS, MAX_EVIDENCE_LENGTH
from scraper.sources import PAID, LicenceStatus, licence_status
from streaming.ingest.blocklist import Blocklist
from streaming.ingest.records import LinkRecord, MovieRecord
from streaming.ingest.tombstones import restore_movies
from streaming.ingest.url_identity import canonical_key
from streaming.models import Movie, RemovedMovie, StreamingLink
from streaming.models.movie import lock_movies, mark_updated
from streaming.reason_codes import Reason

# Not `source`: the source that found a link first keeps it. Not `is_published`: saving only ever publishes.
UPDATED_COLUMNS = [*LINK_FIELDS, "last_seen"]
FILLABLE_MOVIE_FIELDS = ("year", "poster_url", "synopsis")
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
OPERATOR_EVIDENCE = "Stated by the operator"


@dataclass(slots=True)
class SaveReport:
    """The result of a batch: counts of links and movies, and of rejected records by code.

    `waiting` and `waiting_new` count the links among them that await review; `doubt` is the source's doubt about the
    first of those that has one.
    """

    new: int = 0
    seen_again: int = 0
    waiting: int = 0
    waiting_new: int = 0
    doubt: str = ""
    movies_new: int = 0
    movies_restored: int = 0
    refused: Counter[str] = field(default_factory=Counter)

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


def save_links(
    links: Sequence[LinkRecord], *, movies: Sequence[MovieRecord] = (), is_operator: bool = False
) -> SaveReport:
    """Save one batch in one short transaction, with a constant number of queries.

    `movies` describe movies that may be new. `is_operator`: the operator states the links (an import, an edit by hand),
    so they are published without a licence too, and movies that staff removed return.

    A link with a free licence is published. One without a licence, or with a doubt of its source, awaits review.
    Rejected are links with a licence that is not free (`licence_refused`), of a paid service (`may_not_be_free`), with
    an address that was taken down (`blocked_address`), and of a movie that is neither known, restorable nor described
    with a title, or that staff removed, now or while the batch is saved (`unknown_movie`).
    """
    report = SaveReport()
    with transaction.atomic():
        blocklist = Blocklist.load_locked()
        allowed_links = _drop_blocked(_publishable(links, report), blocklist, report)
        allowed_movies = [movie for movie in movies if not blocklist.is_blocked(imdb_id=movie.imdb_id)]
        report.refused["blocked_address"] += len(movies) - len(allowed_movies)
        causes = RemovedMovie.Cause.values if is_operator else RemovedMovie.RETURNING_CAUSES
        known = _known_movies(allowed_links, allowed_movies, report, causes=causes)
        ids = _create_movies(known, allowed_movies, report, causes=causes)
        # The same order as in the checker and in removals: movies before links.
        existing = lock_movies(ids.values())
        ids = {imdb_id: pk for imdb_id, pk in ids.items() if pk in existing}
        changed = _upsert(allowed_links, ids, report, is_operator=is_operator)
        _save_missing_fields(_missing_fields(known, allowed_movies))
        mark_updated(Movie.objects.filter(pk__in=changed))
    return report


def _publishable(links: Iterable[LinkRecord], report: SaveReport) -> list[LinkRecord]:
    kept = []
    for link in links:
        if publication_status(link) is LicenceStatus.REFUSED:
            report.refused["may_not_be_free" if link.licence == PAID else "licence_refused"] += 1
        else:
            kept.append(link)
    return kept


def publication_status(link: LinkRecord) -> LicenceStatus:
    """What the policy of the source and the settings say about the link's licence.

    A doubt makes a free licence unstated. The example site's own links on this machine need no licence.
    """
    status = licence_status(link.source, link.licence, allowed_too=settings.ALLOW_LICENCES)
    is_example = link.source == "example" and link.host in LOOPBACK_HOSTS
    if status is LicenceStatus.FREE and link.doubt:
        return LicenceStatus.UNSTATED
    return LicenceStatus.FREE if status is LicenceStatus.UNSTATED and is_example else status


def _drop_blocked(links: Iterable[LinkRecord], blocklist: Blocklist, report: SaveReport) -> list[LinkRecord]:
    kept: dict[tuple[str, str], LinkRecord] = {}
    for link in links:
        if blocklist.is_blocked(url=link.source_url, imdb_id=link.imdb_id):
            report.refused["blocked_address"] += 1
        else:
            key = (link.imdb_id, canonical_key(link.source_url))
            kept[key] = _prefer_https(link, kept.get(key))
    # Sorted, so that two batches lock the same rows in the same order. Otherwise PostgreSQL aborts one of them because
    # of a deadlock and its links are lost (seen with two crawls of the same films).
    return [kept[key] for key in sorted(kept)]


def _prefer_https(link: LinkRecord, other: LinkRecord | None) -> LinkRecord:
    """The later of two records of a link, with the URL of the earlier one if only that is https."""
    if other is None or link.source_url.startswith("https:") or not other.source_url.startswith("https:"):
        return link
    return replace(link, source_url=other.source_url, host=other.host)


def _known_movies(
    links: Sequence[LinkRecord], movies: Sequence[MovieRecord], report: SaveReport, *, causes: Sequence[str]
) -> dict[str, Movie]:
    """The existing movies by IMDb id, after restoring those that have links in this batch.

    `causes`: those of removals that the batch undoes.
    """
    linked = {link.imdb_id for link in links}
    rows = Movie.objects.filter(imdb_id__in=linked | {movie.imdb_id for movie in movies})
    known = {movie.imdb_id: movie for movie in rows}
    if missing := linked - known.keys():
        report.movies_restored += len(restore_movies(missing, causes=causes))
        # All of them, not only those just restored: another crawl may have restored or created one meanwhile.
        known |= {movie.imdb_id: movie for movie in Movie.objects.filter(imdb_id__in=missing)}
    return known


def _create_movies(
    known: dict[str, Movie], movies: Sequence[MovieRecord], report: SaveReport, *, causes: Sequence[str]
) -> dict[str, int]:
    """Create the unknown movies; return the row ids of all by IMDb id.

    Those that were removed for another than these causes, by staff or a takedown, stay removed.
    """
    described = {movie.imdb_id: movie for movie in movies if movie.title and movie.imdb_id not in known}
    stays_removed = RemovedMovie.objects.removed().exclude(cause__in=causes).filter(imdb_id__in=list(described))
    removed = set(stays_removed.values_list("imdb_id", flat=True)) if described else set()
    new = [_new_movie(described[key]) for key in sorted(described.keys() - removed)]
    # Another crawl may create the same movie: then both read the row of the first.
    Movie.objects.bulk_create(new, ignore_conflicts=True)
    report.movies_new += len(new)
    ids = {imdb_id: movie.pk for imdb_id, movie in known.items()}
    return ids | dict(Movie.objects.filter(imdb_id__in=[m.imdb_id for m in new]).values_list("imdb_id", "pk"))


def _new_movie(record: MovieRecord) -> Movie:
    return Movie(
        imdb_id=record.imdb_id,
        title=record.title,
        year=record.year,
        type=record.type or Movie.Type.MOVIE,
        poster_url=record.poster_url,
        synopsis=record.synopsis,
    )


def _missing_fields(known: dict[str, Movie], movies: Sequence[MovieRecord]) -> list[Movie]:
    """Fill empty fields of known movies and return the changed ones; other values, maybe edited by staff, stay."""
    described = {movie.imdb_id: movie for movie in movies}
    changed = []
    for imdb_id in known.keys() & described.keys():
        movie, record = known[imdb_id], described[imdb_id]
        missing = {name: getattr(record, name) for name in FILLABLE_MOVIE_FIELDS if not getattr(movie, name)}
        if any(missing.values()):
            for name, value in missing.items():
                setattr(movie, name, value)
            movie.updated_at = timezone.now()
            changed.append(movie)
    return changed


def _save_missing_fields(movies: Sequence[Movie]) -> None:
    if movies:
        Movie.objects.bulk_update(movies, [*FILLABLE_MOVIE_FIELDS, "updated_at"])


@dataclass(frozen=True, slots=True)
class _LinkWrite:
    """A link to write, and its existing row (None for a new link)."""

    link: LinkRecord
    movie_id: int
    existing: StreamingLink | None
    is_published: bool

    @property
    def is_changed(self) -> bool:
        old = self.existing
        if old is None or self.becomes_published:
            return True
        return any(getattr(old, name) != getattr(self.link, name) for name in LINK_FIELDS)

    @property
    def becomes_published(self) -> bool:
        """Whether an unpublished row is published now. Saving never unpublishes a link."""
        return self.existing is not None and self.is_published and not self.existing.is_published


def _upsert(links: Sequence[LinkRecord], ids: dict[str, int], report: SaveReport, *, is_operator: bool) -> set[int]:
    """Save the links; return the ids of the movies with a visible change."""
    known = [link for link in links if link.imdb_id in ids]
    report.refused["unknown_movie"] += len(links) - len(known)
    rows = _existing_rows({ids[link.imdb_id] for link in known}, {canonical_key(link.source_url) for link in known})
    writes = [_link_write(link, ids[link.imdb_id], rows, is_operator=is_operator) for link in known]
    now = timezone.now()
    StreamingLink.objects.bulk_create(
        (_row(write, now=now) for write in writes),
        update_conflicts=True,
        unique_fields=["movie", "source_url"],
        update_fields=UPDATED_COLUMNS,
    )
    if published := [write.existing.pk for write in writes if write.existing and write.becomes_published]:
        StreamingLink.objects.filter(pk__in=published).update(is_published=True)
    _count(writes, report)
    return {write.movie_id for write in writes if write.is_changed}


def _existing_rows(movie_ids: set[int], keys: set[str]) -> dict[tuple[int, str], StreamingLink]:
    """Lock and return the rows of these movies with one of these keys, by movie and key.

    A row is also found by the URL that it had before a permanent redirect, which a source may still state.
    """
    urls_by_row = StreamingLink.objects.filter(movie__in=movie_ids).values_list("pk", "source_url", "moved_from")
    matching = [pk for pk, *urls in urls_by_row if any(canonical_key(url) in keys for url in urls if url)]
    rows: dict[tuple[int, str], StreamingLink] = {}
    moved: dict[tuple[int, str], StreamingLink] = {}
    for row in StreamingLink.objects.filter(pk__in=matching).select_for_update().order_by("pk"):
        rows.setdefault((row.movie_id, canonical_key(row.source_url)), row)
        if row.moved_from:
            moved.setdefault((row.movie_id, canonical_key(row.moved_from)), row)
    return moved | rows


def _link_write(
    link: LinkRecord, movie_id: int, rows: dict[tuple[int, str], StreamingLink], *, is_operator: bool
) -> _LinkWrite:
    old = rows.get((movie_id, canonical_key(link.source_url)))
    merged = link if old is None else _merged(link, old)
    if is_operator and not merged.evidence:
        merged = replace(merged, evidence=merged.licence_url[:MAX_EVIDENCE_LENGTH] or OPERATOR_EVIDENCE)
    is_free = is_operator or publication_status(merged) is LicenceStatus.FREE
    return _LinkWrite(merged, movie_id, old, is_free or (old is not None and old.is_published))


def _merged(link: LinkRecord, old: StreamingLink) -> LinkRecord:
    """The link with the values of its row where it states none.

    The values of the source that found the link first take precedence; other sources fill gaps only, or two sources
    would overwrite each other's values in turn.
    """
    if link.source == old.source:
        stated = {name: getattr(link, name) or getattr(old, name) for name in LINK_FIELDS}
    else:
        stated = {name: getattr(old, name) or getattr(link, name) for name in LINK_FIELDS}
    return replace(link, source=old.source, source_url=old.source_url, host=old.host, **stated)


def _row(write: _LinkWrite, *, now: datetime) -> StreamingLink:
    link = write.link
    return StreamingLink(
        movie_id=write.movie_id,
        source=link.source,
        source_url=link.source_url,
        host=link.host,
        **{name: getattr(link, name) for name in LINK_FIELDS},
        is_published=write.is_published,
        is_active=link.is_active,
        last_checked=link.last_checked,
        reason=Reason.UNCHECKED if link.is_active else Reason.IMPORTED,
        first_seen=now,
        last_seen=now,
    )


def _count(writes: Sequence[_LinkWrite], report: SaveReport) -> None:
    for write in writes:
        is_new = write.existing is None
        report.new += is_new
        report.seen_again += not is_new
        report.waiting += not write.is_published
        report.waiting_new += is_new and not write.is_published
        if not write.is_published:
            report.doubt = report.doubt or write.link.doubt
