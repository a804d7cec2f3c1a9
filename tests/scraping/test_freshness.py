"""Tables of who may start a scrape, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from streaming.scraping.freshness import (
    Action,
    FreshnessRules,
    MovieFacts,
    Requester,
    ScrapeDecision,
    ScrapeReason,
    cooldown_after,
    decide,
    is_cooling_down,
    is_person,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
FRESH = NOW - HOUR
OLD = NOW - 25 * HOUR
CLICK, PAGE, ROBOT = Requester.CLICK, Requester.PAGE, Requester.ROBOT


@pytest.mark.parametrize(
    ("facts", "requester", "act", "reason"),
    [
        # nothing known yet
        (MovieFacts(), CLICK, Action.START, ScrapeReason.ASKED),
        (MovieFacts(), PAGE, Action.START, ScrapeReason.NO_ACTIVE_LINK),
        (MovieFacts(), ROBOT, Action.REFUSE, ScrapeReason.ROBOT),
        # everyone joins an open job
        (MovieFacts(last_state="queued"), CLICK, Action.JOIN, ScrapeReason.ALREADY_OPEN),
        (MovieFacts(last_state="running", last_seen_at=FRESH), PAGE, Action.JOIN, ScrapeReason.ALREADY_OPEN),
        (MovieFacts(last_state="running"), ROBOT, Action.JOIN, ScrapeReason.ALREADY_OPEN),
        # fresh links: a click starts a job, a page view does not
        (MovieFacts(last_seen_at=FRESH), PAGE, Action.FRESH, ScrapeReason.FRESH),
        (MovieFacts(last_seen_at=FRESH), ROBOT, Action.FRESH, ScrapeReason.FRESH),
        (MovieFacts(last_seen_at=FRESH), CLICK, Action.START, ScrapeReason.ASKED),
        # stale links, to the second
        (MovieFacts(last_seen_at=OLD), PAGE, Action.START, ScrapeReason.STALE),
        (MovieFacts(last_seen_at=NOW - 24 * HOUR), PAGE, Action.START, ScrapeReason.STALE),
        (MovieFacts(last_seen_at=NOW - 24 * HOUR + SECOND), PAGE, Action.FRESH, ScrapeReason.FRESH),
        (MovieFacts(last_seen_at=OLD), ROBOT, Action.REFUSE, ScrapeReason.ROBOT),
        # a time in the future was written by a wrong clock
        (MovieFacts(last_seen_at=NOW + HOUR), PAGE, Action.START, ScrapeReason.STALE),
        (MovieFacts(last_seen_at=NOW + 5 * SECOND), PAGE, Action.FRESH, ScrapeReason.FRESH),
        # the cooldown stops page views, not clicks
        (MovieFacts(next_scrape_at=NOW + SECOND), PAGE, Action.COOLING_DOWN, ScrapeReason.COOLING_DOWN),
        (MovieFacts(next_scrape_at=NOW + SECOND), CLICK, Action.START, ScrapeReason.ASKED),
        (MovieFacts(next_scrape_at=NOW), PAGE, Action.START, ScrapeReason.NO_ACTIVE_LINK),
        (MovieFacts(next_scrape_at=NOW + 24 * HOUR), PAGE, Action.COOLING_DOWN, ScrapeReason.COOLING_DOWN),
        (MovieFacts(next_scrape_at=NOW + 26 * HOUR), PAGE, Action.START, ScrapeReason.NO_ACTIVE_LINK),
        (MovieFacts(last_seen_at=FRESH, next_scrape_at=NOW + HOUR), PAGE, Action.FRESH, ScrapeReason.FRESH),
        # staff and commands join a job that has just succeeded, but not a failed one
        (
            MovieFacts(last_state="succeeded", last_queued_at=NOW - 9 * SECOND),
            CLICK,
            Action.JOIN,
            ScrapeReason.JUST_FINISHED,
        ),
        (MovieFacts(last_state="succeeded", last_queued_at=NOW - 11 * SECOND), CLICK, Action.START, ScrapeReason.ASKED),
        (MovieFacts(last_state="succeeded", last_queued_at=NOW + HOUR), CLICK, Action.START, ScrapeReason.ASKED),
        (MovieFacts(last_state="failed", last_finished_at=NOW - SECOND), CLICK, Action.START, ScrapeReason.ASKED),
        (MovieFacts(last_state="cancelled", last_queued_at=NOW - SECOND), CLICK, Action.START, ScrapeReason.ASKED),
    ],
)
def test_decisions(facts, requester, act, reason):
    assert decide(facts, requester=requester, now=NOW, rules=FreshnessRules()) == ScrapeDecision(act, reason)


@pytest.mark.parametrize(
    ("state", "ended_ago", "sent_ago", "joins"),
    [
        ("failed", 9, 0, True),
        ("failed", 11, 0, False),
        ("failed", 11, 11, True),
        ("failed", -3600, 0, False),
        ("cancelled", 9, 0, False),
        ("cancelled", 9, 10, True),
        ("succeeded", 9, 0, False),
        ("succeeded", 9, 10, True),
    ],
)
def test_a_visitors_click_gets_the_answer_of_a_job_that_ended_after_it_or_failed_just_now(
    state, ended_ago, sent_ago, joins
):
    facts = MovieFacts(last_state=state, last_queued_at=NOW - HOUR, last_finished_at=NOW - ended_ago * SECOND)
    sent_at = NOW - sent_ago * SECOND
    decision = decide(facts, requester=CLICK, now=NOW, rules=FreshnessRules(), sent_at=sent_at)
    assert (decision.action is Action.JOIN) is joins


@pytest.mark.parametrize(
    ("outcome", "fruitless", "minutes"),
    [
        ("found", 0, 10),
        ("", 0, 10),
        ("", 7, 10),
        ("nothing", 1, 60),
        ("nothing", 2, 120),
        ("nothing", 3, 240),
        ("nothing", 5, 960),
        ("nothing", 6, 1440),
        ("nothing", 1000, 1440),
        ("nothing", 0, 60),
    ],
)
def test_cooldowns(outcome, fruitless, minutes):
    wait = cooldown_after(outcome, fruitless=fruitless, found=timedelta(minutes=10), nothing=timedelta(minutes=60))
    assert wait == timedelta(minutes=minutes)


def test_no_cooldown_is_longer_than_a_day():
    week = timedelta(days=7)
    assert cooldown_after("found", fruitless=0, found=week, nothing=week) == timedelta(hours=24)
    assert not is_cooling_down(None, now=NOW)


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@pytest.mark.parametrize(
    ("method", "headers", "person"),
    [
        ("GET", {"User-Agent": FIREFOX}, True),
        ("POST", {"User-Agent": FIREFOX}, True),
        ("get", {"user-agent": FIREFOX}, True),
        ("GET", {"User-Agent": "curl/8.5.0"}, True),
        ("GET", {"User-Agent": "python-requests/2.34"}, True),
        ("GET", {"User-Agent": "Mozilla/5.0 (Linux; Android 13; CUBOT X70) Chrome/120 Mobile Safari/537.36"}, True),
        ("GET", {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0 Safari/537.36"}, True),
        ("GET", {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1 (KHTML) Bottega/1.0"}, True),
        ("GET", {}, True),
        ("GET", {"User-Agent": " "}, True),
        ("POST", {}, False),
        ("HEAD", {"User-Agent": FIREFOX}, False),
        ("OPTIONS", {"User-Agent": FIREFOX}, False),
        ("GET", {"User-Agent": FIREFOX, "Sec-Purpose": "prefetch"}, False),
        ("GET", {"User-Agent": FIREFOX, "Sec-Purpose": "prefetch;prerender"}, False),
        ("GET", {"User-Agent": FIREFOX, "sec-purpose": "Prefetch"}, False),
        ("GET", {"User-Agent": FIREFOX, "Purpose": "prefetch"}, False),
        ("GET", {"User-Agent": FIREFOX, "X-Moz": "prefetch"}, False),
        ("GET", {"User-Agent": FIREFOX, "X-Purpose": "preview"}, False),
        ("GET", {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}, False),
        ("GET", {"User-Agent": "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"}, False),
        ("GET", {"User-Agent": "Mozilla/5.0 AppleWebKit/537.36 (compatible; GPTBot/1.2; +https://openai.com)"}, False),
        ("GET", {"User-Agent": "Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)"}, False),
        ("GET", {"User-Agent": "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)"}, False),
        ("GET", {"User-Agent": "Mozilla/5.0 (compatible; Baiduspider/2.0)"}, False),
        ("GET", {"User-Agent": "Mozilla/5.0 (compatible; Yahoo! Slurp)"}, False),
        ("GET", {"User-Agent": "Mozilla/5.0 (compatible; archive.org_bot +http://archive.org)"}, False),
        ("GET", {"User-Agent": "Mozilla/5.0 (compatible; SemrushBot-SI/0.97)"}, False),
        ("GET", {"User-Agent": "Mozilla/5.0 (compatible; AhrefsBot/7.0)"}, False),
        ("GET", {"User-Agent": "Mozilla/5.0 (compatible; UptimeRobot/2.0)"}, False),
        ("GET", {"User-Agent": "facebookexternalhit/1.1"}, False),
        ("GET", {"User-Agent": "Slackbot-LinkExpanding 1.0"}, False),
        ("GET", {"User-Agent": "Mozilla/5.0 (compatible; Bytespider)"}, False),
        ("GET", {"User-Agent": "Scrapy/2.19 (+https://scrapy.org)"}, False),
        ("GET", {"User-Agent": "http.rb/5.1 (Mastodon/4.2; +https://social.example/)"}, False),
        ("GET", {"User-Agent": "Openreel/0.2.0 (+contact)"}, False),
    ],
)
def test_requests_by_people_are_recognized(method, headers, person):
    assert is_person(method=method, headers=headers) is person
