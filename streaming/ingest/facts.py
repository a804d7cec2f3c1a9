"""Validation of what is known of films and files. What is invalid is left out and named; the rest is kept. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from scraper.extraction.countries import parse_country
from scraper.extraction.genres import GENRES, parse_genre
from scraper.items import LINK_FACTS, MOVIE_FACTS, Caption, Person
from scraper.net.url_policy import NO_PRIVATE_HOSTS, InvalidValue, PrivateHostAllowlist, normalize_url
from streaming.formatting import language_name, quote_value
from streaming.ingest.text_values import single_line
from streaming.search_words import fold_for_search

MAX_TITLE_LENGTH = 200
MAX_NAME_LENGTH = 100
MAX_RUNTIME_MINUTES = 6000
MAX_DURATION_SECONDS = 60 * MAX_RUNTIME_MINUTES
MAX_SIZE_BYTES = 10**13
MAX_PIXELS = 16_384
MAX_FAME = 10_000
MAX_ENTRIES = 30
"""Entries of a list: the genres or the cast of a film, the captions of a file."""
MAX_OTHER_TITLES = 100
MAX_SYNOPSES = 20
MAX_SYNOPSIS_LENGTH = 4000
CAPTION_FORMATS = ("vtt", "srt")
LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
MAX_LANGUAGE_LENGTH = 35
NAME_WORD = re.compile(r"[^\W_]+")
WIKIDATA_ID = re.compile(r"Q[1-9][0-9]{0,11}")
STATED_OF_MOVIES, STATED_OF_LINKS = frozenset(MOVIE_FACTS), frozenset(LINK_FACTS)

Facts = dict[str, Any]
Refused = list[InvalidValue]


def parse_movie_facts(raw: Mapping[str, Any]) -> Facts:
    """Return the facts of MOVIE_FACTS that are stated, and as `refused` an error for each that is invalid."""
    if STATED_OF_MOVIES.isdisjoint(raw):  # Most lines and items state none.
        return {}
    refused: Refused = []
    facts: Facts = {
        "runtime_minutes": _number(raw, "runtime_minutes", 1, MAX_RUNTIME_MINUTES, refused),
        "fame": _number(raw, "fame", 0, MAX_FAME, refused),
        "original_title": _checked(_title, raw.get("original_title"), "original_title", refused) or "",
        "original_languages": _entries(raw, "original_languages", _language, refused),
        "countries": _entries(raw, "countries", _country, refused),
        "genres": _entries(raw, "genres", _genre, refused),
        "directors": _entries(raw, "directors", _person, refused),
        "cast": _entries(raw, "cast", _person, refused),
        "other_titles": _by_language(raw, "other_titles", _title, MAX_OTHER_TITLES, refused),
        "synopses": _one_a_language(_by_language(raw, "synopses", _synopsis, MAX_SYNOPSES, refused)),
    }
    facts["cast"] = _with_ids_of(facts["cast"], facts["directors"])
    facts["directors"] = _with_ids_of(facts["directors"], facts["cast"])
    return facts | {"refused": tuple(refused)}


def parse_link_facts(raw: Mapping[str, Any], *, allowed: PrivateHostAllowlist = NO_PRIVATE_HOSTS) -> Facts:
    """Return the facts of LINK_FACTS that are stated, and as `refused` an error for each that is invalid."""
    if STATED_OF_LINKS.isdisjoint(raw):
        return {}
    refused: Refused = []

    def caption(value: object, name: str) -> Caption:
        return _caption(value, name, allowed=allowed)

    facts: Facts = {
        "duration_seconds": _number(raw, "duration_seconds", 1, MAX_DURATION_SECONDS, refused),
        "size_bytes": _number(raw, "size_bytes", 1, MAX_SIZE_BYTES, refused),
        "width": _number(raw, "width", 1, MAX_PIXELS, refused),
        "height": _number(raw, "height", 1, MAX_PIXELS, refused),
        "captions": _entries(raw, "captions", caption, refused),
    }
    return facts | {"refused": tuple(refused)}


def person_key(name: str) -> str:
    """The key of a person whose Wikidata id is unknown; empty if the name has no letter.

    >>> person_key("Georges Méliès"), person_key("!!")
    ('georges-melies', '')
    """
    return "-".join(NAME_WORD.findall(fold_for_search(name)))[:MAX_NAME_LENGTH]


def is_person_key(text: str) -> bool:
    """Whether this is a Wikidata id or has the form of another key of a person."""
    return WIKIDATA_ID.fullmatch(text) is not None or (text != "" and person_key(text) == text)


def is_language_tag(text: str) -> bool:
    """Whether the text has the form of a BCP 47 language tag, such as `en` or `pt-BR`."""
    return len(text) <= MAX_LANGUAGE_LENGTH and LANGUAGE_TAG.fullmatch(text) is not None


def join_synopses(first: Iterable[Sequence[str]], others: Iterable[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    """The synopses of both by language, those of `first` where both have one.

    >>> join_synopses([["de", "Ein Vampir."]], (("de", "Ein anderer."), ("fr", "Un vampire.")))
    (('de', 'Ein Vampir.'), ('fr', 'Un vampire.'))
    """
    return _one_a_language((language, text) for language, text in (*first, *others))[:MAX_SYNOPSES]


def to_column(value: object) -> Any:
    """The value of a fact as its column has it: lists and objects of JSON in place of tuples and values.

    >>> to_column((Person("Ida Lupino", "Q259913"),)), to_column((("de", "Die Fahrt"),)), to_column(90)
    ([{'id': 'Q259913', 'name': 'Ida Lupino'}], [['de', 'Die Fahrt']], 90)
    """
    if not isinstance(value, tuple):
        return value
    return [_to_json(entry) for entry in value]


def to_driver(value: object) -> Any:
    """The value of a column as the drivers of both databases take it."""
    if not isinstance(value, list):
        return value
    return json.dumps(value) if value else "[]"


def _to_json(entry: object) -> Any:
    if isinstance(entry, Person):
        return {"id": entry.wikidata or person_key(entry.name), "name": entry.name}
    if isinstance(entry, Caption):
        return asdict(entry)
    return list(entry) if isinstance(entry, tuple) else entry


def _number(raw: Mapping[str, Any], name: str, lowest: int, highest: int, refused: Refused) -> int | None:
    value = raw.get(name)
    if value in (None, ""):
        return None
    if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
        return value
    message = f"{name} {quote_value(value)} is not a number from {lowest} to {highest}"
    refused.append(InvalidValue(f"bad_{name}", message))
    return None


def _checked(parse: Callable[[object, str], Any], value: object, name: str, refused: Refused) -> Any:
    """The parsed value; None and an error more if it is invalid."""
    try:
        return parse(value, name)
    except InvalidValue as error:
        text = str(error)
        refused.append(InvalidValue(f"bad_{name}", text if text.startswith(name) else f"{name}: {text}"))
        return None


def _entries(
    raw: Mapping[str, Any], name: str, parse: Callable[[object, str], Any], refused: Refused
) -> tuple[Any, ...]:
    """The valid entries of a list, each once; a text is a list of one."""
    value = raw.get(name)
    if value in (None, "", (), []):
        return ()
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, Sequence):
        refused.append(InvalidValue(f"bad_{name}", f"{name} {quote_value(value)} is not a list"))
        return ()
    if len(listed) > MAX_ENTRIES:
        refused.append(InvalidValue(f"bad_{name}", f"{name} has more than {MAX_ENTRIES} entries"))
        return ()
    parsed = [_checked(parse, entry, name, refused) for entry in listed]
    return tuple(dict.fromkeys(entry for entry in parsed if entry is not None))


def _title(value: object, name: str) -> str:
    if isinstance(value, str) and len(value) > MAX_TITLE_LENGTH:
        raise InvalidValue("too_long", f"{name} has more than {MAX_TITLE_LENGTH} characters")
    return single_line(value, MAX_TITLE_LENGTH)


def _language(value: object, name: str) -> str:
    if isinstance(value, str) and is_language_tag(value) and language_name(value) != value:
        return value
    raise InvalidValue("bad_language", f"{name}: {quote_value(value)} is not a known language tag such as en or pt-BR")


def _country(value: object, name: str) -> str:
    if code := parse_country(value):
        return code
    raise InvalidValue("bad_country", f"{name}: {quote_value(value)} is not a country code such as DE")


def _genre(value: object, name: str) -> str:
    if slug := parse_genre(value):
        return slug
    raise InvalidValue("bad_genre", f"{name}: {quote_value(value)} is not one of {', '.join(GENRES)}")


def _person(value: object, name: str) -> Person:
    """A person as a name, or as an object with `name` and maybe `wikidata`."""
    raw = asdict(value) if isinstance(value, Person) else value
    raw = {"name": raw} if isinstance(raw, str) else raw
    if not isinstance(raw, Mapping):
        raise InvalidValue("bad_person", f"{name}: {quote_value(value)} is not a person")
    stated, wikidata = raw.get("name"), raw.get("wikidata") or _wikidata_id(raw.get("id"))
    if not isinstance(stated, str) or not person_key(cleaned := single_line(stated, MAX_NAME_LENGTH)):
        raise InvalidValue("bad_name", f"{name}: {quote_value(stated)} is not a name")
    if len(stated) > MAX_NAME_LENGTH:
        raise InvalidValue("long_name", f"{name}: a name has more than {MAX_NAME_LENGTH} characters")
    if wikidata and not (isinstance(wikidata, str) and WIKIDATA_ID.fullmatch(wikidata)):
        raise InvalidValue("bad_wikidata", f"{name}: {quote_value(wikidata)} is not a Wikidata id such as Q25191")
    return Person(cleaned, wikidata)


def _wikidata_id(key: object) -> str:
    """The Wikidata id in the key of a stored person; empty for a key that is made of the name."""
    return key if isinstance(key, str) and WIKIDATA_ID.fullmatch(key) else ""


def _with_ids_of(people: tuple[Person, ...], others: tuple[Person, ...]) -> tuple[Person, ...]:
    """The people, with the Wikidata id of somebody with the same name among those in other roles."""
    known = {person_key(person.name): person for person in others if person.wikidata}
    return tuple(person if person.wikidata else known.get(person_key(person.name), person) for person in people)


def _caption(value: object, name: str, *, allowed: PrivateHostAllowlist) -> Caption:
    raw = asdict(value) if isinstance(value, Caption) else value
    if not isinstance(raw, Mapping):
        raise InvalidValue("bad_caption", f"{name}: {quote_value(value)} is no file of captions")
    form = raw.get("format") or "vtt"
    if form not in CAPTION_FORMATS:
        raise InvalidValue("bad_format", f"{name}: {quote_value(form)} is not one of {', '.join(CAPTION_FORMATS)}")
    language = _language(raw["language"], name) if raw.get("language") else ""
    return Caption(url=normalize_url(raw.get("url"), allowed=allowed), language=language, format=form)


def _synopsis(value: object, _: str) -> str:
    return single_line(value, MAX_SYNOPSIS_LENGTH)


def _by_language(
    raw: Mapping[str, Any], name: str, parse: Callable[[object, str], str], limit: int, refused: Refused
) -> tuple[tuple[str, str], ...]:
    """The texts by language, from an object or from pairs; `limit` at most."""
    value = raw.get(name)
    if value in (None, "", (), []) or value == {}:
        return ()
    pairs = value.items() if isinstance(value, Mapping) else value
    if not isinstance(pairs, Collection) or isinstance(pairs, str) or len(pairs) > limit:
        refused.append(InvalidValue(f"bad_{name}", f"{name} is not an object of at most {limit} texts"))
        return ()
    parsed = [_checked(partial(_text_in_language, parse), pair, name, refused) for pair in pairs]
    return tuple(dict.fromkeys(pair for pair in parsed if pair is not None))


def _text_in_language(parse: Callable[[object, str], str], pair: object, name: str) -> tuple[str, str] | None:
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise InvalidValue("bad_pair", f"{name}: {quote_value(pair)} is no language with a text")
    text = parse(pair[1], name)
    return (_language(pair[0], name), text) if text else None


def _one_a_language(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The first text of each language."""
    found = dict[str, str]()
    for language, text in pairs:
        found.setdefault(language, text)
    return tuple(found.items())
