"""Parse what Wikidata states about films: where the film of an IMDb id can be watched. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from scraper.extraction.dates import is_over
from scraper.extraction.durations import minutes_of
from scraper.extraction.film import NO_LICENCE, ExtractedFilm, ExtractedLink, LicenceStatement, licence_from_url
from scraper.extraction.json_values import (
    UnreadableResponse,
    as_float,
    as_int,
    as_mapping,
    as_mappings,
    as_text,
    is_safe_url_part,
    parse_year,
)
from scraper.extraction.languages import normalize_language_tag
from scraper.extraction.media_types import link_kind
from scraper.extraction.source_urls import (
    FORBIDDEN_IN_COMMONS_NAMES,
    archive_item_id,
    commons_page_url,
    commons_thumbnail_url,
)
from scraper.items import normalize_imdb_id
from scraper.net.url_policy import host_of
from scraper.sources import PAID

ARCHIVE_ITEM, COMMONS_FILE, FULL_WORK = "P724", "P10", "P953"
YOUTUBE, VIMEO, DAILYMOTION = "P1651", "P4015", "P11731"
FREE_SERVICES = ("P7760", "P7761", "P6614", "P3194", "P6549")
"""Services that show films free of charge, with or without advertisements, such as Tubi and Libreflix."""
PAID_SERVICES = (
    *("P1874", "P9586", "P9751", "P8055", "P14462", "P7595", "P7596", "P13902", "P6466", "P6467", "P8298", "P11815"),
    *("P13147", "P7985", "P7299", "P9584", "P7334", "P6562", "P6398"),
)
"""Services that require a subscription, a rental or, as Kanopy does, a library card."""
WATCH_PROPERTIES = (ARCHIVE_ITEM, COMMONS_FILE, YOUTUBE, VIMEO, DAILYMOTION, FULL_WORK, *FREE_SERVICES, *PAID_SERVICES)
SERVICES = dict.fromkeys(FREE_SERVICES, LicenceStatement(slug="official")) | dict.fromkeys(
    PAID_SERVICES, LicenceStatement(slug=PAID)
)
FORMATTERS = {
    ARCHIVE_ITEM: "https://archive.org/details/$1",
    YOUTUBE: "https://www.youtube.com/watch?v=$1",
    VIMEO: "https://vimeo.com/$1",
    "P1874": "https://www.netflix.com/title/$1",
    "P9586": "https://tv.apple.com/movie/$1",
    "P14462": "https://www.primevideo.com/detail/$1",
}
"""For responses without formatter URLs; the results of our own queries have them."""
IDENTIFIER = r"[A-Za-z0-9_-](?:[A-Za-z0-9._~:@$()*,;=+-]|/(?!\.{0,2}(?:/|$))){0,199}"
"""The shape of identifiers whose service publishes none: no blank, quote, query, fragment or way to another folder."""
VALUE_SHAPES = {
    YOUTUBE: r"[A-Za-z0-9_-]{11}",
    VIMEO: r"[0-9]{1,12}",
    DAILYMOTION: r"[A-Za-z0-9]{5,12}",
    ARCHIVE_ITEM: r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}",
    "P1874": r"[0-9]{1,10}",
    "P9586": r"umc\.cmc\.[a-z0-9]{10,40}",
    "P9751": r"umc\.cmc\.[a-z0-9]{10,40}",
    "P14462": r"amzn1\.dv\.gti\.[0-9a-f-]{36}|[A-Z0-9]{10,30}",
}
"""What an identifier of each service looks like; IDENTIFIER for the services that are not listed."""
FREE_TEXT_VALUES = frozenset({FULL_WORK, COMMONS_FILE})
"""Properties whose value is a URL or the name of a file, not an identifier."""
UNKNOWN_VALUE_URL, BLANK_NODE = "/.well-known/genid/", "_:"
"""Wikidata's query service writes an unknown value as a blank node or as a URL made up for it."""
UNKNOWN = "unknown"
WIKIDATA_THING = re.compile(r"https?://(?:www\.)?wikidata\.org/(?:entity|prop|wiki/Special:EntityData)/")
"""What Wikidata's own terms are called: nobody watches a film there."""
PRECISIONS = {9: 5, 10: 8, 11: 11}
"""The length of a time such as `+2001-02-03T00:00:00Z` up to its year, month or day, by Wikidata's precision."""
FULL_VIDEO, TRAILER = "Q89347362", "Q622550"
PUBLIC_DOMAIN = frozenset({"Q19652", "Q88088423"})
PROPERTY_BY_COLUMN = {
    "archive_ids": ARCHIVE_ITEM,
    "ia": ARCHIVE_ITEM,
    "commons_files": COMMONS_FILE,
    "commons": COMMONS_FILE,
    "vimeo": VIMEO,
    "full": FULL_WORK,
    "netflix": "P1874",
    "netflixLink": "P1874",
    "appletv": "P9586",
}
"""The property of each column in a table with a row per film; without YouTube, because a table does not say whether
a video is the trailer."""
SERVICE_NAMES = {
    ARCHIVE_ITEM: "Internet Archive",
    COMMONS_FILE: "Wikimedia Commons",
    "P1874": "Netflix",
    "P9586": "Apple TV",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One watch location that Wikidata states for a film; `role` is a Q id (the trailer, the full video …)."""

    imdb_id: str
    item: str
    prop: str
    value: str
    title: str = ""
    name: str = ""
    formatter: str = ""
    role: str = ""
    language: str = ""
    ended: bool = False
    licence: LicenceStatement = NO_LICENCE

    @property
    def is_watchable(self) -> bool:
        """Whether it leads to the whole film, now; for YouTube the statement must say that it is the full video."""
        if self.ended or self.role == TRAILER or (self.prop == YOUTUBE and self.role != FULL_VIDEO):
            return False
        if _is_unknown(self.value) or not is_safe_url_part(self.value) or WIKIDATA_THING.match(self.value):
            return False
        shape = VALUE_SHAPES.get(self.prop, IDENTIFIER)
        return self.prop in FREE_TEXT_VALUES or re.fullmatch(shape, self.value) is not None

    @property
    def archive_item(self) -> str:
        """The item at the Internet Archive; empty if the statement is about something else."""
        if not self.is_watchable:
            return ""
        return self.value if self.prop == ARCHIVE_ITEM else archive_item_id(self.url)

    @property
    def commons_file(self) -> str:
        """The name of a file on Commons, with spaces and without `File:`; empty for any other statement."""
        if self.prop != COMMONS_FILE or not self.is_watchable:
            return ""
        name = unquote(self.value.rsplit("Special:FilePath/", 1)[-1]).replace("_", " ")
        return "" if FORBIDDEN_IN_COMMONS_NAMES.search(name) else name

    @property
    def url(self) -> str:
        """The URL where a person can watch it; empty if none follows from the statement."""
        if not self.is_watchable:
            return ""
        if name := self.commons_file:
            return commons_page_url(name)
        url = self.value if self.prop == FULL_WORK else self._formatted()
        try:
            return url if urlsplit(url).scheme in ("https", "http") and urlsplit(url).hostname else ""
        except ValueError:
            return ""

    def _label(self) -> str:
        if self.prop == FULL_WORK:
            return host_of(self.url)
        return SERVICE_NAMES.get(self.prop) or self.name

    def _kind(self) -> str:
        # The URL of a file's page on Commons ends like that of the file.
        is_file = self.prop == FULL_WORK and "/wiki/File:" not in self.url
        return (link_kind(self.url) if is_file else "") or "page"

    def _formatted(self) -> str:
        return self.formatter.replace("$1", quote(self.value, safe="/:@!$()*,;=~")) if "$1" in self.formatter else ""

    def link(self) -> ExtractedLink:
        """Return the page as a link, with the licence of the service if it is one of a service, else of the film."""
        return ExtractedLink(
            url=self.url,
            kind=self._kind(),
            label=self._label(),
            language=self.language,
            licence=SERVICES.get(self.prop, self.licence),
        )


@dataclass(frozen=True, slots=True)
class FilmTablePage:
    """One page of a table of films; `next_after` is the IMDb id after which the next page begins ("" without films).

    `rows` also counts rows without a film: fewer than requested mean the last page.
    """

    films: tuple[ExtractedFilm, ...]
    next_after: str
    rows: int


def parse_statements(answer: object, *, now: datetime | None = None) -> list[Statement]:
    """Parse the result of `statements_query`: one statement per property and value, of however many rows.

    A statement whose end is after `now` (None: the current time) still holds.
    """
    now = now or datetime.now(UTC)
    statements: dict[tuple[str, str, str], Statement] = {}
    for row in _rows(answer):
        imdb_id, name = normalize_imdb_id(row.get("imdb", "")), _last(row.get("prop", ""))
        if imdb_id and name and (value := row.get("value", "")):
            statement = _statement(row, name, imdb_id=imdb_id, now=now)
            statements[imdb_id, name, value] = _either(statements.get((imdb_id, name, value)), statement)
    return list(statements.values())


def group_by_film(statements: Iterable[Statement]) -> list[ExtractedFilm]:
    """Return one film per IMDb id, each with its statements as links."""
    films: dict[str, list[Statement]] = {}
    for statement in statements:
        films.setdefault(statement.imdb_id, []).append(statement)
    return [
        ExtractedFilm(
            imdb_id=imdb_id,
            identifier=stated[0].item,
            title=stated[0].title,
            links=_unique_links(stated),
        )
        for imdb_id, stated in films.items()
    ]


def parse_film_table(answer: object) -> FilmTablePage:
    """Parse a table with a row per film; cells separate several values by `|`, and may be empty."""
    films = [_film_of_row(row) for row in _rows(answer)]
    known = [film for film in films if film.imdb_id]
    return FilmTablePage(tuple(known), known[-1].imdb_id if known else "", len(films))


def parse_entity_statements(answer: object, *, now: datetime | None = None) -> list[Statement]:
    """Parse the statements of a `wbgetentities` response; same result as `parse_statements`.

    An item with several IMDb ids (of titles that IMDb has twice or has merged) states the same of each of them.
    """
    now = now or datetime.now(UTC)
    entity = _entity(answer)
    item = as_text(entity.get("id"))
    label = as_text(as_mapping(as_mapping(entity.get("labels")).get("en")).get("value"))
    status = {_id_of(value) for value in claim_values(entity, "P6216")}
    return [
        Statement(
            imdb_id=imdb_id,
            item=item,
            prop=name,
            value=value,
            title=label,
            formatter=FORMATTERS.get(name, ""),
            role=next((_id_of(one) for one in _qualifiers(claim, "P3831")), ""),
            ended=any(_has_ended(snak, now=now) for snak in _qualifier_snaks(claim, "P582")),
            licence=_licence_of_work(item, bool(status & PUBLIC_DOMAIN), ""),
        )
        for imdb_id in imdb_ids_of(entity)
        for name in WATCH_PROPERTIES
        for claim in _claims(entity, name)
        if (value := as_text(_value(claim), max_length=2000))
    ]


def parse_search(answer: object) -> list[str]:
    """Return the Q ids of a `list=search` response."""
    results = as_mapping(as_mapping(answer).get("query")).get("search")
    if not isinstance(results, list):
        raise UnreadableResponse("the search has no result list")
    titles = [as_text(one.get("title")) for one in as_mappings(results)]
    return [title for title in titles if re.fullmatch(r"Q[1-9][0-9]{0,11}", title)]


def _statement(row: Mapping[str, str], name: str, *, imdb_id: str, now: datetime) -> Statement:
    item = _last(row.get("item", ""))
    return Statement(
        imdb_id=imdb_id,
        item=item,
        prop=name,
        value=row["value"],
        title=row.get("itemLabel", ""),
        name=_service(row.get("propLabel", "")),
        formatter=row.get("formatter", ""),
        role=_last(row.get("role", "")),
        language=normalize_language_tag(row.get("lang", "")),
        ended=row.get("end") == UNKNOWN or is_over(row.get("end", ""), now=now),
        licence=_licence_of_work(item, _last(row.get("status", "")) in PUBLIC_DOMAIN, row.get("licence", "")),
    )


def _either(known: Statement | None, other: Statement) -> Statement:
    """Return the first of two statements with one value, unless only the other still leads to the film."""
    return other if known is None or (other.is_watchable and not known.is_watchable) else known


def _licence_of_work(item: str, is_public_domain: bool, licence_url: str) -> LicenceStatement:
    if licence := licence_from_url(licence_url):
        return licence
    if is_public_domain:
        return LicenceStatement(slug="public-domain", url=f"https://www.wikidata.org/wiki/{quote(item)}")
    return NO_LICENCE


def _film_of_row(row: Mapping[str, str]) -> ExtractedFilm:
    imdb_id = normalize_imdb_id(row.get("imdb") or row.get("movieIMDB"))
    item = _last(row.get("item") or row.get("film") or "")
    is_public_domain = any(_last(one) in PUBLIC_DOMAIN for one in _cells(row, "copyright_status"))
    licence = _licence_of_work(item, is_public_domain, row.get("licences", "").split("|")[0])
    languages = {tag for one in _cells(row, "languages") if (tag := normalize_language_tag(one))}
    return ExtractedFilm(
        imdb_id=imdb_id,
        identifier=item,
        title=row.get("title") or row.get("filmLabel") or row.get("movieName") or "",
        year=parse_year(row.get("year") or row.get("date") or row.get("firstReleaseDate") or ""),
        type="show" if "series" in row.get("contentTypes", "") else "movie",
        language=next(iter(languages)) if len(languages) == 1 else "",
        original_languages=tuple(sorted(languages)),
        fame=as_int(row.get("links")),
        runtime_minutes=minutes_of(round(as_float(row.get("duration")) or 0)),
        # A picture of a film that is still protected may require more than we show beside it.
        poster_url=_row_poster(row) if is_public_domain else "",
        links=_unique_links(_row_statements(row, imdb_id=imdb_id, item=item, licence=licence)),
    )


def _row_statements(
    row: Mapping[str, str], *, imdb_id: str, item: str, licence: LicenceStatement
) -> Iterator[Statement]:
    for column, prop in PROPERTY_BY_COLUMN.items():
        formatter = FORMATTERS.get(prop, "")
        for value in _cells(row, column):
            yield Statement(
                imdb_id=imdb_id,
                item=item,
                prop=prop,
                value=value.removeprefix(formatter.removesuffix("$1")),
                formatter=formatter,
                licence=licence,
            )


def _row_poster(row: Mapping[str, str]) -> str:
    return commons_thumbnail_url(row.get("poster", "")) or commons_thumbnail_url(row.get("image", ""))


def _cells(row: Mapping[str, str], column: str) -> list[str]:
    """Return the values of a cell that may list several."""
    return [value for value in row.get(column, "").split("|") if value and not _is_unknown(value)]


def _unique_links(statements: Iterable[Statement]) -> tuple[ExtractedLink, ...]:
    """Return a link for each URL that follows from the statements; of two with one URL, the last."""
    return tuple({statement.url: statement.link() for statement in statements if statement.url}.values())


def _rows(answer: object) -> Iterator[dict[str, str]]:
    """Return the rows of a SPARQL result as texts; a variable may be missing in a row, or be empty.

    An unknown value is no value, except that of an end: the statement has ended, nobody knows when.
    """
    bindings = as_mapping(as_mapping(answer).get("results")).get("bindings")
    if not isinstance(bindings, list):
        raise UnreadableResponse("the query has no result table")
    for row in as_mappings(bindings):
        cells = {name: _cell_text(as_mapping(cell)) for name, cell in row.items()}
        yield {name: text if text != UNKNOWN or name == "end" else "" for name, text in cells.items()}


def _cell_text(cell: Mapping[str, Any]) -> str:
    text = as_text(cell.get("value"), max_length=4000)
    return UNKNOWN if cell.get("type") == "bnode" or (cell.get("type") == "uri" and _is_unknown(text)) else text


def _is_unknown(value: str) -> bool:
    return UNKNOWN_VALUE_URL in value or value.startswith(BLANK_NODE)


def _entity(answer: object) -> Mapping[str, Any]:
    entities = as_mapping(answer).get("entities")
    if not isinstance(entities, Mapping):
        raise UnreadableResponse("the answer has no entities")
    return next(as_mappings(entities), {})


def imdb_ids_of(entity: Mapping[str, Any]) -> list[str]:
    """Return the IMDb title ids of an item."""
    # P345 also holds people, companies and events. An id that is not preferred leads to the item all the same.
    stated = [_value(claim) for claim in _stated_claims(entity, "P345")]
    return list(dict.fromkeys(imdb_id for value in stated if (imdb_id := normalize_imdb_id(value))))


def _claims(entity: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return the claims with a value that count: of preferred rank if any, else of normal rank."""
    claims = _stated_claims(entity, name)
    preferred = [one for one in claims if one.get("rank") == "preferred"]
    return [one for one in preferred or claims if _snak(one).get("snaktype") == "value"]


def _stated_claims(entity: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    claims = as_mappings(as_mapping(entity.get("claims")).get(name))
    return [claim for claim in claims if claim.get("rank") != "deprecated"]


def claim_values(entity: Mapping[str, Any], name: str) -> list[object]:
    """Return the values of a property that count."""
    return [_value(claim) for claim in _claims(entity, name)]


def _snak(claim: Mapping[str, Any]) -> Mapping[str, Any]:
    return as_mapping(claim.get("mainsnak"))


def _value(claim: Mapping[str, Any]) -> object:
    return as_mapping(_snak(claim).get("datavalue")).get("value")


def _qualifiers(claim: Mapping[str, Any], name: str) -> Iterator[object]:
    for snak in _qualifier_snaks(claim, name):
        yield as_mapping(snak.get("datavalue")).get("value")


def _qualifier_snaks(claim: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    return as_mappings(as_mapping(claim.get("qualifiers")).get(name))


def _has_ended(snak: Mapping[str, Any], *, now: datetime) -> bool:
    """Return whether an end qualifier says that it is over: at a time that has passed, or at an unknown one."""
    if snak.get("snaktype", "value") != "value":
        return snak.get("snaktype") == "somevalue"
    time = as_mapping(as_mapping(snak.get("datavalue")).get("value"))
    end = as_text(time.get("time"))
    return is_over(end[: PRECISIONS.get(as_int(time.get("precision")) or 0, len(end))], now=now)


def _id_of(value: object) -> str:
    return as_text(as_mapping(value).get("id"))


def _last(url: str) -> str:
    return url.rsplit("/", 1)[-1]


def _service(label: str) -> str:
    """Return the name of the service from a property label such as `Netflix ID` or `MUBI film ID`."""
    return re.sub(r"(?<!\s)\s+(?:(?:film|movie|video|series|title|series or movie)\s+)?(?:ID|identifier)$", "", label)
