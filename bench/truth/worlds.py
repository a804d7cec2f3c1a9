"""The catalogues of the simulation: which films there are, on which hosts, and which of them die for good. Pure.

Groups of hosts are named by the beginning of their names: `archive` and `second` are large hosts, `cdn-` sites with one
film each behind one CDN, `five-` sites with five links, `small-` sites with one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, product

ADJECTIVES = (
    "Amber", "Broken", "Crimson", "Distant", "Early", "Faithful", "Golden", "Hollow", "Iron", "Jade", "Late", "Painted",
)  # fmt: skip
NOUNS = (
    "Anchor", "Bridge", "Carriage", "Dancer", "Engine", "Falcon", "Garden", "Harbour", "Island", "Juggler", "Lantern",
    "Mirror", "Orchard", "Piano", "Railway", "Sparrow", "Telegraph", "Violin", "Windmill", "Yacht",
)  # fmt: skip
OWNERS = ("Algiers", "Bergen", "Cadiz", "Dresden")
DEATH_HOUR = 1.0
GRACE_FACTORS = {"404": 1, "removed": 3, "home": 3, "reset": 3, "403": 30}
"""How a link may die, and after how many times the grace that counts towards removal."""


@dataclass(frozen=True, slots=True)
class Link:
    """One address of a film, the `number`th of its world.

    `death`: a key of GRACE_FACTORS, how it responds from DEATH_HOUR on; empty: it lives.
    """

    number: int
    host: str
    path: str
    title: str
    is_file: bool = False
    death: str = ""


@dataclass(frozen=True, slots=True)
class Film:
    """A film with its links; all of them die, or none."""

    number: int
    title: str
    links: tuple[Link, ...]
    is_show: bool = False

    @property
    def imdb_id(self) -> str:
        return f"tt{self.number:07d}"

    @property
    def lives(self) -> bool:
        return not any(link.death for link in self.links)

    @property
    def grace_factor(self) -> int:
        """After how many times the grace a dead film may go: its slowest link decides."""
        return max(GRACE_FACTORS[link.death] for link in self.links)


@dataclass(frozen=True, slots=True)
class World:
    """A catalogue and the hosts it leads to."""

    name: str
    films: tuple[Film, ...]

    def links(self) -> Iterator[Link]:
        for film in self.films:
            yield from film.links

    def living(self) -> frozenset[str]:
        return frozenset(film.imdb_id for film in self.films if film.lives)


class Builder:
    """Numbers films and links; `file_ratio` of the links are files, the others pages."""

    def __init__(self, *, file_ratio: float = 0.5) -> None:
        self.films: list[Film] = []
        self._titles = (
            f"{adjective} {noun} of {owner}" for owner, noun, adjective in product(OWNERS, NOUNS, ADJECTIVES)
        )
        self._links, self._file_ratio = count(1), file_ratio

    def add(self, *hosts: str, death: str = "", is_show: bool = False) -> None:
        """A film with a link on each of these hosts."""
        title = next(self._titles)
        links = tuple(self._link(host, title, death) for host in hosts)
        self.films.append(Film(len(self.films) + 1, title, links, is_show))

    def add_dead(self, deaths: Iterable[tuple[str, str]]) -> None:
        """A film for each pair of host and death."""
        for host, death in deaths:
            self.add(host, death=death)

    def world(self, name: str) -> World:
        return World(name, tuple(self.films))

    def _link(self, host: str, title: str, death: str) -> Link:
        number = next(self._links)
        slug = title.lower().replace(" ", "-")
        is_file = int(number * self._file_ratio) > int((number - 1) * self._file_ratio)
        path = f"/files/{slug}-{number}.mp4" if is_file else f"/films/{slug}-{number}"
        return Link(number, host, path, title, is_file, death)


DEAD_FILMS = (
    ("archive.example", "404"), ("archive.example", "removed"), ("second.example", "404"), ("five-01.example", "home"),
    ("lost-1.example", "404"), ("lost-2.example", "removed"), ("lost-3.example", "home"), ("lost-4.example", "reset"),
)  # fmt: skip


def usual() -> World:
    """370 living films with 430 links: 150 on an archive, 60 on a second host, 100 on sites behind one CDN, 60 on
    twelve sites with five each, 60 on small sites. Eight dead films beside them."""
    builder = Builder()
    _add_archive_and_sites(builder)
    for _ in range(60):
        builder.add("second.example")
    builder.add_dead(DEAD_FILMS)
    return builder.world("usual")


def pages() -> World:
    """310 living films with 370 links of which 29 % are files, not half: a page seems to work whatever it says."""
    builder = Builder(file_ratio=0.29)
    _add_archive_and_sites(builder)
    builder.add_dead(DEAD_FILMS)
    return builder.world("pages")


def only_pages() -> World:
    """As `pages`, without any file: whatever a host says with success seems to work."""
    builder = Builder(file_ratio=0.0)
    _add_archive_and_sites(builder)
    builder.add_dead(DEAD_FILMS)
    return builder.world("only_pages")


def skew() -> World:
    """100 films with one link, all on one host, and 20 shows with 20 episodes each elsewhere: links are not films."""
    builder = Builder()
    for _ in range(100):
        builder.add("second.example")
    for show in range(20):
        builder.add(*(f"five-{(show + episode) % 12:02d}.example" for episode in range(20)), is_show=True)
    builder.add_dead((("second.example", "404"), ("five-01.example", "removed"), ("lost-1.example", "reset")))
    return builder.world("skew")


def tiny() -> World:
    """15 films on one host, and two dead ones."""
    builder = Builder()
    for _ in range(15):
        builder.add("second.example")
    builder.add_dead((("second.example", "404"), ("second.example", "removed")))
    return builder.world("tiny")


def singles() -> World:
    """200 films on as many hosts, of which 100 are behind one CDN: no host has enough links to be judged by them."""
    builder = Builder()
    for site in range(100):
        builder.add(f"cdn-{site:03d}.example")
        builder.add(f"small-{site:03d}.example")
    builder.add_dead((("lost-1.example", "404"), ("lost-2.example", "removed"), ("lost-3.example", "reset")))
    return builder.world("singles")


def blocked() -> World:
    """The tiny one with films that their hosts deny to us for good: nobody knows whether they live, so they go last."""
    builder = Builder()
    for _ in range(15):
        builder.add("second.example")
    builder.add_dead((("lost-1.example", "403"), ("lost-2.example", "403"), ("lost-3.example", "reset")))
    return builder.world("blocked")


WORLDS = {made.__name__: made for made in (usual, pages, only_pages, skew, tiny, singles, blocked)}


def _add_archive_and_sites(builder: Builder) -> None:
    """310 films: 150 on the archive, 60 of them on another site too; 100 behind a CDN; 60 on other sites alone."""
    others = [f"five-{site:02d}.example" for site in range(12) for _ in range(5)]
    others += [f"small-{site:03d}.example" for site in range(60)]
    for other in others[::2]:
        builder.add("archive.example", other)
    for _ in range(90):
        builder.add("archive.example")
    for other in others[1::2]:
        builder.add(other)
    for site in range(100):
        builder.add(f"cdn-{site:03d}.example")
