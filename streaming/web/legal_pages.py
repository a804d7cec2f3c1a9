"""Who runs the site and how: about, privacy, accessibility, contact, `security.txt`, and what was removed.

The texts are templates in `templates/legal/`; an operator's file of the same name in `TEMPLATE_DIR` takes their place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from streaming.models import BlockedAddress, RemovedMovie
from streaming.web.error_pages import not_found
from streaming.web.rendering import render_page

TITLES: dict[str, Promise] = {
    "about": gettext_lazy("About this site"),
    "privacy": gettext_lazy("Privacy"),
    "accessibility": gettext_lazy("Accessibility"),
    "contact": gettext_lazy("Contact"),
}
ROWS_A_PAGE = 50
VALID_FOR = timedelta(days=180)
"""Of `security.txt`, from the first of this month: the standard asks for less than a year."""
ROW_ID = re.compile(r"[0-9]{1,18}", re.ASCII)
MAIL_ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+")


@dataclass(frozen=True, slots=True)
class Contact:
    """The operator's address as a link; both are empty if `CONTACT` is not set, `url` if it is neither URL nor mail."""

    text: str
    url: str


def operator_contact() -> Contact:
    """What `CONTACT` says."""
    if settings.CONTACT == settings.NO_CONTACT:
        return Contact("", "")
    text = settings.CONTACT.removeprefix("mailto:")
    if MAIL_ADDRESS.fullmatch(text):
        return Contact(text, f"mailto:{text}")
    return Contact(text, text if text.startswith(("https://", "http://")) else "")


@require_safe
def legal_page(request: HttpRequest, page: str) -> HttpResponse:
    """One of the pages of `TITLES`."""
    context = {
        "title": TITLES[page],
        "text": f"legal/{page}.html",
        "contact": operator_contact(),
        "history_days": settings.HISTORY_DAYS,
        "site_address": request.build_absolute_uri("/"),
    }
    return render_page(request, "legal.html", context)


@require_safe
@cache_control(public=True, max_age=3600)
def security_txt(request: HttpRequest) -> HttpResponse:
    """Where to report a hole (RFC 9116); 404 while the operator has set no `CONTACT` that is an address."""
    contact = operator_contact()
    if not contact.url.startswith(("mailto:", "https://")):
        return not_found(request, None)
    month = timezone.now().astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    lines = {
        "Contact": contact.url,
        "Expires": f"{month + VALID_FOR:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages": "en",
        "Canonical": request.build_absolute_uri(reverse("security-txt")),
    }
    text = "".join(f"{name}: {value}\n" for name, value in lines.items())
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@require_safe
def removed_movies(request: HttpRequest) -> HttpResponse:
    """What was removed and why, the latest first: a page is so many tombstones by their key, however many there are.

    Titles that were taken down are not named, nor when: to name a film again that somebody asked to be taken down may
    be the harm itself. Their number is stated.
    """
    before = request.GET.get("before", "")
    rows = RemovedMovie.objects.defer("snapshot").order_by("-pk")
    if ROW_ID.fullmatch(before):
        rows = rows.filter(pk__lt=int(before))
    page = list(rows[: ROWS_A_PAGE + 1])
    named = [row for row in page[:ROWS_A_PAGE] if row.cause != RemovedMovie.Cause.TAKEDOWN]
    taken_down = BlockedAddress.objects.filter(kind=BlockedAddress.Kind.IMDB_ID).count()
    context = {
        "rows": named,
        "next": page[ROWS_A_PAGE - 1].pk if len(page) > ROWS_A_PAGE else None,
        "titles_taken_down": taken_down,
        "addresses_taken_down": BlockedAddress.objects.count() - taken_down,
    }
    return render_page(request, "removed.html", context)
