"""Keys of the API, CORS, RateLimit headers, and the documented example client."""

from __future__ import annotations

import re
import runpy
import sys
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from scraper.net.url_policy import PrivateHostAllowlist
from streaming.models import ApiKey, Movie
from tests.api.conftest import MOVIES
from tests.helpers.factories import make_link, make_movie
from tests.helpers.paths import PROJECT_ROOT
from tests.helpers.staff import make_staff, make_staff_with

pytestmark = pytest.mark.django_db
NOSFERATU = {"imdb_id": "tt0013442", "title": "Nosferatu"}
CLIENT = PROJECT_ROOT / "docs" / "example_client.py"


def make_key(user, scope="write"):
    key = ApiKey(user=user, name="tests", scope=scope)
    text = key.set_secret()
    key.save()
    return text


def with_key(text):
    return APIClient(headers={"Authorization": f"Bearer {text}", "User-Agent": "curl/8"})


def test_a_key_acts_as_its_account_and_each_write_is_logged():
    alice = make_staff("alice")
    assert with_key(make_key(alice)).post(MOVIES, NOSFERATU).status_code == 201
    assert LogEntry.objects.get().user == alice
    bob = with_key(make_key(make_staff_with("bob", "streaming.add_movie")))
    assert bob.delete(f"{MOVIES}tt0013442/").status_code == 403
    assert Movie.objects.exists()


def test_a_key_for_reading_writes_nothing():
    reader = with_key(make_key(make_staff("alice"), scope="read"))
    link = make_link()
    refused = reader.post(MOVIES, NOSFERATU)
    assert (refused.status_code, refused.json()) == (403, {"detail": "This key is for reading only."})
    assert reader.get(f"/api/streaming/links/{link.pk}/").status_code == 200


@pytest.mark.parametrize("change", ["revoked", "other secret", "no secret", "other mark", "NUL", "inactive", "long"])
def test_a_wrong_or_revoked_key_is_refused(change):
    user = make_staff("alice")
    text = make_key(user)
    if change == "revoked":
        ApiKey.objects.all().revoke(now=timezone.now())
    if change == "inactive":
        type(user).objects.update(is_active=False)
    head, prefix, secret = text.split("_", 2)
    texts = {
        "other secret": f"{head}_{prefix}_{secret[::-1]}",
        "no secret": f"{head}_{prefix}_",
        "other mark": f"x_{prefix}_{secret}",
        "NUL": f"{head}_\0_{secret}",
        "long": text + "x" * 1000,
    }
    response = with_key(texts.get(change, text)).post(MOVIES, NOSFERATU)
    assert (response.status_code, response.json()) == (401, {"detail": "The key is wrong or was revoked."})
    assert not Movie.objects.exists()


def test_only_a_digest_is_stored_and_the_use_is_noted_once_an_hour(django_assert_num_queries):
    text = make_key(make_staff("alice"), scope="read")
    row = ApiKey.objects.get()
    assert text.split("_", 2)[2] not in str(vars(row))
    client = with_key(text)
    client.get("/api/streaming/")
    first = ApiKey.objects.get().last_used_at
    with django_assert_num_queries(1):
        client.get("/api/streaming/")
    assert ApiKey.objects.get().last_used_at == first
    ApiKey.objects.update(last_used_at=first - timedelta(hours=2))
    client.get("/api/streaming/")
    assert ApiKey.objects.get().last_used_at >= first


