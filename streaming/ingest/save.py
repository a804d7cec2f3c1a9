"""Records become rows: in batches, each link once, health never reset, removed movies restored, blocked refused."""

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
from streaming.models import Movie, StreamingLink
from streaming.models.movie import lock_movies, mark_updated
from streaming.reason_codes import Reason

# Not `source`: the source that found a link first keeps it. Not `is_published`: saving only ever publishes.
UPDATED_COLUMNS = [*LINK_FIELDS, "last_seen"]
FILLABLE_MOVIE_FIELDS = ("year", "poster_url", "synopsis")
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
OPERATOR_EVIDENCE = "Stated by the operator"


@dataclass(slots=True)
class SaveReport:
    """What became of a batch: links by fate, movies made or restored, refusals counted by reason code.

    `waiting` and `waiting_new` are those among them that are not published; `doubt` is why the first of them is not,
    empty when it only lacks a licence.
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
        """Count another batch in."""
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
    """Save one batch in one short transaction; a handful of queries whatever its size.

    `movies` describe movies that may be unknown; a link of a movie that is neither known, described with a title nor
    restorable is refused as `unknown_movie`. A link whose licence the policy takes is published, one without waits for
    review and so does one that its source doubts, one whose licence is known not to be free is refused as
    `licence_refused`, a paid service as `may_not_be_free`. `is_vouched`: the operator states them (an import, a link by
    hand), so that they are published without a licence too.
    """
    report = SaveReport()
    with transaction.atomic():
        blocklist = Blocklist.load_locked()
        kept = _drop_blocked(_publishable(links, report), blocklist, report)
        described = [movie for movie in movies if not blocklist.is_blocked(imdb_id=movie.imdb_id)]
        report.refused["blocked_address"] += len(movies) - len(described)
        known = _known_movies(kept, described, report)
        ids = _create_movies(known, described, report)
        # Movies first, then their links, each by id: as the checker and whoever removes movies do.
        lock_movies(ids.values())
        changed = _upsert(kept, ids, report, is_operator=is_operator)
        _save_missing_fields(_missing_fields(known, described))
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
    """What the policy of its source and the operator's settings say of a link's licence. What the example site shows of
    itself, on this machine, is nobody else's and needs none."""
    said = licence_status(link.source, link.licence, allowed_too=settings.ALLOW_LICENCES)
    is_ours = link.source == "example" and link.host in LOOPBACK_HOSTS
    if said is LicenceStatus.FREE and link.doubt:
        return LicenceStatus.UNSTATED
    return LicenceStatus.FREE if said is LicenceStatus.UNSTATED and is_ours else said


def _drop_blocked(links: Iterable[LinkRecord], blocklist: Blocklist, report: SaveReport) -> list[LinkRecord]:
    kept: dict[tuple[str, str], LinkRecord] = {}
    for link in links:
        if blocklist.is_blocked(url=link.source_url, imdb_id=link.imdb_id):
            report.refused["blocked_address"] += 1
        else:
            key = (link.imdb_id, canonical_key(link.source_url))
            kept[key] = _prefer_https(link, kept.get(key))
    # In one order everywhere: two batches that lock the same rows must meet them in the same order, or PostgreSQL ends
    # one of them for a deadlock and its links are lost (seen with two crawls of the same films).
    return [kept[key] for key in sorted(kept)]


def _prefer_https(link: LinkRecord, other: LinkRecord | None) -> LinkRecord:
    """The later mention of a link in the better spelling of the two: https before http."""
    if other is None or link.source_url.startswith("https:") or not other.source_url.startswith("https:"):
        return link
    return replace(link, source_url=other.source_url, host=other.host)


def _known_movies(links: Sequence[LinkRecord], movies: Sequence[MovieRecord], report: SaveReport) -> dict[str, Movie]:
    """The movies that stand, by IMDb id, after restoring what links were found for."""
    wanted = {link.imdb_id for link in links}
    known = {x.imdb_id: x for x in Movie.objects.filter(imdb_id__in=wanted | {movie.imdb_id for movie in movies})}
    if lost := wanted - known.keys():
        report.movies_restored += len(restore_movies(lost))
        # Not only those that came back just now: another crawl may have restored or made one a moment ago.
        known |= {movie.imdb_id: movie for movie in Movie.objects.filter(imdb_id__in=lost)}
    return known


