"""Validation: items and imported lines become clean records or are rejected with an InvalidValue. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from scraper.items import (
    LINK_KINDS,
    MAX_EVIDENCE_LENGTH,
    MAX_PART_NUMBER,
    MAX_YEAR,
    MIN_YEAR,
    MOVIE_TYPES,
    QUALITIES,
    Caption,
    Person,
    normalize_imdb_id,
)
from scraper.net.url_policy import (
    NO_PRIVATE_HOSTS,
    InvalidValue,
    PrivateHostAllowlist,
    normalize_url,
    normalize_url_and_host,
)
from streaming.formatting import quote_value
from streaming.ingest.facts import (
    MAX_SYNOPSIS_LENGTH,
    MAX_TITLE_LENGTH,
    Facts,
    is_language_tag,
    join_synopses,
    parse_link_facts,
    parse_movie_facts,
)
from streaming.ingest.text_values import single_line, text_of

MAX_LABEL_LENGTH = 200
PART_LABEL = re.compile(r"S([1-9][0-9]{0,3}) E([1-9][0-9]{0,3})(?: (.*))?")
IMDB_ID = re.compile(r"tt[0-9]{7,9}")
SLUG = re.compile(r"[a-z0-9]+(?:[_-][a-z0-9]+)*")


class LinkRecord(NamedTuple):
    """A link ready to be saved. `is_active` and `last_checked` are used only if the link is new.

    Written and read by name only. A tuple, because making a frozen dataclass of so many fields took a quarter of the
    time in which a link was validated.

    `refused` has an error for each fact that was stated and is left out.
    """

    imdb_id: str
    source: str
    source_url: str
    host: str
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
    is_active: bool = True
    last_checked: datetime | None = None
    duration_seconds: int | None = None
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    captions: tuple[Caption, ...] = ()
    refused: tuple[InvalidValue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MovieRecord:
    """A movie ready to be saved. None and empty mean not stated: the stored value stays.

    `refused` has an error for each fact that was stated and is left out.
    """

    imdb_id: str
    title: str = ""
    year: int | None = None
    type: str = ""
    poster_url: str = ""
    synopsis: str = ""
    runtime_minutes: int | None = None
    original_title: str = ""
    original_languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    directors: tuple[Person, ...] = ()
    cast: tuple[Person, ...] = ()
    other_titles: tuple[tuple[str, str], ...] = ()
    synopses: tuple[tuple[str, str], ...] = ()
    fame: int | None = None
    refused: tuple[InvalidValue, ...] = ()


def is_imdb_id(text: object) -> bool:
    """Whether this is `tt` and 7 to 9 ASCII digits, and nothing else."""
    return isinstance(text, str) and IMDB_ID.fullmatch(text) is not None


def parse_link(
    raw: Mapping[str, Any], *, imdb_id: str = "", allowed: PrivateHostAllowlist = NO_PRIVATE_HOSTS
) -> LinkRecord:
    """Return the link of an item or an imported line; raise InvalidValue if a field is invalid.

    `imdb_id`: the valid id of the movie that lists the link (empty: the link states it). `allowed` are the private
    hosts that links may have.
    """
    url, host = normalize_url_and_host(raw.get("source_url"), allowed=allowed)
    label, season, episode = _label_and_part(raw)
    source, kind, quality, language, licence = _named_choices(raw)
    return LinkRecord(
        imdb_id=imdb_id or _imdb_id(raw.get("imdb_id")),
        source=source,
        source_url=url,
        host=host,
        kind=kind,
        label=label,
        quality=quality,
        language=language,
        licence=licence,
        licence_url=_optional_url(raw.get("licence_url"), allowed=allowed),
        evidence=single_line(raw.get("evidence"), MAX_EVIDENCE_LENGTH),
        doubt=single_line(raw.get("doubt"), MAX_EVIDENCE_LENGTH),
        season=season,
        episode=episode,
        is_active=_flag(raw.get("is_active"), "is_active"),
        last_checked=_datetime(raw.get("last_checked")),
        **parse_link_facts(raw, allowed=allowed),
    )


def parse_movie(raw: Mapping[str, Any]) -> MovieRecord:
    """Return the movie of an item or an imported line; raise InvalidValue if a field is invalid."""
    facts, synopsis = parse_movie_facts(raw), raw.get("synopsis")
    return MovieRecord(
        imdb_id=_imdb_id(raw.get("imdb_id")),
        title=single_line(raw.get("title"), MAX_TITLE_LENGTH),
        year=_year(raw.get("year")),
        type=_known_value(raw.get("type") or "", ("", *MOVIE_TYPES), "type"),
        poster_url=_poster(raw.get("poster_url")),
        synopsis=_first_synopsis(facts) if synopsis is None else text_of(synopsis, MAX_SYNOPSIS_LENGTH),
        **facts,
    )


def merge_movies(first: MovieRecord | None, other: MovieRecord) -> MovieRecord:
    """The second of two records of one movie, with what only the first states."""
    if first is None:
        return other
    missing = {one.name: getattr(first, one.name) for one in fields(other) if not getattr(other, one.name)}
    return replace(other, **missing | {"synopses": join_synopses(other.synopses, first.synopses)})


def _first_synopsis(facts: Facts) -> str:
    """Of a movie that states none but by language: the English one, else the first."""
    stated: dict[str, str] = dict(facts.get("synopses", ()))
    return stated.get("en") or next(iter(stated.values()), "")


def _named_choices(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """Source, kind, quality, language and licence of a link; many links have few of them."""
    get = raw.get
    stated = (get("source"), get("kind"), get("quality"), get("language"), get("licence"))
    try:
        return _known_choices(*stated)
    except TypeError:  # a list or an object, which cannot be looked up
        return _choices(*stated)


def _choices(source: object, kind: object, quality: object, language: object, licence: object) -> tuple[str, ...]:
    """The same values, validated."""
    return (
        _source(source),
        _known_value(kind or "page", LINK_KINDS, "kind"),
        _known_value(quality or "", ("", *QUALITIES), "quality"),
        _language(language),
        _licence(licence),
    )


# Only valid values are kept, which are short. Typed, or `True` would be found where `1` was valid.
_known_choices = lru_cache(maxsize=4096, typed=True)(_choices)


def _label_and_part(raw: Mapping[str, Any]) -> tuple[str, int | None, int | None]:
    """Label, season and episode; a label such as `S1 E2 The Key`, which our exports write, contains all three."""
    label = single_line(raw.get("label"), MAX_LABEL_LENGTH)
    if label and (match := PART_LABEL.fullmatch(label)):
        return match[3] or "", int(match[1]), int(match[2])
    return label, _part_number(raw.get("season"), "season"), _part_number(raw.get("episode"), "episode")


def _part_number(value: object, name: str) -> int | None:
    if value in (None, ""):
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_PART_NUMBER:
        raise InvalidValue(f"bad_{name}", f"{name} {quote_value(value)} is not a number from 1 to {MAX_PART_NUMBER}")
    return value


def _imdb_id(value: object) -> str:
    if not (imdb_id := normalize_imdb_id(value)):
        raise InvalidValue("bad_imdb_id", f"imdb_id {quote_value(value)} is not tt and 7 to 9 digits")
    return imdb_id


def _source(value: object) -> str:
    if not isinstance(value, str) or len(value) > 50 or not SLUG.fullmatch(value):
        raise InvalidValue("bad_source", f"source {quote_value(value)} is not a slug such as internet_archive")
    return value


def _known_value(value: object, known: Sequence[str], name: str) -> str:
    if not isinstance(value, str) or value not in known:
        choices = ", ".join(filter(None, known))
        raise InvalidValue(f"bad_{name}", f"{name} {quote_value(value)} is not one of {choices}")
    return value


def _language(value: object) -> str:
    if value in (None, ""):
        return ""
    if not isinstance(value, str) or not is_language_tag(value):
        raise InvalidValue("bad_language", f"language {quote_value(value)} is not a BCP 47 tag such as en or pt-BR")
    return value


def _licence(value: object) -> str:
    if value in (None, ""):
        return ""
    if not isinstance(value, str) or len(value) > 40 or not SLUG.fullmatch(value):
        raise InvalidValue("bad_licence", f"licence {quote_value(value)} is not a slug such as public-domain")
    return value


def _year(value: object) -> int | None:
    if value in (None, ""):
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not MIN_YEAR <= value <= MAX_YEAR:
        raise InvalidValue("bad_year", f"year {quote_value(value)} is not a number from {MIN_YEAR} to {MAX_YEAR}")
    return value


def _flag(value: object, name: str) -> bool:
    if value is None:
        return True
    if not isinstance(value, bool):
        raise InvalidValue(f"bad_{name}", f"{name} {quote_value(value)} is not true or false")
    return value


def _datetime(value: object) -> datetime | None:
    if value in (None, ""):
        return None
    if isinstance(value, datetime):
        return value
    try:
        # Converted here, since a time at either end of the calendar overflows, in the database too.
        return _in_utc(datetime.fromisoformat(value if isinstance(value, str) and len(value) < 40 else ""))
    except (ValueError, OverflowError):
        message = f"last_checked {quote_value(value)} is not a time such as 2026-01-31T08:00:00Z"
        raise InvalidValue("bad_last_checked", message) from None


def _in_utc(at: datetime) -> datetime:
    if at.tzinfo is UTC:
        return at
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _optional_url(value: object, *, allowed: PrivateHostAllowlist = NO_PRIVATE_HOSTS) -> str:
    return "" if value in (None, "") else normalize_url(value, allowed=allowed)


def _poster(value: object) -> str:
    url = _optional_url(value)
    if url and not url.startswith("https://"):
        raise InvalidValue("bad_poster", "poster_url must begin with https://")
    return url
