"""One small file a movie with the address of its best link, as media centres read them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from streaming.exchange.entries import MovieEntry

# What Windows, macOS or Linux forbids in a file name; the strictest counts, folders wander.
FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u2028\u2029]')
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
LONGEST_STEM = 200  # bytes; file systems stop at 255 and the suffixes want room


def write(entries: Iterable[MovieEntry]) -> Iterator[tuple[str, str]]:
    """(file name, content) of each movie that a player can open; no two names are the same, capitals aside."""
    taken: set[str] = set()
    for entry in entries:
        if not entry.playable:
            continue
        stem = file_stem(entry.name)
        if stem.casefold() in taken:
            stem = f"{stem} [{entry.imdb_id}]"
        taken.add(stem.casefold())
        yield f"{stem}.strm", f"{entry.playable[0].source_url}\n"


def file_stem(name: str) -> str:
    """The name as every file system takes it; never empty, never hidden, never a way to another folder."""
    stem = " ".join(FORBIDDEN.sub(" ", name).split())
    stem = stem.encode()[:LONGEST_STEM].decode(errors="ignore").strip(". ")
    if RESERVED.fullmatch(stem):
        stem = f"_{stem}"
    return stem or "Untitled"