def _create_movies(known: dict[str, Movie], movies: Sequence[MovieRecord], report: SaveReport) -> dict[str, int]:
    """Row ids by IMDb id, after making the movies that nobody knew."""
    described = {movie.imdb_id: movie for movie in movies}
    fresh = [_new_movie(described[key]) for key in sorted(described.keys() - known.keys()) if described[key].title]
    # Two crawls may meet the same unknown movie: the second insert yields, and both read the row that stands.
    Movie.objects.bulk_create(fresh, ignore_conflicts=True)
    report.movies_new += len(fresh)
    ids = {imdb_id: movie.pk for imdb_id, movie in known.items()}
    return ids | dict(Movie.objects.filter(imdb_id__in=[m.imdb_id for m in fresh]).values_list("imdb_id", "pk"))


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
    """Known movies with what they lacked; what stands (staff may have edited it) is never overwritten."""
    described = {movie.imdb_id: movie for movie in movies}
    filled = []
    for imdb_id in known.keys() & described.keys():
        movie, record = known[imdb_id], described[imdb_id]
        gaps = {name: getattr(record, name) for name in FILLABLE_MOVIE_FIELDS if not getattr(movie, name)}
        if any(gaps.values()):
            for name, value in gaps.items():
                setattr(movie, name, value)
            movie.updated_at = timezone.now()
            filled.append(movie)
    return filled


def _save_missing_fields(movies: Sequence[Movie]) -> None:
    if movies:
        Movie.objects.bulk_update(movies, [*FILLABLE_MOVIE_FIELDS, "updated_at"])


@dataclass(frozen=True, slots=True)
class _LinkWrite:
    """A link on its way into its row: `old` is the row as it stands, None for a new one."""

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
        """It waited for review, and now there is evidence. What is published is never hidden again here."""
        return self.existing is not None and self.is_published and not self.existing.is_published


def _upsert(links: Sequence[LinkRecord], ids: dict[str, int], report: SaveReport, *, is_operator: bool) -> set[int]:
    """Save the links; the ids of the movies of which something is shown otherwise now."""
    known = [link for link in links if link.imdb_id in ids]
    report.refused["unknown_movie"] += len(links) - len(known)
    rows = _existing_rows({ids[link.imdb_id] for link in known}, {canonical_key(link.source_url) for link in known})
    placed = [_link_write(link, ids[link.imdb_id], rows, is_operator=is_operator) for link in known]
    now = timezone.now()
    StreamingLink.objects.bulk_create(
        (_row(one, now=now) for one in placed),
        update_conflicts=True,
        unique_fields=["movie", "source_url"],
        update_fields=UPDATED_COLUMNS,
    )
    if revealed := [one.existing.pk for one in placed if one.existing is not None and one.becomes_published]:
        StreamingLink.objects.filter(pk__in=revealed).update(is_published=True)
    _count(placed, report)
    return {one.movie_id for one in placed if one.is_changed}


def _existing_rows(movie_ids: set[int], keys: set[str]) -> dict[tuple[int, str], StreamingLink]:
    """The rows of these movies under one of these keys, whatever their spelling, locked. A source may still name the
    address that a link had before it moved."""
    addresses = StreamingLink.objects.filter(movie__in=movie_ids).values_list("pk", "source_url", "moved_from")
    wanted = [pk for pk, *urls in addresses if any(canonical_key(url) in keys for url in urls if url)]
    rows: dict[tuple[int, str], StreamingLink] = {}
    moved: dict[tuple[int, str], StreamingLink] = {}
    for row in StreamingLink.objects.filter(pk__in=wanted).select_for_update().order_by("pk"):
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
    """What the source does not say any more stays as it was said before. Who found a link first describes it; what
    another source says fills the gaps, or two of them would describe it anew in turns."""
    if link.source == old.source:
        stated = {name: getattr(link, name) or getattr(old, name) for name in LINK_FIELDS}
    else:
        stated = {name: getattr(old, name) or getattr(link, name) for name in LINK_FIELDS}
    return replace(link, source=old.source, source_url=old.source_url, host=old.host, **stated)


def _row(placed: _LinkWrite, *, now: datetime) -> StreamingLink:
    link = placed.link
    return StreamingLink(
        movie_id=placed.movie_id,
        source=link.source,
        source_url=link.source_url,
        host=link.host,
        **{name: getattr(link, name) for name in LINK_FIELDS},
        is_published=placed.is_published,
        is_active=link.is_active,
        last_checked=link.last_checked,
        reason=Reason.UNCHECKED if link.is_active else Reason.IMPORTED,
        first_seen=now,
        last_seen=now,
    )


def _count(placed: Sequence[_LinkWrite], report: SaveReport) -> None:
    for one in placed:
        is_new = one.existing is None
        report.new += is_new
        report.seen_again += not is_new
        report.waiting += not one.is_published
        report.waiting_new += is_new and not one.is_published
        if not one.is_published:
            report.doubt = report.doubt or one.link.doubt
