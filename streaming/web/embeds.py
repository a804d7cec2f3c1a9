"""Which links have a player that other sites may show in a frame, and its address. Pure."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

ARCHIVE_PATH = re.compile(r"/(?:details|embed)/([A-Za-z0-9][A-Za-z0-9._-]{0,127})/?")
PEERTUBE_PATH = re.compile(r"/(?:w|videos/watch|videos/embed)/([A-Za-z0-9-]{8,64})/?")
COMMONS_PATH = re.compile(r"/wiki/(File:[^/]{1,240}\.(?:webm|ogv|ogg|mpg|mpeg))", re.IGNORECASE)
VIMEO_PATH = re.compile(r"/(?:video/)?([0-9]{3,12})/?")
YOUTUBE_PATH = re.compile(r"/(?:embed|shorts|v)/([A-Za-z0-9_-]{11})/?")
YOUTUBE_ID = re.compile(r"(?:^|&)v=([A-Za-z0-9_-]{11})(?:&|$)")
YOUTUBE_HOSTS = frozenset({"youtube.com", "m.youtube.com", "youtube-nocookie.com"})
COMMONS_HOSTS = frozenset({"commons.wikimedia.org", "commons.m.wikimedia.org"})


def embed_url(url: str, *, source: str) -> str:
    """Return the address of the player of a page or player; empty if the site has none that we show.

    Only players of the Internet Archive, Wikimedia Commons, YouTube (without cookies), Vimeo, and of the PeerTube
    instances that the source `peertube` reads: these are made for frames, and their hosts are known.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    host = (parts.hostname or "").removeprefix("www.")
    if parts.port is None and parts.scheme == "https" and (known := _known_player(host, parts.path, parts.query)):
        return known
    if source == "peertube" and (found := PEERTUBE_PATH.fullmatch(parts.path)):
        return f"{parts.scheme}://{parts.netloc}/videos/embed/{found[1]}"
    return ""


def _known_player(host: str, path: str, query: str) -> str:
    if host == "archive.org" and (found := ARCHIVE_PATH.fullmatch(path)):
        return f"https://archive.org/embed/{found[1]}"
    if host in COMMONS_HOSTS and (found := COMMONS_PATH.fullmatch(path)):
        return f"https://commons.wikimedia.org/wiki/{quote(found[1], safe=':%()!,*')}?embedplayer=yes"
    if host in YOUTUBE_HOSTS and (video := _youtube_video(path, query)):
        return f"https://www.youtube-nocookie.com/embed/{video}"
    if host == "youtu.be" and re.fullmatch(r"/[A-Za-z0-9_-]{11}", path):
        return f"https://www.youtube-nocookie.com/embed{path}"
    if host in ("vimeo.com", "player.vimeo.com") and (found := VIMEO_PATH.fullmatch(path)):
        return f"https://player.vimeo.com/video/{found[1]}?dnt=1"
    return ""


def _youtube_video(path: str, query: str) -> str:
    found = YOUTUBE_ID.search(query) if path == "/watch" else YOUTUBE_PATH.fullmatch(path)
    return found[1] if found else ""
