"""Settings from the environment: a wrong value is reported in one sentence that names the variable."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from MovieBackend import env
from tests.helpers.paths import PROJECT_ROOT

KEY = "only-for-tests-not-for-a-public-site"


def start(tmp_path, *command, **variables):
    """Run a command of manage.py, `check` if none is given, with these variables and no other settings."""
    clean = {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path), "HOME": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "manage.py", *(command or ["check"])],
        cwd=PROJECT_ROOT,
        env={**clean, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "SECRET_KEY"),
        ({"SECRET_KEY": "x"}, "SECRET_KEY"),
        ({"SECRET_KEY": KEY, "DEBUG": "maybe"}, "DEBUG"),
        ({"SECRET_KEY": KEY, "STALE_HOURS": "a day"}, "STALE_HOURS"),
        ({"SECRET_KEY": KEY, "SCRAPE_PROCESSES": "0"}, "SCRAPE_PROCESSES"),
        ({"SECRET_KEY": KEY, "REFRESH_RATE": "fast"}, "REFRESH_RATE"),
        ({"SECRET_KEY": KEY, "SOURCES": "example,netflix"}, "SOURCES"),
        ({"SECRET_KEY": KEY, "EXAMPLE_SITE_URL": "ftp://x"}, "EXAMPLE_SITE_URL"),
        ({"SECRET_KEY": KEY, "ALLOW_PRIVATE_HOSTS": "http://x/"}, "ALLOW_PRIVATE_HOSTS"),
        ({"SECRET_KEY": KEY, "DATABASE_URL": "mysql://x/y"}, "DATABASE_URL"),
        ({"SECRET_KEY": KEY, "DATABASE_URL": "nonsense"}, "DATABASE_URL"),
        ({"SECRET_KEY": KEY, "CACHE_URL": "memcached://x"}, "CACHE_URL"),
        ({"SECRET_KEY": KEY, "PORT": "99999"}, "PORT"),
        ({"SECRET_KEY": KEY, "LOG_LEVEL": "LOUD"}, "LOG_LEVEL"),
        ({"SECRET_KEY": KEY, "LOG_FORMAT": "xml"}, "LOG_FORMAT"),
        ({"SECRET_KEY": KEY, "PEERTUBE_URLS": "framatube.org"}, "PEERTUBE_URLS"),
        ({"SECRET_KEY": KEY, "SOURCE_DELAYS": "netflix=1"}, "SOURCE_DELAYS"),
        ({"SECRET_KEY": KEY, "ALLOWED_HOSTS": "https://films.example.org"}, "ALLOWED_HOSTS"),
        ({"SECRET_KEY": KEY, "ALLOWED_HOSTS": "films.example.org:8000"}, "ALLOWED_HOSTS"),
        ({"SECRET_KEY": KEY, "ALLOWED_HOSTS": "films.example.org www.example.org"}, "ALLOWED_HOSTS"),
        ({"SECRET_KEY": KEY, "CSRF_TRUSTED_ORIGINS": "films.example.org"}, "CSRF_TRUSTED_ORIGINS"),
        ({"SECRET_KEY": KEY, "LINK_GRACE_HOURS": "999999999"}, "LINK_GRACE_HOURS"),
        ({"SECRET_KEY": KEY, "HEALTH_VERIFY_HOURS": "999999999"}, "HEALTH_VERIFY_HOURS"),
        ({"SECRET_KEY": KEY, "ENV_FILE": "/nowhere/env"}, "/nowhere/env"),
        ({"SECRET_KEY": KEY, "ENV_FILE": "/"}, "the settings in /"),
        ({"SECRET_KEY_FILE": "/nowhere/key"}, "SECRET_KEY_FILE: /nowhere/key cannot be read: No such file"),
        ({"SECRET_KEY": KEY, "NOTIFY_URLS_FILE": "/"}, "NOTIFY_URLS_FILE: / cannot be read: Is a directory"),
        ({"SECRET_KEY": KEY, "VAR_DIR": "/dev/null/var"}, "VAR_DIR"),
        ({"SECRET_KEY": KEY, "NOTIFY_URLS": "ntfy://a/b, c"}, "NOTIFY_URLS: number 1"),
        ({"SECRET_KEY": KEY, "NOTIFY_WEBHOOK_URL": "https://example.org/hook"}, "NOTIFY_WEBHOOK_SECRET"),
        ({"SECRET_KEY": KEY, "HEARTBEAT_URL": "example.org"}, "HEARTBEAT_URL"),
        ({"SECRET_KEY": KEY, "HEALTH_CANARIES": "javascript:x"}, "HEALTH_CANARIES"),
    ],
)
@pytest.mark.slow
def test_a_wrong_setting_is_one_sentence_that_names_it(tmp_path, variables, named):
    result = start(tmp_path, **variables)
    assert result.returncode == 1
    assert named in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("variables", [{}, {"SECRET_KEY": "x"}])
def test_only_the_command_that_writes_migrations_needs_no_key(tmp_path, variables):
    assert start(tmp_path, "makemigrations", "--check", "--dry-run", **variables).returncode == 0
    for command in (["migrate", "--check"], ["check_link_health", "--dry-run"], ["check", "makemigrations"]):
        refused = start(tmp_path, *command, **variables)
        assert (refused.returncode, "SECRET_KEY" in refused.stderr) == (1, True)


@pytest.mark.slow
def test_the_command_that_writes_migrations_names_a_wrong_setting_too(tmp_path):
    result = start(tmp_path, "makemigrations", "--check", STALE_HOURS="a day")
    assert (result.returncode, len(result.stderr.strip().splitlines())) == (1, 1)
    assert "STALE_HOURS" in result.stderr


@pytest.mark.slow
def test_the_shipped_settings_behind_https_pass_the_deployment_check(tmp_path):
    clean = {
        "PATH": os.environ["PATH"],
        "VAR_DIR": str(tmp_path),
        "SECRET_KEY": "k3" * 30 + "_-!abcdefghij",
        "BEHIND_HTTPS": "1",
    }
    result = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=PROJECT_ROOT, env=clean, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
def test_the_env_file_fills_gaps_and_the_environment_wins(tmp_path):
    (tmp_path / "env").write_text("SECRET_KEY=from-file-and-long-enough-to-start\nSTALE_HOURS=nonsense\n")
    assert "STALE_HOURS" in start(tmp_path).stderr
    assert start(tmp_path, STALE_HOURS="3").returncode == 0


@pytest.mark.parametrize("content", [b"CONTACT=\xe4\n", b"CONTACT=a\x00b\n"])
@pytest.mark.slow
def test_an_env_file_that_is_no_text_is_one_sentence(tmp_path, content):
    (tmp_path / "env").write_bytes(content)
    result = start(tmp_path, SECRET_KEY=KEY)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1), result.stderr
    assert f"{tmp_path}/env cannot be read" in result.stderr


@pytest.mark.slow
def test_an_env_file_written_by_a_windows_editor_is_read(tmp_path):
    (tmp_path / "env").write_bytes(b"\xef\xbb\xbfSECRET_KEY=from-file-and-long-enough-to-start\r\n")
    assert start(tmp_path).returncode == 0


@pytest.mark.parametrize("content", ["a secret\n", "a secret\r\n", "a secret", "\ufeffa secret\n"])
@pytest.mark.parametrize("name", sorted(env.SECRET_SETTINGS))
def test_each_secret_may_be_in_a_file(monkeypatch, tmp_path, name, content):
    (tmp_path / "secret").write_bytes(content.encode())
    monkeypatch.setenv(name, "")  # as compose sets what is not in its environment
    monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "secret"))
    assert env.text(name, "default") == "a secret"


def test_what_is_no_secret_is_read_from_no_file(monkeypatch, tmp_path):
    (tmp_path / "value").write_text("from a file")
    monkeypatch.setenv("CONTACT_FILE", str(tmp_path / "value"))
    monkeypatch.delenv("CONTACT", raising=False)
    assert env.text("CONTACT", "default") == "default"


def test_a_secret_that_is_set_twice_is_refused_without_showing_it(monkeypatch, tmp_path):
    (tmp_path / "secret").write_text("hidden-in-file")
    monkeypatch.setenv("METRICS_TOKEN", "hidden-in-variable")
    monkeypatch.setenv("METRICS_TOKEN_FILE", str(tmp_path / "secret"))
    with pytest.raises(ImproperlyConfigured, match="METRICS_TOKEN and METRICS_TOKEN_FILE are both set") as refused:
        env.text("METRICS_TOKEN")
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"hidden\xff", b"hidden\0", b"hidden" * 20_000])
def test_a_file_that_holds_no_secret_is_named_without_its_content(monkeypatch, tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    monkeypatch.setenv("METRICS_TOKEN_FILE", str(tmp_path / "file"))
    monkeypatch.delenv("METRICS_TOKEN", raising=False)
    with pytest.raises(ImproperlyConfigured, match=f"METRICS_TOKEN_FILE: {tmp_path}/file") as refused:
        env.text("METRICS_TOKEN")
    assert "hidden" not in str(refused.value)


@pytest.mark.slow
def test_the_program_starts_with_secrets_in_files(tmp_path):
    (tmp_path / "key").write_text(f"{KEY}\n")
    (tmp_path / "database").write_text(f"sqlite:///{tmp_path}/films.sqlite3\n")
    files = {"SECRET_KEY_FILE": str(tmp_path / "key"), "DATABASE_URL_FILE": str(tmp_path / "database")}
    done = start(tmp_path, "migrate", "streaming", "0001", "--verbosity=0", **files)
    assert (done.returncode, (tmp_path / "films.sqlite3").exists()) == (0, True), done.stderr


def test_hosts_and_origins_are_taken_as_django_wants_them(monkeypatch):
    monkeypatch.setenv("HOSTS", "films.example.org, .example.org, [::1], *")
    assert env.host_list("HOSTS", []) == ["films.example.org", ".example.org", "[::1]", "*"]
    monkeypatch.setenv("HOSTS", "")
    assert env.host_list("HOSTS", ["localhost"]) == ["localhost"]
    monkeypatch.setenv("ORIGINS", "https://films.example.org, http://*.example.org:8000")
    assert env.origin_list("ORIGINS") == ["https://films.example.org", "http://*.example.org:8000"]


@pytest.mark.parametrize(
    ("text", "value"), [("True", True), ("1", True), ("on", True), ("False", False), ("0", False), ("", False)]
)
def test_flags(monkeypatch, text, value):
    monkeypatch.setenv("A_FLAG", text)
    assert env.flag("A_FLAG") is value


@pytest.mark.parametrize(
    ("text", "value"), [("6/min", (6, 60)), ("1/s", (1, 1)), ("30/hour", (30, 3600)), ("5/day", (5, 86400))]
)
def test_rates(monkeypatch, text, value):
    monkeypatch.setenv("A_RATE", text)
    assert env.rate("A_RATE", "1/s") == value


@pytest.mark.parametrize("text", ["", "6", "0/min", "6/week", "-1/s", "6/min\n/s"])
def test_bad_rates_are_named(monkeypatch, text):
    monkeypatch.setenv("A_RATE", text)
    with pytest.raises(ImproperlyConfigured, match="A_RATE"):
        env.rate("A_RATE", "1/s")


@pytest.mark.parametrize("text", ["1.5", "-1", "1e3", "٣", "99999999999999"])
def test_bad_whole_numbers_are_named(monkeypatch, text):
    monkeypatch.setenv("A_NUMBER", text)
    with pytest.raises(ImproperlyConfigured, match=re.escape("A_NUMBER")):
        env.integer("A_NUMBER", 1)


def test_delays_of_sources(monkeypatch):
    monkeypatch.setenv("DELAYS", " internet_archive=2, peertube = 0.5,")
    assert env.delays("DELAYS") == {"internet_archive": 2.0, "peertube": 0.5}
    monkeypatch.setenv("DELAYS", "")
    assert env.delays("DELAYS") == {}


@pytest.mark.parametrize(
    "text", ["wikidata", "wikidata=", "wikidata=-1", "wikidata=61", "wikidata=1e1", "=1", "wikidata=1,wikidata=2"]
)
def test_bad_delays_are_named(monkeypatch, text):
    monkeypatch.setenv("DELAYS", text)
    with pytest.raises(ImproperlyConfigured, match="DELAYS"):
        env.delays("DELAYS")


@pytest.mark.parametrize("value", ["Openreel (+Jürgen)", "a\nX-Header: b", "\x7f"])
def test_text_that_no_header_can_hold_is_an_error(monkeypatch, value):
    monkeypatch.setenv("CONTACT", value)
    with pytest.raises(ImproperlyConfigured, match="CONTACT"):
        env.header_text("CONTACT", "")


@pytest.mark.parametrize(
    "key", ["", "x", "k3-" * 10, "x" * 60, "abcdefgh" * 8, "aaaabbbbccccdddd" * 3, "0123456789abcdefghijABCDEFGHIJ_"]
)
def test_a_key_that_can_be_guessed_is_named(monkeypatch, key):
    monkeypatch.setenv("A_KEY", key)
    with pytest.raises(ImproperlyConfigured, match="A_KEY"):
        env.secret_key("A_KEY", is_development=False)
    assert env.secret_key("A_KEY", is_development=True) == (key or "only-for-development")


def test_a_long_key_is_taken(monkeypatch):
    monkeypatch.setenv("A_KEY", "0123456789abcdefghijABCDEFGHIJ_-")
    assert env.secret_key("A_KEY", is_development=False) == "0123456789abcdefghijABCDEFGHIJ_-"
