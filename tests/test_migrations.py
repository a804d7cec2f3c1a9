"""Data migrations, forward and back, with every kind of row, on both databases."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.helpers.external_services import temporary_postgres
from tests.helpers.paths import PROJECT_ROOT

pytestmark = pytest.mark.slow  # each test starts a process

PRELUDE = """
import json, sys
import django
django.setup()
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

def models_at(name):
    MigrationExecutor(connection).migrate([("streaming", name)])
    return MigrationExecutor(connection).loader.project_state([("streaming", name)]).apps

now, rows = timezone.now(), json.loads(sys.argv[1])
"""
OUTCOMES = """
runs = models_at("0006_parts_of_a_run").get_model("streaming", "HealthRun").objects
for row in rows:
    runs.create(finished_at=now if row.pop("closed") else None, **row)
runs = models_at("0007_outcome_of_a_run").get_model("streaming", "HealthRun").objects
print(json.dumps(list(runs.order_by("pk").values_list("outcome", "withheld", "reason"))))
runs = models_at("0006_parts_of_a_run").get_model("streaming", "HealthRun").objects
print(json.dumps(list(runs.order_by("pk").values_list("withheld", "reason"))))
"""
INTERRUPTED = "interrupted; bad answers were not believed yet, those links are asked again next time"
PROBER_DIED = "the process that asks the links died"
RUNS = [
    ({"closed": True, "withheld": False, "reason": ""}, "completed"),
    ({"closed": True, "withheld": False, "reason": "host down, links kept: films.example.org"}, "completed"),
    ({"closed": True, "withheld": False, "reason": f"{INTERRUPTED}, or so"}, "completed"),
    ({"closed": True, "withheld": True, "reason": "no canary answers"}, "withheld"),
    ({"closed": True, "withheld": True, "reason": INTERRUPTED}, "withheld"),
    ({"closed": True, "withheld": False, "reason": INTERRUPTED}, "interrupted"),
    ({"closed": True, "withheld": False, "reason": PROBER_DIED}, "interrupted"),
    ({"closed": False, "withheld": False, "reason": ""}, ""),
    ({"closed": False, "withheld": False, "reason": INTERRUPTED}, ""),
]
KINDS = """
pauses = models_at("0007_outcome_of_a_run").get_model("streaming", "HostPause").objects
for number, reason in enumerate(rows):
    pauses.create(host=f"{number}.example.org", paused_until=now, reason=reason)
pauses = models_at("0008_kind_of_a_pause").get_model("streaming", "HostPause").objects
print(json.dumps(list(pauses.order_by("pk").values_list("kind", "reason"))))
pauses = models_at("0007_outcome_of_a_run").get_model("streaming", "HostPause").objects
print(json.dumps(list(pauses.order_by("pk").values_list("reason", flat=True))))
"""
PAUSES = [
    ("asked us to come back later", "retry_after"),
    ("most of its links failed at once", "breaker"),
    ("Asked us to come back later", "manual"),
    ("asked us to come back later, says their mail", "manual"),
    ("", "manual"),
]

STRENGTHS = """
from datetime import timedelta
apps = models_at("0008_kind_of_a_pause")
movie = apps.get_model("streaming", "Movie").objects.create(imdb_id="tt0000001", title="A", search_title="a")
links = apps.get_model("streaming", "StreamingLink").objects
for number, row in enumerate(rows):
    dates = {name: now - timedelta(hours=row.pop(name)) for name in ("state_since", "last_checked") if name in row}
    links.create(movie=movie, source="s", host="h", source_url=f"https://films.example.org/{number}", **dates, **row)
links = models_at("0009_strength_of_a_failure").get_model("streaming", "StreamingLink").objects
print(json.dumps([[link.strength, link.failing_seconds / 3600] for link in links.order_by("pk")]))
links = models_at("0008_kind_of_a_pause").get_model("streaming", "StreamingLink").objects
print(json.dumps(list(links.order_by("pk").values_list("reason", flat=True))))
"""
FAILING = {"is_active": False, "reason": "http_404", "failures": 3, "state_since": 30, "last_checked": 6}
LINKS = [
    ({"is_active": True, "reason": "ok", "last_checked": 1}, ["", 0]),
    ({"is_active": True, "reason": "host_down", "last_checked": 1}, ["", 0]),
    (FAILING, ["proven", 24]),
    ({**FAILING, "failures": 2}, ["proven", 12]),
    ({**FAILING, "failures": 1}, ["proven", 0]),
    ({**FAILING, "failures": 50, "reason": "soft_404"}, ["soft", 24]),
    ({**FAILING, "failures": 9, "reason": "bot_wall"}, ["blocked", 24]),
    ({**FAILING, "failures": 9, "reason": "dns", "last_checked": -5000}, ["unreachable", 30]),
    ({**FAILING, "failures": 9, "reason": "missing", "state_since": -9}, ["proven", 0]),
    ({"is_active": False, "reason": "http_404", "failures": 9, "last_checked": 6}, ["proven", 0]),
    ({"is_active": False, "reason": "moved", "state_since": 30, "last_checked": 6}, ["proven", 0]),
    ({"is_active": False, "reason": "taken_down", "last_checked": 6}, ["", 0]),
    ({"is_active": False, "reason": "imported"}, ["", 0]),
]

CAUSES = """
from datetime import timedelta
tombstones = models_at("0009_strength_of_a_failure").get_model("streaming", "RemovedMovie").objects
for number, (reason, days, restored) in enumerate(rows):
    at = now - timedelta(days=days)
    dates = {"removed_at": at, "restored_at": now if restored else None}
    tombstones.create(imdb_id=f"tt{number:07d}", title="A", reason=reason, snapshot={"rows": []}, **dates)
