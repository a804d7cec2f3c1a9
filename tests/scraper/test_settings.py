"""Crawls by hand: `python -m scrapy crawl example` from the project's root, with nothing listening."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from scraper import settings
from tests.helpers.http_servers import example_site
from tests.helpers.paths import PROJECT_ROOT

pytestmark = pytest.mark.slow


def scrapy(*words, **environment):
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return subprocess.run(
        [sys.executable, "-m", "scrapy", *words],
        cwd=PROJECT_ROOT,
        env={**clean, "ENV_FILE": os.devnull, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture(scope="module")
def site():
    with example_site() as url:
        yield url


@pytest.mark.parametrize(
    ("stated", "count"),
    [
        ("imdb_id=tt0013442", 6),
        ("target_url={site}/films/tt0017925/", 5),
        ("imdb_id=tt0565808", 0),
    ],
)
def test_a_crawl_by_hand_writes_what_it_found(site, stated, count, tmp_path):
    done = scrapy(
        "crawl", "example", "-a", stated.format(site=site), "-O", str(tmp_path / "out.json"),
        EXAMPLE_SITE_URL=site, ALLOW_PRIVATE_HOSTS=site.removeprefix("http://"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "WARNING" not in done.stderr
    assert len(json.loads((tmp_path / "out.json").read_text() or "[]")) == count


def test_without_leave_no_private_host_is_read(site, tmp_path):
    out = tmp_path / "out.json"
    done = scrapy("crawl", "example", "-a", f"base_url={site}", "-a", "imdb_id=tt0013442", "-O", str(out))
    assert "example: 127.0.0.1 is not a public address" in done.stderr
    assert json.loads(out.read_text() or "[]") == []


def test_a_wrong_value_is_said_in_one_sentence():
    done = scrapy("list", ALLOW_PRIVATE_HOSTS="not/anetwork")
    assert done.returncode == 1
    assert done.stderr.startswith("ALLOW_PRIVATE_HOSTS: ")
    assert done.stderr.count("\n") == 1


def test_the_guard_cannot_be_left_out_by_accident(site):
    done = scrapy(
        "crawl", "example", "-a", "imdb_id=tt0013442",
        "-s", "TWISTED_DNS_RESOLVER=scrapy.resolver.CachingThreadedResolver",
        EXAMPLE_SITE_URL=site, ALLOW_PRIVATE_HOSTS=site.removeprefix("http://"),
    )  # fmt: skip
    assert done.returncode == 1
    assert "guarded resolver is not installed" in done.stderr


def test_what_listens_or_reads_other_than_the_web_is_off():
    assert set(settings.DOWNLOAD_HANDLERS_BASE) == {"http", "https"}
    loaded = {*settings.EXTENSIONS_BASE, *settings.DOWNLOADER_MIDDLEWARES_BASE, *settings.EXTENSIONS}
    assert not [path for path in loaded if any(word in path for word in ("telnet", "remote", "cookies", "proxy"))]
    assert (settings.TELNETCONSOLE_ENABLED, settings.REMOTE_CONTROL_ENABLED) == (False, False)
    assert settings.DOWNLOAD_VERIFY_CERTIFICATES is True


def test_the_env_file_of_another_var_dir_is_read(tmp_path):
    (tmp_path / "env").write_text("ALLOW_PRIVATE_HOSTS=127.0.0.1:8301\n")
    stated = subprocess.run(
        [sys.executable, "-c", "from scraper import settings; print(settings.ALLOW_PRIVATE_HOSTS)"],
        cwd=PROJECT_ROOT, env={"VAR_DIR": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert "8301" in stated.stdout, stated.stderr
