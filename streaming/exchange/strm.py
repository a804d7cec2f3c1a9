"""One small file a movie with the address of its best link, as media centres read them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from streaming.exchange.entries import MovieEntry

# What Windows, macOS or Linux forbids in a file name; the strictest counts, folders wander.
FORBIDDEN_CHARACTERS = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u2028\u2029]')
RESERVED_NAMES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
MAX_STEM_BYTES = 200  # bytes; file systems stop at 255 and the suffixes want room


def write_strm(entries: Iterable[MovieEntry]) -> Iterator[tuple[str, str]]:
    """(file name, content) of each movie that a player can open; no two names are the same, capitals aside."""
    taken: set[str] = set()
    for entry in entries:
        if not entry.playable_links:
            continue
        stem = safe_file_stem(entry.name)
        if stem.casefold() in taken:
            stem = f"{stem} [{entry.imdb_id}]"
        taken.add(stem.casefold())
        yield f"{stem}.strm", f"{entry.playable_links[0].source_url}\n"


def safe_file_stem(name: str) -> str:
    """The name as every file system takes it; never empty, never hidden, never a way to another folder."""
    stem = " ".join(FORBIDDEN_CHARACTERS.sub(" ", name).split())
    stem = stem.encode()[:MAX_STEM_BYTES].decode(errors="ignore").strip(". ")
    if RESERVED_NAMES.fullmatch(stem):
        stem = f"_{stem}"
    return stem or "Untitled"
