"""Crawl all sources of one scrape job in this process.

Import this module before forking: it loads what a crawl needs, and starts neither a reactor nor a thread. A process can
crawl only once, because Twisted's reactor does not restart.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module
from time import monotonic
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.db import Error as AnyDatabaseError
from django.db import connections
from django.utils.module_loading import import_string
from scrapy import Spider, signals
from scrapy.crawler import Crawler
from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader
from scrapy.utils.misc import load_object
from twisted.python.failure import Failure

from scraper.errors import SourceFailed, source_failed
from streaming.ingest.records import MovieRecord, merge_movies, parse_movie
from streaming.ingest.save import SaveReport, save_links
from streaming.models import Movie, ScrapeJob, TitleRequest
from streaming.models.job import FINISHED, SourceResult, SourceState
from streaming.scraping.crawling.crawler_setup import PIPELINE_ORDER, crawl_settings, create_process, spider_failure
from streaming.scraping.crawling.pipeline import SaveLinksPipeline
from streaming.scraping.crawling.robots_cache import SharedRobotsCache
from streaming.scraping.jobs import JobClaim
from streaming.scraping.source_results import save_source_result

if sys.platform != "win32":
    import resource

logger = logging.getLogger(__name__)
FLUSH_SECONDS = 0.1
# With Python's 5 ms the thread that saves would wait that long for each statement while Scrapy is busy.
THREAD_SWITCH_SECONDS = 0.0005
# A crawl allocates much and frees little: with Python's thresholds garbage collection took a tenth of its CPU.
GC_THRESHOLDS = (10_000, 10, 10)
CRAWL_TIMEOUT_RATIO = 0.75
CHECK_TIMEOUT_RATIO = 0.9
MAX_CHECK_SECONDS = 12.0
PRELOADED_MODULES = (
    "encodings.charmap",
    "encodings.cp1252",
    "encodings.idna",
    "scraper.net.download_handler",
    "scrapy.core.downloader.handlers.http11",
    "scrapy.core.scheduler",
    "scrapy.dupefilters",
    "scrapy.http",
    "scrapy.logformatter",
    "scrapy.pipelines",
    "scrapy.pqueues",
    "scrapy.squeues",
    "scrapy.statscollectors",
    "scrapy.utils.request",
    "twisted.internet.asyncioreactor",
)
MAX_MEMORY_BYTES = 1024**3
"""Of one process, whose usual crawl needs a fifth of it. What a source asks for beyond that is a MemoryError, by which
that source fails; without a limit the system kills the process, and with it the search in all sources."""
MAX_ERROR_LENGTH = 200
NOT_STARTED = "The spider could not start"
NO_SPIDER = "This source has no spider"
NOT_SAVED = "Links could not be saved"


@dataclass(frozen=True, slots=True)
class CrawlReport:
    """The result of each source, and the links saved in all; `refused` counts items by reason code."""

    results: list[SourceResult]
    links: int
    new: int
    refused: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class SourceProgress:
    """The state of one source's crawl.

    `seconds` is its duration; `save_error` is why links could not be saved, empty if they could; `reason` is why Scrapy
    ended it, None while it runs.
    """

    source: str
    seconds: float = 0.0
    saved: SaveReport = field(default_factory=SaveReport)
    failures: list[SourceFailed] = field(default_factory=list)
    save_error: str = ""
    reason: str | None = None


def run_job_crawl(job_id: int) -> CrawlReport:
    """Crawl the job's unfinished sources side by side, write the result of each on the job's row, and check new links.

    Neither claims nor closes the job. Raises a database error if not even the results can be written.
    """
    started = monotonic()
    _limit_memory()
    jobs = ScrapeJob.objects.select_related("movie", "title_request").prefetch_related("movie__bindings")
    job = jobs.get(pk=job_id)
    title = _requested_title(job.title_request) if job.title_request else None
    crawls = [SourceCrawl(job, row["source"], title=title) for row in job.sources if row["state"] not in FINISHED]
    connections.close_all()
    run_crawlers(crawls)
    for crawl in crawls:
        save_source_result(crawl.claim, build_source_result(crawl.progress))
    if title is not None:
        save_links([], movies=[title.description], needs_link=True)
    _check_new_links(job, seconds=min(MAX_CHECK_SECONDS, _check_end(started) - monotonic()))
    refused = sum((crawl.progress.saved.refused for crawl in crawls), Counter[str]())
    job.refresh_from_db(fields=["sources"])
    return CrawlReport(job.sources, sum(r["links"] for r in job.sources), sum(r["new"] for r in job.sources), refused)


def _requested_title(request: TitleRequest) -> RequestedTitle:
    known = {"imdb_id": request.imdb_id, "title": request.title, "year": request.year, "type": request.type}
    return RequestedTitle(parse_movie(known))


def _limit_memory() -> None:
    if sys.platform == "win32":
        return
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    limit = MAX_MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MAX_MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _check_end(started: float) -> float:
    """When the check of new links has to end, so that the job does not reach its time limit."""
    return started + django_settings.SCRAPE_TIMEOUT * CHECK_TIMEOUT_RATIO


def _check_new_links(job: ScrapeJob, *, seconds: float) -> None:
    """Check the links that nobody has checked yet. If that fails they stay unchecked, and the search is as good."""
    if not django_settings.SCRAPE_LINK_CHECK or seconds <= 0:
        return
    try:
        if movie := Movie.objects.filter(imdb_id=job.imdb_id).first():
            import_string(django_settings.SCRAPE_LINK_CHECK)(movie.pk, seconds=seconds)
    except Exception:  # the cause is in the log; a job that died of it would search all sources again
        logger.exception("%s: new links could not be checked", job.imdb_id)


def build_source_result(progress: SourceProgress) -> SourceResult:
    """Return the result to store for a source; a failed source never counts as one that found nothing."""
    links = progress.saved.new + progress.saved.seen_again - progress.saved.waiting
    return SourceResult(
        source=progress.source,
        state=_state_of(progress, links=links),
        links=links,
        new=progress.saved.new - progress.saved.waiting_new,
        seconds=round(progress.seconds, 2) if progress.reason is not None else None,
        error=_error_of(progress),
    )


def _state_of(progress: SourceProgress, *, links: int) -> SourceState:
    if progress.reason is None:
        return SourceState.SEARCHING
    if progress.save_error:
        return SourceState.FAILED
    if links:
        return SourceState.FOUND
    if progress.failures:
        all_blocked = all(failed.blocked for failed in progress.failures)
        return SourceState.BLOCKED if all_blocked else SourceState.FAILED
    return SourceState.NOTHING if progress.reason == "finished" else SourceState.FAILED


def _error_of(progress: SourceProgress) -> str:
    """Return the error to show, empty if none; for a source that found links it says what is missing."""
    if progress.save_error:
        return progress.save_error
    if progress.failures:
        return progress.failures[0].message[:MAX_ERROR_LENGTH]
    if progress.reason == "closespider_timeout":
        return f"Not finished after {progress.seconds:.0f} s"
    if progress.reason not in (None, "finished"):
        return f"Ended early ({progress.reason})"[:MAX_ERROR_LENGTH]
    notes = (_review_note(progress.saved), _refused_note(progress.saved))
    return "; ".join(note for note in notes if note)[:MAX_ERROR_LENGTH]


def _review_note(saved: SaveReport) -> str:
    if not saved.waiting:
        return ""
    why = saved.doubt or "no licence is stated"
    return f"{saved.waiting} {'link waits' if saved.waiting == 1 else 'links wait'} for review: {why}"


def _refused_note(saved: SaveReport) -> str:
    codes = ", ".join(code.replace("_", " ") for code, count in sorted(saved.refused.items()) if count)
    count = saved.refused.total()
    return f"{count} {'link was' if count == 1 else 'links were'} refused: {codes}"[:MAX_ERROR_LENGTH] if count else ""


class RequestedTitle:
    """A title that is not in the catalogue, and what all sources of its job say of it.

    What was known before they were asked counts more than what they say: their titles are often those of files.
    """

    def __init__(self, known: MovieRecord) -> None:
        self.known = self.description = known

    def describe(self, movie: MovieRecord) -> MovieRecord:
        """Add what a source says; return everything that is known."""
        self.description = merge_movies(merge_movies(self.description, movie), self.known)
        return self.description


class SourceCrawl:
    """The crawl of one source of a job: receives Scrapy's signals, counts, and updates the job's row."""

    def __init__(self, job: ScrapeJob, source: str, *, title: RequestedTitle | None = None) -> None:
        self.claim = JobClaim(job.pk, owner=job.owner, attempt=job.attempt)
        self.imdb_id, self.target_url, self.title = job.imdb_id, job.target_url, title
        bound = job.movie.bindings.all() if job.movie else ()
        bindings = [binding.url for binding in bound if binding.source in ("", source)]
        # A job with a target URL reads that page only.
        self.bound_urls = [] if job.target_url else bindings
        self.progress = SourceProgress(source)
        self.started = monotonic()

    def arguments(self) -> dict[str, Any]:
        """Return the spider's arguments."""
        optional = {"target_url": self.target_url, "bound_urls": self.bound_urls}
        return {"imdb_id": self.imdb_id, **{name: value for name, value in optional.items() if value}}

    def connect_signals(self, crawler: Crawler) -> None:
        for handler, signal in (
            (self.on_opened, signals.spider_opened),
            (self.on_closed, signals.spider_closed),
            (self.on_spider_error, signals.spider_error),
            (self.on_item_error, signals.item_error),
            (self.on_source_failed, source_failed),
        ):
            crawler.signals.connect(handler, signal=signal)

    async def on_opened(self) -> None:
        self.started = monotonic()
        await sync_to_async(self._save_result)()

    async def on_closed(self, reason: str) -> None:
        self.end(reason)
        await sync_to_async(self._save_result)()
        # The worker thread's connection, which nothing else can close; another source opens it again when needed.
        await sync_to_async(connections.close_all)()

    def on_saved(self, report: SaveReport) -> None:
        """Count a batch that was saved; called in the worker thread."""
        self.progress.saved.add(report)
        self._save_result()

    def on_source_failed(self, failed: SourceFailed) -> None:
        self.progress.failures.append(failed)

    def on_spider_error(self, failure: Failure) -> None:
        self.on_source_failed(spider_failure(failure))

    def on_item_error(self, failure: Failure) -> None:
        self.on_save_error(failure.value)

    def on_save_error(self, error: BaseException | None) -> None:
        # The job is public, and the text of a database error may name the server: it is in the log.
        self.progress.save_error = f"{NOT_SAVED} ({type(error).__name__})"

    def end(self, reason: str) -> None:
        self.progress.seconds = monotonic() - self.started
        self.progress.reason = reason

    def on_crawl_done(self, task: asyncio.Task[None]) -> None:
        """Record the end of a crawl that failed before its spider opened; no signal reports that."""
        error = task.exception() if not task.cancelled() else None
        if error is not None:
            logger.error("%s could not be crawled", self.progress.source, exc_info=error)
            self.on_source_failed(SourceFailed(f"{NOT_STARTED} ({type(error).__name__})"))
        if self.progress.reason is None:
            self.end("shutdown")

    def _save_result(self) -> None:
        save_source_result(self.claim, build_source_result(self.progress))


