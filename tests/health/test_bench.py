"""The timing of the checker says what it lacks, and counts wrong verdicts rightly."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from bench import health


def test_without_the_farm_it_says_so_in_one_line(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(health, "SHARED", health.ROOT.parent / "nowhere" / "bench")
    monkeypatch.setattr("sys.argv", ["health"])
    health.main()
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "the farm is not here" in said


def test_wrong_verdicts_are_counted(tmp_path):
    listed, database = tmp_path / "list.tsv", tmp_path / "db.sqlite3"
    listed.write_text(
        "http://a/1\tok\talive\nhttp://a/2\t404\tdead\nhttp://a/3\t429\tnotdead\nhttp://b/4\thang\tdead\n"
    )
    told = {"http://a/1": "alive", "http://a/2": "alive", "http://a/3": "unknown", "http://b/4": "dead"}
    assert health.wrong_of(told, listed) == 1
    with closing(sqlite3.connect(database)) as rows:
        rows.execute("CREATE TABLE streaming_streaminglink (source_url, is_active, reason)")
        states = [(1, "ok"), (0, "http_404"), (0, "http_4xx"), (1, "host_down")]
        rows.executemany(
            "INSERT INTO streaming_streaminglink VALUES (?, ?, ?)",
            [(url, *state) for url, state in zip(told, states, strict=True)],
        )
        rows.commit()
    assert health.wrong_in(database, listed) == 1
