"""Scrapy middlewares: URL policy, robots.txt and the report of every failure."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Protocol
from urllib.parse import urlsplit

from protego import Protego
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CannotResolveHostError
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from twisted.python.failure import Failure

from scraper.errors import SourceFailed, report_source_failure, source_error
from scraper.net.guarded_resolver import GuardedResolver
from scraper.net.url_policy import DEFAULT_PORT, InvalidValue, PrivateHostAllowlist, normalize_url

ROBOTS_AGENT = "Openreel"
MAX_ROBOTS_BYTES = 512 * 1024
REFUSED_ADDRESS = "A page leads to an address that we do not open"
DISALLOWED = "The site's robots.txt asks us not to read this"


class RobotsCache(Protocol):
    """The texts of recently read robots.txt (setting `ROBOTS_CACHE`); "" is a site without one, None is unknown."""

    async def get(self, site: str) -> str | None: ...

    async def set(self, site: str, text: str) -> None: ...


class FailureReportMiddleware:
    """Adds an errback that reports to every request without one: Scrapy would log the failure and end as a success.

    A redirect loop ends in Scrapy's filter of duplicates, which calls no errback, so dropped requests are checked too.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        crawler.signals.connect(self.on_request_dropped, signal=signals.request_dropped)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> FailureReportMiddleware:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        if request.errback is None and request.callback is not NO_CALLBACK:
            request.errback = self.on_error

    def on_error(self, failure: Failure) -> None:
        request = getattr(failure, "request", None)
        report_source_failure(
            self.crawler, source_error(failure.value or SourceFailed("The site could not be read"), request=request)
        )

    def on_request_dropped(self, request: Request) -> None:
        if request.url in request.meta.get("redirect_urls", ()):
            report_source_failure(self.crawler, SourceFailed("Redirects in a circle"))


class UnexpectedPageMiddleware:
    """Reports the SourceFailed that a callback raises for an unexpected page; any other exception is a bug."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> UnexpectedPageMiddleware:
        return cls(crawler)

    def process_spider_exception(self, response: Response, exception: Exception) -> Iterable[Any] | None:
        if not isinstance(exception, SourceFailed):
            return None
        report_source_failure(self.crawler, exception)
        return ()


class RobotsMiddleware:
    """Reads the robots.txt of each site once a crawl, unless it is cached, and obeys it.

    A missing one allows everything. If it cannot be read (5xx, throttled, time-out), nothing is allowed, nothing is
    cached, and the source has failed; Scrapy's own middleware would continue.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.cache: RobotsCache | None = crawler.settings["ROBOTS_CACHE"]
        self.rules: dict[str, asyncio.Future[Protego]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RobotsMiddleware:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        if request.meta.get("dont_obey_robotstxt"):
            return
        parts = urlsplit(request.url)
        site = f"{parts.scheme}://{parts.netloc}"
        if site not in self.rules:
            self.rules[site] = asyncio.ensure_future(self._rules_of(site))
        # Shielded: when one request is cancelled, the others still wait for the same result.
        rules = await asyncio.shield(self.rules[site])
        if not rules.can_fetch(request.url, ROBOTS_AGENT):
            raise SourceFailed(DISALLOWED, blocked=True)

    async def _rules_of(self, site: str) -> Protego:
        text = await self.cache.get(site) if self.cache is not None else None
        if text is None:
            text = await self._read(f"{site}/robots.txt")
            if self.cache is not None:
                await self.cache.set(site, text)
        return Protego.parse(text)

    async def _read(self, url: str) -> str:
        request = Request(url, callback=NO_CALLBACK, priority=1000, meta={"dont_obey_robotstxt": True})
        try:
            response = await self.crawler.engine.download_async(request)
        except Exception as error:
            raise source_error(error, request=request) from error
        # A 429 is no permission, whoever sends it.
        if response.status == 429 or response.status >= 500:
            raise SourceFailed(f"The site answered {response.status}")
        body = response.body[:MAX_ROBOTS_BYTES] if response.status == 200 else b""
        return body.decode("utf-8", errors="replace")


class UrlPolicyMiddleware:
    """Checks the URL of every request, also of redirects and robots.txt; GuardedResolver checks the resolved address.

    It is the middleware closest to the downloader, so that none can change a URL after the check.
    """

    def __init__(self, allowed: PrivateHostAllowlist, resolver: GuardedResolver) -> None:
        self.allowed, self.resolver = allowed, resolver

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> UrlPolicyMiddleware:
        return cls(crawler.settings["ALLOW_PRIVATE_HOSTS"], _installed_resolver())

    def process_request(self, request: Request) -> None:
        try:
            normalize_url(request.url, allowed=self.allowed)
        except InvalidValue as refusal:
            raise refused_url_failure(refusal) from None

    def process_exception(self, request: Request, exception: Exception) -> None:
        if not isinstance(exception, CannotResolveHostError):
            return
        parts = urlsplit(request.url)
        address = self.resolver.refused_address(parts.hostname or "", parts.port or DEFAULT_PORT[parts.scheme])
        if address is not None:
            detail = f"{parts.hostname} leads to {address}, which is not a public address"
            raise SourceFailed(REFUSED_ADDRESS, blocked=True, detail=detail) from exception


def refused_url_failure(refusal: InvalidValue) -> SourceFailed:
    """Return the failure of a source that led to a URL which the policy refuses.

    Private addresses are named in the log only: jobs are public, and what our resolver says of them is not.
    """
    sentence = str(refusal)
    sentence = sentence[:1].upper() + sentence[1:]
    public = REFUSED_ADDRESS if refusal.code == "private_address" else sentence
    return SourceFailed(public, blocked=True, detail=sentence)


def _installed_resolver() -> GuardedResolver:
    # Imported here only: the import itself installs a reactor, and a process can have only one.
    from twisted.internet import reactor  # noqa: PLC0415

    resolver = getattr(reactor, "nameResolver", None)
    if not isinstance(resolver, GuardedResolver):
        raise TypeError("the spiders' guarded resolver is not installed: leave TWISTED_DNS_RESOLVER as it is")
    return resolver
