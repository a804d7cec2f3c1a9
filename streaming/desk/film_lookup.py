"""Look up one film by its IMDb id at the metadata providers, for the form of a new movie."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext

from scraper.extraction.film import valid_year
from scraper.extraction.json_values import UnreadableResponse
from streaming.health.probing.config import ProbeConfig
from streaming.health.verification.api_client import ApiReply, fetch_json
from streaming.scraping.metadata_enrichment import PROVIDERS, MetadataClient, MetadataError

ASKED = ("tmdb", "omdb", "tvmaze")
"""In this order, those without a key left out."""
TIMEOUT_SECONDS = 4.0
"""Of one request: a person is waiting, and the thread of a web server with them."""
MAX_RESPONSE_BYTES = 1024 * 1024


class LookupFailed(Exception):
    """Nobody knows the film, or nobody could be asked; the message is for staff."""


def look_up(imdb_id: str) -> dict[str, Any]:
    """Title, year, type, synopsis, runtime and poster of a film. Raises LookupFailed."""
    problems = []
    for name in ASKED:
        provider = PROVIDERS[name]
        if provider.key_setting and not getattr(settings, provider.key_setting):
            continue
        try:
            found = MetadataClient(provider, fetch_url=_fetch_url).fetch(imdb_id)
        except (MetadataError, UnreadableResponse) as error:
            problems.append(f"{provider.name}: {error}")
            continue
        if not found.problem and found.title and found.imdb_id in ("", imdb_id):
            return {
                "title": found.title,
                "year": valid_year(found.year),
                "type": found.type,
                "synopsis": found.synopsis,
                "synopses": [list(pair) for pair in found.synopses],
                "poster_url": found.poster_url,
                "runtime_minutes": found.runtime_minutes,
            }
    reason = "; ".join(problems) or gettext("no provider knows it; films need TMDB_API_KEY or OMDB_API_KEY")
    raise LookupFailed(gettext("Nothing was found (%(reason)s). Write the title yourself.") % {"reason": reason})


def _fetch_url(url: str) -> ApiReply:
    """Make one request as the link checker does: no proxy, no private address, one timeout for all of it."""
    config = ProbeConfig(user_agent=settings.USER_AGENT, allowed=settings.ALLOW_PRIVATE_HOSTS)
    return fetch_json(url, config, timeout=TIMEOUT_SECONDS, max_bytes=MAX_RESPONSE_BYTES)
