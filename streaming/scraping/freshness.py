"""Whether a movie is to be searched now: start, join, fresh, cooling down or refuse. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MAX_COOLDOWN = timedelta(hours=24)
# A look that lies further ahead than this was written by a clock that has been set back since: it says nothing.
CLOCK_SLACK = timedelta(minutes=1)
OPEN_STATES = ("queued", "running")
READ_ONLY_METHODS = ("HEAD", "OPTIONS")
PREFETCH_HEADERS = ("sec-purpose", "purpose", "x-purpose", "x-moz")
PREFETCH_PATTERN = re.compile(r"prefetch|prerender|preview", re.I)
# "Cubot" builds telephones; browsers without a window (HeadlessChrome) and curl are somebody's hands.
ROBOT_PATTERN = re.compile(
    r"(?<!cu)bot(?![a-z])|robot|crawl|spider|slurp|archiver|scrapy|facebookexternalhit|meta-external"
    r"|whatsapp/|preview|feedfetcher|fetcher|mediapartners|googleother|google-read-aloud"
    r"|anthropic|embedly|lighthouse|pagespeed|pingdom|statuscake|uptime|monitor|nagios|checker|validator"
    r"|mastodon|pleroma|misskey|friendica|lemmy|openreel/",
    re.I,
)


class Requester(StrEnum):
    """Who asks: a click (or a command) wants links now, a page only wants them fresh, a robot starts nothing."""

    CLICK = "click"
    PAGE = "page"
    ROBOT = "robot"


class Action(StrEnum):
    """What to do about it."""

    START = "start"
    JOIN = "join"
    FRESH = "fresh"
    COOLING_DOWN = "cooling_down"
    REFUSE = "refuse"


class ScrapeReason(StrEnum):
    """Why, in one word."""

    ASKED = "asked"
    ALREADY_OPEN = "already_open"
    JUST_FINISHED = "just_finished"
    NO_ACTIVE_LINK = "no_active_link"
    STALE = "stale"
    FRESH = "fresh"
    COOLING_DOWN = "cooling_down"
    ROBOT = "robot"
    QUEUE_FULL = "queue_full"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class MovieFacts:
    """What is known of a movie. `newest_look`: when any active link was last checked or seen, None without one.

    `last_state` and `last_queued_at` are those of its newest job ('' and None: it never had one).
    """

    last_seen_at: datetime | None = None
    next_scrape_at: datetime | None = None
    last_state: str = ""
    last_queued_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FreshnessRules:
    """`stale_after`: how old the newest look may be; `click_window`: how long a finished job answers more clicks."""

    stale_after: timedelta = timedelta(hours=24)
    click_window: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class ScrapeDecision:
    """What to do, and why."""

    action: Action
    reason: ScrapeReason


def decide(facts: MovieFacts, *, asker: Requester, now: datetime, rules: FreshnessRules) -> ScrapeDecision:
    """An open job is joined by all; a click starts one, a page when links are missing or stale and it may."""
    if facts.last_state in OPEN_STATES:
        return ScrapeDecision(Action.JOIN, ScrapeReason.ALREADY_OPEN)
    if asker is Requester.CLICK:
        answered = _just_succeeded(facts, now=now, window=rules.click_window)
        return (
            ScrapeDecision(Action.JOIN, ScrapeReason.JUST_FINISHED)
            if answered
            else ScrapeDecision(Action.START, ScrapeReason.ASKED)
        )
    need = _freshness_reason(facts, now=now, stale_after=rules.stale_after)
    if need is ScrapeReason.FRESH:
        return ScrapeDecision(Action.FRESH, need)
    if is_cooling_down(facts.next_scrape_at, now=now):
        return ScrapeDecision(Action.COOLING_DOWN, ScrapeReason.COOLING_DOWN)
    return (
        ScrapeDecision(Action.REFUSE, ScrapeReason.ROBOT)
        if asker is Requester.ROBOT
        else ScrapeDecision(Action.START, need)
    )


def _just_succeeded(facts: MovieFacts, *, now: datetime, window: timedelta) -> bool:
    queued = facts.last_queued_at
    return facts.last_state == "succeeded" and queued is not None and abs(now - queued) <= window


def _freshness_reason(facts: MovieFacts, *, now: datetime, stale_after: timedelta) -> ScrapeReason:
    if facts.last_seen_at is None:
        return ScrapeReason.NO_ACTIVE_LINK
    return ScrapeReason.FRESH if now - stale_after < facts.last_seen_at <= now + CLOCK_SLACK else ScrapeReason.STALE


def is_cooling_down(next_scrape_at: datetime | None, *, now: datetime) -> bool:
    """Whether no page may start a scrape yet; a moment that no cool-down can have set is not believed."""
    return next_scrape_at is not None and now < next_scrape_at <= now + MAX_COOLDOWN + CLOCK_SLACK


def cooldown_after(outcome: str, *, fruitless: int, found: timedelta, nothing: timedelta) -> timedelta:
    """How long no page starts the next scrape. `fruitless`: scrapes in a row that found nothing, this one included.

    A job that failed or was cancelled (no outcome) says nothing about the movie: it waits as long as after a find.
    """
    if outcome != "nothing":
        return min(found, MAX_COOLDOWN)
    doublings = min(max(fruitless - 1, 0), 20)
    return min(nothing * (1 << doublings), MAX_COOLDOWN)


def is_person(*, method: str, headers: Mapping[str, str]) -> bool:
    """Whether somebody looks at this page: no robot, no prefetch, no HEAD. `curl` is a person's hand."""
    if method.upper() in READ_ONLY_METHODS:
        return False
    purpose = {name.lower(): value for name, value in headers.items()}
    if any(PREFETCH_PATTERN.search(purpose.get(name, "")) for name in PREFETCH_HEADERS):
        return False
    agent = purpose.get("user-agent", "").strip()
    return not ROBOT_PATTERN.search(agent) if agent else method.upper() == "GET"
