"""The admin: every table opens, and edits are validated like all other input."""

from __future__ import annotations

import json
import re
import runpy

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

import MovieBackend.urls
from streaming.models import (
    BlockedAddress,
    FollowedInstance,
    HealthRun,
    HostPause,
    LinkFlip,
    LinkReport,
    Movie,
    RemovedMovie,
    ScrapeJob,
    StreamingLink,
)
from tests.helpers.factories import make_job, make_link, make_movie
from tests.helpers.http_origin import Origin
from tests.helpers.rendered_html import html_of

pytestmark = pytest.mark.django_db
MODELS = [
    BlockedAddress, HealthRun, HostPause, LinkFlip, LinkReport, Movie, RemovedMovie, ScrapeJob, StreamingLink,
]  # fmt: skip
NO_BINDINGS = {"bindings-TOTAL_FORMS": "0", "bindings-INITIAL_FORMS": "0"}
NO_LINKS = {"links-TOTAL_FORMS": "0", "links-INITIAL_FORMS": "0", **NO_BINDINGS}


@pytest.fixture
def client():
    client = Client()
    client.force_login(User.objects.create_superuser("alice"))
    return client


def page(model, name="changelist", *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def act(client, model, action, *rows):
    body = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(page(model), body, follow=True)


def message_text(response):
    return " ".join(str(message) for message in response.context["messages"])


def link_body(of, **fields):
    body = {
        "movie": of.pk,
        "source": "commons",
        "source_url": "https://a.example.org/x",
        "kind": "page",
        "is_active": "on",
    }
    return {**body, **fields}


def fill():
    link = make_link(make_movie(), is_active=False)
    make_job(link.movie, state="failed", error="why")
    LinkFlip.objects.create(link=link, is_active=False, reason="http_404")
    LinkReport.objects.create(link=link, kind="unwanted")
    HealthRun.objects.create()
    HostPause.objects.create(host="a.example.org", paused_until=link.first_seen, reason="busy")
    BlockedAddress.objects.create(kind="host", address="b.example.org", reason="asked")
    RemovedMovie.objects.create(imdb_id="tt0000001", title="Gone", reason="gone", snapshot={"rows": []})


@pytest.mark.parametrize("model", MODELS)
def test_every_table_can_be_searched_filtered_and_opened(client, model):
    fill()
    assert client.get(page(model)).status_code == 200
    assert client.get(page(model), {"q": "nosf tt0000001"}).status_code == 200
    assert client.get(page(model, "change", model.objects.first().pk)).status_code == 200
    assert {type(admin.site.get_model_admin(model)).__module__} == {"streaming.admin"}


PAUSE = {
    "host": "films.example.org",
    "paused_until_0": "2026-12-01",
    "paused_until_1": "12:00:00",
    "reason": "asked us to come back later",
    "created_at_0": "2026-11-22",
    "created_at_1": "12:00:00",
}


def test_a_pause_written_in_the_admin_is_manual_whatever_its_text(client):
    assert client.post(page(HostPause, "add"), PAUSE).status_code == 302
    pause = HostPause.objects.get()
    assert (pause.kind, pause.reason) == ("manual", PAUSE["reason"])


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"reason": "reworded"}, "retry_after"),
        ({"paused_until_0": "2027-01-01"}, "manual"),
        ({"host": "other.example.org"}, "manual"),
    ],
)
def test_a_pause_changed_in_the_admin_is_manual_unless_only_its_text_changed(client, changed, kind):
    client.post(page(HostPause, "add"), PAUSE)
    HostPause.objects.update(kind="retry_after")
    body = PAUSE | changed
    assert client.post(page(HostPause, "change", HostPause.objects.get().pk), body).status_code == 302
    pause = HostPause.objects.get()
    assert (pause.kind, pause.host, pause.reason) == (kind, body["host"], body["reason"])


@pytest.mark.parametrize("model", [BlockedAddress, Movie, StreamingLink, HostPause])
def test_editable_tables_have_a_form(client, model):
    assert client.get(page(model, "add")).status_code == 200


