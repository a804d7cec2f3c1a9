"""A title that is not in the catalogue, from the form to the movie: real supervisor, crawl and rows."""

from __future__ import annotations

import pytest

from streaming.models import Movie, ScrapeJob, StreamingLink, TitleRequest
from tests.helpers.fake_sources import FakeFilm, source_web
from tests.helpers.http_servers import Page

pytestmark = pytest.mark.slow

NOSFERATU, GENERAL, UNKNOWN = "tt0013442", "tt0017925", "tt0099999"
SOURCES = "wikidata,internet_archive,commons"


@pytest.fixture
def searching(harness, monkeypatch, settings):
    """The harness with the real crawl of three sources, and those sources."""
    monkeypatch.delenv("SCRAPE_CRAWL")
    with source_web() as web:
        for name, value in web.settings().items():
            setattr(settings, name, value)
            monkeypatch.setenv(name, ",".join(value) if isinstance(value, list) else value)
        monkeypatch.setenv("SOURCES", SOURCES)
        monkeypatch.setenv("SOURCE_DELAYS", "internet_archive=0")
        settings.SOURCES = SOURCES.split(",")
        yield harness, web


def ask(client, harness, imdb_id):
    """Ask for the title by the form; return the page of the answer and the job that has ended."""
    answer = client.post("/look-for/", {"wanted": imdb_id})
    assert (answer.status_code, answer["Location"]) == (303, f"/look-for/{imdb_id}/")
    (job,) = harness.closed(ScrapeJob.objects.filter(title_request__imdb_id=imdb_id).latest("pk"))
    return client.get(answer["Location"]), job


def test_what_the_sources_have_becomes_a_movie_and_what_they_have_not_becomes_nothing(client, searching):
    harness, web = searching
    web.titles.append(FakeFilm(UNKNOWN, "Q99", "Never Found", 1930))
    answer, job = ask(client, harness, NOSFERATU)
    assert (job.state, job.outcome, job.movie) == ("succeeded", "found", None)
    assert answer["Location"] == f"/streaming/{NOSFERATU}/"
    movie = Movie.objects.get()
    assert (movie.imdb_id, movie.title, movie.year) == (NOSFERATU, "Nosferatu", 1922)
    assert set(movie.links.values_list("source", flat=True)) >= {"internet_archive", "commons"}
    assert job.links_new == movie.links.filter(is_published=True).count() == movie.active_link_count
    assert TitleRequest.objects.get().outcome == "found"
    assert NOSFERATU in client.get("/feeds/new.xml").content.decode()

    answer, job = ask(client, harness, UNKNOWN)
    assert (job.state, job.outcome) == ("succeeded", "nothing")
    assert "No source has it." in answer.content.decode()
    assert Movie.objects.count() == 1


def test_links_of_a_source_whose_rule_says_review_are_not_shown(client, searching):
    """The archive's item states no licence, and Wikidata does not know the film as free."""
    harness, web = searching
    web.titles.append(FakeFilm(UNKNOWN, "Q99", "Maybe Free", 1930, archive_noted=("maybe_free",), is_public=False))
    web.items["maybe_free"] = {
        "metadata": {"identifier": "maybe_free", "title": "Maybe Free", "mediatype": "movies"},
        "files": [{"name": "a.mp4", "source": "derivative", "format": "h.264", "width": "640", "height": "480"}],
    }
    web.faults["/sparql"] = Page(status=503)
    answer, job = ask(client, harness, UNKNOWN)
    assert job.outcome == "nothing", job.sources
    assert set(StreamingLink.objects.values_list("is_published", flat=True)) == {False}
    assert TitleRequest.objects.get().outcome == "review"
    assert "A person reviews them before they are shown." in answer.content.decode()


def test_sources_that_are_down_are_no_answer(client, searching):
    harness, web = searching
    for path in ("/sparql", "/wikidata", "/archive", "/commons"):
        web.faults[path] = Page(status=500)
    answer, job = ask(client, harness, GENERAL)
    assert job.state == "failed"
    assert "The sources did not respond." in answer.content.decode()
    assert (TitleRequest.objects.get().outcome, Movie.objects.count()) == ("failed", 0)
