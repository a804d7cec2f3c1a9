"""The simulation: its worlds are as large as they say, its web behaves, its faults last as long as they should, and the
scenarios that the checker has always survived are survived."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from dataclasses import replace

import pytest

from bench.truth import faults, machine, scenarios, web, worlds
from bench.truth.__main__ import HEADS, main, row, simulated
from bench.truth.machine import Outcome
from bench.truth.simulate import History, Result, count_wrongly_off, deadline, read
from bench.truth.worlds import DEATH_HOUR, GRACE_FACTORS, WORLDS
from streaming.models import Movie

ALL_WORLDS = [made() for made in WORLDS.values()]
USUAL = worlds.usual()
KEPT = Result(
    scenario="nothing", world="usual", living=370, ever_removed=0, missing=0, links_off=0, due=8, overdue=0, runs=60,
    killed=0, withheld=0, first_loss=None, seconds=1.0,
)  # fmt: skip


ACCEPTED = Outcome(checked=430, died=0, revived=0, removed=0, withheld=False, reason="")


def link_at(world, group, *, is_file=False, lives=True):
    """One link of a host of this group."""
    return next(
        link
        for film in world.films
        for link in film.links
        if link.host.startswith(group) and link.is_file == is_file and film.lives == lives
    )


# --- worlds
@pytest.mark.parametrize(
    ("name", "films", "links", "hosts"),
    [
        ("usual", 370, 430, 174),
        ("pages", 310, 370, 173),
        ("only_pages", 310, 370, 173),
        ("skew", 120, 500, 13),
        ("tiny", 15, 15, 1),
        ("singles", 200, 200, 200),
        ("blocked", 15, 15, 1),
    ],
)
def test_a_world_has_as_many_living_films_links_and_hosts_as_it_says(name, films, links, hosts):
    living = [film for film in WORLDS[name]().films if film.lives]
    assert len(living) == films
    assert sum(len(film.links) for film in living) == links
    assert len({link.host for film in living for link in film.links}) == hosts


@pytest.mark.parametrize(
    ("group", "links"), [("archive", 150), ("second", 60), ("cdn-", 100), ("five-", 60), ("small-", 60)]
)
def test_the_usual_links_are_on_these_hosts(group, links):
    living = [link for film in USUAL.films if film.lives for link in film.links]
    assert sum(link.host.startswith(group) for link in living) == links


@pytest.mark.parametrize(("name", "ratio"), [("usual", 0.5), ("pages", 0.29), ("only_pages", 0.0)])
def test_so_many_links_are_files(name, ratio):
    links = list(WORLDS[name]().links())
    assert sum(link.is_file for link in links) / len(links) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize("world", ALL_WORLDS, ids=lambda world: world.name)
def test_titles_ids_and_addresses_are_unlike(world):
    links = list(world.links())
    assert len({film.title for film in world.films}) == len({film.imdb_id for film in world.films}) == len(world.films)
    assert len({(link.host, link.path) for link in links}) == len(links)


@pytest.mark.parametrize("world", ALL_WORLDS, ids=lambda world: world.name)
def test_films_die_as_a_whole_and_two_of_each_world_do(world):
    dead = [film for film in world.films if not film.lives]
    assert len(dead) >= 2
    assert all(link.death in GRACE_FACTORS for film in dead for link in film.links)


# --- faults
def test_a_fault_lasts_as_long_as_stated():
    link = link_at(USUAL, "second")
    fault = faults.lasting(2, faults.on_links(web.reset, "second"))
    assert [fault(hour, link.host, link) is web.reset for hour in (2.75, 3, 4.75, 5)] == [False, True, True, False]


def test_a_fault_of_links_leaves_the_other_paths_of_their_host():
    link = link_at(USUAL, "second")
    on_links, on_hosts = faults.on_links(web.reset, "second"), faults.on_hosts(web.reset, "second")
    assert (on_links(3, link.host, None), on_hosts(3, link.host, None)) == (None, web.reset)
    assert on_hosts(3, "archive.example", None) is None


def test_a_creeping_fault_reaches_all_films_of_its_host():
    links = [link for link in USUAL.links() if link.host == "second.example"]
    fault = faults.creeping(0.2, web.reset, "second")
    failing = [{link for link in links if fault(hour, link.host, link)} for hour in (2, 3, 5, 8)]
    assert failing[0] < failing[1] < failing[2] < failing[3] == set(links)


def test_a_fault_may_change_with_the_hour_or_with_the_film():
    link = link_at(USUAL, "second")
    fault = faults.changing(faults.in_turn((5, web.reset), (6, web.silence)), "second")
    assert [fault(hour, link.host, link) for hour in (2, 3, 5, 6)] == [None, web.reset, web.silence, None]
    mixed = faults.per_path((web.reset, web.silence), "second")
    assert {mixed(9, one.host, one) for one in USUAL.links()} == {None, web.reset, web.silence}


def test_hosts_that_moved_have_their_films_at_the_new_name():
    site, link = web.Web(USUAL, faults.on_hosts(web.moved, "small-")), link_at(USUAL, "small-")
    response = site.respond(link.host, link.path)
    (_, location), *_ = response.headers
    assert location == f"http://{web.NEW_NAME}:{web.PORT}/{link.host}{link.path}"
    assert link.title.encode() in site.respond(web.NEW_NAME, f"/{link.host}{link.path}").body


def test_rolling_failures_are_29_percent_of_other_links_each_hour_and_reach_all():
    fault, links = faults.rolling(0.29, web.reset), list(USUAL.links())
    hours = [{link for link in links if fault(hour, link.host, link)} for hour in range(3, 10)]
    assert all(len(failing) / len(links) == pytest.approx(0.29, abs=0.005) for failing in hours)
    assert not hours[0] & hours[1]
    assert set.union(*hours) == set(links)
    assert len({link.host for link in hours[0]}) > 50


def test_scattered_failures_are_a_quarter_of_the_links_that_never_failed_too():
    fault, left = faults.scattered(0.25, web.reset), set(USUAL.links())
    for hour in range(3, 7):
        failing = {link for link in left if fault(hour, link.host, link)}
        assert len(failing) / len(left) == pytest.approx(0.25, abs=0.05)
        left -= failing


def test_about_one_host_in_twenty_is_away_at_a_time():
    fault, hosts = faults.hosts_down(0.05), {link.host for link in USUAL.links()}
    away = [{host for host in hosts if fault(hour, host, None)} for hour in range(6, 306, 6)]
    assert sum(map(len, away)) / len(away) / len(hosts) == pytest.approx(0.05, abs=0.01)
    assert len(set.union(*away)) > len(hosts) / 2


def test_of_faults_put_together_the_first_counts():
    link = link_at(USUAL, "second")
    fault = faults.together(faults.on_hosts(web.reset, "archive"), faults.on_hosts(web.silence, ""))
    assert (fault(3, "archive.example", None), fault(3, link.host, link)) == (web.reset, web.silence)


# --- the web
@pytest.fixture
def serve():
    """A world's web behind a socket, asked as `ask(host, path)`."""

    def asked(made, host, path, *, method="GET", **headers):
        with (
            web.serving(made, address="127.0.0.1", port=0) as (address, port),
            closing(http.client.HTTPConnection(address, port, timeout=10)) as connection,
        ):
            connection.request(method, path, headers={"Host": f"{host}:{web.PORT}", **headers})
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()

    return asked


