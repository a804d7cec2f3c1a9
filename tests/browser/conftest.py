"""A whole site as in production (gunicorn, example site, scrape jobs), and the Chromium that visits it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.helpers.external_services import migrated_sqlite, skip_or_fail
from tests.helpers.http_servers import free_port
from tests.helpers.paths import PROJECT_ROOT
from tests.helpers.process_info import started_processes

ARGUMENTS = [
    "--no-sandbox", "--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
CHROMIUMS = ("chromium-headless-shell", "chromium")
"""The first that is here: without the windows of the other one, it takes a third of the CPU time."""
OTHER_STATICS = ("admin", "rest_framework", "swagger-ui-standalone-preset.js")
STARTUP_TIMEOUT_SECONDS = 30
EXPECT_TIMEOUT_SECONDS = 15


expect.set_options(timeout=EXPECT_TIMEOUT_SECONDS * 1000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, CHROMIUMS)), None)


@pytest.fixture(scope="session", autouse=True)
def chromium() -> str:
    """The path of Chromium, which all these tests need."""
    return find_chromium() or skip_or_fail(f"no Chromium here (apt-get install {CHROMIUMS[0]})")


@dataclass(frozen=True, slots=True)
class Site:
    """A running site; its commands need `environment`."""

    address: str
    environment: dict[str, str]

    def run(self, code: str) -> str:
        """Run Python code in a process with the settings of the site."""
        return run("-c", f"import django; django.setup(); {code}", environment=self.environment)


def run(*arguments: str, environment: dict[str, str]) -> str:
    finished = subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@contextmanager
def serving(command: list[str], *, address: str, environment: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as output, subprocess.Popen(
        [sys.executable, "-m", *command], cwd=PROJECT_ROOT, env=environment, stdout=output, stderr=output
    ) as process:  # fmt: skip
        try:
            wait_for(address, log=log)
            yield
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_for_value(page: Page, expression: str, value: object) -> None:
    """Wait until a script has this value; the pages' policy forbids Playwright's own way of waiting for it."""
    end = time.monotonic() + EXPECT_TIMEOUT_SECONDS
    while (found := page.evaluate(expression)) != value:
        assert time.monotonic() < end, f"{expression} is {found!r}"
        page.wait_for_timeout(50)


def wait_for(address: str, *, log: Path) -> None:
    end = time.monotonic() + STARTUP_TIMEOUT_SECONDS
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{address} does not respond:\n{log.read_text()}")


def site_environment(folder: Path, *, example_port: int) -> dict[str, str]:
    """The environment variables of a site whose data are in `folder`."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {
        **inherited,
        "ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "tests.helpers.browser_settings",
        "PYTHONPATH": str(PROJECT_ROOT),
        "OPENREEL_STATIC_ROOT": str(folder / "static"),
        "SECRET_KEY": "only-for-tests-not-for-a-public-site",
        "DATABASE_URL": f"sqlite:///{folder}/site.sqlite3",
        "CACHE_URL": f"file://{folder}/cache",
        "SCRAPE_DIR": str(folder / "scrape"),
        "EXAMPLE_SITE_URL": f"http://127.0.0.1:{example_port}",
        # It knows no title there, and no other host is asked.
        "WIKIDATA_API_URL": f"http://127.0.0.1:{example_port}/wikidata/api.php",
        "ALLOW_PRIVATE_HOSTS": "127.0.0.0/8",
        "REFRESH_RATE": "1000/min",
    }


@contextmanager
def running_site(folder: Path, *, seed: str = "main") -> Iterator[Site]:
    """Set up a database and static files in `folder`, start both servers, and stop everything at the end.

    `seed` is the function of `browser_seed` that fills the database.
    """
    port, example_port = free_port(), free_port()
    environment = site_environment(folder, example_port=example_port)
    migrated_sqlite(folder / "site.sqlite3")
    ignored = [f"-i{name}" for name in OTHER_STATICS]
    run("manage.py", "collectstatic", "--noinput", "-v0", *ignored, environment=environment)
    site = Site(f"http://127.0.0.1:{port}", environment)
    site.run(f"from tests.helpers import browser_seed; browser_seed.{seed}()")
    # Slow enough to open two tabs during one search.
    example = ["scraper.example_site", "--port", str(example_port), "--slow", "2"]
    bind = ["--bind", f"127.0.0.1:{port}", "--threads", "8", "--worker-tmp-dir", str(folder)]
    server = ["gunicorn", "MovieBackend.wsgi", "--no-control-socket", *bind]
    example_url, site_url = f"http://127.0.0.1:{example_port}/", f"http://127.0.0.1:{port}/robots.txt"
    with (
        serving(example, address=example_url, environment=environment, log=folder / "example.log"),
        serving(server, address=site_url, environment=environment, log=folder / "web.log"),
    ):
        try:
            yield site
        finally:
            site.run("from streaming.scraping.supervisor import control; control.stop_supervisor()")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for each worker, whose files of browser tests do not follow one another."""
    with running_site(tmp_path_factory.mktemp("site")) as site:
        yield site
    started_processes.clear()  # Stopping starts one, in whichever test is the last.


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Closed after each module, because Django refuses the database while the driver's event loop runs."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass(slots=True)
class Visit:
    """A page with its console messages and the URLs it requested."""

    page: Page
    context: BrowserContext
    messages: list[str]
    requests: list[str]


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visit]:
    """A desktop browser with scripts; at the end its console must be empty and no other host contacted."""
    context = browser.new_context(base_url=site.address, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    visit = Visit(page, context, [], [])
    page.on("console", lambda message: visit.messages.append(message.text))
    page.on("pageerror", lambda error: visit.messages.append(str(error)))
    page.on("request", lambda request: visit.requests.append(request.url))
    yield visit
    context.close()
    assert visit.messages == []
    assert [url for url in visit.requests if not url.startswith((site.address, "data:"))] == []


@pytest.fixture
def plain(browser: Browser, site: Site) -> Iterator[Page]:
    """A browser without scripts."""
    context = browser.new_context(base_url=site.address, java_script_enabled=False)
    yield context.new_page()
    context.close()
