"""The known sources: names, hosts, request delays and the licences that may be published. Pure.

A source with a spider can be searched (`SOURCES` enables it); one without has links that people entered.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

FREE_LICENCES = ("public-domain", "cc0", "cc-by", "cc-by-sa", "official")
PAID = "paid"
"""In place of a licence: the watch page of a service that requires money or a library card."""
NOT_FREE = (
    *("cc-by-nc", "cc-by-nd", "cc-by-nc-sa", "cc-by-nc-nd", "cc-nc", "cc-nd", "cc-nc-sa", "cc-nc-nd", "cc-sa"),
    PAID,
)
"""Creative Commons licences that forbid commercial use or changes, withdrawn ones of the same kind, paid services."""
LICENCES = {
    "public-domain": "Public domain",
    "cc0": "CC0",
    "cc-by": "CC BY",
    "cc-by-sa": "CC BY-SA",
    "cc": "Creative Commons",
    "official": "Official",
    PAID: "Paid service",
    "cc-by-nc": "CC BY-NC",
    "cc-by-nd": "CC BY-ND",
    "cc-by-nc-sa": "CC BY-NC-SA",
    "cc-by-nc-nd": "CC BY-NC-ND",
}

DEFAULT_URLS = {
    "WIKIDATA_SPARQL_URL": "https://query.wikidata.org/sparql",
    "WIKIDATA_API_URL": "https://www.wikidata.org/w/api.php",
    "INTERNET_ARCHIVE_URL": "https://archive.org",
    "COMMONS_API_URL": "https://commons.wikimedia.org/w/api.php",
    "LIBRARY_OF_CONGRESS_URL": "https://www.loc.gov",
}
"""Base URLs of the sources, by the setting that replaces them with a mirror or a test server."""
OEMBED_URLS = {
    "YOUTUBE_OEMBED_URL": "https://www.youtube.com/oembed",
    "VIMEO_OEMBED_URL": "https://vimeo.com/api/oembed.json",
    "DAILYMOTION_OEMBED_URL": "https://www.dailymotion.com/services/oembed",
}
"""The oEmbed services that confirm links, by the setting that replaces them."""
OEMBED_DELAYS = {"youtube": 1.0, "vimeo": 1.0, "dailymotion": 1.0}
"""Seconds between two requests to an oEmbed service."""
MAX_DELAY = 60.0
"""Seconds between two requests."""
PEERTUBE_URLS = ("https://framatube.org", "https://video.blender.org", "https://peertube.cpy.re")


@dataclass(frozen=True, slots=True)
class Source:
    """One origin of links; `slug` is also the name of its spider and of the spider's file.

    `delay` is the number of seconds between two requests to it, by the limits that it publishes. `website` is where its
    films can be looked through; empty if it is no one site.
    """

    slug: str
    name: str
    host: str
    description: str
    has_spider: bool = False
    licences: tuple[str, ...] = FREE_LICENCES
    delay: float = 0.0
    website: str = ""

    @property
    def supports_bindings(self) -> bool:
        """Whether its spider reads URLs that a person bound to a movie; the others are only searched."""
        return self.has_spider and self.slug != "wikidata"


KNOWN_SOURCES = {
    source.slug: source
    for source in (
        Source("example", "Example site", "127.0.0.1", "A small site of our own: all works offline", has_spider=True),
        Source(
            "internet_archive",
            "Internet Archive",
            "archive.org",
            "Public-domain films, uploaded by its users",
            has_spider=True,
            delay=1.0,
            website="https://archive.org/details/movies",
        ),
        Source(
            "commons",
            "Wikimedia Commons",
            "commons.wikimedia.org",
            "Freely licensed files, each with its licence",
            has_spider=True,
            website="https://commons.wikimedia.org/wiki/Category:Films",
        ),
        Source(
            "library_of_congress",
            "Library of Congress",
            "www.loc.gov",
            "Early films kept by the national library",
            has_spider=True,
            delay=1.0,
            website="https://www.loc.gov/film-and-videos/",
        ),
        Source(
            "blender",
            "Blender Studio",
            "download.blender.org",
            "Open films under Creative Commons licences",
            website="https://studio.blender.org/films/",
        ),
        Source("official_site", "Official site", "", "The owner's own watch page"),
        Source(
            "vodo",
            "VODO",
            "vodo.net",
            "Independent films and series that their makers give away",
        ),
        Source(
            "peertube",
            "PeerTube",
            "joinpeertube.org",
            "Films on independent instances, each with its licence",
            has_spider=True,
            delay=0.2,
            website="https://joinpeertube.org/",
        ),
        Source(
            "wikidata",
            "Wikidata",
            "www.wikidata.org",
            "Pages to watch films on, collected by its community and found by IMDb id",
            has_spider=True,
            website="https://www.wikidata.org/",
        ),
        Source("schema_org", "Web page", "", "Watch links in the page of a film, as schema.org data", has_spider=True),
    )
}


class LicenceStatus(StrEnum):
    """Whether a source may publish a licence: it may, the licence is unknown, or it is known not to be free."""

    FREE = "free"
    UNSTATED = "unstated"
    REFUSED = "refused"


def licence_status(slug: str, licence: str, *, allowed_too: Collection[str] = ()) -> LicenceStatus:
    """Return whether a link of this source with this licence (a slug, or "" if none is stated) may be published.

    `allowed_too` are licences that the operator publishes although they are not free.
    """
    if licence in allowed_too:
        return LicenceStatus.FREE
    if licence in NOT_FREE:
        return LicenceStatus.REFUSED
    allowed = KNOWN_SOURCES[slug].licences if slug in KNOWN_SOURCES else FREE_LICENCES
    return LicenceStatus.FREE if licence in allowed else LicenceStatus.UNSTATED


def parse_delays(words: Iterable[str]) -> dict[str, float]:
    """Return the seconds by source of words such as `internet_archive=2`. Raises ValueError with a sentence."""
    known = [slug for slug, source in KNOWN_SOURCES.items() if source.has_spider and slug != "example"]
    known += OEMBED_DELAYS
    delays: dict[str, float] = {}
    for word in words:
        slug, _, seconds = (part.strip() for part in word.partition("="))
        if slug not in known:
            raise ValueError(f"{slug!r} is not known; choose from {', '.join(known)}")
        if slug in delays:
            raise ValueError(f"{slug!r} is there twice")
        if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,3})?", seconds) or float(seconds) > MAX_DELAY:
            raise ValueError(f"{word!r}: write a source and seconds up to {MAX_DELAY:g}, such as wikidata=1.5")
        delays[slug] = float(seconds)
    return delays


def request_delay(host: str, *, source: str = "", delays: Mapping[str, float]) -> float:
    """Return the minimum seconds between two requests to a host: those of the source that owns it, else of `source`.

    `delays` (by source) override them. Loopback has none.
    """
    if _is_loopback(host):
        return 0.0
    owner = next((one for one in KNOWN_SOURCES.values() if _is_host_of(one, host)), KNOWN_SOURCES.get(source))
    if owner is None:
        return delays.get(source, OEMBED_DELAYS.get(source, 0.0))
    return delays.get(owner.slug, owner.delay)


def _is_host_of(source: Source, host: str) -> bool:
    home = source.host.removeprefix("www.")
    return bool(home) and (host == home or host.endswith(f".{home}"))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def source_name(slug: str) -> str:
    """Return the display name of a source; an unknown slug is returned unchanged."""
    return KNOWN_SOURCES[slug].name if slug in KNOWN_SOURCES else slug