def test_a_living_page_names_its_film_and_says_the_simulated_hour(serve):
    made, link = web.Web(USUAL, faults.nothing), link_at(USUAL, "archive")
    made.turn_to(26)
    status, headers, body = serve(made, link.host, link.path)
    assert (status, headers["Date"]) == (200, "Tue, 06 Jan 2026 02:00:00 GMT")
    assert f"<title>{link.title} - archive</title>".encode() in body


@pytest.mark.parametrize(
    ("method", "headers", "status", "length"),
    [
        ("HEAD", {}, 200, 0),
        ("GET", {}, 200, len(web.VIDEO)),
        ("GET", {"Range": "bytes=0-2047"}, 206, web.FIRST_BYTES),
    ],
)
def test_a_living_file_is_a_video(serve, method, headers, status, length):
    link = link_at(USUAL, "archive", is_file=True)
    code, fields, body = serve(web.Web(USUAL, faults.nothing), link.host, link.path, method=method, **headers)
    assert (code, fields["Content-Type"], len(body)) == (status, "video/mp4", length)


@pytest.mark.parametrize(
    ("host", "path", "status", "text"),
    [
        ("archive.example", "/", 200, b"archive cinema"),
        ("archive.example", "/login", 200, b"Sign in"),
        ("archive.example", "/no-such-film", 404, b"404 Not Found"),
        ("portal.example", "/", 200, b"Guest network"),
    ],
)
def test_other_paths_and_the_hosts_that_redirects_lead_to_are_there(serve, host, path, status, text):
    code, _, body = serve(web.Web(USUAL, faults.nothing), host, path)
    assert code == status
    assert text in body


