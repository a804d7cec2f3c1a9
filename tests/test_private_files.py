"""What an installation writes is its user's alone, and what older releases left open is closed."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from MovieBackend.private_files import tighten, tighten_and_report
from tests.helpers.paths import PROJECT_ROOT

ENTRY_POINTS = ["manage.py", *(f"MovieBackend/{name}.py" for name in ("serve", "worker", "celery", "wsgi"))]


def mode(path):
    return oct(stat.S_IMODE(path.lstat().st_mode))


def test_an_open_installation_is_closed_once_and_says_so(tmp_path, capsys):
    folder, other = tmp_path / "var", tmp_path / "other"
    folder.mkdir(mode=0o755), other.mkdir(mode=0o755)
    (folder / "cache").mkdir(mode=0o755)
    for name in ("env", "health.log"):
        (folder / name).write_text("x")
        (folder / name).chmod(0o644)
    for name in ("main.sqlite3", "main.sqlite3-wal", "foreign.txt"):
        (other / name).write_text("x")
        (other / name).chmod(0o664)
    (folder / "link").symlink_to(other / "foreign.txt")
    tighten_and_report(folder, str(other / "main.sqlite3"))
    assert "others could read" in capsys.readouterr().err
    assert [mode(folder), mode(folder / "cache")] == ["0o700", "0o700"]
    assert {mode(one) for one in (folder / "env", folder / "health.log")} == {"0o600"}
    assert {mode(one) for one in other.glob("main*")} == {"0o600"}
    assert [mode(other), mode(other / "foreign.txt")] == ["0o755", "0o664"]
    tighten_and_report(folder, str(other / "main.sqlite3"))
    assert capsys.readouterr().err == ""


def test_a_folder_for_everybody_and_a_missing_one_are_left_alone(tmp_path):
    tmp_path.chmod(0o1777)
    assert tighten(tmp_path, str(tmp_path / "missing.sqlite3")) == []
    assert mode(tmp_path) == "0o1777"
    assert tighten(tmp_path / "missing", "openreel") == []


def test_of_a_folder_that_others_use_too_only_our_own_is_closed(tmp_path):
    """VAR_DIR=/var, started by root, once closed all of it."""
    tmp_path.chmod(0o755)
    for name in ("log", "www", "cache", "static", "restore-x1"):
        (tmp_path / name).mkdir(mode=0o755)
    for name in ("openreel.sqlite3", "env", "notes.txt"):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(0o644)
    tighten(tmp_path, str(tmp_path / "openreel.sqlite3"))
    assert {path.name for path in tmp_path.iterdir() if mode(path)[-2:] != "00"} == {"log", "www", "notes.txt"}
    assert mode(tmp_path) == "0o755"


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_every_entry_point_starts_private(name):
    assert re.search(r"^ *start_private\(\)$", (PROJECT_ROOT / name).read_text(), re.M)


@pytest.mark.parametrize("unit", sorted((PROJECT_ROOT / "deploy").glob("*.service")), ids=lambda unit: unit.name)
def test_every_unit_starts_private(unit):
    assert "\nUMask=0077\n" in unit.read_text()


@pytest.mark.slow
def test_a_first_migration_leaves_nothing_open(tmp_path):
    environment = {
        "PATH": os.environ["PATH"],
        "VAR_DIR": str(tmp_path / "var"),
        "SECRET_KEY": "a-key-" + "0123456789" * 3,
    }
    command = "import os, sys; os.umask(0o022); sys.argv[1:] = ['migrate']; import manage; sys.exit(manage.main())"
    subprocess.run([sys.executable, "-c", command], cwd=PROJECT_ROOT, env=environment, check=True, capture_output=True)
    assert mode(tmp_path / "var") == "0o700"
    assert {mode(one) for one in (tmp_path / "var").glob("*.sqlite3*")} == {"0o600"}


@pytest.mark.parametrize("password", ["short1", "password", "1234567890"])
def test_a_weak_password_is_refused(password):
    with pytest.raises(ValidationError):
        validate_password(password)
