"""One crawl of all sources of a scrape job, in this process: the only module of the catalogue that meets Scrapy.

Import it before forking: what a crawl needs is loaded here once, and neither a reactor nor a thread is started. A
process can crawl once only (Twisted's reactor does not start again).
"""

from __future__ import annotations

import asyncio
import copy
import gc
import logging
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module
from time import monotonic
from typing import Any, Self

from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.db import Error as AnyDatabaseError
from django.db import connections
from scrapy import Spider, signals
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.settings import BaseSettings, Settings
from scrapy.spiderloader import SpiderLoader
from scrapy.utils.misc import load_object
from twisted.logger import globalLogBeginner
from twisted.python.failure import Failure

from scraper.errors import SourceFailed, source_failed
from scraper.sources import DEFAULT_URLS
from streaming.ingest.save import SaveReport
from streaming.models import ScrapeJob
from streaming.models.job import FINISHED, SourceResult, SourceState
from streaming.scraping.crawling.download_hooks import DOWNLOAD_SETTINGS
from streaming.scraping.crawling.pipeline import SaveLinksPipeline
from streaming.scraping.crawling.robots_cache import SharedRobotsCache
from streaming.scraping.jobs import JobClaim
from streaming.scraping.source_results import save_source_result

logger = logging.getLogger(__name__)
FLUSH_SECONDS = 0.1
# Python's 5 ms would let the thread that saves wait as long for each statement while Scrapy is busy.
THREAD_SWITCH_SECONDS = 0.0005
# A crawl makes much and drops little: looking for garbage as often as Python does took a tenth of its CPU.
GC_THRESHOLDS = (10_000, 10, 10)
CRAWL_TIMEOUT_SHARE = 0.75
SHARED_SETTINGS = (
    "USER_AGENT",
    "ALLOW_PRIVATE_HOSTS",
    "SOURCE_DELAYS",
    "EXAMPLE_SITE_URL",
    "PEERTUBE_URLS",
    *DEFAULT_URLS,
)
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
NOT_STARTED = "The spider could not start"
NO_SPIDER = "This source has no spider"
BROKEN = "The spider broke on what it was sent"
NOT_SAVED = "Links could not be saved"


@dataclass(frozen=True, slots=True)
class CrawlReport:
    """What became of each source, and what was saved in all; `refused` counts items by reason code."""

    results: list[SourceResult]
    links: int
    new: int
    refused: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class SourceProgress:
    """What is known of one source's crawl so far. `reason` is Scrapy's word for its end, None while it goes on."""

    source: str
    seconds: float = 0.0
    saved: SaveReport = field(default_factory=SaveReport)
    failures: list[SourceFailed] = field(default_factory=list)
    unsaved: str = ""
    reason: str | None = None


def run_job_crawl(job_id: int) -> CrawlReport:
    """Run every source of the job that has not ended, side by side, and write on the job's row how each fares.

    Neither claims nor closes the job. Raises the database's error when not even the results can be written.
    """
    job = ScrapeJob.objects.select_related("movie").prefetch_related("movie__bindings").get(pk=job_id)
    waiting = [row["source"] for row in job.sources if row["state"] not in FINISHED]
    runs = [SourceCrawl(job, source) for source in waiting]
    connections.close_all()
    run_crawlers(runs)
    for run in runs:
        save_source_result(run.claim, build_source_result(run.outcome))
    refused = sum((run.outcome.saved.refused for run in runs), Counter[str]())
    job.refresh_from_db(fields=["sources"])
    return CrawlReport(job.sources, sum(r["links"] for r in job.sources), sum(r["new"] for r in job.sources), refused)


def build_source_result(outcome: SourceProgress) -> SourceResult:
    """The row of a source out of what is known of its crawl. A source that failed is never one that found nothing."""
    links = outcome.saved.new + outcome.saved.seen_again - outcome.saved.waiting
    return SourceResult(
        source=outcome.source,
        state=_state_of(outcome, links=links),
        links=links,
        new=outcome.saved.new - outcome.saved.waiting_new,
        seconds=round(outcome.seconds, 2) if outcome.reason is not None else None,
        error=_error_of(outcome),
    )


def _state_of(outcome: SourceProgress, *, links: int) -> SourceState:
    if outcome.reason is None:
        return SourceState.SEARCHING
    if outcome.unsaved:
        return SourceState.FAILED
    if links:
        return SourceState.FOUND
    if outcome.failures:
        all_blocked = all(failed.blocked for failed in outcome.failures)
        return SourceState.BLOCKED if all_blocked else SourceState.FAILED
    return SourceState.NOTHING if outcome.reason == "finished" else SourceState.FAILED


