"""Reads movies with their links as entries, in batches."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

from scraper.items import MOVIE_FACTS, Caption
from streaming.exchange.entries import DESCRIPTIVE_FIELDS, LinkEntry, MovieEntry
from streaming.ingest.blocklist import ShownCaptions
from streaming.models import Movie, MovieQuerySet, StreamingLink
from streaming.models.link import StreamingLinkQuerySet
from streaming.models.listed_link import ListedLink, links_by_movie
from streaming.ranking import best_first

BATCH_SIZE = 500
MOVIE_COLUMNS = ("imdb_id", "title", "year", "type", "poster_url", "synopsis", *MOVIE_FACTS)
PLAIN_FIELDS = tuple(name for name in DESCRIPTIVE_FIELDS if name != "label")
PLAIN_VALUES = attrgetter(*PLAIN_FIELDS)


def load_entries(movies: MovieQuerySet | None = None, *, active_only: bool = True) -> Iterator[MovieEntry]:
    """Yield movies (None: all) by IMDb id, with active links only or all shown ones.

    Each batch has its own queries, so memory stays constant and no transaction stays open.
    """
    links = StreamingLink.objects.active() if active_only else StreamingLink.objects.shown()
    rows = (Movie.objects.all() if movies is None else movies).shown().order_by("imdb_id").only(*MOVIE_COLUMNS)
    last_id = ""
    while batch := list(rows.filter(imdb_id__gt=last_id)[:BATCH_SIZE]):
        yield from _batch_entries(batch, links)
        last_id = batch[-1].imdb_id


def load_list(movies: MovieQuerySet) -> Iterator[MovieEntry]:
    """Yield the shown movies of a list with their active links, in the order of the list.

    The order is read at once, as row ids of 8 bytes each; the movies in batches.
    """
    ids = array("q", movies.values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH_SIZE):
        batch = Movie.objects.shown().only(*MOVIE_COLUMNS).in_bulk(ids[start : start + BATCH_SIZE].tolist())
        in_order = [batch[pk] for pk in ids[start : start + BATCH_SIZE] if pk in batch]
        yield from _batch_entries(in_order, StreamingLink.objects.active())


def _batch_entries(batch: Sequence[Movie], links: StreamingLinkQuerySet) -> Iterator[MovieEntry]:
    by_movie = links_by_movie(links, {movie.pk: movie for movie in batch})
    captions = ShownCaptions()
    for movie in batch:
        yield to_entry(movie, by_movie[movie.pk], captions=captions)


def to_entry(
    movie: Movie,
    links: Iterable[StreamingLink | ListedLink],
    *,
    languages: Sequence[str] = (),
    captions: ShownCaptions | None = None,
) -> MovieEntry:
    """One movie with these links, best first for a viewer of these languages (empty: any)."""
    captions = captions or ShownCaptions()
    return MovieEntry(
        imdb_id=movie.imdb_id,
        title=movie.title,
        year=movie.year,
        type=movie.type,
        poster_url=movie.poster_url,
        synopsis=movie.synopsis,
        runtime_minutes=movie.runtime_minutes,
        original_title=movie.original_title,
        original_languages=tuple(movie.original_languages),
        countries=tuple(movie.countries),
        genres=tuple(movie.genres),
        directors=movie.people("directors"),
        cast=movie.people("cast"),
        other_titles=tuple((language, title) for language, title in movie.other_titles),
        synopses=tuple((language, text) for language, text in movie.synopses),
        fame=movie.fame,
        links=tuple(_link_entry(link, captions) for link in best_first(links, languages=languages)),
    )


def _link_entry(link: StreamingLink | ListedLink, captions: ShownCaptions) -> LinkEntry:
    shown = captions.numbered(link.captions)
    return LinkEntry(
        source=link.source,
        source_url=link.source_url,
        source_name=link.source_name,
        label=link.display_label,
        duration_seconds=link.duration_seconds,
        size_bytes=link.size_bytes,
        width=link.width,
        height=link.height,
        captions=tuple(Caption(**caption) for _, caption in shown),
        caption_numbers=tuple(number for number, _ in shown),
        is_active=link.is_active,
        last_checked=link.last_checked,
        season=link.season,
        episode=link.episode,
        row_id=link.id,
        **dict(zip(PLAIN_FIELDS, PLAIN_VALUES(link), strict=True)),
    )
