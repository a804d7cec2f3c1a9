"""Every write of staff, in the admin and in the API, needs its model permission and leaves a log entry.

The actions and routes come from their registries, so that a new one is tested without being listed here.
"""

from __future__ import annotations

import json

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import Permission
from django.core import serializers
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import reverse
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from streaming import urls
from streaming.models import (
    BlockedAddress,
    HostPause,
    LinkReport,
    Movie,
    RemovedMovie,
    ScrapeJob,
    StreamingLink,
    TakedownRequest,
)
from tests.helpers.factories import make_job, make_link, make_movie
from tests.helpers.http_origin import Origin
from tests.helpers.staff import make_staff, make_staff_with

pytestmark = pytest.mark.django_db
admin.autodiscover()  # Else they are registered with the URLs of the admin.
ADMINS = sorted(
    (one for one in admin.site._registry.values() if one.opts.app_label == "streaming"),
    key=lambda one: one.opts.model_name,
)
ADMIN_ACTIONS = [
    pytest.param(one, name, id=f"{one.opts.model_name}-{name}")
    for one in ADMINS
    for _, name, _ in one._get_base_actions()
]
VIEW_ALL = [
    f"streaming.view_{model._meta.model_name}"
    for model in sorted(apps.get_app_config("streaming").get_models(), key=lambda model: model._meta.model_name)
]
API_ACTIONS = [
    pytest.param(pattern.callback.cls, method, action, pattern.name, id=f"{pattern.name}-{action}")
    for pattern in urls.router.urls
    for method, action in sorted(pattern.callback.actions.items())
    if method != "head"
]
BODIES = {"create": {}, "partial_update": {}, "bind": {}}


def catalogue():
    """A row of each model that staff may act on. The links are private ones, which a check does not ask."""
    link = make_link(make_movie(imdb_id="tt0000001"), is_published=False, source_url="http://10.0.0.5/1")
    make_link(link.movie, source_url="http://10.0.0.5/2")
    make_job(link.movie, pk=link.movie.pk)
    make_movie(imdb_id="tt0000003")
    RemovedMovie.objects.create(imdb_id="tt0000002", title="Gone", reason="gone", snapshot={"rows": []})
    BlockedAddress.objects.create(kind="host", address="b.example.org", reason="asked")
    LinkReport.objects.create(link=link, kind=LinkReport.Kind.WRONG_FILM)
    TakedownRequest.objects.create(
        target="tt0000003", claim="other", statement="Why", name="Jane", email="jane@example.org"
    )
    HostPause.objects.create(host="c.example.org", paused_until=link.first_seen, reason="busy")


def contents():
    """Everything in the catalogue and the log."""
    models = [*apps.get_app_config("streaming").get_models(), LogEntry]
    return json.loads(serializers.serialize("json", [row for model in models for row in model.objects.order_by("pk")]))


def changelist(model_admin):
    return reverse(f"admin:streaming_{model_admin.opts.model_name}_changelist")


def act(user, model_admin, action):
    client = Client()
    client.force_login(user)
    rows = model_admin.model.objects.values_list("pk", flat=True)
    body = {"action": action, "_selected_action": [str(pk) for pk in rows], "post": "yes"}
    return client.post(changelist(model_admin), body)


@pytest.mark.parametrize(("model_admin", "action"), ADMIN_ACTIONS)
def test_who_may_only_look_has_no_action_and_nobody_without_permission_gets_in(model_admin, action):
    catalogue()
    before = contents()
    assert act(make_staff_with("viewer", *VIEW_ALL), model_admin, action).status_code == 200
    assert act(make_staff_with("nobody"), model_admin, action).status_code == 403
    assert contents() == before


@pytest.mark.parametrize(("model_admin", "action"), ADMIN_ACTIONS)
def test_each_action_is_granted_by_permissions_of_the_catalogue_alone(model_admin, action):
    request = RequestFactory().get("/")
    request.user = make_staff_with("viewer", *VIEW_ALL)
    assert action not in model_admin.get_actions(request)
    writes = Permission.objects.filter(content_type__app_label="streaming").exclude(codename__startswith="view_")
    request.user = make_staff_with("writer", *(f"streaming.{one.codename}" for one in writes))
    assert action in model_admin.get_actions(request)


