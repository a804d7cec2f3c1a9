"""The example spider on saved pages of the example site."""

from __future__ import annotations

from pathlib import Path

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse, Response

from scraper.errors import UNEXPECTED, SourceFailed
from scraper.items import LinkItem
from scraper.spiders.example_spider import ExampleSpider

PAGES = Path(__file__).parent / "pages" / "example"
SITE = "http://films.example.org"
MARK = "https://creativecommons.org/publicdomain/mark/1.0/"


def answer(name, path, *, status=200):
    return HtmlResponse(SITE + path, body=(PAGES / name).read_bytes(), status=status, request=Request(SITE + path))


def read(name, imdb_id, **more):
    return list(ExampleSpider(imdb_id=imdb_id).parse(answer(name, f"/films/{imdb_id}/", **more)))


def test_a_films_page_gives_its_links():
    found = read("film.html", "tt0013442")
    about = {"title": "Nosferatu", "year": 1922, "licence": "public-domain", "licence_url": MARK, "evidence": MARK}
    place, said = f"{SITE}/media/tt0013442", {"imdb_id": "tt0013442", "source": "example", "language": "de", **about}
    file = {**said, "kind": "file"}
    assert sorted(found, key=lambda item: item.source_url) == [
        LinkItem(**file, source_url=f"{place}/1080p.de.mp4", label="Watch in 1080p, German", quality="1080p"),
        LinkItem(**file, source_url=f"{place}/480p.de.mp4", label="Watch in 480p, German", quality="480p"),
        LinkItem(**file, source_url=f"{place}/576p.de.mp4", label="Watch in 576p, German", quality="576p"),
        LinkItem(**said, source_url=f"{place}/all.m3u8", label="Stream, German", kind="stream"),
        LinkItem(**said, source_url=f"{SITE}/watch/tt0013442/de/", label="Watch, German"),
        LinkItem(**{**said, "language": "en"}, source_url=f"{SITE}/watch/tt0013442/en/", label="Watch, English"),
    ]


def test_a_watch_page_of_the_films_own_publisher_is_official():
    (link,) = read("official.html", "tt0052451")
    assert (link.licence, link.kind, link.type, link.title) == ("official", "page", "show", "Bonanza")


def test_the_page_names_the_film_if_only_a_url_is_given():
    found = list(ExampleSpider(target_url=f"{SITE}/x").parse(answer("film.html", "/x")))
    assert {item.imdb_id for item in found} == {"tt0013442"}


@pytest.mark.parametrize("status", [404, 410])
def test_a_page_that_is_not_there_is_an_empty_answer(status):
    assert read("missing.html", "tt0565808", status=status) == []


def test_a_missing_page_with_status_200_is_a_failure():
    with pytest.raises(SourceFailed, match=UNEXPECTED):
        read("missing.html", "tt0565808")


def test_the_page_of_another_film_is_refused():
    with pytest.raises(SourceFailed, match="another film, tt0013442"):
        read("film.html", "tt0017925")


def test_a_page_without_an_imdb_id_counts_for_the_requested_film_only():
    page = HtmlResponse(f"{SITE}/x", body=b'<a href="/watch/1">Watch</a>')
    assert [item.imdb_id for item in ExampleSpider(imdb_id="tt0013442").parse(page)] == ["tt0013442"]
    with pytest.raises(SourceFailed, match="which film"):
        list(ExampleSpider(target_url=f"{SITE}/x").parse(page))


def test_bytes_are_a_failure():
    with pytest.raises(SourceFailed, match=UNEXPECTED):
        list(ExampleSpider(imdb_id="tt0013442").parse(Response(f"{SITE}/x", body=b"\x00\x01")))


def test_the_front_page_leads_to_every_film():
    pages = [request.url for request in ExampleSpider().parse_front(answer("front.html", "/"))]
    assert len(pages) == len(set(pages)) == 49
    assert f"{SITE}/films/tt0013442/" in pages


@pytest.mark.parametrize(("name", "status"), [("missing.html", 200), ("front.html", 404)])
def test_a_front_page_without_films_is_not_what_this_site_sends(name, status):
    with pytest.raises(SourceFailed, match=UNEXPECTED):
        list(ExampleSpider().parse_front(answer(name, "/", status=status)))


def test_a_player_that_the_structured_data_names_has_its_name():
    data = '{"@type": "VideoObject", "name": "Watch, French", "inLanguage": "fr", "embedUrl": "/embed/tt0000417/"}'
    page = HtmlResponse(f"{SITE}/x", body=f'<script type="application/ld+json">{data}</script>'.encode())
    (link,) = ExampleSpider(imdb_id="tt0000417").parse(page)
    assert (link.source_url, link.kind, link.label) == (f"{SITE}/embed/tt0000417/", "embed", "Watch, French")
