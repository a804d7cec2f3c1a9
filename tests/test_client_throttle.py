"""Limits per client, counted over several processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing

import pytest
from django.core.cache import cache
from django.test import RequestFactory

from streaming import file_locks
from streaming.client_throttle import client_key, client_networks, refresh_retry_after
from tests.helpers.paths import PROJECT_ROOT


@pytest.fixture(autouse=True)
def alone(settings, tmp_path):
    settings.SCRAPE_DIR = tmp_path
    settings.REFRESH_RATE = (3, 60)
    cache.clear()


def ask(address: str = "192.0.2.1", **headers: str) -> int | None:
    return refresh_retry_after(RequestFactory().post("/", REMOTE_ADDR=address, **headers))


def test_the_fourth_of_three_waits_until_the_window_ends():
    assert [ask() for _ in range(3)] == [None, None, None]
    wait = ask()
    assert wait is not None
    assert 50 <= wait <= 60
    assert ask("192.0.2.2") is None


def test_a_forged_forwarded_for_is_ignored():
    answers = [ask(HTTP_X_FORWARDED_FOR=f"198.51.100.{i}") for i in range(5)]
    assert [answer is None for answer in answers] == [True, True, True, False, False]


def test_addresses_that_rotate_inside_one_64_are_one_client():
    answers = [ask(f"2001:db8:1:2::{i}") for i in range(5)]
    assert [answer is None for answer in answers] == [True, True, True, False, False]
    assert ask("2001:db8:1:3::1") is None


@pytest.mark.parametrize(
    ("address", "forwarded_for", "proxies", "client"),
    [
        ("192.0.2.1", "", 0, "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", 0, "192.0.2.1"),
        ("127.0.0.1", "203.0.113.9", 1, "203.0.113.9"),
        ("127.0.0.1", "6.6.6.6, 203.0.113.9", 1, "203.0.113.9"),
        ("127.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.1", 2, "203.0.113.9"),
        ("192.0.2.1", "203.0.113.9", 2, "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "", 0, "2001:db8:1:2::-64 2001:db8:1::-48"),
        ("::ffff:192.0.2.1", "", 0, "192.0.2.1"),
        ("fe80::1%eth0", "", 0, "fe80::-64 fe80::-48"),
        ("", "", 0, "unknown"),
        ("127.0.0.1", "<script>", 1, "unknown"),
    ],
)
def test_clients_are_identified(settings, address, forwarded_for, proxies, client):
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().post("/", REMOTE_ADDR=address, HTTP_X_FORWARDED_FOR=forwarded_for)
    assert " ".join(client_networks(request)) == client


def test_the_key_of_a_client_is_its_48_and_tells_no_address():
    one, same, other = (
        client_key(RequestFactory().get("/", REMOTE_ADDR=address))
        for address in ("2001:db8:1:2::1", "2001:db8:1:ffff::1", "2001:db8:2::1")
    )
    assert one == same != other
    assert "2001" not in one


def test_a_lock_that_is_held_for_long_refuses_a_click_and_is_not_waited_for(tmp_path, caplog):
    with closing(file_locks.try_lock(tmp_path / "throttle.lock")):
        assert ask() == 1
    assert "another process has held throttle.lock" in caplog.text


def test_the_file_cache_does_not_forget_the_count_before_its_window_ends(settings, tmp_path):
    location = {"LOCATION": str(tmp_path / "cache"), "OPTIONS": {"MAX_ENTRIES": 5000}}
    settings.CACHES = {"default": {"BACKEND": "MovieBackend.cache.FailOpenFileCache", **location}}
    settings.REFRESH_RATE = (3, 7200)
    assert [ask() is None for _ in range(5)] == [True, True, True, False, False]
    ends = [file.stat().st_mtime for file in (tmp_path / "cache").iterdir()]
    assert len(ends) == 2
    assert all(end - time.time() > 7000 for end in ends)


CLICKER = """
import django
django.setup()
from django.conf import settings
from django.test import RequestFactory
from streaming import file_locks
from streaming.client_throttle import refresh_retry_after
settings.REFRESH_RATE = (6, 60)
print("ready", flush=True)
input()
print(sum(refresh_retry_after(RequestFactory().post("/", REMOTE_ADDR="192.0.2.7")) is None for _ in range(40)))
"""


@pytest.mark.slow
def test_the_limit_is_the_limit_over_four_processes_with_the_file_cache(tmp_path):
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "CACHE_URL": f"file://{tmp_path / 'cache'}",
        "SCRAPE_DIR": str(tmp_path),
    }
    command, root, pipe = [sys.executable, "-c", CLICKER], PROJECT_ROOT, subprocess.PIPE
    started = [subprocess.Popen(command, env=env, cwd=root, stdin=pipe, stdout=pipe) for _ in range(4)]
    assert [process.stdout.readline() for process in started] == [b"ready\n"] * 4
    for process in started:
        process.stdin.write(b"\n")
        process.stdin.flush()
    assert sum(int(process.communicate(timeout=20)[0]) for process in started) == 6
