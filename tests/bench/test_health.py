"""The benchmark of the checker: what is missing, how verdicts are scored, and that its programs run."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bench import farm as origin
from bench import health, lists, lychee
from bench.load import load
from bench.verdicts import Score, count
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


def test_a_missing_compiler_is_reported_in_one_line(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["health"])
    health.main()
    output = capsys.readouterr().out
    assert output.count("\n") == 1
    assert "apt-get install gcc libssl-dev" in output


def test_without_openssl_https_is_left_out(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "https is left out" in origin.missing_for_tls()


def test_wrong_verdicts_are_counted():
    verdicts = {"http://a/1": DEAD, "http://a/2": ALIVE, "http://a/3": DEAD, "http://b/4": DEAD, "http://a/5": DEAD}
    assert count(LISTED, verdicts.get) == Score(wrong=4, alive_called_dead=2)


def test_a_film_is_lost_if_it_is_removed_with_a_link_that_is_not_dead():
    right = {link.url: DEAD if link.right.expected == DEAD else ALIVE for link in LISTED}
    score = count(LISTED, right.get, movie_exists=lambda movie: movie not in (2, 3, 4))
    assert score == Score(0, 0, films_lost=1, films_gone=2, films_all_dead=3)


def test_links_of_a_host_that_is_down_are_rightly_kept(tmp_path):
    listed, database = lists.write_list(LISTED, tmp_path / "H.tsv"), tmp_path / "db.sqlite3"
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
    with_removals = health.score_database(database, listed, removes_movies=True)
    assert with_removals == Score(1, 0, films_lost=0, films_gone=2, films_all_dead=3)
    assert health.score_database(database, listed, removes_movies=False) == Score(1, 0)


def test_a_program_that_takes_too_long_is_stopped(farm, tmp_path):
    bench = health.Bench(tmp_path, farm, Path(), None, patience=1.0)
    timed = bench.time_program([sys.executable, "-c", "import time; time.sleep(60)"], lambda: Score(0, 0))
    assert timed.score is None
    assert timed.mebibytes > 1


def test_lychee_is_left_out_if_it_cannot_be_installed():
    assert "bare" in health.select_programs("B", [], has_lychee=False)
    assert not any(name.startswith("lychee") for name in health.select_programs("B", [], has_lychee=False))
    assert "its rows are left out" in lychee.MISSING


def test_the_table_shows_the_median_run(farm):
    stats = farm.stats()
    runs = health.Runs("B 10", 10, {"openreel": [health.Timed(s, 1.0, 50, stats, Score(0, 0)) for s in (5, 1, 2)]})
    runs.of["requests"] = [health.Timed(20.0, 1.0, 50, stats)]
    ours, theirs = runs.rows()
    assert ours[:5] == ["B 10", "Openreel, database included", "2.0", "5", "1.00"]
    assert theirs[2:5] == ["> 20, stopped", "-", "< 0.10"]


def test_programs_that_do_not_read_pages_find_all_other_dead_links(farm, tmp_path):
    links = list(lists.generate("S", 200, farm.ports, hosts=HOSTS))
    listed = lists.write_list(links, tmp_path / "S.tsv")
    bench = health.Bench(tmp_path, farm, origin.compile_program("bare.c", tmp_path), None, patience=60.0)
    soft = sum(link.right.expected == DEAD and link.behaviour not in ("404", "wall") for link in links)
    for run in (health.bare, health.pycurl_alone, health.requests_pool):
        timed = run(bench, listed)
        assert timed.score == Score(soft, 0), run
        assert timed.stats.most_answering <= 4, run
        assert timed.stats.requests >= len(links)


def test_programs_send_get_if_head_is_rejected(farm, tmp_path):
    links = [
        link for link in lists.generate("H", 300, farm.ports, hosts=HOSTS) if link.behaviour in ("no-head-405", "moved")
    ]
    listed = lists.write_list(links, tmp_path / "H.tsv")
    bench = health.Bench(tmp_path, farm, origin.compile_program("bare.c", tmp_path), None, patience=60.0)
    for run in (health.pycurl_alone, health.requests_pool):
        assert run(bench, listed).score == Score(0, 0), run
    rejected = sum(link.behaviour == "no-head-405" for link in links)
    assert health.bare(bench, listed).score == Score(rejected, rejected)


@pytest.mark.django_db
def test_a_list_becomes_movies_and_links(tmp_path):
    ports = lists.Ports(8001, 8002, 8003, 8004)
    links = list(lists.generate("S", 5200, ports))
    load(lists.write_list(links, tmp_path / "S.tsv"))
    assert StreamingLink.objects.count() == 5200
    assert Movie.objects.count() == links[-1].movie
    last = StreamingLink.objects.get(source_url=links[-1].url)
    assert (last.movie.imdb_id, last.movie.title) == (lists.imdb_id(links[-1].movie), links[-1].title)
    media = {link.url for link in links if link.right.media}
    assert set(StreamingLink.objects.filter(kind="file").values_list("source_url", flat=True)) == media
