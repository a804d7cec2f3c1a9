"""`follow` against another instance on loopback: what comes in, what stays, what goes."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from streaming.ingest import edits, review, takedown
from streaming.ingest.records import parse_link
from streaming.ingest.save import save_links
from streaming.ingest.tombstones import remove_movies, restore_movies
from streaming.models import FollowedInstance, FollowedMovie, Movie, RemovedMovie, StreamingLink
from streaming.scheduling.timetable import scheduled_commands
from tests.helpers.factories import make_link, make_movie
from tests.helpers.other_instance import film, link, other_instance

pytestmark = pytest.mark.django_db
CHANGES = "/api/streaming/changes/"


def shown() -> dict[str, list[str]]:
    """The ends of the URLs of each film's links here."""
    return {
        movie.imdb_id: sorted(one.source_url.rpartition("/")[2] for one in movie.links.all())
        for movie in Movie.objects.all()
    }


def find_with_own_spider(name: str, *, imdb_id: str = "tt0000001") -> None:
    save_links([parse_link(link(name, imdb_id=imdb_id, is_active=True, last_checked=None))])


def turn_off(**which: str) -> None:
    links = StreamingLink.objects.filter(**which)
    links.update(is_active=False, reason="http_404", last_checked=timezone.now())


def test_films_and_links_come_in_unchecked_and_say_where_from(other, follow):
    other.say(film(year=1922, cast=[{"id": "Q1", "name": "Max"}], links=[link(label="S1 E2 Key", season=1, episode=2)]))
    status, printed = follow()
    assert status == 0
    assert "films 1 new, 0 changed, 0 restored, 0 removed; links 1 new, 0 changed, 0 dropped" in printed
    row = StreamingLink.objects.select_related("movie").get()
    assert (row.movie.title, row.movie.year, row.movie.cast) == ("Film 1", 1922, [{"id": "Q1", "name": "Max"}])
    assert (row.label, row.season, row.episode, row.is_published) == ("Key", 1, 2, True)
    assert (row.is_active, row.last_checked, row.reason, row.next_check_at) == (True, None, "", None)
    assert row.evidence == f"Stated by {other.url}"
    instance = FollowedInstance.objects.get()
    assert (instance.url, instance.cursor, instance.last_error) == (other.url, "n1", "")
    assert instance.last_success_at is not None
    assert instance.is_complete


def test_edits_of_the_other_instance_arrive_and_later_runs_ask_only_for_those(other, follow):
    other.say(film(1, year=1922, synopsis="Old", links=[link("a"), link("b")]), more=True)
    other.say(film(2, links=[link("c")]))
    follow()
    other.say(film(1, title="New", type="show", links=[link("b", label="L", quality="720p"), link("d")]), removed=[2])
    status = follow()[0]
    assert (status, other.asked) == (0, ["", "n1", "n2"])
    movie = Movie.objects.get()
    assert (movie.title, movie.year, movie.synopsis, movie.type) == ("New", None, "", "show")
    assert shown() == {"tt0000001": ["b", "d"]}
    assert movie.links.get(label="L").quality == "720p"
    tombstone = RemovedMovie.objects.get()
    assert (tombstone.imdb_id, tombstone.cause, tombstone.next_check_at) == ("tt0000002", "followed", None)
    assert other.url in tombstone.reason
    assert other.url not in tombstone.public_reason


def test_a_film_that_returns_there_returns_here_with_its_row(other, follow):
    other.say(film(links=[link()]))
    follow()
    pk = Movie.objects.get().pk
    other.say(removed=[1])
    other.say(film(title="Again", links=[link("b")]))
    follow()
    assert not Movie.objects.exists()
    follow()
    assert (Movie.objects.get().pk, Movie.objects.get().title, shown()) == (pk, "Again", {"tt0000001": ["b"]})


def test_what_staff_and_spiders_of_our_own_entered_is_neither_changed_nor_removed(other, follow):
    ours = make_movie(imdb_id="tt0000001", title="Ours", year=1921)
    make_link(ours, source_url="https://films.example.org/a", label="Ours")
    other.say(film(1, title="Theirs", year=1930, synopsis="New", links=[link("a", label="Theirs"), link("b")]))
    follow()
    ours.refresh_from_db()
    assert (ours.title, ours.year, ours.synopsis) == ("Ours", 1921, "New")
    assert shown() == {"tt0000001": ["a", "b"]}
    other.say(film(1, title="Theirs 2", synopsis="Newer", links=[]))
    follow()
    other.say(removed=[1])
    follow()
    ours.refresh_from_db()
    assert (ours.title, ours.synopsis, shown()) == ("Ours", "Newer", {"tt0000001": ["a"]})
    assert ours.links.get().label == "Ours"


