"""Ask for a title that is not in the catalogue: the form, the choice between several titles, and the page of one."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode, urlsplit

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, gettext_noop, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from scraper.extraction.wikidata_titles import TitleKind, TitleMatch
from scraper.items import MAX_YEAR, MIN_YEAR, normalize_imdb_id
from streaming.client_throttle import client_key, title_retry_after
from streaming.exchange.film_lists import ID, TITLE_WITH_YEAR
from streaming.formatting import display_text
from streaming.localization import exact_time_text
from streaming.models import Movie, ScrapeJob, TitleRequest
from streaming.scraping.jobs import ClientQueueFull, QueueFull, renotify_if_stalled
from streaming.search_words import fold_for_search
from streaming.title_lookup import LookupUnavailable, describe_title_if_possible, find_titles
from streaming.title_requests import TitleRefused, TooManyTitles, ask_for_title, newest_search, require_searchable
from streaming.web.error_pages import not_found
from streaming.web.job_view import SPINNER, Icon, job_title, step_views
from streaming.web.rendering import HtmxHttpRequest, render_page

MAX_WANTED_LENGTH = 200
RETRY_AFTER_SECONDS = 60
REFRESH_SECONDS = 3
"""For browsers without scripts, which load the whole page again."""
WEB_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{0,20}://|www\.|(?:m\.)?imdb\.com/", re.IGNORECASE)
IMDB_PATH = re.compile(r"/(?:[a-z]{2}(?:-[a-z]{2})?/)?(title|name)/((?:tt|nm)[0-9]{5,20})(?:/|$)", re.IGNORECASE)
IMDB_HOSTS = ("imdb.com", "www.imdb.com", "m.imdb.com")
ANSWERS: dict[str, str] = {
    "": gettext_noop("It has not been searched yet."),
    TitleRequest.Outcome.FOUND: gettext_noop("Links were found, and are no longer there."),
    TitleRequest.Outcome.REVIEW: gettext_noop("Links were found. A person reviews them before they are shown."),
    TitleRequest.Outcome.NOTHING: gettext_noop("No source has it."),
    TitleRequest.Outcome.FAILED: gettext_noop("The sources did not respond."),
}
ICONS: dict[str, Icon] = {
    TitleRequest.Outcome.REVIEW: Icon("check", "icon-good"),
    TitleRequest.Outcome.FAILED: Icon("alert", "icon-bad"),
}
REPEATED = (TitleRequest.Outcome.NOTHING, TitleRequest.Outcome.FAILED)
PERSON = gettext_lazy("This is a person. Give the IMDb id of a film or a show, such as tt0013442.")
NO_TITLE = gettext_lazy("This is an id of IMDb, but of no film or show. Give one such as tt0013442.")
BAD_ID = gettext_lazy("This is not an IMDb id: those are tt and 7 to 9 digits, such as tt0013442.")
OTHER_SITE = gettext_lazy("This is not the address of a title at IMDb, such as https://www.imdb.com/title/tt0013442/.")
UNPRINTABLE = gettext_lazy("The title has characters that cannot be printed.")
WRONG_KINDS = {
    TitleKind.EPISODE: gettext_lazy("This is an episode: the catalogue has whole shows. Give the IMDb id of the show."),
    TitleKind.SEASON: gettext_lazy("This is a season: the catalogue has whole shows. Give the IMDb id of the show."),
    TitleKind.GAME: gettext_lazy("This is a game, and the catalogue has films and shows."),
}


class LookForForm(forms.Form):
    """What somebody looks for: `wanted` is an IMDb id, an address of IMDb or a title; `year` goes with a title."""

    wanted = forms.CharField(
        label=gettext_lazy("IMDb id, IMDb address or title"),
        max_length=MAX_WANTED_LENGTH,
        strip=True,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "tt0013442"}),
    )
    year = forms.IntegerField(
        label=gettext_lazy("Year, if you give a title"),
        required=False,
        min_value=MIN_YEAR,
        max_value=MAX_YEAR,
        widget=forms.NumberInput(attrs={"autocomplete": "off"}),
    )

    def clean_wanted(self) -> str:
        """An IMDb id in its one spelling, or a title."""
        text = str(self.cleaned_data["wanted"])
        if not text.isprintable():
            raise forms.ValidationError(str(UNPRINTABLE))
        if WEB_ADDRESS.match(text):
            return _id_of_address(text)
        if imdb_id := normalize_imdb_id(text):
            return imdb_id
        if found := ID.fullmatch(text):
            raise forms.ValidationError(str({"nm": PERSON, "tt": BAD_ID}.get(found[1].lower(), NO_TITLE)))
        if re.fullmatch(r"tt\s*[0-9]+", text, re.IGNORECASE):
            raise forms.ValidationError(str(BAD_ID))
        return text

    def title_and_year(self) -> tuple[str, int | None]:
        """The title and the year; the year may follow the title in brackets."""
        text, year = self.cleaned_data["wanted"], self.cleaned_data["year"]
        named = TITLE_WITH_YEAR.fullmatch(text)
        return (named[1], year or int(named[2])) if named else (text, year)


def _id_of_address(text: str) -> str:
    """The IMDb id of a title's address at IMDb; raise ValidationError for any other address."""
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, path = parts.hostname or "", parts.path
    except ValueError:
        host, path = "", ""
    found = IMDB_PATH.match(path) if host in IMDB_HOSTS else None
    if found is None:
        raise forms.ValidationError(str(OTHER_SITE))
    if found[1].lower() == "name":
        raise forms.ValidationError(str(PERSON))
    if not (imdb_id := normalize_imdb_id(found[2])):
        raise forms.ValidationError(str(BAD_ID))
    return imdb_id


