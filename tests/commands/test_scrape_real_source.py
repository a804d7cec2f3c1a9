"""The whole way of a real source: the command, its job, a child process, fakes on loopback, rows in a database."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.external_services import migrated_sqlite
from tests.helpers.fake_sources import FILMS, source_web
from tests.helpers.http_servers import Page
from tests.helpers.paths import PROJECT_ROOT

pytestmark = pytest.mark.slow

SOURCES = "internet_archive,commons,library_of_congress,peertube,schema_org,wikidata"


class Site:
    """An installation of its own: a folder, a database, the environment of its commands."""

    def __init__(self, folder: Path, sources: dict[str, object]) -> None:
        named = {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in sources.items()}
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "ENV_FILE": os.devnull,
            "SECRET_KEY": "only-for-tests-not-for-a-public-site",
            "VAR_DIR": str(folder),
            "SCRAPE_DIR": str(folder),
            "SCRAPE_IDLE_SECONDS": "1",
            "SOURCES": SOURCES,
            "ALLOW_PRIVATE_HOSTS": "127.0.0.0/8",
            **named,
        }

    def run(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=PROJECT_ROOT, env=self.environment, input=given, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def server():
    with source_web() as web:
        yield web


@pytest.fixture
def web(server):
    server.faults.clear()
    return server


@pytest.fixture(scope="module")
def site(tmp_path_factory, server):
    folder = tmp_path_factory.mktemp("site")
    migrated_sqlite(folder / "openreel.sqlite3")
    site = Site(folder, server.settings())
    films = "".join(json.dumps({"imdb_id": film.imdb_id, "title": film.title}) + "\n" for film in FILMS.values())
    assert site.run("import_catalogue", "-", given=films).returncode == 0
    return site


def test_one_command_scrapes_a_film_at_all_sources(site, web):
    stated = site.run("scrape", "tt0017925", "--wait")
    assert stated.returncode == 0, stated.stderr
    assert "Library of Congress: 1 link, 1 new" in stated.stdout
    (film,) = [json.loads(line) for line in site.run("export_catalogue").stdout.splitlines() if "tt0017925" in line]
    assert film["year"] == 1926
    assert {link["source"] for link in film["links"]} == {
        "internet_archive",
        "library_of_congress",
        "schema_org",
        "wikidata",
    }
    assert {link["licence"] for link in film["links"]} == {"public-domain"}
    assert all(link["licence_url"] for link in film["links"])


def test_a_scrape_whose_sources_all_fail_exits_with_1(site, web):
    web.faults["/"] = Page("busy", status=503)
    stated = site.run("scrape", "tt0063350", "--wait")
    assert stated.returncode == 1
    assert stated.stdout.count(": failed: The site answered 503\n") == 6
    assert "Traceback" not in stated.stderr


def test_a_url_bound_to_a_film_is_read_by_its_source(site, web):
    bunny = f"{web.url}/videos/watch/bunny"
    bound = site.run("bind", "tt0013442", bunny)
    assert (bound.returncode, bound.stdout) == (0, f"Bound tt0013442 to {bunny}.\n"), bound.stderr
    assert site.run("bind", "tt0013442", f"{bunny}/").stdout.startswith("Already bound")
    stated = site.run("scrape", "tt0013442", "--source", "peertube", "schema_org", "--wait")
    assert stated.returncode == 0, stated.stderr
    assert re.search(r"PeerTube: ([1-9]) links, \1 new", stated.stdout)
    assert "Web page: nothing" in stated.stdout
    (film,) = [json.loads(line) for line in site.run("export_catalogue").stdout.splitlines() if "tt0013442" in line]
    assert {link["source"] for link in film["links"]} == {"peertube"}
    assert site.run("unbind", "tt0013442", bunny).returncode == 0
    assert site.run("unbind", "tt0013442", bunny).returncode == 1


def test_a_page_bound_to_a_film_is_read_as_a_web_page(site, web):
    assert site.run("bind", "tt0015324", f"{web.url}/films/general", "--source", "schema_org").returncode == 0
    stated = site.run("scrape", "tt0015324", "--source", "schema_org", "--wait")
    assert "The page is about another film, tt0017925" in stated.stdout
    wrong = site.run("bind", "tt0015324", "https://a.example.org/", "--source", "wikidata")
    assert (wrong.returncode, "supports no bindings" in wrong.stderr) == (1, True)
    assert site.run("bind", "tt9999999", "https://a.example.org/").returncode == 1
