"""What is saved comes back; what is damaged, newer or not meant is refused in one sentence."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from streaming.backup import backup_file
from streaming.backup.backup_file import MANIFEST_TABLE
from streaming.models import HealthRun, HostGate, Movie
from tests.helpers.factories import make_job, make_link, make_movie

pytestmark = pytest.mark.sqlite


@pytest.fixture
def saved(transactional_db, django_db_blocker, tmp_path, settings, capsys):
    """A backup of a movie with a link and an account."""
    settings.VAR_DIR, settings.SCRAPE_DIR = tmp_path / "var", tmp_path / "var" / "scrape"
    settings.VAR_DIR.mkdir()
    User.objects.create_user("alice")
    make_link(make_movie(imdb_id="tt0000001", title="Saved"))
    call_command("backup", str(tmp_path / "backup.sqlite3"))
    assert "and checked: movies 1, links 1, accounts 1" in capsys.readouterr().out
    # Tests may open only the databases of the settings, and a restore opens its file, too.
    with django_db_blocker.unblock():
        yield tmp_path / "backup.sqlite3"


def change(path, sql):
    """Change a backup as a plain SQLite program would, without its manifest."""
    with sqlite3.connect(path) as database:
        database.execute(sql)
    database.close()


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def overwrite_pages(path):
    data = bytearray(path.read_bytes())
    data[4096:12288] = b"\xff" * 8192
    path.write_bytes(data)


def flip_letter(path):
    data = path.read_bytes()
    assert b"Saved" in data
    path.write_bytes(data.replace(b"Saved", b"Caved"))


def change_made_at(path, text):
    change(path, f"UPDATE {MANIFEST_TABLE} SET manifest = json_set(manifest, '$.made_at', '{text}')")


def add_unknown_migration(path):
    with sqlite3.connect(path) as database:
        text = database.execute(f"SELECT manifest FROM {MANIFEST_TABLE}").fetchone()[0]
        newer = text.replace('["streaming", "0001_initial"]', '["streaming", "0001_initial"], ["streaming", "9999_x"]')
        database.execute(f"UPDATE {MANIFEST_TABLE} SET manifest = ?", [newer])
    database.close()


def test_a_backup_is_one_private_file_that_plain_sqlite_reads(saved):
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert [one.name for one in saved.parent.iterdir() if one.name != "var"] == [saved.name]
    with sqlite3.connect(saved) as database:
        assert database.execute("SELECT imdb_id, title FROM streaming_movie").fetchall() == [("tt0000001", "Saved")]
    database.close()


def test_a_restore_says_what_it_replaces_needs_yes_and_brings_everything_back(saved, capsys):
    Movie.objects.all().delete()
    make_movie(title="Later"), make_movie(title="Later too")
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("restore", str(saved))
    assert "movies 2, links 0, accounts 1" in capsys.readouterr().out
    assert Movie.objects.count() == 2
    call_command("restore", str(saved), "--yes")
    movie = Movie.objects.get()
    assert (movie.title, movie.links.count()) == ("Saved", 1)
    assert make_movie().pk == movie.pk + 1


def test_a_backup_and_its_restore_count_the_same_rows(transactional_db, django_db_blocker, tmp_path, settings, capsys):
    settings.VAR_DIR, settings.SCRAPE_DIR = tmp_path / "var", tmp_path / "var" / "scrape"
    settings.VAR_DIR.mkdir()
    make_link(make_movie())
    call_command("backup", str(tmp_path / "backup.sqlite3"))
    with django_db_blocker.unblock():
        call_command("restore", str(tmp_path / "backup.sqlite3"), "--yes")
    output = capsys.readouterr().out
    saved, restored = re.findall(r"movies 1, links 1, accounts 0, (\d+) rows in all[.]", output)
    assert saved == restored


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut, "is no backup, or a damaged one|is damaged"),
        (overwrite_pages, "is no backup, or a damaged one|is damaged"),
        (flip_letter, "not as they were saved: streaming_movie[.]"),
        (lambda path: change(path, "DELETE FROM streaming_streaminglink"), "saved: .*streaming_streaminglink"),
        (lambda path: change(path, "DROP TABLE streaming_linkflip"), "saved: .*streaming_linkflip"),
        (lambda path: change(path, f"DROP TABLE {MANIFEST_TABLE}"), "no readable manifest"),
        (lambda path: change(path, f"UPDATE {MANIFEST_TABLE} SET manifest = '[]'"), "no readable manifest"),
        (lambda path: change(path, f"UPDATE {MANIFEST_TABLE} SET format = 99"), "newer release"),
        (lambda path: change_made_at(path, "2026-13-28T10:00:00+00:00"), "no readable manifest"),
        (lambda path: change_made_at(path, "2026-11-28T10:00:00"), "no readable manifest"),
        (add_unknown_migration, "newer release.*9999_x"),
        (lambda path: path.write_bytes(b""), "no readable manifest"),
        (lambda path: path.write_bytes(b"no database" * 1000), "no backup, or a damaged one"),
        (lambda path: path.unlink(), "is not a file"),
    ],
)
def test_what_is_damaged_or_newer_is_refused_and_changes_nothing(saved, damage, message):
    damage(saved)
    make_movie(title="Later")
    with pytest.raises(CommandError, match=message):
        call_command("restore", str(saved), "--yes")
    assert sorted(Movie.objects.values_list("title", flat=True)) == ["Later", "Saved"]


def test_a_restore_that_fails_half_way_changes_nothing(saved):
    """The second row of the backup breaks a rule of the database, here one that the backup's copy does not have."""
    Movie.objects.all().delete()
    make_movie(title="Later")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON streaming_streaminglink BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    try:
        with pytest.raises(CommandError, match="nothing was restored: no"):
            call_command("restore", str(saved), "--yes")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER refuse")
    assert Movie.objects.get().title == "Later"


