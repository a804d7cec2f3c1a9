"""Set up Scrapy for a crawl inside Django: settings, logging and the process that runs the crawlers."""

from __future__ import annotations

import copy
import logging
from typing import Any, Self

from django.conf import settings as django_settings
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import BaseSettings, Settings
from twisted.logger import globalLogBeginner
from twisted.python.failure import Failure

from scraper.errors import SourceFailed
from scraper.sources import DEFAULT_URLS
from streaming.scraping.crawling.download_hooks import DOWNLOAD_SETTINGS

SHARED_SETTINGS = (
    "USER_AGENT",
    "ALLOW_PRIVATE_HOSTS",
    "SOURCE_DELAYS",
    "EXAMPLE_SITE_URL",
    "PEERTUBE_URLS",
    *DEFAULT_URLS,
)
"""Django settings that Scrapy's settings take over."""
SPIDER_ERROR = "The spider failed on a response"
PIPELINE_ORDER = 300


class ShallowCopySettings(Settings):
    """Settings whose copies keep the same values. Deep copies took an eighth of a job's time to its first request; what
    is set on a copy still stays there."""

    def copy(self) -> Self:
        twin = copy.copy(self)
        twin.frozen = False
        twin.attributes = {name: copy.copy(attribute) for name, attribute in self.attributes.items()}
        for attribute in twin.attributes.values():
            if isinstance(attribute.value, BaseSettings):
                attribute.value = attribute.value.copy()
        return twin


def crawl_settings(**overrides: Any) -> Settings:
    """Return the settings of a crawl: those of the spiders, Django's shared ones, and `overrides`."""
    settings = ShallowCopySettings()
    settings.setmodule("scraper.settings", priority="project")
    common = {
        **{name: getattr(django_settings, name) for name in SHARED_SETTINGS},
        "EXTENSIONS": {},
        "LOG_INSTALL_ROOT_HANDLER": False,
        **DOWNLOAD_SETTINGS,
    }
    settings.setdict({**common, **overrides}, priority="cmdline")
    return settings


def create_process(settings: Settings) -> AsyncCrawlerProcess:
    """Return the process object that runs crawlers; one per operating system process, as its reactor starts once.

    Limits what Scrapy and Twisted log to the level of Django's root logger.
    """
    # Scrapy sets its loggers to DEBUG when it starts, which would override LOG_LEVEL.
    logging.disable(logging.getLogger().getEffectiveLevel() - 1)
    process = AsyncCrawlerProcess(settings)
    logging.getLogger("twisted").addFilter(_is_not_certificate_noise)
    # Until logging begins, Twisted also writes critical events to stderr; Scrapy never begins it.
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False, discardBuffer=True)
    return process


def spider_failure(failure: Failure) -> SourceFailed:
    """Return the source failure for an exception that a spider raised."""
    return SourceFailed(f"{SPIDER_ERROR} ({type(failure.value).__name__})")


def _is_not_certificate_noise(record: logging.LogRecord) -> bool:
    """Drop the traceback that Twisted logs for each certificate of another host; the source's error says it."""
    return not record.getMessage().startswith("while verifying certificate")
