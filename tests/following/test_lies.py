"""Another instance that lies, is broken or is somebody else: named, kept out, and nothing is lost."""

from __future__ import annotations

import gzip
import json

import pytest

from streaming.following import feed_client
from streaming.models import FollowedInstance, Movie, StreamingLink
from tests.helpers.http_servers import free_port
from tests.helpers.other_instance import film, link

pytestmark = pytest.mark.django_db
END = {"changed": [], "removed": [], "next_since": "n5", "more": False}
ANSWERS = {
    "a page": ("<!doctype html><title>Hello</title>", {}, "not JSON"),
    "nothing": ("", {}, "not JSON"),
    "cut off": (json.dumps(END)[:30], {}, "not JSON"),
    "too deep": ("[" * 100_000, {}, "not JSON"),
    "a list": ("[]", {}, "not a JSON object"),
    "another API": ('{"results": []}', {}, "next_since"),
    "a number as cursor": (json.dumps({**END, "next_since": 7}), {}, "next_since"),
    "a hostile cursor": (json.dumps({**END, "next_since": "n1&x=\r\nA: b"}), {}, "next_since"),
    "more is a text": (json.dumps({**END, "more": "yes"}), {}, "next_since"),
    "a cursor that goes back": (json.dumps({**END, "next_since": "n0"}), {}, "goes back"),
    "more for ever": (json.dumps({**END, "next_since": "n1", "more": True}), {}, "promises more"),
    "changed is no list": (json.dumps({**END, "changed": {}}), {}, "changed is not a list"),
    "too many films": (json.dumps({**END, "removed": [0] * 5001}), {}, "more than 5000"),
    "compressed": (gzip.compress(b"0" * 10**7), {"Content_Encoding": "gzip"}, "not JSON"),
    "an error": ('{"detail": "No \\u0007"}', {"status": 500}, "status 500"),
    "a limit": ("", {"status": 429}, "status 429"),
    "a redirect": ("", {"status": 301, "Location": "/elsewhere"}, "it redirects to"),
    "a redirect inside": ("", {"status": 302, "Location": "http://127.0.0.1:1/"}, "it redirects to"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer_that_is_none_is_named_and_changes_nothing(case, other, follow):
    other.say(film(1, links=[link("a")]))
    follow()
    body, options, named = ANSWERS[case]
    other.say_raw(body, **options)
    status, printed = follow()
    assert (status, named in printed) == (1, True), printed
    instance = FollowedInstance.objects.get()
    assert (instance.cursor, named in instance.last_error) == ("n1", True)
    assert (Movie.objects.count(), StreamingLink.objects.count()) == (1, 1)


def test_a_page_larger_than_memory_likes_is_not_read(other, follow, monkeypatch):
    monkeypatch.setattr(feed_client, "MAX_PAGE_BYTES", 1000)
    other.say_raw(b" " * 2000)
    status, printed = follow()
    assert (status, "a page of changes has more than" in printed) == (1, True)


def test_an_instance_that_is_away_or_inside_is_named(other, follow, settings):
    assert "refused the connection" in follow(url=f"http://127.0.0.1:{free_port()}")[1]
    settings.ALLOW_PRIVATE_HOSTS = type(settings.ALLOW_PRIVATE_HOSTS).parse([])
    status, printed = follow()
    assert (status, "address" in printed) == (1, True)


def test_what_is_wrong_with_one_film_concerns_that_film_only(other, follow):
    other.say(film(1, links=[link("a")]), film(2, links=[link("b")]))
    follow()
    links = [
        link("good"),
        link("x", source_url="http://169.254.169.254/latest"),
        link("x", source_url="javascript:alert(1)"),
        link("x", source_url="https://user:word@films.example.org/"),
        link("x", source="No Slug"),
        link("x", licence=["cc0"]),
        7,
    ]
    other.say(
        film(3, links=links, year="1922"),
        film(4, links=links, runtime_minutes=-1),
        {"imdb_id": "nm0000001", "title": "A person", "links": []},
        {"imdb_id": ["tt1"], "title": "A list"},
        {"imdb_id": "tt0000002", "title": 7, "links": "none"},
        {"imdb_id": "tt0000006", "title": ""},
        film(7, links=[link(str(number)) for number in range(1001)]),
        film(1, title="Seventh", links=[link("a")]),
        None,
        removed=[{"imdb_id": "nm1"}, {"imdb_id": {}}, 1, "tt0000002", {"imdb_id": "tt0000099"}],
    )
    status, printed = follow()
    assert status == 0
    for named in ("nm0000001", "169.254.169.254", "javascript", "both changed and removed", "tt0000007"):
        assert named in printed, printed
    titles = dict(Movie.objects.values_list("imdb_id", "title"))
    assert titles == {"tt0000001": "Seventh", "tt0000002": "Film 2", "tt0000004": "Film 4"}
    urls = set(StreamingLink.objects.values_list("source_url", flat=True))
    assert urls == {f"https://films.example.org/{name}" for name in ("a", "b", "good")}


def test_a_film_that_cannot_be_read_is_not_taken_for_one_that_is_gone(other, follow):
    other.say(film(1, links=[link("a")]))
    follow()
    other.pages.clear()
    other.number = 0
    other.say(film(1, title="", links=[link("a")]))
    follow("--resync")
    assert Movie.objects.get().title == "Film 1"


def test_an_instance_that_forgets_each_cursor_is_not_asked_for_ever(other, follow):
    other.say(film(1, links=[link("a")]), more=True)
    del other.pages["n1"]
    status, printed = follow()
    assert (status, "does not know our cursor" in printed) == (1, True)
    assert (Movie.objects.count(), len(other.asked) < 6) == (1, True)
