"""A cache that is away, full, damaged or written to by others costs what it remembered, and no page and no click."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from MovieBackend import settings as ours
from MovieBackend.redis_cache import EXTRA_RETRIES
from streaming.models import ScrapeJob
from tests.helpers.brokers import Broker
from tests.helpers.factories import make_movie
from tests.helpers.http_servers import free_port
from tests.helpers.paths import PROJECT_ROOT


@pytest.fixture
def use_redis(settings, monkeypatch):
    """The cache that CACHE_URL=redis://... means."""

    def use(port: int, **options: object) -> None:
        monkeypatch.setenv("CACHE_URL", f"redis://127.0.0.1:{port}/1")
        settings.CACHES = {"default": {**ours._cache(), "OPTIONS": options}}

    return use


PAGES = ["/", "/streaming/{0}/", "/api/streaming/movies/", "/health/", "/readyz", "/admin/login/"]


def visit_everything(number):
    """Open pages, click twice and log in, with a new movie; all of it works."""
    movie, client = make_movie(), Client(REMOTE_ADDR=f"10.0.0.{number}")
    assert [client.get(page.format(movie.imdb_id)).status_code for page in PAGES] == [200] * len(PAGES)
    assert client.post(f"/api/streaming/movies/{movie.imdb_id}/refresh_links/").status_code in (200, 202)
    assert client.post(f"/streaming/{movie.imdb_id}/refresh/").status_code == 303
    body = {"username": "carol", "password": "right"}
    assert client.post("/admin/login/", body).status_code == 302
    assert movie.jobs.count() == 1


@pytest.fixture
def carol(db):
    return User.objects.create_superuser("carol", password="right")


class Bomb:
    """A pickle that leaves a file behind when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


FOREIGN = [b"", b"\0" * 4096, b"\xff\xfe noise", b'{"a":', b"[[[[", b'"text"', b"[]", b"{}", b"7", b"null", b"1e999"]


@pytest.fixture
def files(settings, tmp_path, monkeypatch):
    """The cache that CACHE_URL=file://... means; returns its folder."""
    monkeypatch.setenv("CACHE_URL", f"file://{tmp_path / 'cache'}")
    settings.CACHES = {"default": ours._cache()}
    return tmp_path / "cache"


def test_a_file_cache_keeps_json_until_its_time(files):
    value = {"a": [1, 2.5, None, True, "ü"]}
    cache.set("key", value, 60)
    cache.set("always", 1, None)
    cache.set("over", 1, 0)
    assert (cache.get("key"), cache.get("always"), cache.get("over"), cache.has_key("key")) == (value, 1, None, True)
    assert (cache.add("key", 3), cache.incr("always", 4), cache.get("always")) == (False, 5, 5)
    assert (cache.touch("key", 0), cache.get("key"), cache.touch("key"), cache.delete("key")) == (
        True,
        None,
        False,
        True,
    )
    assert cache.get_many(["always", "none"]) == {"always": 5}
    with pytest.raises(TypeError):
        cache.set("key", {1, 2})
    with pytest.raises(ValueError, match="not found"):
        cache.incr("none")
    assert [path.stat().st_mode & 0o77 for path in [files, *files.iterdir()]] == [0] * 3


def test_a_mebibyte_of_text_in_any_language_is_kept(files):
    text = "\u0634" * 1_000_000
    cache.set("text", text)
    assert cache.get("text") == text


def test_a_full_file_cache_throws_out_what_ends_first(files, settings):
    settings.CACHES = {"default": {**settings.CACHES["default"], "OPTIONS": {"MAX_ENTRIES": 6}}}
    for number in (5, 3, 1, 2, 4, 6, 7):
        cache.set(f"key{number}", number, 100 * number)
    assert sorted(cache.get_many([f"key{number}" for number in range(9)]).values()) == [4, 5, 6, 7]


