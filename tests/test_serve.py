"""`make run` without make: a stranger's first start, the second one, and the end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from MovieBackend import serve
from streaming import file_locks
from streaming.models import Movie
from tests.helpers.http_origin import wait_for
from tests.helpers.http_servers import free_port
from tests.helpers.paths import PROJECT_ROOT
from tests.helpers.process_info import children_of, command_line, is_alive
from tests.helpers.slow_clients import LARGE_BYTES, place_large_export, slow_clients, status_of

pytestmark = pytest.mark.slow(seconds=4)


def start(folder, port, **more):
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "VAR_DIR": str(folder), "PORT": str(port), **more}
    return subprocess.Popen(
        [sys.executable, "-m", "MovieBackend.serve"],
        cwd=PROJECT_ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def wait_for_address(process):
    line = process.stdout.readline()
    while line and "Openreel is at" not in line:
        line = process.stdout.readline()
    assert line, process.stderr.read()
    return re.search(r"http://\S+", line)[0]


def descendants_gone(session, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not subprocess.run(["pgrep", "-g", str(session)], capture_output=True, check=False).stdout:
            return True
        time.sleep(0.05)
    return False


def assert_serves(url):
    """Check the demo catalogue, a long search and a compressed static file."""
    movies = json.load(urllib.request.urlopen(f"{url}api/streaming/movies/", timeout=10))
    assert movies["count"] == 75
    long_search = f"{url}api/streaming/movies/?search={'no+' * 2000}"
    assert urllib.request.urlopen(long_search, timeout=10).status == 200
    page = urllib.request.urlopen(url, timeout=10).read().decode()
    stylesheet = re.search(r'href="(/static/css/site\.[0-9a-f]{12}\.css)"', page)
    request = urllib.request.Request(url.rstrip("/") + stylesheet[1], headers={"Accept-Encoding": "br"})
    response = urllib.request.urlopen(request, timeout=10)
    assert response.headers["Content-Encoding"] == "br"
    assert "immutable" in response.headers["Cache-Control"]


def assert_bounds_bodies(url):
    """Bodies that are too large are refused, unread, by both ways to state them, and with the limit of staff too."""
    path = b"/streaming/1/refresh/ HTTP/1.1\r\nHost: localhost\r\n"
    chunk = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
    for method in (b"GET ", b"POST "):
        assert status_of(url, method + path + b"Content-Length: 300000000\r\n\r\n") == 413
        assert status_of(url, method + path + b"Transfer-Encoding: chunked\r\n\r\n" + 2 * chunk) == 413
    staff = b"POST " + path + b"Cookie: sessionid=forged\r\n"
    assert status_of(url, staff + b"Content-Length: 2000000\r\n\r\n") == 413
    assert status_of(url, b"POST " + path + b"Content-Length: 3\r\n\r\na=b") == 403


def seconds_to_serve(url, path):
    begin = time.monotonic()
    assert urllib.request.urlopen(f"{url}{path}", timeout=10).status == 200
    return time.monotonic() - begin


def assert_serves_beside_slow_clients(url, folder):
    """Each of two workers has eight threads; a page has to come within 2 s, or on a slow machine 20 times as long as
    without these clients."""
    place_large_export(folder)
    pages = ("healthz", "", "api/streaming/movies/")
    patience = max(2.0, 20 * max(seconds_to_serve(url, path) for path in pages))
    with slow_clients(url, headers=40, bodies=40, readers=16, pipelines=32):
        for path in pages:
            assert urllib.request.urlopen(f"{url}{path}", timeout=patience).status == 200
        with urllib.request.urlopen(f"{url}export/movies.jsonl", timeout=patience) as export:
            assert len(export.read()) == LARGE_BYTES


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_prepares_serves_and_stops_cleanly(tmp_path, how):
    port = free_port(in_a_row=2)
    process = start(tmp_path, port)
    try:
        url = wait_for_address(process)
        assert_serves(url)
        if how == signal.SIGTERM:
            assert_bounds_bodies(url)
            assert_serves_beside_slow_clients(url, tmp_path)
        assert urllib.request.urlopen(f"http://127.0.0.1:{port + 1}/", timeout=10).status == 200
        assert stat.S_IMODE((tmp_path / "env").stat().st_mode) == 0o600
        # The first click does not wait for a supervisor to start.
        deadline = time.monotonic() + 20
        while not (tmp_path / "scrape" / "wakeup").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        process.send_signal(how)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert "has stopped" in out
    assert descendants_gone(process.pid)
    assert not file_locks.is_locked(tmp_path / "scrape" / "supervisor.lock")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def test_a_taken_port_is_one_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start(tmp_path, taken.getsockname()[1])
        _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert len(err.strip().splitlines()) == 1
    assert "PORT" in err


def test_a_wrong_setting_is_one_sentence(tmp_path):
    process = start(tmp_path, free_port(in_a_row=2), STALE_HOURS="a day")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert len(err.strip().splitlines()) == 1
    assert "STALE_HOURS" in err


def make_env_file(folder, monkeypatch, *, before=None):
    """Let a first start write the env file of this folder; return its text."""
    for name in ("SECRET_KEY", "ENV_FILE", "EXAMPLE_SITE_URL", "ALLOW_PRIVATE_HOSTS", "PORT"):
        monkeypatch.delenv(name, raising=False)
    if before is not None:
        (folder / "env").write_text(before)
    serve._make_env_file(folder)
    assert [path.name for path in folder.iterdir()] == ["env"]
    assert stat.S_IMODE((folder / "env").stat().st_mode) == 0o600
    return (folder / "env").read_text()


@pytest.mark.parametrize("before", [None, "", "\n"])
def test_a_first_start_writes_the_env_file_also_in_place_of_an_empty_one(tmp_path, monkeypatch, before):
    text = make_env_file(tmp_path, monkeypatch, before=before)
    assert re.search(r"^SECRET_KEY=\S{60,}\nEXAMPLE_SITE_URL=http://127.0.0.1:8001\n", text, re.M)
    assert make_env_file(tmp_path, monkeypatch) == text


@pytest.mark.parametrize("before", ["ALLOWED_HOSTS=films.example.org", "SECRET_KEY=\n#SECRET_KEY=x\nCONTACT=me\n"])
def test_settings_without_a_key_stay_and_get_one(tmp_path, monkeypatch, before):
    text = make_env_file(tmp_path, monkeypatch, before=before)
    assert re.fullmatch(re.escape(before) + r"\nSECRET_KEY=\S{60,}\n", text)
    assert make_env_file(tmp_path, monkeypatch) == text


def test_a_key_in_a_file_is_the_key(tmp_path, monkeypatch):
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.delenv("ENV_FILE", raising=False)
    (tmp_path / "env").write_text("SECRET_KEY_FILE=/run/secrets/key\n")
    serve._make_env_file(tmp_path)
    assert (tmp_path / "env").read_text() == "SECRET_KEY_FILE=/run/secrets/key\n"
    (tmp_path / "env").unlink()
    monkeypatch.setenv("SECRET_KEY_FILE", "/run/secrets/key")
    serve._make_env_file(tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_env_file_that_is_a_device_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("ENV_FILE", os.devnull)
    serve._make_env_file(tmp_path)
    assert not Path(os.devnull).is_file()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("more", "is_loaded"),
    [
        ({}, True),
        ({"ALLOWED_HOSTS": ["127.0.0.1", "192.168.1.5", "[::1]", "tv-box", "films.local"]}, True),
        ({"ALLOWED_HOSTS": ["127.0.0.1", "films.example.org"]}, False),
        ({"ALLOWED_HOSTS": ["localhost", ".example.org"]}, False),
        ({"ALLOWED_HOSTS": ["8.8.8.8"]}, False),
        ({"ALLOWED_HOSTS": ["*"]}, False),
        ({"BEHIND_HTTPS": True}, False),
        ({"SOURCES": ["internet_archive"]}, False),
    ],
)
@pytest.mark.django_db
def test_the_demo_is_loaded_into_a_local_site_alone(settings, capsys, tmp_path, monkeypatch, more, is_loaded):
    first_film = Path(serve.DEMO_CATALOGUE).read_text().splitlines()[0]
    monkeypatch.setattr(serve, "DEMO_CATALOGUE", tmp_path / "demo.jsonl")
    serve.DEMO_CATALOGUE.write_text(first_film)
    local = {"SOURCES": ["example"], "ALLOWED_HOSTS": ["127.0.0.1", "localhost"], "BEHIND_HTTPS": False}
    for name, value in (local | more).items():
        setattr(settings, name, value)
    serve._fill_catalogue()
    assert Movie.objects.exists() is is_loaded
    assert ("import_catalogue" in capsys.readouterr().out) is not is_loaded


def is_in_use(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def has_schedule(process):
    return any("schedule" in command_line(pid) for pid, state in children_of(process.pid) if state != "Z")


def test_of_two_first_starts_one_serves_and_what_a_kill_leaves_does_not_go_on(tmp_path):
    """With the host name of a public site only, as docs/operations.md says."""
    port, public = free_port(in_a_row=2), {"ALLOWED_HOSTS": "films.example.org"}
    both = [start(tmp_path, port, **public) for _ in range(2)]
    end = time.monotonic() + 60
    while not (ended := [one for one in both if one.poll() is not None]):
        assert time.monotonic() < end
        time.sleep(0.05)
    (loser,), (winner,) = ended, [one for one in both if one not in ended]
    err = loser.communicate(timeout=20)[1]
    assert (loser.returncode, err.count("\n"), "cannot be used" in err) == (1, 1, True), err
    wait_for_address(winner)
    wait_for(lambda: has_schedule(winner))
    started = [pid for pid, _ in children_of(winner.pid)]
    winner.kill()
    winner.communicate(timeout=20)
    end = time.monotonic() + 20
    while is_in_use(port) or is_in_use(port + 1):
        assert time.monotonic() < end
        time.sleep(0.05)
    # The schedule, too, which would start checks with the code of then.
    wait_for(lambda: not any(is_alive(pid) for pid in started))
    again = start(tmp_path, port, SCHEDULE="off", **public)
    try:
        api = f"{wait_for_address(again)}api/streaming/movies/"
        request = urllib.request.Request(api, headers={"Host": "films.example.org"})
        # What belongs to the demo is not published by a public site.
        assert json.load(urllib.request.urlopen(request, timeout=10))["count"] == 0
        assert not has_schedule(again)
    finally:
        again.terminate()
        again.communicate(timeout=20)
    assert again.returncode == 0
