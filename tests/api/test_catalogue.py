"""sources/, stats/, changes/, schema/, docs/, and what all responses of the API have in common."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from streaming import statistics
from streaming.ingest.tombstones import remove_movies, restore_movies
from streaming.models import Change, HealthRun, Movie, PendingChange
from streaming.models.change import number_all_changes
from streaming.models.movie import mark_updated
from tests.helpers.factories import make_job, make_link, make_movie
from tests.helpers.paths import PROJECT_ROOT

pytestmark = pytest.mark.django_db
API = "/api/streaming/"
CHANGES = f"{API}changes/"


@pytest.fixture(autouse=True)
def nothing_pending(db):
    """Emptying the tables after a test with transactions is a change, too."""
    PendingChange.objects.all().delete()


def test_sources_have_a_description_and_statistics(robot):
    movie = make_movie()
    make_link(movie)
    make_link(movie, is_active=False)
    row = {"source": "example", "state": "found", "links": 1, "new": 1, "seconds": 1.0, "error": ""}
    job = make_job(movie, state="succeeded", outcome="found", sources=[row])
    first, *others = robot.get(f"{API}sources/").json()
    assert set(first) == {
        "slug", "name", "enabled", "holds", "licences", "links", "active", "success_rate", "last_success",
        "last_error", "last_search",
    }  # fmt: skip
    assert (first["slug"], first["name"], first["enabled"]) == ("example", "Example site", True)
    assert (first["links"], first["active"], first["success_rate"]) == (2, 1, 1.0)
    assert first["last_success"] == job.finished_at.isoformat().replace("+00:00", "Z")
    assert "internet_archive" in {source["slug"] for source in others}


def test_stats_are_the_totals_and_the_last_run(robot):
    assert robot.get(f"{API}stats/").json() == {
        "movies": 0, "links": 0, "active_links": 0, "unchecked_links": 0, "open_jobs": 0, "last_run": None,
    }  # fmt: skip
    movie = make_movie()
    make_link(movie)
    make_link(movie, is_active=False)
    make_job(movie)
    HealthRun.objects.create(checked=2, alive=1, gone=1, died=1, withheld=True, reason="offline")
    answer = robot.get(f"{API}stats/").json()
    assert (answer["movies"], answer["links"], answer["active_links"], answer["open_jobs"]) == (1, 2, 1, 1)
    assert answer["unchecked_links"] == 2
    assert (answer["last_run"]["checked"], answer["last_run"]["withheld"]) == (2, True)


def walk(client, since=""):
    """Request changes until there are no more, as a mirror would."""
    pages = []
    while True:
        page = client.get(CHANGES, {"since": since}).json()
        assert set(page) == {"changed", "removed", "next_since", "more"}
        pages.append(page)
        if not page["more"]:
            return pages
        since = page["next_since"]


def names(pages, key):
    return [row["imdb_id"] for page in pages for row in page[key]]


def test_a_mirror_sees_added_removed_and_restored_movies(robot):
    stays, goes, returns = make_movie(), make_movie(), make_movie()
    make_link(stays)
    make_link(stays, is_active=False)
    (start,) = walk(robot)
    assert set(names([start], "changed")) == {stays.imdb_id, goes.imdb_id, returns.imdb_id}
    assert len(start["changed"][0]["links"]) == 1
    (still,) = walk(robot, start["next_since"])
    assert (still["changed"], still["removed"], still["next_since"]) == ([], [], start["next_since"])
    remove_movies(Movie.objects.exclude(pk=stays.pk), reason="all gone")
    (gone,) = walk(robot, start["next_since"])
    assert (names([gone], "changed"), set(names([gone], "removed"))) == ([], {goes.imdb_id, returns.imdb_id})
    assert set(gone["removed"][0]) == {"imdb_id", "title", "removed_at", "reason"}
    restore_movies([returns.imdb_id])
    (back,) = walk(robot, gone["next_since"])
    assert (names([back], "changed"), back["removed"]) == ([returns.imdb_id], [])


def test_a_removed_movie_that_was_added_again_is_not_reported_as_removed(robot):
    make_movie(imdb_id="tt0000007")
    remove_movies(Movie.objects.all(), reason="gone")
    make_movie(imdb_id="tt0000007")
    (page,) = walk(robot)
    assert (names([page], "changed"), page["removed"]) == (["tt0000007"], [])


@pytest.mark.parametrize("since", ["", "2026-01-01", "2999-01-01T00:00:00+02:00"])
def test_without_changes_next_since_is_still_valid(robot, since):
    (page,) = walk(robot, since)
    (again,) = walk(robot, page["next_since"])
    assert again == page
    assert (page["changed"], page["removed"]) == ([], [])


def test_many_changes_are_paged_completely_and_each_movie_comes_once(robot, monkeypatch):
    monkeypatch.setattr("streaming.views.CHANGES_PAGE_SIZE", 3)
    wanted = {make_movie().imdb_id for _ in range(8)}
    mark_updated(Movie.objects.all())
    gone = {make_movie().imdb_id for _ in range(4)}
    remove_movies(Movie.objects.filter(imdb_id__in=gone), reason="gone")
    pages = walk(robot)
    assert (len(pages), set(names(pages, "changed")), set(names(pages, "removed"))) == (4, wanted, gone)
    assert len(names(pages, "changed")) == 8


def test_a_page_has_no_more_links_than_a_web_process_can_bear(robot, monkeypatch):
    """500 films with a thousand links each took it a minute and 3 GB."""
    monkeypatch.setattr("streaming.exchange.change_feed.MAX_LINKS_PER_PAGE", 5)
    movies = [make_movie() for _ in range(4)]
    for movie, number in zip(movies, (3, 2, 1, 9), strict=True):
        for _ in range(number):
            make_link(movie)
    remove_movies(Movie.objects.filter(pk=make_movie().pk), reason="gone")
    number_all_changes()
    pages = walk(robot)
    assert [len(names([page], "changed")) for page in pages] == [2, 1, 1, 0]
    assert [len(movie["links"]) for page in pages for movie in page["changed"]] == [3, 2, 1, 9]
    assert len(names(pages, "removed")) == 1


def numbered(movie, *, days_ago):
    """Number the changes so far and let the movie's have this age."""
    number_all_changes()
    Change.objects.filter(pk=movie.imdb_id).update(numbered_at=timezone.now() - timedelta(days=days_ago))


