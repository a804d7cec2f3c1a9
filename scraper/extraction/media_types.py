"""Determine the quality of a picture size and the kind of a URL or media type. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from scraper.items import QUALITIES

SMALLEST_PICTURE = "144p"
"""Worse than all QUALITIES: recognized, so that no better one is guessed, and left out of items."""
# Only labels of sources name 576p; a picture of that size counts as 720p.
STANDARD_HEIGHTS = tuple(
    int(quality.removesuffix("p")) for quality in (SMALLEST_PICTURE, *reversed(QUALITIES)) if quality != "576p"
)
FILE_EXTENSIONS = (".mp4", ".m4v", ".webm", ".ogv", ".mkv", ".mov", ".avi", ".mpg", ".mpeg")
STREAM_EXTENSIONS = (".m3u8", ".mpd")
STREAM_TYPES = ("application/vnd.apple.mpegurl", "application/x-mpegurl", "application/dash+xml")
VIDEO_TYPES = ("video/", "application/ogg")
# A picture may be slightly larger than its name: 1088 lines are 1080p.
TOLERANCE = 1.05
LABEL = re.compile(r"([0-9]{3,4})p")


def quality_from_size(width: int | None, height: int | None) -> str:
    """Return the smallest standard size that contains the picture, such as `720p`; empty for none or over 2160p.

    File names are not reliable: a real `…_720p_surround.mp4` is 640 x 360.
    """
    if not height or height < 0:
        return ""
    for lines in STANDARD_HEIGHTS:
        if height <= TOLERANCE * lines and (width or 0) <= TOLERANCE * lines * 16 / 9:
            return f"{lines}p"
    return ""


def quality_from_label(label: str) -> str:
    """Return the quality that a label begins with (`720p60`, `720p.vp9.webm`); empty for an unknown one."""
    found = LABEL.match(label)
    return found[0] if found and found[0] in (SMALLEST_PICTURE, *QUALITIES) else ""


def link_kind(url: str, *, media_type: str = "") -> str:
    """Return `file` or `stream` by media type or file extension; empty if neither tells."""
    path, media_type = _path(url), media_type.lower()
    if media_type.startswith(STREAM_TYPES) or path.endswith(STREAM_EXTENSIONS):
        return "stream"
    return "file" if media_type.startswith(VIDEO_TYPES) or path.endswith(FILE_EXTENSIONS) else ""


def _path(url: str) -> str:
    try:
        return urlsplit(url).path.lower()
    except ValueError:
        return ""
