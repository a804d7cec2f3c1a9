"""Pages and landing addresses that several hosts give in place of their films."""

from __future__ import annotations

import pytest

from streaming.health.judging.causes import CommonCauses, Exemptions, landing_hash, page_hash
from streaming.health.judging.results import CheckResult, LinkState
from streaming.health.judging.verdict import ALIVE, THROTTLED, Judgement, Verdict
from streaming.health.probe_types import ProbeRequest, ProbeResponse
from streaming.reason_codes import Reason
from tests.helpers.growth import MAX_GROWTH, growth

PORTAL = "<title>Hotel Adler</title><script>token = 'a81'</script><h1>Welcome</h1><p>Enter the number of your room.</p>"


def hash_of(
    html, *, url="http://films.example.org/watch/nosferatu.mp4", title="Nosferatu", status=200, kind="text/html"
):
    request = ProbeRequest(1, url, title=title)
    body = html if isinstance(html, bytes) else html.encode()
    return page_hash(ProbeResponse(1, url, status=status, content_type=kind, body=body, final_url=url), request)


@pytest.mark.parametrize(
    "html",
    [
        PORTAL,
        PORTAL.replace("a81", "b92"),  # a script
        PORTAL.replace("Welcome", "Welcome 4711, 12:30"),
        PORTAL.replace("Welcome", "WELCOME"),
        PORTAL.replace("<p>", "<div class=x><!-- films.example.org --><p>"),
        PORTAL.replace("Hotel Adler", "Hotel Adler - films.example.org"),
        PORTAL.replace("Welcome", "Welcome http://films.example.org/watch/nosferatu.mp4"),
        PORTAL.replace("Welcome", "films.example.org/watch/nosferatu.mp4 Welcome"),
        PORTAL.replace("room.", "room. 9f31c. /watch/nosferatu.mp4"),
        PORTAL.replace("room.", "room. Nosferatu"),
        PORTAL.replace("room.", "room. NOSFERATU (1922)"),
    ],
)
def test_a_page_is_the_same_whatever_was_asked(html):
    assert hash_of(html) == hash_of(PORTAL, url="https://other.example.com/x/metropolis", title="Metropolis") != ""


@pytest.mark.parametrize(
    "html",
    [
        PORTAL.replace("room", "ticket"),
        PORTAL.replace("Adler", "Krone"),
        PORTAL.replace("room.", "room. Nosferatus"),  # not the title, but a longer word
        "<title>Nosferatu</title><p>The count travels by ship.</p>",
    ],
)
def test_another_page_has_another_fingerprint(html):
    assert hash_of(html) not in ("", hash_of(PORTAL))


@pytest.mark.parametrize(
    "response",
    [
        {"status": 404},  # default error pages are alike everywhere
        {"status": 302},
        {"html": b""},
        {"html": "<title></title><p> 12:30 </p>"},
        {"html": b"\x00\x00\x00\x18ftypmp42", "kind": "video/mp4"},
    ],
)
def test_what_is_no_page_with_success_and_words_has_none(response):
    assert hash_of(**{"html": PORTAL, **response}) == ""


@pytest.mark.parametrize("piece", ["<", "<script>", "<!--", "</script", "a ", "1 ", "<p>é", "\u0130", "nosferatu "])
def test_a_fingerprint_takes_linear_time(piece):
    assert growth(hash_of, lambda size: "<title>x</title>" + piece * (size // len(piece)), 64 * 1024) < MAX_GROWTH


def landing(url, final, hops=1):
    return landing_hash(ProbeResponse(1, url, status=200, final_url=final, hops=hops))


def test_a_landing_address_is_on_another_host_and_has_no_query():
    portal = landing("http://a.example.org/1", "http://portal.example/login?for=a.example.org")
    assert portal == landing("http://b.example.org/2", "http://portal.example/login?for=b.example.org") != ""
    assert portal != landing("http://a.example.org/1", "http://portal.example/")
    assert landing("http://a.example.org/1", "https://a.example.org/login") == ""
    assert landing("http://a.example.org/1", "http://a.example.org/1", hops=0) == ""


def failure(number, *, host, page="", target="", is_active=True):
    link = LinkState(number, 1, host, is_active, "ok", 0, None, "aa")
    judgement = Judgement(Verdict.GONE, Reason.WRONG_TYPE)
    return CheckResult(id=number, judgement=judgement, page_hash=page, landing_hash=target, link=link)


def common(*failures):
    causes = CommonCauses()
    for one in failures:
        causes.add(one)
    return Exemptions(causes=causes.common)


def test_a_page_in_place_of_films_on_three_hosts_is_one_cause():
    failures = [failure(number, host=f"h{number}", page="same") for number in range(3)]
    assert [common(*failures).verdict(one) for one in failures] == [Verdict.NOT_CHECKED] * 3
    assert [common(*failures[:2]).verdict(one) for one in failures] == [None] * 3


def test_links_of_one_host_are_no_cause_of_several():
    failures = [failure(number, host="h", page="same") for number in range(9)]
    assert common(*failures).causes == frozenset()


def test_links_that_failed_before_make_no_cause_but_belong_to_one():
    old = [failure(number, host=f"old{number}", page="same", is_active=False) for number in range(5)]
    assert common(*old, failure(9, host="h", page="same")).causes == frozenset()
    new = [failure(number, host=f"h{number}", page="same") for number in range(3)]
    assert common(*old, *new).verdict(old[0]) is Verdict.NOT_CHECKED


def test_a_page_is_no_landing_address():
    failures = [failure(1, host="a", page="x"), failure(2, host="b", page="x"), failure(3, host="c", target="x")]
    assert common(*failures).causes == frozenset()


def test_a_failing_link_does_not_return_because_the_page_of_a_portal_passes_for_a_film():
    causes = common(*(failure(number, host=f"h{number}", page="same") for number in range(3))).causes
    back = failure(9, host="h9", page="same", is_active=False)._replace(judgement=ALIVE)
    assert Exemptions(causes=causes).verdict(back) is Verdict.NOT_CHECKED
    assert Exemptions(causes=causes).verdict(back._replace(page_hash="its own")) is None


def test_failing_links_that_seem_to_work_by_the_same_page_are_a_cause():
    back = [failure(number, host=f"h{number}", page="same", is_active=False) for number in range(3)]
    back = [one._replace(judgement=ALIVE) for one in back]
    assert [common(*back).verdict(one) for one in back] == [Verdict.NOT_CHECKED] * 3
    own = [one._replace(page_hash=f"own {one.id}") for one in back]
    assert [common(*own).verdict(one) for one in own] == [None] * 3
    assert common(*(failure(number, host=f"h{number}", page="x")._replace(judgement=ALIVE) for number in range(3))) == (
        Exemptions()
    )


def test_a_host_that_has_failed_for_long_enough_is_judged_whatever_the_cause():
    failures = [failure(number, host=f"h{number}", page="same") for number in range(3)]
    exemptions = Exemptions(causes=common(*failures).causes, accepted=frozenset({"h0"}))
    assert [exemptions.verdict(one) for one in failures] == [None, Verdict.NOT_CHECKED, Verdict.NOT_CHECKED]


def test_what_is_exempt_keeps_its_reason_or_is_throttled():
    one = failure(1, host="a", page="x")
    assert Exemptions().apply(one) is one
    assert Exemptions(causes=frozenset({"px"})).apply(one).judgement[:2] == (Verdict.NOT_CHECKED, Reason.WRONG_TYPE)
    assert Exemptions(refused=frozenset({1})).apply(one).judgement == THROTTLED