def test_changes_since_a_date_or_a_time(robot):
    old, new = make_movie(), make_movie()
    numbered(old, days_ago=400)
    yesterday = timezone.now() - timedelta(days=1)
    for since in (yesterday.isoformat(), f"{yesterday:%Y-%m-%d}", f"{yesterday:%Y-%m-%dT%H:%M:%SZ}"):
        assert names(walk(robot, since), "changed") == [new.imdb_id]


def test_a_cursor_of_an_earlier_release_repeats_ten_minutes_and_leads_to_a_new_one(robot):
    old, between, new = make_movie(), make_movie(), make_movie()
    numbered(old, days_ago=3)
    numbered(between, days_ago=2)
    moment = Change.objects.get(pk=between.imdb_id).numbered_at + timedelta(minutes=9)
    (page,) = walk(robot, f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}~0-{between.pk}")
    assert names([page], "changed") == [between.imdb_id, new.imdb_id]
    assert walk(robot, page["next_since"])[0]["changed"] == []


def test_a_clock_that_jumps_hides_no_change_from_mirrors_that_keep_times(robot):
    ahead = make_movie()
    numbered(ahead, days_ago=-365)
    start = timezone.now().isoformat()
    later = make_movie()
    assert names(walk(robot, start), "changed") == [ahead.imdb_id, later.imdb_id]


def test_a_movie_deleted_without_a_tombstone_is_reported_as_removed(robot):
    movie = make_movie()
    (page,) = walk(robot)
    Movie.objects.filter(pk=movie.pk).delete()
    (gone,) = walk(robot, page["next_since"])
    assert names([gone], "removed") == [movie.imdb_id]
    assert gone["removed"][0]["removed_at"] is not None


def test_a_cursor_of_another_catalogue_is_refused_and_the_message_says_what_to_do(robot):
    make_movie()
    response = robot.get(CHANGES, {"since": "n7"})
    assert response.status_code == 410
    assert "start without since" in response.json()["detail"]


