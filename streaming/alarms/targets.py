"""The services that receive messages. Their addresses are secrets: no text here shows more than the scheme.

The operator sets these addresses, so they may lie in a private network, unlike those that sources and links name.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from django.conf import settings
from django.utils.crypto import salted_hmac

from streaming.models import AlarmMessage

SIGNATURE_HEADER = "X-Openreel-Signature"
DELIVERY_HEADER = "X-Openreel-Delivery"
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
STATUS_IN_LOG = re.compile(r"error=(\d{3})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyTarget:
    """One service. `send` returns why it did not accept a message, empty if it did."""

    key: str
    label: str
    send: Callable[[AlarmMessage], str]


def configured_targets() -> list[NotifyTarget]:
    """Return the services of `NOTIFY_URLS`, then the webhook."""
    targets = [
        NotifyTarget(key=_key(url), label=f"{url.partition('://')[0]} (number {n})", send=partial(_send_apprise, url))
        for n, url in enumerate(settings.NOTIFY_URLS, 1)
    ]
    if url := settings.NOTIFY_WEBHOOK_URL:
        targets.append(NotifyTarget(key=_key(url), label="webhook", send=partial(_send_webhook, url)))
    return targets


def send_heartbeat(url: str) -> str:
    """Request the address that expects to be asked after each good check; return why that failed, or nothing."""
    return _http_error("GET", url)


def signature(body: bytes, *, at: int, secret: str) -> str:
    """Return the header that proves who sent this body and when."""
    digest = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def _key(url: str) -> str:
    return salted_hmac("streaming.alarms", url, algorithm="sha256").hexdigest()


def _send_webhook(url: str, message: AlarmMessage) -> str:
    body = json.dumps({"subject": message.subject, "body": message.body, **message.content}).encode()
    headers = {
        "Content-Type": "application/json",
        DELIVERY_HEADER: str(message.pk or 0),
        SIGNATURE_HEADER: signature(body, at=int(time.time()), secret=settings.NOTIFY_WEBHOOK_SECRET),
    }
    return _http_error("POST", url, body=body, headers=headers)


def _http_error(method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] = NO_HEADERS) -> str:
    """Make a request without redirects and without reading the body. The message never contains the address."""
    _use_no_netrc()
    import requests  # noqa: PLC0415  a tenth of the start of every command that may send, and nearly none does

    headers = {"User-Agent": settings.USER_AGENT, **headers}
    timeout = settings.NOTIFY_TIMEOUT
    try:
        with requests.request(
            method, url, data=body, headers=headers, timeout=timeout, allow_redirects=False, stream=True
        ) as response:
            return "" if response.ok and not response.is_redirect else f"it answered {response.status_code}"
    except requests.Timeout:
        return "it did not answer in time"
    except (requests.RequestException, ValueError, OSError) as error:
        return f"it could not be reached ({type(error).__name__})"


def _use_no_netrc() -> None:
    """Let `requests`, which Apprise uses too, read no passwords: it sends those of `~/.netrc` to every service.

    An operator who wants that sets `NETRC`.
    """
    os.environ.setdefault("NETRC", os.devnull)


def _send_apprise(url: str, message: AlarmMessage) -> str:
    _use_no_netrc()
    import apprise  # noqa: PLC0415  it loads 130 services, and only the process that sends needs it

    asset = apprise.AppriseAsset(
        app_id="Openreel", app_desc="Openreel", async_mode=False, secure_logging=True, image_url_mask=""
    )
    logger, statuses = logging.getLogger("apprise"), StatusCollector()
    # What Apprise logs may hold a token. It goes nowhere; only the number of an HTTP status is taken from it.
    logger.propagate = False
    logger.addHandler(statuses)
    try:
        # The service itself, in this thread: Apprise's own threads would keep the process alive while one hangs.
        service = apprise.Apprise.instantiate(url, asset=asset)
        if service is None:
            return "Apprise does not understand this address"
        # A title of a film is text, whatever it looks like, and lines stay lines.
        service.notify_format = apprise.NotifyFormat.TEXT
        accepted = service.notify(title=message.subject, body=message.body, notify_type=apprise.NotifyType.WARNING)
    except Exception as error:  # noqa: BLE001  one of 130 services of others: whatever it raises, the others go on
        return f"it could not be reached ({type(error).__name__})"
    finally:
        logger.removeHandler(statuses)
    return "" if accepted else statuses.reason()


class StatusCollector(logging.Handler):
    """Keep the last HTTP status that the current thread logs."""

    def __init__(self) -> None:
        super().__init__()
        self.thread, self.status = threading.get_ident(), ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self.thread and (found := STATUS_IN_LOG.search(record.getMessage())):
            self.status = found[1]

    def reason(self) -> str:
        """Why the message was not accepted."""
        return f"it answered {self.status}" if self.status else "it did not accept the message"
