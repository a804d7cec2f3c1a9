"""The cache of discovery's responses: JSON files, of which a damaged or foreign one is a miss."""

from __future__ import annotations

import os
import pickle
import time
from pathlib import Path

import pytest
from scrapy import Request, Spider
from scrapy.http import Headers, JsonResponse
from scrapy.settings import Settings
from scrapy.utils.test import get_crawler

from scraper.discovery.http_cache import JsonCacheStorage

REQUEST = Request("https://query.example.org/sparql?q=1")
HEADERS = {"Content-Type": ["application/json; charset=utf-8"], "Set-Cookie": ["a=1", "b=\xe9"]}


@pytest.fixture
def spider():
    crawler = get_crawler(Spider)
    return crawler._create_spider("wikidata")


@pytest.fixture
def storage(spider, tmp_path):
    storage = JsonCacheStorage(Settings({"HTTPCACHE_DIR": str(tmp_path / "cache"), "HTTPCACHE_EXPIRATION_SECS": 60}))
    storage.open_spider(spider)
    return storage


def stored_file(folder):
    (path,) = (path for path in folder.rglob("*") if path.is_file())
    return path


def test_a_response_comes_back_as_it_was(storage, spider, tmp_path):
    response = JsonResponse(REQUEST.url, headers=Headers(HEADERS, encoding="latin-1"), body='{"a": "ü"}'.encode())
    assert storage.retrieve_response(spider, REQUEST) is None
    storage.store_response(spider, REQUEST, response)
    again = storage.retrieve_response(spider, REQUEST)
    assert (type(again), again.url, again.status, again.body) == (JsonResponse, REQUEST.url, 200, response.body)
    assert again.headers.to_string() == response.headers.to_string()
    assert storage.retrieve_response(spider, Request("https://query.example.org/sparql?q=2")) is None
    os.utime(stored_file(tmp_path / "cache"), (time.time() - 61,) * 2)
    assert storage.retrieve_response(spider, REQUEST) is None


class Bomb:
    """A pickle that leaves a file behind when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_damaged_and_foreign_files_are_misses_and_no_pickle_is_read(storage, spider, tmp_path):
    storage.store_response(spider, REQUEST, JsonResponse(REQUEST.url, body=b"{}"))
    path = stored_file(tmp_path / "cache")
    whole, bomb = path.read_bytes(), pickle.dumps(Bomb(tmp_path / "ran"))
    foreign = [b"", b"\0" * 99, whole[:-9], b"[]", b"7", b'"x"', b"null", b"{}", whole.replace(b"e30=", b"not base64!")]
    for content in [*foreign, whole.replace(b"[]", b"[1]"), whole.replace(b"200", b'"x"'), bomb]:
        path.write_bytes(content)
        assert storage.retrieve_response(spider, REQUEST) is None, content
    for name in ("pickled_meta", "response_data"):
        (path.parent / name).write_bytes(bomb)
    assert storage.retrieve_response(spider, REQUEST) is None
    assert not (tmp_path / "ran").exists()
    storage.store_response(spider, REQUEST, JsonResponse(REQUEST.url, body=b"{}"))
    assert storage.retrieve_response(spider, REQUEST).body == b"{}"


def test_a_response_that_cannot_be_stored_is_only_logged(storage, spider, tmp_path, caplog):
    (tmp_path / "cache").write_text("a file where a folder should be")
    storage.store_response(spider, REQUEST, JsonResponse(REQUEST.url, body=b"{}"))
    assert storage.retrieve_response(spider, REQUEST) is None
    assert "cannot be cached" in caplog.text
