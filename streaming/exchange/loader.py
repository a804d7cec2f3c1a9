"""Reads movies with their links as entries, in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db.models import Prefetch

from streaming.exchange.entries import DESCRIPTIVE_FIELDS, LinkEntry, MovieEntry
from streaming.models import Movie, MovieQuerySet, StreamingLink
from streaming.ranking import best_first

BATCH_SIZE = 500


def load_entries(movies: MovieQuerySet | None = None, *, active_only: bool = True) -> Iterator[MovieEntry]:
    """Yield movies (None: all) by IMDb id, with active links only or all shown ones.

    Each batch has its own queries, so memory stays constant and no transaction stays open.
    """
    links = StreamingLink.objects.active() if active_only else StreamingLink.objects.shown()
    rows = (Movie.objects.all() if movies is None else movies).shown().order_by("imdb_id")
    rows = rows.prefetch_related(Prefetch("links", links))
    last_id = ""
    while batch := list(rows.filter(imdb_id__gt=last_id)[:BATCH_SIZE]):
        for movie in batch:
            yield to_entry(movie, list(movie.links.all()))
        last_id = batch[-1].imdb_id


def to_entry(movie: Movie, links: Sequence[StreamingLink], *, languages: Sequence[str] = ()) -> MovieEntry:
    """One movie with these links, best first for a viewer of these languages (empty: any)."""
    return MovieEntry(
        imdb_id=movie.imdb_id,
        title=movie.title,
        year=movie.year,
        type=movie.type,
        poster_url=movie.poster_url,
        synopsis=movie.synopsis,
        links=tuple(_link_entry(link) for link in best_first(links, languages=languages)),
    )


def _link_entry(link: StreamingLink) -> LinkEntry:
    descriptive = {name: getattr(link, name) for name in DESCRIPTIVE_FIELDS} | {"label": link.display_label}
    return LinkEntry(
        source=link.source,
        source_url=link.source_url,
        source_name=link.source_name,
        **descriptive,
        is_active=link.is_active,
        last_checked=link.last_checked,
    )
