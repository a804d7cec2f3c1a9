"""The farm of behaviours: it has all kinds, plays what it says, and the checker tells living films from dead ones."""

from __future__ import annotations

import http.client
from collections import Counter
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from bench.truth import compare, farm, programs
from bench.truth.behaviours import Truth, behaviours
from bench.truth.compare import OURS, RIGHT, TOTALS, Compared
from bench.truth.languages import WORDINGS
from bench.truth.machine import SimulatedClock
from bench.truth.programs import Opinion
from scraper.net.url_policy import PrivateHostAllowlist
from streaming.health.judging.removal import STRENGTH_BY_REASON
from streaming.health.judging.verdict import Verdict, judge
from streaming.health.probe_types import ProbeRequest
from streaming.health.probing.config import ProbeConfig
from streaming.health.probing.prober import Prober
from streaming.reason_codes import Strength

pytestmark = pytest.mark.allow_hosts(["127.0.0.0/8"])
LISTED = behaviours()
BY_NAME = {behaviour.name: behaviour for behaviour in LISTED}
BROWSER = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": "en", "Cookie": "seen=1", "User-Agent": "Mozilla/5.0"}
VERDICTS = {
    Truth.ALIVE: {Verdict.ALIVE},
    Truth.BUSY: {Verdict.THROTTLED},
    Truth.DENIED: {Verdict.BLOCKED},
    Truth.AWAY: {Verdict.UNREACHABLE},
    Truth.GONE: {Verdict.GONE},
}
QUICK = (
    "head-404", "head-405", "head-500", "head-reset", "head-length-0", "head-says-html", "but-get-404", "but-both-410",
    "range-ignored", "but-416-with-length", "hops-2", "moved-301", "moved-308", "location-dots", "location-query-alone",
    "to-other-site", "but-to-404", "but-round-and-round", "but-notfound-is-its-name", "but-home-is-its-name",
    "but-refresh-of-a-page-that-stays", "reset-at-first", "but-nothing-at-all", "wall-cloudflare-403", "wall-akamai",
    "but-just-a-moment", "status-401", "status-403", "status-451", "to-login", "busy-429-later", "busy-503-later",
    "to-front-front", "to-front-country", "but-one-program", "but-account-suspended", "file-no-such-key", "file-empty",
    "but-film-octets", "but-film-as-html", "but-list-with-mark", "protocol-early-hints", "protocol-no-length",
    "but-template", "but-script", "but-noscript", "but-related", "but-title-1", "en-missing", "en-abroad",
    "but-ja-synopsis", "film-in-300-kb", "film-with-a-new-session", "film-packed-1000-times", "redirects-for-ever",
    "headers-1-mb", "missing-page-that-varies",
)  # fmt: skip


@pytest.fixture(scope="module")
def small_farm():
    with farm.running(LISTED, healthy=3) as running:
        yield running


# --- the behaviours
def test_there_are_many_behaviours_of_every_truth_and_each_has_its_source():
    assert len(LISTED) >= 150
    assert set(Counter(one.truth for one in LISTED)) == set(Truth)
    assert len(BY_NAME) == len({one.title for one in LISTED}) == len(LISTED)
    assert all(one.report and one.group for one in LISTED)


def test_every_language_has_all_its_wordings_and_a_living_page_with_the_words():
    assert len({wording.code for wording in WORDINGS}) >= 12
    forms = ("missing", "removed", "private", "abroad", "later")
    assert {f"{wording.code}-{form}" for wording in WORDINGS for form in forms} <= BY_NAME.keys()
    assert {f"but-{wording.code}-synopsis" for wording in WORDINGS} <= BY_NAME.keys()


def test_counter_cases_of_living_and_of_dead_links_stand_beside_the_failures():
    counters = Counter(one.truth for one in LISTED if one.name.startswith("but-"))
    assert counters[Truth.ALIVE] > 40
    assert counters[Truth.GONE] > 5


# --- the farm
def requested(url, method="GET"):
    parts = urlsplit(url)
    with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)) as connection:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), headers=BROWSER)
        response = connection.getresponse()
        return response.status, response.read()


@pytest.mark.parametrize("group", ["HEAD", "Range", "what a request says", "living pages", "synopsis"])
def test_a_browser_is_given_the_living_films(small_farm, group):
    links = [link for link in small_farm.links() if link.behaviour.group == group and link.behaviour.truth == "alive"]
    assert len(links) > 5
    assert {link.behaviour.name: requested(link.url)[0] for link in links} == {
        link.behaviour.name: 200 for link in links
    }


@pytest.mark.parametrize(
    ("name", "method", "status"),
    [("head-404", "HEAD", 404), ("head-404", "GET", 200), ("status-451", "GET", 451), ("to-front-country", "GET", 302),
     ("protocol-no-length", "HEAD", 200), ("wall-aws-202", "GET", 202), ("hops-7", "GET", 302)],
)  # fmt: skip
def test_a_host_behaves_as_it_should(small_farm, name, method, status):
    link = next(link for link in small_farm.links() if link.behaviour.name == name)
    assert requested(link.url, method)[0] == status


