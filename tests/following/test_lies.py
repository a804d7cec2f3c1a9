"""Another instance that lies, is broken or is somebody else: named, kept out, and nothing is lost."""

from __future__ import annotations

import gzip
import json

import pycurl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from streaming.following import feed_client, follower
from streaming.health.probing import curl
from streaming.models import FollowedInstance, Movie, StreamingLink
from tests.helpers.http_servers import free_port
from tests.helpers.other_instance import film, link, other_instance

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


INSIDE = ["127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]"]


@pytest.mark.parametrize("address", [*INSIDE, "[fd00::1]", "0.0.0.0"])
def test_a_public_name_that_leads_inside_is_not_opened(address, follow, settings, monkeypatch):
    settings.ALLOW_PRIVATE_HOSTS = type(settings.ALLOW_PRIVATE_HOSTS).parse([])

    def handle_with_its_own_names():
        handle = new_handle()
        handle.setopt(pycurl.RESOLVE, [f"films.example.org:443:{address}"])
        return handle

    new_handle = curl.new_handle
    monkeypatch.setattr(curl, "new_handle", handle_with_its_own_names)
    status, printed = follow(url="https://films.example.org")
    assert (status, "private network" in printed) == (1, True), printed


def test_a_page_of_empty_lists_takes_no_memory(other, follow):
    """64 MiB of these were 3 GB of lists; as long as they are counted first, they are none."""
    body = json.dumps({**END, "x": "@"}).replace('"@"', "[" + "[]," * 1_000_000 + "[]]")
    other.say_raw(body)
    status, printed = follow()
    assert (status, "millions of values" in printed) == (1, True)


def test_an_instance_that_states_more_and_more_fills_no_disk(other, follow, settings):
    settings.FOLLOW_MAX_FILMS = 3
    other.say(film(1), film(2), more=True)
    other.say(film(2), film(3), more=True)
    other.say(film(3), film(4))
    status, printed = follow()
    assert (status, "states more than 3 films: raise FOLLOW_MAX_FILMS" in printed) == (1, True)
    assert (Movie.objects.count(), FollowedInstance.objects.get().cursor) == (3, "n2")
    settings.FOLLOW_MAX_FILMS = 4
    assert (follow()[0], Movie.objects.count()) == (0, 4)


class Endless(dict):
    """A page for each cursor, each with a film more."""

    def get(self, since: str, default: object = None) -> tuple[int, dict[str, str], bytes]:
        number = int(since.removeprefix("n") or 0) + 1
        page = {"changed": [film(number)], "removed": [], "next_since": f"n{number}", "more": True}
        return 200, {}, json.dumps(page).encode()


def test_an_instance_without_end_leaves_the_others_their_part_of_the_time(other, follow):
    other.pages = Endless()
    with other_instance() as second:
        second.say(film(9_000_001))
        assert follow(second.url, "--max-runtime", "0.03")[0] == 0
        assert Movie.objects.filter(imdb_id="tt9000001").exists()
    assert len(other.asked) > 1


def test_a_large_page_locks_out_no_other_writer(other, follow):
    """900,000 links in one page, and in one transaction, kept SQLite locked for 285 seconds."""
    films = [film(number, links=[link(f"{number}-{one}") for one in range(99)]) for number in range(1, 41)]
    other.say(*films, removed=[99])
    with CaptureQueriesContext(connection) as captured:
        assert follow()[0] == 0
    moves = [query["sql"] for query in captured if 'SET "cursor"' in query["sql"] and "n1" in query["sql"]]
    saves = [query["sql"] for query in captured if 'SET "losses"' in query["sql"]]
    assert (len(moves), len(saves) > 2) == (1, True)
    assert (Movie.objects.count(), StreamingLink.objects.count()) == (40, 40 * 99)


def test_a_large_page_that_is_cut_off_in_the_middle_is_applied_again(other, follow, monkeypatch):
    films = [film(number, links=[link(f"{number}-{one}") for one in range(99)]) for number in range(1, 21)]
    other.say(*films)
    monkeypatch.setattr(follower, "MIN_BATCH_ROWS", 200)
    monkeypatch.setattr(follower, "FIRST_BATCH_ROWS", 200)
    calls = []

    def stop_after_two(instance, statements):
        calls.append(statements)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return save_statements(instance, statements)

    save_statements = follower.save_statements
    monkeypatch.setattr(follower, "save_statements", stop_after_two)
    with pytest.raises(KeyboardInterrupt):
        follow()
    assert (0 < Movie.objects.count() < 20, FollowedInstance.objects.get().cursor) == (True, "")
    assert follow()[0] == 0
    assert (Movie.objects.count(), StreamingLink.objects.count()) == (20, 20 * 99)
    other.say(removed=[1])
    assert (follow()[0], Movie.objects.count(), StreamingLink.objects.count()) == (0, 19, 19 * 99)
