"""Decide whether a scrape of a movie should start: start, join, fresh, cooling down or refuse. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MAX_COOLDOWN = timedelta(hours=24)
# A time further ahead than this was written before the clock was set back: it is ignored.
CLOCK_SLACK = timedelta(minutes=1)
# Values of ScrapeJob.State and ScrapeJob.Outcome, which a pure module cannot import.
OPEN_STATES = ("queued", "running")
SUCCEEDED, FAILED, NOTHING = "succeeded", "failed", "nothing"
READ_ONLY_METHODS = ("HEAD", "OPTIONS")
PREFETCH_HEADERS = ("sec-purpose", "purpose", "x-purpose", "x-moz")
PREFETCH_PATTERN = re.compile(r"prefetch|prerender|preview", re.I)
# "Cubot" makes phones. Headless browsers and curl count as people: somebody runs them.
ROBOT_PATTERN = re.compile(
    r"(?<!cu)bot(?![a-z])|robot|crawl|spider|slurp|archiver|scrapy|facebookexternalhit|meta-external"
    r"|whatsapp/|preview|feedfetcher|fetcher|mediapartners|googleother|google-read-aloud"
    r"|anthropic|embedly|lighthouse|pagespeed|pingdom|statuscake|uptime|monitor|nagios|checker|validator"
    r"|mastodon|pleroma|misskey|friendica|lemmy|openreel/",
    re.I,
)


class Requester(StrEnum):
    """Who makes a request: a click (or command) wants a scrape now, a page view only fresh links, a robot none."""

    CLICK = "click"
    PAGE = "page"
    ROBOT = "robot"


class Action(StrEnum):
    """What to do with a request."""

    START = "start"
    JOIN = "join"
    FRESH = "fresh"
    COOLING_DOWN = "cooling_down"
    REFUSE = "refuse"


class ScrapeReason(StrEnum):
    """Why, as a code. The values are published in the API."""

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
    """What is known about a movie.

    `last_seen_at` is when any active link was last checked or found, None without one. `last_state`, `last_queued_at`
    and `last_finished_at` belong to its newest job; '' and None if it never had one.
    """

    last_seen_at: datetime | None = None
    next_scrape_at: datetime | None = None
    last_state: str = ""
    last_queued_at: datetime | None = None
    last_finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FreshnessRules:
    """Limits from the settings.

    `stale_after`: how old `last_seen_at` may be; `click_window`: how long further clicks get the job of an earlier one,
    from its start if it succeeded, from its end if it failed.
    """

    stale_after: timedelta = timedelta(hours=24)
    click_window: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class ScrapeDecision:
    """What to do with a request, and why."""

    action: Action
    reason: ScrapeReason


def decide(
    facts: MovieFacts, *, requester: Requester, now: datetime, rules: FreshnessRules, sent_at: datetime | None = None
) -> ScrapeDecision:
    """Decide about a request: everyone joins an open job, a click starts one, a page view only when links need it.

    `sent_at` is when a visitor's click arrived; None: it is no visitor's. A visitor gets the answer of a job that ended
    after that, however it ended, or that has just failed: of many clicks at once, those that waited for the others
    start no further job. Staff and commands may try again at once.
    """
    if facts.last_state in OPEN_STATES:
        return ScrapeDecision(Action.JOIN, ScrapeReason.ALREADY_OPEN)
    if requester is Requester.CLICK:
        if _answers_click(facts, now=now, sent_at=sent_at, window=rules.click_window):
            return ScrapeDecision(Action.JOIN, ScrapeReason.JUST_FINISHED)
        return ScrapeDecision(Action.START, ScrapeReason.ASKED)
    freshness = _freshness_reason(facts, now=now, stale_after=rules.stale_after)
    if freshness is ScrapeReason.FRESH:
        return ScrapeDecision(Action.FRESH, freshness)
    if is_cooling_down(facts.next_scrape_at, now=now):
        return ScrapeDecision(Action.COOLING_DOWN, ScrapeReason.COOLING_DOWN)
    if requester is Requester.ROBOT:
        return ScrapeDecision(Action.REFUSE, ScrapeReason.ROBOT)
    return ScrapeDecision(Action.START, freshness)


def _answers_click(facts: MovieFacts, *, now: datetime, sent_at: datetime | None, window: timedelta) -> bool:
    queued, finished = facts.last_queued_at, facts.last_finished_at
    if sent_at is not None and finished is not None:
        if sent_at <= finished <= now + CLOCK_SLACK:
            return True
        if facts.last_state == FAILED and abs(now - finished) <= window:
            return True
    return facts.last_state == SUCCEEDED and queued is not None and abs(now - queued) <= window


def _freshness_reason(facts: MovieFacts, *, now: datetime, stale_after: timedelta) -> ScrapeReason:
    if facts.last_seen_at is None:
        return ScrapeReason.NO_ACTIVE_LINK
    return ScrapeReason.FRESH if now - stale_after < facts.last_seen_at <= now + CLOCK_SLACK else ScrapeReason.STALE


def is_cooling_down(next_scrape_at: datetime | None, *, now: datetime) -> bool:
    """Whether page views may not start a scrape yet. A time further ahead than any cooldown is ignored."""
    return next_scrape_at is not None and now < next_scrape_at <= now + MAX_COOLDOWN + CLOCK_SLACK


def cooldown_after(outcome: str, *, fruitless: int, found: timedelta, nothing: timedelta) -> timedelta:
    """Return how long page views start no further scrape; doubled for each fruitless scrape, at most MAX_COOLDOWN.

    `fruitless` counts successive scrapes that found nothing, this one included; `found` and `nothing` are the cooldowns
    after a scrape that found links and after the first that found none. A job that failed or was cancelled has no
    outcome and says nothing about the movie: it counts like one that found links.
    """
    if outcome != NOTHING:
        return min(found, MAX_COOLDOWN)
    doublings = min(max(fruitless - 1, 0), 20)
    return min(nothing * (1 << doublings), MAX_COOLDOWN)


def is_person(*, method: str, headers: Mapping[str, str]) -> bool:
    """Whether a person requests this page: no robot, no prefetch, no HEAD. `curl` counts as a person."""
    if method.upper() in READ_ONLY_METHODS:
        return False
    values = {name.lower(): value for name, value in headers.items()}
    if any(PREFETCH_PATTERN.search(values.get(name, "")) for name in PREFETCH_HEADERS):
        return False
    agent = values.get("user-agent", "").strip()
    return not ROBOT_PATTERN.search(agent) if agent else method.upper() == "GET"