def test_hosts_on_which_nothing_is_wrong_have_films_of_their_own(small_farm):
    links = [link for link in small_farm.links() if link.behaviour.group == "healthy"]
    pages = [requested(link.url) for link in links]
    assert [status for status, _ in pages] == [200] * 3
    assert len({body for _, body in pages}) == 3


def test_what_fails_at_first_works_afterwards(small_farm):
    link = next(link for link in small_farm.links() if link.behaviour.name == "502-at-first")
    assert [requested(link.url)[0] for _ in range(2)] == [502, 200]


# --- the checker
def test_a_part_of_the_farm_is_judged_rightly():
    config = ProbeConfig(
        user_agent="Openreel/tests (+tests@example.org)",
        timeout=2.0,
        stall_seconds=0.5,
        allowed=PrivateHostAllowlist.parse(["127.0.0.0/8"]),
    )
    with farm.running([BY_NAME[name] for name in QUICK], healthy=0) as running:
        requests = {
            number: ProbeRequest(number, link.url, link.behaviour.kind != "page", link.behaviour.title)
            for number, link in enumerate(running.links())
        }
        responses = list(Prober(config).responses(iter(requests.values())))
        truths = [link.behaviour for link in running.links()]
    said = {truths[one.id].name: judge(one, requests[one.id]) for one in responses}
    assert said.keys() == set(QUICK)
    assert {
        name: judgement for name, judgement in said.items() if judgement.verdict not in VERDICTS[BY_NAME[name].truth]
    } == {}


@pytest.fixture
def whole(transactional_db, monkeypatch):
    """What the command says of the whole farm, as `make bench-truth` asks it, and its reasons."""
    monkeypatch.setattr(timezone, "datetime", SimulatedClock)
    with farm.running(LISTED) as running:
        said = programs.watched(running)
        urls = {link.url: link.behaviour.name for link in running.links()}
    opinions = {name: said.opinions[url] for url, name in urls.items()}
    reasons = {name: said.reasons.get(url) for url, name in urls.items()}
    return Compared(LISTED, {OURS: opinions}, frozenset(urls[url] for url in said.removed)), reasons


@pytest.mark.slow
def test_nothing_on_the_farm_that_lives_is_turned_off_or_lost(whole):
    compared, reasons = whole
    living = [one.name for one in LISTED if one.truth in (Truth.ALIVE, Truth.BUSY)]
    assert {name: reasons[name] for name in living if compared.columns[OURS][name] is not Opinion.ALIVE} == {}
    assert compared.films_lost == []


# --- the table
def compared(**removed_or_said):
    said = {one.name: next(iter(sorted(RIGHT[one.truth]))) for one in LISTED} | removed_or_said.pop("said", {})
    return Compared(LISTED, {OURS: said}, frozenset(removed_or_said.pop("removed", ())))


@pytest.mark.parametrize(
    ("changed", "is_kept"),
    [
        ({}, True),
        ({"said": {"head-404": Opinion.DEAD}}, False),
        ({"said": {"busy-429": Opinion.DENIED}}, False),
        ({"said": {"en-missing": Opinion.ALIVE}}, True),
        ({"removed": ["but-both-404"]}, True),
        ({"removed": ["status-403"]}, False),
        ({"removed": ["but-always-silent"]}, False),
    ],
)
def test_the_promise_is_that_nothing_living_goes(changed, is_kept):
    assert compared(**changed).is_kept is is_kept


def test_the_table_counts_each_kind_of_mistake_and_shows_it_in_bold():
    wrong = {"head-404": Opinion.DEAD, "en-missing": Opinion.ALIVE, "status-403": Opinion.DEAD}
    result = compared(said=wrong, removed=["status-403"])
    assert [result.count(OURS, total) for total in TOTALS][:2] == [1, 1]
    assert result.count(OURS, "denied called dead") == 1
    text = "\n".join(compare.lines(result))
    assert "| head-404 | HEAD | linkchecker | alive | **dead** |  |" in text
    assert "| status-403 | denials | RFC 9110 | denied | **dead** | **removed** |" in text
    assert "| denials | 12 | 1 |" in text
    groups = {one.group for one in LISTED}
    assert text.count("\n") == len(LISTED) + len(groups) + 8


@pytest.mark.parametrize(
    ("is_active", "reason", "opinion"),
    [(True, "ok", "alive"), (True, "throttled", "alive"), (False, "http_404", "dead"), (False, "http_403", "denied"),
     (False, "bot_wall", "denied"), (False, "timeout", "away"), (False, "maintenance", "away")],
)  # fmt: skip
def test_our_own_opinion_is_what_a_visitor_is_shown(is_active, reason, opinion):
    assert programs.opinion_of(is_active=is_active, reason=reason) == opinion


def test_off_for_now_is_what_the_product_calls_unreachable():
    unreachable = {reason for reason, strength in STRENGTH_BY_REASON.items() if strength is Strength.UNREACHABLE}
    assert set(programs.AWAY_REASONS) == unreachable


def test_a_program_that_does_not_mention_a_link_does_not_show_it(small_farm):
    link = small_farm.links()[0]
    assert compare.by_name([link], {}) == {link.behaviour.name: Opinion.DEAD}
