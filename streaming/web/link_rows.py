"""The rows of a movie's page: one for each copy of a film or episode, by season for a show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.utils.translation import gettext, ngettext, pgettext

from streaming.formatting import display_text
from streaming.ingest.url_identity import work_key
from streaming.models import ArchivedCopy, StreamingLink
from streaming.reason_codes import CheckCode

COPIES_SHOWN = 8
MAX_SEASON_DIGITS = 5
# Sources that have one item of a film on a host: its page, player and files are one copy, whatever their names.
ONE_ITEM_SOURCES = frozenset({"library_of_congress", "peertube"})


@dataclass(frozen=True, slots=True)
class LinkCopy:
    """One copy of a film or an episode: the links to its page, player and files, best first.

    `number` tells copies of one source apart, 0 if there is only one.
    """

    links: tuple[StreamingLink, ...]
    number: int = 0

    @property
    def best(self) -> StreamingLink:
        return self.links[0]

    @property
    def name(self) -> str:
        """The source, and which of its copies: `Internet Archive, copy 2`."""
        source = self.best.source_name
        if not self.number:
            return source
        return gettext("%(source)s, copy %(number)s") % {"source": source, "number": self.number}

    @property
    def action_name(self) -> str:
        """What follows "Watch" for screen readers."""
        label = display_text(self.best.label) or self.best.kind_name
        return gettext("on %(source)s, %(label)s") % {"source": self.name, "label": label}

    @property
    def details_name(self) -> str:
        return gettext("Details")

    @property
    def quality(self) -> str:
        """The quality of the best link that states one."""
        return next((link.quality for link in self.links if link.quality), "")

    @property
    def language(self) -> str:
        """The language of the best link that states one."""
        return next((link.language for link in self.links if link.language), "")

    @property
    def named_links(self) -> list[tuple[str, StreamingLink]]:
        """Its links with the name of the copy."""
        return [(self.name, link) for link in self.links]


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode with its copies, best first; number 0: the links are to a whole season or show."""

    season: int
    number: int
    copies: tuple[LinkCopy, ...]

    @property
    def anchor(self) -> str:
        """The fragment of its row, `s1e2`."""
        return f"s{self.season}e{self.number}"

    @property
    def name(self) -> str:
        """Season and number, `S1 E2`, or what the links are to."""
        if self.number:
            return f"S{self.season} E{self.number}" if self.season else f"E{self.number}"
        if not self.season:
            return gettext("The whole show")
        return gettext("All of season %(number)s") % {"number": self.season}

    @property
    def action_name(self) -> str:
        """What follows "Watch" for screen readers."""
        return gettext("%(episode)s on %(source)s") % {"episode": self.name, "source": self.best.source_name}

    @property
    def details_name(self) -> str:
        others = len(self.copies) - 1
        if not others:
            return gettext("Details")
        return ngettext("%(number)s more copy", "%(number)s more copies", others) % {"number": others}

    @property
    def title(self) -> str:
        """The name that a link gives the episode; empty if none does."""
        return next((link.label for link in self.links if link.label), "")

    @property
    def best(self) -> StreamingLink:
        return self.copies[0].best

    @property
    def links(self) -> tuple[StreamingLink, ...]:
        return tuple(link for copy in self.copies for link in copy.links)

    @property
    def named_links(self) -> list[tuple[str, StreamingLink]]:
        """Its links with the names of their copies."""
        return [named for copy in self.copies for named in copy.named_links]

    @property
    def quality(self) -> str:
        return self.copies[0].quality

    @property
    def language(self) -> str:
        return self.copies[0].language


@dataclass(frozen=True, slots=True)
class Season:
    """A season with its episodes in order; number 0: the links state none."""

    number: int
    episodes: tuple[Episode, ...]

    @property
    def name(self) -> str:
        return gettext("Season %(number)s") % {"number": self.number} if self.number else pgettext("season", "Other")

    @property
    def numbered_episodes(self) -> tuple[Episode, ...]:
        return tuple(episode for episode in self.episodes if episode.number)