tombstones = models_at("0010_return_of_removed_movies").get_model("streaming", "RemovedMovie").objects
print(json.dumps([[one.cause, one.next_check_at is not None] for one in tombstones.order_by("pk")]))
tombstones = models_at("0009_strength_of_a_failure").get_model("streaming", "RemovedMovie").objects
print(json.dumps(list(tombstones.order_by("pk").values_list("reason", flat=True))))
"""
TOMBSTONES = [
    (["no working link left", 3, False], ["check", True]),
    (["no working link left", 186, False], ["check", True]),
    (["no working link left", 188, False], ["check", False]),
    (["no working link left", 3, True], ["check", False]),
    (["never had a link", 3, False], ["check", True]),
    (["removed by alice", 3, False], ["staff", False]),
    (["removed by alice in the admin", 3, False], ["staff", False]),
    (["taken down: asked", 3, False], ["takedown", False]),
]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request, tmp_path):
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/main.sqlite3"
    else:
        with temporary_postgres("migrations") as url:
            yield url


def run_script(database, script, rows):
    """Run the script in a process of its own and return the lines that it prints, parsed as JSON."""
    environment = {**os.environ, "DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "-c", PRELUDE + script, json.dumps(rows)]
    process = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return [json.loads(line) for line in process.stdout.splitlines()]


def test_each_closed_run_gets_its_outcome(database):
    forward, back = run_script(database, OUTCOMES, [row for row, _ in RUNS])
    assert forward == [[outcome, row["withheld"], row["reason"]] for row, outcome in RUNS]
    assert back == [[row["withheld"], row["reason"]] for row, _ in RUNS]


def test_each_pause_gets_its_kind(database):
    forward, back = run_script(database, KINDS, [reason for reason, _ in PAUSES])
    assert forward == [[kind, reason] for reason, kind in PAUSES]
    assert back == [reason for reason, _ in PAUSES]


def test_each_failing_link_gets_its_strength_and_no_more_failing_time_than_it_had(database):
    forward, back = run_script(database, STRENGTHS, [row for row, _ in LINKS])
    assert [[strength, round(hours, 2)] for strength, hours in forward] == [expected for _, expected in LINKS]
    assert back == [row["reason"] for row, _ in LINKS]


def test_each_tombstone_gets_its_cause_and_what_nobody_removed_on_purpose_is_checked_again(database):
    forward, back = run_script(database, CAUSES, [row for row, _ in TOMBSTONES])
    assert forward == [expected for _, expected in TOMBSTONES]
    assert back == [row[0] for row, _ in TOMBSTONES]


SHAPES = """
def fields(number, imdb_id):
    return {"pk": number, "imdb_id": imdb_id, "title": "A", "search_title": "a"}

from django.db import DatabaseError, transaction
movies = models_at("0011_outage_of_a_host").get_model("streaming", "Movie").objects
for number, imdb_id in enumerate(rows["kept"], 1):
    movies.create(**fields(number, imdb_id))
movies = models_at("0015_checks_that_sqlite_knows").get_model("streaming", "Movie").objects
print(json.dumps(list(movies.order_by("pk").values_list("imdb_id", flat=True))))
accepted = []
for number, imdb_id in enumerate(rows["refused"], 100):
    try:
        with transaction.atomic():
            movies.create(**fields(number, imdb_id))
        accepted.append(imdb_id)
    except DatabaseError:
        continue
print(json.dumps(accepted))
if connection.vendor == "sqlite":
    import sqlite3
    plain = sqlite3.connect(connection.settings_dict["NAME"])
    plain.execute("VACUUM INTO ?", [str(connection.settings_dict["NAME"]) + ".copy"])
    dump = "\\n".join(plain.iterdump())
    sqlite3.connect(":memory:").executescript(dump)
    assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
movies = models_at("0011_outage_of_a_host").get_model("streaming", "Movie").objects
print(json.dumps(list(movies.order_by("pk").values_list("imdb_id", flat=True))))
"""
IMDB_IDS = {
    "kept": ["tt0000001", "tt12345678", "tt123456789"],
    "refused": [
        "tt123456", "tt1234567890", "TT1234567", "nm1234567", "tt123456x", "tt1234567x", "ttt1234567", "tt1234567\n",
        " tt1234567", "tt12345 67", "tt１２３４５６７", "tt-1234567", "tt", "",
    ],
}  # fmt: skip


def test_the_shape_of_an_imdb_id_is_a_rule_that_plain_sqlite_knows_and_both_databases_agree_on(database):
    kept, accepted, back = run_script(database, SHAPES, IMDB_IDS)
    assert kept == back == IMDB_IDS["kept"]
    assert accepted == []