@require_http_methods(["GET", "HEAD", "POST"])
def look_for(request: HttpRequest) -> HttpResponse:
    """The form; a title that was asked for is answered with a redirect to its page, or to the movie's.

    400 for what names no title, 403 for one that staff removed, 429 and 503 with Retry-After.
    """
    if request.method != "POST":
        return _page(request, LookForForm(initial=_prefilled(request)))
    form = LookForForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    wanted = form.cleaned_data["wanted"]
    if (imdb_id := normalize_imdb_id(wanted)) and (found := _movie(imdb_id)):
        return HttpResponseRedirect(found.get_absolute_url(), status=303)
    if wait := title_retry_after(request):
        return _page(request, form, problem=_wait_text(wait), status=429, wait=wait)
    return _ask_for_id(request, form, imdb_id) if imdb_id else _ask_for_title(request, form)


def _prefilled(request: HttpRequest) -> dict[str, str]:
    """What a link to the form names: `q` is an id or a title, `year` goes with the title."""
    year = request.GET.get("year", "")
    return {
        "wanted": " ".join(request.GET.get("q", "")[:MAX_WANTED_LENGTH].split()),
        "year": year if re.fullmatch("[0-9]{4}", year) else "",
    }


def _ask_for_id(request: HttpRequest, form: LookForForm, imdb_id: str) -> HttpResponse:
    """Ask for a title by its id. If Wikidata does not say what it is, the sources are asked all the same."""
    if TitleRequest.objects.filter(imdb_id=imdb_id).exclude(title="").exists():
        return _ask(request, form, imdb_id, about=None)
    about = describe_title_if_possible(imdb_id)
    if about is not None and not about.is_watchable:
        return _page(request, form, problem=str(WRONG_KINDS[about.kind]), status=400)
    return _ask(request, form, imdb_id, about=about)


def _ask_for_title(request: HttpRequest, form: LookForForm) -> HttpResponse:
    """Ask for the only title that is exactly meant; otherwise let the visitor choose."""
    title, year = form.title_and_year()
    try:
        matches = find_titles(title, year=year)
    except ValueError:
        return _page(request, form, problem=gettext("Give a title with letters or digits."), status=400)
    except LookupUnavailable:
        problem = gettext("Titles cannot be looked up right now. Give the IMDb id, or try again in a minute.")
        return _page(request, form, problem=problem, status=503, wait=RETRY_AFTER_SECONDS)
    if not matches:
        problem = gettext("Wikidata, where titles are looked up, knows no such film or show. Give its IMDb id.")
        return _page(request, form, problem=problem)
    if len(matches) == 1 and _is_exact(matches[0], title, year):
        if found := _movie(matches[0].imdb_id):
            return HttpResponseRedirect(found.get_absolute_url(), status=303)
        return _ask(request, form, matches[0].imdb_id, about=matches[0])
    return _page(request, form, matches=matches)


def _is_exact(match: TitleMatch, title: str, year: int | None) -> bool:
    wanted = fold_for_search(title)
    return year is not None and match.year == year and any(fold_for_search(name) == wanted for name in match.names)