def test_what_staff_changed_or_our_spiders_found_too_is_ours_from_then_on(other, follow):
    other.say(film(1, links=[link("edited"), link("found"), link("theirs")]), film(2, links=[]), film(3, links=[]))
    follow()
    edits.update_link(StreamingLink.objects.get(source_url__endswith="edited"), {"label": "By hand"})
    edits.update_movie(Movie.objects.get(imdb_id="tt0000002"), {"title": "By hand"})
    find_with_own_spider("found")
    other.say(film(1, links=[link("edited", label="Not taken")]), film(2, title="Not taken", year=1950))
    follow()
    assert shown()["tt0000001"] == ["edited", "found"]
    assert StreamingLink.objects.get(source_url__endswith="edited").label == "By hand"
    assert list(Movie.objects.filter(imdb_id="tt0000002").values_list("title", "year")) == [("By hand", 1950)]
    other.say(removed=[1, 2, 3])
    follow()
    assert shown() == {"tt0000001": ["edited", "found"], "tt0000002": []}


def test_an_import_makes_films_ours(other, follow, tmp_path):
    other.say(film(1, links=[link("a")]))
    follow()
    (tmp_path / "ours.jsonl").write_text(json.dumps(film(1)))
    call_command("import_catalogue", str(tmp_path / "ours.jsonl"))
    other.say(removed=[1])
    follow()
    assert shown() == {"tt0000001": []}


def test_what_is_dead_here_does_not_turn_on_because_it_lives_there(other, follow):
    other.say(film(1, links=[link("a"), link("b")]))
    follow()
    turn_off(source_url__endswith="/a")
    other.say(film(1, links=[link("a", label="New"), link("b")]))
    follow()
    assert StreamingLink.objects.get(label="New").is_active is False
    for page in ([film(1, links=[])], [film(1, links=[link("a"), link("b")])]):
        other.say(*page)
        follow()
    assert dict(StreamingLink.objects.values_list("source_url", "is_active")) == {
        "https://films.example.org/a": False,
        "https://films.example.org/b": True,
    }


def test_a_film_that_checks_removed_here_returns_for_a_new_link_only(other, follow):
    other.say(film(1, links=[link("a"), link("b")]))
    follow()
    turn_off()
    remove_movies(Movie.objects.all(), reason="no working link left")
    other.say(film(1, title="New title", links=[link("a"), link("b")]))
    status, printed = follow()
    assert (status, Movie.objects.count(), "1 removed_here" in printed) == (0, 0, True)
    other.say(film(1, title="New title", links=[link("a"), link("c")]))
    follow()
    links = dict(StreamingLink.objects.values_list("source_url", "is_active"))
    assert {url[-1]: works for url, works in links.items()} == {"a": False, "c": True}
    assert Movie.objects.get().title == "New title"


def test_links_that_left_do_not_return_with_a_film_that_checks_removed(other, follow):
    other.say(film(1, links=[link("a"), link("b")]), film(2, links=[link("c")]))
    follow()
    turn_off()
    remove_movies(Movie.objects.all(), reason="no working link left")
    other.say(film(1, links=[link("b")]), removed=[2])
    follow()
    assert dict(RemovedMovie.objects.values_list("imdb_id", "cause")) == {"tt0000001": "check", "tt0000002": "followed"}
    restore_movies(["tt0000001"])
    assert shown() == {"tt0000001": ["b"]}


def test_what_staff_removed_or_took_down_here_stays_away(other, follow):
    remove_movies(Movie.objects.filter(pk=make_movie(imdb_id="tt0000001").pk), reason="r", cause="staff")
    takedown.block("tt0000002", reason="asked")
    takedown.block("blocked.example.org", reason="asked")
    blocked = link("x", source_url="https://blocked.example.org/x")
    other.say(film(1, links=[link("a")]), film(2, links=[link("b")]), film(3, links=[link("c"), blocked]))
    status, printed = follow()
    assert (status, shown()) == (0, {"tt0000003": ["c"]})
    assert "1 removed_here" in printed
    takedown.block_link("https://films.example.org/c", reason="asked")
    other.say(film(3, title="Edited", links=[link("c", label="Edited"), blocked]))
    follow()
    assert list(StreamingLink.objects.values_list("is_active", "taken_down")) == [(False, True)]
    takedown.unblock("blocked.example.org")
    follow("--resync")
    assert shown() == {"tt0000003": ["c", "x"]}


