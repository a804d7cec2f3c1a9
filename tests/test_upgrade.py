"""An upgrade from the first release while its supervisor runs a job: nothing is lost, and the job is done.

`tests/releases` holds the first release's code (commit 0637173), for a clone may have no history.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import urllib.request
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from MovieBackend import serve
from tests.helpers.external_services import temporary_postgres
from tests.helpers.http_origin import wait_for
from tests.helpers.http_servers import Page, Site, free_port, serving
from tests.helpers.paths import PROJECT_ROOT
from tests.helpers.process_info import is_alive
from tests.test_serve import descendants_gone, wait_for_address

pytestmark = pytest.mark.slow(seconds=60)

FIRST_RELEASE = PROJECT_ROOT / "tests" / "releases" / "0637173.tar.xz"
FILL = """
import django
django.setup()
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone
from rest_framework.authtoken.models import Token
from streaming.models import BlockedAddress, HealthRun, LinkFlip, Movie, ScrapeJob, StreamingLink
call_command("migrate", verbosity=0)
alice = User.objects.create_superuser("alice", "alice@example.org", "a password that is long")
Token.objects.create(user=alice, key="t" * 40)
for number in range(1, 41):
    movie = Movie.objects.create(imdb_id=f"tt00000{number:02}", title=f"Film {number} – Größe 😀", year=1900 + number)
    for copy in range(3):
        link = StreamingLink.objects.create(
            movie=movie, source="example", source_url=f"https://films.example.org/{number}/{copy}",
            last_checked=timezone.now(), is_active=copy > 0, reason="" if copy else "http_404", checks="AAG")
LinkFlip.objects.create(link=link, is_active=False, reason="http_404", at=timezone.now())
movie.bindings.create(url="https://films.example.org/x?a=1&b=ü")
call_command("block", "films.example.net", reason="the owner asked for it")
call_command("block", "tt0000002", reason="a court")
HealthRun.objects.create(finished_at=timezone.now(), died_of={"timeout": 2}, hosts_down=["a.example.org"])
ScrapeJob.objects.create(movie=movie, state="succeeded", outcome="nothing", finished_at=timezone.now())
"""
COUNT = """
import json, django
django.setup()
from django.apps import apps
names = ["auth.User", "authtoken.Token"] + [f"streaming.{name}" for name in (
    "Movie", "StreamingLink", "LinkFlip", "Binding", "BlockedAddress", "HealthRun", "ScrapeJob", "RemovedMovie")]
