"""The whole site as in production: gunicorn, the example site, the job engine; and a Chromium that visits it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.helpers.external_services import skip_or_fail
from tests.helpers.paths import PROJECT_ROOT

ARGUMENTS = [
    "--no-sandbox", "--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
OTHER_STATICS = ("admin", "rest_framework", "drf_spectacular_sidecar")
ANSWERS_WITHIN_SECONDS = 30


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session", autouse=True)
def chromium() -> str:
    """The program that all of these tests need."""
    return shutil.which("chromium") or skip_or_fail("no Chromium here (apt-get install chromium)")


@dataclass(frozen=True, slots=True)
class Site:
    """A running site; `environment` is what its own commands need."""

    address: str
    environment: dict[str, str]

    def run(self, code: str) -> str:
        """Run some lines in a process of the site's own."""
        return run("-c", f"import django; django.setup(); {code}", environment=self.environment)


def run(*words: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


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


def wait_for(address: str, *, log: Path) -> None:
    end = time.monotonic() + ANSWERS_WITHIN_SECONDS
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{address} does not answer:\n{log.read_text()}")


def free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running_site(folder: Path, **settings: str) -> Iterator[Site]:
    """Set up a database and static files in `folder`, start both servers, and stop all that was started."""
    port, example = free_port(), free_port()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    environment = {
        **kept,
        "ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "tests.helpers.browser_settings",
        "PYTHONPATH": str(PROJECT_ROOT),
        "OPENREEL_STATIC_ROOT": str(folder / "static"),
        "SECRET_KEY": "only-for-tests",
        "DATABASE_URL": f"sqlite:///{folder}/site.sqlite3",
        "CACHE_URL": f"file://{folder}/cache",
        "SCRAPE_DIR": str(folder / "scrape"),
        "EXAMPLE_SITE_URL": f"http://127.0.0.1:{example}",
        "ALLOW_PRIVATE_HOSTS": "127.0.0.0/8",
        "REFRESH_RATE": "1000/min",
        **settings,
    }
    run("manage.py", "migrate", "-v0", environment=environment)
    run(
        "manage.py",
        "collectstatic",
        "--noinput",
        "-v0",
        *(f"-i{name}" for name in OTHER_STATICS),
        environment=environment,
    )
    site = Site(f"http://127.0.0.1:{port}", environment)
    site.run("from tests.browser import seed; seed.main()")
    # Slow enough that two tabs can be opened while one search goes on.
    source = ["scraper.example_site", "--port", str(example), "--slow", "2"]
    server = [
        "gunicorn",
        "MovieBackend.wsgi",
        "--no-control-socket",
        "--bind",
        f"127.0.0.1:{port}",
        "--threads",
        "8",
        "--worker-tmp-dir",
        str(folder),
    ]
    with (
        serving(source, address=f"http://127.0.0.1:{example}/", environment=environment, log=folder / "example.log"),
        serving(server, address=f"http://127.0.0.1:{port}/robots.txt", environment=environment, log=folder / "web.log"),
    ):
        try:
            yield site
        finally:
            site.run("from streaming.scraping import launchers; launchers.stop()")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Ends with its file: the driver's event loop would make Django refuse the database to the tests that follow."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass(slots=True)
class Visit:
    """A page, what its console said, and which addresses it asked for."""

    page: Page
    context: BrowserContext
    complaints: list[str]
    requests: list[str]


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visit]:
    """A desktop browser with scripts. At the end: an empty console, and not a request to anybody else."""
    context = browser.new_context(base_url=site.address, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    visit = Visit(page, context, [], [])
    page.on("console", lambda message: visit.complaints.append(message.text))
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    page.on("request", lambda request: visit.requests.append(request.url))
    yield visit
    context.close()
    assert visit.complaints == []
    assert [url for url in visit.requests if not url.startswith((site.address, "data:"))] == []


@pytest.fixture
def plain(browser: Browser, site: Site) -> Iterator[Page]:
    """A browser without scripts."""
    context = browser.new_context(base_url=site.address, java_script_enabled=False)
    yield context.new_page()
    context.close()