def test_a_key_is_made_in_the_admin_shown_once_and_revoked(settings):
    client = Client()
    client.force_login(make_staff("alice"))
    page = client.post(reverse("admin:streaming_apikey_add"), {"name": "mirror", "scope": "write"}, follow=True)
    text = re.search(r"<code>(openreel_[^<]+)</code>", page.content.decode())[1]
    assert with_key(text).post(MOVIES, NOSFERATU).status_code == 201
    key = ApiKey.objects.get()
    change = reverse("admin:streaming_apikey_change", args=[key.pk])
    listed = client.get(reverse("admin:streaming_apikey_changelist"))
    assert text not in client.get(change).content.decode() + listed.content.decode()
    client.post(change, {"name": "other", "scope": "read"})
    assert ApiKey.objects.values_list("name", "scope").get() == ("mirror", "write")
    revoke = {"action": "revoke", "_selected_action": [key.pk]}
    other = Client()
    other.force_login(make_staff_with("bob", "streaming.view_apikey", "streaming.change_apikey"))
    other.post(reverse("admin:streaming_apikey_changelist"), revoke)
    assert ApiKey.objects.get().revoked_at is None, "a key of somebody else"
    client.post(reverse("admin:streaming_apikey_changelist"), revoke)
    assert with_key(text).get(MOVIES).status_code == 401
    notes = list(LogEntry.objects.filter(content_type__model="apikey").values_list("change_message", flat=True))
    assert len(notes) == 2
    assert not any(text in f"{entry.object_repr} {entry.change_message}" for entry in LogEntry.objects.all())


def test_pages_of_other_sites_may_read_and_not_write(person):
    make_movie(imdb_id="tt0013442")
    origin = {"Origin": "https://other.example.org"}
    read = person.get(MOVIES, headers=origin)
    assert read["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in read
    assert "RateLimit" in read["Access-Control-Expose-Headers"]
    asked = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    preflight = person.options(MOVIES, headers=asked)
    assert preflight["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert "content-type" not in preflight["Access-Control-Allow-Headers"]
    written = person.post(f"{MOVIES}tt0013442/refresh_links/", headers=origin)
    assert (written.status_code, written.get("Access-Control-Allow-Origin")) == (403, None)
    assert person.get("/health/", headers=origin).get("Access-Control-Allow-Origin") is None


def test_a_counted_request_says_what_is_left_of_the_limit(person, settings, tmp_path):
    settings.REFRESH_RATE, settings.SCRAPE_DIR = (2, 60), tmp_path
    make_movie(imdb_id="tt0013442")
    responses = [person.post(f"{MOVIES}tt0013442/refresh_links/") for _ in range(3)]
    assert [response.status_code for response in responses] == [202, 200, 429]
    assert {response["RateLimit-Policy"] for response in responses} == {'"refresh";q=2;w=60'}
    left = [re.fullmatch(r'"refresh";r=(\d);t=(\d+)', response["RateLimit"]).groups() for response in responses]
    assert [count for count, _ in left] == ["1", "0", "0"]
    assert responses[2]["Retry-After"] == left[2][1]
    assert "RateLimit" not in person.get(MOVIES)


def test_a_request_for_a_title_says_what_is_left_of_its_limit(person, settings, tmp_path):
    settings.TITLE_RATE, settings.SCRAPE_DIR, settings.SCRAPE_QUEUE_LIMIT = (1, 3600), tmp_path, 100
    settings.ALLOW_PRIVATE_HOSTS = PrivateHostAllowlist.parse(["127.0.0.0/8"])
    settings.WIKIDATA_API_URL = "http://127.0.0.1:9/api.php"
    responses = [person.post("/api/streaming/titles/tt0013442/") for _ in range(2)]
    assert [response.status_code for response in responses] == [202, 429]
    assert [response["RateLimit-Policy"] for response in responses] == ['"title";q=1;w=3600'] * 2
    assert all(response["RateLimit"].startswith('"title";r=0;t=') for response in responses)


@pytest.mark.django_db(transaction=True)
def test_the_documented_client_reads_every_page(live_server, monkeypatch, capsys):
    assert len(CLIENT.read_text(encoding="utf-8").splitlines()) <= 40
    for number in range(30):
        make_link(make_movie(title=f"Nosferatu {number}", year=1922), source="commons")
    make_movie(title="Nosferatu without a link")
    monkeypatch.setenv("OPENREEL_KEY", make_key(make_staff("alice"), scope="read"))
    monkeypatch.setattr(sys, "argv", ["example_client.py", live_server.url, "nosferatu"])
    runpy.run_path(str(CLIENT))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 30
    assert all(re.match(r"Nosferatu \d+ \(1922\): Wikimedia Commons, https://", line) for line in lines)
