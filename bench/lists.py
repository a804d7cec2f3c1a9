"""Generates the lists of links for the benchmarks, each link with its correct verdict.

A: all respond at once. B: a mix as on the web. C: A over https. D: as B, but the hanging links are those of eight
hosts. Z: as B, with links per host distributed as on the web. H: every difficult behaviour equally often. S: soft 404
pages, media, and films with titles such as "Not Found".
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

HOSTS = 250
DEAD_HOSTS = range(240, 248)
SEED = 20_261_101
ALIVE, DEAD, NOT_DEAD = "alive", "dead", "notdead"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a link behaves, and its correct verdict.

    `gone`: the response itself says so. `media`: the link should be a video. `route`: the name in the farm's URLs if it
    differs; `argument` is the third part of the path.
    """

    expected: str = ALIVE
    gone: bool = False
    media: bool = False
    route: str = ""
    argument: int = 0


GONE = Behaviour(DEAD, gone=True)
FAILS = Behaviour(DEAD)
BEHAVIOURS: Mapping[str, Behaviour] = {
    "page": Behaviour(),
    "moved": Behaviour(argument=1), "moved-twice": Behaviour(route="moved", argument=2), "found": Behaviour(argument=1),
    "moved-next": Behaviour(), "moved-dead": GONE, "loop": GONE,
    "no-head-405": Behaviour(), "no-head-501": Behaviour(), "no-head-403": Behaviour(), "no-head-404": Behaviour(),
    "no-head-hang": Behaviour(), "head-body": Behaviour(), "close": Behaviour(), "chunked": Behaviour(),
    "404": GONE, "410": GONE, "403": FAILS, "500": FAILS,
    "429": Behaviour(NOT_DEAD, argument=2), "429-once": Behaviour(NOT_DEAD, argument=1),
    "503-later": Behaviour(NOT_DEAD, route="503", argument=2),
    "hang": FAILS, "drip": FAILS, "refused": FAILS, "reset": FAILS, "empty": FAILS, "junk": FAILS, "self-signed": FAILS,
    "endless": Behaviour(), "short": Behaviour(), "long": Behaviour(), "broken-body": Behaviour(), "gzip": Behaviour(),
    "slow": Behaviour(route="page"),
    "video": Behaviour(media=True), "octet": Behaviour(media=True), "playlist": Behaviour(media=True),
    "manifest": Behaviour(media=True),
    "missing": GONE, "removed": GONE, "home": GONE, "members-only": FAILS, "wall": FAILS,
    "page-for-video": Behaviour(DEAD, media=True), "nothing": Behaviour(DEAD, gone=True, media=True),
}  # fmt: skip
WEB = {
    "hang": 3.0, "404": 5.0, "403": 0.7, "410": 0.7, "429": 0.6, "no-head-405": 2.0, "moved": 4 / 3,
    "moved-twice": 2 / 3, "moved-next": 1.0, "refused": 0.4, "reset": 0.3, "500": 0.3,
}  # fmt: skip
# Rate-limited links are spread out: a host that responds so three times in a row is not checked further.
HOSTILE = (
    "page", "429", "moved", "moved-twice", "moved-next", "moved-dead", "found", "loop", "no-head-405", "no-head-501",
    "no-head-403", "no-head-404", "429-once", "no-head-hang", "head-body", "close", "chunked", "404", "403", "410",
    "500", "hang", "drip", "503-later", "refused", "reset", "empty", "junk", "self-signed", "endless", "short", "long",
    "broken-body", "gzip", "slow",
)  # fmt: skip
SOFT = {
    "missing": 8.0, "removed": 5.0, "home": 6.0, "members-only": 2.0, "wall": 2.0, "page-for-video": 6.0,
    "nothing": 4.0, "404": 2.0, "video": 12.0, "octet": 4.0, "playlist": 3.0, "manifest": 2.0, "gzip": 2.0,
    "moved": 3.0,
}  # fmt: skip
DEAD_SOUNDING_TITLES = (
    "Not Found",
    "404",
    "Gone",
    "Removed",
    "Page Not Found",
    "The Lost Page",
    "Deleted",
    "Video Unavailable",
)
PROFILES = "ABCDZHS"
SLOW_MS = 3500


class Ports(NamedTuple):
    """The ports of the farm, 0 for those that it does not serve; `refused` is one that refuses connections."""

    http: int
    https: int
    self_signed: int
    refused: int


