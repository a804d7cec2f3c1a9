"""Read a page of another instance's changes without trusting it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from scraper.items import normalize_imdb_id
from scraper.net.url_policy import PrivateHostAllowlist
from streaming.exchange.jsonl import InvalidLine, ValidLine, parse_object
from streaming.formatting import quote_value

CURSOR = re.compile(r"n([0-9]{1,18})")
MAX_FILMS_PER_PAGE = 5000
TAKEN_DOWN = "taken down"
"""The public reason with which instances name a removal by a takedown."""


class BadPage(Exception):
    """The page is none; the message is the end of a sentence, for display."""


@dataclass(frozen=True, slots=True)
class FeedPage:
    """A page: the lines of films that the instance states itself, and the IMDb ids of those that it does not.

    `gone` says of each whether it was taken down there. `unreadable` are those of films whose line is invalid, and
    `refused` has a sentence for each thing that is left out.
    """

    cursor: str
    more: bool
    lines: list[ValidLine] = field(default_factory=list)
    gone: dict[str, bool] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)


def parse_page(raw: object, *, since: str, allowed: PrivateHostAllowlist) -> FeedPage:
    """Validate the JSON of the page after the cursor `since`; raise BadPage if it is none.

    What is wrong with one film concerns only that film. `allowed` are the private hosts that links may have.
    """
    if not isinstance(raw, Mapping):
        raise BadPage("its answer is not a JSON object")
    page = FeedPage(_cursor(raw, since=since), raw.get("more") is True)
    for number, entry in enumerate(_objects(raw, "changed", page), start=1):
        _add_film(page, number, entry, allowed=allowed)
    stated = {line.movie.imdb_id for line in page.lines} | page.unreadable
    for entry in _objects(raw, "removed", page):
        imdb_id = normalize_imdb_id(entry.get("imdb_id"))
        if not imdb_id:
            page.refused.append(f"removed: {quote_value(entry.get('imdb_id'))} is not an IMDb id")
        elif imdb_id in stated:
            page.refused.append(f"{imdb_id}: is said to be both changed and removed, so it stays")
        else:
            page.gone[imdb_id] = entry.get("reason") == TAKEN_DOWN
    return page


def _cursor(raw: Mapping[str, Any], *, since: str) -> str:
    """The cursor of the next page, which never lies before this one."""
    cursor, more = raw.get("next_since"), raw.get("more")
    if not isinstance(cursor, str) or not (found := CURSOR.fullmatch(cursor)) or not isinstance(more, bool):
        raise BadPage("its answer has no next_since and more, as changes/ of Openreel has")
    before = CURSOR.fullmatch(since)
    if before and int(found[1]) < int(before[1]):
        raise BadPage(f"its cursor goes back from {since} to {cursor}")
    return cursor


def _objects(raw: Mapping[str, Any], name: str, page: FeedPage) -> Iterator[Mapping[str, Any]]:
    listed = raw.get(name)
    if not isinstance(listed, list):
        raise BadPage(f"{name} is not a list")
    if len(listed) > MAX_FILMS_PER_PAGE:
        raise BadPage(f"{name} has more than {MAX_FILMS_PER_PAGE} films")
    for entry in listed:
        if isinstance(entry, Mapping):
            yield entry
        else:
            page.refused.append(f"{name}: {quote_value(entry)} is not an object")


def _add_film(page: FeedPage, number: int, entry: Mapping[str, Any], *, allowed: PrivateHostAllowlist) -> None:
    imdb_id = normalize_imdb_id(entry.get("imdb_id"))
    own = _first_hand(entry)
    if own is None:
        page.gone[imdb_id] = False
        return
    line = parse_object(number, own, allowed=allowed)
    if isinstance(line, InvalidLine):
        page.refused.append(f"{imdb_id or f'film {number} of the page'}: {line.reason}")
        page.unreadable.update({imdb_id} - {""})
        return
    page.lines.append(line)
    page.refused.extend(f"{imdb_id}: {reason}" for reason in line.refused)


def _first_hand(entry: Mapping[str, Any]) -> dict[str, Any] | None:
    """The film with the links that the instance does not have from others; None if it has all of it from others."""
    links = entry.get("links")
    if not isinstance(links, list):
        return dict(entry)
    own = [link for link in links if not (isinstance(link, Mapping) and link.get("followed") is True)]
    if entry.get("followed") is True and not own and normalize_imdb_id(entry.get("imdb_id")):
        return None
    # Other instances say whether a link works there; here it is checked first.
    return {**entry, "links": [_unchecked(link) for link in own]}


def _unchecked(link: object) -> object:
    if not isinstance(link, Mapping):
        return link
    return {name: value for name, value in link.items() if name not in ("is_active", "last_checked")}
