"""The page of a movie: its links, their description, and the job that opening it starts."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from streaming.ingest.takedown import block
from streaming.models import RemovedMovie, ScrapeJob
from tests.helpers.factories import make_job, make_link, make_movie
from tests.helpers.rendered_html import html_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shown():
    movie = make_movie(imdb_id="tt0013442", title="Nosferatu", year=1922, synopsis="A vampire.")
    checked = timezone.now() - timedelta(minutes=12)
    make_link(
        movie,
        source="internet_archive",
        source_url="https://archive.org/details/nosferatu",
        quality="720p",
        language="de",
        licence="public-domain",
        licence_url="https://creativecommons.org/publicdomain/mark/1.0/",
        label="Full film",
        checks="aaaaaaaaaaag",
        reason="ok",
        last_checked=checked,
        response_ms=1234,
    )
    make_link(movie, is_active=False, reason="http_404", checks="ag", last_checked=checked, source="commons")
    return movie


def test_both_urls_show_the_movie_and_one_is_canonical(client, shown):
    pages = [client.get(f"/streaming/{name}/") for name in (shown.pk, shown.imdb_id)]
    assert [page.status_code for page in pages] == [200, 200]
    assert all(
        '<link rel="canonical" href="http://testserver/streaming/tt0013442/">' in html_of(page) for page in pages
    )


@pytest.mark.parametrize(
    "name", ["tt0000001", "999999", "tt", "9" * 40, "tt1", "TT0013442", "a b", "%00", "..", "tt0013442x"]
)
def test_unknown_movies_are_not_found(client, shown, name):
    response = client.get(f"/streaming/{name}/")
    assert response.status_code == 404
    assert "Scene missing" in html_of(response)


def test_a_removed_movie_says_when_and_why(client):
    RemovedMovie.objects.create(imdb_id="tt0000005", title="Gone film", reason="no working link", snapshot={})
    response = client.get("/streaming/tt0000005/")
    assert response.status_code == 404
    assert '<b dir="auto">Gone film</b> was removed' in html_of(response)
    assert "no working link" in html_of(response)


def test_watch_opens_the_best_link_with_its_licence_and_evidence(client, shown):
    page = html_of(client.get("/streaming/tt0013442/"))
    rel = 'rel="noopener noreferrer nofollow ugc"'
    assert f'<a class="btn hot" href="https://archive.org/details/nosferatu" {rel}>' in page
    assert "Watch on Internet Archive" in page
    assert f'<a href="https://creativecommons.org/publicdomain/mark/1.0/" {rel}>Public domain</a>' in page
    assert "<span>720p</span> <span>German</span>" in " ".join(page.split())
    assert "<span>opens archive.org</span>" in page


def test_every_external_link_has_our_rel(client, shown):
    page = html_of(client.get("/streaming/tt0013442/"))
    outside = re.findall(r'<a [^>]*href="https?://(?!testserver)[^>]*>', page)
    assert len(outside) >= 4
    assert all('rel="noopener noreferrer nofollow ugc"' in link for link in outside)
    assert " target=" not in page


def test_badges_reasons_bars_and_counts(client, shown):
    page = html_of(client.get("/streaming/tt0013442/"))
    assert "1 of 2 working, last checked" in page
    assert "Active</span>" in page
    assert "Inactive</span> <small" in page
    assert ">Not found</small>" in page
    assert 'aria-label="11 of the last 12 checks passed"' in page
    assert "1,234 ms" in page
    assert re.search(r"<details>\s*<summary>1 inactive link</summary>", page)
    assert "Try anyway" in page
    assert "Stale" not in page


def test_links_not_checked_or_seen_for_a_day_are_stale(client):
    movie, long_ago = make_movie(), timezone.now() - timedelta(hours=30)
    make_link(movie, last_checked=long_ago, last_seen=long_ago, reason="ok")
    assert "Stale</span>" in html_of(client.get(movie.get_absolute_url(), headers={"User-Agent": "Googlebot/2.1"}))


def test_a_link_that_was_taken_down_is_not_shown(client):
    movie = make_movie()
    make_link(movie)
    make_link(movie, source_url="https://films.example.org/secret")
    block("https://films.example.org/secret", reason="asked")
    assert "secret" not in html_of(client.get(movie.get_absolute_url()))


@pytest.mark.parametrize(("header", "first"), [("de", "de"), ("en-GB,en;q=0.9,de;q=0.1", "en"), ("x" * 9000, "de")])
def test_the_viewers_language_comes_first(client, header, first):
    movie = make_movie()
    for language in ("de", "en"):
        make_link(movie, language=language, source_url=f"https://films.example.org/a-{language}")
    response = client.get(movie.get_absolute_url(), headers={"Accept-Language": header})
    assert response.context["best"].language == first
    assert "Accept-Language" in response.headers["Vary"]


def test_structured_data_is_valid_and_escaped(client):
    movie = make_movie(title="</script><script>alert(1)</script>&", year=1999)
    make_link(movie, source_url="https://films.example.org/a?b=1&c=</script>")
    page = html_of(client.get(movie.get_absolute_url()))
    stated = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)[1]
    data = json.loads(stated)
    assert data["name"] == "</script><script>alert(1)</script>&"
    (action,) = data["potentialAction"]
    assert (action["@type"], action["target"]["@type"]) == ("WatchAction", "EntryPoint")
    assert action["target"]["urlTemplate"] == "https://films.example.org/a?b=1&c=</script>"
    assert "<script>alert" not in page


def test_opening_a_movie_without_links_starts_a_search_and_shows_it(client):
    movie = make_movie()
    page = html_of(client.get(movie.get_absolute_url()))
    job = ScrapeJob.objects.get(movie=movie)
    assert job.state == "queued"
    assert f'hx-get="/jobs/{job.pk}/" hx-trigger="every 1s"' in page
    assert "Waiting to start…" in page
    assert "Looking for a link that works." in page
    assert "The search is running: what it finds appears here." in page
    assert "No working link" not in page


@pytest.mark.parametrize(
    "headers", [{"User-Agent": "Googlebot/2.1"}, {"Sec-Purpose": "prefetch"}, {"Purpose": "prefetch"}]
)
def test_robots_and_prefetches_start_no_job(client, headers):
    assert client.get(make_movie().get_absolute_url(), headers=headers).status_code == 200
    assert not ScrapeJob.objects.exists()


def test_head_and_options_start_no_job(client):
    address = make_movie().get_absolute_url()
    assert client.head(address).status_code == 200
    response = client.options(address)
    assert (response.status_code, response["Allow"]) == (200, "GET, HEAD, OPTIONS")
    assert client.post(address).status_code == 405
    assert not ScrapeJob.objects.exists()


def test_a_full_queue_starts_no_job_and_says_so(client, settings):
    settings.SCRAPE_QUEUE_LIMIT = 1
    make_job()
    movie = make_movie()
    assert "Many searches are waiting." in html_of(client.get(movie.get_absolute_url()))
    assert not movie.jobs.exists()


def test_fresh_links_start_no_job(client, shown):
    client.get("/streaming/tt0013442/")
    assert not ScrapeJob.objects.exists()


def test_a_search_without_result_explains_when_it_is_tried_again(client):
    movie = make_movie(next_scrape_at=timezone.now() + timedelta(hours=1))
    make_job(movie, state="succeeded", outcome="nothing", sources=[result("nothing")])
    page = html_of(client.get(movie.get_absolute_url()))
    assert "No source has this title today." in page
    assert "We search again when this page is opened after" in page
    assert "hx-trigger" not in page.split('id="job"')[1].split("</section>")[0]


def result(state: str, *, links: int = 0, error: str = "", source: str = "example") -> dict:
    return {"source": source, "state": state, "links": links, "new": 0, "seconds": None, "error": error}


@pytest.mark.parametrize(
    ("hours", "rule"),
    [
        (24, "long enough: 24 hours if not found, 3 days if unavailable or not responding, 30 days if blocked."),
        (48, "long enough: 2 days if not found, 6 days if unavailable or not responding, 60 days if blocked."),
        (0, "A title is removed when a check finds none of its links working."),
    ],
)
def test_a_title_without_working_links_says_when_it_is_removed(client, settings, shown, hours, rule):
    settings.LINK_GRACE_HOURS = hours
    assert "A title is removed when" not in html_of(client.get("/streaming/tt0013442/"))
    shown.links.update(is_active=False)
    assert rule in " ".join(html_of(client.get("/streaming/tt0013442/")).split())
    assert rule in " ".join(html_of(client.get("/health/")).split())


def test_queries_do_not_grow_with_links_and_neighbours(client, shown):
    costs = []
    for _ in range(2):
        for _ in range(10):
            make_link(shown)
            make_link(make_movie(year=1922))
        with CaptureQueriesContext(connection) as queries:
            client.get("/streaming/tt0013442/")
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 8


def test_more_to_watch_is_from_around_the_same_year(client, shown):
    for year in (1890, 1920, 1924, 1999):
        make_link(make_movie(year=year, title=f"Of {year}"))
    make_movie(year=1922, title="Unwatchable")
    more = client.get("/streaming/tt0013442/").context["more"]
    assert [movie.year for movie in more] == [1920, 1924, 1890, 1999]


def test_synopsis_and_labels_are_escaped(client):
    movie = make_movie(synopsis="<img src=x onerror=alert(1)>\u202e")
    make_link(movie, label="<b>x</b>")
    page = html_of(client.get(movie.get_absolute_url()))
    assert "<img src=x" not in page
    assert "<b>x</b>" not in page


CHECKED = {"last_checked": timezone.now() - timedelta(minutes=12), "reason": "ok", "checks": "aaga"}
ROBOT = {"User-Agent": "Googlebot/2.1"}
HOME = "https://archive.org"


def copies(page) -> list[list[str]]:
    """The links of each row, as the last parts of their addresses."""
    return [[link.source_url.rpartition("/")[2] for link in copy.links] for copy in page.context["copies"]]


def test_page_player_and_files_of_one_item_are_one_row_under_the_name_of_the_source(client):
    film = make_movie(imdb_id="tt0063350")
    for url, kind in (("details/dead", "page"), ("embed/dead", "embed"), ("download/dead/a.mp4", "file")):
        make_link(film, source="internet_archive", source_url=f"{HOME}/{url}", kind=kind, language="en", **CHECKED)
    make_link(film, source="internet_archive", source_url=f"{HOME}/details/other", **CHECKED)
    make_link(film, source="commons", source_url="https://commons.wikimedia.org/wiki/File:A.webm", quality="720p")
    page = client.get("/streaming/tt0063350/", headers=ROBOT)
    assert copies(page) == [["a.mp4", "dead", "dead"], ["other"], ["File:A.webm"]]
    html = " ".join(html_of(page).split())
    names = re.findall('<span class="source-name">([^<]*)</span> <span class="badge badge-([a-z]+)">', html)
    assert names == [
        ("Internet Archive, copy 1", "active"),
        ("Internet Archive, copy 2", "active"),
        ("Wikimedia Commons", "unchecked"),
    ]
    assert html.count(" Watch<span") == 3
    assert "item dead" not in html
    assert "worked 3 of 4 times" in html


def test_of_many_copies_eight_are_shown_and_the_others_on_request(client):
    film = make_movie()
    for number in range(200):
        make_link(film, source_url=f"https://films.example.org/{number}", response_ms=number, **CHECKED)
    few = client.get(film.get_absolute_url())
    assert len(few.context["copies"]) == 8
    assert f'href="{film.get_absolute_url()}?all=1#refresh">Show 192 more</a>' in html_of(few)
    assert len(few.content) < 60_000
    every = client.get(f"{film.get_absolute_url()}?all=1")
    assert len(every.context["copies"]) == 200
    assert "more</a>" not in html_of(every)


def test_many_inactive_links_stay_folded(client):
    film = make_movie()
    for _ in range(20):
        make_link(film, is_active=False, reason="http_404", last_checked=timezone.now())
    html = html_of(client.get(film.get_absolute_url(), headers=ROBOT))
    assert re.search(r"<details>\s*<summary>20 inactive links</summary>", html)
    assert html.count("Try anyway") == 8
    assert "Show 12 more" in html


@pytest.fixture
def show():
    """A show of 5 seasons with 20 episodes each; the episode with the fastest response is S3 E12."""
    show = make_movie(imdb_id="tt0052451", title="Bonanza", type="show")
    for season in range(1, 6):
        for episode in range(1, 21):
            speed = abs(season - 3) * 100 + abs(episode - 12) + 1
            numbers = {"season": season, "episode": episode, "label": f"Name {season}-{episode}"}
            make_link(show, response_ms=speed, **numbers, **CHECKED)
    return show


def test_a_show_has_a_tab_for_each_season_and_a_row_for_each_episode_in_order(client, show):
    make_link(show, season=2, episode=5, source="commons", quality="480p")
    page = client.get("/streaming/tt0052451/")
    html = " ".join(html_of(page).split())
    assert "<span>Watch S1 E1 on Example site</span>" in html
    assert re.findall(r'\?season=(\d)#refresh" (aria-current="true")?>', html) == [
        ("1", 'aria-current="true"'), *[(number, "") for number in "2345"]
    ]  # fmt: skip
    assert re.findall('<span class="episode-number">(.*?)</span>', html) == [f"S1 E{n}" for n in range(1, 21)]
    second = client.get("/streaming/tt0052451/?season=2")
    html = " ".join(html_of(second).split())
    assert re.findall('<span class="episode-number">(.*?)</span> <bdi>(.*?)</bdi>', html) == [
        (f"S2 E{n}", f"Name 2-{n}") for n in range(1, 21)
    ]
    assert html.count("1 more copy <") == 1
    assert '<a href="#s2e5" aria-label="S2 E5">5</a>' in html
    assert 'id="s2e5"' in html
    assert '<link rel="canonical" href="http://testserver/streaming/tt0052451/">' in html
    assert len(second.content) < 110_000


@pytest.mark.parametrize("season", ["9", "x", "", "-1", "٣", "9" * 5000])
def test_an_unknown_season_counts_as_the_first(client, show, season):
    page = client.get("/streaming/tt0052451/", {"season": season})
    assert (page.status_code, page.context["season"].number) == (200, 1)


def test_specials_and_links_to_the_whole_show_come_last(client):
    show = make_movie(type="show")
    make_link(show, **CHECKED)
    make_link(show, season=1, **CHECKED)
    make_link(show, season=1, episode=2, **CHECKED)
    make_link(show, episode=3, **CHECKED)
    seasons = client.get(show.get_absolute_url()).context["seasons"]
    assert [[episode.name for episode in season.episodes] for season in seasons] == [
        ["S1 E2", "All of season 1"],
        ["E3", "The whole show"],
    ]


def test_the_search_keeps_the_season_that_is_shown(client, show):
    job = make_job(show, state="queued", sources=[result("waiting")])
    html = html_of(client.get(f"/streaming/tt0052451/?season=4&job={job.pk}"))
    assert f'hx-get="/jobs/{job.pk}/?season=4"' in html
    ScrapeJob.objects.filter(pk=job.pk).update(state="succeeded", outcome="found", finished_at=timezone.now())
    ended = client.get(f"/jobs/{job.pk}/?season=4", headers={"HX-Request": "true"})
    assert "S4 E1" in html_of(ended)
    assert ended.context["season"].number == 4


def test_what_nobody_has_checked_says_so_everywhere(client):
    film = make_movie(title="New film")
    make_link(film, quality="720p")
    make_link(film)
    html = " ".join(html_of(client.get(film.get_absolute_url())).split())
    assert html.count("Not checked yet</span>") == 4  # two rows, and two tables of details
    assert "badge-active" not in html
    assert "<span>not checked yet</span>" in html
    assert "2 links, not checked yet" in html
    assert '<meta property="og:description" content="2 unchecked links. ">' in html
    make_link(film, **CHECKED)
    html = " ".join(html_of(client.get(film.get_absolute_url())).split())
    assert "1 of 3 working, 2 not checked yet, last checked" in html


def test_titles_and_synopses_are_written_in_their_own_direction(client):
    film = make_movie(title="گاو", synopsis="گاو.")
    html = html_of(client.get(film.get_absolute_url(), headers=ROBOT))
    assert '<h1 dir="auto">گاو</h1>' in html
    assert '<p class="synopsis" dir="auto">' in html


def test_watch_comes_before_a_long_synopsis_and_a_long_title_is_small(client):
    film = make_movie(title="Long " * 39, synopsis="Long " * 500)
    make_link(film)
    html = html_of(client.get(film.get_absolute_url()))
    assert html.index('id="watch"') < html.index('class="synopsis"')
    assert '<h1 class="long" dir="auto">' in html


def test_a_file_that_no_browser_plays_says_what_it_needs(client):
    film = make_movie()
    make_link(film, kind="file", source_url="https://films.example.org/a.ogv", **CHECKED)
    assert "needs a player such as VLC" in html_of(client.get(film.get_absolute_url()))