def test_a_reset_is_seen_as_one(serve):
    with pytest.raises(ConnectionResetError):
        serve(web.Web(USUAL, faults.on_hosts(web.reset, "")), "archive.example", "/")


@pytest.mark.parametrize(
    ("death", "status", "location"),
    [("404", 404, None), ("removed", 200, None), ("home", 302, "/"), ("403", 403, None)],
)
def test_a_dead_film_works_until_it_dies(death, status, location):
    builder = worlds.Builder()
    builder.add("lost.example", death=death)
    world = builder.world("dying")
    made, (link,) = web.Web(world, faults.nothing), world.links()
    assert made.serves(link)
    made.turn_to(DEATH_HOUR)
    response = made.respond(link.host, link.path)
    assert (response.status, dict(response.headers).get("Location")) == (status, location)
    assert not made.serves(link)


def test_a_page_that_names_what_was_asked_is_never_the_same_twice():
    made = web.Web(USUAL, faults.on_hosts(web.varied_page("Guest network", "Terms."), ""))
    first, second = made.respond("archive.example", "/a"), made.respond("archive.example", "/a")
    assert first != second
    assert first.status == second.status == 200


def test_a_host_that_refuses_halfway_begins_anew_with_each_run():
    link = link_at(USUAL, "archive")
    made = web.Web(USUAL, faults.per_link(web.refusing_after(2), "archive"))
    statuses = [made.respond(link.host, link.path).status for _ in range(3)]
    made.turn_to(4)
    assert [*statuses, made.respond(link.host, link.path).status] == [200, 200, 403, 200]


def test_a_host_that_refuses_halfway_brings_no_dead_link_back():
    film = next(film for film in USUAL.films if not film.lives and film.links[0].death == "404")
    made = web.Web(USUAL, faults.per_link(web.refusing_after(2), film.links[0].host))
    made.turn_to(DEATH_HOUR)
    assert made.respond(film.links[0].host, film.links[0].path).status == 404


def test_a_name_is_unknown_while_the_fault_says_so():
    made = web.Web(USUAL, faults.lasting(1, faults.on_hosts(web.no_name, "cdn-")))
    known = []
    for hour in (2, 3, 4):
        made.turn_to(hour)
        known.append((made.knows("cdn-000.example"), made.knows("archive.example")))
    assert known == [(True, True), (False, True), (True, True)]


def test_after_so_many_requests_the_whole_web_falls_silent():
    made = web.Web(USUAL, faults.nothing)
    made.silent_after = 1
    responses = [made.respond("archive.example", "/") for _ in range(2)]
    assert [response is web.Cut.SILENCE for response in responses] == [False, True]


# --- scenarios
def test_each_scenario_has_a_name_of_its_own_and_each_world_a_scenario():
    assert len(scenarios.BY_NAME) == len(scenarios.SCENARIOS)
    assert {scenario.world for scenario in scenarios.SCENARIOS} == set(WORLDS)


def test_no_two_scenarios_of_a_world_are_described_alike():
    described = [(scenario.words, scenario.world) for scenario in scenarios.SCENARIOS]
    assert len(set(described)) == len(described)