def test_a_takedown_there_removes_only_what_came_from_there_and_is_named(other, follow):
    other.say(film(1, links=[link("a")]), film(2, links=[link("b")]))
    follow()
    find_with_own_spider("own", imdb_id="tt0000002")
    other.say(removed=[{"imdb_id": f"tt000000{number}", "reason": "taken down"} for number in (1, 2)])
    status, printed = follow()
    assert (status, shown()) == (0, {"tt0000002": ["own"]})
    assert "taken down there, kept here for others state them: tt0000002" in printed
    assert set(FollowedMovie.objects.values_list("state", flat=True)) == {"taken_down"}


def test_the_rules_about_licences_and_review_hold(other, follow):
    other.say(film(1, links=[link("free"), link("unknown", licence=""), link("not-free", licence="cc-by-nc")]))
    printed = follow()[1]
    assert dict(StreamingLink.objects.values_list("source_url", "is_published")) == {
        "https://films.example.org/free": True,
        "https://films.example.org/unknown": False,
    }
    assert "1 licence_refused" in printed
    review.publish(StreamingLink.objects.all(), by="staff")
    other.say(film(1, links=[link("free", licence="cc-by-nc"), link("unknown", licence="")]))
    follow()
    assert shown() == {"tt0000001": ["unknown"]}


def test_a_film_of_two_instances_stays_until_both_have_dropped_it(other, follow):
    with other_instance() as second:
        other.say(film(1, links=[link("a"), link("b")]))
        second.say(film(1, title="Second", links=[link("b"), link("c")]))
        follow()
        follow(url=second.url)
        assert (Movie.objects.get().title, shown()) == ("Film 1", {"tt0000001": ["a", "b", "c"]})
        other.say(removed=[1])
        follow()
        assert shown() == {"tt0000001": ["b", "c"]}
        second.say(film(1, title="Second 2", links=[link("b", label="New")]))
        follow(url=second.url)
        assert (shown(), StreamingLink.objects.get().label) == ({"tt0000001": ["b"]}, "New")
        second.say(removed=[1])
        follow(url=second.url)
        assert not Movie.objects.exists()


def test_everything_removed_at_once_empties_nothing_without_force(other, follow):
    numbers = range(1, 41)
    other.say(*(film(number, links=[link(str(number))]) for number in numbers))
    follow()
    other.say(removed=numbers)
    status, printed = follow()
    assert (status, Movie.objects.count(), FollowedInstance.objects.get().cursor) == (3, 40, "n1")
    assert "would lose 40 films" in printed
    assert "--force" in FollowedInstance.objects.get().last_error
    assert follow()[0] == 3
    assert follow("--force")[0] == 0
    assert (Movie.objects.count(), RemovedMovie.objects.removed().count()) == (0, 40)


def test_what_was_changed_before_an_error_is_printed_and_nothing_else(other, follow):
    other.say(film(1, links=[link("a")]), more=True)
    other.pages["n1"] = (500, {}, b"")
    status, printed = follow()
    assert status == 1
    assert (
        "films 1 new, 0 changed, 0 restored, 0 removed; links 1 new, 0 changed, 0 dropped before the error" in printed
    )
    status, printed = follow()
    assert (status, "films" in printed, printed.count("\n")) == (1, False, 0)
    assert "status 500" in printed


def test_small_losses_one_after_the_other_and_lost_links_count_too(other, follow):
    other.say(*(film(number, links=[link(str(number))]) for number in range(1, 41)))
    other.say(removed=range(1, 9))
    follow()
    assert (follow()[0], Movie.objects.count()) == (0, 32)
    other.say(*(film(number) for number in range(9, 15)))
    assert (follow()[0], StreamingLink.objects.count()) == (3, 32)


def test_an_instance_set_up_anew_empties_no_films_that_are_ours_either(other, follow, tmp_path):
    """An import names them, but all of their links are of the other instance."""
    numbers = range(1, 41)
    other.say(*(film(number, links=[link(str(number))]) for number in numbers))
    follow()
    (tmp_path / "ours.jsonl").write_text("\n".join(json.dumps(film(number)) for number in numbers))
    call_command("import_catalogue", str(tmp_path / "ours.jsonl"))
    find_with_own_spider("own")
    other.pages.clear()
    other.number = 0
    other.say()
    FollowedInstance.objects.update(cursor="n9")
    status, printed = follow()
    assert (status, "would lose 39 films" in printed, StreamingLink.objects.count()) == (3, True, 41)
    assert follow("--force")[0] == 0
    assert (Movie.objects.count(), StreamingLink.objects.count()) == (40, 1)