def test_the_list_of_movies_costs_the_same_number_of_queries(client, django_assert_max_num_queries):
    make_link()
    client.get(page(Movie))
    with django_assert_max_num_queries(10) as few:
        client.get(page(Movie))
    for _ in range(20):
        make_link()
    with django_assert_max_num_queries(len(few)):
        client.get(page(Movie))


def test_a_movie_and_its_link_are_added_and_normalized(client):
    body = {
        "imdb_id": "tt0013442",
        "title": " Nosferatu\u202e ",
        "type": "movie",
        "links-TOTAL_FORMS": "1",
        "links-INITIAL_FORMS": "0",
        "links-0-source": "commons",
        "links-0-source_url": "HTTPS://A.example.org:443/x#part",
        "links-0-kind": "page",
        "links-0-is_active": "on",
        **NO_BINDINGS,
    }
    assert client.post(page(Movie, "add"), body).status_code == 302
    link = StreamingLink.objects.get()
    assert (link.movie.title, link.source_url, link.host) == ("Nosferatu", "https://a.example.org/x", "a.example.org")


def test_a_movie_and_its_links_are_changed_together(client):
    movie = make_movie(imdb_id="tt0013442", title="Old")
    stays, goes = make_link(movie), make_link(movie)
    body = {"title": "New", "type": "show", "links-TOTAL_FORMS": "2", "links-INITIAL_FORMS": "2"} | NO_BINDINGS
    for number, link in enumerate((stays, goes)):
        fields = {"id": link.pk, "movie": movie.pk, "source": "commons", "source_url": link.source_url, "kind": "page"}
        body |= {f"links-{number}-{name}": value for name, value in fields.items()}
    assert client.post(page(Movie, "change", movie.pk), {**body, "links-1-DELETE": "on"}).status_code == 302
    movie.refresh_from_db()
    stays.refresh_from_db()
    assert (movie.imdb_id, movie.title, movie.search_title, movie.type) == ("tt0013442", "New", "new", "show")
    assert (stays.source, stays.is_active, LinkFlip.objects.get().link) == ("commons", False, stays)
    assert list(StreamingLink.objects.all()) == [stays]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"imdb_id": "tt12"}, "is not tt and 7 to 9 digits"),
        ({"imdb_id": "tt0000001"}, "already exists"),
        ({"title": "\u202e"}, "title is missing"),
        ({"year": "1200"}, "from 1870 to 2200"),
        ({"poster_url": "http://p.example.org/x.jpg"}, "must begin with https://"),
        ({"poster_url": "javascript:alert(1)"}, "only http and https"),
    ],
)
def test_an_invalid_movie_is_shown_again_with_an_error(client, fields, says):
    make_movie(imdb_id="tt0000001")
    response = client.post(
        page(Movie, "add"), {"imdb_id": "tt0013442", "title": "T", "type": "movie", **NO_LINKS, **fields}
    )
    assert (response.status_code, says in response.content.decode()) == (200, True)
    assert Movie.objects.count() == 1


def test_an_invalid_movie_with_a_link_is_shown_again(client):
    body = {"imdb_id": "tt12", "title": "T", "type": "movie", **NO_LINKS, "links-TOTAL_FORMS": "1"}
    link = {"source": "commons", "source_url": "javascript:alert(1)", "kind": "page"}
    response = client.post(page(Movie, "add"), {**body, **{f"links-0-{name}": value for name, value in link.items()}})
    text = response.content.decode()
    assert (response.status_code, "7 to 9 digits" in text, "only http and https" in text) == (200, True, True)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"source_url": "javascript:alert(1)"}, "only http and https"),
        ({"source_url": "http://10.0.0.5/"}, "not a public address"),
        ({"source_url": "https://u:p@a.example.org/"}, "user name or password"),
        ({"source_url": "HTTPS://A.EXAMPLE.org/taken"}, "already exists"),
        ({"source_url": "https://down.example.org/"}, "taken down"),
        ({"source": "Not a slug"}, "Not a slug is not one of the available choices"),
        ({"language": "klingon!"}, "klingon! is not one of the available choices"),
        ({"licence_url": "ftp://x.example.org"}, "only http and https"),
        ({"movie": "999999"}, "Select a valid choice"),
    ],
)
def test_an_invalid_link_is_shown_again_with_an_error(client, fields, says):
    movie = make_movie()
    make_link(movie, source_url="https://a.example.org/taken")
    BlockedAddress.objects.create(kind="host", address="down.example.org", reason="asked")
    response = client.post(page(StreamingLink, "add"), link_body(movie, **fields))
    assert (response.status_code, says in response.content.decode()) == (200, True)
    assert StreamingLink.objects.count() == 1


