"""The form by which visitors report a link, and the answer they get."""

from __future__ import annotations

import re
from typing import Any

from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from streaming.client_throttle import client_key, report_retry_after
from streaming.link_reports import NoteTooLong, answer_text, clean_note, report_link
from streaming.localization import seconds_text
from streaming.models import LinkReport, Movie, StreamingLink
from streaming.models.link_report import MAX_NOTE_LENGTH
from streaming.web.error_pages import not_found
from streaming.web.link_rows import LinkView
from streaming.web.rendering import HtmxHttpRequest, render_page

ID_PATTERN = re.compile(r"[0-9]{1,18}", re.ASCII)
FORM_KINDS = (LinkReport.Kind.BROKEN, LinkReport.Kind.WRONG_FILM, LinkReport.Kind.UNWANTED)


class NoReport(ValueError):
    """What was sent is no report, in a sentence for the visitor."""


@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HtmxHttpRequest, identifier: str) -> HttpResponse:
    """Take a report: the answer for htmx, otherwise a redirect to the movie's page, which shows the answer.

    400 for a form that is not ours, 429 with Retry-After for too many. Whoever opens the address gets the movie's page.
    """
    found = Movie.objects.shown().by_identifier(identifier).first()
    if found is None:
        return not_found(request, None)
    if request.method != "POST":
        return HttpResponseRedirect(found.get_absolute_url())
    if wait := report_retry_after(request):
        reason = gettext("Too many reports.")
        return _refusal(request, found, f"{reason} {seconds_text(wait)}", status=429, wait=wait)
    try:
        link, kind, note = _read_form(request, found)
        taken = report_link(link, kind, note=note, client=client_key(request), now=timezone.now())
    except (NoReport, NoteTooLong) as refusal:
        return _refusal(request, found, str(refusal), status=400)
    except IntegrityError:  # The link was removed since it was read.
        return not_found(request, None)
    taken.link = link
    if request.htmx:
        return render_page(request, "_report_answer.html", {"answer": answer_text(taken)})
    query = LinkView.from_query_string(request.GET).query_string_with(report=taken.pk)
    return HttpResponseRedirect(f"{found.get_absolute_url()}{query}#report", status=303)


def report_context(request: HttpRequest, found: Movie) -> dict[str, Any]:
    """What the form needs; the link and the answer to the report that the page's address names."""
    pk, link = request.GET.get("report", ""), request.GET.get("link", "")
    reports = LinkReport.objects.filter(link__movie=found).select_related("link")
    taken = reports.filter(pk=int(pk)).first() if ID_PATTERN.fullmatch(pk) else None
    return {
        "report_kinds": FORM_KINDS,
        "report_link": int(link) if ID_PATTERN.fullmatch(link) else None,
        "max_note_length": MAX_NOTE_LENGTH,
        "report_answer": answer_text(taken) if taken else "",
    }


def _read_form(request: HttpRequest, found: Movie) -> tuple[StreamingLink, str, str]:
    """The link, what is wrong with it, and the sentence about it."""
    pk, kind = request.POST.get("link", ""), request.POST.get("kind", "")
    if not ID_PATTERN.fullmatch(pk) or kind not in LinkReport.Kind.values:
        raise NoReport(gettext("Choose a link and say what is wrong with it."))
    link = found.links.shown().filter(pk=int(pk)).first()
    if link is None:
        raise NoReport(gettext("This link is no longer in the catalogue."))
    return link, kind, clean_note(request.POST.get("note", ""))


def _refusal(request: HtmxHttpRequest, found: Movie, sentence: str, *, status: int, wait: int = 0) -> HttpResponse:
    """The sentence alone for htmx, otherwise on a page that leads back to the form."""
    if request.htmx:
        response = HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
    else:
        back = f"{found.get_absolute_url()}{LinkView.from_query_string(request.GET).query_string}#report"
        response = render_page(request, "refused.html", {"sentence": sentence, "back": back}, status=status)
    if wait:
        response.headers["Retry-After"] = str(wait)
    return response