def _error_of(outcome: SourceProgress) -> str:
    """One sentence; of a source that found links it says what was missed."""
    if outcome.unsaved:
        return outcome.unsaved
    if outcome.failures:
        return outcome.failures[0].message[:200]
    if outcome.reason == "closespider_timeout":
        return f"Not finished after {outcome.seconds:.0f} s"
    if outcome.reason not in (None, "finished"):
        return f"Ended early ({outcome.reason})"[:200]
    return "; ".join(part for part in (_review_note(outcome.saved), _refused_note(outcome.saved)) if part)[:200]


def _review_note(saved: SaveReport) -> str:
    if not saved.waiting:
        return ""
    why = saved.doubt or "no licence is stated"
    return f"{saved.waiting} {'link waits' if saved.waiting == 1 else 'links wait'} for review: {why}"


def _refused_note(saved: SaveReport) -> str:
    codes = ", ".join(code.replace("_", " ") for code, count in sorted(saved.refused.items()) if count)
    count = saved.refused.total()
    return f"{count} {'link was' if count == 1 else 'links were'} refused: {codes}"[:200] if count else ""


class SourceCrawl:
    """One source of one job while it is crawled: hears Scrapy's signals, counts, and tells the job's row."""

    def __init__(self, job: ScrapeJob, source: str) -> None:
        self.claim = JobClaim(job.pk, owner=job.owner, attempt=job.attempt)
        self.movie_id, self.target_url = job.movie.imdb_id, job.target_url
        # A job that is about one page reads that page alone.
        self.bound = (
            [] if job.target_url else [one.url for one in job.movie.bindings.all() if one.source in ("", source)]
        )
        self.outcome = SourceProgress(source)
        self.started = monotonic()

    def arguments(self) -> dict[str, Any]:
        """What the spider is told."""
        arguments_: dict[str, Any] = {"target_url": self.target_url} if self.target_url else {}
        return {"imdb_id": self.movie_id} | arguments_ | ({"bound_urls": self.bound} if self.bound else {})

    def connect_signals(self, crawler: Crawler) -> None:
        for handlers, signal in (
            (self.on_opened, signals.spider_opened),
            (self.on_closed, signals.spider_closed),
            (self.on_spider_error, signals.spider_error),
            (self.on_item_error, signals.item_error),
            (self.on_source_failed, source_failed),
        ):
            crawler.signals.connect(handlers, signal=signal)

    async def on_opened(self) -> None:
        self.started = monotonic()
        await sync_to_async(save_source_result)(self.claim, build_source_result(self.outcome))

    async def on_closed(self, reason: str) -> None:
        self.end(reason)
        await sync_to_async(save_source_result)(self.claim, build_source_result(self.outcome))
        # The worker thread's connection, which nobody else can close; it opens again when another source needs it.
        await sync_to_async(connections.close_all)()

    def on_saved(self, report: SaveReport) -> None:
        """Called in the worker thread after each batch that was saved."""
        self.outcome.saved.add(report)
        save_source_result(self.claim, build_source_result(self.outcome))

    def on_source_failed(self, failed: SourceFailed) -> None:
        self.outcome.failures.append(failed)

    def on_spider_error(self, failure: Failure) -> None:
        self.on_source_failed(SourceFailed(f"{BROKEN} ({type(failure.value).__name__})"))

    def on_item_error(self, failure: Failure) -> None:
        self.not_saved(failure.value)

    def not_saved(self, error: BaseException | None) -> None:
        self.outcome.unsaved = f"{NOT_SAVED}: {str(error).splitlines()[0] if str(error) else type(error).__name__}"[
            :200
        ]

    def end(self, reason: str) -> None:
        self.outcome.seconds = monotonic() - self.started
        self.outcome.reason = reason

    def on_crawl_done(self, task: asyncio.Task[None]) -> None:
        """The crawl is over; one that broke before its spider opened has told nobody yet."""
        error = task.exception() if not task.cancelled() else None
        if error is not None:
            logger.error("%s could not be crawled", self.outcome.source, exc_info=error)
            self.on_source_failed(SourceFailed(f"{NOT_STARTED} ({type(error).__name__})"))
        if self.outcome.reason is None:
            self.end("shutdown")


class JobCrawler(Crawler):
    """A crawler that knows for which source of which job it works."""

    def __init__(self, spidercls: type[Spider], settings: Settings, run: SourceCrawl) -> None:
        super().__init__(spidercls, settings)
        self.run = run
        run.connect_signals(self)


