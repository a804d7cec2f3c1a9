"""What else films may have (`--facts`): genres, countries, people, running time and fame; kind and captions of links.

Each film's come from its number alone, so that they are the same in a catalogue of any size, and copies have their own.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from bench.catalogue.films import SYLLABLES
from scraper.extraction.countries import COUNTRIES
from scraper.extraction.genres import GENRES

PEOPLE = 300_000
MAX_FAME = 300
DESCRIBED = 0.8
"""The fraction of films of which anything is known."""
KINDS, KIND_WEIGHTS = ("page", "embed", "file", "stream"), (84, 10, 5.9, 0.1)
CAPTION_LANGUAGES = ("en", "es", "fr", "de", "pt-BR", "ja", "eo")
CAPTION_WEIGHTS = (50, 15, 12, 12, 8, 2.9, 0.1)


def with_facts(film: Mapping[str, Any], number: int) -> dict[str, Any]:
    """The film with this number, with facts of itself and of its links."""
    rng = random.Random(f"links {number}")
    links = [{**link, **_facts_of_link(link, film["imdb_id"], rng)} for link in film["links"]]
    return {**film, **facts_of(number), "links": links}


def facts_of(number: int) -> dict[str, Any]:
    """The facts of the film with this number, as `import_catalogue` reads them; of one in five there are none."""
    rng = random.Random(number)
    if rng.random() > DESCRIBED:
        return {}
    return {
        "genres": _some_of(list(GENRES), rng, at_most=3),
        "countries": _some_of(list(COUNTRIES), rng, at_most=2),
        "runtime_minutes": int(rng.triangular(2, 240, 92)),
        "fame": int(MAX_FAME * rng.random() ** 6),
        "directors": [_person(rng)],
        "cast": [_person(rng) for _ in range(rng.randrange(8))],
    }


def _some_of(values: list[str], rng: random.Random, *, at_most: int) -> list[str]:
    """One to `at_most` of the values; the first ones are more frequent."""
    chosen = (values[int(len(values) * rng.random() ** 2)] for _ in range(rng.randint(1, at_most)))
    return list(dict.fromkeys(chosen))


def _person(rng: random.Random) -> dict[str, str]:
    """Somebody with a name of their own; the one with the most films has about a thousand among a million."""
    number = int(PEOPLE * rng.random() ** 1.5)
    syllables = [*SYLLABLES.split(), *(f"{one}n" for one in SYLLABLES.split())]
    first, rest = number % len(syllables), number // len(syllables)
    middle, last = rest % len(syllables), rest // len(syllables)
    name = f"{syllables[first]}{syllables[middle]} {syllables[last % len(syllables)]}{syllables[first]}".title()
    return {"name": name, "wikidata": f"Q{1_000_000 + number}"}


def _facts_of_link(link: Mapping[str, Any], film: str, rng: random.Random) -> dict[str, Any]:
    kind = rng.choices(KINDS, KIND_WEIGHTS)[0]
    facts: dict[str, Any] = {"kind": kind}
    if kind in ("file", "stream"):
        facts |= {"duration_seconds": rng.randint(60, 9000), "size_bytes": rng.randint(10**7, 10**10)}
        if rng.random() < 0.3:
            language = rng.choices(CAPTION_LANGUAGES, CAPTION_WEIGHTS)[0]
            captions = {"url": f"{link['source_url']}.{film}.vtt", "language": language, "format": "vtt"}
            facts["captions"] = [captions]
    return facts
