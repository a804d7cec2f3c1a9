"""Answers of real sources, from public reports that lie beside the project, are read for what they say."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.helpers.http_servers import Page, Site, serving
from tests.helpers.paths import PROJECT_ROOT, SHARED

ANSWERS = SHARED / "cases2" / "source_answers.py"
if not ANSWERS.exists():
    pytest.skip("the answers of real sources are not beside the project", allow_module_level=True)

pytestmark = pytest.mark.slow
LISTED = runpy.run_path(str(ANSWERS))


class Routes(Mapping[str, Page]):
    """The pages of a case by path; what a query decides is worked out for each request."""

    def __init__(self, routes: Mapping[str, Any]) -> None:
        self.routes = routes

    def __getitem__(self, target: str) -> Page:
        path, query = urlsplit(target).path, urlsplit(target).query
        route = self.routes[path]
        status, content_type, body, *headers = route(parse_qs(query)) if callable(route) else route
        return Page(body, status=status, content_type=content_type, headers=headers[0] if headers else {})

    def __iter__(self) -> Iterator[str]:
        return iter(self.routes)

    def __len__(self) -> int:
        return len(self.routes)


def crawl(site: str, words: list[str], file: Path) -> tuple[list[dict[str, Any]], str]:
    """The items that a crawl by hand writes, and its log; every source has its base address on this site."""
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")} | {
        "ENV_FILE": os.devnull,
        "ALLOW_PRIVATE_HOSTS": "127.0.0.0/8",
        "WIKIDATA_SPARQL_URL": f"{site}/sparql",
        "WIKIDATA_API_URL": f"{site}/w/api.php",
        "COMMONS_API_URL": f"{site}/commons",
        **dict.fromkeys(("INTERNET_ARCHIVE_URL", "LIBRARY_OF_CONGRESS_URL", "PEERTUBE_URLS"), site),
    }
    command = [sys.executable, "-m", "scrapy", "crawl", *words, "-a", f"imdb_id={LISTED['IMDB']}", "-O", str(file)]
    done = subprocess.run(
        command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    return json.loads(file.read_text() or "[]"), done.stderr


@pytest.mark.parametrize("case", LISTED["CASES"], ids=lambda case: case.__name__)
def test_an_answer_is_read_for_what_it_says(case, tmp_path):
    routes, words, is_right = case()
    with serving(Site(Routes(routes))) as site:
        items, log = crawl(site.url, [word.replace("HOST", site.url) for word in words], tmp_path / "items.json")
    complaints = [line for line in log.splitlines() if " WARNING: " in line or " ERROR: " in line]
    is_read = is_right(items, log)
    assert is_read, (items, complaints)