class SaveJobLinksPipeline(SaveLinksPipeline):
    """Saves the links of one source of a job: the first ones soon, so that whoever watches sees them come."""

    def __init__(self, run: SourceCrawl) -> None:
        super().__init__(allowed=django_settings.ALLOW_PRIVATE_HOSTS, only=run.movie_id, on_saved=run.on_saved)
        self.run = run
        self.timer: asyncio.TimerHandle | None = None
        self.saving: set[asyncio.Task[None]] = set()

    @classmethod
    def from_crawler(cls, crawler: JobCrawler) -> SaveJobLinksPipeline:
        return cls(crawler.run)

    async def process_item(self, item: Any) -> Any:
        item = await super().process_item(item)
        if self.links and self.timer is None:
            self.timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._flush_soon)
        return item

    def _flush_soon(self) -> None:
        self.timer = None
        task = asyncio.ensure_future(self.flush())
        self.saving.add(task)
        task.add_done_callback(self.saving.discard)

    async def flush(self) -> None:
        """Save what waits. A database that refuses makes the source a failed one; it is said here, once, for Scrapy
        would log what closing the spider raises and end as if all went well."""
        try:
            await super().flush()
        except AnyDatabaseError as error:
            logger.error("%s: links could not be saved: %s", self.run.outcome.source, error)
            self.run.not_saved(error)

    async def close_spider(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        await asyncio.gather(*self.saving)
        await super().close_spider()


def run_crawlers(runs: Iterable[SourceCrawl]) -> None:
    """Crawl these sources side by side until the last has ended. Once a process."""
    sys.setswitchinterval(THREAD_SWITCH_SECONDS)
    gc.set_threshold(*GC_THRESHOLDS)
    settings = _crawl_settings()
    spiders = SpiderLoader.from_settings(settings)
    known = set(spiders.list())
    startable = []
    for run in runs:
        if run.outcome.source in known:
            startable.append(run)
        else:
            run.on_source_failed(SourceFailed(NO_SPIDER))
            run.end("shutdown")
    if not startable:
        return
    # Scrapy sets its loggers to DEBUG when it starts; LOG_LEVEL is to count for them as for all others.
    logging.disable(logging.getLogger().getEffectiveLevel() - 1)
    process = AsyncCrawlerProcess(settings)
    logging.getLogger("twisted").addFilter(_is_not_certificate_noise)
    # Until somebody begins, Twisted itself writes to stderr, too, what it thinks critical; Scrapy never begins.
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False, discardBuffer=True)
    for run in startable:
        crawler = JobCrawler(spiders.load(run.outcome.source), settings, run)
        process.crawl(crawler, **run.arguments()).add_done_callback(run.on_crawl_done)
    # Without Scrapy's signal handlers: on TERM the process is to end, not to wait for answers.
    process.start(install_signal_handlers=False)


def _is_not_certificate_noise(record: logging.LogRecord) -> bool:
    """Twisted adds a traceback for each certificate of another name, which is reported in a sentence already."""
    return not record.getMessage().startswith("while verifying certificate")


class ShallowCopySettings(Settings):
    """Settings that are copied without copying each value: deep copies, which nobody needs, took an eighth of a child's
    time up to its first request. What is set on a copy stays there, as before."""

    def copy(self) -> Self:
        twin = copy.copy(self)
        twin.frozen = False
        twin.attributes = {name: copy.copy(one) for name, one in self.attributes.items()}
        for one in twin.attributes.values():
            if isinstance(one.value, BaseSettings):
                one.value = one.value.copy()
        return twin


def _crawl_settings() -> Settings:
    settings = ShallowCopySettings()
    settings.setmodule("scraper.settings", priority="project")
    settings.setdict(
        {name: getattr(django_settings, name) for name in SHARED_SETTINGS if hasattr(django_settings, name)},
        priority="cmdline",
    )
    settings.setdict(
        {
            "CLOSESPIDER_TIMEOUT": django_settings.SCRAPE_TIMEOUT * CRAWL_TIMEOUT_SHARE,
            "EXTENSIONS": {},
            "ITEM_PIPELINES": {SaveJobLinksPipeline: 300},
            "LOG_INSTALL_ROOT_HANDLER": False,
            "ROBOTS_CACHE": SharedRobotsCache(),
            **DOWNLOAD_SETTINGS,
        },
        priority="cmdline",
    )
    return settings


def _preload() -> None:
    """Import before the fork what Scrapy would import in every child; none of it starts a reactor or a thread."""
    settings = _crawl_settings()
    SpiderLoader.from_settings(settings)
    for name in PRELOADED_MODULES:
        import_module(name)
    for group in ("DOWNLOADER_MIDDLEWARES_BASE", "SPIDER_MIDDLEWARES_BASE", "EXTENSIONS_BASE"):
        for path in settings[group]:
            load_object(path)
    load_object(settings["TWISTED_DNS_RESOLVER"])


_preload()
