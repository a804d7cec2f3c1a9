"""Ask Wikidata which title an IMDb id is, and which IMDb ids titles of a name have, while a visitor waits."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.utils import timezone

from scraper.extraction.json_values import UnreadableResponse
from scraper.extraction.wikidata_statements import parse_search
from scraper.extraction.wikidata_titles import TitleMatch, item_parameters, parse_titles, search_parameters
from scraper.net.url_policy import host_of, netloc_of
from streaming import file_locks
from streaming.health.probing.config import ProbeConfig
from streaming.health.verification.api_client import fetch_json
from streaming.host_rate_limit import request_delay_for, reserve_slot
from streaming.models import HostPause

MAX_LOOKUPS_AT_ONCE = 2
"""Of this machine; a lookup holds a thread of the web server for some seconds."""
TIMEOUT_SECONDS, MAX_RESPONSE_BYTES = 6.0, 8 * 1024 * 1024
"""Of each of the two requests; the statements of a well-known film have several hundred KiB."""
MAX_SLOT_WAIT = timedelta(seconds=2)
YEAR_SLACK = 1
"""Years by which sources differ about one film."""
TITLE_LANGUAGES = ("en", "mul", "de", "fr", "es")
"""Those in which a title is known; the catalogue's titles are the first there is."""


class LookupUnavailable(Exception):
    """Wikidata cannot be asked now, or gave no usable answer."""


def describe_title(imdb_id: str) -> TitleMatch | None:
    """What Wikidata says of a title; None if it does not know it. Raises LookupUnavailable."""
    return next((match for match in _ask_wikidata(imdb_id) if match.imdb_id == imdb_id), None)


def describe_title_if_possible(imdb_id: str) -> TitleMatch | None:
    """The same; None, too, if Wikidata cannot be asked now: the sources know titles by their ids."""
    try:
        return describe_title(imdb_id)
    except LookupUnavailable:
        return None


def find_titles(title: str, *, year: int | None) -> list[TitleMatch]:
    """The films and shows that may be meant, the likeliest first; of about that year, if one is given.

    Raises LookupUnavailable, and ValueError for a title without a word.
    """
    matches = [match for match in _ask_wikidata(title) if match.is_watchable]
    if year is None:
        return matches
    return [match for match in matches if match.year is None or abs(match.year - year) <= YEAR_SLACK]


def _ask_wikidata(wanted: str) -> list[TitleMatch]:
    search = search_parameters(wanted)
    slot = _lookup_slot()
    if slot is None:
        raise LookupUnavailable
    with slot:
        try:
            items = parse_search(_fetch(search))
            answer = _fetch(item_parameters(items, languages=TITLE_LANGUAGES)) if items else {"entities": {}}
            return parse_titles(answer, items=items, languages=TITLE_LANGUAGES)
        except UnreadableResponse as error:
            raise LookupUnavailable from error


def _fetch(parameters: Mapping[str, str]) -> object:
    """One request to Wikidata's API, within the limits of its host."""
    url = f"{settings.WIKIDATA_API_URL}?{urlencode(parameters)}"
    names: Sequence[str] = (netloc_of(url), host_of(url))
    if HostPause.objects.active(timezone.now()).filter(host__in=names).exists():
        raise LookupUnavailable
    delay = request_delay_for(host_of(url), source="wikidata")
    wait = reserve_slot(host_of(url), delay=delay, max_wait=MAX_SLOT_WAIT) if delay else 0.0
    if wait is None:
        raise LookupUnavailable
    time.sleep(wait)
    config = ProbeConfig(user_agent=settings.USER_AGENT, allowed=settings.ALLOW_PRIVATE_HOSTS)
    reply = fetch_json(url, config, timeout=TIMEOUT_SECONDS, max_bytes=MAX_RESPONSE_BYTES)
    if reply.status != 200:
        raise LookupUnavailable
    return reply.data


def _lookup_slot() -> Any:
    """A lock to hold during a lookup; None if all are taken."""
    folder = Path(settings.SCRAPE_DIR)
    locks = (file_locks.try_lock(folder / f"lookup-{number}.lock") for number in range(MAX_LOOKUPS_AT_ONCE))
    return next((lock for lock in locks if lock is not None), None)