def test_damaged_and_foreign_files_are_misses_and_no_pickle_is_read(files, carol, tmp_path, settings):
    settings.REFRESH_RATE = (99, 60)
    movie, client = make_movie(), Client()
    visit_everything(0)
    for content in [*FOREIGN, pickle.dumps(Bomb(tmp_path / "ran")), pickle.dumps(9e9) + b"x"]:
        paths = list(files.iterdir())
        assert len(paths) > 3
        for path in paths:
            path.write_bytes(content)
            os.utime(path, (9e9, 9e9))
        assert client.get("/").status_code == 200
        assert client.post(f"/api/streaming/movies/{movie.imdb_id}/refresh_links/").status_code in (200, 202)
    assert not (tmp_path / "ran").exists()
    cache.clear()
    cache.set("key", 1)
    (path,) = files.iterdir()
    path.write_bytes(b"noise")
    os.utime(path, (9e9, 9e9))
    assert (cache.get("key", "missed"), path.exists()) == ("missed", False)


def test_a_folder_that_is_none_costs_nothing_and_readyz_and_log_say_so_once(files, carol, settings, tmp_path, caplog):
    settings.SCRAPE_DIR = files
    files.write_text("a file where a folder should be")
    for number in range(2):
        visit_everything(number)
    answer = Client().get("/readyz").json()
    assert (answer["status"], len(answer["problems"])) == ("degraded", 2)
    assert answer["problems"][0] == (
        "The cache does not work (File exists): pages are slower, and clicks are not counted."
    )
    assert "SCRAPE_DIR (Not a directory)" in answer["problems"][1]
    assert str(tmp_path) not in str(answer)
    assert caplog.text.count("nothing is remembered") == 1


STORAGE = """
import json, os, resource, signal, sys, tempfile
from pathlib import Path

root = Path(tempfile.mkdtemp(dir="/tmp"))
folders = {name: root / name for name in ("database", "cache", "scrape")}
os.environ |= {
    "DATABASE_URL": f"sqlite:///{folders['database']}/main.sqlite3", "CACHE_URL": f"file://{folders['cache']}",
    "SCRAPE_DIR": str(folders["scrape"]), "SCRAPE_IDLE_SECONDS": "1",
}
for folder in [root, *folders.values()]:
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
import django
django.setup()
from django.conf import settings
settings.SCRAPE_NOTIFIER = "tests.helpers.notifications.silent"
settings.ALLOWED_HOSTS = ["testserver"]
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from tests.helpers.factories import make_movie

call_command("migrate", verbosity=0)
User.objects.create_superuser("carol", password="right")
movies = iter([make_movie() for _ in range(3)])

def answers():
    client, movie = Client(), next(movies)
    pages = ["/", movie.get_absolute_url(), "/api/streaming/movies/", "/health/", "/healthz", "/admin/login/"]
    got = [client.get(page).status_code for page in pages]
    click = client.post(f"/api/streaming/movies/{movie.pk}/refresh_links/")
    log_in = client.post("/admin/login/", {"username": "carol", "password": "right"})
    state = client.get("/readyz").json()
    return {"pages": got, "click": click.status_code, "in": log_in.status_code, "problems": state["problems"]}

usual = answers()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
full = answers()
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
for name in ("cache", "scrape"):
    folders[name].chmod(0)
if os.geteuid() == 0:
    for path in [folders["database"], *folders["database"].iterdir()]:
        os.chown(path, 65534, 65534)
    os.seteuid(65534)
foreign = answers()
os.seteuid(os.getuid())
for name in ("cache", "scrape"):
    folders[name].chmod(0o755)
print(json.dumps([usual, full, foreign]))
import shutil
shutil.rmtree(root)
"""