def test_a_link_is_added_and_changed(client):
    movie = make_movie()
    assert client.post(page(StreamingLink, "add"), link_body(movie)).status_code == 302
    link = StreamingLink.objects.get()
    StreamingLink.objects.update(checks="aaa", reason="ok")
    client.post(
        page(StreamingLink, "change", link.pk), link_body(movie, source_url="https://b.example.org/y", quality="720p")
    )
    link.refresh_from_db()
    assert (link.host, link.quality, link.checks, link.reason) == ("b.example.org", "720p", "", "")


@pytest.mark.parametrize("way", ["page", "action"])
def test_a_deleted_movie_leaves_a_tombstone_and_can_be_restored(client, way):
    link = make_link(make_movie(imdb_id="tt0013442"))
    make_job(link.movie)
    LinkFlip.objects.create(link=link, is_active=True, reason="ok")
    if way == "page":
        client.post(page(Movie, "delete", link.movie.pk), {"post": "yes"})
    else:
        body = {"action": "delete_selected", "_selected_action": [link.movie.pk], "post": "yes"}
        client.post(page(Movie), body)
    assert not Movie.objects.exists()
    tombstone = RemovedMovie.objects.get()
    assert tombstone.reason == "removed by alice in the admin"
    assert "1 movie restored" in message_text(act(client, RemovedMovie, "restore", tombstone))
    assert StreamingLink.objects.get().source_url == link.source_url


def test_deleting_links_marks_their_movie_as_updated(client):
    first, second = make_link(), make_link()
    before = first.movie.updated_at
    client.post(page(StreamingLink, "delete", first.pk), {"post": "yes"})
    client.post(page(StreamingLink), {"action": "delete_selected", "_selected_action": [second.pk], "post": "yes"})
    first.movie.refresh_from_db()
    assert (StreamingLink.objects.count(), first.movie.updated_at > before) == (0, True)


def test_hosts_are_blocked_from_their_links(client):
    link, other = make_link(source_url="https://bad.example.org/x"), make_link()
    assert "Blocked bad.example.org: 1 link" in message_text(act(client, StreamingLink, "block_hosts", link))
    link.refresh_from_db()
    other.refresh_from_db()
    assert (link.is_active, other.is_active) == (False, True)


def test_links_are_checked_at_once(client):
    with Origin() as site:
        works, gone = make_link(source_url=site.url("page")), make_link(source_url=site.url("404"))
        text = message_text(act(client, StreamingLink, "check_links", works, gone))
    assert "Checked 2 links" in text
    assert "1 × Not found" in text
    gone.refresh_from_db()
    assert (gone.is_active, gone.reason) == (False, "http_404")


def test_a_check_without_a_way_out_says_what_happened_and_that_nothing_changed(client, settings):
    with Origin() as site:
        gone = make_link(source_url=site.url("404"))
        settings.HEALTH_CANARIES = ["http://127.0.0.1:9/nothing-listens-here"]
        text = message_text(act(client, StreamingLink, "check_links", gone))
    assert "Checked 1 link: 1 × Not judged: this server may be offline" in text
    assert "1 link could not be judged" in text
    assert "Nothing was changed; it stays as it was" in text
    gone.refresh_from_db()
    assert gone.is_active is True


