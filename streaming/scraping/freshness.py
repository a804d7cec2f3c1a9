"""Whether a movie is to be searched now: start, join, fresh, cooling down or refuse. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LONGEST_COOLDOWN = timedelta(hours=24)
# A look that lies further ahead than this was written by a clock that has been set back since: it says nothing.
CLOCK_SLACK = timedelta(minutes=1)
OPEN_STATES = ("queued", "running")
SAFE_TO_FETCH = ("HEAD", "OPTIONS")
PREFETCH_HEADERS = ("sec-purpose", "purpose", "x-purpose", "x-moz")
PREFETCH_WORDS = re.compile(r"prefetch|prerender|preview", re.I)
# "Cubot" builds telephones; browsers without a window (HeadlessChrome) and curl are somebody's hands.
ROBOTS = re.compile(
    r"(?<!cu)bot(?![a-z])|robot|crawl|spider|slurp|archiver|scrapy|facebookexternalhit|meta-external"
    r"|whatsapp/|preview|feedfetcher|fetcher|mediapartners|googleother|google-read-aloud"
    r"|anthropic|embedly|lighthouse|pagespeed|pingdom|statuscake|uptime|monitor|nagios|checker|validator"
    r"|mastodon|pleroma|misskey|friendica|lemmy|openreel/",
    re.I,
)


class Asker(StrEnum):
    """Who asks: a click (or a command) wants links now, a page only wants them fresh, a robot starts nothing."""

    CLICK = "click"
    PAGE = "page"
    ROBOT = "robot"


class Act(StrEnum):
    """What to do about it."""

    START = "start"
    JOIN = "join"
    FRESH = "fresh"
    COOLING_DOWN = "cooling_down"
    REFUSE = "refuse"


class Reason(StrEnum):
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
class Facts:
    """What is known of a movie. `newest_look`: when any active link was last checked or seen, None without one.

    `last_state` and `last_queued_at` are those of its newest job ('' and None: it never had one).
    """

    newest_look: datetime | None = None
    next_scrape_at: datetime | None = None
    last_state: str = ""
    last_queued_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """`stale_after`: how old the newest look may be; `click_window`: how long a finished job answers more clicks."""

    stale_after: timedelta = timedelta(hours=24)
    click_window: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and why."""

    act: Act
    reason: Reason


def decide(facts: Facts, *, asker: Asker, now: datetime, rules: Rules) -> Decision:
    """An open job is joined by all; a click starts one, a page when links are missing or stale and it may."""
    if facts.last_state in OPEN_STATES:
        return Decision(Act.JOIN, Reason.ALREADY_OPEN)
    if asker is Asker.CLICK:
        answered = _just_succeeded(facts, now=now, window=rules.click_window)
        return Decision(Act.JOIN, Reason.JUST_FINISHED) if answered else Decision(Act.START, Reason.ASKED)
    need = _need(facts, now=now, stale_after=rules.stale_after)
    if need is Reason.FRESH:
        return Decision(Act.FRESH, need)
    if is_cooling_down(facts.next_scrape_at, now=now):
        return Decision(Act.COOLING_DOWN, Reason.COOLING_DOWN)
    return Decision(Act.REFUSE, Reason.ROBOT) if asker is Asker.ROBOT else Decision(Act.START, need)


def _just_succeeded(facts: Facts, *, now: datetime, window: timedelta) -> bool:
    queued = facts.last_queued_at
    return facts.last_state == "succeeded" and queued is not None and abs(now - queued) <= window


def _need(facts: Facts, *, now: datetime, stale_after: timedelta) -> Reason:
    if facts.newest_look is None:
        return Reason.NO_ACTIVE_LINK
    return Reason.FRESH if now - stale_after < facts.newest_look <= now + CLOCK_SLACK else Reason.STALE


def is_cooling_down(next_scrape_at: datetime | None, *, now: datetime) -> bool:
    """Whether no page may start a scrape yet; a moment that no cool-down can have set is not believed."""
    return next_scrape_at is not None and now < next_scrape_at <= now + LONGEST_COOLDOWN + CLOCK_SLACK


def cooldown_after(outcome: str, *, fruitless: int, found: timedelta, nothing: timedelta) -> timedelta:
    """How long no page starts the next scrape. `fruitless`: scrapes in a row that found nothing, this one included.

    A job that failed or was cancelled (no outcome) says nothing about the movie: it waits as long as after a find.
    """
    if outcome != "nothing":
        return min(found, LONGEST_COOLDOWN)
    doublings = min(max(fruitless - 1, 0), 20)
    return min(nothing * (1 << doublings), LONGEST_COOLDOWN)


def is_person(*, method: str, headers: Mapping[str, str]) -> bool:
    """Whether somebody looks at this page: no robot, no prefetch, no HEAD. `curl` is a person's hand."""
    if method.upper() in SAFE_TO_FETCH:
        return False
    told = {name.lower(): value for name, value in headers.items()}
    if any(PREFETCH_WORDS.search(told.get(name, "")) for name in PREFETCH_HEADERS):
        return False
    agent = told.get("user-agent", "").strip()
    return not ROBOTS.search(agent) if agent else method.upper() == "GET"