rows = {name: sorted(map(str, apps.get_model(name).objects.values_list("pk", flat=True))) for name in names}
movies = list(apps.get_model("streaming.Movie").objects.order_by("pk").values_list("pk", "imdb_id", "title", "year"))
print(json.dumps([rows, movies]))
"""
FILM = """<script type="application/ld+json">{"@type": "Movie", "name": "Film 1", "license":
"https://creativecommons.org/publicdomain/mark/1.0/", "sameAs": "https://www.imdb.com/title/tt0000001/"}</script>
<a href="/watch/1">Watch</a>"""


@pytest.fixture
def environment(database, tmp_path):
    """The environment of both releases: one folder, one database."""
    shutil.unpack_archive(FIRST_RELEASE, tmp_path / "old")
    # A search of the first release waits ten seconds for a page, which is too short to upgrade meanwhile.
    settings = tmp_path / "old" / "scraper" / "settings.py"
    settings.write_text(settings.read_text().replace("DOWNLOAD_TIMEOUT = 10", "DOWNLOAD_TIMEOUT = 300"))
    variables = {"HOME": str(tmp_path), "VAR_DIR": str(tmp_path / "var"), "ALLOW_PRIVATE_HOSTS": "127.0.0.0/8"}
    variables |= {"SECRET_KEY": "of-an-installation-that-is-upgraded-0123456789", "SCRAPE_TIMEOUT": "300"}
    variables |= {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "SCHEDULE": "off", "SOURCES": "example"}
    variables |= {"DJANGO_SETTINGS_MODULE": "MovieBackend.settings", "HEALTH_CANARIES": "http://127.0.0.1:9/"}
    if database == "sqlite":
        yield {**variables, "DATABASE_URL": f"sqlite:///{tmp_path}/main.sqlite3"}
    else:
        with temporary_postgres("upgrade") as url:
            yield {**variables, "DATABASE_URL": url}


def run(folder, environment, *words):
    """Run Python in this folder; return what it printed."""
    command = [sys.executable, *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


class HangingPage:
    """A page whose first request gets no response; the next ones get the film."""

    def __init__(self):
        self.asked, self.over = threading.Event(), threading.Event()

    def __call__(self, handler):
        if self.asked.is_set():
            handler.send_response(200)
            handler.send_header("Content-Type", "text/html")
            handler.send_header("Content-Length", str(len(FILM)))
            handler.end_headers()
            handler.wfile.write(FILM.encode())
        else:
            self.asked.set()
            self.over.wait(300)


@contextmanager
def made_to_run(environment):
    """`make run` of the new release, whose static files are there already; the address of its API."""
    port, static = free_port(in_a_row=2), Path(environment["VAR_DIR"]) / "static"
    static.mkdir()
    static.with_suffix(".stamp").write_text(serve._static_fingerprint())
    server = subprocess.Popen(
        [sys.executable, "-m", "MovieBackend.serve"],
        cwd=PROJECT_ROOT, env={**environment, "PORT": str(port), "EXAMPLE_SITE_URL": f"http://127.0.0.1:{port + 1}"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        yield wait_for_address(server)
    finally:
        os.killpg(server.pid, signal.SIGINT)
        server.communicate(timeout=30)
        assert descendants_gone(server.pid)


@contextmanager
def restarted_by_systemd(environment):
    """What deploy/openreel-web.service does around the web server; without an address."""
    for words in (["scrape_worker", "--stop"], ["migrate", "--verbosity", "0"], ["scrape_worker", "--wake"]):
        run(PROJECT_ROOT, environment, "manage.py", *words)
    yield ""
    run(PROJECT_ROOT, environment, "manage.py", "scrape_worker", "--stop")


def last_job(environment):
    """State and attempt of the last job."""
    url, query = environment["DATABASE_URL"], "SELECT state, attempt FROM streaming_scrapejob ORDER BY id DESC LIMIT 1"
    connect = sqlite3.connect if url.startswith("sqlite") else psycopg.connect
    with closing(connect(url.removeprefix("sqlite:///"))) as database:
        return tuple(database.execute(query).fetchone())


@pytest.mark.parametrize(
    ("database", "upgrade"),
    [
        pytest.param("sqlite", made_to_run, id="make run, SQLite"),
        pytest.param("postgresql", restarted_by_systemd, id="systemd, PostgreSQL", marks=pytest.mark.postgres),
    ],
)
def test_a_new_release_takes_over_from_a_running_supervisor_of_the_first(environment, upgrade, tmp_path):
    old, page = tmp_path / "old", HangingPage()
    run(old, environment, "-c", FILL)
    pages = {"/film": Page(raw_handler=page), "/watch/1": Page("<title>Film 1</title><video src=a.mp4></video>")}
    with serving(Site(pages)) as site:
        run(old, environment, "manage.py", "scrape", "tt0000001", "--target-url", f"{site.url}/film")
        assert page.asked.wait(60)
        supervisor = int((tmp_path / "var" / "scrape" / "supervisor.lock").read_text())
        before = json.loads(run(old, environment, "-c", COUNT))
        assert (is_alive(supervisor), last_job(environment)) == (True, ("running", 1))
        with upgrade(environment) as url:
            assert not is_alive(supervisor)
            wait_for(lambda: last_job(environment)[0] not in ("queued", "running"), seconds=60)
            if url:
                token = {"Authorization": f"Token {'t' * 40}"}
                urllib.request.urlopen(
                    urllib.request.Request(f"{url}api/streaming/movies/1/", headers=token), timeout=20
                )
        page.over.set()
    assert last_job(environment)[0] == "succeeded"
    assert_kept(before, json.loads(run(PROJECT_ROOT, environment, "-c", COUNT)))


def assert_kept(before, after):
    """Each row is there with its id, and one link more, which the job has found."""
    (old_rows, old_movies), (rows, movies) = before, after
    assert movies == old_movies
    old_links, links = (set(one.pop("streaming.StreamingLink")) for one in (old_rows, rows))
    assert (len(links - old_links), old_links - links) == (1, set())
    assert rows == old_rows
