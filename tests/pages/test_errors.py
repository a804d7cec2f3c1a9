"""404, 403 and 500 in our look, JSON for programs, and the headers of every answer."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import make_link, make_movie


@pytest.mark.django_db
def test_404_offers_a_search(client):
    response = client.get("/nowhere/")
    page = response.content.decode()
    assert response.status_code == 404
    assert "Scene missing" in page
    assert 'name="q"' in page


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/nowhere/", "/api/streaming/nowhere/", "/api/streaming/movies/tt0000001/"])
def test_programs_get_json(client, path):
    response = client.get(path)
    assert (response.status_code, response["Content-Type"]) == (404, "application/json")
    assert "detail" in response.json()


@pytest.mark.django_db
def test_500_tells_no_secrets_and_needs_no_context(monkeypatch):
    def jam(*_):
        raise RuntimeError("a secret")

    monkeypatch.setattr("streaming.metrics.totals", jam)
    response = Client(raise_request_exception=False).get("/")
    page = response.content.decode()
    assert response.status_code == 500
    assert "The projector jammed" in page
    assert "secret" not in page
    assert "Traceback" not in page


def test_500_of_the_api_is_json(rf):
    from streaming.pages import server_error  # noqa: PLC0415

    response = server_error(rf.get("/api/streaming/movies/"))
    assert (response.status_code, response["Content-Type"]) == (500, "application/json")


@pytest.mark.django_db
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
def test_every_answer_is_guarded(client, path):
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


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/health/", "/sources/", "/api/", "/nowhere/", "movie"])
def test_no_page_has_a_script_or_a_style_of_its_own(client, path):
    movie = make_movie()
    make_link(movie, checks="ag")
    page = client.get(movie.get_absolute_url() if path == "movie" else path).content.decode()
    assert " style=" not in page
    assert "<style" not in page
    assert " onclick=" not in page
    scripts = [part.split(">")[0] for part in page.split("<script")[1:]]
    assert all("src=" in script or "application/ld+json" in script for script in scripts)
