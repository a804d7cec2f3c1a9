"""The switch of languages in the footer: a form that works without JavaScript and sets a cookie."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from streaming.ranking import accepted_languages

COOKIE_SECONDS = 31_536_000


def page_language(request: HttpRequest) -> str:
    """The language for this viewer: that of the cookie, else the best known one of Accept-Language, else English."""
    known = dict(settings.LANGUAGES)
    accepted = (tag.partition("-")[0] for tag in accepted_languages(request.headers.get("Accept-Language", "")))
    wanted = [request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""), *accepted]
    return next((language for language in wanted if language in known), settings.LANGUAGE_CODE)


@require_POST
@csrf_exempt  # A token would put a cookie on every page; another site could at most change the language of the texts.
def choose_language(request: HttpRequest) -> HttpResponse:
    """Remember the language in a cookie and lead back to the page; 400 for a language that there is not."""
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        return HttpResponse(gettext("There is no such language."), status=400, content_type="text/plain; charset=utf-8")
    response = HttpResponseRedirect(_page_before(request), status=303)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=COOKIE_SECONDS,
        samesite="Lax",
        secure=settings.BEHIND_HTTPS,
        httponly=True,
    )
    return response


def _page_before(request: HttpRequest) -> str:
    """The page with the form: as the browser says, which knows the filters set since; else as the form says."""
    wanted = request.POST.get("next", "")
    try:
        before = urlsplit(request.headers.get("Referer", ""))
    except ValueError:  # no address
        before = urlsplit("")
    if before.netloc == request.get_host():
        wanted = f"{before.path}?{before.query}" if before.query else before.path
    is_ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if is_ours else reverse("home")
