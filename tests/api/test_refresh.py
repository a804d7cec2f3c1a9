"""POST movies/{id}/refresh_links/ and GET jobs/{id}/."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from streaming.models import ScrapeJob
from tests.api.conftest import MOVIES
from tests.helpers.factories import make_job, make_link, make_movie

pytestmark = pytest.mark.django_db
JOB_KEYS = {
    "id", "movie", "state", "outcome", "requested_by", "sources", "links_found", "links_new", "queued_at",
    "started_at", "finished_at", "error",
}  # fmt: skip


def refresh(client, movie, **options):
    return client.post(f"{MOVIES}{movie.imdb_id}/refresh_links/", **options)


def test_a_click_starts_a_job_and_says_where_it_is(person):
    movie = make_movie()
    response = refresh(person, movie)
    job = ScrapeJob.objects.get()
    assert response.status_code == 202
    assert response["Location"] == f"http://testserver/api/streaming/jobs/{job.pk}/"
    assert set(response.json()) == JOB_KEYS
    assert (response.json()["id"], response.json()["movie"], response.json()["state"]) == (job.pk, movie.pk, "queued")
    assert person.get(response["Location"]).json() == response.json()


def test_a_second_click_gets_the_same_job_and_200(person):
    movie = make_movie()
    first, second = refresh(person, movie), refresh(person, movie)
    assert (first.status_code, second.status_code) == (202, 200)
    assert second.json() == first.json()
    assert second["Location"] == first["Location"]
    assert ScrapeJob.objects.count() == 1


def test_a_movie_that_is_not_there_is_a_404(person):
    response = person.post(f"{MOVIES}tt9999999/refresh_links/")
    assert (response.status_code, list(response.json())) == (404, ["detail"])


def test_too_many_clicks_of_one_client_get_429_with_retry_after(person, settings):
    settings.REFRESH_RATE = (2, 60)
    responses = [refresh(person, make_movie(), headers={"X-Forwarded-For": f"9.9.9.{number}"}) for number in range(3)]
    assert [response.status_code for response in responses] == [202, 202, 429]
    assert re.fullmatch(r"Too many requests\. Try again in \d+ seconds?\.", responses[-1].json()["detail"])
    assert 1 <= int(responses[-1]["Retry-After"]) <= 60
    assert "detail" in responses[-1].json()
    assert ScrapeJob.objects.count() == 2


def test_a_full_queue_gets_503_with_retry_after(person, settings):
    settings.SCRAPE_QUEUE_LIMIT = 1
    make_job()
    response = refresh(person, make_movie())
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert list(response.json()) == ["detail"]
    assert ScrapeJob.objects.count() == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "https://testserver"},
    ],
)
def test_another_sites_page_starts_nothing(person, headers):
    movie = make_movie()
    for kind in ("application/json", "application/x-www-form-urlencoded", "text/plain"):
        response = person.generic("POST", f"{MOVIES}{movie.pk}/refresh_links/", "x", content_type=kind, headers=headers)
        assert response.status_code == 403
        assert "another site" in response.json()["detail"]
    assert not ScrapeJob.objects.exists()


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}]
)
def test_our_own_page_may_refresh(person, headers):
    assert refresh(person, make_movie(), headers=headers).status_code == 202


@pytest.mark.parametrize("origin", ["https://films.example.org", "https://www.films.example.org"])
def test_a_trusted_origin_may_refresh(person, settings, origin):
    settings.CSRF_TRUSTED_ORIGINS = ["https://films.example.org", "https://*.films.example.org"]
    assert refresh(person, make_movie(), headers={"Origin": origin}).status_code == 202


def test_a_session_without_its_csrf_token_starts_nothing():
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(User.objects.create(username="bob"))
    assert refresh(client, make_movie()).status_code == 403
    assert not ScrapeJob.objects.exists()


def test_requests_with_a_token_may_come_from_any_origin():
    token = Token.objects.create(user=User.objects.create(username="bob"))
    client = APIClient(headers={"Authorization": f"Token {token.key}", "Origin": "https://elsewhere.example"})
    assert refresh(client, make_movie()).status_code == 202


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete"])
def test_only_post_refreshes(person, method):
    response = getattr(person, method)(f"{MOVIES}{make_movie().pk}/refresh_links/")
    assert response.status_code == 405
    assert not ScrapeJob.objects.exists()


def test_a_job_shows_the_current_state_of_its_sources(person):
    row = {"source": "example", "state": "found", "links": 3, "new": 2, "seconds": 1.5, "error": ""}
    job = make_job(make_movie(), state="succeeded", outcome="found", links_found=3, links_new=2, sources=[row])
    answer = person.get(f"/api/streaming/jobs/{job.pk}/")
    assert answer.json()["sources"] == [row]
    assert (answer.json()["outcome"], answer["Cache-Control"]) == ("found", "no-store")


def test_an_unknown_job_is_a_404(person):
    response = person.get("/api/streaming/jobs/999999999999999999/")
    assert (response.status_code, list(response.json())) == (404, ["detail"])


def test_staff_can_cancel_an_open_job(staff):
    job = make_job()
    response = staff.post(f"/api/streaming/jobs/{job.pk}/cancel/")
    assert (response.status_code, response.json()["state"]) == (200, "cancelled")
    assert staff.post(f"/api/streaming/jobs/{job.pk}/cancel/").status_code == 409


def test_others_cannot_cancel(person):
    job = make_job()
    assert person.post(f"/api/streaming/jobs/{job.pk}/cancel/").status_code in (401, 403)
    job.refresh_from_db()
    assert job.state == "queued"


def test_a_stale_movie_shows_its_links_while_it_is_searched(person):
    movie = make_movie()
    make_link(movie)
    assert refresh(person, movie).status_code == 202
    answer = person.get(f"{MOVIES}{movie.pk}/").json()
    assert (len(answer["links"]), answer["refresh"]["state"]) == (1, "queued")