ACTION_PERMISSIONS = [
    (Movie, "refresh", ["add_scrapejob"]),
    (Movie, "delete_selected", ["delete_movie"]),
    (StreamingLink, "publish", ["change_streaminglink"]),
    (StreamingLink, "withdraw", ["change_streaminglink"]),
    (StreamingLink, "reject", ["change_streaminglink", "add_blockedaddress"]),
    (StreamingLink, "block_hosts", ["add_blockedaddress"]),
    (StreamingLink, "delete_selected", ["delete_streaminglink"]),
    (ScrapeJob, "cancel", ["change_scrapejob"]),
    (RemovedMovie, "restore", ["change_removedmovie"]),
    (TakedownRequest, "take_down", ["change_takedownrequest", "add_blockedaddress"]),
    (TakedownRequest, "decline", ["change_takedownrequest"]),
    (BlockedAddress, "delete_selected", ["delete_blockedaddress"]),
    (HostPause, "delete_selected", ["delete_hostpause"]),
]


@pytest.mark.parametrize(("model", "action", "permissions"), ACTION_PERMISSIONS)
def test_an_action_with_its_permission_writes_and_is_logged(model, action, permissions):
    catalogue()
    if action == "restore":
        RemovedMovie.objects.all().delete()
        client = Client()
        client.force_login(make_staff_with("remover", "streaming.view_movie", "streaming.delete_movie"))
        gone = Movie.objects.get(imdb_id="tt0000003").pk
        client.post(reverse("admin:streaming_movie_delete", args=[gone]), {"post": "yes"})
        assert RemovedMovie.objects.get().imdb_id == "tt0000003"
    before = [row for row in contents() if row["model"] != "admin.logentry"]
    model_admin = admin.site.get_model_admin(model)
    user = make_staff_with("right", *VIEW_ALL, *(f"streaming.{one}" for one in permissions))
    assert act(user, model_admin, action).status_code == 302
    assert [row for row in contents() if row["model"] != "admin.logentry"] != before
    entries = LogEntry.objects.filter(user=user)
    assert {entry.action_flag for entry in entries} <= {ADDITION, CHANGE, DELETION}
    assert entries.exists()


def test_who_may_block_but_not_change_links_cannot_reject():
    catalogue()
    user = make_staff_with("blocker", *VIEW_ALL, "streaming.add_blockedaddress")
    act(user, admin.site.get_model_admin(StreamingLink), "reject")
    assert BlockedAddress.objects.count() == 1


def url_of(name):
    movie = Movie.objects.get(imdb_id="tt0000001")
    keys = {"link": movie.links.first().pk, "job": movie.pk, "movie": movie.pk}
    is_list = name.endswith("-list")
    return reverse(f"api:{name}", args=[] if is_list else [keys[name.split("-")[0]]])


def ask(client, method, name, action):
    return getattr(client, method)(url_of(name), BODIES.get(action), format="json")


def token_client(user):
    return APIClient(headers={"Authorization": f"Token {Token.objects.create(user=user).key}", "User-Agent": "curl/8"})


@pytest.mark.parametrize(("view", "method", "action", "name"), API_ACTIONS)
def test_each_route_of_the_api_needs_its_permission_unless_it_is_public(view, method, action, name):
    catalogue()
    required = view.required_permissions.get(action, () if method == "get" else None)
    assert required is not None, f"{view.__name__}.{action} writes and names no permission"
    if not required:
        assert method == "get" or action == "refresh_links"
        assert ask(APIClient(headers={"User-Agent": "Googlebot/2.1"}), method, name, action).status_code in (200, 202)
        return
    before = contents()
    anonymous = ask(APIClient(), method, name, action)
    assert (anonymous.status_code, anonymous["WWW-Authenticate"]) == (401, "Token")
    assert list(anonymous.json()) == ["detail"]
    others = [one for one in VIEW_ALL if one not in required]
    strangers = [make_staff_with("viewer", *others), make_staff_with("visitor", *required, is_staff=False)]
    for number, user in enumerate(strangers):
        session = APIClient()
        session.force_login(user)
        for client in (token_client(user), session):
            refused = ask(client, method, name, action)
            assert (refused.status_code, list(refused.json())) == (403, ["detail"]), number
    assert contents() == before
    right = make_staff_with("right", *required)
    session = APIClient()
    session.force_login(right)
    for client in (token_client(right), session):
        with transaction.atomic():
            assert ask(client, method, name, action).status_code in (200, 204, 400, 404)
            transaction.set_rollback(True)


def test_a_session_needs_the_csrf_token_for_writes():
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(make_staff("alice"))
    assert client.post(reverse("api:movie-list"), {"imdb_id": "tt0000001", "title": "A"}).status_code == 403
    assert not Movie.objects.exists()


