"""Covers and social cards as PNG, icons, web manifest, OpenSearch description and who may read what."""

from __future__ import annotations

import hashlib
import io
import json
import re
import xml.etree.ElementTree as ElementTree

import pytest
from django.contrib.staticfiles import finders
from django.core.cache import caches
from PIL import Image
from protego import Protego

from streaming.drawing import covers
from streaming.exchange import loader, m3u
from streaming.ingest.takedown import block
from streaming.models import Movie
from streaming.web.assets import picture_subject
from streaming.web.picture_cache import drawing_slots
from tests.helpers.factories import make_link, make_movie

SIZES = {"posters": (300, 450), "cards": (1200, 630)}
TITLES = {
    "long": "A title that goes on and on " * 12,
    "one long word": "W" * 300,
    "right to left": "שלום עולם",
    "Arabic with an override": "\u202eفيلم\u202c",
    "Chinese": "東京物語",
    "emoji": "🎬🎥",
    "nothing that is seen": "\u200b\u2060",
    "markup": "</svg><script>alert(1)</script>",
    "Cyrillic": "Броненосец «Потёмкин»",
    "combining marks": "e\u0301" * 40,
    "surrogate": "\ud800",
}


def pixels(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


def subject(title: str, *, imdb_id: str = "tt0013442", year: int | None = 1922) -> covers.Subject:
    return covers.Subject(imdb_id=imdb_id, titles=(title,), year=year, is_show=False, site_name="Openreel")


@pytest.mark.django_db
@pytest.mark.parametrize("folder", SIZES)
class TestPictures:
    def test_a_picture_has_its_size_and_is_cached_by_version(self, client, folder):
        movie = make_movie(title="Nosferatu", year=1922)
        address = f"/{folder}/{movie.imdb_id}.png"
        drawn = client.get(address)
        assert (drawn.status_code, drawn["Content-Type"]) == (200, "image/png")
        picture = Image.open(io.BytesIO(drawn.content))
        assert (picture.format, picture.size) == ("PNG", SIZES[folder])
        assert len(drawn.content) < 60_000
        assert drawn["Cache-Control"] == "public, max-age=300"
        again = client.get(address, headers={"If-None-Match": drawn["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        named = client.get(f"{address}?v={drawn['ETag'].strip(chr(34))}")
        assert "immutable" in named["Cache-Control"]
        assert named.content == drawn.content
        Movie.objects.filter(pk=movie.pk).update(title="Renamed")
        renamed = client.get(address, headers={"If-None-Match": drawn["ETag"]})
        assert renamed.status_code == 200
        assert renamed.content != drawn.content

    @pytest.mark.parametrize("title", [title for name, title in TITLES.items() if name != "surrogate"])
    def test_any_title_without_a_year_is_drawn(self, client, folder, title):
        movie = make_movie(title=title[:300], year=None)
        drawn = client.get(f"/{folder}/{movie.imdb_id}.png")
        assert pixels(drawn.content).size == SIZES[folder]

    def test_only_shown_movies_have_pictures(self, client, folder):
        movie = make_movie(title="Taken down")
        address = f"/{folder}/{movie.imdb_id}.png"
        etag = client.get(address)["ETag"]
        block(movie.imdb_id, reason="a complaint")
        for headers in ({}, {"If-None-Match": etag}):
            assert client.get(address, headers=headers).status_code == 404
        for name in (movie.pk, "tt0000000", "x", "../etc", "tt" + "9" * 500):
            assert client.get(f"/{folder}/{name}.png").status_code == 404
        assert client.post(address).status_code == 405

    def test_a_flood_of_new_pictures_is_refused_at_once_but_known_ones_are_sent(self, client, folder):
        known, new = (f"/{folder}/{make_movie(title=title).imdb_id}.png" for title in ("Known", "New"))
        drawn = client.get(known).content
        taken = 0
        while drawing_slots.acquire(blocking=False):
            taken += 1
        try:
            busy = client.get(new)
            assert (busy.status_code, busy["Retry-After"], busy["Cache-Control"]) == (503, "2", "no-store")
            assert client.get(known).content == drawn
        finally:
            for _ in range(taken):
                drawing_slots.release()
        assert client.get(new).status_code == 200


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Nosferatu – Eine Symphonie", "Nosferatu – Eine Symphonie"),
        ("Броненосец «Потёмкин»", "Броненосец «Потёмкин»"),
        ("Ελληνική ταινία", "Ελληνική ταινία"),
        ("Phở Việt Nam", "Phở Việt Nam"),
        ("Cafe\u0301", "Café"),
        ("東京物語 (Tokyo Story)", "Tokyo Story"),
        ("Tokyo Story (東京物語)", "Tokyo Story"),
        ("🎬 Film 🎥", "Film"),
        ("❤\ufe0f Film", "Film"),
        ("Film [The Other] (電影)", "Film"),
        ("東京物語", ""),
        ("שלום (עולם)!", ""),
        ("שלום Hello עולם 1922!", ""),
        ("Hello 東京 (שלום)", ""),
        ("電影 2", ""),
        ("🎬🎥", ""),
        ("...", ""),
        ("", ""),
        ("\ud800", ""),
    ],
)
def test_a_title_is_written_only_if_the_font_has_all_its_letters(title, shown):
    assert subject(title).shown_title == shown


@pytest.mark.django_db
@pytest.mark.parametrize("kind", covers.PICTURES)
@pytest.mark.parametrize(
    ("titles", "written"),
    [
        ({"title": "שלום Hello", "original_title": "Shalom"}, "Shalom"),
        (
            {"title": "שלום Hello", "original_title": "שלום", "other_titles": [["he", "שלום"], ["en-GB", "Peace"]]},
            "Peace",
        ),
        ({"title": "שלום Hello", "other_titles": [["de", "Friede"]]}, ""),
        ({"title": "שלום Hello"}, ""),
    ],
)
def test_in_place_of_a_title_in_other_letters_the_original_or_english_one_is_drawn(
    client, settings, kind, titles, written
):
    movie = make_movie(year=1922, **titles)
    drawn = client.get(f"/{'cards' if kind == 'card' else 'posters'}/{movie.imdb_id}.png")
    expected = covers.Subject(
        imdb_id=movie.imdb_id, titles=(written,), year=1922, is_show=False, site_name=settings.SITE_NAME
    )
    assert drawn.content == covers.draw_picture(kind, expected)


@pytest.mark.parametrize(("sizes", "box", "least"), [
    (covers.COVER_SIZES, covers.COVER_BOX, 4), (covers.CARD_SIZES, covers.CARD_BOX, 8),
])  # fmt: skip
def test_a_word_that_is_wider_than_the_picture_is_broken_and_fills_its_box(sizes, box, least):
    _, rows = covers.fit_title("W" * 200, sizes, box)
    assert len(rows) >= least
    assert set("".join(rows)) == {"W", "…"}
    size, rows = covers.fit_title("W" * 30, sizes, box)
    assert ("".join(rows), size > sizes[-1]) == ("W" * 30, True)


@pytest.mark.parametrize(("sizes", "box"), [
    (covers.COVER_SIZES, covers.COVER_BOX), (covers.CARD_SIZES, covers.CARD_BOX)
])  # fmt: skip
def test_a_word_is_not_broken_where_smaller_letters_fit(sizes, box):
    _, rows = covers.fit_title("Der Donaudampfschiffer", sizes, box)
    assert rows in (["Der", "Donaudampfschiffer"], ["Der Donaudampfschiffer"])


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES)
def test_a_title_stays_within_its_box(title):
    for sizes, box in ((covers.COVER_SIZES, covers.COVER_BOX), (covers.CARD_SIZES, covers.CARD_BOX)):
        size, rows = covers.fit_title(subject(title).shown_title, sizes, box)
        assert len(rows) * size * covers.LEADING <= box.bottom - box.top
        assert all(covers.row_width(row, size) <= box.width for row in rows)


@pytest.mark.parametrize("kind", covers.PICTURES)
def test_pictures_are_reproducible_and_show_their_title(kind):
    drawn = [covers.draw_picture(kind, subject("Nosferatu", imdb_id=f"tt{number:07d}")) for number in range(30)]
    assert len({hashlib.sha256(one).digest() for one in drawn}) > 25
    for number in (0, 7, 21):
        again = covers.draw_picture(kind, subject("Nosferatu", imdb_id=f"tt{number:07d}"))
        other = covers.draw_picture(kind, subject("Metropolis", imdb_id=f"tt{number:07d}"))
        assert drawn[number] == again != other


@pytest.mark.parametrize("imdb_id", [f"tt{number:07d}" for number in range(0, 60, 4)])
def test_the_artwork_is_that_of_the_drawn_poster(imdb_id):
    # The paper and at least one more colour of the palette cover the picture.
    artwork = covers.make_artwork(imdb_id)
    colours = pixels(covers.draw_picture("cover", subject("X", imdb_id=imdb_id))).getcolors(300 * 450)
    frequent = [colour for count, colour in colours if count > 1500]
    near = {
        one
        for one in artwork.palette
        for colour in frequent
        if max(abs(int(one[1 + 2 * i : 3 + 2 * i], 16) - colour[i]) for i in range(3)) < 12
    }
    assert len(near) >= 2


@pytest.mark.django_db
class TestWherePicturesAreNamed:
    def test_a_movie_page_names_its_card_for_social_networks(self, client):
        movie = make_movie(title="Nosferatu", year=1922, poster_url="https://p.example.org/n.jpg")
        page = client.get(movie.get_absolute_url()).content.decode()
        (address,) = re.findall(r'property="og:image" content="([^"]+)"', page)
        assert f'name="twitter:image" content="{address}"' in page
        assert 'name="twitter:card" content="summary_large_image"' in page
        assert address.startswith(f"http://testserver/cards/{movie.imdb_id}.png?v=")
        card = client.get(address.removeprefix("http://testserver"))
        assert pixels(card.content).size == (1200, 630)
        assert "immutable" in card["Cache-Control"]

    @pytest.mark.parametrize("poster", ["", "https://p.example.org/n.jpg"])
    def test_structured_data_names_the_poster_or_the_cover(self, client, poster):
        movie = make_movie(title="Nosferatu", poster_url=poster)
        page = client.get(movie.get_absolute_url()).content.decode()
        data = json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)[0])
        assert data["image"] == (poster or f"http://testserver/posters/{movie.imdb_id}.png")

    def test_stremio_gets_the_cover(self, client):
        movie = make_movie(title="Nosferatu")
        make_link(movie)
        meta = client.get(f"/stremio/meta/movie/{movie.imdb_id}.json").json()["meta"]
        assert meta["poster"] == f"http://testserver/posters/{movie.imdb_id}.png"

    def test_a_playlist_names_covers_once_the_address_of_the_site_is_known(self, settings, client):
        movie = make_movie(title="Nosferatu")
        make_link(movie, kind="file")
        assert "tvg-logo" not in "".join(m3u.write_m3u(loader.load_entries()))
        settings.SITE_URL = "https://films.example.org"
        playlist = b"".join(client.get("/export/movies.m3u8").streaming_content).decode()
        assert f'tvg-logo="https://films.example.org/posters/{movie.imdb_id}.png"' in playlist