@pytest.mark.parametrize("busy", ["job", "check", "worker"])
def test_nothing_is_restored_while_jobs_or_checks_run(saved, settings, busy):
    now = timezone.now()
    if busy == "job":
        make_job(Movie.objects.get(), state="running", lease_until=now + timedelta(seconds=30))
    elif busy == "check":
        HealthRun.objects.create(started_at=now, heartbeat_at=now)
    else:
        settings.SCRAPE_DIR.mkdir()
        with (settings.SCRAPE_DIR / "supervisor.lock").open("w") as lock:
            restore_is_refused_while_locked(lock, saved)
        return
    with pytest.raises(CommandError, match="is running"):
        call_command("restore", str(saved), "--yes")


def restore_is_refused_while_locked(lock, saved):
    fcntl = pytest.importorskip("fcntl")
    fcntl.flock(lock, fcntl.LOCK_EX)
    with pytest.raises(CommandError, match="scrape_worker --stop"):
        call_command("restore", str(saved), "--yes")


@pytest.mark.parametrize("name", ["-", ".", "missing/backup.sqlite3", "other.txt", "live"])
def test_a_backup_goes_to_a_file_of_its_own(saved, tmp_path, name):
    (tmp_path / "other.txt").write_text("mine")
    before = (tmp_path / "other.txt").read_bytes()
    target = connection.settings_dict["NAME"] if name == "live" else name if name == "-" else str(tmp_path / name)
    with pytest.raises(CommandError):
        call_command("backup", target)
    assert (tmp_path / "other.txt").read_bytes() == before
    assert Movie.objects.count() == 1
    assert not list(tmp_path.glob(".*.tmp*"))


def test_an_older_backup_is_replaced_and_survives_a_failure(saved, monkeypatch):
    call_command("backup", str(saved))
    before = saved.read_bytes()
    monkeypatch.setitem(connection.settings_dict, "NAME", "/nowhere/openreel.sqlite3")
    with pytest.raises(CommandError, match="there is no database at /nowhere"):
        call_command("backup", str(saved))
    assert saved.read_bytes() == before
    assert not list(saved.parent.glob(".*"))


def test_what_killed_backups_left_stops_no_backup_and_is_removed(saved):
    for ending in (f".{os.getpid()}.tmp", ".1.tmp", ".1.tmp-journal", ".lock"):
        (saved.parent / f".{saved.name}{ending}").write_bytes(b"half")
    (saved.parent / ".another.sqlite3.1.tmp").write_bytes(b"mine")
    call_command("backup", str(saved))
    assert [path.name for path in saved.parent.glob(".*")] == [".another.sqlite3.1.tmp"]
    assert backup_file.check_file(saved).rows("streaming_movie") == 1


def test_of_two_backups_to_one_file_the_second_is_refused(saved):
    with (
        backup_file.new_file(saved),
        pytest.raises(CommandError, match=r"another backup to .* is running"),
    ):
        call_command("backup", str(saved))


def test_a_backup_under_load_has_one_state(saved):
    stop, written = threading.Event(), []

    def write():
        database = sqlite3.connect(connection.settings_dict["NAME"], timeout=20, isolation_level=None)
        while not stop.is_set():
            number = len(written)
            database.execute("BEGIN IMMEDIATE")
            for side in "ab":
                database.execute("INSERT INTO streaming_hostgate VALUES (?, '2026-01-01')", [f"{side}{number}"])
            database.execute("COMMIT")
            written.append(number)
        database.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        counts = []
        for _ in range(4):
            call_command("backup", str(saved))
            manifest = backup_file.check_file(saved)
            counts.append(manifest.tables["streaming_hostgate"].rows)
    finally:
        stop.set()
        writer.join()
    assert [count % 2 for count in counts] == [0, 0, 0, 0]
    assert len(written) > 4
    assert HostGate.objects.count() == 2 * len(written)
