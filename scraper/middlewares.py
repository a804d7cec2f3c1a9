"""What stands between our spiders and the web: the address guard, robots.txt, and failures that are never silent."""

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
from scraper.net.encoding import decode_headers
from scraper.net.guarded_resolver import GuardedResolver
from scraper.net.throttling import is_throttled
from scraper.net.url_policy import DEFAULT_PORT, InvalidValue, PrivateHostAllowlist, normalize_url

ROBOTS_AGENT = "Openreel"
MAX_ROBOTS_BYTES = 512 * 1024
DISALLOWED = "The site's robots.txt asks us not to read this"


class RobotsCache(Protocol):
    """What sites said in their robots.txt a moment ago, told in `ROBOTS_CACHE`; '' is a site that has none."""

    async def get(self, site: str) -> str | None: ...

    async def set(self, site: str, text: str) -> None: ...


class FailureReportMiddleware:
    """Gives every request that has none an errback that reports: Scrapy alone would only log, and end as if all went
    well. A circle of redirects ends in its filter of duplicates, of which not even the errback hears."""

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
    """A spider that finds its page is not what it should be raises SourceFailed: reported, not shown as a bug."""

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
    """Asks a site's robots.txt once a crawl, unless it is remembered, and obeys it. One that is missing allows all; one
    that the site fails to give (5xx, time-out) allows nothing now, is not remembered, and the source has failed.
    Scrapy's own would go on in both cases."""

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
        # Shielded: when one request is given up, the others still wait for the same answer.
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
        if response.status >= 500 or is_throttled(response.status, decode_headers(response)):
            raise SourceFailed(f"The site answered {response.status}")
        body = response.body[:MAX_ROBOTS_BYTES] if response.status == 200 else b""
        return body.decode("utf-8", errors="replace")


class UrlPolicyMiddleware:
    """Looks at the text of every request's address, each hop of a redirect and robots.txt too; the resolved address is
    judged by the GuardedResolver when the socket is made. Nearest to the downloader, so that nothing comes after."""

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
            sentence = f"{parts.hostname} leads to {address}, which is not a public address"
            raise SourceFailed(sentence, blocked=True) from exception


def refused_url_failure(refusal: InvalidValue) -> SourceFailed:
    """The failure of a source that sends us to an address we do not open."""
    sentence = str(refusal)
    return SourceFailed(sentence[:1].upper() + sentence[1:], blocked=True)


def _installed_resolver() -> GuardedResolver:
    # Imported only here: the import itself installs a reactor, and a process may have but one.
    from twisted.internet import reactor  # noqa: PLC0415

    resolver = getattr(reactor, "nameResolver", None)
    if not isinstance(resolver, GuardedResolver):
        raise TypeError("the spiders' guarded resolver is not installed: leave TWISTED_DNS_RESOLVER as it is")
    return resolver