def flags(user):
    rows = LogEntry.objects.filter(user=user).order_by("pk")
    return [(row.action_flag, row.content_type.model, row.change_message) for row in rows]


def test_each_write_of_the_api_is_logged_with_who_and_what():
    user = make_staff("alice")
    client = token_client(user)
    movies, links = reverse("api:movie-list"), reverse("api:link-list")
    client.post(movies, {"imdb_id": "tt0000001", "title": "A", "year": 1922})
    client.patch(f"{movies}tt0000001/", {"title": "B"})
    client.post(f"{movies}tt0000001/bindings/", {"url": "https://v.example.org/w"})
    client.delete(f"{movies}tt0000001/bindings/?url=https://v.example.org/w")
    body = {"movie": "tt0000001", "source": "commons"}
    with Origin() as site:
        key = client.post(links, {**body, "source_url": site.url("page")}).json()["id"]
        client.post(f"{links}{key}/check/")
    client.patch(f"{links}{key}/", {"label": "x"})
    client.delete(f"{links}{key}/")
    job = make_job(Movie.objects.get())
    client.post(reverse("api:job-cancel", args=[job.pk]))
    client.delete(f"{movies}tt0000001/")
    assert flags(user) == [
        (ADDITION, "movie", "Added by the API: imdb_id, title, year."),
        (CHANGE, "movie", "Changed by the API: title."),
        (CHANGE, "movie", "Bound https://v.example.org/w by the API."),
        (CHANGE, "movie", "Unbound https://v.example.org/w by the API."),
        (ADDITION, "streaminglink", "Added by the API: source, source_url."),
        (CHANGE, "streaminglink", "Started a check by the API."),
        (CHANGE, "streaminglink", "Changed by the API: label."),
        (DELETION, "streaminglink", "Deleted by the API."),
        (CHANGE, "scrapejob", "Cancelled by the API."),
        (DELETION, "movie", "Removed by the API."),
    ]


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("post", "movies/", {"imdb_id": "tt0000001", "title": "A"}),
        ("patch", "movies/tt0000001/", {"year": 1}),
        ("post", "movies/tt0000001/bindings/", {"url": "http://10.0.0.5/"}),
        ("delete", "movies/tt0000001/bindings/?url=https://v.example.org/", None),
        ("post", "links/", {"movie": "tt0000001", "source": "commons", "source_url": "javascript:alert(1)"}),
        ("patch", "links/{link}/", {"source_url": "http://10.0.0.5/"}),
        ("post", "jobs/{job}/cancel/", None),
    ],
)
def test_a_refused_write_leaves_no_log_entry(method, url, body):
    link = make_link(make_movie(imdb_id="tt0000001"))
    job = make_job(link.movie, state="failed")
    url = f"/api/streaming/{url.format(link=link.pk, job=job.pk)}"
    assert getattr(token_client(make_staff("alice")), method)(url, body).status_code in (400, 404, 409)
    assert not LogEntry.objects.exists()


def test_the_log_can_be_read_and_not_be_changed():
    catalogue()
    user = make_staff("alice")
    client = Client()
    client.force_login(user)
    client.post(reverse("admin:streaming_movie_delete", args=[Movie.objects.first().pk]), {"post": "yes"})
    listed = client.get(reverse("admin:admin_logentry_changelist"))
    assert "alice" in listed.content.decode()
    entry = LogEntry.objects.get()
    for name in ("change", "delete"):
        assert client.post(reverse(f"admin:admin_logentry_{name}", args=[entry.pk]), {"post": "yes"}).status_code == 403
    assert LogEntry.objects.count() == 1


def test_an_editor_deletes_a_movie_with_its_links_jobs_and_history():
    catalogue()
    client = Client()
    client.force_login(make_staff_with("editor", "streaming.view_movie", "streaming.delete_movie"))
    movie = Movie.objects.get(imdb_id="tt0000001")
    assert client.post(reverse("admin:streaming_movie_delete", args=[movie.pk]), {"post": "yes"}).status_code == 302
    assert not Movie.objects.filter(imdb_id="tt0000001").exists()


def test_a_movie_page_tells_of_waiting_links_only_those_who_may_see_them():
    catalogue()
    seen = {}
    for name, permissions in (("viewer", ["streaming.view_streaminglink"]), ("nobody", [])):
        client = Client(headers={"User-Agent": "Googlebot/2.1"})
        client.force_login(make_staff_with(name, *permissions))
        seen[name] = "link waits for review" in client.get("/streaming/tt0000001/").content.decode()
    assert seen == {"viewer": True, "nobody": False}