class JobCrawler(Crawler):
    """A crawler that knows its source's crawl."""

    def __init__(self, spidercls: type[Spider], settings: Settings, source_crawl: SourceCrawl) -> None:
        super().__init__(spidercls, settings)
        self.source_crawl = source_crawl
        source_crawl.connect_signals(self)


class SaveJobLinksPipeline(SaveLinksPipeline):
    """Save the links of one source of a job, the first ones soon, so that a viewer sees them arrive."""

    def __init__(self, source_crawl: SourceCrawl) -> None:
        super().__init__(
            allowed=django_settings.ALLOW_PRIVATE_HOSTS, movie_id=source_crawl.imdb_id, on_saved=source_crawl.on_saved
        )
        self.source_crawl = source_crawl
        self.timer: asyncio.TimerHandle | None = None
        self.saving: set[asyncio.Task[None]] = set()

    @classmethod
    def from_crawler(cls, crawler: JobCrawler) -> SaveJobLinksPipeline:
        return cls(crawler.source_crawl)

    async def process_item(self, item: Any) -> Any:
        item = await super().process_item(item)
        if (title := self.source_crawl.title) is not None:
            self.movies = {key: title.describe(movie) for key, movie in self.movies.items()}
        if self.links and self.timer is None:
            self.timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._flush_soon)
        return item

    def _flush_soon(self) -> None:
        self.timer = None
        task = asyncio.ensure_future(self.flush())
        self.saving.add(task)
        task.add_done_callback(self.saving.discard)

    async def flush(self) -> None:
        """Save the pending batch; a database error makes the source a failed one.

        The error is handled here because Scrapy would log what closing a spider raises and still report success.
        """
        try:
            await super().flush()
        except AnyDatabaseError as error:
            logger.error("%s: links could not be saved: %s", self.source_crawl.progress.source, error)
            self.source_crawl.on_save_error(error)

    async def close_spider(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        await asyncio.gather(*self.saving)
        await super().close_spider()


def run_crawlers(crawls: Iterable[SourceCrawl]) -> None:
    """Crawl these sources side by side until the last has ended; once per process."""
    sys.setswitchinterval(THREAD_SWITCH_SECONDS)
    gc.set_threshold(*GC_THRESHOLDS)
    settings = _job_settings()
    spiders = SpiderLoader.from_settings(settings)
    known = set(spiders.list())
    startable = []
    for crawl in crawls:
        if crawl.progress.source in known:
            startable.append(crawl)
        else:
            crawl.on_source_failed(SourceFailed(NO_SPIDER))
            crawl.end("shutdown")
    if not startable:
        return
    process = create_process(settings)
    for crawl in startable:
        crawler = JobCrawler(spiders.load(crawl.progress.source), settings, crawl)
        process.crawl(crawler, **crawl.arguments()).add_done_callback(crawl.on_crawl_done)
    # Without Scrapy's signal handlers: TERM should end the process, not wait for responses.
    process.start(install_signal_handlers=False)


def _job_settings() -> Settings:
    return crawl_settings(
        ITEM_PIPELINES={SaveJobLinksPipeline: PIPELINE_ORDER},
        CLOSESPIDER_TIMEOUT=django_settings.SCRAPE_TIMEOUT * CRAWL_TIMEOUT_RATIO,
        ROBOTS_CACHE=SharedRobotsCache(),
    )


def _preload() -> None:
    """Import what Scrapy would otherwise import in every child; none of it starts a reactor or a thread."""
    settings = _job_settings()
    SpiderLoader.from_settings(settings)
    for name in PRELOADED_MODULES:
        import_module(name)
    for group in ("DOWNLOADER_MIDDLEWARES_BASE", "SPIDER_MIDDLEWARES_BASE", "EXTENSIONS_BASE"):
        for path in settings[group]:
            load_object(path)
    load_object(settings["TWISTED_DNS_RESOLVER"])
    if django_settings.SCRAPE_LINK_CHECK:
        import_string(django_settings.SCRAPE_LINK_CHECK)


_preload()