@pytest.mark.django_db
class TestSite:
    def test_the_manifest_has_what_installing_needs(self, client):
        response = client.get("/site.webmanifest")
        manifest = response.json()
        assert response["Content-Type"] == "application/manifest+json"
        assert (manifest["start_url"], manifest["display"]) == ("/", "minimal-ui")
        assert {"name", "short_name", "id"} <= set(manifest)
        assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}
        for icon in manifest["icons"]:
            with Image.open(finders.find(icon["src"].removeprefix("/static/"))) as picture:
                assert (f"{picture.width}x{picture.height}", picture.format) == (icon["sizes"], "PNG")
        assert '<link rel="manifest" href="/site.webmanifest">' in client.get("/").content.decode()

    @pytest.mark.parametrize(
        ("address", "form", "size"),
        [("/favicon.ico", "ICO", (48, 48)), ("/apple-touch-icon.png", "PNG", (180, 180))],
    )
    def test_icons_are_where_browsers_look_for_them(self, client, address, form, size):
        response = client.get(address)
        picture = Image.open(io.BytesIO(b"".join(response.streaming_content)))
        assert (response.status_code, picture.format, picture.size) == (200, form, size)

    def test_browsers_can_search_from_the_address_bar(self, client, settings):
        settings.SITE_NAME = "Films & <Shows> of everybody"
        make_link(make_movie(title="Nosferatu"))
        response = client.get("/opensearch.xml")
        assert response["Content-Type"].startswith("application/opensearchdescription+xml")
        root = ElementTree.fromstring(response.content)
        parts = {element.tag.split("}")[1]: element for element in root}
        assert parts["ShortName"].text == "Films & <Shows> "
        address = parts["Url"].get("template").replace("{searchTerms}", "nosferatu")
        assert "Nosferatu" in client.get(address.removeprefix("http://testserver")).content.decode()
        assert 'href="/opensearch.xml"' in client.get("/").content.decode()

    @pytest.mark.parametrize(
        ("path", "may_read"),
        [
            ("/", True),
            ("/?page=2", True),
            ("/?type=show", True),
            ("/?genre=horror", True),
            ("/?page=2&type=show", False),
            ("/?type=show&q=x", False),
            ("/?q=nosferatu", False),
            ("/?sort=-year", False),
            ("/streaming/tt0013442/", True),
            ("/streaming/tt0013442/?job=4", False),
            ("/posters/tt0013442.svg?v=0123456789", True),
            ("/posters/tt0013442.png", True),
            ("/cards/tt0013442.png?v=0123456789ab", True),
            ("/jobs/1/", False),
            ("/api/streaming/movies/", False),
        ],
    )
    def test_robots_may_read_pictures_and_simple_lists(self, client, path, may_read):
        rules = Protego.parse(client.get("/robots.txt").content.decode())
        assert rules.can_fetch(f"http://testserver{path}", "Googlebot") is may_read


@pytest.mark.django_db
@pytest.mark.parametrize("foreign", ["x", "aGVsbG8=", "é", 7, [], {}])
def test_foreign_entries_of_the_cache_are_drawn_anew(client, foreign):
    movie = make_movie(imdb_id="tt0013442", title="Nosferatu")
    caches["pictures"].set(covers.picture_version("cover", picture_subject(movie)), foreign)
    response = client.get("/posters/tt0013442.png")
    assert (response.status_code, pixels(response.content).size) == (200, SIZES["posters"])