@pytest.mark.slow
def test_a_full_disk_and_folders_of_another_user_cost_no_page(tmp_path):
    """A file-size limit of 0 makes each write to a file fail, as a full disk does."""
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "-c", STORAGE]
    process = subprocess.run(command, env=env, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    usual, full, foreign = json.loads(process.stdout)
    assert usual == {"pages": [200] * 6, "click": 200, "in": 302, "problems": []}
    assert (full["pages"], full["click"], full["in"]) == ([200] * 6, 503, 503)
    assert "The cache does not work" in full["problems"][0]
    assert (foreign["pages"], foreign["click"], foreign["in"]) == ([200] * 6, 200, 302)
    assert [problem.split(":")[0] for problem in foreign["problems"]] == [
        "The cache does not work (Permission denied)", "Nothing can be written to SCRAPE_DIR (Permission denied)",
    ]  # fmt: skip


@pytest.mark.broker
def test_damaged_and_foreign_entries_of_redis_are_misses_and_no_pickle_is_read(use_redis, carol, tmp_path, settings):
    settings.REFRESH_RATE = (99, 60)
    server = Broker("redis", tmp_path)
    use_redis(server.port)
    server.start()
    try:
        movie, client = make_movie(), Client()
        visit_everything(0)
        raw = redis.Redis(port=server.port, db=1)
        for content in [*FOREIGN, pickle.dumps(Bomb(tmp_path / "ran")), None]:
            keys = raw.keys()
            assert len(keys) > 3
            for key in keys:
                raw.delete(key)
                raw.lpush(key, "a list") if content is None else raw.set(key, content)
            assert client.get("/").status_code == 200
            assert client.post(f"/api/streaming/movies/{movie.imdb_id}/refresh_links/").status_code in (200, 202)
        assert not (tmp_path / "ran").exists()
        assert Client().get("/readyz").json()["problems"] == []
        raw.config_set("maxmemory", 1)
        visit_everything(1)
        assert "The cache does not work" in Client().get("/readyz").json()["problems"][0]
    finally:
        server.kill()


@pytest.mark.django_db
def test_pages_and_clicks_work_without_redis(client, use_redis):
    use_redis(free_port())
    movie = make_movie()
    pages = ["/", f"/streaming/{movie.imdb_id}/", "/api/streaming/movies/", "/health/"]
    assert [client.get(page).status_code for page in pages] == [200] * 4
    assert client.post(f"/api/streaming/movies/{movie.imdb_id}/refresh_links/").status_code in (200, 202)
    assert client.post(f"/streaming/{movie.imdb_id}/refresh/").status_code == 303
    assert ScrapeJob.objects.count() == 1


def test_an_unavailable_cache_acts_as_empty(use_redis):
    use_redis(free_port())
    cache.set("word", "said")
    assert cache.get("word", "nothing") == "nothing"
    assert cache.add("key", True)
    assert cache.add("key", True)
    assert not cache.touch("word")
    assert not cache.delete("word")
    with pytest.raises(ValueError, match="not found"):
        cache.incr("count")


def connections_to(server):
    """Those that wait to be accepted."""
    server.setblocking(False)
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(server.accept())
    for connection, _ in found:
        connection.close()
    return found


def test_a_redis_that_does_not_respond_is_not_waited_for_again(use_redis, monkeypatch):
    monkeypatch.setattr("MovieBackend.redis_cache.FailOpenRedisCache.retry_seconds", 3600.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use_redis(silent.getsockname()[1], socket_timeout=0.2)
        assert [cache.get("word") for _ in range(50)] == [None] * 50
        assert len(connections_to(silent)) == 1 + EXTRA_RETRIES


@pytest.mark.broker
def test_redis_is_used_again_when_it_is_back(use_redis, tmp_path, monkeypatch):
    monkeypatch.setattr("MovieBackend.redis_cache.FailOpenRedisCache.retry_seconds", 0.0)
    server = Broker("redis", tmp_path)
    use_redis(server.port)
    try:
        server.start()
        assert (cache.add("count", 1), cache.add("count", 1), cache.incr("count")) == (True, False, 2)
        server.kill()
        assert cache.get("count") is None
        server.start()
        cache.set("count", 7, 60)
        assert (cache.get("count"), cache.incr("count"), cache.touch("count", 60), cache.delete("count")) == (
            7, 8, True, True,
        )  # fmt: skip
    finally:
        server.kill()