def _ask(request: HttpRequest, form: LookForForm, imdb_id: str, *, about: TitleMatch | None) -> HttpResponse:
    try:
        taken = ask_for_title(imdb_id, about=about, requested_by="page", client=client_key(request), now=timezone.now())
    except TitleRefused as refusal:
        return _page(request, form, problem=_refusal_text(refusal), status=403)
    except (QueueFull, TooManyTitles) as full:
        wait = full.retry_after if isinstance(full, QueueFull) else 24 * 3600
        status = 429 if isinstance(full, ClientQueueFull) else 503
        problem = gettext("Many searches are waiting. Try again later.")
        return _page(request, form, problem=problem, status=status, wait=wait)
    return HttpResponseRedirect(taken.get_absolute_url(), status=303)


def _refusal_text(refusal: TitleRefused) -> str:
    if refusal.is_taken_down:
        return gettext("This title was taken down. It is not searched.")
    return gettext("This title was removed by the editors. It is not searched.")


def _wait_text(wait: int) -> str:
    minutes = max(1, round(wait / 60))
    text = ngettext("You have asked for many titles. Try again in %(number)s minute.",
                    "You have asked for many titles. Try again in %(number)s minutes.", minutes)  # fmt: skip
    return text % {"number": minutes}


def _movie(imdb_id: str) -> Movie | None:
    return Movie.objects.shown().filter(imdb_id=imdb_id).first()


def _page(
    request: HttpRequest,
    form: LookForForm,
    *,
    problem: str = "",
    matches: list[TitleMatch] | None = None,
    status: int = 200,
    wait: int = 0,
) -> HttpResponse:
    context = {"form": form, "problem": problem, "matches": matches}
    response = render_page(request, "look_for.html", context, status=status)
    if wait:
        response.headers["Retry-After"] = str(wait)
    return response


@require_safe
def title_request(request: HtmxHttpRequest, imdb_id: str) -> HttpResponse:
    """What has come of asking for a title; a redirect to the movie as soon as it is there, or to the form if nobody has
    asked."""
    key = normalize_imdb_id(imdb_id)
    if not key:
        return not_found(request, None)
    found = TitleRequest.objects.filter(imdb_id=key).first()
    movie, job = _movie(key), newest_search(found) if found else None
    if movie is not None and not _shows_search(movie, found, job):
        return _redirect(request, movie.get_absolute_url())
    try:
        require_searchable(key)
    except TitleRefused as refusal:
        return _page(request, LookForForm(initial={"wanted": key}), problem=_refusal_text(refusal), status=403)
    if found is None:
        return _redirect(request, f"{reverse('look-for')}?{urlencode({'q': key})}")
    if job is not None:
        renotify_if_stalled(job, now=timezone.now())
    part = "#search" if request.htmx and job is not None and job.is_open else ""
    if request.htmx and not part:  # The search has ended: the whole page has the answer and what may be done next.
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render_page(request, f"look_for_title.html{part}", _title_context(found, job, movie))


def _shows_search(movie: Movie, found: TitleRequest | None, job: ScrapeJob | None) -> bool:
    """Whether this page says more than the movie's: its links await review, or others are still sought."""
    if found is None or movie.active_link_count:
        return False
    return found.outcome == TitleRequest.Outcome.REVIEW or (job is not None and job.is_open)


def _title_context(found: TitleRequest, job: ScrapeJob | None, movie: Movie | None) -> dict[str, Any]:
    is_open = job is not None and job.is_open
    outcome = found.outcome
    return {
        "found": found,
        "name": display_text(str(found)),
        "movie": movie,
        "job": job,
        "is_open": is_open,
        "icon": SPINNER if is_open else ICONS.get(outcome, Icon("minus")),
        "answer": job_title(job) if job and is_open else gettext(ANSWERS[outcome]),
        "steps": step_views(job) if job else (),
        "next_ask": exact_time_text(found.next_ask_at) if found.next_ask_at and outcome in REPEATED else "",
        "may_ask": not is_open and not found.is_answered(now=timezone.now()),
        "refresh_seconds": REFRESH_SECONDS,
    }


def _redirect(request: HtmxHttpRequest, target: str) -> HttpResponse:
    """To htmx a redirect is said in a header: it would put the other page into this one."""
    return HttpResponse(headers={"HX-Redirect": target}) if request.htmx else HttpResponseRedirect(target)