EVIL = "<script>alert(1)</script>"
STORED_JSON = {
    "job": (
        lambda: make_job(state="failed", sources=[
            {"source": "internet_archive", "state": "failed", "links": 3, "new": 0, "seconds": 1.5, "error": EVIL},
        ]),
        ["<th scope=\"col\">Source</th>", "<td>Internet Archive</td>", "<td>Failed</td>", "<td>1.5</td>"],
    ),
    "run": (
        lambda: HealthRun.objects.create(died_of={"http_404": 7, EVIL: 1}, hosts_down=["a.example.org", EVIL]),
        ["<td>Not found</td><td>7</td>", "<td>a.example.org</td>"],
    ),
    "removed": (
        lambda: RemovedMovie.objects.create(imdb_id="tt0000009", title="Gone", reason="gone", snapshot={"rows": [
            {"model": "streaming.streaminglink", "pk": n, "fields": {"source_url": f"https://a.example.org/{n}{EVIL}",
             "is_active": n == 1}} for n in range(103)
        ]}),
        ["<th scope=\"col\">Address</th><th scope=\"col\">Worked</th>", "<td>Yes</td>", "<p>… and 3 more.</p>"],
    ),
    "report": (
        lambda: LinkReport.objects.create(link=make_link(), kind="broken", notes=["black", EVIL]),
        ["<td>black</td>"],
    ),
    "instance": (
        lambda: FollowedInstance.objects.create(url="https://f.example.org", losses=[[3, f"2026-11-29T00:00{EVIL}"]]),
        ["<td>3</td>"],
    ),
    "log": (
        lambda: LogEntry.objects.create(
            user=User.objects.get(), action_flag=2, object_repr="x",
            change_message=json.dumps([{"changed": {"fields": ["title", EVIL]}}]),
        ),
        ["Changed title and"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STORED_JSON)
def test_the_page_of_a_row_shows_what_is_stored_as_json_in_words(client, name):
    make, shown = STORED_JSON[name]
    row = make()
    html = html_of(client.get(page(type(row), "change", row.pk)))
    content = html[html.index('id="content"') :]
    assert not [piece for piece in shown if piece not in content]
    assert EVIL not in content
    assert "&lt;script&gt;" in content
    assert not re.search(r"[{\[](?:&quot;|&#x27;|[\"'])", content), "raw JSON or a list of Python"


def test_an_address_is_blocked_and_unblocked(client):
    link = make_link(source_url="https://bad.example.org/x")
    client.post(page(BlockedAddress, "add"), {"address": "BAD.example.org", "reason": "asked"})
    row = BlockedAddress.objects.get()
    link.refresh_from_db()
    assert (row.kind, row.address, link.is_active) == ("host", "bad.example.org", False)
    client.post(page(BlockedAddress, "delete", row.pk), {"post": "yes"})
    assert not BlockedAddress.objects.exists()


@pytest.mark.parametrize("address", ["films/x", "https://u:p@films.example.org/", "", "bad.example.org"])
def test_an_invalid_block_is_shown_again(client, address):
    BlockedAddress.objects.create(kind="host", address="bad.example.org", reason="asked")
    response = client.post(page(BlockedAddress, "add"), {"address": address, "reason": "x"})
    assert (response.status_code, BlockedAddress.objects.count()) == (200, 1)


def test_jobs_are_started_cancelled_and_repeated(client):
    movie = make_movie()
    assert "1 search started" in message_text(act(client, Movie, "refresh", movie))
    job = ScrapeJob.objects.get()
    assert job.requested_by == "admin"
    assert "1 job cancelled" in message_text(act(client, ScrapeJob, "cancel", job))
    assert "1 search started" in message_text(act(client, ScrapeJob, "retry", job))
    assert ScrapeJob.objects.open().count() == 1


def test_a_full_queue_is_reported(client, settings):
    settings.SCRAPE_QUEUE_LIMIT = 1
    make_job()
    assert "queue is full" in message_text(act(client, Movie, "refresh", make_movie()))


def test_rows_written_by_the_program_cannot_be_edited(client):
    fill()
    for model in (ScrapeJob, HealthRun, LinkFlip, RemovedMovie):
        assert client.get(page(model, "add")).status_code == 403
        assert client.post(page(model, "change", model.objects.first().pk), {}).status_code == 403


def test_only_staff_can_open_the_admin():
    visitor = Client()
    visitor.force_login(User.objects.create(username="bob"))
    for client in (Client(), visitor):
        assert client.get(page(Movie)).status_code == 302


def test_the_admin_shows_the_name_of_the_site(client):
    assert "Openreel" in client.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize("is_there", [True, False])
def test_the_admin_can_be_switched_off(settings, is_there):
    settings.ADMIN_ENABLED = is_there
    patterns = runpy.run_path(MovieBackend.urls.__file__)["urlpatterns"]
    assert ("admin/" in {str(pattern.pattern) for pattern in patterns}) is is_there


def test_the_review_queue_is_filtered_published_and_rejected(client):
    movie = make_movie(imdb_id="tt0013442")
    shown = make_link(movie, source_url="https://a.example.org/shown")
    good, bad = (make_link(movie, source_url=f"https://a.example.org/{n}", is_published=False) for n in (1, 2))
    listed = client.get(page(StreamingLink), {"is_published__exact": "0", "q": "tt0013442"}).context["cl"].queryset
    assert set(listed) == {good, bad}
    act(client, StreamingLink, "publish", good, shown)
    act(client, StreamingLink, "reject", bad, shown)
    good.refresh_from_db()
    bad.refresh_from_db()
    assert (good.is_published, good.evidence) == (True, "Published by alice")
    assert (bad.is_published, bad.is_active, bad.reason) == (False, False, "taken_down")
    assert list(BlockedAddress.objects.values_list("kind", "address")) == [("link", "https://a.example.org/2")]
    act(client, StreamingLink, "withdraw", shown)
    assert list(StreamingLink.objects.active()) == [good]


def test_a_url_is_bound_on_the_page_of_the_movie(client):
    movie = make_movie(imdb_id="tt0013442", title="Nosferatu")
    body = {"title": "Nosferatu", "type": "movie", **NO_LINKS, "bindings-TOTAL_FORMS": "1"}
    bound = {"bindings-0-movie": movie.pk, "bindings-0-url": "https://video.example.org/w/nos"}
    wrong = client.post(page(Movie, "change", movie.pk), {**body, **bound, "bindings-0-source": "wikidata"})
    assert (wrong.status_code, "wikidata is not one of the available choices" in wrong.content.decode()) == (200, True)
    assert client.post(page(Movie, "change", movie.pk), {**body, **bound}).status_code == 302
    assert list(movie.bindings.values_list("url", "source")) == [("https://video.example.org/w/nos", "")]


def test_reports_of_visitors_are_listed_by_their_number_and_taken_from_the_list(client):
    link = make_link(make_movie(title="Nosferatu"), source_url="https://films.example.org/<b>")
    often = LinkReport.objects.create(link=link, kind="unwanted", count=41, notes=["first", "<i>It is mine.</i>"])
    LinkReport.objects.create(link=link, kind="wrong_film", count=2)
    LinkReport.objects.create(link=link, kind="broken", count=99, handled_at=link.first_seen)
    shown = client.get(page(LinkReport)).content.decode()
    assert shown.index("Should not be here</td>") < shown.index("Wrong film</td>")
    assert "&lt;i&gt;It is mine.&lt;/i&gt;" in shown
    assert 'href="https://films.example.org/&lt;b&gt;"' in shown
    assert "Does not work</td>" not in shown
    assert message_text(act(client, LinkReport, "mark_handled", often)) == "1 report handled."
    assert "Should not be here</td>" not in client.get(page(LinkReport)).content.decode()
    assert "Should not be here</td>" in client.get(page(LinkReport), {"review": "handled"}).content.decode()
