"""Save the items of a spider in batches, off the event loop.

Every save goes through `sync_to_async`: a pipeline that calls the ORM directly saves nothing (Django raises
SynchronousOnlyOperation inside the running loop), while Scrapy only logs that and the crawl still exits 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from itemadapter import ItemAdapter

from scraper.items import FilmItem
from scraper.net.url_policy import InvalidValue, PrivateHostAllowlist
from streaming.ingest.records import LinkRecord, MovieRecord, merge_movies, parse_link, parse_movie
from streaming.ingest.save import SaveReport, save_links

BATCH_SIZE = 50


class SaveLinksPipeline:
    """Collect records and save them in batches.

    `movie_id` is the IMDb id of the only movie to accept, None for any; then a movie that is not in the catalogue, for
    it has been removed or was never there, is saved only with a link. `on_saved` gets the report of each batch, in a
    worker thread.
    """

    def __init__(
        self,
        *,
        allowed: PrivateHostAllowlist,
        movie_id: str | None = None,
        on_saved: Callable[[SaveReport], None] | None = None,
    ) -> None:
        self.allowed, self.movie_id, self.on_saved = allowed, movie_id, on_saved
        self.links: list[LinkRecord] = []
        self.movies: dict[str, MovieRecord] = {}
        self.refused: Counter[str] = Counter()
        self.total = SaveReport()

    async def process_item(self, item: Any) -> Any:
        raw = ItemAdapter(item).asdict()
        if not isinstance(item, FilmItem):
            raw.setdefault("source_url", "")  # A link without an address is refused, and no film.
        self.add(raw)
        if len(self.links) >= BATCH_SIZE:
            await self.flush()
        return item

    def add(self, raw: dict[str, Any]) -> None:
        """Validate one item, of a link or of a film, and keep it for the next batch; a refused one is only counted."""
        try:
            movie = parse_movie(raw)
            links = [parse_link(raw, allowed=self.allowed)] if "source_url" in raw else []
            if self.movie_id and movie.imdb_id != self.movie_id:
                raise InvalidValue("another_movie", f"{movie.imdb_id} is not the requested movie")
        except InvalidValue as refusal:
            self.refused[refusal.code] += 1
        else:
            self.links += links
            self.movies[movie.imdb_id] = merge_movies(self.movies.get(movie.imdb_id), movie)
            self.refused.update(error.code for error in movie.refused)
            self.refused.update(error.code for link in links for error in link.refused)

    async def flush(self) -> None:
        """Save the pending batch; a database error fails the crawl."""
        links, movies, self.links, self.movies = self.links, self.movies, [], {}
        report = await sync_to_async(save_links)(
            links, movies=list(movies.values()), needs_link=self.movie_id is not None
        )
        report.refused.update(self.refused)
        self.refused = Counter()
        self.total.add(report)
        if self.on_saved is not None:
            await sync_to_async(self.on_saved)(report)

    async def close_spider(self) -> None:
        if self.links or self.movies or self.refused:
            await self.flush()
