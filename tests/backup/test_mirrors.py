"""A mirror that follows `changes/` has the restored catalogue after a restore, or has to start anew."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from streaming.models import Movie, RestoredBackup
from tests.helpers.factories import make_link, make_movie

CHANGES = "/api/streaming/changes/"
pytestmark = pytest.mark.sqlite


class Mirror:
    """A copy of the catalogue, by IMDb id, that keeps the cursor it was given last."""

    def __init__(self, client):
        self.client, self.titles, self.since = client, {}, ""

    def follow(self):
        """Apply all changes; start anew where the answer is 410. Return whether it was."""
        more, anew = True, False
        while more:
            response = self.client.get(CHANGES, {"since": self.since})
            if response.status_code == 410:
                assert not anew
                self.titles, self.since, anew = {}, "", True
                continue
            page = response.json()
            for row in page["removed"]:
                self.titles.pop(row["imdb_id"], None)
            self.titles |= {row["imdb_id"]: row["title"] for row in page["changed"]}
            more, self.since = page["more"], page["next_since"]
        return anew

    def is_right(self):
        return self.titles == dict(Movie.objects.values_list("imdb_id", "title"))


@pytest.fixture
def backup(transactional_db, django_db_blocker, tmp_path, settings):
    """A backup of three movies; one has a change without a number."""
    settings.VAR_DIR, settings.SCRAPE_DIR = tmp_path / "var", tmp_path / "var" / "scrape"
    settings.VAR_DIR.mkdir()
    for number in range(3):
        make_link(make_movie(imdb_id=f"tt000000{number}", title="Saved"))
    with django_db_blocker.unblock():
        yield tmp_path / "backup.sqlite3"


def lose_changes():
    """Do after the backup what its restore undoes: edit, add and delete."""
    Movie.objects.filter(imdb_id="tt0000000").update(title="Lost edit")
    Movie.objects.filter(imdb_id="tt0000001").delete()
    make_movie(imdb_id="tt0000009", title="Lost movie")


def test_mirrors_converge_whether_they_asked_before_the_backup_after_it_or_after_another_restore(backup, client):
    before, last, after, later = (Mirror(client) for _ in range(4))
    before.follow(), last.follow()
    Movie.objects.filter(imdb_id="tt0000002").update(title="Edited before the backup")
    last.follow()
    make_link(Movie.objects.get(imdb_id="tt0000002"))
    call_command("backup", str(backup))
    lose_changes()
    after.follow()
    call_command("restore", str(backup), "--yes")
    lose_changes()
    later.follow()
    assert later.is_right()
    call_command("restore", str(backup), "--yes")
    for _ in range(20):
        make_movie(title="Added after the restore, so that the sequence is as long as the lost ones")
    assert [mirror.follow() for mirror in (before, last, after, later)] == [False, False, True, True]
    assert [mirror.is_right() for mirror in (before, last, after, later)] == [True] * 4
    assert not after.follow()


def test_a_backup_from_before_the_sequence_gets_numbers_that_no_mirror_knows(backup, client):
    mirror = Mirror(client)
    mirror.follow()
    call_command("migrate", "streaming", "0012", verbosity=0)
    call_command("backup", str(backup))
    call_command("migrate", verbosity=0)
    lose_changes()
    call_command("restore", str(backup), "--yes")
    assert mirror.follow()
    assert mirror.is_right()
    assert len(mirror.titles) == 3
    assert not mirror.follow()


@pytest.mark.parametrize(
    ("hours", "status"), [(-2, 200), (1, 410), (3, 200)], ids=["before the backup", "between", "after the restore"]
)
def test_a_mirror_that_keeps_times_starts_anew_if_it_asked_between_backup_and_restore(db, client, hours, status):
    made_at, movie = timezone.now() - timedelta(hours=4), make_movie()
    RestoredBackup.objects.create(
        made_at=made_at, restored_at=made_at + timedelta(hours=2), last_number=0, jumped_to=1000
    )
    response = client.get(CHANGES, {"since": (made_at + timedelta(hours=hours)).isoformat()})
    assert response.status_code == status
    assert status == 410 or response.json()["changed"][0]["imdb_id"] == movie.imdb_id
