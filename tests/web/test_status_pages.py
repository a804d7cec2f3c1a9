"""Link health, sources and API guide: without data, with data, with failures."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from streaming.models import HealthRun, HostPause, LinkFlip
from tests.helpers.factories import make_job, make_link, make_movie
from tests.helpers.rendered_html import html_of

pytestmark = pytest.mark.django_db


def health(client) -> str:
    response = client.get("/health/")
    assert response.status_code == 200
    return html_of(response)


def make_run(*, hours_ago: float = 0.5, finished: bool = True, **fields) -> HealthRun:
    started = timezone.now() - timedelta(hours=hours_ago)
    ended = started + timedelta(minutes=2) if finished else None
    fields.setdefault("outcome", ("withheld" if fields.get("withheld") else "completed") if finished else "")
    return HealthRun.objects.create(started_at=started, finished_at=ended, heartbeat_at=started, **fields)


def test_before_the_first_check_it_says_how_to_run_one(client):
    page = health(client)
    assert "No check has run yet: add the cron line" in page
    assert "manage.py check_link_health" in page
    assert "Checks are running on time" not in page


def test_what_nobody_has_checked_is_neither_working_nor_part_of_the_percentage(client):
    make_link()
    page = " ".join(health(client).split())
    assert "<b>0</b> of 1 (1 not checked yet)" in page
    assert "<h2>Percentage working</h2> <p><b>–</b></p>" in page
    make_link(last_checked=timezone.now())
    page = " ".join(health(client).split())
    assert "<b>1</b> of 2 (1 not checked yet)" in page
    assert "<b>100.0%</b>" in page


def test_a_run_on_time(client):
    make_link()
    make_run(checked=10, alive=8, died=2, revived=1)
    page = health(client)
    assert "Checks are running on time" in page
    assert "10 links, 2 died, 1 came back, 0 titles removed." in page
    assert ": 8 alive, 2 not alive</title>" in page


@pytest.mark.slow
def test_days_are_named_in_english_in_every_locale(client, foreign_locale):
    make_link()
    make_run(checked=10, alive=8)
    page = health(client)
    assert re.search(r"<title>\d{1,2} [A-Z][a-z]{2}: 8 alive", page)
    assert re.search(r'title="\d\d [A-Z][a-z]{2} \d{4}, \d\d:\d\d UTC"', page)
    assert foreign_locale not in page


def test_a_late_run(client):
    make_run(hours_ago=30)
    page = health(client)
    assert "Checks are late" in page
    assert "is cron, or the schedule, running?" in page


def test_a_running_check(client):
    make_run(hours_ago=30)
    HealthRun.objects.create(checked=7)
    assert "A check is running: 7 links so far." in health(client)


def test_a_killed_run_does_not_hide_the_previous_one(client):
    make_run(hours_ago=3, checked=55)
    make_run(hours_ago=2, finished=False)
    page = health(client)
    assert "55 links" in page
    assert "Checks are running on time" in page


def test_a_failed_run_does_not_count_as_a_check_on_time(client):
    make_run(hours_ago=30, checked=55)
    make_run(outcome="failed", checked=7, reason="ended by an error of ours (OperationalError)")
    page = health(client)
    assert "55 links" in page
    assert "Checks are late" in page
    assert "A check is running" not in page


def test_a_withheld_run_says_why(client):
    make_run(withheld=True, reason="no canary answered: <we> are offline")
    page = health(client)
    assert "Last check withheld" in page
    assert "no link was changed and nothing removed" in page
    assert "No canary answered: &lt;we&gt; are offline." in page


@pytest.mark.parametrize(
    "reason",
    [
        "this machine seems to have no way to the internet: the links of 8 public hosts are kept",
        "host down, links kept: films.example.org",
        "interrupted",
    ],
)
def test_an_accepted_run_shows_its_reason(client, reason):
    make_run(reason=reason)
    page = health(client)
    assert f'<b>About the last check:</b> <span lang="en">{reason}.</span>' in page
    assert "was withheld" not in page


def test_a_run_without_a_reason_has_no_banner(client):
    make_run()
    assert "About the last check" not in health(client)


def test_reasons_risks_failures_hosts_and_the_removal_rule(client, settings):
    settings.LINK_GRACE_HOURS = 1
    movie = make_movie(title="At risk")
    link = make_link(movie, is_active=False, reason="http_410", checks="aag")
    LinkFlip.objects.create(link=link, is_active=False, reason="http_410")
    later = timezone.now() + timedelta(hours=1)
    HostPause.objects.create(host="slow.example.org", paused_until=later, reason="Retry-After")
    HostPause.objects.create(host="old.example.org", paused_until=timezone.now() - timedelta(hours=1), reason="x")
    make_run(hosts_down=["down.example.org"])
    page = health(client)
    for text in ("At risk", "Gone", "slow.example.org", "down.example.org", "1 hour if not found", "2 of the last 3"):
        assert text in page
    assert "old.example.org" not in page


def test_what_the_last_check_changed(client):
    make_run(hours_ago=5, hosts_down=["films.example.org", "old.example.org"])
    make_run(hours_ago=4, withheld=True, reason="offline", hosts_down=[])
    make_run(died_of={"http_404": 3, "timeout": 7}, revived=4, moved=2, hosts_down=["old.example.org"])
    page = health(client)
    panel = page.partition("Changed by the last check")[2].partition("</section>")[0]
    assert panel.index("Died: Timed out") < panel.index("Died: Not found") < panel.index("Came back")
    assert "Redirected permanently" in panel
    assert "films.example.org" in panel
    assert "old.example.org" not in panel


def test_a_run_that_changed_nothing_says_so(client):
    make_run(hours_ago=5, hosts_down=["films.example.org"])
    make_run(withheld=True, reason="offline")
    panel = health(client).partition("Changed by the last check")[2].partition("</section>")[0]
    assert "Nothing." in panel


def test_link_health_needs_a_fixed_number_of_queries(client):
    costs = []
    for _ in range(2):
        for number in range(10):
            link = make_link(make_movie(), is_active=False, reason="timeout", last_checked=timezone.now())
            LinkFlip.objects.create(link=link, is_active=False, reason="timeout")
            make_run(hours_ago=number)
        with CaptureQueriesContext(connection) as queries:
            health(client)
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 14


def row(state: str, error: str = "") -> list[dict]:
    return [{"source": "example", "state": state, "links": 0, "new": 0, "seconds": 1.0, "error": error}]


@pytest.mark.parametrize(
    ("states", "text"),
    [
        ([], "No source has been searched yet."),
        (["found", "nothing"], "All sources are responding."),
        (["found", "failed"], "1 source not responding as usual."),
    ],
)
def test_sources(client, states, text):
    make_link(source="internet_archive")
    for state in states:
        make_job(state="succeeded", sources=row(state, "HTTP <503>" if state == "failed" else ""))
    page = html_of(client.get("/sources/"))
    assert text in page
    assert "Internet Archive" in page
    assert "0 of 1 link working (1 not checked yet)" in " ".join(page.split())
    assert "Blender Studio" not in page
    assert ("HTTP &lt;503&gt;" in page) is ("failed" in states)


def test_sources_say_their_common_licences_once_and_lead_to_their_sites(client, settings):
    settings.SOURCES = ["commons"]
    for source in ("internet_archive", "commons", "official_site"):
        make_link(source=source)
    make_job(state="succeeded", sources=[{"source": "internet_archive", "state": "found", "error": ""}])
    page = " ".join(html_of(client.get("/sources/")).split())
    assert page.count("Public domain, CC0, CC BY, CC BY-SA, Official.") == 1
    assert 'href="https://archive.org/details/movies" rel="noopener' in page
    assert "<h2> Official site </h2>" in page
    assert page.count("No longer searched") == 1, "the one that was searched"
    assert page.count("Not searched</span>") == 1, "the one that never was"


def test_the_small_charts_say_what_they_show(client):
    make_run(checked=10, alive=8, died=2)
    make_run(hours_ago=30, checked=1_200, alive=1_100, died=100)
    page = health(client)
    assert "<small>Died per day: 2\u2060–\u2060100</small>" in page
    assert "<small>Checked per day: 10\u2060–\u20601,200</small>" in page


@pytest.mark.parametrize(
    ("cookie", "attribute"), [("dark", ' data-theme="dark"'), ("light", ' data-theme="light"'), ("", "")]
)
def test_swagger_has_the_theme_of_the_visitor_and_the_way_back(client, cookie, attribute):
    client.cookies["theme"] = cookie
    response = client.get("/api/streaming/docs/")
    page = response.content.decode()
    assert f'<html lang="en"{attribute}>' in page
    assert 'href="/api/"' in page
    assert 'id="swagger-ui"' in page
    assert "Cookie" in response.headers["Vary"]
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "/api/streaming/docs/" not in client.get("/api/streaming/schema/").json()["paths"]


def test_sources_need_a_fixed_number_of_queries(client):
    costs = []
    for _ in range(2):
        for source in ("example", "commons", "blender", "vodo"):
            make_link(source=source)
        with CaptureQueriesContext(connection) as queries:
            client.get("/sources/")
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 5


def test_the_api_page_has_commands_to_copy(client):
    make_movie(imdb_id="tt0013442")
    page = client.get("/api/").content.decode()
    assert "curl -X POST &#x27;" not in page
    assert "curl -X POST 'http://testserver/api/streaming/movies/tt0013442/refresh_links/'" in page
    assert 'href="http://testserver/api/streaming/docs/"' in page
    assert client.get("/api/streaming/docs/").status_code == 200
    assert client.get("/api/streaming/schema/").status_code == 200


@pytest.mark.parametrize("path", ["/", "/health/", "/sources/", "/api/"])
def test_pages_allow_head_and_not_post(client, path):
    assert client.head(path).status_code == 200
    assert client.post(path).status_code == 405


def test_the_licences_of_all_sources_are_not_said_of_links_that_state_none(client):
    make_link(make_movie(), source="byhand")
    page = client.get("/sources/").content.decode()
    assert "Unless a source says otherwise, it may publish" in page
    assert page.count("No licence is stated.") == 1


def test_the_page_of_swagger_is_in_the_viewers_language(client):
    client.cookies["language"] = "de"
    response = client.get("/api/streaming/docs/")
    assert response.headers["Content-Language"] == "de"
    assert {"Accept-Language", "Cookie"} <= set(response.headers["Vary"].replace(" ", "").split(","))
    assert '<html lang="de"' in response.content.decode()
    assert '<div id="swagger-ui" lang="en">' in response.content.decode()
    assert "lang" not in client.get("/api/streaming/schema/").headers.get("Content-Language", "")
