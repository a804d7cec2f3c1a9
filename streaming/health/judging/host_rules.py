"""Exceptions from the general rules of judgement for single hosts.

A rule needs evidence: add it with a test, and cite in a comment what the host sends and when that was seen. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from scraper.net.url_policy import host_of


class HostRule(NamedTuple):
    """How one host differs from the others.

    `status_meanings`: HTTP statuses that the host sends in place of others, such as {403: 404} for a host that forbids
    access to films it has removed.
    """

    status_meanings: Mapping[int, int]


HOST_RULES: dict[str, HostRule] = {}
"""The rules, by host name without port; a rule does not hold for other subdomains."""


def status_meaning(url: str, status: int) -> int:
    """Return the status that a response from this URL's host means: `status` itself unless a rule says otherwise."""
    rule = HOST_RULES.get(host_of(url)) if HOST_RULES else None
    return status if rule is None else rule.status_meanings.get(status, status)
