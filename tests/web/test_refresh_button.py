"""The Refresh Links button: with htmx, without scripts, too often, from other sites."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urljoin

import pytest
from django.test import Client

from streaming.models import ScrapeJob
from tests.helpers.factories import make_job, make_job_outside_queue, make_link, make_movie
from tests.helpers.rendered_html import html_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "job"}


def result(state: str, *, links: int = 0, error: str = "", source: str = "example") -> dict:
    return {"source": source, "state": state, "links": links, "new": 0, "seconds": None, "error": error}


def button(movie) -> str:
    return f"{movie.get_absolute_url()}refresh/"


@pytest.fixture
def movie():
    movie = make_movie(title="Nosferatu")
    make_link(movie)
    return movie


def test_the_button_is_called_refresh_links(client, movie):
    assert "Refresh Links</button>" in client.get(movie.get_absolute_url()).content.decode()


def test_without_scripts_it_redirects_to_the_movie_with_the_panel(client, movie):
    response = client.post(button(movie))
    job = ScrapeJob.objects.get()
    assert (response.status_code, response["Location"]) == (303, f"{movie.get_absolute_url()}?job={job.pk}#refresh")
    page = client.get(response["Location"]).content.decode()
    assert "Waiting to start…" in page
    assert f'href="{movie.get_absolute_url()}?job={job.pk}&amp;look=1#refresh">Update progress</a>' in page
    later = client.get(f"{movie.get_absolute_url()}?job={job.pk}&look=1").content.decode()
    assert "look=2#refresh" in later


def test_htmx_gets_the_panel_that_polls(client, movie):
    response = client.post(button(movie), headers=HTMX)
    job = ScrapeJob.objects.get()
    page = html_of(response)
    assert response.status_code == 202
    assert page.startswith('<div id="job" class="job queued ')
    assert f'hx-get="/jobs/{job.pk}/" hx-trigger="every 1s"' in page


def test_a_second_click_joins_the_open_job(client, movie):
    for _ in range(3):
        assert client.post(button(movie), headers=HTMX).status_code == 202
    assert ScrapeJob.objects.count() == 1


def test_row_id_and_imdb_id_both_work(client, movie):
    assert client.post(f"/streaming/{movie.pk}/refresh/").status_code == 303
    assert client.post("/streaming/tt7777777/refresh/").status_code == 404


def test_get_does_not_start_a_job_but_leads_to_the_movie(client, movie):
    answer = client.get(button(movie))
    assert (answer.status_code, answer["Location"]) == (302, movie.get_absolute_url())
    assert not ScrapeJob.objects.exists()


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_form_on_another_site_is_rejected(movie, headers):
    response = Client(enforce_csrf_checks=True).post(button(movie), headers=headers)
    assert response.status_code == 403
    assert "from our own pages" in response.content.decode()
    assert not ScrapeJob.objects.exists()


def test_a_form_on_our_page_is_accepted(movie):
    client = Client(enforce_csrf_checks=True)
    client.get(movie.get_absolute_url())
    token = client.cookies["csrftoken"].value
    response = client.post(button(movie), {"csrfmiddlewaretoken": token}, headers={"Origin": "http://testserver"})
    assert response.status_code == 303
    evil = client.post(button(movie), {"csrfmiddlewaretoken": token}, headers={"Origin": "https://evil.example"})
    assert evil.status_code == 403


def test_too_many_refreshes_get_429_with_retry_after(client, movie, settings):
    settings.REFRESH_RATE = (1, 60)
    client.post(button(movie))
    for headers, kind in (({}, "text/html"), (HTMX, "text/plain")):
        response = client.post(button(movie), headers=headers)
        assert response.status_code == 429
        assert 1 <= int(response["Retry-After"]) <= 60
        assert "Too many refreshes. Try again in" in response.content.decode()
        assert response["Content-Type"].startswith(kind)


def test_the_page_for_too_many_refreshes_links_to_the_open_job(client, settings):
    """The page has the URL of the button, which does not allow GET, so the link must not be relative to it."""
    settings.REFRESH_RATE = (1, 60)
    alone = make_movie()
    for status in (303, 429):
        response = client.post(button(alone))
        assert response.status_code == status
    link = re.search(r'href="([^"]+)">Update progress', response.content.decode())
    page = client.get(urljoin(button(alone), unescape(link[1])))
    assert (page.status_code, "look=2#refresh" in page.content.decode()) == (200, True)


def test_a_full_queue_gets_503_with_retry_after(client, movie, settings):
    settings.SCRAPE_QUEUE_LIMIT = 1
    make_job()
    for headers in ({}, HTMX):
        response = client.post(button(movie), headers=headers)
        assert response.status_code == 503
        assert int(response["Retry-After"]) > 0
        assert "Many searches are waiting." in response.content.decode()


def test_a_running_search_shows_each_source(client, movie):
    rows = [
        result("found", links=3),
        result("searching", source="commons"),
        result("failed", error="Timed out after <30 s>", source="blender"),
        result("nothing", source="vodo"),
        result("waiting", source="internet_archive"),
    ]
    job = make_job_outside_queue(movie, sources=rows)
    page = client.get(f"/jobs/{job.pk}/", headers=HTMX).content.decode()
    for text in ("3 links", "searching", "Timed out after &lt;30 s&gt;", "no match", "waiting", 'value="60"'):
        assert text in page
    assert 'hx-trigger="every 1s"' in page
    assert 'id="table"' not in page


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"state": "succeeded", "outcome": "found", "links_found": 5, "links_new": 1}, "Found 5 links, 1 of them new."),
        ({"state": "succeeded", "outcome": "found", "links_found": 5}, "Found 5 links, none of them new."),
        ({"state": "succeeded", "outcome": "nothing"}, "No source has this title today."),
        ({"state": "failed", "error": "No source is enabled."}, "Refresh did not finish. No source is enabled."),
        ({"state": "cancelled"}, "Refresh was cancelled."),
    ],
)
def test_the_last_response_swaps_everything_and_ends_the_polling(client, movie, fields, text):
    job = make_job(movie, **fields)
    response = client.get(f"/jobs/{job.pk}/", headers=HTMX)
    page = response.content.decode()
    assert text in page
    assert "hx-trigger" not in page
    for part in ("watch", "fresh", "table", "report-part"):
        assert f'id="{part}"' in page
    assert page.count('hx-swap-oob="true"') == 4
    assert "toast" not in page
    assert re.search('data-announce="[^"]+"', page)
    assert response.headers["Cache-Control"] == "private, no-cache"


def test_a_failed_search_counts_the_failed_sources(client, movie):
    rows = [result("failed", error="Timed out"), result("blocked", source="commons"), result("nothing", source="vodo")]
    job = make_job(movie, state="failed", sources=rows, error="x")
    page = client.get(f"{movie.get_absolute_url()}?job={job.pk}").content.decode()
    assert "Refresh did not finish. 2 of 3 sources did not respond." in page
    assert "Links found so far are saved." in page


def test_the_page_of_a_job(client, movie):
    job = make_job_outside_queue(movie)
    page = client.get(f"/jobs/{job.pk}/").content.decode()
    assert "<h1>Search for links</h1>" in page
    assert f'href="{movie.get_absolute_url()}"' in page


@pytest.mark.parametrize("path", ["/jobs/424242/", f"/jobs/{2**70}/"])
def test_an_unknown_job_is_not_found(client, path):
    assert client.get(path).status_code == 404
    assert client.get(path, headers=HTMX).status_code == 404


@pytest.mark.parametrize("job", ["x", "-1", "9" * 30, "1e3", ""])
def test_a_malformed_job_in_the_url_is_ignored(client, movie, job):
    assert client.get(f"{movie.get_absolute_url()}?job={job}&look={job}").status_code == 200


def test_another_movies_job_is_not_shown(client, movie):
    other = make_job(make_movie(), state="failed", error="Secret")
    assert "Secret" not in client.get(f"{movie.get_absolute_url()}?job={other.pk}").content.decode()
