"""The page of a visitor's own lists, and the cards it asks for."""

from __future__ import annotations

import re

import pytest

from streaming.models import BlockedAddress, ScrapeJob
from streaming.web.mine_page import MAX_CARDS
from tests.helpers.factories import make_link, make_movie
from tests.helpers.rendered_html import html_of

pytestmark = pytest.mark.django_db
TOO_MANY = ",".join(f"tt{number:07d}" for number in range(MAX_CARDS + 1))


def cards(response) -> list[str]:
    return re.findall(r'data-id="(tt[0-9]+)"', html_of(response))


def test_the_cards_come_in_the_wanted_order_and_what_is_gone_is_left_out(client):
    first, second, hidden = (make_movie(imdb_id=f"tt000000{number}") for number in (1, 2, 3))
    make_link(first)
    BlockedAddress.objects.create(kind=BlockedAddress.Kind.IMDB_ID, address=hidden.imdb_id, reason="taken down")
    response = client.get("/mine/cards/?ids=tt0000002,tt0000003,tt0000001,tt0000002,tt9999999")
    assert cards(response) == [second.imdb_id, first.imdb_id]
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert not ScrapeJob.objects.exists()


@pytest.mark.parametrize("number", [1, MAX_CARDS])
def test_cards_cost_two_queries(client, django_assert_num_queries, number):
    movies = [make_movie() for _ in range(number)]
    with django_assert_num_queries(2):
        found = client.get("/mine/cards/", {"ids": ",".join(movie.imdb_id for movie in movies)})
    assert cards(found) == [movie.imdb_id for movie in movies]


@pytest.mark.parametrize("ids", ["", "1", "tt0000001;tt0000002", "tt٠٠٠٠٠٠١", "tt0000001,", "\0", TOO_MANY])
def test_other_ids_and_too_many_are_refused_with_a_sentence(client, ids):
    response = client.get("/mine/cards/", {"ids": ids})
    assert (response.status_code, html_of(response)) == (400, "Name 1 to 24 IMDb ids, separated by commas.")


def test_hearts_say_which_title_they_keep(client):
    make_movie(imdb_id="tt0000001", title='"Quoted" <b>')
    page = html_of(client.get("/"))
    label = 'aria-label="Watchlist: &quot;Quoted&quot; &lt;b&gt;"'
    assert re.search(rf'data-id="tt0000001"\s+aria-pressed="false"\s+{label}', page)
    movie = html_of(client.get("/streaming/tt0000001/"))
    assert movie.count('data-id="tt0000001"') == 2


def test_the_page_asks_the_database_for_nothing_and_is_not_indexed(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        page = html_of(client.get("/mine/"))
    assert '<meta name="robots" content="noindex">' in page
    assert re.search(r"<noscript>.*JavaScript, which is off here.*</noscript>", page, re.DOTALL)
