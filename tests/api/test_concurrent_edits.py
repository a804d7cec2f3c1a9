"""Edits while somebody else removes or changes the same rows: 404 or 409 with a sentence, never 500."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.urls import reverse

from streaming.ingest import edits
from streaming.models import Movie, ScrapeJob, StreamingLink
from tests.helpers.external_services import empty_database
from tests.helpers.factories import make_job, make_link, make_movie
from tests.helpers.paths import PROJECT_ROOT
from tests.helpers.staff import make_staff

API = "/api/streaming/"
NEW_LINK = {"movie": "tt0000001", "source": "commons", "source_url": "https://b.example.org/new"}
RACES = [
    ("patch", "movies/tt0000001/", {"title": "B"}, Movie, 409),
    ("delete", "movies/tt0000001/", None, Movie, 404),
    ("post", "movies/tt0000001/bindings/", {"url": "https://v.example.org/w"}, Movie, 409),
    ("delete", "movies/tt0000001/bindings/?url=https://v.example.org/w", None, Movie, 404),
    ("post", "movies/tt0000001/refresh_links/", None, Movie, 404),
    ("post", "links/", NEW_LINK, Movie, 409),
    ("patch", "links/{link}/", {"label": "x"}, Movie, 409),
    ("patch", "links/{link}/", {"label": "x"}, StreamingLink, 409),
    ("delete", "links/{link}/", None, StreamingLink, 409),
    ("post", "links/{link}/check/", None, StreamingLink, 404),
    ("post", "jobs/{job}/cancel/", None, ScrapeJob, 404),
]


class DeleteAfterReading:
    """A second client: deletes all rows of a model when the request has read one and before its next query."""

    def __init__(self, model):
        self.model, self.was_read, self.is_done = model, False, False

    def __call__(self, execute, sql, params, many, context):
        if self.was_read and not self.is_done:
            self.is_done = True
            self.model.objects.all().delete()
        self.was_read = self.was_read or f'FROM "{self.model._meta.db_table}"' in sql
        return execute(sql, params, many, context)


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "url", "body", "model", "status"), RACES)
def test_a_row_that_goes_during_an_edit_is_a_sentence_and_leaves_no_log_entry(staff, method, url, body, model, status):
    link = make_link(make_movie(imdb_id="tt0000001"), source_url="http://10.0.0.5/")
    url = API + url.format(link=link.pk, job=make_job(link.movie, state="queued").pk)
    if "refresh" in url:
        link.movie.jobs.all().delete()
    second = DeleteAfterReading(model)
    with connection.execute_wrapper(second):
        response = getattr(staff, method)(url, body)
    assert (second.is_done, response.status_code) == (True, status)
    assert response.json()["detail"].endswith(".")
    assert not LogEntry.objects.exclude(change_message="Started a check by the API.").exists()


@pytest.mark.django_db
def test_two_edits_of_different_fields_keep_both():
    movie = make_movie(title="Old", year=1900)
    stale = Movie.objects.get()
    edits.update_movie(movie, {"title": "New"})
    assert edits.update_movie(stale, {"year": 1922}).title == "New"
    link = make_link(movie, label="old", quality="360p")
    stale = StreamingLink.objects.get()
    edits.update_link(link, {"label": "new"})
    edits.update_link(stale, {"quality": "720p"})
    link.refresh_from_db()
    assert (link.label, link.quality) == ("new", "720p")


@pytest.mark.django_db
def test_the_old_url_of_a_moved_link_is_a_duplicate(staff):
    link = make_link(make_movie(imdb_id="tt0000001"), moved_from=NEW_LINK["source_url"])
    response = staff.post(f"{API}links/", NEW_LINK)
    assert (response.status_code, list(response.json())) == (400, ["source_url"])
    assert list(StreamingLink.objects.all()) == [link]


@pytest.mark.django_db
@pytest.mark.parametrize("model", [Movie, StreamingLink])
@pytest.mark.parametrize("page", ["change", "delete", "delete_selected"])
def test_the_admin_says_that_nothing_was_saved(model, page):
    link = make_link(make_movie(imdb_id="tt0000001"), source="commons")
    client = Client()
    client.force_login(make_staff("alice"))
    body = {"post": "yes", "source": "commons", "source_url": link.source_url, "kind": "page", "label": "changed"}
    url = reverse(f"admin:streaming_streaminglink_{page}", args=[link.pk]) if page != "delete_selected" else ""
    if not url:
        url = reverse("admin:streaming_streaminglink_changelist")
        body |= {"action": "delete_selected", "_selected_action": [link.pk]}
    with connection.execute_wrapper(DeleteAfterReading(model)):
        assert client.post(url, body).status_code in (200, 302)
    assert not LogEntry.objects.exists()


STORM = """
import json, random, sys
import django
django.setup()
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from django.db import connection, transaction
from rest_framework.test import APIClient
from scraper.net.url_policy import NO_PRIVATE_HOSTS
from streaming.ingest.records import parse_link, parse_movie
from streaming.ingest.save import save_links
from streaming.models import Movie, ScrapeJob, StreamingLink
from tests.helpers.staff import make_staff

