"""Generates films with links, the same on every machine: the first 10,000 of a million are the 10,000."""

from __future__ import annotations

import json
import random
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

SEED = 20_261_129
VOCABULARY = 60_000
CHECKED_FROM = datetime(2026, 11, 1)
MONTH_SECONDS = 30 * 24 * 3600
COMMON_WORDS = """
the of and a in to man night love my day dead life girl last one king black blood world story little city time woman big
red dark death dream home good lost boy white secret heart summer road family game war first two blue star island fire
new moon sun river street wild murder dance return american great young old beautiful devil wedding train school party
christmas ghost space planet earth sea desert mountain winter silence song water stone
"""
OTHER_WORDS = """
amélie café señor corazón forêt straße mädchen øst łódź říjen şehir ışık москва любовь 東京物語 映画 기생충
"""
SYLLABLES = """
ba be bi bo ca ce co cu da de di do fa fe fo ga ge go ha he ho ja jo ka ke ki la le li lo ma me mi mo na ne no pa pe pi
ra re ri ro sa se so ta te ti to va ve vi wa we yo za ze n r s l m t th sh ch st nd ck
"""
WORDS_IN_TITLE = list(accumulate([10, 24, 26, 18, 10, 6, 3, 2, 1]))
LINKS_OF_FILM = list(accumulate([2, 8, 12, 14, 14, 12, 10, 8, 7, 5, 4, 3, 1]))  # 4.9 on average
SOURCES = ("internet_archive", "commons", "library_of_congress", "peertube", "wikidata")
QUALITIES, QUALITY_WEIGHTS = ("480p", "720p", "1080p", "2160p", ""), (40, 30, 20, 3, 7)
LANGUAGES = ("en", "es", "fr", "de", "it", "pt", "ja", "ru", "hi", "ko", "zh", "ar", "eo")
LANGUAGE_WEIGHTS = (50, 9, 8, 7, 4, 4, 4, 4, 3, 3, 2, 1.9, 0.1)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words of which the first are the most frequent, as in a language."""

    words: Sequence[str]
    weights: Sequence[float]

    def pick(self, rng: random.Random) -> str:
        return self.words[bisect_left(self.weights, rng.random() * self.weights[-1])]


def generate(count: int) -> Iterator[dict[str, Any]]:
    """Yield this many films as `import_catalogue` reads them."""
    rng = random.Random(SEED)
    vocabulary = make_vocabulary(rng)
    link = 0
    for number in range(1, count + 1):
        film = _film(number, vocabulary, rng)
        length = bisect_left(LINKS_OF_FILM, rng.random() * LINKS_OF_FILM[-1])
        is_dead = rng.random() < 0.03
        film["links"] = [_link(film["imdb_id"], link + place, rng, is_dead=is_dead) for place in range(length)]
        link += length
        yield film


def imdb_id(number: int) -> str:
    """The IMDb id of the film with this number, from 1."""
    return f"tt{number * 7 + 13:07d}"


def make_vocabulary(rng: random.Random) -> Vocabulary:
    """The words of titles and synopses."""
    words = dict.fromkeys(COMMON_WORDS.split())
    while len(words) < VOCABULARY:
        words["".join(rng.choices(SYLLABLES.split(), k=rng.choice((2, 2, 3, 3, 4))))] = None
    return Vocabulary(list(words), list(accumulate(1 / (rank + 3) ** 0.85 for rank in range(len(words)))))


def number_of(film: str) -> int:
    """The number of the film with this IMDb id, the inverse of `imdb_id`."""
    return (int(film[2:]) - 13) // 7


def _film(number: int, vocabulary: Vocabulary, rng: random.Random) -> dict[str, Any]:
    words = [vocabulary.pick(rng) for _ in range(bisect_left(WORDS_IN_TITLE, rng.random() * WORDS_IN_TITLE[-1]) + 1)]
    if rng.random() < 0.06:
        words[rng.randrange(len(words))] = rng.choice(OTHER_WORDS.split())
    title = " ".join(words)
    return {
        "imdb_id": imdb_id(number),
        "title": title[:1].upper() + title[1:],
        "year": None if rng.random() < 0.01 else 2026 - int(min(130, rng.expovariate(1 / 22))),
        "type": "show" if rng.random() < 0.2 else "movie",
        "poster_url": f"https://posters.example.org/{number}.jpg" if rng.random() < 0.8 else "",
        "synopsis": " ".join(vocabulary.pick(rng) for _ in range(int(rng.triangular(0, 80, 30)))),
    }


def _link(film: str, number: int, rng: random.Random, *, is_dead: bool) -> dict[str, Any]:
    source = rng.choice(SOURCES)
    checked = CHECKED_FROM + timedelta(seconds=int(rng.random() * MONTH_SECONDS))
    return {
        "source": source,
        "source_url": f"https://{source.replace('_', '-')}.example.org/watch/{film}/{number:x}",
        "kind": "page",
        "quality": rng.choices(QUALITIES, QUALITY_WEIGHTS)[0],
        "language": rng.choices(LANGUAGES, LANGUAGE_WEIGHTS)[0],
        "licence": "public-domain",
        "is_active": not is_dead and rng.random() < 0.75,
        "last_checked": None if rng.random() < 0.05 else f"{checked:%Y-%m-%dT%H:%M:%SZ}",
    }


def write_catalogue(films: Iterable[dict[str, Any]], file: Path) -> Path:
    """Write the films as a file for `import_catalogue`; return it."""
    with file.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(film, ensure_ascii=False) + "\n" for film in films)
    return file


def read_catalogue(file: Path) -> Iterator[dict[str, Any]]:
    """Read the films that `write_catalogue` wrote."""
    with file.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)
