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
from tests.helpers.migration_steps import start_at

def models_at(name):
    if not MigrationExecutor(connection).loader.applied_migrations:
        start_at(name)
    MigrationExecutor(connection).migrate([("streaming", name)])
    return MigrationExecutor(connection).loader.project_state([("streaming", name)]).apps

def migrate_fully():
    models_at(MigrationExecutor(connection).loader.graph.leaf_nodes("streaming")[0][1])

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

TAKEDOWNS = """
blocked, rows = rows
apps = models_at("0011_outage_of_a_host")
for kind, address in blocked:
    apps.get_model("streaming", "BlockedAddress").objects.create(kind=kind, address=address, reason="asked")
movie = apps.get_model("streaming", "Movie").objects.create(imdb_id="tt0000001", title="A", search_title="a")
links = apps.get_model("streaming", "StreamingLink").objects
for row in rows:
    links.create(movie=movie, source="s", host=row["source_url"].split("/")[2], next_check_at=now, **row)
links = models_at("0013_takedown_state").get_model("streaming", "StreamingLink").objects.order_by("pk")
names = ("taken_down", "is_active", "reason", "active_before", "reason_before", "strength_before")
print(json.dumps([list(row) for row in links.values_list(*names)]))
print(json.dumps([at is None for at in links.values_list("next_check_at", flat=True)]))
links = models_at("0011_outage_of_a_host").get_model("streaming", "StreamingLink").objects.order_by("pk")
print(json.dumps([list(row) for row in links.values_list("source_url", "is_active", "reason")]))
"""
BLOCKED = [
    ["host", "taken.example.org"],
    ["prefix", "https://a.example.org/v/abc"],
    ["link", "https://a.example.org/1"],
]
OFF = {"is_active": False, "reason": "taken_down"}
DEAD = {"is_active": False, "reason": "http_404", "strength": "proven", "checks": "ag"}
WORKING = {"is_active": True, "reason": "ok", "checks": "a"}
TAKEN_LINKS = [
    ({"source_url": "https://taken.example.org/1", "checks": "ga", **OFF}, [True, False, "taken_down", True, "ok", ""]),
    ({"source_url": "https://taken.example.org/2", **OFF}, [True, False, "taken_down", True, "", ""]),
    ({"source_url": "https://taken.example.org/3", "checks": "ag", **OFF}, [True, False, "taken_down", False, "", ""]),
    ({"source_url": "https://b.taken.example.org/4", **DEAD}, [True, False, "taken_down", False, "http_404", "proven"]),
    ({"source_url": "http://a.example.org//v/%61bc", **WORKING}, [True, False, "taken_down", True, "ok", ""]),
    ({"source_url": "https://a.example.org/v/ABC", "checks": "a", **OFF}, [False, True, "ok", False, "", ""]),
    ({"source_url": "http://www.a.example.org/1/", **WORKING}, [True, False, "taken_down", True, "ok", ""]),
    ({"source_url": "https://a.example.org/2", **WORKING}, [False, True, "ok", False, "", ""]),
    ({"source_url": "https://a.example.org/3", **DEAD}, [False, False, "http_404", False, "", ""]),
    ({"source_url": "https://a.example.org/4", "checks": "g", **OFF}, [False, False, "", False, "", ""]),
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

JOB_ERRORS = """
apps = models_at("0011_outage_of_a_host")
jobs = apps.get_model("streaming", "ScrapeJob").objects
for number, (error, source_error) in enumerate(rows):
    movies = apps.get_model("streaming", "Movie").objects
    movie = movies.create(imdb_id=f"tt{number:07d}", title="A", search_title="a")
    sources = [{"source": "a", "error": source_error, "links": 2}, {"source": "b", "error": "", "links": 0}]
    jobs.create(movie=movie, state="failed", finished_at=now, error=error, sources=sources)
runs = apps.get_model("streaming", "HealthRun").objects
for reason in ("nearly all hosts redirect to login.corp.example.com: why", "nearly all hosts led to 192.168.1.1: why",
               "host down, links kept: a.example.org"):
    runs.create(finished_at=now, reason=reason)
apps = models_at("0012_public_reason")
jobs, runs = apps.get_model("streaming", "ScrapeJob").objects, apps.get_model("streaming", "HealthRun").objects
print(json.dumps([[job.error, job.sources[0]["error"], len(job.sources)] for job in jobs.order_by("pk")]))
print(json.dumps(list(runs.order_by("pk").values_list("reason", flat=True))))
"""
HIDDEN = "A page leads to an address that we do not open"
INSIDE = "payroll.corp.example.com leads to 10.20.30.40, which is not a public address"
ERRORS = [
    ([INSIDE, INSIDE], [HIDDEN, HIDDEN]),
    (["No source could be searched.", "169.254.169.254 is not a public address"], [None, HIDDEN]),
    (["", "printer.local is a name inside a private network"], ["", HIDDEN]),
    (["", "fd00::1 is not a public address"], ["", HIDDEN]),
    (["The scrape stopped unexpectedly (exit status 1).", "The site answered 404"], [None, None]),
    (["", "Only http and https are taken, not ftp"], ["", None]),
    (["", 'Links could not be saved: connection to server at "10.0.0.5"'], ["", "Links could not be saved"]),
]


CLIENTS = """
apps = models_at("0011_outage_of_a_host")
movie = apps.get_model("streaming", "Movie").objects.create(imdb_id="tt0000001", title="A", search_title="a")
jobs = apps.get_model("streaming", "ScrapeJob").objects
for state in rows:
    jobs.create(movie=movie, state=state, finished_at=None if state == "queued" else now, requested_by="page")
apps = models_at("0014_login_counters")
jobs = apps.get_model("streaming", "ScrapeJob").objects
apps.get_model("streaming", "LoginCounter").objects.create(key="k", attempts=1, opened_at=now)
print(json.dumps(list(jobs.order_by("pk").values_list("state", "requested_by", "client"))))
jobs = models_at("0011_outage_of_a_host").get_model("streaming", "ScrapeJob").objects
print(json.dumps(list(jobs.order_by("pk").values_list("state", flat=True))))
"""


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


def test_no_job_and_no_run_names_an_internal_address(database):
    forward, reasons = run_script(database, JOB_ERRORS, [row for row, _ in ERRORS])
    expected = [[new if new is not None else old for old, new in zip(*pair, strict=True)] for pair in ERRORS]
    assert forward == [[*errors, 2] for errors in expected]
    portal = "nearly all hosts redirect to one address: why"
    assert reasons == [portal, portal, "host down, links kept: a.example.org"]


ODD_JOBS = """
apps = models_at("0011_outage_of_a_host")
movie = apps.get_model("streaming", "Movie").objects.create(imdb_id="tt0000001", title="A", search_title="a")
for error, sources in rows["jobs"]:
    apps.get_model("streaming", "ScrapeJob").objects.create(
        movie=movie, state="failed", finished_at=now, error=error, sources=sources
    )
apps.get_model("streaming", "HealthRun").objects.create(finished_at=now, reason=rows["reason"])
apps = models_at("0012_public_reason")
print(json.dumps(list(apps.get_model("streaming", "ScrapeJob").objects.order_by("pk").values_list("error", "sources"))))
print(json.dumps(apps.get_model("streaming", "HealthRun").objects.get().reason))
"""
INSIDE_NAMES = "; ".join(f"host{number}.corp is not a public address" for number in range(9))[:300]


def test_longer_reasons_fit_and_odd_results_of_sources_stop_no_upgrade(database):
    odd = [
        [{"source": "a", "error": None}, {"source": "printer.local is not a public address"}, None, "text"],
        {"error": "printer.local is not a public address"},
        ["printer.local is a name inside a private network"],
    ]
    portal = "nearly all hosts redirect to a.io: ".ljust(500, "x")
    rows = {"jobs": [[INSIDE_NAMES, []], *(["", sources] for sources in odd)], "reason": portal}
    jobs, reason = run_script(database, ODD_JOBS, rows)
    assert jobs[0][0].startswith(f"{HIDDEN}; {HIDDEN}")
    assert (len(jobs[0][0]), len(reason)) == (300, 500)
    assert [sources for _, sources in jobs[1:]] == odd
    assert reason.startswith("nearly all hosts redirect to one address: x")


def test_links_get_the_state_of_their_takedown(database):
    hidden, due, back = run_script(database, TAKEDOWNS, [BLOCKED, [row for row, _ in TAKEN_LINKS]])
    assert hidden == [state for _, state in TAKEN_LINKS]
    assert due == [row["reason"] == "taken_down" and row.get("checks", "").endswith("g") for row, _ in TAKEN_LINKS]
    assert [row[0] for row in back] == [row["source_url"] for row, _ in TAKEN_LINKS]
    assert [row[1:] for row in back] == [state[1:3] for _, state in TAKEN_LINKS]


def test_each_job_is_kept_and_belongs_to_no_client(database):
    states = ["succeeded", "failed", "queued"]
    forward, back = run_script(database, CLIENTS, states)
    assert forward == [[state, "page", ""] for state in states]
    assert back == states


CHANGES = """
from datetime import timedelta
apps = models_at("0011_outage_of_a_host")
movies, tombstones = (apps.get_model("streaming", name).objects for name in ("Movie", "RemovedMovie"))
for imdb_id, updated, removed, restored in rows:
    date = lambda hours: None if hours is None else now - timedelta(hours=hours)
    if updated is not None:
        movies.create(imdb_id=imdb_id, title="A", search_title="a", updated_at=date(updated))
    if removed is not None:
        dates = {"removed_at": date(removed), "restored_at": date(restored)}
        tombstones.create(imdb_id=imdb_id, title="A", reason="gone", snapshot={"rows": []}, **dates)
apps = models_at("0016_sequence_of_changes")
changes = apps.get_model("streaming", "Change").objects.order_by("number")
print(json.dumps(list(changes.values_list("number", "imdb_id"))))
print(json.dumps(changes.filter(numbered_at__gt=timezone.now()).count()))
apps.get_model("streaming", "Movie").objects.filter(imdb_id="tt0000001").update(title="B")
print(json.dumps(list(apps.get_model("streaming", "PendingChange").objects.values_list("imdb_id", flat=True))))
movies = models_at("0011_outage_of_a_host").get_model("streaming", "Movie").objects
movies.filter(imdb_id="tt0000001").update(title="C")
print(json.dumps(sorted(movies.values_list("imdb_id", flat=True))))
models_at("0016_sequence_of_changes")
"""
CHANGED_MOVIES = [
    # IMDb id, hours since it was updated, removed and restored
    ("tt0000001", 50, None, None),
    ("tt0000002", None, 30, None),
    ("tt0000003", 60, 40, 20),
    ("tt0000004", 10, 70, 65),
    ("tt0000005", -5000, None, None),
]


def test_existing_movies_and_tombstones_are_numbered_by_their_dates_and_changes_are_noted(database):
    numbers, in_future, noted, kept = run_script(database, CHANGES, CHANGED_MOVIES)
    order = ["tt0000001", "tt0000002", "tt0000003", "tt0000004", "tt0000005"]
    assert (numbers, in_future) == ([[number, imdb_id] for number, imdb_id in enumerate(order, 1)], 0)
    assert noted == ["tt0000001"]
    assert kept == ["tt0000001", "tt0000003", "tt0000004", "tt0000005"]


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


COUNTERS = """
apps = models_at("0017_restored_backups")
movies, links = (apps.get_model("streaming", name).objects for name in ("Movie", "StreamingLink"))
for number, (year, states) in enumerate(rows, 1):
    movie = movies.create(imdb_id=f"tt{number:07d}", title="A", search_title="a", year=year)
    for place, (is_active, is_published) in enumerate(states):
        address = f"https://films.example.org/{number}/{place}"
        links.create(
            movie=movie, source="s", host="films.example.org", source_url=address, is_active=is_active,
            is_published=is_published, reason="ok" if is_active else "http_404",
        )
apps = models_at("0019_count_by_triggers")
movies = apps.get_model("streaming", "Movie").objects.order_by("pk")
print(json.dumps(list(movies.values_list("active_link_count", flat=True))))
counts = apps.get_model("streaming", "LinkCount").objects
print(json.dumps(list(counts.values_list("source", "links", "shown", "active", "unchecked"))))
from streaming.catalogue_check import CHECKS, IdRange
def contradictions():  # Without the facets, which come later.
    checks = [check for check in CHECKS if check.hourly and check.name != "facets"]
    lines = [line for check in checks for line in check.find(IdRange(1, 99))]
    return [line for line in lines if "streaming_facet_" not in line]
print(json.dumps(contradictions()))
movies.filter(pk=movies.first().pk).update(year=1923)
links = apps.get_model("streaming", "StreamingLink").objects
links.filter(is_active=True).update(is_active=False)
print(json.dumps(contradictions()))
before = apps.get_model("streaming", "PendingChange").objects.latest("pk").pk
apps = models_at("0017_restored_backups")
apps.get_model("streaming", "Movie").objects.filter(imdb_id="tt0000001").update(year=1924)
apps.get_model("streaming", "StreamingLink").objects.filter(is_published=True).update(is_active=True)
noted = apps.get_model("streaming", "PendingChange").objects.filter(pk__gt=before)
print(json.dumps([noted.exclude(imdb_id="").count() > 0, noted.filter(imdb_id="").count() > 0]))
print(json.dumps(apps.get_model("streaming", "StreamingLink").objects.count()))
models_at("0019_count_by_triggers")
print(json.dumps(contradictions()))
"""
COUNTED = [(1922, [(True, True), (True, True), (False, True)]), (None, [(True, False)]), (1968, [])]


def test_what_there_is_is_counted_and_every_row_is_kept(database):
    numbers, counts, first, second, noted, kept, third = run_script(database, COUNTERS, COUNTED)
    assert numbers == [2, 0, 0]
    assert counts == [["s", 4, 3, 2, 3]]
    assert first == second == third == []
    assert noted == [True, True]
    assert kept == 4


INDEXED = """
apps = models_at("0017_restored_backups")
for number, title in enumerate(rows, 1):
    movie = apps.get_model("streaming", "Movie").objects.create(
        imdb_id=f"tt{number:07d}", title=title, search_title=title.lower(), year=1900 + number)
links = apps.get_model("streaming", "StreamingLink").objects
links.create(movie=movie, source="s", host="h", source_url="https://films.example.org/1", is_active=True)

def fetch(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [list(row) for row in cursor.fetchall()]

models_at("0021_search_index")
tables = "streaming_searchtitle t JOIN streaming_movie m ON m.id = t.movie_id"
print(json.dumps(fetch(f"SELECT m.title, t.words FROM {tables} ORDER BY place")))
print(json.dumps(sorted(fetch("SELECT word, titles FROM streaming_searchword"))))
migrate_fully()
from streaming.search_index import wrong_titles, wrong_words
print(json.dumps(wrong_titles(first=1, last=99) + wrong_words()))
changes = models_at("0021_search_index").get_model("streaming", "PendingChange").objects
changes.all().delete()
models_at("0021_search_index").get_model("streaming", "Movie").objects.update(title="Changed")
print(changes.count())
movies = models_at("0017_restored_backups").get_model("streaming", "Movie").objects
print(json.dumps(list(movies.order_by("pk").values_list("title", flat=True))))
movies.filter(pk=1).delete()
left = [name for name in connection.introspection.table_names() if name.startswith("streaming_search")]
print(json.dumps(left))
"""


def test_existing_titles_are_indexed_and_no_trigger_is_lost(database):
    titles = ["Spider-Man", "The Man", "千と千尋"]
    indexed, words, wrong, noted, kept, left = run_script(database, INDEXED, titles)
    assert indexed == [
        ["千と千尋", "千と千尋|千と と千 千尋 尋"], ["The Man", "the man|"], ["Spider-Man", "spider man|spiderman"],
    ]  # fmt: skip
    assert words == [["man", 2], ["spider", 1], ["spiderman", 1], ["the", 1], ["千と千尋", 1]]
    assert (wrong, noted, kept, left) == ([], 3, ["Changed"] * 3, [])


FACTS = """
apps = models_at("0021_search_index")
movie = apps.get_model("streaming", "Movie").objects.create(imdb_id="tt0000001", title="A", search_title="a")
links = apps.get_model("streaming", "StreamingLink").objects
address = {"host": "films.example.org", "source_url": "https://films.example.org/1"}
links.create(movie=movie, source="s", is_active=True, **address)
apps = models_at("0023_facets")
movies, facets = (apps.get_model("streaming", name).objects for name in ("Movie", "MovieFacet"))
print(json.dumps(list(movies.values_list("runtime_minutes", "original_title", "genres", "cast", "fame"))))
print(json.dumps(list(apps.get_model("streaming", "StreamingLink").objects.values_list("size_bytes", "captions"))))
pending = apps.get_model("streaming", "PendingChange").objects
pending.all().delete()
movies.update(genres=["horror"], cast=[{"id": "Q1", "name": "A"}])
apps.get_model("streaming", "StreamingLink").objects.update(captions=[{"url": "", "language": "pt-BR"}])
print(pending.count())
print(json.dumps(sorted(facets.values_list("kind", "value"))))
with connection.cursor() as cursor:  # A writer that knows none of the new columns.
    names = "type, poster_url, synopsis, created_at, updated_at, fruitless_scrapes"
    row = f"SELECT 'tt0000002', 'B', 'b', {names} FROM streaming_movie"
    cursor.execute(f"INSERT INTO streaming_movie (imdb_id, title, search_title, {names}) {row}")
migrate_fully()
from streaming.catalogue_check import CHECKS, IdRange
print(json.dumps([line for check in CHECKS if check.hourly for line in check.find(IdRange(1, 99))]))
apps = models_at("0021_search_index")
pending = apps.get_model("streaming", "PendingChange").objects
pending.all().delete()
apps.get_model("streaming", "Movie").objects.filter(imdb_id="tt0000001").update(title="Changed")
print(json.dumps([pending.count(), apps.get_model("streaming", "StreamingLink").objects.count()]))
models_at("0023_facets")
"""


def test_facts_are_added_without_losing_rows_or_triggers(database):
    movies, links, noted, found, wrong, back = run_script(database, FACTS, [])
    assert (movies, links) == ([[None, "", [], [], 0]], [[None, []]])
    assert (noted, wrong, back) == (2, [], [1, 1])
    assert found == [["captions", "pt"], ["captions", "pt-br"], ["genre", "horror"], ["person", "Q1"]]


REPORTED = """
graph = MigrationExecutor(connection).loader.graph
after = next(name for app, name in graph.nodes if app == "streaming" and name.endswith("_link_reports"))
before = graph.node_map["streaming", after].parents.pop().key[1]
links = models_at(before).get_model("streaming", "StreamingLink").objects
movie = models_at(before).get_model("streaming", "Movie").objects.create(imdb_id="tt0000001", title="T")
for row in rows:
    links.create(movie_id=movie.pk, source="s", host="h", source_url=row)
graph = MigrationExecutor(connection).loader.graph
apps = models_at(after)
links, reports = (apps.get_model("streaming", name).objects for name in ("StreamingLink", "LinkReport"))
reports.create(link=links.first(), kind="broken")
print(json.dumps([links.count(), reports.count()]))
links.first().delete()
print(json.dumps([links.count(), reports.count()]))
print(json.dumps(models_at(before).get_model("streaming", "StreamingLink").objects.count()))
"""


def test_reports_have_a_table_and_go_with_their_link(database):
    assert run_script(database, REPORTED, ["https://a.example.org/1", "https://a.example.org/2"]) == [[2, 1], [1, 0], 1]


KEYS_AND_COPIES = """
def newest(end):
    graph = MigrationExecutor(connection).loader.graph
    return next(name for app, name in graph.nodes if app == "streaming" and name.endswith(end))

graph = MigrationExecutor(connection).loader.graph
parents = graph.node_map["streaming", newest("_api_keys")].parents
before = next(parent.key[1] for parent in parents if parent.key[0] == "streaming")
apps = models_at(before)
movie = apps.get_model("streaming", "Movie").objects.create(imdb_id="tt0000001", title="T")
apps.get_model("streaming", "StreamingLink").objects.create(movie=movie, source="s", host="h", source_url=rows[0])
apps = models_at(newest("_archived_copies"))
user = apps.get_model("auth", "User").objects.create(username="a")
names = ("StreamingLink", "ArchivedCopy", "ApiKey")
links, copies, keys = (apps.get_model("streaming", name).objects for name in names)
copies.create(link=links.get(), url="https://web.archive.org/web/1/x", archived_at=now, asked_at=now)
keys.create(user_id=user.pk, name="n", prefix="p", digest="d")
print(json.dumps([links.count(), copies.count(), keys.get().scope]))
links.all().delete()
print(json.dumps([links.count(), copies.count()]))
print(json.dumps(models_at(before).get_model("streaming", "Movie").objects.count()))
"""


def test_keys_and_archived_copies_have_tables_of_their_own(database):
    assert run_script(database, KEYS_AND_COPIES, ["https://a.example.org/1"]) == [[1, 1, "read"], [0, 0], 1]


FOLLOWED = """
graph = MigrationExecutor(connection).loader.graph
after = next(name for app, name in graph.nodes if app == "streaming" and name.endswith("_followed_instances"))
before = next(one.key[1] for one in graph.node_map["streaming", after].parents if one.key[0] == "streaming")
apps = models_at(before)
movies, removed = (apps.get_model("streaming", name).objects for name in ("Movie", "RemovedMovie"))
movies.create(imdb_id="tt0000001", title="T")
for number, cause in enumerate(rows, start=2):
    removed.create(imdb_id=f"tt000000{number}", title="T", reason="r", cause=cause, snapshot={"rows": [1]})
apps = models_at(after)
movies, removed, pending, instances = (
    apps.get_model("streaming", name).objects for name in ("Movie", "RemovedMovie", "PendingChange", "FollowedInstance")
)
print(json.dumps(list(removed.order_by("pk").values_list("cause", flat=True))))
pending.all().delete()
movies.create(imdb_id="tt0000008", title="T")
removed.create(imdb_id="tt0000009", title="T", reason="r", cause="followed", snapshot={})
removed.filter(cause="check").update(title="Other")
print(json.dumps(sorted(pending.values_list("imdb_id", flat=True))))
instances.create(url="https://a.example.org").movies.create(imdb_id="tt0000009")
instances.all().delete()
counts = apps.get_model("streaming", "MovieCount").objects
print(json.dumps(sum(counts.values_list("movies", flat=True))))
removed = models_at(before).get_model("streaming", "RemovedMovie").objects
print(json.dumps(list(removed.order_by("pk").values_list("cause", flat=True))))
"""


def test_removed_movies_keep_their_causes_and_triggers_while_one_more_is_known(database):
    causes = ["check", "cleanup", "staff", "takedown"]
    noted = ["tt0000002", "tt0000008", "tt0000009"]
    assert run_script(database, FOLLOWED, causes) == [causes, noted, 2, [*causes, "staff"]]


REQUESTED = """
graph = MigrationExecutor(connection).loader.graph
after = next(name for app, name in graph.nodes if app == "streaming" and name.endswith("_takedown_requests"))
before = graph.node_map["streaming", after].parents.pop().key[1]
models_at(before).get_model("streaming", "Movie").objects.create(imdb_id="tt0000001", title="T")
requests = models_at(after).get_model("streaming", "TakedownRequest").objects
for row in rows:
    requests.create(statement="Why", name="Jane", email="j@a.org", **row)
print(json.dumps(list(requests.order_by("pk").values_list("target", "outcome"))))
print(json.dumps(models_at(before).get_model("streaming", "Movie").objects.count()))
"""


def test_takedown_requests_have_a_table_beside_the_catalogue(database):
    row = {"target": "tt0000001", "claim": "other"}
    assert run_script(database, REQUESTED, [row]) == [[["tt0000001", ""]], 1]


TITLES = """
def jobs_of(movie):
    return list(jobs.order_by("pk").values_list("state", "requested_by", "client", "sources"))

apps = models_at("0030_archived_copies")
movie = apps.get_model("streaming", "Movie").objects.create(imdb_id="tt0000001", title="T")
jobs = apps.get_model("streaming", "ScrapeJob").objects
for row in rows:
    jobs.create(movie=movie, finished_at=now if row["state"] == "failed" else None, **row)
before = jobs_of(movie)
apps = models_at("0031_title_requests")
jobs, titles = apps.get_model("streaming", "ScrapeJob").objects, apps.get_model("streaming", "TitleRequest").objects
print(json.dumps(jobs_of(movie) == before))
title = titles.create(imdb_id="tt0000002")
jobs.create(title_request=title)
from django.db import IntegrityError, transaction
refused = 0
for wrong in ({"title_request": title}, {}, {"title_request": title, "movie_id": movie.pk, "finished_at": now}):
    try:
        with transaction.atomic():
            jobs.create(state="failed" if "finished_at" in wrong else "queued", **wrong)
    except IntegrityError:
        refused += 1
print(json.dumps([jobs.count(), refused]))
jobs = models_at("0030_archived_copies").get_model("streaming", "ScrapeJob").objects
print(json.dumps(jobs_of(movie) == before))
"""


def test_jobs_of_movies_stay_and_titles_have_jobs_of_their_own(database):
    row = {"state": "failed", "requested_by": "page", "client": "c", "sources": [{"source": "é"}]}
    assert run_script(database, TITLES, [row, {**row, "state": "queued"}]) == [True, [3, 3], True]


NOTIFIED = """
from datetime import timedelta
removed = models_at("0025_link_reports").get_model("streaming", "RemovedMovie").objects
for number, days in enumerate(rows):
    at = now - timedelta(days=days)
    removed.create(imdb_id=f"tt000000{number}", title="T", removed_at=at, reason="r", snapshot={})
models_at("0027_schedule")
migrate_fully()
from streaming.alarms.outbox import record_news
from streaming.models import AlarmState, ScheduledTask, ScheduleOwner
record_news([], now=now)
print(json.dumps(list(AlarmState.objects.filter(seen_id__gt=0).values_list("code", "seen_id"))))
print(json.dumps([ScheduleOwner.objects.is_alive(), ScheduledTask.objects.count()]))
print(json.dumps(models_at("0025_link_reports").get_model("streaming", "RemovedMovie").objects.count()))
"""


def test_messages_and_schedule_have_tables_and_start_empty(database):
    assert run_script(database, NOTIFIED, [30, 3]) == [[["films_removed", 2]], [False, 0], 2]


SOURCE_RESULTS = """
graph = MigrationExecutor(connection).loader.graph
after = next(name for app, name in graph.nodes if app == "streaming" and name.endswith("_source_result_counts"))
before = graph.node_map["streaming", after].parents.pop().key[1]
apps = models_at(before)
movie = apps.get_model("streaming", "Movie").objects.create(imdb_id="tt0000001", title="T")
result = {"source": "commons", "links": 0, "new": 0, "seconds": 1.5, "error": ""}
jobs = apps.get_model("streaming", "ScrapeJob").objects
for state, finished_at in (("failed", now), ("queued", None)):
    sources = [{**result, "state": "failed" if finished_at else "waiting"}]
    jobs.create(movie=movie, state=state, finished_at=finished_at, sources=sources)
migrate_fully()
from streaming.models import ScrapeJob, SourceResultCount
from streaming.scraping import jobs, outcomes
print(json.dumps([ScrapeJob.objects.count(), SourceResultCount.objects.count()]))
(claim,) = jobs.claim_jobs(owner="a", limit=1)
jobs.finish(claim, outcome_of=lambda job: outcomes.outcome_of_sources([{**result, "state": "found"}]), log="")
print(json.dumps(list(SourceResultCount.objects.values_list("source", "result", "number"))))
print(json.dumps(models_at(before).get_model("streaming", "ScrapeJob").objects.count()))
"""


def test_results_of_sources_are_counted_from_the_upgrade_on_and_every_job_is_kept(database):
    assert run_script(database, SOURCE_RESULTS, []) == [[2, 0], [["commons", "found", 1]], 2]


REASONS_INDEXED = """
apps = models_at("0033_source_result_counts")
links = apps.get_model("streaming", "StreamingLink").objects
film = apps.get_model("streaming", "Movie").objects.create(imdb_id="tt0000001", title="T")
for number, reason in enumerate(rows):
    links.create(
        movie_id=film.pk, source="s", host="films.example.org", reason=reason, is_active=reason == "ok",
        source_url=f"https://films.example.org/{number}",
    )
def kept():
    indexes = connection.introspection.get_constraints(connection.cursor(), "streaming_streaminglink")
    found = list(StreamingLink.objects.order_by("pk").values_list("reason", flat=True))
    return [found, "link_by_reason" in indexes, missing_triggers(connection)]
from streaming.models import StreamingLink
from streaming.models.counter_triggers import missing_triggers
migrate_fully()
print(json.dumps(kept()))
models_at("0033_source_result_counts")
print(json.dumps(kept()))
"""


def test_links_are_indexed_by_reason_and_every_row_and_trigger_is_kept(database):
    reasons = ["ok", "http_404", "timeout"]
    assert run_script(database, REASONS_INDEXED, reasons) == [[reasons, True, []], [reasons, False, []]]


PEOPLE_IN_SEARCH = """
movies = models_at("0034_link_by_reason").get_model("streaming", "Movie").objects
for number, (title, people) in enumerate(rows, 1):
    movies.create(imdb_id=f"tt{number:07d}", title=title, search_title=title.lower(), **people)
migrate_fully()
from streaming.models import Movie
from streaming.models.counter_triggers import missing_triggers
from streaming.models.facet_triggers import wrong_facets
from streaming.search_index import wrong_titles, wrong_words
searches = ("murnau", "schreck", "faust", "gosta")
found = [list(Movie.objects.search(text).values_list("title", flat=True)) for text in searches]
print(json.dumps([found, wrong_titles(), wrong_words(), missing_triggers(connection)]))
models_at("0034_link_by_reason")
print(json.dumps(Movie.objects.count()))
"""


def test_people_find_the_movies_that_were_there_before(database):
    murnau, schreck = [{"id": "Q55412", "name": "F. W. Murnau"}], [{"id": "max-schreck", "name": "Max Schreck"}]
    rows = [
        ("Nosferatu", {"directors": murnau, "cast": schreck}),
        ("Faust", {"directors": murnau, "other_titles": [["de", "Faust – eine deutsche Volkssage"]]}),
        ("Gosta", {}),
    ]
    found = [["Faust", "Nosferatu"], ["Nosferatu"], ["Faust"], ["Gosta"]]
    assert run_script(database, PEOPLE_IN_SEARCH, rows) == [[found, [], [], []], 3]


PARTIAL_RUNS = """
runs = models_at("0035_people_in_search").get_model("streaming", "HealthRun").objects
for outcome in rows:
    runs.create(finished_at=now, outcome=outcome)
runs = models_at("0036_partial_runs").get_model("streaming", "HealthRun").objects
print(json.dumps(list(runs.order_by("pk").values_list("outcome", "is_partial"))))
runs = models_at("0035_people_in_search").get_model("streaming", "HealthRun").objects
print(json.dumps(list(runs.order_by("pk").values_list("outcome", flat=True))))
"""


def test_runs_of_before_count_as_runs_of_all_links(database):
    outcomes = ["completed", "withheld"]
    assert run_script(database, PARTIAL_RUNS, outcomes) == [[[one, False] for one in outcomes], outcomes]


SYNOPSES = """
from streaming.catalogue_check import CHECKS, IdRange
apps = models_at("0036_partial_runs")
movie = apps.get_model("streaming", "Movie").objects.create(imdb_id="tt0000001", title="A", synopsis="Kept.")
link = apps.get_model("streaming", "StreamingLink").objects
address = {"host": "films.example.org", "source_url": "https://films.example.org/1"}
captions = [{"url": f"https://{host}/1.vtt", "language": host[:2]} for host in ("de.gone.org", "fr.here.org")]
link.create(movie=movie, source="s", is_active=True, captions=captions, **address)
apps.get_model("streaming", "BlockedAddress").objects.create(kind="host", address="gone.org", reason="asked")
apps = models_at("0037_synopses_by_language")
link, facets = (apps.get_model("streaming", name).objects for name in ("StreamingLink", "MovieFacet"))
found = [list(facets.values_list("value", flat=True))]
link.update(captions=[])
link.update(captions=captions)
print(json.dumps(found + [list(facets.values_list("value", flat=True))]))
movies, pending = (apps.get_model("streaming", name).objects for name in ("Movie", "PendingChange"))
pending.all().delete()
movies.update(synopses=rows)
print(json.dumps([list(movies.values_list("synopsis", "synopses", "active_link_count")), pending.count()]))
migrate_fully()
print(json.dumps([line for check in CHECKS if check.hourly for line in check.find(IdRange(1, 99))]))
apps = models_at("0036_partial_runs")
movies, pending = (apps.get_model("streaming", name).objects for name in ("Movie", "PendingChange"))
pending.all().delete()
movies.update(title="Changed")
print(json.dumps([list(movies.values_list("synopsis", "active_link_count")), pending.count()]))
"""


def test_synopses_by_language_are_added_and_every_row_and_trigger_is_kept(database):
    stated = [["de", "Behalten."]]
    captions, *rest = run_script(database, SYNOPSES, stated)
    assert captions == [["fr"], ["fr"]]
    assert rest == [[[["Kept.", stated, 1]], 1], [], [[["Kept.", 1]], 1]]


VALUES_INDEXED = """
apps = models_at("0037_synopses_by_language")
links = apps.get_model("streaming", "StreamingLink").objects
film = apps.get_model("streaming", "Movie").objects.create(imdb_id="tt0000001", title="T")
for number, (kind, strength) in enumerate(rows):
    links.create(
        movie_id=film.pk, source="s", host="films.example.org", kind=kind, strength=strength, is_active=not strength,
        source_url=f"https://films.example.org/{number}",
    )
NAMES = {
    f"link_{name}"
    for name in ("by_source", "by_kind", "by_quality", "by_licence", "by_strength", "inactive", "taken_down")
}
def kept():
    indexes = connection.introspection.get_constraints(connection.cursor(), "streaming_streaminglink")
    found = list(links.order_by("pk").values_list("kind", "strength"))
    return [found, len(NAMES & set(indexes)), missing_triggers(connection)]
from streaming.models.counter_triggers import missing_triggers
migrate_fully()
print(json.dumps(kept()))
models_at("0037_synopses_by_language")
print(json.dumps(kept()))
"""


def test_links_are_indexed_by_their_values_and_every_row_and_trigger_is_kept(database):
    links = [["page", ""], ["stream", ""], ["page", "proven"]]
    assert run_script(database, VALUES_INDEXED, links) == [[links, 7, []], [links, 0, []]]
