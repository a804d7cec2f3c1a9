"""Doubtful pages: one request for a path that nobody has made tells what their host sends for missing films."""

from __future__ import annotations

import pytest

from streaming.health.sweep.control_fetch import control_url
from streaming.health.sweep.immediate_check import check_now
from streaming.models import Movie
from tests.helpers.factories import make_link
from tests.helpers.http_origin import Origin

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
GONE = "This video is no longer available."


def page(title, text):
    return f"<!doctype html><title>{title}</title><h1>{title}</h1><p>{text}</p>".encode()


@pytest.fixture
def check():
    """Check links of films called Nosferatu at a host of this behaviour; return their reasons and the host's log."""
    servers = []

    def run(behaviour, *paths):
        server = Origin("127.0.0.2", behaviour=behaviour)
        servers.append(server)
        links = [make_link(source_url=server.url(path), host="127.0.0.2") for path in paths]
        Movie.objects.update(title="Nosferatu")
        reasons = check_now([link.pk for link in links])
        return [reasons[link.pk] for link in links], server.log

    yield run
    for server in servers:
        server.go_down()


def test_the_same_page_for_a_made_up_path_is_a_soft_404(check):
    reasons, _ = check(lambda handler: handler.send(200, page("Nosferatu (1922)", GONE)), "film/1")
    assert reasons == ["soft_404"]


def test_a_page_of_its_own_is_alive(check):
    def behaviour(handler):
        if handler.path == "/film/1":
            handler.send(200, page("Nosferatu (1922)", GONE))
        else:
            handler.send(404, b"no")

    assert check(behaviour, "film/1")[0] == ["ok"]


def test_a_host_that_redirects_all_paths_to_one_page_has_lost_its_films(check):
    def behaviour(handler):
        if handler.path == "/list":
            handler.send(200, page("Films", "New films each week: see what there is."))
        else:
            handler.send(302, Location="/list")

    assert check(behaviour, "film/1")[0] == ["soft_404"]


def test_a_redirect_that_only_the_film_has_is_alive(check):
    def behaviour(handler):
        if handler.path == "/film/1":
            handler.send(302, Location="/new/1")
        elif handler.path == "/new/1":
            handler.send(200, page("A symphony of horror", "A count buys a house."))
        else:
            handler.send(404, b"no")

    assert check(behaviour, "film/1")[0] == ["ok"]


def test_pages_that_differ_each_time_are_alive(check):
    def behaviour(handler):
        number = len(handler.server.log)
        words = " ".join(f"{chr(97 + number % 26)}{chr(97 + letter)}" * 2 for letter in range(20))
        handler.send(200, page("Nosferatu (1922)", f"{GONE} {words}"))

    assert check(behaviour, "film/1")[0] == ["ok"]


def test_a_control_page_that_does_not_come_changes_nothing(check):
    def behaviour(handler):
        if handler.path == "/film/1":
            handler.send(200, page("Nosferatu (1922)", GONE))
        else:
            handler.send(503)

    assert check(behaviour, "film/1")[0] == ["soft_404"]


def test_a_host_is_asked_once_for_all_its_films_and_not_at_all_without_doubt(check):
    def behaviour(handler):
        title, text = ("Nosferatu (1922)", GONE) if "film" in handler.path else ("Nosferatu", "A count buys a house.")
        handler.send(200, page(title, text))

    reasons, log = check(behaviour, "film/1", "film/2", "film/3")
    assert reasons == ["soft_404"] * 3
    assert len({path for _, path in log} - {"/film/1", "/film/2", "/film/3"}) == 1
    reasons, log = check(behaviour, "page/1")
    assert reasons == ["ok"]
    assert {path for _, path in log} == {"/page/1"}


def test_a_control_url_is_beside_the_link_and_new_each_time():
    first, second = (control_url("https://films.example.org/a/film?id=7#x") for _ in range(2))
    assert first.startswith("https://films.example.org/a/")
    assert first != second
    assert "?" not in first
