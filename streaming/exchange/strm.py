"""The catalogue as .strm files, one per movie with the URL of its best link, for media centres. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from streaming.exchange.entries import MovieEntry

# Forbidden in file names on Windows, macOS or Linux: the files may be copied to any of them.
FORBIDDEN_CHARACTERS = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u2028\u2029]')
# Devices of Windows, whatever extension follows; it drops blanks before the extension.
RESERVED_NAMES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?", re.IGNORECASE)
NO_OWNERS: Mapping[str, str] = MappingProxyType({})
MAX_STEM_BYTES = 200  # file systems allow 255, with the suffixes


def write_strm(
    entries: Iterable[MovieEntry], *, owners: Mapping[str, str] = NO_OWNERS
) -> Iterator[tuple[str, str, str]]:
    """Yield IMDb id, file name and content for each movie with a playable link; names differ even without case.

    `owners` has the ids of movies that have a file of that name, in lower case, already: nobody else gets it.
    """
    used: set[str] = set()
    for entry in entries:
        if not entry.playable_links:
            continue
        stem = safe_file_stem(entry.name)
        key = stem.casefold()
        if key in used or owners.get(f"{key}.strm", entry.imdb_id) != entry.imdb_id:
            stem = f"{stem} [{entry.imdb_id}]"
        used.add(stem.casefold())
        yield entry.imdb_id, f"{stem}.strm", f"{entry.playable_links[0].source_url}\n"


def safe_file_stem(name: str, *, max_bytes: int = MAX_STEM_BYTES) -> str:
    """Turn a title into a file name that every system allows: not empty, not hidden, without a path.

    Composed (NFC), as file systems compare names by their bytes; `max_bytes` in UTF-8.
    """
    composed = unicodedata.normalize("NFC", name.encode(errors="ignore").decode())
    stem = " ".join(FORBIDDEN_CHARACTERS.sub(" ", composed).split())
    stem = stem.encode()[:max_bytes].decode(errors="ignore").strip(". ")
    if RESERVED_NAMES.fullmatch(stem):
        stem = f"_{stem}"
    return stem or "Untitled"
