"""Writes by staff: movies and links, validated like all other input."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from streaming.health.permanent_redirects import follow_permanent_redirects
from streaming.health.selection import Selection, due_links
from streaming.ingest.takedown import block
from streaming.ingest.tombstones import restore_movies
from streaming.models import LinkFlip, Movie, RemovedMovie, StreamingLink
from tests.api.conftest import MOVIES
from tests.api.test_movies import LINK_KEYS, MOVIE_KEYS
from tests.helpers.factories import make_link, make_movie
from tests.helpers.http_origin import Origin
from tests.helpers.staff import make_staff

pytestmark = pytest.mark.django_db
LINKS = "/api/streaming/links/"
NOSFERATU = {"imdb_id": "tt0013442", "title": "Nosferatu", "year": 1922, "type": "movie"}


def test_a_movie_is_added_changed_and_removed(staff):
    added = staff.post(MOVIES, NOSFERATU)
    assert (added.status_code, set(added.json())) == (201, MOVIE_KEYS)
    assert added["Location"] == "http://testserver/api/streaming/movies/tt0013442/"
    changed = staff.patch(f"{MOVIES}tt0013442/", {"title": "  Nosferatu,\n a symphony ", "year": None})
    assert (changed.status_code, changed.json()["title"], changed.json()["year"]) == (
        200,
        "Nosferatu, a symphony",
        None,
    )
    assert Movie.objects.search("symphony").count() == 1
    assert staff.delete(f"{MOVIES}tt0013442/").status_code == 204
    assert not Movie.objects.exists()


def test_a_removed_movie_can_be_restored_completely(staff):
    link = make_link(make_movie(imdb_id="tt0013442"))
    staff.delete(f"{MOVIES}tt0013442/")
    assert RemovedMovie.objects.get().reason == "removed by alice"
    assert restore_movies(["tt0013442"]) == ["tt0013442"]
    assert StreamingLink.objects.get().source_url == link.source_url


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**NOSFERATU, "imdb_id": "tt12"}, "imdb_id"),
        ({**NOSFERATU, "imdb_id": "tt٠٠١٣٤٤٢"}, "imdb_id"),
        ({**NOSFERATU, "imdb_id": "tt0000001"}, "imdb_id"),
        ({**NOSFERATU, "imdb_id": "tt0000002"}, "imdb_id"),
        ({**NOSFERATU, "title": ""}, "title"),
        ({**NOSFERATU, "title": "\u202e"}, "title"),
        ({**NOSFERATU, "title": "x" * 201}, "title"),
        ({**NOSFERATU, "year": 99999}, "year"),
        ({**NOSFERATU, "type": "cartoon"}, "type"),
        ({**NOSFERATU, "poster_url": "http://posters.example.org/x.jpg"}, "poster_url"),
        ({**NOSFERATU, "poster_url": "javascript:alert(1)"}, "poster_url"),
        ({**NOSFERATU, "colour": "red"}, "colour"),
        ({"title": "Nosferatu"}, "imdb_id"),
        ([], "non_field_errors"),
    ],
)
def test_an_invalid_movie_is_rejected_with_its_field(staff, body, field):
    make_movie(imdb_id="tt0000001")
    block("tt0000002", reason="asked")
    response = staff.post(MOVIES, json.dumps(body), content_type="application/json")
    assert (response.status_code, list(response.json())) == (400, [field])
    assert Movie.objects.count() == 1


def test_a_too_large_body_is_a_413(db, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    signed_in = APIClient()
    signed_in.force_login(make_staff("alice"))
    response = signed_in.post(MOVIES, {**NOSFERATU, "synopsis": "x" * 1000})
    assert (response.status_code, response.json()) == (413, {"detail": "The body is too large."})


@pytest.mark.parametrize("body", [{**NOSFERATU, "type": "\ud800"}, {**NOSFERATU, "\udfff": 1}, "\ud800", ["\ud800"]])
def test_a_lone_surrogate_is_rejected_wherever_it_is(staff, body):
    response = staff.post(MOVIES, json.dumps(body), content_type="application/json")
    assert (response.status_code, list(response.json())) == (400, ["detail"])
    assert "lone surrogate" in response.json()["detail"]
    whole = staff.post(MOVIES, json.dumps({**NOSFERATU, "title": "🎬"}), content_type="application/json")
    assert (whole.status_code, whole.json()["title"]) == (201, "🎬")


def test_entries_of_a_wrong_kind_are_rejected_by_their_number(staff):
    make_movie(imdb_id="tt0013442")
    answer = staff.patch(f"{MOVIES}tt0013442/", {"genres": ["drama", []]})
    assert (answer.status_code, list(answer.json()["genres"])) == (400, ["1"])


def test_a_movie_keeps_its_imdb_id(staff):
    make_movie(imdb_id="tt0013442")
    response = staff.patch(f"{MOVIES}tt0013442/", {"imdb_id": "tt0013443"})
    assert (response.status_code, list(response.json())) == (400, ["imdb_id"])


@pytest.mark.parametrize("name", ["tt0013442", "id"])
def test_a_link_is_added_by_either_id_of_its_movie(staff, name):
    movie = make_movie(imdb_id="tt0013442")
    body = {
        "movie": movie.pk if name == "id" else name,
        "source": "commons",
        "source_url": "HTTPS://Films.Example.org:443/a b".replace(" ", "%20"),
        "quality": "720p",
        "licence": "cc0",
    }
    response = staff.post(LINKS, body)
    assert (response.status_code, set(response.json())) == (201, LINK_KEYS | {"movie", "evidence", "is_published"})
    link = StreamingLink.objects.get()
    assert (link.source_url, link.host) == ("https://films.example.org/a%20b", "films.example.org")
    assert staff.get(response["Location"]).json() == response.json()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"source_url": "javascript:alert(1)"}, "source_url"),
        ({"source_url": "https://user:secret@films.example.org/"}, "source_url"),
        ({"source_url": "https://10.0.0.5/"}, "source_url"),
        ({"source_url": "https://films.example.org/" + "x" * 5000}, "source_url"),
        ({"source_url": "https://taken.example.org/x"}, "source_url"),
        ({"source_url": "https://FILMS.example.org/here"}, "source_url"),
        ({"source": "Not A Slug"}, "source"),
        ({"kind": "torrent"}, "kind"),
        ({"quality": "9000p"}, "quality"),
        ({"language": "klingon!"}, "language"),
        ({"licence": "© me"}, "licence"),
        ({"licence_url": "ftp://x.example.org"}, "licence_url"),
        ({"movie": "tt9999999"}, "movie"),
        ({"movie": ["x"]}, "movie"),
        ({"is_active": "perhaps"}, "is_active"),
        ({"checks": "aaaa"}, "checks"),
    ],
)
def test_an_invalid_link_is_rejected_with_its_field(staff, changes, field):
    movie = make_movie()
    make_link(movie, source_url="https://films.example.org/here")
    block("taken.example.org", reason="asked")
    body = {"movie": movie.pk, "source": "commons", "source_url": "https://films.example.org/new", **changes}
    response = staff.post(LINKS, body)
    assert (response.status_code, list(response.json())) == (400, [field])
    assert StreamingLink.objects.count() == 1


def test_a_new_url_resets_the_health_of_the_link(staff):
    link = make_link(checks="aaa", failures=2, reason="timeout", http_status=200)
    before = link.movie.updated_at
    response = staff.patch(f"{LINKS}{link.pk}/", {"source_url": "https://b.example.org/x"})
    assert response.status_code == 200
    link.refresh_from_db()
    assert (link.host, link.checks, link.failures, link.reason) == ("b.example.org", "", 0, "")
    link.movie.refresh_from_db()
    assert link.movie.updated_at > before


def test_a_new_url_is_due_at_once_and_has_no_redirect(staff):
    now = timezone.now()
    link = make_link(is_active=False, last_checked=now, next_check_at=now + timedelta(days=30), verified_at=now)
    StreamingLink.objects.update(moved_to="https://moved.example.org/x", moved_seen=3)
    assert [due.url for due in due_links(Selection(due=True), now=now)] == []
    staff.patch(f"{LINKS}{link.pk}/", {"source_url": "https://b.example.org/x", "is_active": True})
    later = timezone.now()
    assert follow_permanent_redirects(now=later).followed == 0
    assert [due.url for due in due_links(Selection(due=True), now=later)] == ["https://b.example.org/x"]
    link.refresh_from_db()
    assert (link.moved_to, link.moved_seen, link.verified_at) == ("", 0, None)


def test_turning_a_link_off_by_hand_records_a_flip(staff):
    link = make_link(label="keep me")
    assert staff.patch(f"{LINKS}{link.pk}/", {"is_active": False}).json()["is_active"] is False
    flip = LinkFlip.objects.get()
    assert (flip.is_active, flip.reason) == (False, "by_hand")
    link.refresh_from_db()
    assert (link.label, link.state_since) == ("keep me", flip.at)


def test_a_change_to_the_url_of_another_link_is_rejected(staff):
    movie = make_movie()
    taken, link = make_link(movie), make_link(movie)
    response = staff.patch(f"{LINKS}{link.pk}/", {"source_url": taken.source_url})
    assert (response.status_code, list(response.json())) == (400, ["source_url"])


@pytest.mark.parametrize(("path", "reason", "is_active"), [("page", "ok", True), ("404", "http_404", False)])
def test_a_link_is_checked_at_once(staff, path, reason, is_active):
    with Origin() as site:
        link = make_link(source_url=site.url(path))
        answer = staff.post(f"{LINKS}{link.pk}/check/").json()
    assert set(answer) == LINK_KEYS | {"movie", "evidence", "is_published"}
    assert (answer["reason"], answer["is_active"], answer["last_checked"] is not None) == (reason, is_active, True)


def test_a_link_stays_with_its_movie(staff):
    response = staff.patch(f"{LINKS}{make_link().pk}/", {"movie": make_movie().pk})
    assert (response.status_code, list(response.json())) == (400, ["movie"])


def test_deleting_a_link_marks_its_movie_as_updated(staff):
    link = make_link()
    before = link.movie.updated_at
    assert staff.delete(f"{LINKS}{link.pk}/").status_code == 204
    assert Movie.objects.get().updated_at > before
    assert staff.get(f"{LINKS}{link.pk}/").status_code == 404


WRITES = [
    ("post", MOVIES, NOSFERATU),
    ("patch", f"{MOVIES}tt0000001/", {"title": "x"}),
    ("delete", f"{MOVIES}tt0000001/", None),
    ("post", LINKS, {}),
    ("get", f"{LINKS}1/", None),
    ("patch", f"{LINKS}1/", {"label": "x"}),
    ("delete", f"{LINKS}1/", None),
    ("post", f"{LINKS}1/check/", None),
]


@pytest.mark.parametrize(("method", "address", "body"), WRITES)
def test_others_cannot_write(person, method, address, body):
    link = make_link(make_movie(imdb_id="tt0000001", title="Untouched"))
    address = address.replace("/1/", f"/{link.pk}/")
    visitor = APIClient()
    visitor.force_authenticate(User.objects.create(username="bob"))
    wrong = APIClient(headers={"Authorization": "Token nonsense"})
    for client in (person, visitor, wrong):
        response = getattr(client, method)(address, body)
        assert response.status_code in (401, 403)
        assert list(response.json()) == ["detail"]
    assert Movie.objects.get().title == "Untouched"
    assert StreamingLink.objects.count() == 1


def test_a_staff_token_may_write():
    token = Token.objects.create(user=make_staff("carol"))
    client = APIClient(headers={"Authorization": f"Token {token.key}"})
    assert client.post(MOVIES, NOSFERATU).status_code == 201


@pytest.mark.parametrize("text", ["{", "", "\x00", '{"title": NaN}', "[" * 60_000, "\xff"])
def test_broken_json_is_a_400(staff, text):
    response = staff.generic("POST", MOVIES, text.encode("latin-1"), content_type="application/json")
    assert response.status_code == 400
    assert response.json()


def test_form_data_is_not_accepted(staff):
    response = staff.generic("POST", MOVIES, "title=x", content_type="application/x-www-form-urlencoded")
    assert (response.status_code, list(response.json())) == (415, ["detail"])


def test_staff_can_withdraw_and_publish_a_link(staff):
    make_movie(imdb_id="tt0013442")
    body = {"movie": "tt0013442", "source": "commons", "source_url": "https://a.example.org/x", "is_published": False}
    added = staff.post(LINKS, body).json()
    assert (added["is_published"], added["evidence"]) == (False, "Stated by the operator")
    assert staff.get(f"{MOVIES}tt0013442/").json()["links"] == []
    assert staff.patch(f"{LINKS}{added['id']}/", {"is_published": True}).json()["is_published"] is True
    assert len(staff.get(f"{MOVIES}tt0013442/").json()["links"]) == 1


def test_a_licence_that_is_not_free_is_rejected_with_its_field(staff):
    make_movie(imdb_id="tt0013442")
    body = {"movie": "tt0013442", "source": "commons", "source_url": "https://a.example.org/x", "licence": "cc-by-nc"}
    response = staff.post(LINKS, body)
    assert (response.status_code, list(response.json())) == (400, ["licence"])


def test_another_spelling_of_a_link_is_a_duplicate(staff):
    link = make_link(source_url="https://a.example.org/x")
    other = make_link(link.movie, source_url="https://a.example.org/y")
    twin = {"movie": link.movie.imdb_id, "source": "commons", "source_url": "http://www.a.example.org/x/?utm_source=b"}
    assert staff.post(LINKS, twin).status_code == 400
    assert staff.patch(f"{LINKS}{other.pk}/", {"source_url": "http://a.example.org/x"}).status_code == 400
    assert staff.patch(f"{LINKS}{link.pk}/", {"source_url": "http://a.example.org/x"}).status_code == 200


BINDINGS = f"{MOVIES}tt0013442/bindings/"


def test_a_url_is_bound_listed_and_unbound(staff):
    make_movie(imdb_id="tt0013442")
    made = staff.post(BINDINGS, {"url": "https://video.example.org/w/nos", "source": "peertube"})
    assert (made.status_code, set(made.json())) == (201, {"id", "url", "source", "created_at"})
    again = staff.post(BINDINGS, {"url": "http://video.example.org/w/nos/"})
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    assert [one["source"] for one in staff.get(BINDINGS).json()] == ["peertube"]
    gone = f"{BINDINGS}?url=https://video.example.org/w/nos"
    assert [staff.delete(gone).status_code, staff.delete(gone).status_code] == [204, 404]
    assert staff.get(BINDINGS).json() == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "http://10.0.0.5/"}, "url"),
        ({"url": "https://down.example.org/x"}, "url"),
        ({"url": "https://a.example.org/x", "source": "wikidata"}, "source"),
        ({"url": "https://a.example.org/x", "source": "nobody"}, "source"),
    ],
)
def test_an_invalid_binding_is_rejected_with_its_field(staff, body, field):
    make_movie(imdb_id="tt0013442")
    block("down.example.org", reason="asked")
    response = staff.post(BINDINGS, body)
    assert (response.status_code, list(response.json())) == (400, [field])


def test_only_staff_can_read_bindings(robot):
    make_movie(imdb_id="tt0013442")
    responses = [robot.get(BINDINGS), robot.post(BINDINGS, {"url": "https://a.example.org/"}), robot.delete(BINDINGS)]
    assert {response.status_code for response in responses} <= {401, 403}
