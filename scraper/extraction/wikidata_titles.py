"""Which title has an IMDb id, and which IMDb ids titles of a name have: Wikidata's search and its items. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from scraper.extraction.film import valid_year
from scraper.extraction.json_values import UnreadableResponse, as_mapping, as_text, parse_year
from scraper.extraction.wikidata_statements import claim_values, imdb_ids_of
from scraper.items import normalize_imdb_id

MAX_MATCHES, MAX_WORDS = 8, 12
INSTANCE_OF, PUBLISHED, STARTED, SEASON_OF_EPISODE = "P31", "P577", "P580", "P4908"
SHOWS = frozenset({"Q5398426", "Q1259759", "Q581714", "Q117467246", "Q63952888", "Q526877", "Q15416"})
"""Television series, miniseries, animated series (two classes), anime and web series, television programme."""
EPISODES = frozenset({"Q21191270", "Q1983062"})
SEASONS, GAMES = frozenset({"Q3464665", "Q100269041"}), frozenset({"Q7889"})
NOT_IN_WORDS = re.compile(r"[\W_]+")
"""Signs that mean something to Wikidata's search, such as those of a regular expression, which takes long."""
YEAR_IN_TIME = re.compile(r"\+0*([0-9]{4})-")


class TitleKind(StrEnum):
    """What a title of IMDb is. Only a film and a show can be in the catalogue."""

    FILM = "film"
    SHOW = "show"
    EPISODE = "episode"
    SEASON = "season"
    GAME = "game"


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleMatch:
    """A title of IMDb as Wikidata describes it. `names` are its titles in the languages that were asked for."""

    imdb_id: str
    title: str = ""
    year: int | None = None
    kind: TitleKind = TitleKind.FILM
    names: tuple[str, ...] = ()

    @property
    def is_watchable(self) -> bool:
        """Whether it can be in the catalogue."""
        return self.kind in (TitleKind.FILM, TitleKind.SHOW)

    @property
    def type(self) -> str:
        """The type of the movie, as the catalogue names it."""
        return "show" if self.kind is TitleKind.SHOW else "movie"


def search_parameters(wanted: str) -> dict[str, str]:
    """The query for the items of an IMDb id, or of a title; of the latter only words are used.

    Raises ValueError for a title without any.
    """
    if imdb_id := normalize_imdb_id(wanted):
        search = f"haswbstatement:P345={imdb_id}"
    else:
        words = [word for word in NOT_IN_WORDS.split(wanted) if word][:MAX_WORDS]
        if not words:
            raise ValueError("the title has no words")
        search = f"{' '.join(words)} haswbstatement:P345"
    return {"action": "query", "list": "search", "format": "json", "srsearch": search, "srlimit": str(MAX_MATCHES)}


def item_parameters(items: Sequence[str], *, languages: Sequence[str]) -> dict[str, str]:
    """The query for the statements and titles of items."""
    return {
        "action": "wbgetentities",
        "ids": "|".join(items[:MAX_MATCHES]),
        "props": "claims|labels",
        "languages": "|".join(languages),
        "format": "json",
    }


def parse_titles(answer: object, *, items: Sequence[str], languages: Sequence[str]) -> list[TitleMatch]:
    """The titles of these items in their order, each IMDb id once; items without one are left out.

    `languages`: whose title is taken, the first that there is. Raises UnreadableResponse.
    """
    entities = as_mapping(answer).get("entities")
    if not isinstance(entities, Mapping):
        raise UnreadableResponse("the answer has no items")
    found: dict[str, TitleMatch] = {}
    for item in items[:MAX_MATCHES]:
        entity = as_mapping(entities.get(item))
        for imdb_id in imdb_ids_of(entity)[:1]:
            found.setdefault(imdb_id, _match(entity, imdb_id, languages))
    return list(found.values())


def _match(entity: Mapping[str, Any], imdb_id: str, languages: Sequence[str]) -> TitleMatch:
    labels = as_mapping(entity.get("labels"))
    named = (as_text(as_mapping(labels.get(tag)).get("value"), max_length=200) for tag in languages)
    names = tuple(dict.fromkeys(filter(None, named)))
    return TitleMatch(
        imdb_id=imdb_id, title=names[0] if names else "", year=_year(entity), kind=_kind(entity), names=names
    )


def _kind(entity: Mapping[str, Any]) -> TitleKind:
    classes = {as_text(as_mapping(value).get("id")) for value in claim_values(entity, INSTANCE_OF)}
    if classes & EPISODES or claim_values(entity, SEASON_OF_EPISODE):
        return TitleKind.EPISODE
    if classes & SEASONS:
        return TitleKind.SEASON
    if classes & GAMES:
        return TitleKind.GAME
    return TitleKind.SHOW if classes & SHOWS else TitleKind.FILM


def _year(entity: Mapping[str, Any]) -> int | None:
    """The year of the first publication; of a show that of its beginning."""
    times = (*claim_values(entity, PUBLISHED), *claim_values(entity, STARTED))
    found = (YEAR_IN_TIME.match(as_text(as_mapping(value).get("time"))) for value in times)
    years = [year for one in found if one and (year := valid_year(parse_year(one[1])))]
    return min(years, default=None)