@pytest.mark.parametrize(
    "since",
    [
        "yesterday",
        "2026-13-01",
        "2026-01-01T00:00:00~0-1",
        "garbage~0-1",
        "~",
        "n",
        "n-1",
        "n1.5",
        "n" + "9" * 19,
        "\x00",
        "9" * 5000,
        "0001-01-01T00:00:00+23:59~0-1",
        "9999-12-31T23:59:59-23:59~2-1",
    ],
)
def test_a_malformed_since_is_rejected(robot, since):
    response = robot.get(CHANGES, {"since": since})
    assert (response.status_code, list(response.json())) == (400, ["since"])


def test_changes_cost_the_same_number_of_queries_however_many_they_are(robot, django_assert_num_queries):
    def story(number):
        for _ in range(number):
            make_link(make_movie())
        gone = [make_movie().pk for _ in range(number)]
        remove_movies(Movie.objects.filter(pk__in=gone), reason="gone")
        number_all_changes()

    story(1)
    with django_assert_num_queries(9):
        robot.get(CHANGES)
    story(20)
    with django_assert_num_queries(9):
        robot.get(CHANGES)


@pytest.mark.parametrize("address", ["sources/", "stats/", "changes/", ""])
def test_unknown_parameters_are_rejected_everywhere(robot, address):
    response = robot.get(f"{API}{address}?colour=red")
    assert (response.status_code, list(response.json())) == (400, ["detail"])


@pytest.mark.parametrize(
    "address",
    ["/api/streaming/nothing/", "/api/v2/", "/api/streaming/movies/1/links/", "/api/streaming/movies/a.json/"],
)
@pytest.mark.parametrize("method", ["get", "post", "delete", "options"])
def test_an_unknown_url_is_a_404_in_json(robot, address, method):
    response = getattr(robot, method)(address)
    assert (response.status_code, list(response.json())) == (404, ["detail"])


def test_a_url_without_its_slash_is_redirected(robot):
    assert robot.get(f"{API}movies?type=show")["Location"] == f"{API}movies/?type=show"


@pytest.mark.parametrize("address", ["movies/", "sources/", "stats/", "changes/", "schema/", ""])
def test_wrong_methods_are_a_405_in_json(robot, address):
    response = robot.put(f"{API}{address}")
    assert (response.status_code, list(response.json())) == (405, ["detail"])


@pytest.mark.parametrize("accept", ["text/html,*/*;q=0.8", "*/*", "application/json"])
def test_every_response_is_json(robot, accept):
    response = robot.get(f"{API}movies/", headers={"Accept": accept})
    assert response["Content-Type"] == "application/json"
    assert robot.get(f"{API}movies/?format=api").status_code == 404
    assert list(robot.get(f"{API}movies/?format=api").json()) == ["detail"]


def test_an_unexpected_error_is_a_500_in_json_without_details(monkeypatch):
    def broken():
        raise RuntimeError("a secret of the server")

    monkeypatch.setattr(statistics, "totals", broken)
    response = Client(raise_request_exception=False).get(f"{API}stats/")
    assert (response.status_code, response.json()) == (500, {"detail": "Something went wrong here."})


def test_an_unexpected_error_is_still_reported_to_the_developer(robot, monkeypatch):
    def broken():
        raise DatabaseError("disk I/O error")

    monkeypatch.setattr(statistics, "totals", broken)
    with pytest.raises(DatabaseError):
        robot.get(f"{API}stats/")


def test_the_schema_is_valid_and_complete(tmp_path):
    target = tmp_path / "schema.json"
    call_command("spectacular", "--format", "openapi-json", "--validate", "--fail-on-warn", "--file", str(target))
    schema = json.loads(target.read_text())
    assert schema["openapi"].startswith("3.1")
    assert {
        "/api/streaming/movies/", "/api/streaming/movies/{id}/", "/api/streaming/movies/{id}/refresh_links/",
        "/api/streaming/jobs/{id}/", "/api/streaming/jobs/{id}/cancel/", "/api/streaming/sources/",
        "/api/streaming/stats/", "/api/streaming/changes/", "/api/streaming/links/", "/api/streaming/links/{id}/",
        "/api/streaming/links/{id}/check/", "/api/streaming/bulk/",
    } <= set(schema["paths"])  # fmt: skip
    parameters = {parameter["name"] for parameter in schema["paths"]["/api/streaming/movies/"]["get"]["parameters"]}
    assert parameters == {
        "type", "year", "year_min", "year_max", "source", "quality", "language", "licence", "has_links", "search",
        "genre", "country", "person", "captions", "runtime_min", "runtime_max",
        "updated_since", "ordering", "page", "page_size", "cursor",
    }  # fmt: skip


