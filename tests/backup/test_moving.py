"""A move from SQLite to PostgreSQL and back loses nothing: every table, every row, every value, every sequence."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys

import pytest

from tests.helpers.external_services import migrated_sqlite, temporary_postgres
from tests.helpers.paths import PROJECT_ROOT

pytestmark = [pytest.mark.slow(seconds=20), pytest.mark.postgres]

FILL = """
import sys, django
django.setup()
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.utils import timezone
from rest_framework.authtoken.models import Token
from streaming import models
from streaming.ingest import takedown
from streaming.models.change import number_changes
from tests.helpers.factories import make_job, make_link, make_movie

alice = User.objects.create_superuser("alice", "alice@example.org", "a password that is long")
alice.groups.add(Group.objects.create(name="Editors"))
alice.groups.first().permissions.add(Permission.objects.get(codename="change_movie"))
alice.user_permissions.add(Permission.objects.get(codename="delete_movie"))
Token.objects.create(user=alice)
session = SessionStore()
session["key"] = "Größe 😀"
session.save()
LogEntry.objects.log_actions(alice.pk, [make_movie(title="Nosferatu – Eine Symphonie des Grauens 😀")], 2, "changed")
make_movie(title="Deleted again, and its id is not given twice").delete()
movie = make_movie(title="With quotes ' \\" % {} \\\\ and\\tmore", synopsis="line\\nline", year=1922,
    genres=["horror"], cast=[{"id": "Q1", "name": "A"}])
link = make_link(movie, checks="AAB", response_ms=120, last_checked=timezone.now())
models.LinkReport.objects.count_report(link.pk, "broken", note="It stops", now=timezone.now())
make_link(movie, is_published=False, evidence="Said “free” by its owner")
make_link(movie, is_active=False, reason="http_404", language="de")
models.LinkFlip.objects.create(link=link, is_active=False, reason="http_404", at=timezone.now())
models.Binding.objects.create(movie=movie, url="https://films.example.org/x?a=1&b=ü")
make_job(movie, state="succeeded", outcome="found", sources=[{"source": "example", "b": 1, "a": [None, 1.5, "é"]}])
models.SourceResultCount.objects.create(source="example", result="found", number=3)
run = models.HealthRun.objects.create(died_of={"timeout": 2, "dns": 1}, hosts_down=["a.example.org"])
part = models.HealthPart.objects.create(run=run, number=1, counts={"alive": 3})
models.HealthPiece.objects.create(part=part, attempt=1, kind="good", things=1, data=bytes(range(256)))
models.HealthWorker.objects.create(run=run, owner="w", lease_until=timezone.now())
models.HostGate.objects.create(host="h.example.org", next_at=timezone.now())
models.HostPause.objects.create(host="h.example.org", paused_until=timezone.now(), kind="manual")
takedown.block("films.example.net", reason="the owner asked for it")
takedown.block(make_movie(title="Taken down").imdb_id, reason="a court")
models.TakedownRequest.objects.create(target="tt0000001", claim="other", statement="ü", name="J", email="j@a.org")
title = models.TitleRequest.objects.create(imdb_id="tt0000009", title="ü", outcome="nothing", fruitless=2)
models.ScrapeJob.objects.create(title_request=title)
models.HostOutage.objects.create(host="h.example.org", failing_seconds=7)
models.ApiKey.objects.create(user=alice, name="mirror ü", prefix="abc", digest="d" * 64)
copied = {"archived_at": timezone.now(), "asked_at": timezone.now()}
models.ArchivedCopy.objects.create(link=link, url="https://a.example.org/1", **copied)
followed = models.FollowedInstance.objects.create(url="https://films.example.net", cursor="n7", losses=[[1, "2026"]])
models.FollowedMovie.objects.create(instance=followed, imdb_id="tt0000001", links={"films.example.net/ü": "1:a"})
models.LoginCounter.objects.create(key="a" * 64, attempts=2, opened_at=timezone.now())
number_changes()
make_link(movie, source_url="https://films.example.org/not-numbered-yet")
models.ScheduleOwner.objects.claim("host:1:abc")
models.ScheduledTask.objects.create(name="check", due_at=timezone.now(), exit_status=0)
models.AlarmState.objects.create(code="run_late", began_at=timezone.now(), seen_id=3)
models.AlarmMessage.objects.create(target="t", subject="s", body="b", content={"began": []})
models.RestoredBackup.objects.create(
    made_at=timezone.now(), restored_at=timezone.now(), last_number=1, jumped_to=10**17)
print(sorted(m._meta.db_table for m in apps.get_models(include_auto_created=True)
             if m._meta.managed and not m._meta.proxy and not m._base_manager.exists()))
call_command("backup", sys.argv[1])
"""
SAVE = """
import sys, django
django.setup()
from django.core.management import call_command
call_command("restore", sys.argv[1])
call_command("backup", sys.argv[2])
from tests.helpers.factories import make_movie
print(make_movie(imdb_id="tt9999999").pk)
"""
RESTORED = ("django_migrations", "streaming_restoredbackup")


def run_python(code, database, folder, *words):
    """Run the code in a process of its own, with this database; return what it prints."""
    variables = {"DATABASE_URL": database, "VAR_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    result = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=PROJECT_ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return result.stdout


def plain(value):
    """A value of SQLite; the text of JSON may have its keys in another order."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.dumps(json.loads(value), sort_keys=True)
        except ValueError:
            return value
    return value


def rows_of(path):
    """`{table: rows}` of a backup, but for its restores, the times of its migrations and the derived search index."""
    with sqlite3.connect(path) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        kept = [name for name in names if name not in {*RESTORED, "openreel_backup"}]
        kept = [name for name in kept if not name.startswith("streaming_search")]
        rows = {name: database.execute(f'SELECT * FROM "{name}"').fetchall() for name in kept}
    database.close()
    rows["sqlite_sequence"] = [row for row in rows["sqlite_sequence"] if row[1] and row[0] not in RESTORED]
    return {name: sorted(repr([plain(value) for value in row]) for row in found) for name, found in rows.items()}


def test_sqlite_to_postgresql_and_back_is_lossless(tmp_path):
    first, moved, back = (tmp_path / f"{name}.sqlite3" for name in ("first", "moved", "back"))
    printed = run_python(FILL, migrated_sqlite(tmp_path / "here.sqlite3"), tmp_path, first)
    assert printed.startswith("[]\n")
    with temporary_postgres("moving") as postgres:
        printed = run_python(SAVE, postgres, tmp_path, first, moved)
    assert int(printed.splitlines()[-1]) == highest_id(first, "streaming_movie") + 1
    run_python(SAVE, f"sqlite:///{tmp_path}/there.sqlite3", tmp_path, moved, back)
    expected = rows_of(first)
    assert len(expected["streaming_blockedaddress"]) == 2
    assert rows_of(moved) == expected
    assert rows_of(back) == expected
    assert restores_of(moved)[:1] == restores_of(first)
    assert restores_of(back)[:2] == restores_of(moved)


def restores_of(path):
    """The restores that a backup knows of."""
    with sqlite3.connect(path) as database:
        found = database.execute("SELECT * FROM streaming_restoredbackup ORDER BY id").fetchall()
    database.close()
    return found


def highest_id(path, table):
    """The highest id that the table ever had."""
    with sqlite3.connect(path) as database:
        found = database.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", [table]).fetchone()[0]
    database.close()
    return found
