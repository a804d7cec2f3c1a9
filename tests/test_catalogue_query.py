"""Each filter of the catalogue means the same on the page and in the API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from streaming.catalogue_query import ORDERINGS, READING_ORDERS, CatalogueQuery
from streaming.models import Movie
from tests.helpers.factories import make_link, make_movie

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def catalogue() -> None:
    """Titles whose letters tell what they have: s a show, d without a working link, b both qualities."""
    first = make_movie(title="Alpha b", year=1920)
    make_link(first, quality="720p", language="en", licence="cc-by", source="commons")
    make_link(first, quality="480p", language="de", licence="cc0", source="internet_archive")
    second = make_movie(title="Beta s", year=1929, type="show")
    make_link(second, quality="720p", language="de", licence="cc0", source="commons")
    third = make_movie(title="Gamma d", year=1930)
    make_link(third, quality="720p", language="en", is_active=False, reason="http_404")
    make_movie(title="Delta d", year=None)
    Movie.objects.filter(title="Alpha b").update(updated_at=NOW, created_at=NOW)
    Movie.objects.exclude(title="Alpha b").update(
        updated_at=NOW - timedelta(days=1), created_at=NOW - timedelta(days=1)
    )


def found(**filters) -> list[str]:
    movies = CatalogueQuery(**filters).apply(Movie.objects.with_active_count())
    return [movie.title for movie in movies]


@pytest.mark.parametrize(
    ("filters", "titles"),
    [
        ({}, ["Alpha b", "Beta s", "Delta d", "Gamma d"]),
        ({"search": "b alp"}, ["Alpha b"]),
        ({"search": "eta"}, ["Beta s"]),
        ({"type": "show"}, ["Beta s"]),
        ({"year": 1929}, ["Beta s"]),
        ({"year_min": 1929}, ["Beta s", "Gamma d"]),
        ({"year_max": 1929}, ["Alpha b", "Beta s"]),
        ({"year": 1920, "year_min": 1921}, []),
        ({"updated_since": NOW}, ["Alpha b"]),
        ({"has_links": True}, ["Alpha b", "Beta s"]),
        ({"has_links": False}, ["Delta d", "Gamma d"]),
        ({"quality": "720p"}, ["Alpha b", "Beta s"]),
        ({"quality": "720p", "language": "de"}, ["Beta s"]),
        ({"quality": "480p", "language": "de", "source": "internet_archive", "licence": "cc0"}, ["Alpha b"]),
        ({"quality": "720p", "has_links": True}, ["Alpha b", "Beta s"]),
        ({"quality": "720p", "has_links": False}, []),
        ({"order": "newest"}, ["Gamma d", "Beta s", "Alpha b", "Delta d"]),
        ({"order": "oldest"}, ["Alpha b", "Beta s", "Gamma d", "Delta d"]),
        ({"order": "added"}, ["Alpha b", "Beta s", "Delta d", "Gamma d"]),
        ({"order": "links"}, ["Alpha b", "Beta s", "Delta d", "Gamma d"]),
        ({"order": "-title"}, ["Gamma d", "Delta d", "Beta s", "Alpha b"]),
        ({"order": "year"}, ["Delta d", "Alpha b", "Beta s", "Gamma d"]),
        ({"order": "-year"}, ["Gamma d", "Beta s", "Alpha b", "Delta d"]),
        ({"order": "-created_at", "has_links": True}, ["Alpha b", "Beta s"]),
    ],
)
def test_filters_and_orders(catalogue, filters, titles):
    assert found(**filters) == titles


@pytest.mark.parametrize("order", [*ORDERINGS, *READING_ORDERS])
def test_every_order_is_total_so_that_pages_do_not_overlap(order):
    twins = [make_movie(title="Alpha", year=1920, created_at=NOW).pk for _ in range(5)]
    listed = list(CatalogueQuery(order=order).apply(Movie.objects.with_active_count()).values_list("pk", flat=True))
    assert listed == (twins[::-1] if order.startswith("-") else twins)


@pytest.mark.parametrize(
    ("page", "api"),
    [
        ("sort=title", ""),
        ("q=b a", "search=b a"),
        ("sort=title&type=show", "type=show"),
        ("sort=title&decade=1920", "year_min=1920&year_max=1929"),
        ("sort=title&working=1", "has_links=true"),
        ("sort=title&working=1&quality=720p", "has_links=true&quality=720p"),
        ("sort=title&source=commons", "source=commons"),
        ("sort=title&quality=480p", "quality=480p"),
        ("sort=title&language=de", "language=de"),
        ("sort=title&licence=cc0", "licence=cc0"),
        ("sort=title&quality=720p&language=de&source=commons", "quality=720p&language=de&source=commons"),
    ],
)
def test_the_page_and_the_api_find_the_same_movies(client, catalogue, page, api):
    shown = [movie.title for movie in client.get(f"/?{page}").context["page"]]
    assert shown == [movie["title"] for movie in client.get(f"/api/streaming/movies/?{api}").json()["results"]]
