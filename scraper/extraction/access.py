"""Whether a page of schema.org data lets everybody watch: free of charge, now, without a viewer's country. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from scraper.extraction.dates import has_begun, is_over
from scraper.extraction.json_ld import Node, as_list, as_nodes
from scraper.extraction.json_values import as_date_text, as_mapping, as_text, as_texts

PAID_CATEGORIES = frozenset({"subscription", "externalsubscription", "purchase", "rental", "paid"})
ENDS = ("expires", "availabilityEnds", "validThrough")
PRICES = ("price", "lowPrice", "minPrice")
NOT_ZERO = re.compile(r"[1-9]")
"""In a price, whatever its currency and decimal sign: `0,00`, `Free` and `gratis` have none of these digits."""
BOOLEAN_WORDS = {True: frozenset({"true", "1", "yes"}), False: frozenset({"false", "0", "no"})}
MAX_OFFERS, MAX_WORDS = 100, 10
BEGINNINGS = ("availabilityStarts", "validFrom")


def is_free_now(node: Node, *, now: datetime) -> bool:
    """Return whether a film, video, action or condition is free of charge and available; silence means yes."""
    subscription = node.get("requiresSubscription")
    if _states(node.get("isAccessibleForFree"), False) or isinstance(subscription, Mapping):
        return False
    if _states(subscription, True) or any(is_over(as_date_text(node.get(name)), now=now) for name in ENDS):
        return False
    return all(has_begun(as_date_text(node.get(name)), now=now) for name in BEGINNINGS)


def is_open_action(action: Node, *, now: datetime) -> bool:
    """Return whether at least one of the ways in which an action may be taken is open, for visitors of some country.

    `eligibleRegion` and `ineligibleRegion` close none: we do not know where a visitor is, and inside
    it works.
    """
    ways = [as_mapping(way) for way in as_list(action.get("actionAccessibilityRequirement")) if way]
    return _is_open(action, now=now) and (not ways or any(_is_open(way, now=now) for way in ways))


def count_offers(way: Node) -> int:
    """Return how many offers of a way are read."""
    return len(_offers(way))


def _is_open(way: Node, *, now: datetime) -> bool:
    if not PAID_CATEGORIES.isdisjoint(_categories(way)) or not is_free_now(way, now=now):
        return False
    offers = _offers(way)
    return not offers or any(_is_open_offer(offer, now=now) for offer in offers)


def _offers(way: Node) -> list[Node]:
    return as_nodes(way.get("expectsAcceptanceOf"), maximum=MAX_OFFERS)


def _is_open_offer(offer: Node, *, now: datetime) -> bool:
    specifications = as_nodes(offer.get("priceSpecification"))
    prices = [one.get(name) for one in (offer, *specifications) for name in PRICES]
    return not any(NOT_ZERO.search(text) for price in prices for text in as_texts(price)) and is_free_now(
        offer, now=now
    )


def _categories(way: Node) -> set[str]:
    """Return the categories of a way, written as texts, URLs or named things."""
    stated = [one for value in as_list(way.get("category")) for one in (value, *as_mapping(value).values())]
    return {as_text(one).rsplit("/", 1)[-1].casefold() for one in stated}


def _states(value: object, expected: bool) -> bool:
    """Return whether a value, or one of a list, is this boolean, also as a text or as a URL of schema.org."""
    stated = as_list(value, maximum=MAX_WORDS)
    words = [one if isinstance(one, bool) else as_text(one).rsplit("/", 1)[-1].casefold() for one in stated]
    return expected in words or not BOOLEAN_WORDS[expected].isdisjoint(map(str, words))