def test_losses_that_a_clock_far_ahead_has_written_withhold_nothing(other, follow):
    other.say(*(film(number, links=[link(str(number))]) for number in range(1, 41)))
    follow()
    a_year_ahead = timezone.now() + timedelta(days=365)
    FollowedInstance.objects.update(losses=[[10, a_year_ahead.isoformat()]])
    other.say(removed=range(1, 9))
    assert (follow()[0], Movie.objects.count()) == (0, 32)


def test_a_restored_backup_there_is_read_anew_and_what_it_has_not_is_dropped(other, follow):
    other.say(film(1, links=[link("a")]), film(2, links=[link("b")]))
    follow()
    other.pages.clear()
    other.number = 0
    other.say(film(1, links=[link("a")]), more=True)
    other.say(film(3, links=[link("c")]))
    FollowedInstance.objects.update(cursor="n9")
    status, printed = follow()
    assert (status, "Reading all of it anew" in printed) == (0, True)
    assert shown() == {"tt0000001": ["a"], "tt0000003": ["c"]}


def test_the_cursor_and_its_page_are_saved_together(other, follow):
    """What was read before an error is there, and the next run continues behind it."""
    other.say(film(1, links=[link("a")]), more=True)
    other.say(film(2, links=[link("b")]), more=True)
    complete = other.pages["n1"]
    other.pages["n1"] = (200, {}, complete[2][:50])
    status, printed = follow()
    assert (status, "not JSON" in printed) == (1, True)
    assert (shown(), FollowedInstance.objects.get().cursor) == ({"tt0000001": ["a"]}, "n1")
    other.pages["n1"] = complete
    assert follow()[0] == 0
    assert (set(shown()), other.asked) == ({"tt0000001", "tt0000002"}, ["", "n1", "n1", "n2"])


def test_what_comes_from_others_is_marked_and_not_taken_again(other, follow, client):
    """Two instances that follow each other pass nothing to and fro, and keep nothing alive that its owner dropped."""
    own = make_movie(imdb_id="tt0000002", title="Own")
    make_link(own, source_url="https://films.example.org/own")
    other.say(film(1, links=[link("a")]), film(2, links=[link("b")]))
    follow()
    page = client.get(CHANGES).json()
    marks = {row["imdb_id"]: (row["followed"], {one["source_url"][-1]: one["followed"] for one in row["links"]})
             for row in page["changed"]}  # fmt: skip
    assert marks == {"tt0000001": (True, {"a": True}), "tt0000002": (False, {"n": False, "b": True})}
    Movie.objects.all().delete()
    FollowedInstance.objects.all().delete()
    other.pages.clear()
    other.number = 0
    other.say(*page["changed"])
    follow()
    assert shown() == {"tt0000002": ["own"]}


def test_an_instance_that_follows_itself_is_named(other, follow, client):
    other.say(film(1))
    follow()
    token = FollowedInstance.objects.get().token
    assert other.tokens == [token]
    answer = client.get(CHANGES, headers={"X-Openreel-Follower": token})
    assert (answer.status_code, client.get(CHANGES, headers={"X-Openreel-Follower": "a" * 32}).status_code) == (
        409,
        200,
    )
    other.say_raw(answer.content, status=409)
    status, printed = follow()
    assert (status, "this is the same installation" in printed) == (1, True)


def test_forgetting_an_instance_drops_what_only_it_states(other, follow):
    ours = make_movie(imdb_id="tt0000001", title="Ours")
    make_link(ours, source_url="https://films.example.org/ours")
    other.say(film(1, links=[link("a")]), film(2, links=[link("b")]))
    follow()
    assert follow("--forget")[0] == 0
    assert (shown(), FollowedInstance.objects.count()) == ({"tt0000001": ["ours"]}, 0)
    assert follow("--forget")[0] == 1


@pytest.mark.parametrize("words", [(), ("ftp://a.example.org",), ("http://10.0.0.1",), ("http://a b",)])
def test_addresses_that_are_none_are_named(words):
    with pytest.raises(CommandError) as error:
        call_command("follow", *words)
    assert error.value.returncode == 1


def test_the_settings_name_whom_the_schedule_follows(other, follow, settings):
    other.say(film(1))
    assert "follow" not in {command.name for command in scheduled_commands()}
    settings.FOLLOW_URLS = [f"{other.url}/api/streaming/changes/?since="]
    assert "follow" in {command.name for command in scheduled_commands()}
    call_command("follow")
    assert FollowedInstance.objects.get().url == other.url
