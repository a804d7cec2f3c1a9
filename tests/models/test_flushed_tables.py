"""After `manage.py flush` nothing remembers the catalogue, in whichever order the tables were emptied."""

from __future__ import annotations

import random

import pytest
from django.core.management import call_command
from django.db import connection

from streaming.ingest.tombstones import remove_movies
from streaming.models import Change, InactiveReasonCount, LinkCount, Movie, MovieCount, PendingChange, RemovedMovie
from tests.helpers.factories import make_link, make_movie

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("seed", range(8))
def test_a_flushed_catalogue_has_no_counts_changes_or_words(seed, monkeypatch, client):
    """Django takes the tables from a set, so that their order differs from process to process."""
    names = sorted(connection.introspection.django_table_names(only_existing=True, include_views=False))
    random.Random(seed).shuffle(names)
    monkeypatch.setattr(connection.introspection, "django_table_names", lambda **_: names)
    for number in range(3):
        make_link(make_movie(title="Nosferatu", year=1922, genres=["horror"]), is_active=number != 1, reason="http_404")
    make_movie(title="Nosferatu")
    remove_movies(Movie.objects.filter(active_link_count=0), reason="", cause=RemovedMovie.Cause.CHECK)
    call_command("flush", interactive=False, verbosity=0)
    for model in (MovieCount, LinkCount, InactiveReasonCount, PendingChange, Change, RemovedMovie):
        assert list(model.objects.values()) == [], model
    feed = client.get("/api/streaming/changes/").json()
    assert (feed["changed"], feed["removed"]) == ([], [])
    make_movie(title="Metropolis", imdb_id="tt0017136")
    assert [movie.imdb_id for movie in client.get("/?q=metropolis").context["page"]] == ["tt0017136"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT word FROM streaming_searchword")
        assert cursor.fetchall() == [("metropolis",)]
