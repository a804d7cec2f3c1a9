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

from scraper.addresses import Refused
from scraper.discovery import FINDERS, FoundPage
from scraper.failures import SourceFailed, source_failed
from scraper.films import Film, items_of, plausible
from scraper.kept import KEEPING, KEPT_SECONDS
from streaming.ingest.records import LinkRecord, MovieRecord, link_record, movie_record
from streaming.ingest.save import SaveReport, save_links
from streaming.models import Movie
from streaming.scraping import bookmarks
from streaming.scraping.bookmarks import Bookmark
from streaming.scraping.hostgate import GATE

FROM_DJANGO = ("USER_AGENT", "ALLOW_PRIVATE_HOSTS", "SOURCE_DELAYS", "WIKIDATA_SPARQL_URL", "INTERNET_ARCHIVE_URL")
BROKEN = "The spider broke on what it was sent"


@dataclass(slots=True)
class Discovery:
    """A run and what has come of it so far. `failed` is the sentence of what went wrong, empty if nothing did;
    `is_complete`: the source has no more films after these; `is_over`: it was read as far as was asked."""

    source: str
    limit: int
    path: Path
    is_dry: bool = False
    told: Callable[[Discovery], None] | None = None
    bookmark: Bookmark = field(default_factory=Bookmark)
    films: int = 0
    unknown: int = 0
    is_complete: bool = False
    is_over: bool = False
    failed: str = ""
    saved: SaveReport = field(default_factory=SaveReport)

    @property
    def is_done(self) -> bool:
        return self.is_complete or self.bookmark.taken >= self.limit

    def take(self, page: FoundPage) -> None:
        """Save a page, then move the bookmark: a run that dies between the two reads the page once more."""
        links = [link for film in page.films for link in self._links(film)]
        movies = {movie.imdb_id: movie for film in page.films if (movie := _movie(film))}
        watchable = [movies[imdb_id] for imdb_id in dict.fromkeys(link.imdb_id for link in links) if imdb_id in movies]
        self.films += len(page.films)
        self.unknown += len(watchable) - _known(watchable)
        self.is_complete = not page.after
        self.bookmark = Bookmark(after=page.after, taken=self.bookmark.taken + len(page.films))
        if not self.is_dry:
            self.saved.add(save_links(links, movies=watchable))
            bookmarks.write(self.path, replace(self.bookmark, taken=0) if self.is_done else self.bookmark)
        if self.told is not None:
            self.told(self)

    def _links(self, film: Film) -> Iterator[LinkRecord]:
        for item in items_of(film, imdb_id=film.imdb_id, source=self.source):
            try:
                yield link_record(ItemAdapter(item).asdict(), allowed=django_settings.ALLOW_PRIVATE_HOSTS)
            except Refused as refusal:
                self.saved.refused[refusal.code] += 1

    def fail(self, failed: SourceFailed) -> None:
        self.failed = self.failed or failed.sentence


class DiscoveryCrawler(Crawler):
    """A crawler that knows for which run it works."""

    def __init__(self, settings: Settings, discovery: Discovery) -> None:
        super().__init__(FINDERS[discovery.source], settings)
        self.discovery = discovery
        self.signals.connect(self._failed, signal=source_failed)
        self.signals.connect(self._broke, signal=signals.spider_error)
        self.signals.connect(self._closed, signal=signals.spider_closed)

    def _failed(self, failed: SourceFailed) -> None:
        self.discovery.fail(failed)

    def _closed(self, reason: str) -> None:
        self.discovery.is_over = reason == "finished" and not self.discovery.failed

    def _broke(self, failure: Failure) -> None:
        self.discovery.fail(SourceFailed(f"{BROKEN} ({type(failure.value).__name__})"))


class SavePages:
    """Saves page after page, in their order, off the event loop."""

    def __init__(self, crawler: DiscoveryCrawler) -> None:
        self.crawler, self.one_at_a_time = crawler, asyncio.Lock()

    @classmethod
    def from_crawler(cls, crawler: DiscoveryCrawler) -> SavePages:
        return cls(crawler)

    async def process_item(self, page: FoundPage) -> FoundPage:
        async with self.one_at_a_time:
            # After a page that could not be saved the bookmark stays where it is.
            if not self.crawler.discovery.failed:
                await self._save(page)
        return page

    async def _save(self, page: FoundPage) -> None:
        try:
            await sync_to_async(self.crawler.discovery.take)(page)
        except (DatabaseError, OSError) as error:
            self.crawler.discovery.fail(SourceFailed(f"Films could not be saved: {error}"))
            self.crawler.stop()

    async def close_spider(self) -> None:
        # The worker thread's connection, which nobody else can close.
        await sync_to_async(connections.close_all)()


def discover(discovery: Discovery) -> None:
    """Go on from the bookmark until `limit` films of this run were read or the source has no more."""
    begun = Bookmark() if discovery.is_dry else bookmarks.read(discovery.path)
    # A run that ended, or one that wanted less than now, is not gone on with.
    discovery.bookmark = begun if begun.taken < discovery.limit else replace(begun, taken=0)
    connections.close_all()
    settings = Settings()
    settings.setmodule("scraper.settings", priority="project")
    settings.setdict({name: getattr(django_settings, name) for name in FROM_DJANGO}, priority="cmdline")
    ours = {"EXTENSIONS": {}, "ITEM_PIPELINES": {SavePages: 300}, "LOG_INSTALL_ROOT_HANDLER": False, **GATE}
    settings.setdict(ours, priority="cmdline")
    kept = discovery.path.parent / "discover-answers"
    _forget(kept, before=time.time() - KEPT_SECONDS)
    settings.setdict({**KEEPING, "HTTPCACHE_DIR": str(kept)}, priority="cmdline")
    logging.disable(logging.getLogger().getEffectiveLevel() - 1)
    process = AsyncCrawlerProcess(settings)
    left = discovery.limit - discovery.bookmark.taken
    process.crawl(DiscoveryCrawler(settings, discovery), after=discovery.bookmark.after, limit=left)
    process.start()
    if discovery.is_over and not discovery.is_dry:
        bookmarks.write(discovery.path, replace(discovery.bookmark, taken=0))


def bookmark_path(source: str) -> Path:
    """Where the bookmark of a source lies."""
    return Path(django_settings.SCRAPE_DIR) / f"discover-{source}.json"


def _forget(folder: Path, *, before: float) -> None:
    """Remove answers that are too old to be used: a folder each, under the source's name and two letters."""
    for answer in folder.glob("*/*/*"):
        if answer.stat().st_mtime < before:
            shutil.rmtree(answer, ignore_errors=True)


def _movie(film: Film) -> MovieRecord | None:
    about = {"imdb_id": film.imdb_id, "title": film.title, "year": plausible(film.year), "type": film.type}
    about |= {"poster_url": film.poster_url, "synopsis": film.synopsis}
    try:
        return movie_record(about)
    except Refused:
        return None


def _known(movies: Sequence[MovieRecord]) -> int:
    return Movie.objects.filter(imdb_id__in=[movie.imdb_id for movie in movies]).count()
