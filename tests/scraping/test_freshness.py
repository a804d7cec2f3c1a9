"""Who may start a search, and when: tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from streaming.scraping.freshness import (
    Act,
    Asker,
    Decision,
    Facts,
    Reason,
    Rules,
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
CLICK, PAGE, ROBOT = Asker.CLICK, Asker.PAGE, Asker.ROBOT


@pytest.mark.parametrize(
    ("facts", "asker", "act", "reason"),
    [
        # nothing known yet
        (Facts(), CLICK, Act.START, Reason.ASKED),
        (Facts(), PAGE, Act.START, Reason.NO_ACTIVE_LINK),
        (Facts(), ROBOT, Act.REFUSE, Reason.ROBOT),
        # an open job is everybody's
        (Facts(last_state="queued"), CLICK, Act.JOIN, Reason.ALREADY_OPEN),
        (Facts(last_state="running", newest_look=FRESH), PAGE, Act.JOIN, Reason.ALREADY_OPEN),
        (Facts(last_state="running"), ROBOT, Act.JOIN, Reason.ALREADY_OPEN),
        # fresh links: a page leaves them, a click does not
        (Facts(newest_look=FRESH), PAGE, Act.FRESH, Reason.FRESH),
        (Facts(newest_look=FRESH), ROBOT, Act.FRESH, Reason.FRESH),
        (Facts(newest_look=FRESH), CLICK, Act.START, Reason.ASKED),
        # stale links, to the second
        (Facts(newest_look=OLD), PAGE, Act.START, Reason.STALE),
        (Facts(newest_look=NOW - 24 * HOUR), PAGE, Act.START, Reason.STALE),
        (Facts(newest_look=NOW - 24 * HOUR + SECOND), PAGE, Act.FRESH, Reason.FRESH),
        (Facts(newest_look=OLD), ROBOT, Act.REFUSE, Reason.ROBOT),
        # a look from the future was written by a wrong clock
        (Facts(newest_look=NOW + HOUR), PAGE, Act.START, Reason.STALE),
        (Facts(newest_look=NOW + 5 * SECOND), PAGE, Act.FRESH, Reason.FRESH),
        # cooling down holds back pages, not clicks
        (Facts(next_scrape_at=NOW + SECOND), PAGE, Act.COOLING_DOWN, Reason.COOLING_DOWN),
        (Facts(next_scrape_at=NOW + SECOND), CLICK, Act.START, Reason.ASKED),
        (Facts(next_scrape_at=NOW), PAGE, Act.START, Reason.NO_ACTIVE_LINK),
        (Facts(next_scrape_at=NOW + 24 * HOUR), PAGE, Act.COOLING_DOWN, Reason.COOLING_DOWN),
        (Facts(next_scrape_at=NOW + 26 * HOUR), PAGE, Act.START, Reason.NO_ACTIVE_LINK),
        (Facts(newest_look=FRESH, next_scrape_at=NOW + HOUR), PAGE, Act.FRESH, Reason.FRESH),
        # clicks that come together are answered by the job that has just succeeded; a failed one is no answer
        (Facts(last_state="succeeded", last_queued_at=NOW - 9 * SECOND), CLICK, Act.JOIN, Reason.JUST_FINISHED),
        (Facts(last_state="succeeded", last_queued_at=NOW - 11 * SECOND), CLICK, Act.START, Reason.ASKED),
        (Facts(last_state="succeeded", last_queued_at=NOW + HOUR), CLICK, Act.START, Reason.ASKED),
        (Facts(last_state="failed", last_queued_at=NOW - SECOND), CLICK, Act.START, Reason.ASKED),
        (Facts(last_state="cancelled", last_queued_at=NOW - SECOND), CLICK, Act.START, Reason.ASKED),
    ],
)
def test_decisions(facts, asker, act, reason):
    assert decide(facts, asker=asker, now=NOW, rules=Rules()) == Decision(act, reason)


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


def test_nothing_cools_down_for_longer_than_a_day():
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
        ("GET", {"User-Agent": "Openreel/0.1.0 (+contact)"}, False),
    ],
)
def test_who_is_a_person(method, headers, person):
    assert is_person(method=method, headers=headers) is person
