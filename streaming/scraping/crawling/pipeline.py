"""The seam between Scrapy and the catalogue: items in, batches of rows out, off the event loop.

An ordinary pipeline that calls the ORM saves nothing and the crawl still exits 0 (Django raises
SynchronousOnlyOperation inside the running loop, Scrapy logs it): so every save goes through `sync_to_async`.
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
    """Collects records and saves them in batches. `only` names the one movie a job is about; None takes all."""

    def __init__(
        self,
        *,
        allowed: PrivateHostAllowlist,
        only: str | None = None,
        on_saved: Callable[[SaveReport], None] | None = None,
    ) -> None:
        self.allowed, self.movie_id, self.told = allowed, only, on_saved
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
        """Clean one item; a refused one is counted and the others go on."""
        try:
            link, movie = parse_link(raw, allowed=self.allowed), parse_movie(raw)
            if self.movie_id and link.imdb_id != self.movie_id:
                raise InvalidValue("another_movie", f"{link.imdb_id} is not the movie that was asked for")
        except InvalidValue as refusal:
            self.refused[refusal.code] += 1
        else:
            self.links.append(link)
            self.movies[movie.imdb_id] = movie

    async def flush(self) -> None:
        """Save what waits. Raises what the database raises: a crawl that cannot save has failed."""
        links, movies, self.links, self.movies = self.links, self.movies, [], {}
        report = await sync_to_async(save_links)(links, movies=list(movies.values()))
        report.refused.update(self.refused)
        self.refused = Counter()
        self.total.add(report)
        if self.told is not None:
            await sync_to_async(self.told)(report)

    async def close_spider(self) -> None:
        if self.links or self.refused:
            await self.flush()
