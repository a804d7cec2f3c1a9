"""Discovery reads a source page by page; a killed run resumes."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from urllib.parse import urlencode

import pytest

from scraper.extraction import source_urls, wikidata_queries, wikidata_statements
from streaming.scraping.crawling import checkpoint
from streaming.scraping.crawling.checkpoint import Checkpoint
from tests.commands.test_scrape_real_source import PROJECT_ROOT, Site
from tests.helpers.external_services import migrated_sqlite
from tests.helpers.fake_sources import source_web
from tests.helpers.http_servers import Page

pytestmark = pytest.mark.slow

FIRST_KEYS = ["tt", "tt1000099", "tt1000199", "tt1000299", "tt1000399"]


@pytest.fixture
def web():
    with source_web() as web:
        yield web


@pytest.fixture
def site(tmp_path, web):
    migrated_sqlite(tmp_path / "openreel.sqlite3")
    return Site(tmp_path, web.settings())


def movies(tmp_path):
    with closing(sqlite3.connect(tmp_path / "openreel.sqlite3")) as database:
        return [row[0] for row in database.execute("SELECT imdb_id FROM streaming_movie ORDER BY imdb_id")]


def kept(tmp_path):
    return checkpoint.read_checkpoint(tmp_path / "discover-wikidata.json")


@pytest.mark.parametrize("after", ["", 'tt1" } DROP', "nm0000001", "tt1\n", "tt12345678901"])
def test_only_a_key_is_accepted_in_the_query(after):
    with pytest.raises(ValueError):
        wikidata_queries.films_query(after, limit=10)


@pytest.mark.parametrize("limit", [0, -1, 501])
def test_the_page_size_is_bounded(limit):
    with pytest.raises(ValueError):
        wikidata_queries.films_query("tt", limit=limit)


def test_the_longest_query_fits_a_url_that_is_requested():
    query = {"query": wikidata_queries.films_query("tt123456789", limit=500), "format": "json"}
    assert len(f"https://query.wikidata.org/sparql?{urlencode(query)}") < 2000


def test_a_checkpoint_is_read_as_written(tmp_path):
    path = tmp_path / "deeper" / "mark.json"
    assert checkpoint.read_checkpoint(path) == Checkpoint()
    checkpoint.write_checkpoint(path, Checkpoint("tt5", 7))
    assert checkpoint.read_checkpoint(path) == Checkpoint("tt5", 7)
    assert json.loads(path.read_text()) == {"after": "tt5", "taken": 7}


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"after": "tt1"}', '{"after": "tt1", "taken": "x"}', "null"])
def test_an_unreadable_checkpoint_means_the_start(tmp_path, body):
    (tmp_path / "mark").write_text(body)
    assert checkpoint.read_checkpoint(tmp_path / "mark") == Checkpoint()


def test_a_killed_run_is_resumed_and_no_page_is_read_twice(site, web, tmp_path):
    web.hold_after = "tt1000199"
    command = [sys.executable, "manage.py", "discover", "--source", "wikidata", "--limit", "500"]
    process = subprocess.Popen(command, cwd=PROJECT_ROOT, env=site.environment, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 40
    while kept(tmp_path).film_count < 200 and time.monotonic() < end:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    assert kept(tmp_path) == Checkpoint("tt1000199", 200)
    assert len(movies(tmp_path)) == 200
    web.hold_after = ""
    stated = site.run(*command[2:])
    assert stated.returncode == 0, stated.stderr
    assert "300 films read, 300 new. 300 new links." in stated.stdout
    assert len(movies(tmp_path)) == 500
    assert web.pages == FIRST_KEYS
    assert kept(tmp_path) == Checkpoint("tt1000499", 0)


def test_the_limit_alone_bounds_how_many_pages_are_read(site, web, tmp_path):
    web.films = 730
    stated = site.run("discover", "--source", "wikidata", "--limit", "2000")
    assert (stated.returncode, "730 films read, 730 new." in stated.stdout) == (0, True), stated.stderr
    assert len(web.pages) == 8


def test_all_reads_to_the_end_of_the_list(site, web, tmp_path):
    web.films = 620
    stated = site.run("discover", "--source", "wikidata", "--all")
    assert (stated.returncode, "620 films read, 620 new." in stated.stdout) == (0, True), stated.stderr
    assert "The end of the source's list is reached" in stated.stdout
    assert "600 films, 600 new" in stated.stdout


def test_the_next_run_resumes_and_the_last_one_says_so(site, web, tmp_path):
    web.films = 150
    checkpoint.write_checkpoint(tmp_path / "discover-wikidata.json", Checkpoint("tt1000119", 0))
    stated = site.run("discover", "--source", "wikidata", "--limit", "100")
    assert "30 films read, 30 new." in stated.stdout
    assert "starts over" in stated.stdout
    assert kept(tmp_path) == Checkpoint("", 0)
    exported = [json.loads(line) for line in site.run("export_catalogue").stdout.splitlines()]
    assert len(exported) == 30
    assert (exported[0]["title"], exported[0]["year"]) == ("Film 120", 1925)
    (link,) = exported[0]["links"]
    assert (link["source_url"], link["licence"]) == ("https://archive.org/details/film_120", "public-domain")


def test_items_of_the_archive_count_when_they_state_a_free_licence(site, web, tmp_path):
    web.films = 150
    stated = site.run("discover", "--source", "internet_archive", "--limit", "500")
    assert stated.returncode == 0, stated.stderr
    assert "100 films read, 100 new. 100 new links." in stated.stdout
    assert web.pages == ["0", "100", "150"]
    exported = [json.loads(line) for line in site.run("export_catalogue").stdout.splitlines()]
    assert len(exported) == 100
    assert {link["licence"] for film in exported for link in film["links"]} == {"public-domain"}
    assert exported[0]["links"][0]["source_url"] == f"{web.url}/archive/details/item_1"
    assert exported[0]["synopsis"] == "The tale of film 1 & others"
    assert checkpoint.read_checkpoint(tmp_path / "discover-internet_archive.json") == Checkpoint()


def test_a_run_through_the_archive_resumes_at_its_cursor(site, web, tmp_path):
    checkpoint.write_checkpoint(tmp_path / "discover-internet_archive.json", Checkpoint("300", 0))
    assert site.run("discover", "--source", "internet_archive", "--limit", "100").returncode == 0
    assert web.pages == ["300"]
    assert checkpoint.read_checkpoint(tmp_path / "discover-internet_archive.json") == Checkpoint("400", 0)


def test_a_dry_run_saves_nothing(site, web, tmp_path):
    stated = site.run("discover", "--source", "wikidata", "--limit", "20", "--dry-run")
    assert "20 films read, 20 would be new." in stated.stdout
    assert movies(tmp_path) == []
    assert kept(tmp_path) == Checkpoint()


def test_a_failed_source_is_reported_and_nothing_is_lost(site, web, tmp_path):
    checkpoint.write_checkpoint(tmp_path / "discover-wikidata.json", Checkpoint("tt1000199", 200))
    web.faults["/sparql"] = Page("slow down", status=429, headers={"Retry-After": "60"})
    stated = site.run("discover", "--source", "wikidata", "--limit", "500")
    assert stated.returncode == 1
    assert "The site answered 429" in stated.stderr
    assert "Traceback" not in stated.stderr
    assert kept(tmp_path) == Checkpoint("tt1000199", 200)
    web.faults.clear()
    again = site.run("discover", "--source", "wikidata", "--limit", "500")
    assert (again.returncode, "asked us to come back at" in again.stderr) == (1, True)
    assert web.hits["/sparql"] == 1


@pytest.mark.parametrize("words", [["--source", "vodo"], [], ["--source", "wikidata", "--limit", "0"]])
def test_wrong_arguments_are_one_sentence(site, words):
    stated = site.run("discover", *words)
    assert stated.returncode == 1
    assert len(stated.stderr.splitlines()) == 1


def test_a_restarted_run_requests_no_page_twice_within_a_day(site, web, tmp_path):
    assert "100 would be new" in site.run("discover", "--source", "wikidata", "--limit", "100", "--dry-run").stdout
    stated = site.run("discover", "--source", "wikidata", "--limit", "100")
    assert "100 films read, 100 new." in stated.stdout
    assert web.pages == ["tt"]
    assert web.hits["/sparql"] == 1
    (answer,) = (tmp_path / "discover-answers").glob("wikidata/*/*")
    yesterday = time.time() - 86_400 - 60
    for path in (*answer.iterdir(), answer):
        os.utime(path, (yesterday, yesterday))
    assert site.run("discover", "--source", "wikidata", "--limit", "100", "--dry-run").returncode == 0
    assert web.pages == ["tt", "tt"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Page("busy", status=503), "The site answered 503"),
        (Page('{"results": {"bindings": [', content_type="application/json"), "the answer is cut off"),
        (Page("<html>too many requests</html>"), "the answer is a page, not data"),
    ],
)
def test_an_unusable_response_is_not_cached(site, web, tmp_path, fault, said):
    web.faults["/sparql"] = fault
    assert said in site.run("discover", "--source", "wikidata", "--limit", "10").stderr
    web.faults.clear()
    assert "10 films read, 10 new." in site.run("discover", "--source", "wikidata", "--limit", "10").stdout


def test_posters_are_filled_in_and_edits_of_staff_stay(site, web, tmp_path):
    web.films = 4
    ours = {
        "imdb_id": "tt1000001",
        "title": "Ours",
        "poster_url": "https://p.example.org/1.jpg",
        "synopsis": "Our words",
    }
    assert site.run("import_catalogue", "-", given=json.dumps(ours)).returncode == 0
    assert site.run("discover", "--source", "wikidata", "--limit", "100").returncode == 0
    exported = {film["imdb_id"]: film for film in map(json.loads, site.run("export_catalogue").stdout.splitlines())}
    pictures = "https://commons.wikimedia.org/wiki/Special:FilePath"
    assert {imdb_id: film["poster_url"] for imdb_id, film in exported.items()} == {
        "tt1000000": f"{pictures}/Still_0.png?width=500",
        "tt1000001": "https://p.example.org/1.jpg",
        "tt1000002": f"{pictures}/Still_2.png?width=500",
        "tt1000003": f"{pictures}/Film_3.jpg?width=500",
    }
    assert (exported["tt1000001"]["title"], exported["tt1000001"]["synopsis"]) == ("Ours", "Our words")


@pytest.mark.parametrize(
    ("value", "poster"),
    [
        ("http://commons.wikimedia.org/wiki/Special:FilePath/A%20%C3%A4.JPG", "A_%C3%A4.JPG"),
        ("https://commons.wikimedia.org/wiki/Special:FilePath/A%3Fb.png", "A%3Fb.png"),
        ("http://commons.wikimedia.org/wiki/Special:FilePath/Film.webm", ""),
        ("http://commons.wikimedia.org/wiki/Special:FilePath/..%2F..%2Fx.jpg", ""),
        ("http://commons.wikimedia.org/wiki/Special:FilePath/a%0Ab.jpg", ""),
        ("http://evil.example/Special:FilePath/a.jpg", ""),
        ("http://[/Special:FilePath/a.jpg", ""),
        ("a.jpg", ""),
        ("", ""),
    ],
)
def test_a_poster_is_a_thumbnail_of_commons(value, poster):
    pictures = "https://commons.wikimedia.org/wiki/Special:FilePath"
    assert source_urls.commons_thumbnail_url(value) == (f"{pictures}/{poster}?width=500" if poster else "")


def test_a_film_under_copyright_gets_no_poster():
    row = {"imdb": "tt1000001", "title": "T", "poster": "http://commons.wikimedia.org/wiki/Special:FilePath/a.jpg"}
    rows = [row, row | {"copyright_status": "http://www.wikidata.org/entity/Q19652"}]
    bindings = [{name: {"value": value} for name, value in one.items()} for one in rows]
    protected, free = wikidata_statements.parse_film_table({"results": {"bindings": bindings}}).films
    assert protected.poster_url == ""
    assert free.poster_url.endswith("/a.jpg?width=500")
