"""A long writer costs a page view nothing, and a click or log-in a sentence instead of an error."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.test import Client
from django.urls import reverse
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from streaming import write_wait
from streaming.models import LoginCounter, Movie, ScrapeJob
from tests.helpers.factories import make_movie

BUSY = "The database is busy or full"


@pytest.fixture
def movie(transactional_db):
    User.objects.create_superuser("carol", password="right")
    return make_movie()


@pytest.fixture
def token(movie):
    return Token.objects.create(user=User.objects.get(username="carol"))


@pytest.fixture
def long_writer(movie):
    """Another process's writer: SQLite's lock on the file, or PostgreSQL's on the rows that a request changes."""
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
    else:
        other = connection.copy()
        with closing(other), other.cursor() as cursor:
            cursor.execute("BEGIN")
            for model in (Movie, LoginCounter):
                cursor.execute(f"LOCK TABLE {model._meta.db_table} IN SHARE MODE")
            yield
            cursor.execute("ROLLBACK")
    connection.close()


def wait_limit():
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout" if connection.vendor == "sqlite" else "SHOW lock_timeout")
        return cursor.fetchone()[0]


def test_pages_are_200_and_start_no_scrape(long_writer, movie, caplog):
    before, client = wait_limit(), Client()
    pages = ["/", movie.get_absolute_url(), f"/api/streaming/movies/{movie.pk}/", "/health/", "/healthz", "/readyz"]
    assert [client.get(page).status_code for page in pages] == [200] * len(pages)
    assert client.get(f"/api/streaming/movies/{movie.pk}/").json()["refresh"]["reason"] == "unavailable"
    assert (ScrapeJob.objects.count(), wait_limit()) == (0, before)
    assert "no scrape of movie" in caplog.text


def test_a_click_is_503_with_retry_after(long_writer, movie):
    client, page = Client(), f"{movie.get_absolute_url()}refresh/"
    for headers, url, text in (
        ({}, f"/api/streaming/movies/{movie.pk}/refresh_links/", BUSY),
        ({}, page, "takes no searches right now"),
        ({"HX-Request": "true"}, page, "takes no searches right now"),
    ):
        response = client.post(url, headers=headers)
        assert (response.status_code, response["Retry-After"]) == (503, "30")
        assert text in response.content.decode()


def test_a_log_in_is_503_with_a_sentence_and_works_afterwards(long_writer, movie):
    body = {"username": "carol", "password": "right"}
    response = Client().post(reverse("admin:login"), body)
    assert (response.status_code, response["Retry-After"]) == (503, "30")
    assert BUSY in response.content.decode()
    assert Client().get(reverse("admin:login")).status_code == 200


def test_a_write_of_staff_is_503_in_json(token, long_writer, movie):
    with write_wait.limited_write_wait(0.05):
        response = APIClient(headers={"Authorization": f"Token {token.key}"}).patch(
            f"/api/streaming/movies/{movie.pk}/", {"title": "Nosferatu"}
        )
    assert (response.status_code, response["Retry-After"]) == (503, "30")
    assert BUSY in response.json()["detail"]


def test_a_defect_is_not_taken_for_a_busy_database(movie):
    with pytest.raises(DatabaseError, match="nowhere") as error, connection.cursor() as cursor:
        cursor.execute("INSERT INTO nowhere VALUES (1)")
    assert not write_wait.is_unavailable(error.value)


def test_the_limit_is_that_of_one_block_and_never_longer_than_the_connections_own(movie):
    before = wait_limit()
    with write_wait.limited_write_wait(0.3):
        assert str(wait_limit()) in ("300", "300ms")
    assert wait_limit() == before
