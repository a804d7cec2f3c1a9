"""What a spider yields: one link of one movie, as the source states it and not yet cleaned."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class LinkItem:
    """One URL where a movie can be watched. Empty means the source does not say.

    `imdb_id` is the key under which all sources meet; `title`, `year`, `type`, `synopsis` and `poster_url` describe the
    movie and are only used when the catalogue does not know it yet. `quality` is a height such as `720p`; `language`
    a BCP 47 tag; `licence` a slug of `scraper.sources.LICENCES`; `evidence` is what that rests on, in the source's own
    words or as an address; `doubt` is why a person has to look at the link before it is shown, whatever its licence;
    `season` and `episode` say which part of a show it is.
    """

    imdb_id: str
    source: str
    source_url: str
    kind: str = "page"
    label: str = ""
    quality: str = ""
    language: str = ""
    licence: str = ""
    licence_url: str = ""
    evidence: str = ""
    doubt: str = ""
    season: int | None = None
    episode: int | None = None
    title: str = ""
    year: int | None = None
    type: str = "movie"
    poster_url: str = ""
    synopsis: str = ""
