"""/healthz, /readyz and /metrics."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from streaming.models import HealthRun
from tests.helpers.factories import make_job, make_link, make_movie

TOKEN = "a-long-secret"


def test_healthz_does_not_need_the_database():
    assert Client().get("/healthz").json()["status"] == "ok"


@pytest.mark.django_db
def test_readyz_gives_the_age_of_the_last_run_and_the_open_jobs():
    assert Client().get("/readyz").json()["health_run_age_seconds"] is None
    HealthRun.objects.create(started_at=timezone.now() - timedelta(hours=2))
    make_job()
    response = Client().get("/readyz")
    assert (response.status_code, response.json()["open_jobs"]) == (200, 1)
    assert 7200 <= response.json()["health_run_age_seconds"] < 7300


@pytest.mark.django_db(transaction=True)
def test_readyz_is_503_without_the_database(settings, monkeypatch):
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "NAME", "/nowhere/at/all.sqlite3")
    try:
        response = Client().get("/readyz")
    finally:
        connection.close()
        monkeypatch.undo()
    assert (response.status_code, response.json()["status"]) == (503, "unavailable")


@pytest.mark.django_db
def test_metrics_are_in_prometheus_format():
    movie = make_movie()
    make_link(movie, source="commons")
    make_link(movie, source="commons", is_active=False)
    HealthRun.objects.create(checked=2, alive=1, gone=1)
    response = Client().get("/metrics")
    text = response.content.decode()
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "\nopenreel_movies 1\n" in text
    assert '\nopenreel_links{source="commons",active="true"} 1\n' in text
    assert '\nopenreel_links{source="commons",active="false"} 1\n' in text
    assert '\nopenreel_health_run_links{verdict="gone"} 1\n' in text
    assert all(line.startswith("#") or len(line.rsplit(" ", 1)) == 2 for line in text.splitlines())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("127.9.9.9", {}, 200),
        ("::1", {}, 200),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
        ("127.0.0.1", {"X-Real-IP": "9.9.9.9"}, 404),
        ("127.0.0.1", {"Via": "1.1 cache"}, 404),
        ("127.0.0.1", {"X-Forwarded-Proto": "https"}, 404),
        ("9.9.9.9", {}, 404),
        ("", {}, 404),
        ("9.9.9.9", {"Authorization": f"Bearer {TOKEN}"}, 200),
        ("9.9.9.9", {"Authorization": "Bearer nonsense"}, 404),
        ("9.9.9.9", {"Authorization": "Bearer "}, 404),
        ("9.9.9.9", {"Authorization": "Bearer é"}, 404),
    ],
)
def test_metrics_need_a_token_or_loopback(settings, peer, headers, status):
    settings.METRICS_TOKEN = TOKEN
    assert Client(REMOTE_ADDR=peer).get("/metrics", headers=headers).status_code == status


@pytest.mark.django_db
def test_without_a_token_in_the_settings_no_token_is_valid(settings):
    settings.METRICS_TOKEN = ""
    assert Client(REMOTE_ADDR="9.9.9.9").get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
