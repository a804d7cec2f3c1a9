"""The form by which anybody asks for something to be taken down; staff decide in the admin."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from scraper.extraction.json_values import find_imdb_id
from scraper.net.url_policy import InvalidValue
from streaming.client_throttle import takedown_retry_after
from streaming.ingest.takedown import parse_target
from streaming.models import BlockedAddress, Movie, TakedownRequest
from streaming.models.takedown_request import MAX_STATEMENT_LENGTH
from streaming.web.rendering import render_page
from streaming.write_wait import REQUESTED_WRITE_SECONDS, limited_write_wait

MAX_OPEN_REQUESTS = 1000
"""Further ones are refused, so that a flood leaves the table small; the contact address remains."""
MOVIE_PATH = re.compile(r"/streaming/([^/]{1,18})/", re.ASCII)


class TakedownForm(forms.Form):
    """What is to be taken down, why, and who asks."""

    target = forms.CharField(
        label=gettext_lazy("Address of the page or of the link"),
        max_length=2000,
        help_text=gettext_lazy("The page of a film here, or the address of a link."),
    )
    claim = forms.ChoiceField(label=gettext_lazy("Reason"), choices=TakedownRequest.Claim.choices)
    statement = forms.CharField(
        label=gettext_lazy("What is wrong, and what right you have"),
        max_length=MAX_STATEMENT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    name = forms.CharField(
        label=gettext_lazy("Your name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label=gettext_lazy("Your e-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    is_true = forms.BooleanField(label=gettext_lazy("What I state is true to the best of my knowledge."))

    def clean_target(self) -> str:
        """The IMDb id of a film that is here, or the normalized URL of a link."""
        text = str(self.cleaned_data["target"])
        if imdb_id := _film_meant(text) or find_imdb_id(text):
            return imdb_id
        try:
            kind, target = parse_target(text)
        except InvalidValue as refusal:
            raise forms.ValidationError(str(refusal)) from None
        if kind == BlockedAddress.Kind.HOST:
            raise forms.ValidationError(gettext("Name a page or a link, with https://, and not a whole site."))
        return target


def _film_meant(url: str) -> str:
    """The IMDb id of the film whose page on this site this is; empty for any other address."""
    try:
        found = MOVIE_PATH.match(urlsplit(url.strip()).path)
    except ValueError:
        return ""
    movie = Movie.objects.shown().by_identifier(found[1]).first() if found else None
    return movie.imdb_id if movie else ""


@require_http_methods(["GET", "HEAD", "POST"])
def takedown(request: HttpRequest) -> HttpResponse:
    """The form; a request that was taken is answered with a redirect. 429 with Retry-After for too many."""
    if request.method != "POST":
        form = TakedownForm(initial={"target": request.GET.get("address", "")[:2000]})
        return _page(request, form, is_taken="taken" in request.GET)
    form = TakedownForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    if wait := takedown_retry_after(request):
        minutes = max(1, round(wait / 60))
        text = ngettext("Too many requests. Try again in %(number)s minute.",
                        "Too many requests. Try again in %(number)s minutes.", minutes)  # fmt: skip
        response = _page(request, form, refusal=text % {"number": minutes}, status=429)
        response.headers["Retry-After"] = str(wait)
        return response
    if TakedownRequest.objects.awaiting_review()[:MAX_OPEN_REQUESTS].count() == MAX_OPEN_REQUESTS:
        return _page(request, form, refusal=gettext("Too many requests wait. Please write to us."), status=503)
    stated = {name: form.cleaned_data[name] for name in ("target", "claim", "statement", "name", "email")}
    with limited_write_wait(REQUESTED_WRITE_SECONDS):
        TakedownRequest.objects.create(**stated)
    return HttpResponseRedirect(f"{reverse('takedown')}?taken", status=303)


def _page(
    request: HttpRequest, form: TakedownForm, *, is_taken: bool = False, refusal: str = "", status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "is_taken": is_taken,
        "refusal": refusal,
        "history_days": settings.HISTORY_DAYS,
    }
    return render_page(request, "takedown.html", context, status=status)
