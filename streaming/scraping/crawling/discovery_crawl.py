"""New films of a source: its pages are read one by one, each saved with the bookmark that says how far we are.

Like `crawl` it meets Scrapy, so doors load it by its name; a process can discover once only.
"""

from __future__ import annotations

import asyncio
import logging
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
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.settings import Settings
from twisted.python.failure import Failure

from scraper.discovery.http_cache import CACHE_SECONDS, HTTP_CACHE_SETTINGS
from scraper.discovery.listing_spiders import LISTING_SPIDERS, FilmListPage
from scraper.errors import SourceFailed, source_failed
from scraper.extraction.film import ExtractedFilm, to_items, valid_year
from scraper.net.url_policy import InvalidValue
from streaming.ingest.records import LinkRecord, MovieRecord, parse_link, parse_movie
from streaming.ingest.save import SaveReport, save_links
from streaming.models import Movie
from streaming.scraping.crawling import checkpoint
from streaming.scraping.crawling.checkpoint import Checkpoint
from streaming.scraping.crawling.download_hooks import DOWNLOAD_SETTINGS

SHARED_SETTINGS = ("USER_AGENT", "ALLOW_PRIVATE_HOSTS", "SOURCE_DELAYS", "WIKIDATA_SPARQL_URL", "INTERNET_ARCHIVE_URL")
SPIDER_ERROR = "The spider broke on what it was sent"


@dataclass(slots=True)
class DiscoveryRun:
    """A run and what has come of it so far. `failed` is the sentence of what went wrong, empty if nothing did;
    `is_complete`: the source has no more films after these; `is_over`: it was read as far as was asked."""

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
    failed: str = ""
    saved: SaveReport = field(default_factory=SaveReport)

    @property
    def is_done(self) -> bool:
        return self.is_complete or self.checkpoint.film_count >= self.limit

    def save_page(self, page: FilmListPage) -> None:
        """Save a page, then move the bookmark: a run that dies between the two reads the page once more."""
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
            except InvalidValue as refusal:
                self.saved.refused[refusal.code] += 1

    def fail(self, failed: SourceFailed) -> None:
        self.failed = self.failed or failed.message


class DiscoveryCrawler(Crawler):
    """A crawler that knows for which run it works."""

    def __init__(self, settings: Settings, discovery: DiscoveryRun) -> None:
        super().__init__(LISTING_SPIDERS[discovery.source], settings)
        self.discovery = discovery
        self.signals.connect(self._failed, signal=source_failed)
        self.signals.connect(self._broke, signal=signals.spider_error)
        self.signals.connect(self._closed, signal=signals.spider_closed)

    def _failed(self, failed: SourceFailed) -> None:
        self.discovery.fail(failed)

    def _closed(self, reason: str) -> None:
        self.discovery.is_over = reason == "finished" and not self.discovery.failed

    def _broke(self, failure: Failure) -> None:
        self.discovery.fail(SourceFailed(f"{SPIDER_ERROR} ({type(failure.value).__name__})"))


class SavePagesPipeline:
    """Saves page after page, in their order, off the event loop."""

    def __init__(self, crawler: DiscoveryCrawler) -> None:
        self.crawler, self.one_at_a_time = crawler, asyncio.Lock()

    @classmethod
    def from_crawler(cls, crawler: DiscoveryCrawler) -> SavePagesPipeline:
        return cls(crawler)

    async def process_item(self, page: FilmListPage) -> FilmListPage:
        async with self.one_at_a_time:
            # After a page that could not be saved the bookmark stays where it is.
            if not self.crawler.discovery.failed:
                await self._save(page)
        return page

    async def _save(self, page: FilmListPage) -> None:
        try:
            await sync_to_async(self.crawler.discovery.save_page)(page)
        except (DatabaseError, OSError) as error:
            self.crawler.discovery.fail(SourceFailed(f"Films could not be saved: {error}"))
            self.crawler.stop()

    async def close_spider(self) -> None:
        # The worker thread's connection, which nobody else can close.
        await sync_to_async(connections.close_all)()


def run_discovery(discovery: DiscoveryRun) -> None:
    """Go on from the bookmark until `limit` films of this run were read or the source has no more."""
    begun = Checkpoint() if discovery.is_dry else checkpoint.read_checkpoint(discovery.path)
    # A run that ended, or one that wanted less than now, is not gone on with.
    discovery.checkpoint = begun if begun.film_count < discovery.limit else replace(begun, film_count=0)
    connections.close_all()
    settings = Settings()
    settings.setmodule("scraper.settings", priority="project")
    settings.setdict({name: getattr(django_settings, name) for name in SHARED_SETTINGS}, priority="cmdline")
    ours = {
        "EXTENSIONS": {},
        "ITEM_PIPELINES": {SavePagesPipeline: 300},
        "LOG_INSTALL_ROOT_HANDLER": False,
        **DOWNLOAD_SETTINGS,
    }
    settings.setdict(ours, priority="cmdline")
    kept = discovery.path.parent / "discover-answers"
    _delete_expired_responses(kept, before=time.time() - CACHE_SECONDS)
    settings.setdict({**HTTP_CACHE_SETTINGS, "HTTPCACHE_DIR": str(kept)}, priority="cmdline")
    logging.disable(logging.getLogger().getEffectiveLevel() - 1)
    process = AsyncCrawlerProcess(settings)
    left = discovery.limit - discovery.checkpoint.film_count
    process.crawl(DiscoveryCrawler(settings, discovery), after=discovery.checkpoint.after, limit=left)
    process.start()
    if discovery.is_over and not discovery.is_dry:
        checkpoint.write_checkpoint(discovery.path, replace(discovery.checkpoint, film_count=0))


def checkpoint_path(source: str) -> Path:
    """Where the bookmark of a source lies."""
    return Path(django_settings.SCRAPE_DIR) / f"discover-{source}.json"


def _delete_expired_responses(folder: Path, *, before: float) -> None:
    """Remove answers that are too old to be used: a folder each, under the source's name and two letters."""
    for answer in folder.glob("*/*/*"):
        if answer.stat().st_mtime < before:
            shutil.rmtree(answer, ignore_errors=True)


def _movie(film: ExtractedFilm) -> MovieRecord | None:
    about = {"imdb_id": film.imdb_id, "title": film.title, "year": valid_year(film.year), "type": film.type}
    about |= {"poster_url": film.poster_url, "synopsis": film.synopsis}
    try:
        return parse_movie(about)
    except InvalidValue:
        return None


def _count_known(movies: Sequence[MovieRecord]) -> int:
    return Movie.objects.filter(imdb_id__in=[movie.imdb_id for movie in movies]).count()