def test_the_schema_says_how_a_wrong_request_is_refused(robot):
    schema = robot.get(f"{API}schema/").json()
    operations = [one for methods in schema["paths"].values() for one in methods.values()]
    refusals = {json.dumps(one["responses"]["400"]["content"]) for one in operations}
    assert refusals == {'{"application/json": {"schema": {"$ref": "#/components/schemas/Invalid"}}}'}
    described = schema["components"]["schemas"]
    assert all(described[name]["additionalProperties"] is False for name in ("MovieWrite", "PatchedLinkWrite"))
    assert described["Bulk"]["properties"]["operations"]["minItems"] == 1
    movie, link = (described[name]["properties"] for name in ("MovieWrite", "LinkWrite"))
    assert (movie["title"]["minLength"], link["source_url"]["minLength"]) == (1, 1)
    assert "minLength" not in movie["synopsis"], "which may be empty"
    answered = [described[name]["properties"] for name in ("Job", "Movie", "SourceResult") if name in described]
    assert len(answered) >= 2
    assert "minLength" not in json.dumps(answered), "an outcome, for instance, is empty at first"
    genres = movie["genres"]["items"]["allOf"][0]["$ref"].rpartition("/")[2]
    assert "western" in described[genres]["enum"]
    assert [bool(re.fullmatch(link["source"]["pattern"], slug)) for slug in ("internet_archive", "", "A b")] == [
        True, False, False,
    ]  # fmt: skip
    named = {one["name"]: one["schema"] for operation in operations for one in operation.get("parameters", ())}
    assert named["imdb_id"]["pattern"] == "^tt[0-9]{7,9}$"
    assert re.fullmatch(named["language"]["pattern"], "pt-BR")
    assert not re.fullmatch(named["language"]["pattern"], "")
    assert (named["year"]["minimum"], named["year"]["maximum"]) == (1870, 2200)
    for address in ("stats/?x=1", "movies/?language=", "titles/nm1/", "changes/?since=x"):
        refused = robot.get(f"{API}{address}")
        assert refused.status_code == 400
        assert all(isinstance(value, str | list) for value in refused.json().values())


MANY_FIRST_READERS = """
import sys, threading, django
django.setup()
from django.test import Client
sys.setswitchinterval(1e-6)
start, statuses = threading.Barrier(8), []
def read():
    client = Client(raise_request_exception=False, headers={"Host": "127.0.0.1"})
    start.wait()
    statuses.append(client.get("/api/streaming/schema/").status_code)
readers = [threading.Thread(target=read) for _ in range(8)]
[reader.start() for reader in readers]
[reader.join() for reader in readers]
print(statuses)
"""


@pytest.mark.slow
def test_several_may_ask_for_the_schema_at_once_in_a_new_process():
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(PROJECT_ROOT)}
    command = [sys.executable, "-c", MANY_FIRST_READERS]
    read = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False)
    assert read.stdout.splitlines()[-1] == str([200] * 8), read.stderr


def test_the_schema_is_served_as_json_and_its_page_needs_no_other_site(robot):
    assert robot.get(f"{API}schema/").json()["openapi"].startswith("3.1")
    page = robot.get(f"{API}docs/", headers={"Accept": "text/html"}).content.decode()
    assert "/static/drf_spectacular_sidecar/" in page
    assert "https://" not in page


@pytest.mark.parametrize("method", ["options", "post", "delete"])
def test_the_docs_page_is_read_only(robot, method):
    response = getattr(robot, method)(f"{API}docs/", headers={"Accept": "text/html"})
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")


def test_the_root_lists_the_endpoints(robot):
    response = robot.get(API).json()
    assert set(response) == {"movies", "sources", "stats", "changes", "schema", "docs"}
    for address in response.values():
        assert robot.get(address, headers={"Accept": "*/*"}).status_code == 200
