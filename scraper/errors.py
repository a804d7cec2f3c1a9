"""Failures of sources, each as one plain sentence. A source that failed is never reported as one without links."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.spidermiddlewares.httperror import HttpError

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)
source_failed = object()
"""The Scrapy signal of `report_source_failure`; its one argument is `failed`, a SourceFailed."""

UNEXPECTED = "The answer was not what this source sends"
TOO_LARGE = "The answer was too large"
MESSAGES: tuple[tuple[type[Exception], str], ...] = (
    (DownloadConnectionRefusedError, "Connection refused"),
    (CannotResolveHostError, "The name of the site was not found"),
    (DownloadCancelledError, TOO_LARGE),
    (ResponseDataLossError, "The answer broke off"),
    (DownloadFailedError, "The connection broke off"),
)
SCRAPY_MESSAGES = {"max redirections reached": "Too many redirects"}


class SourceFailed(Exception):
    """A source could not be read. `blocked`: we may not request it (robots.txt, a URL that our policy refuses).

    The sentence is shown to everybody; `detail` (empty: the same) is for the log and may name addresses.
    """

    def __init__(self, sentence: str, *, blocked: bool = False, detail: str = "") -> None:
        super().__init__(sentence)
        self.message, self.blocked, self.detail = sentence, blocked, detail or sentence


def source_error(error: BaseException, *, request: Request | None = None) -> SourceFailed:
    """Return the failure that an exception of Scrapy or Twisted means. `request` is the one that failed, if known."""
    if isinstance(error, SourceFailed):
        return error
    if isinstance(error, HttpError):
        return SourceFailed(f"The site answered {error.response.status}")
    if isinstance(error, DownloadTimeoutError):
        return SourceFailed(_timed_out(request))
    if _is_certificate_error(error):
        return SourceFailed("The certificate of the site is not valid")
    if isinstance(error, IgnoreRequest):
        return SourceFailed(
            SCRAPY_MESSAGES.get(str(error), TOO_LARGE if "DOWNLOAD_MAXSIZE" in str(error) else UNEXPECTED)
        )
    for kind, sentence in MESSAGES:
        if isinstance(error, kind):
            return SourceFailed(sentence)
    return SourceFailed(f"The site could not be read ({type(error).__name__})")


def report_source_failure(crawler: Crawler, failed: SourceFailed) -> None:
    """Log that this source failed, and send the signal `source_failed`."""
    name = crawler.spider.name if crawler.spider else "?"
    logger.warning("%s: %s", name, failed.detail)
    crawler.signals.send_catch_log(signal=source_failed, failed=failed)


def _timed_out(request: Request | None) -> str:
    seconds = request.meta.get("download_timeout") if request is not None else None
    return f"Timed out after {seconds:g} s" if seconds else "Timed out"


def _is_certificate_error(error: BaseException) -> bool:
    # Twisted wraps the errors of OpenSSL into failures of the response; only these tell that it was the certificate.
    wrapped = getattr(error.__cause__, "reasons", None) or ()
    causes = [getattr(failure, "value", failure) for failure in wrapped]
    return any(type(cause).__module__.split(".")[0] in ("OpenSSL", "service_identity") for cause in causes)
