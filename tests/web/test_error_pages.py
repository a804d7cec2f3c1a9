"""Error pages, JSON errors of the API, and the headers of every response."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client
from django.urls import reverse

from tests.helpers.factories import make_link, make_movie

pytestmark = pytest.mark.django_db

SECRET = "a secret of the server"
FAILING = f"{__name__}.failing_middleware"
ERRORS: dict[str, tuple[type[Exception], int, str]] = {
    "suspicious": (SuspiciousOperation, 400, "Bad request"),
    "denied": (PermissionDenied, 403, "Permission denied"),
    "missing": (Http404, 404, "Scene missing"),
    "failed": (RuntimeError, 500, "The projector jammed"),
}


def failing_middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Raise the error named in the query string."""

    def middleware(request: HttpRequest) -> HttpResponse:
        raise ERRORS[request.GET["raise"]][0](SECRET)

    return middleware


@contextmanager
def broken_database() -> Iterator[None]:
    """Make every query fail."""

    def refuse(*_: Any) -> None:
        raise OperationalError(SECRET)

    with connection.execute_wrapper(refuse):
        yield


@pytest.fixture
def quiet_client() -> Client:
    """A client that shows the error page instead of raising the error."""
    return Client(raise_request_exception=False)


def test_404_offers_a_search(client):
    response = client.get("/nowhere/")
    page = response.content.decode()
    assert response.status_code == 404
    assert "Scene missing" in page
    assert 'name="q"' in page


@pytest.mark.parametrize("path", ["/api/nowhere/", "/api/streaming/nowhere/", "/api/streaming/movies/tt0000001/"])
def test_api_clients_get_json(client, path):
    response = client.get(path)
    assert (response.status_code, response["Content-Type"]) == (404, "application/json")
    assert "detail" in response.json()


def test_a_404_is_a_page_in_the_visitors_theme(client):
    client.cookies["theme"] = "dark"
    response = client.get("/nowhere/")
    page = response.content.decode()
    assert (response.status_code, response["Cache-Control"]) == (404, "private, no-cache")
    assert set(response["Vary"].split(", ")) >= {"Cookie", "HX-Request", "HX-Target"}
    assert '<html lang="en" data-theme="dark">' in page


def test_a_theme_that_does_not_exist_is_ignored(quiet_client):
    quiet_client.cookies["theme"] = '"><script>'
    with broken_database():
        pages = [quiet_client.get(path).content.decode() for path in ("/nowhere/", "/")]
    assert ["data-theme=" in page or "<script>" in page for page in pages] == [False, False]


def test_a_failing_page_shows_our_500_without_details(quiet_client):
    quiet_client.cookies["theme"] = "light"
    with broken_database():
        response = quiet_client.get("/")
    page = response.content.decode()
    assert (response.status_code, response["Cache-Control"]) == (500, "no-store")
    assert "Cookie" in response["Vary"]
    assert "The projector jammed" in page
    assert '<html lang="en" data-theme="light">' in page
    assert SECRET not in page
    assert "Traceback" not in page


@pytest.mark.parametrize("path", ["/api/streaming/stats/", "/api/streaming/movies/"])
def test_a_failing_api_view_responds_with_json(quiet_client, path):
    with broken_database():
        response = quiet_client.get(path)
    assert (response.status_code, response["Content-Type"]) == (500, "application/json")
    assert response["Cache-Control"] == "no-store"
    assert list(response.json()) == ["detail"]
    assert SECRET not in response.content.decode()


@pytest.mark.parametrize("is_outermost", [True, False])
@pytest.mark.parametrize(("error", "status", "heading"), [(name, *row[1:]) for name, row in ERRORS.items()])
def test_an_error_in_a_middleware_shows_our_page(quiet_client, settings, error, status, heading, is_outermost):
    others = settings.MIDDLEWARE
    settings.MIDDLEWARE = [FAILING, *others] if is_outermost else [*others, FAILING]
    quiet_client.cookies["theme"] = "dark"
    page = quiet_client.get("/", {"raise": error})
    assert (page.status_code, "Cookie" in page["Vary"]) == (status, True)
    assert page["Cache-Control"] in ("private, no-cache", "no-store")
    assert f"<h1>{heading}</h1>" in page.content.decode()
    assert 'data-theme="dark"' in page.content.decode()
    response = quiet_client.get("/api/streaming/movies/", {"raise": error})
    assert (response.status_code, response["Content-Type"]) == (status, "application/json")
    assert response["Cache-Control"] == "no-store"
    assert list(response.json()) == ["detail"]
    assert SECRET not in response.content.decode() + page.content.decode()


def test_an_unknown_host_name_shows_our_page(client):
    page = client.get("/", headers={"Host": "evil.example"})
    assert (page.status_code, "<h1>Bad request</h1>" in page.content.decode()) == (400, True)
    response = client.get("/api/streaming/movies/", headers={"Host": "evil.example"})
    assert (response.status_code, response.json()) == (400, {"detail": "Bad request."})


def test_staff_without_a_permission_see_the_403_page(client):
    client.force_login(User.objects.create_user("bob", is_staff=True))
    response = client.get(reverse("admin:streaming_movie_changelist"))
    page = response.content.decode()
    assert (response.status_code, response["Cache-Control"]) == (403, "private, no-cache")
    assert "You do not have permission" in page
    assert "with cookies allowed" not in page


def test_a_form_from_another_site_is_rejected_with_an_explanation():
    client = Client(enforce_csrf_checks=True)
    response = client.post(f"{make_movie().get_absolute_url()}refresh/")
    assert response.status_code == 403
    assert "with cookies allowed" in response.content.decode()
    assert "You do not have permission" not in response.content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/health/",
        "/sources/",
        "/api/",
        "/nowhere/",
        "/robots.txt",
        "/sitemap.xml",
        "/feeds/new.xml",
        "movie",
        "poster",
    ],
)
def test_every_response_has_the_security_headers(client, path):
    movie = make_movie()
    make_link(movie)
    path = {"movie": movie.get_absolute_url(), "poster": f"/posters/{movie.imdb_id}.svg"}.get(path, path)
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/health/", "/sources/", "/api/", "/nowhere/", "movie"])
def test_no_page_has_inline_scripts_or_styles(client, path):
    movie = make_movie()
    make_link(movie, checks="ag")
    page = client.get(movie.get_absolute_url() if path == "movie" else path).content.decode()
    assert " style=" not in page
    assert "<style" not in page
    assert " onclick=" not in page
    scripts = [part.split(">")[0] for part in page.split("<script")[1:]]
    assert all("src=" in script or "application/ld+json" in script for script in scripts)
