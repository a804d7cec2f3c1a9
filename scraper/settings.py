"""Scrapy's settings: only what our spiders need is loaded, and nothing listens on a port.

The `*_BASE` dictionaries are replaced, because Scrapy imports even entries that are set to None (a quarter of the
start-up time). The environment gives only the few values that a crawl by hand needs; the crawls of jobs override them
with Django's settings.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from dotenv import load_dotenv

from scraper import VERSION
from scraper.net.url_policy import PrivateHostAllowlist
from scraper.sources import DEFAULT_URLS, parse_delays
from scraper.sources import PEERTUBE_URLS as DEFAULT_PEERTUBE_URLS

T = TypeVar("T")
_VAR_DIR = Path(os.environ.get("VAR_DIR") or Path(__file__).resolve().parent.parent / "var")
load_dotenv(os.environ.get("ENV_FILE") or _VAR_DIR / "env", override=False)


def _comma_list(name: str) -> list[str]:
    return [word.strip() for word in os.environ.get(name, "").split(",") if word.strip()]


def _base_url(name: str, default: str) -> str:
    return os.environ.get(name, "").strip().rstrip("/") or default


def _parse_list(name: str, parse: Callable[[Iterable[str]], T]) -> T:
    try:
        return parse(_comma_list(name))
    except ValueError as error:
        # `scrapy` reads this module before it can show errors: to exit is the only way to print one sentence.
        raise SystemExit(f"{name}: {error}") from None


BOT_NAME = "openreel"
SPIDER_MODULES = ["scraper.spiders"]
# A spider that cannot be imported is one failed source, not the end of all others; the tests import every one.
SPIDER_LOADER_WARN_ONLY = True
NEWSPIDER_MODULE = "scraper.spiders"
USER_AGENT = f"Openreel/{VERSION} (+{os.environ.get('CONTACT', '').strip() or 'no contact set'})"
EXAMPLE_SITE_URL = _base_url("EXAMPLE_SITE_URL", "http://127.0.0.1:8001")
PEERTUBE_URLS = [url.rstrip("/") for url in _comma_list("PEERTUBE_URLS") or DEFAULT_PEERTUBE_URLS]
# Scrapy reads settings from the names of this module.
globals().update({name: _base_url(name, default) for name, default in DEFAULT_URLS.items()})
SOURCE_DELAYS = _parse_list("SOURCE_DELAYS", parse_delays)
ALLOW_PRIVATE_HOSTS = _parse_list("ALLOW_PRIVATE_HOSTS", PrivateHostAllowlist.parse)

# --- politeness: two requests at a time to a site, no faster than it responds, no cookies, an honest User-Agent
CONCURRENT_REQUESTS = 16
CONCURRENT_REQUESTS_PER_DOMAIN = 2
AUTOTHROTTLE_ENABLED = True
AUTOTHROTTLE_START_DELAY = 0
AUTOTHROTTLE_MAX_DELAY = 5
COOKIES_ENABLED = False
REFERRER_POLICY = "same-origin"
DEFAULT_REQUEST_HEADERS = {"Accept": "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.5"}

# --- limits: what a slow or endless site or a redirect loop may cost us
DOWNLOAD_TIMEOUT = 10
DOWNLOAD_MAXSIZE = 4 * 1024 * 1024
DOWNLOAD_WARNSIZE = 0
DOWNLOAD_VERIFY_CERTIFICATES = True
REDIRECT_MAX_TIMES = 5
# One retry of an interrupted response or a 500; none of a time-out, a refused connection or a 503.
RETRY_TIMES = 1
RETRY_HTTP_CODES = [500, 502, 504]
RETRY_EXCEPTIONS = ["scrapy.exceptions.DownloadFailedError", "scrapy.exceptions.ResponseDataLossError"]
RETRY_GIVE_UP_LOG_LEVEL = "INFO"
DEPTH_LIMIT = 5

# --- what is loaded
TWISTED_DNS_RESOLVER = "scraper.net.guarded_resolver.GuardedResolver"
DOWNLOAD_HANDLERS_BASE = dict.fromkeys(
    ("http", "https"), "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler"
)
DOWNLOADER_MIDDLEWARES_BASE = {
    "scraper.middlewares.FailureReportMiddleware": 10,
    "scraper.middlewares.RobotsMiddleware": 100,
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 400,
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": 500,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": 550,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": 590,
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": 600,
    "scraper.middlewares.UrlPolicyMiddleware": 900,
}
SPIDER_MIDDLEWARES_BASE = {
    "scrapy.spidermiddlewares.start.StartSpiderMiddleware": 25,
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": 50,
    "scraper.middlewares.UnexpectedPageMiddleware": 60,
    "scrapy.spidermiddlewares.referer.RefererMiddleware": 700,
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": 800,
    "scrapy.spidermiddlewares.depth.DepthMiddleware": 900,
}
EXTENSIONS_BASE = {
    "scrapy.extensions.corestats.CoreStats": 0,
    "scrapy.extensions.closespider.CloseSpider": 0,
    "scrapy.extensions.throttle.AutoThrottle": 0,
}
# `scrapy crawl ... -O FILE` writes with this; the crawls of jobs do without.
EXTENSIONS = {"scrapy.extensions.feedexport.FeedExporter": 0}
FEED_EXPORT_ENCODING = "utf-8"
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
WARN_ON_GENERATOR_RETURN_VALUE = False
STATS_DUMP = False
LOG_VERSIONS: list[str] = []
LOG_LEVEL = "INFO"
