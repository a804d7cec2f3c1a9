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

from scraper.net.url_policy import InvalidValue, PrivateHostAllowlist
from streaming.ingest.records import LinkRecord, MovieRecord, parse_link, parse_movie
from streaming.ingest.save import SaveReport, save_links

BATCH_SIZE = 50


class SaveLinksPipeline:
    """Collect records and save them in batches.

    `movie_id` is the IMDb id of the only movie to accept, None for any. `on_saved` gets the report of each batch, in a
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
        self.add(dict(ItemAdapter(item)))
        if len(self.links) >= BATCH_SIZE:
            await self.flush()
        return item

    def add(self, raw: dict[str, Any]) -> None:
        """Validate one item and keep it for the next batch; a refused one is only counted."""
        try:
            link, movie = parse_link(raw, allowed=self.allowed), parse_movie(raw)
            if self.movie_id and link.imdb_id != self.movie_id:
                raise InvalidValue("another_movie", f"{link.imdb_id} is not the requested movie")
        except InvalidValue as refusal:
            self.refused[refusal.code] += 1
        else:
            self.links.append(link)
            self.movies[movie.imdb_id] = movie

    async def flush(self) -> None:
        """Save the pending batch; a database error fails the crawl."""
        links, movies, self.links, self.movies = self.links, self.movies, [], {}
        report = await sync_to_async(save_links)(links, movies=list(movies.values()))
        report.refused.update(self.refused)
        self.refused = Counter()
        self.total.add(report)
        if self.on_saved is not None:
            await sync_to_async(self.on_saved)(report)

    async def close_spider(self) -> None:
        if self.links or self.refused:
            await self.flush()
