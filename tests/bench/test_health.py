"""The timing of the checker says what it lacks, counts wrong verdicts rightly, and its programs run."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bench import farm as origin
from bench import health, lists, lychee
from bench.load import load
from bench.verdicts import Counted, count
from streaming.models import Movie, StreamingLink
from tests.helpers.raw_http import HOSTS

pytestmark = pytest.mark.slow

ALIVE, DEAD = lists.ALIVE, lists.DEAD
LISTED = [
    lists.Listed("http://a/1", "page", 1, "One"),
    lists.Listed("http://a/2", "404", 2, "Two"),
    lists.Listed("http://a/3", "429", 3, "Three"),
    lists.Listed("http://b/4", "hang", 4, "Four"),
    lists.Listed("http://a/5", "410", 4, "Four"),
    lists.Listed("http://a/6", "nothing", 5, "Five"),
]


def test_without_a_compiler_it_says_so_in_one_line(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["health"])
    health.main()
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "apt-get install gcc libssl-dev" in said


def test_without_openssl_https_is_left_out(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "https is left out" in origin.missing_for_tls()


def test_wrong_verdicts_are_counted():
    stated = {"http://a/1": DEAD, "http://a/2": ALIVE, "http://a/3": DEAD, "http://b/4": DEAD, "http://a/5": DEAD}
    assert count(LISTED, stated.get) == Counted(wrong=4, alive_called_dead=2)


def test_films_are_lost_when_a_link_of_theirs_does_not_say_that_it_is_gone():
    right = {link.url: DEAD if link.right.expected == DEAD else ALIVE for link in LISTED}
    counted = count(LISTED, right.get, is_there=lambda movie: movie not in (2, 4))
    assert counted == Counted(0, 0, films_lost=1, films_gone=1, films_all_gone=2)


def test_links_of_hosts_that_are_down_as_a_whole_are_rightly_kept(tmp_path):
    listed, database = lists.written(LISTED, tmp_path / "H.tsv"), tmp_path / "db.sqlite3"
    states = [(1, "ok"), (0, "http_404"), (1, ""), (1, "host_down"), (1, "ok")]
    with closing(sqlite3.connect(database)) as rows:
        rows.execute("CREATE TABLE streaming_streaminglink (source_url, is_active, reason)")
        rows.execute("CREATE TABLE streaming_movie (imdb_id)")
        rows.executemany(
            "INSERT INTO streaming_streaminglink VALUES (?, ?, ?)",
            [(link.url, *state) for link, state in zip(LISTED, states, strict=False)],
        )
        rows.executemany("INSERT INTO streaming_movie VALUES (?)", [("tt0000001",), ("tt0000003",), ("tt0000004",)])
        rows.commit()
    pruned = health.in_database(database, listed, pruned=True)
    assert pruned == Counted(1, 0, films_lost=0, films_gone=2, films_all_gone=2)
    assert health.in_database(database, listed, pruned=False) == Counted(1, 0)


def test_a_program_that_does_not_end_is_ended(farm, tmp_path):
    bench = health.Bench(tmp_path, farm, Path(), None, patience=0.2)
    timed = bench.timed([sys.executable, "-c", "import time; time.sleep(60)"], lambda: Counted(0, 0))
    assert timed.counted is None
    assert timed.mebibytes > 1


def test_lychee_is_left_out_when_it_cannot_be_had():
    assert "bare" in health.asked_for("B", [], has_lychee=False)
    assert not any(name.startswith("lychee") for name in health.asked_for("B", [], has_lychee=False))
    assert "its rows are left out" in lychee.MISSING


def test_the_table_shows_the_run_in_the_middle(farm):
    seen = farm.stats()
    runs = health.Runs("B 10", 10, {"openreel": [health.Timed(s, 1.0, 50, seen, Counted(0, 0)) for s in (5, 1, 2)]})
    runs.of["requests"] = [health.Timed(20.0, 1.0, 50, seen)]
    ours, theirs = runs.rows()
    assert ours[:5] == ["B 10", "Openreel, database included", "2.0", "5", "1.00"]
    assert theirs[2:5] == ["> 20, ended", "-", "< 0.10"]


def test_programs_that_see_no_soft_death_see_the_rest(farm, tmp_path):
    links = list(lists.made("S", 200, farm.ports, hosts=HOSTS))
    listed = lists.written(links, tmp_path / "S.tsv")
    bench = health.Bench(tmp_path, farm, origin.compiled("bare.c", tmp_path), None, patience=60.0)
    soft = sum(link.right.expected == DEAD and link.behaviour not in ("404", "wall") for link in links)
    for run in (health.bare, health.pycurl_alone, health.requests_pool):
        timed = run(bench, listed)
        assert timed.counted == Counted(soft, 0), run
        assert timed.seen.most_answering <= 4, run
        assert timed.seen.requests >= len(links)


def test_programs_ask_again_where_head_is_refused(farm, tmp_path):
    links = [
        link for link in lists.made("H", 300, farm.ports, hosts=HOSTS) if link.behaviour in ("no-head-405", "moved")
    ]
    listed = lists.written(links, tmp_path / "H.tsv")
    bench = health.Bench(tmp_path, farm, origin.compiled("bare.c", tmp_path), None, patience=60.0)
    for run in (health.pycurl_alone, health.requests_pool):
        assert run(bench, listed).counted == Counted(0, 0), run
    refused = sum(link.behaviour == "no-head-405" for link in links)
    assert health.bare(bench, listed).counted == Counted(refused, refused)


@pytest.mark.django_db
def test_a_list_becomes_movies_and_links(tmp_path):
    ports = lists.Ports(8001, 8002, 8003, 8004)
    links = list(lists.made("S", 5200, ports))
    load(lists.written(links, tmp_path / "S.tsv"))
    assert StreamingLink.objects.count() == 5200
    assert Movie.objects.count() == links[-1].movie
    last = StreamingLink.objects.get(source_url=links[-1].url)
    assert (last.movie.imdb_id, last.movie.title) == (lists.imdb_id(links[-1].movie), links[-1].title)
    media = {link.url for link in links if link.right.media}
    assert set(StreamingLink.objects.filter(kind="file").values_list("source_url", flat=True)) == media
