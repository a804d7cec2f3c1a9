"""A Redis cache that is away costs what it remembered, and no page, no click and no search."""

from __future__ import annotations

import contextlib
import socket

import pytest
from django.core.cache import cache

from MovieBackend import settings as ours
from MovieBackend.cache import EXTRA_RETRIES
from streaming.models import ScrapeJob
from tests.helpers.brokers import Broker
from tests.helpers.factories import make_movie
from tests.helpers.http_servers import free_port


@pytest.fixture
def use_redis(settings, monkeypatch):
    """The cache that CACHE_URL=redis://... means."""

    def use(port: int, **options: object) -> None:
        monkeypatch.setenv("CACHE_URL", f"redis://127.0.0.1:{port}/1")
        settings.CACHES = {"default": {**ours._cache(), "OPTIONS": options}}

    return use


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
    monkeypatch.setattr("MovieBackend.cache.RECONNECT_AFTER_SECONDS", 3600.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use_redis(silent.getsockname()[1], socket_timeout=0.2)
        assert [cache.get("word") for _ in range(50)] == [None] * 50
        assert len(connections_to(silent)) == 1 + EXTRA_RETRIES


@pytest.mark.broker
def test_redis_is_used_again_when_it_is_back(use_redis, tmp_path, monkeypatch):
    monkeypatch.setattr("MovieBackend.cache.RECONNECT_AFTER_SECONDS", 0.0)
    redis = Broker("redis", tmp_path)
    use_redis(redis.port)
    try:
        redis.start()
        assert (cache.add("count", 1), cache.add("count", 1), cache.incr("count")) == (True, False, 2)
        redis.kill()
        assert cache.get("count") is None
        redis.start()
        cache.set("count", 7, 60)
        assert (cache.get("count"), cache.incr("count"), cache.touch("count", 60), cache.delete("count")) == (
            7, 8, True, True,
        )  # fmt: skip
    finally:
        redis.kill()
