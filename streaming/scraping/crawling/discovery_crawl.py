"""Discover films of a source: read its list page by page, save each page, then move the checkpoint.

A process can run one discovery only, because Twisted's reactor does not restart.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.db import DatabaseError, connections
from itemadapter import ItemAdapter
from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.settings import Settings
from twisted.python.failure import Failure

from scraper.discovery.http_cache import CACHE_SECONDS, HTTP_CACHE_SETTINGS
from scraper.discovery.listing_spiders import LISTING_SPIDERS, FilmListPage
from scraper.errors import SourceFailed, source_failed
from scraper.extraction.film import ExtractedFilm, to_items, valid_year
from scraper.net.url_policy import InvalidValue
from streaming import file_locks
from streaming.ingest.records import LinkRecord, MovieRecord, parse_link, parse_movie
from streaming.ingest.save import SaveReport, save_links
from streaming.models import Movie
from streaming.scraping.crawling import checkpoint
from streaming.scraping.crawling.checkpoint import Checkpoint
from streaming.scraping.crawling.crawler_setup import PIPELINE_ORDER, crawl_settings, create_process, spider_failure

CACHE_FOLDER = "discover-answers"


@dataclass(slots=True)
class DiscoveryRun:
    """One discovery and its results so far.

    `limit` is the number of films to read, over all runs until the limit is reached; `films` counts those of this run,
    `unknown` the watchable ones that are not in the catalogue. `error` is empty unless something failed. `is_complete`:
    the source has no more films; `is_over`: the crawl ended by itself.
    """

    source: str
    limit: int
    path: Path
    is_dry: bool = False
    on_progress: Callable[[DiscoveryRun], None] | None = None
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    films: int = 0
    unknown: int = 0
    is_complete: bool = False
    is_over: bool = False
    error: str = ""
    saved: SaveReport = field(default_factory=SaveReport)

    @property
    def is_done(self) -> bool:
        return self.is_complete or self.checkpoint.film_count >= self.limit

    def save_page(self, page: FilmListPage) -> None:
        """Save a page, then move the checkpoint; a run that dies in between reads the page again."""
        links = [link for film in page.films for link in self._links(film)]
        movies = {movie.imdb_id: movie for film in page.films if (movie := _movie(film))}
        watchable = [movies[imdb_id] for imdb_id in dict.fromkeys(link.imdb_id for link in links) if imdb_id in movies]
        self.films += len(page.films)
        self.unknown += len(watchable) - _count_known(watchable)
        self.is_complete = not page.after
        self.checkpoint = Checkpoint(after=page.after, film_count=self.checkpoint.film_count + len(page.films))
        if not self.is_dry:
            self.saved.add(save_links(links, movies=watchable))
            checkpoint.write_checkpoint(
                self.path, replace(self.checkpoint, film_count=0) if self.is_done else self.checkpoint
            )
        if self.on_progress is not None:
            self.on_progress(self)

    def _links(self, film: ExtractedFilm) -> Iterator[LinkRecord]:
        for item in to_items(film, imdb_id=film.imdb_id, source=self.source):
            try:
                yield parse_link(ItemAdapter(item).asdict(), allowed=django_settings.ALLOW_PRIVATE_HOSTS)
            except InvalidValue as error:
                self.saved.refused[error.code] += 1

    def fail(self, failed: SourceFailed) -> None:
        self.error = self.error or failed.message


class DiscoveryCrawler(Crawler):
    """A crawler that knows its discovery."""

    def __init__(self, settings: Settings, discovery: DiscoveryRun) -> None:
        super().__init__(LISTING_SPIDERS[discovery.source], settings)
        self.discovery = discovery
        self.signals.connect(self._on_source_failed, signal=source_failed)
        self.signals.connect(self._on_spider_error, signal=signals.spider_error)
        self.signals.connect(self._on_closed, signal=signals.spider_closed)

    def _on_source_failed(self, failed: SourceFailed) -> None:
        self.discovery.fail(failed)

    def _on_closed(self, reason: str) -> None:
        self.discovery.is_over = reason == "finished" and not self.discovery.error

    def _on_spider_error(self, failure: Failure) -> None:
        self.discovery.fail(spider_failure(failure))


class SavePagesPipeline:
    """Save pages one at a time, in order, off the event loop."""

    def __init__(self, crawler: DiscoveryCrawler) -> None:
        self.crawler, self.lock = crawler, asyncio.Lock()

    @classmethod
    def from_crawler(cls, crawler: DiscoveryCrawler) -> SavePagesPipeline:
        return cls(crawler)

    async def process_item(self, page: FilmListPage) -> FilmListPage:
        async with self.lock:
            # After a page that could not be saved the checkpoint stays.
            if not self.crawler.discovery.error:
                await self._save(page)
        return page

    async def _save(self, page: FilmListPage) -> None:
        try:
            await sync_to_async(self.crawler.discovery.save_page)(page)
        except (DatabaseError, OSError) as error:
            self.crawler.discovery.fail(SourceFailed(f"Films could not be saved: {error}"))
            self.crawler.stop()

    async def close_spider(self) -> None:
        # The worker thread's connection, which nothing else can close.
        await sync_to_async(connections.close_all)()


def run_discovery(discovery: DiscoveryRun) -> None:
    """Continue from the checkpoint until `limit` films are read or the source has no more."""
    stored = Checkpoint() if discovery.is_dry else checkpoint.read_checkpoint(discovery.path)
    # A run that has finished, or had a lower limit, is not continued.
    discovery.checkpoint = stored if stored.film_count < discovery.limit else replace(stored, film_count=0)
    connections.close_all()
    cache = discovery.path.parent / CACHE_FOLDER
    file_locks.create_folder(cache)
    _delete_expired_responses(cache, before=time.time() - CACHE_SECONDS)
    pipelines = {SavePagesPipeline: PIPELINE_ORDER}
    # Each page of a list is one step deeper than the last; `limit` bounds them, not the depth.
    settings = crawl_settings(ITEM_PIPELINES=pipelines, DEPTH_LIMIT=0, **HTTP_CACHE_SETTINGS, HTTPCACHE_DIR=str(cache))
    process = create_process(settings)
    remaining = discovery.limit - discovery.checkpoint.film_count
    process.crawl(DiscoveryCrawler(settings, discovery), after=discovery.checkpoint.after, limit=remaining)
    process.start()
    file_locks.give_to_folders_owner(cache)
    if discovery.is_over and not discovery.is_dry:
        checkpoint.write_checkpoint(discovery.path, replace(discovery.checkpoint, film_count=0))


def checkpoint_path(source: str) -> Path:
    """Return the file that holds the checkpoint of a source."""
    return Path(django_settings.SCRAPE_DIR) / f"discover-{source}.json"


def _delete_expired_responses(folder: Path, *, before: float) -> None:
    """Delete cached responses last written before this Unix time; each is a folder `<source>/<two letters>/<key>`."""
    for response in folder.glob("*/*/*"):
        if response.stat().st_mtime < before:
            shutil.rmtree(response, ignore_errors=True)


def _movie(film: ExtractedFilm) -> MovieRecord | None:
    about = {"imdb_id": film.imdb_id, "title": film.title, "year": valid_year(film.year), "type": film.type}
    about |= {"poster_url": film.poster_url, "synopsis": film.synopsis}
    try:
        return parse_movie(about)
    except InvalidValue:
        return None


def _count_known(movies: Sequence[MovieRecord]) -> int:
    return Movie.objects.filter(imdb_id__in=[movie.imdb_id for movie in movies]).count()
