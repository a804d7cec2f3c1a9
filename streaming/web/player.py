"""What a movie's page plays: files and streams in the browser's own player, players of known sites in a frame.

The page's policy names only the hosts of these (`player_policy`), so that nothing else can be loaded from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext

from scraper.net.url_policy import netloc_of
from streaming.film_length import FILM_PART
from streaming.formatting import display_text
from streaming.localization import language_name
from streaming.models import StreamingLink
from streaming.web.embeds import embed_url

MEDIA_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".webm": "video/webm",
    ".m3u8": "application/vnd.apple.mpegurl",
}
"""By extension: what a current browser may be able to play; it says itself whether it can."""
MAX_CHOICES = 200
MAX_POLICY_LENGTH = 2000
"""Characters of the hosts in the page's policy: nginx refuses a response with more than 4 KB of headers (502)."""
ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")
HOSTS_BEHIND = {"archive.org": "https://*.archive.org", "www.archive.org": "https://*.archive.org"}
"""Hosts that redirect a file to servers of their own with changing names; a policy also judges where it led."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionTrack:
    """Captions of a link in one language (empty: not stated), at `/captions/<link>-<number>.vtt`."""

    link_id: int
    number: int
    language: str

    def as_data(self) -> dict[str, str]:
        """What the script needs to know."""
        address = reverse("captions", args=[self.link_id, self.number])
        label = language_name(self.language) or gettext("Captions")
        return {"src": address, "language": self.language, "label": label}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A link that the page can play.

    `media_type`: of a file or stream; empty for a player in a frame. `part`: which episode or part of the film it is;
    only choices with the same one can replace each other.
    """

    link: StreamingLink
    url: str
    media_type: str = ""
    captions: tuple[CaptionTrack, ...] = ()

    @property
    def host(self) -> str:
        return netloc_of(self.url)

    @property
    def part(self) -> str:
        numbers = FILM_PART.findall(urlsplit(self.link.source_url).path.rpartition("/")[2])
        return f"{self.link.season or ''}-{self.link.episode or ''}-{numbers[-1] if numbers else ''}"

    @property
    def label(self) -> str:
        """Episode, quality, language and format, such as `720p, English, MP4`."""
        ending = urlsplit(self.url).path.rpartition(".")[2].upper() if self.media_type else gettext("Player")
        link = self.link
        about = display_text(link.display_label) if not link.quality or len(self.part) > len("--") else ""
        facts = (link.quality, language_name(link.language))
        words = (about, *(fact for fact in facts if fact not in about), "HLS" if ending == "M3U8" else ending)
        return ", ".join(word for word in words if word)

    def as_data(self) -> dict[str, Any]:
        """What the script needs to know."""
        return {
            "id": self.link.pk,
            "url": self.url,
            "type": self.media_type,
            "host": display_text(self.host),
            "label": self.label,
            "part": self.part,
            "language": self.link.language.partition("-")[0],
            "page": self.link.source_url,
            "captions": [track.as_data() for track in self.captions],
        }


def player_choices(links: Sequence[StreamingLink], captions: Mapping[int, Sequence[CaptionTrack]]) -> list[Choice]:
    """The links that a page can play, the best first; `links` are those with a row on the page, in its order.

    `captions`: by the id of their link.

    Checked links come before others, and files, which keep captions and position, before players.
    """
    choices = dict[str, Choice]()
    for link in links:
        if found := _choice(link, tuple(captions.get(link.pk, ()))):
            choices.setdefault(found.url, found)
    ordered = sorted(choices.values(), key=lambda one: (not one.link.checks, not one.media_type))
    return list(_within_policy(ordered))[:MAX_CHOICES]


def _within_policy(choices: Iterable[Choice]) -> Iterator[Choice]:
    """The choices but those of hosts that do not fit into the page's policy any more; the first hosts come first."""
    named, length = set[tuple[str, bool]](), 0
    for one in choices:
        host = (_origin(one.url), bool(one.media_type))
        if host not in named:
            if length + len(host[0]) > MAX_POLICY_LENGTH:
                continue
            named.add(host)
            length += len(host[0]) + 1
        yield one


def player_policy(choices: Sequence[Choice]) -> dict[str, list[str]]:
    """The directives of the page's Content-Security-Policy that let it load these choices, and no other host."""
    media = {_origin(one.url) for one in choices if one.media_type}
    behind = {HOSTS_BEHIND[one.host] for one in choices if one.media_type and one.host in HOSTS_BEHIND}
    frames = {_origin(one.url) for one in choices if not one.media_type}
    return {"media-src": ["'self'", *sorted(media | behind)], "frame-src": sorted(frames) or ["'none'"]}


def _choice(link: StreamingLink, captions: tuple[CaptionTrack, ...]) -> Choice | None:
    if not ORIGIN.fullmatch(_origin(link.source_url)):
        return None
    if link.kind in (StreamingLink.Kind.FILE, StreamingLink.Kind.STREAM):
        media_type = MEDIA_TYPES.get(_extension(link.source_url), "")
        return Choice(link=link, url=link.source_url, media_type=media_type, captions=captions) if media_type else None
    address = _frame_address(link)
    return Choice(link=link, url=address) if address else None


def _frame_address(link: StreamingLink) -> str:
    """The address of the link's player; the example site's is known by the settings."""
    is_example = link.source == "example" and netloc_of(link.source_url) == netloc_of(settings.EXAMPLE_SITE_URL)
    if is_example and link.kind == StreamingLink.Kind.EMBED:
        return link.source_url
    return embed_url(link.source_url, source=link.source)


def _origin(url: str) -> str:
    return f"{urlsplit(url).scheme}://{netloc_of(url)}"


def _extension(url: str) -> str:
    name = urlsplit(url).path.rpartition("/")[2].lower()
    return f".{name.rpartition('.')[2]}" if "." in name else ""
