"""The page of a visitor's own lists. They are in the browser; the server only renders the cards it asks for."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from streaming.models import Movie
from streaming.models.movie import attach_working_counts
from streaming.web.catalogue_page import fields_not_on_cards
from streaming.web.rendering import render_page

MAX_CARDS = 24
IMDB_ID = re.compile(r"tt[0-9]{7,9}", re.ASCII)


@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """The page that the browser fills with its lists."""
    return render_page(request, "mine.html", {"max_cards": MAX_CARDS})


@require_safe
def mine_cards(request: HttpRequest) -> HttpResponse:
    """The cards of the movies that `ids` names, in this order; movies that are not in the catalogue are left out.

    400 for more than `MAX_CARDS` ids, or none. Nothing but the ids is asked for, and nothing is kept.
    """
    ids = list(dict.fromkeys(request.GET.get("ids", "").split(",")[: MAX_CARDS + 1]))
    if len(ids) > MAX_CARDS or not all(IMDB_ID.fullmatch(one) for one in ids):
        sentence = gettext("Name 1 to %(number)s IMDb ids, separated by commas.") % {"number": MAX_CARDS}
        return HttpResponse(sentence, status=400, content_type="text/plain; charset=utf-8")
    shown = Movie.objects.shown().filter(imdb_id__in=ids).with_active_count().defer(*fields_not_on_cards())
    movies = sorted(shown, key=lambda movie: ids.index(movie.imdb_id))
    attach_working_counts(movies)
    return render_page(request, "_cards.html", {"movies": movies})
