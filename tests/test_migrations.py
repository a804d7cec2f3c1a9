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
