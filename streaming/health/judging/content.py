"""Tell from the first bytes and the type whether a body is media. Pure."""

from __future__ import annotations

import re
import zlib

MAX_DECOMPRESSED = 64 * 1024
AUTOMATIC = 32
"""zlib's sign for "gzip or zlib, whichever it is"."""
MEDIA_TYPES = (
    "video/", "audio/", "application/vnd.apple.mpegurl", "application/x-mpegurl", "application/mpegurl",
    "application/dash+xml", "application/ogg", "application/mp4", "application/x-matroska",
    "application/vnd.ms-sstr+xml",
)  # fmt: skip
OTHER_TYPES = ("image/", "font/", "application/pdf", "application/zip")
TEXT_TYPES = ("text/css", "text/javascript", "application/json", "application/javascript")
"""Other types, if what they call so is text: compressed data and films are sent by these names, too."""
MARKUP_TYPES = ("text/html", "application/xhtml+xml")
MEDIA_SIGNATURES = (
    b"\x1aE\xdf\xa3", b"OggS", b"FLV", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", b"0&\xb2u", b"ID3", b"fLaC",
)  # fmt: skip
MANIFESTS = (b"<mpd", b":mpd", b"<smoothstreamingmedia", b"<manifest", b"<smil", b"<asx", b"<playlist", b"<?wpl")
LIST_STARTS = (b"#ext", b"[playlist]", b"[reference]")
LIST_LINE = re.compile(rb"\s{0,9}(?:#|(?:https?|rtsp|rtmp|mms)://[^\s<>\"']{1,2000}\s{0,3}\Z)", re.I)
MAX_LIST_LINES, MAX_EMPTY_LIST = 8, 2000
FEEDS = (b"<rss", b"<feed")
NAMED_SIGNATURES = {
    ".zip": re.compile(rb"PK\x03\x04"), ".gz": re.compile(rb"\x1f\x8b"), ".torrent": re.compile(rb"d[0-9]{1,3}:"),
}  # fmt: skip
"""First bytes of what the end of an address promises: some films are offered so."""
NON_MEDIA_SIGNATURES = (b"%PDF", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b")


def is_media_type(content_type: str) -> bool:
    """Return whether a content type, in lower case, is one of video or audio."""
    return content_type.startswith(MEDIA_TYPES)


def decompress(body: bytes) -> bytes:
    """Decompress a body of gzip or zlib ("deflate"); return any other one as it is.

    No compression is requested, but some servers send files as they have stored them.
    """
    is_zlib = body[:1] == b"x" and len(body) > 2 and (body[0] << 8 | body[1]) % 31 == 0
    if body[:2] != b"\x1f\x8b" and not is_zlib:
        return body
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | AUTOMATIC).decompress(body, MAX_DECOMPRESSED) or body
    except zlib.error:
        return body


def is_markup(content_type: str, body: bytes) -> bool:
    """Return whether a body is a web page, by its type or its first bytes."""
    if content_type.startswith(MARKUP_TYPES):
        return True
    start = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def is_media(body: bytes) -> bool:
    """Return whether the first bytes are of mp4, webm, mkv, ogg, avi, flv, MPEG, wmv, mp3, HLS, DASH or Smooth."""
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    return body.startswith(MEDIA_SIGNATURES) or (
        body[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp")
        or (body.startswith(b"RIFF") and body[8:12] in (b"AVI ", b"WAVE"))
        or (body[:1] == b"G" and body[188:189] == b"G" and body[376:377] in (b"G", b""))
        or _is_list(start)
        or (start.startswith(b"<") and any(name in start[:2048].lower() for name in MANIFESTS))
    )


def _is_list(start: bytes) -> bool:
    """Return whether a text is a list of what to play: of a known kind, or nothing but addresses and remarks."""
    if start[:11].lower().startswith(LIST_STARTS):
        return True
    lines = [line for line in start[:2048].splitlines()[:MAX_LIST_LINES] if line.strip()]
    whole = lines if len(start) <= 2048 or len(lines) < 2 else lines[:-1]
    return b"://" in start[:2048] and all(LIST_LINE.match(line) for line in whole)


def is_empty_list(body: bytes) -> bool:
    """Return whether a text is a whole HLS playlist that has ended and has nothing to play.

    One that has not ended may be of a broadcast that is about to begin.
    """
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:7].upper() != b"#EXTM3U" or len(start) >= MAX_EMPTY_LIST:
        return False
    lines = [line.strip().upper() for line in start.splitlines() if line.strip()]
    return b"#EXT-X-ENDLIST" in lines and all(line.startswith(b"#") and b"URI=" not in line for line in lines)


def is_feed(body: bytes) -> bool:
    """Return whether a text is a feed, in which a film may be the newest entry."""
    start = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith(b"<") and any(name in start for name in FEEDS)


def is_other_type(content_type: str, body: bytes) -> bool:
    """Return whether a body is of a type that is no film."""
    if content_type.startswith(TEXT_TYPES):
        return is_not_media(body)
    return content_type.startswith(OTHER_TYPES)


def has_named_type(path: str, body: bytes) -> bool:
    """Return whether a file is the archive or torrent that the path of its address promises."""
    return any(path.lower().endswith(end) and start.match(body) for end, start in NAMED_SIGNATURES.items())


def is_not_media(body: bytes) -> bool:
    """Return whether the first bytes are certainly no film: a document, image, archive or plain text."""
    if body.startswith(NON_MEDIA_SIGNATURES):
        return True
    start = body[:512]
    return bool(start) and all(byte >= 32 or byte in (9, 10, 13) for byte in start)
