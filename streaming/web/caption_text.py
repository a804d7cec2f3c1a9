"""Turn a caption file, WebVTT or SubRip in any usual encoding, into clean WebVTT. Pure."""

from __future__ import annotations

import codecs
import re

BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
MAX_CUES = 20_000
MAX_TEXT_BYTES = 3 * 1024 * 1024
"""As WebVTT: a file of 1 MiB can become more. It has to fit into the cache, or it would be fetched each time."""
TIME = r"(?:([0-9]{1,3}):)?([0-9]{1,2}):([0-9]{1,2})[.,]([0-9]{1,3})"
TIMING = re.compile(rf"[ \t]*{TIME}[ \t]*-{{1,2}}>[ \t]*{TIME}([ \t].*)?", re.ASCII)
SETTINGS = re.compile(r"(?:vertical|line|position|size|align):[A-Za-z0-9.,%-]{1,30}")
HTML_PAGE = re.compile(r"\s*(?:<!doctype|<html|<head|<body|<\?xml)", re.IGNORECASE)
TAG = re.compile(r"</?([a-z]{0,8})[^<>]{0,200}>", re.IGNORECASE)
KEPT_TAGS = frozenset({"b", "i", "u"})
OVERRIDE = re.compile(r"\{\\[^{}]{0,200}\}")
REMOVED_CHARACTERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
"""Controls, direction controls and lone surrogates; Arabic and Hebrew need none of them."""
ESCAPES = {ord("<"): "&lt;", ord(">"): "&gt;"}


class UnreadableCaptions(ValueError):
    """A file that holds no captions; the message is a sentence for display."""


def to_webvtt(data: bytes) -> str:
    """Return the captions as WebVTT, with nothing but times and text; raise UnreadableCaptions.

    Styles, notes and regions are left out, and all tags but bold, italic and underlined.
    """
    text = _decode(data).replace("\r\n", "\n").replace("\r", "\n")
    if HTML_PAGE.match(text):
        raise UnreadableCaptions("At the address of the captions there is a web page.")
    cues = _cues(text.split("\n"))
    if not cues:
        raise UnreadableCaptions("At the address of the captions there are none.")
    captions = "WEBVTT\n\n" + "\n\n".join(cues) + "\n"
    if len(captions.encode()) > MAX_TEXT_BYTES:
        raise UnreadableCaptions("The captions are too long.")
    return captions


def _decode(data: bytes) -> str:
    """By the byte order mark; without one by the zeros of UTF-16, then UTF-8, then what Windows writes."""
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    start = data[:400]
    if start.count(0) > len(start) // 4:
        return data.decode("utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be", errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _cues(lines: list[str]) -> list[str]:
    cues = list[str]()
    number, end = 0, len(lines)
    while number < end and len(cues) < MAX_CUES:
        timing = TIMING.fullmatch(lines[number])
        number += 1
        if timing is None:
            continue
        first = number
        while number < end and lines[number].strip():
            number += 1
        if words := "\n".join(filter(None, map(_clean, lines[first:number]))):
            cues.append(f"{_timing_line(timing)}\n{words}")
    return cues


def _timing_line(timing: re.Match[str]) -> str:
    kept = " ".join(setting for setting in (timing[9] or "").split() if SETTINGS.fullmatch(setting))
    return f"{_time(*timing.groups()[:4])} --> {_time(*timing.groups()[4:8])} {kept}".rstrip()


def _time(hours: str | None, minutes: str, seconds: str, fraction: str) -> str:
    return f"{int(hours or 0):02d}:{int(minutes):02d}:{int(seconds):02d}.{fraction.ljust(3, '0')}"


def _clean(line: str) -> str:
    """The text of a line with the tags that stay.

    What is left of `<` and `>` is escaped, whatever the removal of tags joined: so it forms neither a tag nor `-->`.
    """
    line = REMOVED_CHARACTERS.sub("", OVERRIDE.sub("", line)).replace("-->", "→")
    words, end = list[str](), 0
    for tag in TAG.finditer(line):
        words += [line[end : tag.start()].translate(ESCAPES), _bare(tag) if tag[1].lower() in KEPT_TAGS else ""]
        end = tag.end()
    return "".join([*words, line[end:].translate(ESCAPES)]).strip()


def _bare(tag: re.Match[str]) -> str:
    return f"<{'/' if tag[0].startswith('</') else ''}{tag[1].lower()}>"
