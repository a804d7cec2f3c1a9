"""What may be wrong with the web: pieces that scenarios are put together from. Pure.

A fault says for an hour, a host and a link what the host does instead of serving it; see `web.Fault`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from zlib import crc32

from bench.truth.web import Behaviour, Fault, no_name, reset, status
from bench.truth.worlds import Link

BEGIN = 3.0
"""The hour at which faults begin; two runs have found everything well before."""
ON_ALL = ("",)
GOLDEN_RATIO = (5**0.5 - 1) / 2


def nothing(_hour: float, _host: str, _link: Link | None) -> Behaviour | None:
    return None


def on_hosts(behaviour: Behaviour, *groups: str) -> Fault:
    """All addresses of the hosts whose names begin so."""
    return lambda _hour, host, _link: behaviour if host.startswith(groups) else None


def on_all_but(behaviour: Behaviour, *groups: str) -> Fault:
    return lambda _hour, host, _link: None if host.startswith(groups) else behaviour


def on_links(behaviour: Behaviour, *groups: str) -> Fault:
    """The films of these hosts alone: the front page and other paths are as ever."""
    return lambda _hour, host, link: behaviour if link is not None and host.startswith(groups) else None


def per_link(behaviour_of: Callable[[Link | None], Behaviour], *groups: str) -> Fault:
    """A behaviour that knows whose film it is about."""
    return lambda _hour, host, link: behaviour_of(link) if host.startswith(groups) else None


def lasting(hours: float, fault: Fault, *, since: float = BEGIN) -> Fault:
    """The fault for so many hours."""
    return lambda hour, host, link: fault(hour, host, link) if since <= hour < since + hours else None


def together(*faults: Fault) -> Fault:
    """The first of these that says something."""
    return lambda hour, host, link: next((found for fault in faults if (found := fault(hour, host, link))), None)


def in_turn(*phases: tuple[float, Behaviour], since: float = BEGIN) -> Callable[[float], Behaviour | None]:
    """One behaviour after the other, each until its hour."""

    def behaviour_at(hour: float) -> Behaviour | None:
        return next((behaviour for until, behaviour in phases if since <= hour < until), None)

    return behaviour_at


def changing(behaviour_at: Callable[[float], Behaviour | None], *groups: str) -> Fault:
    """The films of these hosts, in a way that changes with the hour."""
    return lambda hour, host, link: behaviour_at(hour) if link is not None and host.startswith(groups) else None


def creeping(ratio: float, behaviour: Behaviour, *groups: str, since: float = BEGIN) -> Fault:
    """Each hour so many more of the films of these hosts, until all have failed."""

    def fault(hour: float, host: str, link: Link | None) -> Behaviour | None:
        if link is None or hour < since or not host.startswith(groups):
            return None
        return behaviour if _fraction(f"creeping {link.path}") < ratio * int(hour - since + 1) else None

    return fault


def per_path(behaviours: Sequence[Behaviour], *groups: str) -> Fault:
    """The films of these hosts, each in one of these ways."""
    return lambda _hour, host, link: (
        _one_of(behaviours, link.path) if link is not None and host.startswith(groups) else None
    )


def rolling(ratio: float, *behaviours: Behaviour, since: float = BEGIN) -> Fault:
    """Each hour another `ratio` of all links fails, for that hour alone; with several behaviours each link has one."""

    def fault(hour: float, _host: str, link: Link | None) -> Behaviour | None:
        if link is None or hour < since:
            return None
        # Multiples of the golden ratio fill the circle evenly: so many links in each arc, from all hosts.
        position = link.number * GOLDEN_RATIO
        if (position - ratio * int(hour)) % 1.0 >= ratio:
            return None
        return _one_of(behaviours, link.path)

    return fault


def scattered(ratio: float, *behaviours: Behaviour, since: float = BEGIN) -> Fault:
    """Each hour this `ratio` of the links fails, chosen anew: of those that are left as many as of those that went."""

    def fault(hour: float, _host: str, link: Link | None) -> Behaviour | None:
        if link is None or hour < since or random.Random(f"{int(hour)} {link.number}").random() >= ratio:
            return None
        return _one_of(behaviours, link.path)

    return fault


def hosts_down(ratio: float, *, hours: int = 6, since: float = BEGIN) -> Fault:
    """At any time this ratio of the hosts is away, each for some hours: refused, without a name, or with a 503."""

    def fault(hour: float, host: str, _link: Link | None) -> Behaviour | None:
        if hour < since or _fraction(f"{host} {int(hour) // hours}") >= ratio:
            return None
        return _one_of((reset, no_name, status(503)), f"{host}{int(hour) // hours}")

    return fault


def _one_of(behaviours: Sequence[Behaviour], seed: str) -> Behaviour:
    return behaviours[crc32(f"which {seed}".encode()) % len(behaviours)]


def _fraction(text: str) -> float:
    """A number from 0 to 1 that a text always gives and that says nothing of the next text's."""
    return crc32(text.encode()) / 2**32