@pytest.mark.parametrize("scenario", scenarios.SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_plan_goes_forward_and_reaches_beyond_the_last_death(scenario):
    hours = [run.hour for run in scenario.runs()]
    assert hours == sorted(set(hours))
    assert max(hours) >= max(deadline(film) for film in WORLDS[scenario.world]().films if not film.lives)


def test_every_second_run_of_the_killed_hours_is_killed():
    plan = (scenarios.Phase(0, 6, 1),)
    scenario = scenarios.Scenario("made", "", plan=plan, kills=scenarios.Kills(2, 6, after=15))
    assert [run.killed_after for run in scenario.runs()] == [None, None, None, 15, None, 15, None]


def test_the_clock_is_wrong_from_one_hour_to_another():
    plan = (scenarios.Phase(4, 8, 1),)
    clock = (scenarios.WrongClock(5, 7, 48), scenarios.WrongClock(7, 8, -48))
    scenario = scenarios.Scenario("made", "", plan=plan, clock=clock)
    assert [run.clock_offset for run in scenario.runs()] == [0, 48, 48, -48, 0]


# --- what is counted
def test_films_on_hosts_that_never_come_back_need_not_stay():
    for_good, for_an_hour = (scenarios.BY_NAME[f"cdn-503-{name}"].living(USUAL) for name in ("for-good", "hour"))
    assert (for_an_hour, len(for_an_hour - for_good)) == (USUAL.living(), 100)


def test_a_living_film_that_was_away_for_one_run_was_removed_and_is_not_missing():
    everybody = frozenset(film.imdb_id for film in USUAL.films)
    history = History(USUAL)
    for hour, present in ((3, everybody), (4, everybody - {"tt0000001"}), (5, everybody)):
        history.note(hour, present, ACCEPTED)
    assert history.living_removed() == {"tt0000001": 4}
    assert USUAL.living() <= history.present


def test_killed_and_withheld_runs_are_counted():
    history = History(USUAL)
    for hour, outcome in enumerate((ACCEPTED, None, replace(ACCEPTED, withheld=True))):
        history.note(hour, frozenset(), outcome)
    assert (history.runs, history.killed, history.withheld) == (3, 1, 1)


@pytest.mark.parametrize(
    ("death", "removed_at", "is_overdue"),
    [("404", 97, False), ("404", 98, True), ("404", None, True), ("removed", 98, False), ("removed", 290, True)],
)
def test_a_dead_film_is_overdue_after_four_times_its_grace(death, removed_at, is_overdue):
    builder = worlds.Builder()
    builder.add("lost.example", death=death)
    world = builder.world("dying")
    history = History(world)
    history.note(removed_at or 300, frozenset() if removed_at else frozenset({"tt0000001"}), ACCEPTED)
    assert history.is_overdue(world.films[0]) is is_overdue


@pytest.mark.django_db
def test_links_that_work_count_as_wrongly_off_when_they_are_off_or_gone_with_their_film():
    world = worlds.tiny()
    machine.load(world)
    first, second, *_ = Movie.objects.order_by("imdb_id")
    first.links.update(is_active=False)
    second.delete()
    Movie.objects.order_by("imdb_id").last().links.update(is_active=False)  # A film that has died.
    assert count_wrongly_off(world, web.Web(world, faults.nothing)) == 2
    assert count_wrongly_off(world, web.Web(world, faults.on_hosts(web.reset, "second"))) == 0


@pytest.mark.parametrize(
    ("changed", "is_kept"),
    [
        ({}, True),
        ({"ever_removed": 3}, True),
        ({"ever_removed": 4}, False),
        ({"missing": 1}, False),
        ({"overdue": 1}, False),
        ({"links_off": 5}, True),
    ],
)
def test_the_promise_allows_one_film_in_a_hundred_for_a_while_and_none_at_the_end(changed, is_kept):
    assert replace(KEPT, **changed).is_kept is is_kept


def test_a_result_comes_back_from_its_process_as_it_was():
    assert read(json.dumps({name: getattr(KEPT, name) for name in KEPT.__dataclass_fields__})) == KEPT


def test_a_line_of_the_table_says_what_was_lost_and_has_all_columns():
    lost = replace(KEPT, scenario="host-404-hour", ever_removed=60, missing=60, first_loss=3.0)
    assert row(KEPT).endswith("| nothing | usual | 370 | 0 |  | 0 | 0 | 8 | 0 | 60 | 0 | 1 |")
    assert "| **60 (16 %)** | 3 | 60 |" in row(lost)
    assert row(KEPT).count("|") == row(lost).count("|") == len(HEADS[0]) + 1


def test_the_scenarios_can_be_listed(capsys):
    assert main(["--list"]) == 0
    assert capsys.readouterr().out.count("\n") == len(scenarios.SCENARIOS)


# --- the whole, with the real checker
@pytest.mark.slow(seconds=150)
def test_what_the_checker_has_always_survived_is_survived():
    names = ("dns-none", "host-503-3days-tiny", "control-killed", "control-blocked")
    results = list(simulated([scenarios.BY_NAME[name] for name in names], jobs=1))
    assert [(result.scenario, result.is_kept, result.links_off) for result in results] == [
        (name, True, 0) for name in names
    ]
    outage, _, killed, _ = results
    assert outage.withheld == 19
    assert killed.killed == 5
