"""The contract between spiders and catalogue: the catalogue accepts every value that a spider can yield."""

from __future__ import annotations

from dataclasses import asdict, fields
from importlib import import_module
from pkgutil import iter_modules

import pytest
import scrapy
from django.conf import settings

from scraper import settings as crawl_settings
from scraper import sources, spiders
from scraper.extraction.licences import SLUG_BY_PATH
from scraper.items import LINK_FIELDS, LINK_KINDS, MOVIE_TYPES, Caption, FilmItem, LinkItem, Person
from streaming.ingest.records import LinkRecord, MovieRecord, parse_link, parse_movie
from streaming.models import Movie, StreamingLink
from streaming.scraping.crawling.crawler_setup import SHARED_SETTINGS

FULL = LinkItem(
    imdb_id="tt0013442",
    source="example",
    source_url="https://films.example.org/n.mp4",
    kind="file",
    label="Restored",
    quality="720p",
    language="pt-BR",
    licence="cc-by",
    licence_url="https://creativecommons.org/licenses/by/3.0/",
    evidence="CC BY 3.0",
    doubt="Marked as sensitive",
    season=1,
    episode=2,
    title="Nosferatu",
    year=1922,
    type="show",
    poster_url="https://films.example.org/n.jpg",
    synopsis="A shadow on the stairs.",
    duration_seconds=5640,
    size_bytes=734_003_200,
    width=960,
    height=720,
    captions=(Caption(url="https://films.example.org/n.vtt", language="de", format="srt"),),
    runtime_minutes=94,
    original_title="Nosferatu, eine Symphonie des Grauens",
    original_languages=("de",),
    countries=("DE",),
    genres=("horror", "fantasy"),
    directors=(Person("F. W. Murnau", "Q55394"),),
    cast=(Person("Max Schreck"), Person("Greta Schröder", "Q65137")),
    other_titles=(("fr", "Nosferatu le vampire"), ("en", "Nosferatu, a Symphony of Horror")),
    synopses=(("en", "A shadow on the stairs."), ("de", "Ein Schatten auf der Treppe.")),
    fame=74,
)
MODULES = sorted(module.name for module in iter_modules(spiders.__path__))


def test_the_example_of_a_full_item_is_full():
    minimum = asdict(LinkItem(imdb_id="", source="", source_url=""))
    assert all(value != minimum[name] for name, value in asdict(FULL).items())


@pytest.mark.parametrize("name", [field.name for field in fields(LinkItem)])
def test_the_catalogue_keeps_every_field_of_an_item(name):
    records = (parse_link(asdict(FULL)), parse_movie(asdict(FULL)))
    kept = [getattr(record, name) for record in records if hasattr(record, name)]
    assert kept, f"no record has {name}"
    assert set(kept) == {getattr(FULL, name)}
    models = [Movie] if hasattr(MovieRecord, name) and name != "imdb_id" else [StreamingLink]
    columns = {field.name for model in models for field in model._meta.fields}
    # A doubt is acted on (the link waits for review), not kept.
    assert name in columns | {"imdb_id", "doubt"}


def test_records_hold_nothing_that_no_item_and_no_import_can_say():
    by_import = {"is_active", "last_checked", "host", "refused"}
    said = {field.name for field in fields(LinkItem)}
    assert set(LinkRecord._fields) - by_import <= said
    assert {field.name for field in fields(MovieRecord)} - by_import <= said


def test_an_item_of_a_film_has_the_fields_of_a_movie():
    assert {field.name for field in fields(FilmItem)} == {field.name for field in fields(MovieRecord)} - {"refused"}


def spiders_in(module):
    found = vars(import_module(f"scraper.spiders.{module}")).values()
    return [
        one
        for one in found
        if isinstance(one, type) and issubclass(one, scrapy.Spider) and one.__module__ == f"scraper.spiders.{module}"
    ]


@pytest.mark.parametrize("module", MODULES)
def test_a_spiders_file_name_and_class_agree(module):
    (spider,) = spiders_in(module)
    assert spider.name == module.removesuffix("_spider")
    assert spider.__name__ == "".join(word.capitalize() for word in spider.name.split("_")) + "Spider"


def test_every_source_that_says_so_has_a_spider_and_no_spider_is_unknown():
    with_spider = {slug for slug, source in sources.KNOWN_SOURCES.items() if source.has_spider}
    assert with_spider == {spiders_in(module)[0].name for module in MODULES}


def test_spiders_and_checker_give_the_same_name():
    assert settings.SITE_NAME.lower() == crawl_settings.BOT_NAME
    assert settings.USER_AGENT == crawl_settings.USER_AGENT
    assert "tests@example.org" in settings.USER_AGENT


def test_crawls_by_hand_and_crawls_of_jobs_know_the_same_settings():
    assert [name for name in SHARED_SETTINGS if not hasattr(crawl_settings, name)] == []
    assert "EXAMPLE_SITE_URL" in SHARED_SETTINGS


def test_the_link_fields_describe_a_link_on_both_sides():
    """All but its identity, what is not kept (`doubt`) and what only imports state."""
    identity = {"imdb_id", "source", "source_url"}
    described = {field.name for field in fields(LinkItem)} & set(LinkRecord._fields)
    assert set(LINK_FIELDS) == described - identity - {"doubt"}
    assert set(LINK_FIELDS) <= {field.name for field in StreamingLink._meta.fields}


def test_what_is_read_from_pages_the_catalogue_has_a_name_for():
    assert set(LINK_KINDS) == set(StreamingLink.Kind.values)
    assert set(MOVIE_TYPES) == set(Movie.Type.values)
    assert {slug for _, slug in SLUG_BY_PATH} <= set(sources.LICENCES)