@dataclass(frozen=True, slots=True)
class LinkView:
    """What the visitor wants to see of the links: one season (None: the first), and all rows or the first ones."""

    season: int | None = None
    shows_all: bool = False

    @classmethod
    def from_query_string(cls, query: Mapping[str, str]) -> LinkView:
        """Read `season` and `all`; other values count as none."""
        season = query.get("season", "")
        is_number = season.isascii() and season.isdigit() and len(season) <= MAX_SEASON_DIGITS
        return cls(season=int(season) if is_number else None, shows_all=query.get("all") == "1")

    @property
    def query_string(self) -> str:
        """The query string of this view, empty for the usual one."""
        return self.query_string_with()

    def query_string_with(self, **more: object) -> str:
        """The query string of this view with more parameters."""
        season = {} if self.season is None else {"season": str(self.season)}
        query = urlencode(season | ({"all": "1"} if self.shows_all else {}) | more)
        return f"?{query}" if query else ""

    @property
    def query_string_of_all(self) -> str:
        """The query string of the same view with all rows."""
        return replace(self, shows_all=True).query_string


def copies_of(links: Iterable[StreamingLink]) -> tuple[LinkCopy, ...]:
    """The copies that these links lead to, in the order of the best link of each; the links are best first."""
    by_item: dict[tuple[object, ...], list[StreamingLink]] = {}
    for link in links:
        by_item.setdefault(_item_key(link), []).append(link)
    copies = [LinkCopy(tuple(found)) for found in by_item.values()]
    several = {source for source, count in Counter(copy.best.source for copy in copies).items() if count > 1}
    numbers: Counter[str] = Counter()
    return tuple(_numbered(copy, numbers) if copy.best.source in several else copy for copy in copies)


def seasons_of(links: Iterable[StreamingLink]) -> tuple[Season, ...]:
    """The seasons of a show and their episodes, in order; empty for links that state neither."""
    by_season: dict[int, dict[int, list[StreamingLink]]] = {}
    for link in links:
        by_season.setdefault(link.season or 0, {}).setdefault(link.episode or 0, []).append(link)
    if set(by_season) <= {0} and set(by_season.get(0, {})) <= {0}:
        return ()
    return tuple(
        Season(
            number,
            tuple(
                Episode(number, episode, copies_of(found))
                for episode, found in sorted(by_season[number].items(), key=lambda pair: (not pair[0], pair[0]))
            ),
        )
        for number in sorted(by_season, key=lambda number: (not number, number))
    )


def chosen_season(seasons: Sequence[Season], *, view: LinkView) -> Season | None:
    """The season to show: the wanted one, else the first; None without any."""
    return next((season for season in seasons if season.number == view.season), seasons[0] if seasons else None)


def checks_passed(link: StreamingLink) -> str:
    """How many of the last checks found the link working, in words; empty for fewer than two checks."""
    if len(link.checks) < 2:
        return ""
    values = {"passed": link.checks.count(CheckCode.ALIVE), "number": len(link.checks)}
    return gettext("worked %(passed)s of %(number)s times") % values


def open_text(link: StreamingLink) -> str:
    """The text that opens a link."""
    return pgettext("link", "Open") if link.is_active else gettext("Try anyway")


def of_name(name: str) -> str:
    """What follows "Details" for screen readers."""
    return gettext("of %(name)s") % {"name": name}


def archived_copy(link: StreamingLink) -> ArchivedCopy | None:
    """The archive's copy of a dead page; None for a link that works, and without one. `link` was loaded with it."""
    copy: ArchivedCopy | None = None if link.is_active else getattr(link, "archived_copy", None)
    return copy if copy is not None and copy.url else None


def _numbered(copy: LinkCopy, numbers: Counter[str]) -> LinkCopy:
    numbers[copy.best.source] += 1
    return replace(copy, number=numbers[copy.best.source])


def _item_key(link: StreamingLink) -> tuple[object, ...]:
    """What the links to one copy have in common."""
    if link.source in ONE_ITEM_SOURCES:
        return (link.source, link.host, link.language, link.season, link.episode)
    return (work_key(link.source_url), link.season, link.episode)
