"""A damaged SQLite file is found once a day, reported, and not written to."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from streaming import integrity
from streaming.backup import restoration

CONNECT = sqlite3.connect
pytestmark = pytest.mark.sqlite


@pytest.fixture
def path(tmp_path, settings, monkeypatch):
    """A whole database of one table, which is the default one."""
    settings.VAR_DIR = tmp_path / "var"
    path = tmp_path / "openreel.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE a (b)")
    database.close()
    monkeypatch.setitem(connection.settings_dict, "NAME", str(path))
    return path


def damage(path):
    path.write_bytes(b"\xff" * 8192)


def test_a_damaged_database_is_found_and_renamed(path):
    assert not integrity.is_damaged()
    damage(path)
    assert integrity.is_damaged()
    path.with_name("openreel.sqlite3-wal").write_bytes(b"wal")
    moved = restoration.rename_damaged_file(now=timezone.now())
    assert {one.name for one in path.parent.iterdir()} >= {moved.name, f"{moved.name}-wal"}
    assert not path.exists()


def test_a_locked_or_missing_database_is_not_a_damaged_one(path, monkeypatch):
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(sqlite3, "connect", lambda *words, **options: CONNECT(*words, **{**options, "timeout": 0.01}))
    assert not integrity.is_damaged()
    database.close()
    path.unlink()
    assert not integrity.is_damaged()
    assert not integrity.is_damaged_by_daily_check(now=timezone.now())


def test_a_link_check_refuses_a_damaged_database(path):
    damage(path)
    with pytest.raises(CommandError, match="the database is damaged, so nothing was checked"):
        call_command("check_link_health")


@pytest.mark.parametrize(
    ("hours", "looked"), [(1, False), (23, False), (25, True), (-1, True)], ids=["1", "23", "25", "the future"]
)
def test_the_file_is_looked_through_once_a_day(path, hours, looked):
    now = timezone.now()
    assert not integrity.is_damaged_by_daily_check(now=now)
    damage(path)
    assert integrity.is_damaged_by_daily_check(now=now + timedelta(hours=hours)) is looked


def test_damage_is_looked_for_again_each_time_and_another_file_too(path, settings):
    now = timezone.now()
    whole = path.read_bytes()
    damage(path)
    assert integrity.is_damaged_by_daily_check(now=now)
    path.write_bytes(whole)
    assert not integrity.is_damaged_by_daily_check(now=now)
    restored = path.with_name("restored")
    damage(restored)
    restored.rename(path)
    assert integrity.last_check() is None
    assert integrity.is_damaged_by_daily_check(now=now)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"file": 1}', "\xff"])
def test_a_record_that_cannot_be_read_is_none(path, settings, text):
    settings.VAR_DIR.mkdir()
    (settings.VAR_DIR / "integrity.json").write_text(text, encoding="latin-1")
    assert integrity.last_check() is None
    assert not integrity.is_damaged_by_daily_check(now=timezone.now())
    assert integrity.last_check() is not None


@pytest.mark.parametrize("is_damaged", [True, False])
def test_readyz_and_the_health_page_say_what_was_found(db, client, settings, tmp_path, is_damaged):
    settings.VAR_DIR = tmp_path
    assert not integrity.is_damaged_by_daily_check(now=timezone.now())
    record = tmp_path / "integrity.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "is_damaged": is_damaged}))
    page, problems = client.get("/health/").content.decode(), client.get("/readyz").json()["problems"]
    assert ("The database is damaged: restore a backup." in page) is is_damaged
    assert ("The database file was found whole" in page) is not is_damaged
    assert (integrity.DAMAGED in problems) is is_damaged
