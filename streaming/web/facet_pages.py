"""Pages of the movies that have a person, a genre or a country in common."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from scraper.extraction.countries import COUNTRIES
from scraper.extraction.genres import GENRES
from streaming.ingest.facts import is_person_key, person_key
from streaming.localization import country_name, genre_name
from streaming.models import Movie, MovieFacet
from streaming.models.movie import attach_working_counts
from streaming.web.catalogue_page import read_page
from streaming.web.error_pages import not_found
from streaming.web.filter_bar import FilterSelection, person_name
from streaming.web.rendering import render_page

WIKIDATA_PAGE = "https://www.wikidata.org/wiki/"


@require_safe
def person(request: HttpRequest, key: str) -> HttpResponse:
    """The movies of a person, as director or in the cast; 404 if no movie of the catalogue knows the person."""
    if not is_person_key(key) or not MovieFacet.objects.filter(kind=MovieFacet.Kind.PERSON, value=key).exists():
        return not_found(request, None)
    name = person_name(key)
    more, same_name = (f"{WIKIDATA_PAGE}{key}", _page_of_name(name)) if key[:1] == "Q" else ("", "")
    selection = FilterSelection(person=key, sort="newest")
    return _page(
        request,
        selection,
        kind=gettext("Person"),
        name=name,
        url=reverse("person", args=[key]),
        more=more,
        same_name=same_name,
    )


def _page_of_name(name: str) -> str:
    """The page of the movies that state this name without an id; empty if there are none.

    They may be the same person's or those of a namesake, so they are not one list.
    """
    key = person_key(name)
    stated = Movie.objects.shown().filter(facets__kind=MovieFacet.Kind.PERSON, facets__value=key)
    return reverse("person", args=[key]) if key and stated.exists() else ""


@require_safe
def genre(request: HttpRequest, slug: str) -> HttpResponse:
    """The movies of a genre."""
    if slug not in GENRES:
        return not_found(request, None)
    selection = FilterSelection(genre=slug, sort="known")
    return _page(request, selection, kind=gettext("Genre"), name=genre_name(slug), url=reverse("genre", args=[slug]))


@require_safe
def country(request: HttpRequest, code: str) -> HttpResponse:
    """The movies of a country, by its ISO 3166 code."""
    if code not in COUNTRIES:
        return not_found(request, None)
    selection = FilterSelection(country=code, sort="known")
    return _page(
        request, selection, kind=gettext("Country"), name=country_name(code), url=reverse("country", args=[code])
    )


def _page(
    request: HttpRequest,
    selection: FilterSelection,
    *,
    kind: str,
    name: str,
    url: str,
    more: str = "",
    same_name: str = "",
) -> HttpResponse:
    """The first movies of a selection; further ones, and all other filters, are on the catalogue page."""
    page = read_page(selection, page="", after="")
    attach_working_counts(page.movies)
    context = {
        "kind": kind,
        "name": name,
        "page": page,
        "catalogue_url": f"{reverse('home')}{selection.url()}",
        "canonical": request.build_absolute_uri(url),
        "more": more,
        "same_name": same_name,
        "list_links": selection.list_links(),
    }
    return render_page(request, "facet.html", context)
