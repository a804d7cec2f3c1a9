"""The pages "Watch on TV": addresses to copy, QR codes, and what they say where one cannot work."""

from __future__ import annotations

import re

import pytest

from streaming.models import BlockedAddress
from streaming.web.tv_page import is_local_host, qr_code
from tests.helpers.factories import make_link, make_movie
from tests.helpers.rendered_html import html_of

pytestmark = pytest.mark.django_db
FILE = {"kind": "file", "source": "internet_archive", "quality": "720p"}


def addresses(page: str) -> list[str]:
    return re.findall(r'<input id="address-\w+"\s+value="([^"]+)"', page)


def test_the_addresses_are_those_of_the_host_that_was_asked(client, settings, django_assert_num_queries):
    settings.ALLOWED_HOSTS = ["films.example.org"]
    with django_assert_num_queries(0):
        page = html_of(client.get("/tv/", headers={"Host": "films.example.org"}, secure=True))
    assert addresses(page) == [
        "stremio://films.example.org/stremio/manifest.json",
        "https://films.example.org/stremio/manifest.json",
        "https://films.example.org/export/movies.m3u8",
    ]
    assert page.count("<svg viewBox") == 2
    assert "without." not in page
    assert "only this computer can reach" not in page
    assert "over https only" in html_of(client.get("/tv/", headers={"Host": "films.example.org"}))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1:8000", True),
        ("[::1]:8000", True),
        ("a.localhost:80", True),
        ("192.168.1.5:8000", False),
        ("[2001:db8::1]", False),
        ("films.example.org", False),
    ],
)
def test_an_address_that_only_this_computer_reaches_is_named(host, expected):
    assert is_local_host(host) is expected


def test_a_movie_has_its_best_file_and_a_page(client):
    movie = make_movie(title="Nosferatu <b>", year=1922)
    make_link(movie, kind="page")
    make_link(movie, source_url="https://films.example.org/a.mp4", **FILE)
    make_link(movie, source_url="https://films.example.org/dead.mp4", is_active=False, **FILE)
    page = html_of(client.get(f"/streaming/{movie.imdb_id}/tv/"))
    assert addresses(page)[:2] == ["https://films.example.org/a.mp4", f"http://testserver/streaming/{movie.imdb_id}/"]
    assert f'href="stremio:///detail/movie/{movie.imdb_id}/{movie.imdb_id}"' in page
    assert "Nosferatu &lt;b&gt; (1922) on TV" in page
    assert f'href="/streaming/{movie.imdb_id}/tv/"' in html_of(client.get(movie.get_absolute_url()))


def test_a_movie_without_a_file_says_so_and_a_show_opens_its_episodes(client):
    show = make_movie(type="show")
    page = html_of(client.get(f"/streaming/{show.imdb_id}/tv/"))
    assert "No copy of this title is a file" in " ".join(page.split())
    assert f'href="stremio:///detail/series/{show.imdb_id}"' in page


def test_an_address_of_2000_characters_is_copied_without_a_code(client):
    movie = make_movie()
    url = f"https://films.example.org/{'x' * 1970}.mp4"
    make_link(movie, source_url=url, **FILE)
    page = html_of(client.get(f"/streaming/{movie.imdb_id}/tv/"))
    assert addresses(page)[0] == url
    assert "too long for a QR code" in page
    assert page.count("<svg viewBox") == 3
    assert qr_code("x" * 500)
    assert not qr_code("x" * 5000)


def test_a_movie_that_is_not_shown_has_no_page(client):
    movie = make_movie()
    BlockedAddress.objects.create(kind=BlockedAddress.Kind.IMDB_ID, address=movie.imdb_id, reason="taken down")
    assert client.get(f"/streaming/{movie.imdb_id}/tv/").status_code == 404
    assert client.get("/streaming/tt0000000/tv/").status_code == 404