API, IDS = "/api/streaming/", [f"tt{n:07d}" for n in range(1, 4)]
user = make_staff("alice")

def import_one(pick):
    movie = parse_movie({"imdb_id": pick.choice(IDS), "title": "A"})
    link = parse_link({"imdb_id": movie.imdb_id, "source": "commons", "licence": "cc0",
                       "source_url": f"https://a.example.org/{pick.randrange(4)}"}, allowed=NO_PRIVATE_HOSTS)
    try:
        save_links([link], movies=[movie], is_operator=True)
    except Exception as error:
        return f"import: {type(error).__name__} {error}"[:200]
    return "import"

def write(client, pick):
    links = list(StreamingLink.objects.values_list("pk", flat=True)) or [1]
    imdb_id, link = pick.choice(IDS), f"{API}links/{pick.choice(links)}/"
    url = f"https://a.example.org/{pick.randrange(4)}"
    deeds = [
        ("post", f"{API}movies/", {"imdb_id": imdb_id, "title": "A"}),
        ("patch", f"{API}movies/{imdb_id}/", {"title": f"T{pick.randrange(9)}"}),
        ("delete", f"{API}movies/{imdb_id}/", None),
        ("post", f"{API}links/", {"movie": imdb_id, "source": "commons", "source_url": url}),
        ("patch", link, {"source_url": url, "is_active": pick.random() < 0.5}),
        ("delete", link, None),
        ("post", f"{API}movies/{imdb_id}/bindings/", {"url": url}),
        ("delete", f"{API}movies/{imdb_id}/bindings/?url={url}", None),
    ]
    method, address, body = pick.choice(deeds)
    response = getattr(client, method)(address, body, format="json")
    return str(response.status_code) if response.status_code < 500 else f"{method} {address} {response.status_code}"

def work(seed):
    pick, client = random.Random(seed), APIClient(raise_request_exception=False, SERVER_NAME="127.0.0.1")
    client.force_authenticate(user)
    counts = Counter(import_one(pick) if seed == 0 else write(client, pick) for _ in range(int(sys.argv[1])))
    connection.close()
    return counts

with ThreadPoolExecutor(5) as pool:
    print(json.dumps(sum(pool.map(work, range(5)), Counter())))
"""


@pytest.mark.slow
@pytest.mark.postgres
def test_four_writers_and_an_import_get_no_500_on_postgresql():
    with empty_database("edits") as address:
        environment = {**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        command = [sys.executable, "-c", STORM, "25"]
        done = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert set(counts) <= {"200", "201", "204", "400", "404", "409", "import"}, done.stderr[-3000:]
    assert counts["import"] == 25
    assert {"200", "201", "204"} <= set(counts)
