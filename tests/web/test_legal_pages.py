"""Pages about the site and its operator, requests for takedowns, and the list of what was removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from streaming.ingest.takedown import block
from streaming.ingest.tombstones import remove_movies, restore_movies
from streaming.models import BlockedAddress, Movie, RemovedMovie, StreamingLink, TakedownRequest
from streaming.retention import delete_old_history
from streaming.web import legal_pages, takedown_form
from tests.helpers.factories import make_link, make_movie
from tests.helpers.rendered_html import html_of
from tests.helpers.staff import make_staff, make_staff_with
from tests.helpers.template_lookups import failed_lookups

pytestmark = pytest.mark.django_db
REQUEST = {
    "target": "https://films.example.org/watch/secret",
    "claim": "copyright",
    "statement": "It is mine.",
    "name": "Jane Roe",
    "email": "jane@example.org",
    "is_true": "on",
}


@pytest.fixture(autouse=True)
def own_counters(settings, tmp_path):
    settings.SCRAPE_DIR = tmp_path


@pytest.mark.parametrize("page", [*legal_pages.TITLES, "takedown", "removed"])
def test_each_page_opens_and_the_footer_leads_there(client, page):
    with failed_lookups() as failures:
        response = client.get(f"/{page}/")
    assert (response.status_code, failures) == (200, [])
    assert f'href="/{page}/"' in html_of(client.get("/about/"))


@pytest.mark.parametrize(
    ("contact", "link"),
    [
        ("films@example.org", 'href="mailto:films@example.org"'),
        ("https://films.example.org/us", 'href="https://films.example.org/us"'),
        ("javascript:alert(1)", "javascript:alert(1)"),
    ],
)
def test_the_operator_is_named_by_contact(client, settings, contact, link):
    settings.CONTACT = contact
    text = html_of(client.get("/contact/"))
    assert link in text
    assert 'href="javascript' not in text


def test_security_txt_has_contact_and_expiry_once_there_is_a_contact(client, settings):
    settings.CONTACT = settings.NO_CONTACT
    assert client.get("/.well-known/security.txt").status_code == 404
    settings.CONTACT = "films@example.org"
    response = client.get("/.well-known/security.txt")
    fields = dict(line.split(": ", 1) for line in response.content.decode().splitlines())
    expires = datetime.strptime(fields["Expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(days=100) < expires - timezone.now() < timedelta(days=365)
    assert (fields["Contact"], response["Content-Type"]) == ("mailto:films@example.org", "text/plain; charset=utf-8")
    assert fields["Canonical"].endswith("/.well-known/security.txt")


def test_a_text_of_the_operator_takes_the_place_of_ours(client, settings, tmp_path):
    (tmp_path / "legal").mkdir()
    (tmp_path / "legal" / "privacy.html").write_text("<p>We are the Film Club of Exampleton.</p>")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}]
    assert "Film Club of Exampleton" in html_of(client.get("/privacy/"))


class TestTakedownRequests:
    @pytest.mark.parametrize(
        ("written", "target"),
        [
            ("http://testserver/streaming/tt0013442/", "tt0013442"),
            ("/streaming/{pk}/?season=2", "tt0013442"),
            ("https://www.imdb.com/title/tt0000009/", "tt0000009"),
            ("HTTPS://Films.example.org:443/watch/x", "https://films.example.org/watch/x"),
        ],
    )
    def test_a_request_arrives_with_what_it_means(self, client, written, target):
        movie = make_movie(imdb_id="tt0013442")
        response = client.post("/takedown/", {**REQUEST, "target": written.format(pk=movie.pk)})
        assert (response.status_code, response["Location"]) == (303, "/takedown/?taken")
        assert TakedownRequest.objects.get().target == target
        assert "has arrived" in html_of(client.get(response["Location"]))

    @pytest.mark.parametrize(
        "wrong",
        [
            {"target": "films.example.org"},
            {"target": "javascript:alert(1)"},
            {"claim": "envy"},
            {"statement": "x" * 2001},
            {"email": "nobody"},
            {"is_true": ""},
            {"name": "\x00"},
        ],
    )
    def test_a_wrong_one_is_shown_again(self, client, wrong):
        response = client.post("/takedown/", {**REQUEST, **wrong})
        assert (response.status_code, "errorlist" in html_of(response)) == (400, True)
        assert TakedownRequest.objects.count() == 0

    def test_they_are_limited_by_client_and_in_all_and_need_the_token_of_the_form(self, client, monkeypatch):
        assert Client(enforce_csrf_checks=True).post("/takedown/", REQUEST).status_code == 403
        statuses = [client.post("/takedown/", REQUEST).status_code for _ in range(6)]
        assert statuses == [303] * 5 + [429]
        monkeypatch.setattr(takedown_form, "MAX_OPEN_REQUESTS", 5)
        elsewhere = client.post("/takedown/", REQUEST, REMOTE_ADDR="192.0.2.7")
        assert (elsewhere.status_code, TakedownRequest.objects.count()) == (503, 5)

    def test_who_has_a_large_network_is_one_client(self, client):
        """A /48 has 65,536 networks; with five requests each, 200 of them left no place for anybody else."""
        addresses = [f"2001:db8:1:{number:x}::1" for number in range(6)]
        statuses = [client.post("/takedown/", REQUEST, REMOTE_ADDR=address).status_code for address in addresses]
        assert statuses == [303] * 5 + [429]
        assert client.post("/takedown/", REQUEST, REMOTE_ADDR="2001:db8:2::1").status_code == 303

    def test_staff_take_down_or_decline_and_what_was_decided_is_deleted_later(self, client):
        movie, link = make_movie(imdb_id="tt0013442"), make_link(source_url="https://films.example.org/watch/x")
        wanted = [
            TakedownRequest.objects.create(target=target, claim="other", statement="Why", name="Jane", email="j@a.org")
            for target in (movie.imdb_id, link.source_url, "https://films.example.org/other")
        ]
        client.force_login(make_staff("editor"))
        url = "/admin/streaming/takedownrequest/"
        assert "3 takedown requests wait" in html_of(client.get("/admin/"))
        client.post(url, {"action": "take_down", "_selected_action": [one.pk for one in wanted[:2]]})
        client.post(url, {"action": "decline", "_selected_action": [wanted[2].pk]})
        assert not Movie.objects.filter(pk=movie.pk).exists()
        assert StreamingLink.objects.get(pk=link.pk).taken_down
        outcomes = list(TakedownRequest.objects.order_by("pk").values_list("outcome", flat=True))
        assert outcomes == ["taken_down", "taken_down", "declined"]
        assert TakedownRequest.objects.awaiting_review().count() == 0
        delete_old_history(now=timezone.now() + timedelta(days=366))
        assert TakedownRequest.objects.count() == 0

    def test_who_may_not_block_may_only_decline(self, client):
        asked = TakedownRequest.objects.create(
            target="tt0013442", claim="other", statement="Why", name="Jane", email="j@a.org"
        )
        permissions = ("streaming.view_takedownrequest", "streaming.change_takedownrequest")
        client.force_login(make_staff_with("half", *permissions))
        url = "/admin/streaming/takedownrequest/"
        client.post(url, {"action": "take_down", "_selected_action": [asked.pk]})
        assert (BlockedAddress.objects.count(), TakedownRequest.objects.awaiting_review().count()) == (0, 1)


class TestRemovals:
    def test_reasons_and_days_are_named_and_nothing_of_what_was_taken_down(self, client):
        for number, title in enumerate(("Gone By Check", "Asked Away", "Returned"), start=1):
            make_link(make_movie(imdb_id=f"tt000000{number}", title=title))
        remove_movies(Movie.objects.filter(imdb_id="tt0000001"), reason="of alice", cause=RemovedMovie.Cause.STAFF)
        block("tt0000002", reason="Jane Roe asked")
        block("films.example.org", reason="Jane Roe asked")
        remove_movies(Movie.objects.filter(imdb_id="tt0000003"), reason="dead", cause=RemovedMovie.Cause.CHECK)
        restore_movies(["tt0000003"])
        text = html_of(client.get("/removed/"))
        for said in (
            "Gone By Check",
            "removed by the editors",
            "Returned",
            "back since",
            "1 titles, and 1 sites and links",
        ):
            assert said in text
        for secret in ("Asked Away", "alice", "Jane", "films.example.org"):
            assert secret not in text

    def test_pages_cost_the_same_and_end(self, client, django_assert_num_queries):
        rows = [
            RemovedMovie(imdb_id=f"tt{number:07}", title=f"Title {number}", reason="dead", snapshot={})
            for number in range(1, 102)
        ]
        RemovedMovie.objects.bulk_create(rows)
        page, seen = "/removed/", []
        for _ in range(3):
            with django_assert_num_queries(3):
                response = client.get(page)
            seen += [row.title for row in response.context["rows"]]
            page = f"/removed/?before={response.context['next']}"
        assert len(set(seen)) == len(seen) == 101
        assert response.context["next"] is None