class Listed(NamedTuple):
    """One link of a list; movies are numbered from 1."""

    url: str
    behaviour: str
    movie: int
    title: str

    @property
    def right(self) -> Behaviour:
        """The behaviour with the correct verdict."""
        return BEHAVIOURS[self.behaviour]


def generate(profile: str, count: int, ports: Ports, *, hosts: int = HOSTS, seed: int = SEED) -> Iterator[Listed]:
    """Generate the links of a list with the hosts in random order; the same list for the same arguments."""
    rng = random.Random(seed)
    host_numbers = _host_numbers(profile, count, hosts, rng)
    rng.shuffle(host_numbers)
    known = [name for name in HOSTILE if ports.self_signed or name != "self-signed"]
    next_behaviour = [rng.randrange(len(known)) for _ in range(hosts + 1)]
    movies = _movies(profile)
    for number, host in enumerate(host_numbers):
        movie, title = next(movies)
        if profile == "H":  # Each host has all behaviours, so that none looks down.
            behaviour = known[next_behaviour[host] % len(known)]
            next_behaviour[host] += 1
        else:
            behaviour = _behaviour(profile, host, hosts, rng)
        latency = 0 if profile in "AC" else rng.randint(50, 150)
        yield Listed(_url(behaviour, host, latency, number, title, ports, tls=profile == "C"), behaviour, movie, title)


def _host_numbers(profile: str, count: int, hosts: int, rng: random.Random) -> list[int]:
    """A host for each link: equally often each, or by Zipf's law."""
    if profile == "Z":
        return rng.choices(range(1, hosts + 1), [1 / rank for rank in range(1, hosts + 1)], k=count)
    return [number % hosts + 1 for number in range(count)]


def _movies(profile: str) -> Iterator[tuple[int, str]]:
    """Yield the movie of each link: one to five links each; in S every fourth has a title that sounds dead."""
    movie = 0
    while True:
        movie += 1
        sounds_dead = profile == "S" and movie % 4 == 0
        title = (
            DEAD_SOUNDING_TITLES[movie // 4 % len(DEAD_SOUNDING_TITLES)]
            if sounds_dead
            else f"The tale of number {movie}"
        )
        for _ in range(1 + movie % 5):
            yield movie, title


def _behaviour(profile: str, host: int, hosts: int, rng: random.Random) -> str:
    if profile in "AC":
        return "page"
    if profile == "D" and host in DEAD_HOSTS:
        return "hang"
    mix = SOFT if profile == "S" else WEB
    behaviour = _pick(mix, rng.random() * 100)
    if profile == "D" and (behaviour == "hang" or (behaviour == "moved-next" and host % hosts + 1 in DEAD_HOSTS)):
        return "page"
    return behaviour


def _pick(mix: Mapping[str, float], percentile: float) -> str:
    for name, percentage in mix.items():
        if percentile < percentage:
            return name
        percentile -= percentage
    return "page"


def _url(behaviour: str, host: int, latency: int, number: int, title: str, ports: Ports, *, tls: bool) -> str:
    right = BEHAVIOURS[behaviour]
    argument = right.argument or (title.replace(" ", "-") if behaviour == "page" else 0)
    name = right.route or ("page" if behaviour in ("refused", "self-signed") else behaviour)
    latency = SLOW_MS if behaviour == "slow" else latency
    path = f"/{name}/{latency}/{argument}/{number}"
    special_origins = {
        "refused": f"http://127.0.0.{host}:{ports.refused}",
        "self-signed": f"https://127.0.0.{host}:{ports.self_signed}",
    }
    origin = f"https://127.0.0.{host}:{ports.https}" if tls else f"http://127.0.0.{host}:{ports.http}"
    return special_origins.get(behaviour, origin) + path


def imdb_id(movie: int) -> str:
    """The IMDb id of a movie by its number."""
    return f"tt{movie:07d}"


def write_list(links: Iterable[Listed], file: Path) -> Path:
    """Write URL, behaviour, movie and title of each link on a line; return the file."""
    with file.open("w", encoding="utf-8") as out:
        out.writelines(f"{link.url}\t{link.behaviour}\t{link.movie}\t{link.title}\n" for link in links)
    return file


def read_list(file: Path) -> Iterator[Listed]:
    """Read the links that `write_list` wrote."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            url, behaviour, movie, title = line.rstrip("\n").split("\t")
            yield Listed(url, behaviour, int(movie), title)


def urls(file: Path) -> Sequence[str]:
    """Read the URLs only, for programs that get nothing else."""
    with file.open(encoding="utf-8") as lines:
        return [line.split("\t", 1)[0] for line in lines]
