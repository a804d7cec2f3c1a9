"""Records become rows: in batches, each link once, health never reset, removed movies restored, blocked refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from streaming.ingest.blocklist import Blocklist
from streaming.ingest.records import LinkRecord, MovieRecord
from streaming.ingest.snapshots import restore_movies
from streaming.models import Movie, StreamingLink
from streaming.models.movie import touch

DESCRIBING = ("label", "quality", "language", "licence", "licence_url")
REFRESHED = ["kind", "source", *DESCRIBING, "last_seen"]
IMPORTED = "imported"


@dataclass(slots=True)
class SaveReport:
    """What became of a batch: links by fate, movies made or restored, refusals counted by reason code."""

    new: int = 0
    seen_again: int = 0
    movies_new: int = 0
    movies_restored: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    new_by_source: Counter[str] = field(default_factory=Counter)
    links_by_source: Counter[str] = field(default_factory=Counter)

    def add(self, other: SaveReport) -> None:
        """Count another batch in."""
        self.new += other.new
        self.seen_again += other.seen_again
        self.movies_new += other.movies_new
        self.movies_restored += other.movies_restored
        self.refused.update(other.refused)
        self.new_by_source.update(other.new_by_source)
        self.links_by_source.update(other.links_by_source)


def save_links(links: Sequence[LinkRecord], *, movies: Sequence[MovieRecord] = ()) -> SaveReport:
    """Save one batch in one short transaction; a handful of queries whatever its size.

    `movies` describe movies that may be unknown; a link of a movie that is neither known, described with a title nor
    restorable is refused as `unknown_movie`.
    """
    report = SaveReport()
    with transaction.atomic():
        blocklist = Blocklist.load()
        kept = _unblocked(links, blocklist, report)
        described = [movie for movie in movies if not blocklist.forbids(imdb_id=movie.imdb_id)]
        report.refused["blocked_address"] += len(movies) - len(described)
        ids = _movie_ids(kept, described, report)
        _upsert(kept, ids, report)
    return report


def _unblocked(links: Iterable[LinkRecord], blocklist: Blocklist, report: SaveReport) -> list[LinkRecord]:
    kept = {}
    for link in links:
        if blocklist.forbids(url=link.source_url, imdb_id=link.imdb_id):
            report.refused["blocked_address"] += 1
        else:
            kept[link.imdb_id, link.source_url] = link
    return list(kept.values())


def _movie_ids(links: Sequence[LinkRecord], movies: Sequence[MovieRecord], report: SaveReport) -> dict[str, int]:
    """Row ids by IMDb id, after restoring, describing and creating what is to be."""
    described = {movie.imdb_id: movie for movie in movies}
    wanted = {link.imdb_id for link in links}
    known = {movie.imdb_id: movie for movie in Movie.objects.filter(imdb_id__in=wanted | described.keys())}
    if lost := wanted - known.keys():
        report.movies_restored += len(restored := restore_movies(lost))
        known |= {movie.imdb_id: movie for movie in Movie.objects.filter(imdb_id__in=restored)}
    fresh = [_new_movie(movie) for key, movie in described.items() if key not in known and movie.title]
    # Two crawls may meet the same unknown movie: the second insert yields, and both read the row that stands.
    Movie.objects.bulk_create(fresh, ignore_conflicts=True)
    report.movies_new += len(fresh)
    _fill_gaps(known, described)
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


def _fill_gaps(known: dict[str, Movie], described: dict[str, MovieRecord]) -> None:
    """Fill what a known movie lacks; what stands (staff may have edited it) is never overwritten."""
    filled = []
    for imdb_id in known.keys() & described.keys():
        movie, record = known[imdb_id], described[imdb_id]
        gaps = {name: getattr(record, name) for name in ("year", "poster_url", "synopsis") if not getattr(movie, name)}
        if any(gaps.values()):
            for name, value in gaps.items():
                setattr(movie, name, value)
            movie.updated_at = timezone.now()
            filled.append(movie)
    if filled:
        Movie.objects.bulk_update(filled, ["year", "poster_url", "synopsis", "updated_at"])


def _upsert(links: Sequence[LinkRecord], ids: dict[str, int], report: SaveReport) -> None:
    placed = [link for link in links if link.imdb_id in ids]
    report.refused["unknown_movie"] += len(links) - len(placed)
    movie_ids = {ids[link.imdb_id] for link in placed}
    standing = {
        (link.movie_id, link.source_url): link
        for link in StreamingLink.objects.filter(movie__in=movie_ids, source_url__in=[x.source_url for x in placed])
    }
    merged = [_merged(link, standing.get((ids[link.imdb_id], link.source_url))) for link in placed]
    now = timezone.now()
    StreamingLink.objects.bulk_create(
        (_row(link, movie_id=ids[link.imdb_id], now=now) for link in merged),
        update_conflicts=True,
        unique_fields=["movie", "source_url"],
        update_fields=REFRESHED,
    )
    _count(placed, standing, ids, report)
    changed = {ids[x.imdb_id] for x, y in zip(placed, merged, strict=True) if _differs(y, standing, ids)}
    touch(Movie.objects.filter(pk__in=changed))


def _merged(link: LinkRecord, standing: StreamingLink | None) -> LinkRecord:
    """What the source does not say any more stays as it was said before."""
    if standing is None:
        return link
    return replace(link, **{name: getattr(link, name) or getattr(standing, name) for name in DESCRIBING})


def _differs(link: LinkRecord, standing: dict[tuple[int, str], StreamingLink], ids: dict[str, int]) -> bool:
    old = standing.get((ids[link.imdb_id], link.source_url))
    return old is None or any(getattr(old, name) != getattr(link, name) for name in ("kind", "source", *DESCRIBING))


def _row(link: LinkRecord, *, movie_id: int, now: datetime) -> StreamingLink:
    return StreamingLink(
        movie_id=movie_id,
        source=link.source,
        source_url=link.source_url,
        host=link.host,
        kind=link.kind,
        label=link.label,
        quality=link.quality,
        language=link.language,
        licence=link.licence,
        licence_url=link.licence_url,
        is_active=link.is_active,
        last_checked=link.last_checked,
        reason="" if link.is_active else IMPORTED,
        first_seen=now,
        last_seen=now,
    )


def _count(
    placed: Sequence[LinkRecord],
    standing: dict[tuple[int, str], StreamingLink],
    ids: dict[str, int],
    report: SaveReport,
) -> None:
    for link in placed:
        is_new = (ids[link.imdb_id], link.source_url) not in standing
        report.new += is_new
        report.seen_again += not is_new
        report.new_by_source[link.source] += is_new
        report.links_by_source[link.source] += 1
