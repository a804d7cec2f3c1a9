"""Captions of a link, fetched from its source, as WebVTT from our own address: browsers take no others."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from scraper.net.url_policy import host_of, netloc_of
from streaming import file_locks
from streaming.health.probing.config import ProbeConfig
from streaming.health.verification.file_client import FileLimits, FileUnavailable, fetch_file
from streaming.ingest.blocklist import Blocklist, ShownCaptions
from streaming.models import HostPause, Movie, StreamingLink
from streaming.web.caption_text import UnreadableCaptions, to_webvtt
from streaming.web.player import CaptionTrack

MAX_BYTES = 1024 * 1024
KEPT_SECONDS = 24 * 3600
FAILURE_KEPT_SECONDS = 300
MAX_FETCHES_AT_ONCE = 2
"""Of this machine; a fetch holds a thread of the web server for some seconds."""
BUSY_RETRY_SECONDS = 5
SURROGATE = re.compile("[\ud800-\udfff]")
ACCEPT = "text/vtt,application/x-subrip,text/plain;q=0.9,*/*;q=0.5"


def caption_tracks(links: Iterable[StreamingLink]) -> dict[int, list[CaptionTrack]]:
    """The captions that the player offers, by the id of their link."""
    shown = ShownCaptions()
    return {
        link.pk: [
            CaptionTrack(link_id=link.pk, number=link.captions.index(one), language=str(one.get("language", "")))
            for one in shown.of(link.captions)
        ]
        for link in links
    }


@require_safe
def captions(request: HttpRequest, link_id: int, number: int) -> HttpResponse:
    """One caption file as WebVTT; a sentence with an error status if it cannot be had."""
    url = _caption_url(link_id, number)
    if not url:
        return _sentence(gettext("There are no such captions."), status=404)
    key = f"captions:{hashlib.sha256(url.encode()).hexdigest()}"
    known = _kept(key)
    if known is None:
        slot = _fetch_slot()
        if slot is None:
            response = _sentence(gettext("Many captions are being fetched. Try again in a moment."), status=503)
            response.headers["Retry-After"] = str(BUSY_RETRY_SECONDS)
            return response
        with slot:
            known = _fetch(url)
        caches["captions"].set(key, known, timeout=FAILURE_KEPT_SECONDS if known["error"] else KEPT_SECONDS)
    if known["error"]:
        # The detail is kept for all viewers, in English.
        text = gettext("The captions cannot be shown: %(detail)s") % {"detail": known["error"]}
        return _sentence(text, status=502)
    response = HttpResponse(known["text"], content_type="text/vtt; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _caption_url(link_id: int, number: int) -> str:
    """The address of the captions of a link that everybody may see; empty if there are none."""
    if link_id >= 2**63:
        return ""
    link = StreamingLink.objects.shown().filter(movie__in=Movie.objects.shown(), pk=link_id).first()
    if link is None or number >= len(link.captions):
        return ""
    url = str(link.captions[number].get("url", ""))
    return "" if Blocklist.load().is_blocked(url=url) else url


def _kept(key: str) -> dict[str, str] | None:
    """What was fetched lately; None for anything that we do not write, since others may have written to the cache."""
    kept = caches["captions"].get(key)
    if not isinstance(kept, dict) or set(kept) != {"text", "error"}:
        return None
    is_text = all(isinstance(value, str) and not SURROGATE.search(value) for value in kept.values())
    return kept if is_text else None


def _fetch(url: str) -> dict[str, str]:
    """Return text and error; one of them is empty."""
    paused = HostPause.objects.active(timezone.now()).filter(host__in=[netloc_of(url), host_of(url)])
    if paused.exists():
        return {"text": "", "error": "their host has asked us to wait."}
    config = ProbeConfig(user_agent=settings.USER_AGENT, allowed=settings.ALLOW_PRIVATE_HOSTS)
    blocklist = Blocklist.load()
    limits = FileLimits(max_bytes=MAX_BYTES, is_blocked=lambda target: blocklist.is_blocked(url=target))
    try:
        data = fetch_file(url, config, accept=ACCEPT, limits=limits)
        return {"text": to_webvtt(data), "error": ""}
    except (FileUnavailable, UnreadableCaptions) as error:
        return {"text": "", "error": _lower_first(str(error))}


def _lower_first(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _fetch_slot() -> Any:
    """A lock to hold while captions are fetched; None if all are taken."""
    folder = Path(settings.SCRAPE_DIR)
    locks = (file_locks.try_lock(folder / f"captions-{number}.lock") for number in range(MAX_FETCHES_AT_ONCE))
    return next((lock for lock in locks if lock is not None), None)


def _sentence(text: str, *, status: int) -> HttpResponse:
    return HttpResponse(
        text, status=status, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"}
    )
