"""The form by which visitors report a link, and the answer they get."""

from __future__ import annotations

import re
from typing import Any

from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from streaming.client_throttle import client_key, report_retry_after
from streaming.link_reports import NoteTooLong, answer_text, clean_note, report_link
from streaming.localization import seconds_text
from streaming.models import LinkReport, Movie, StreamingLink
from streaming.models.link_report import MAX_NOTE_LENGTH
from streaming.web.error_pages import not_found
from streaming.web.rendering import HtmxHttpRequest, render_page

ID_PATTERN = re.compile(r"[0-9]{1,18}", re.ASCII)
FORM_KINDS = (LinkReport.Kind.BROKEN, LinkReport.Kind.WRONG_FILM, LinkReport.Kind.UNWANTED)


@require_POST
def report(request: HtmxHttpRequest, identifier: str) -> HttpResponse:
    """Take a report: the answer for htmx, otherwise a redirect to the movie's page, which shows the answer.

    400 for a form that is not ours, 429 with Retry-After for too many.
    """
    found = Movie.objects.shown().by_identifier(identifier).first()
    if found is None:
        return not_found(request, None)
    if wait := report_retry_after(request):
        reason = gettext("Too many reports.")
        return _refusal(f"{reason} {seconds_text(wait)}", status=429, wait=wait)
    link, kind = _link(request, found), request.POST.get("kind", "")
    if link is None or kind not in LinkReport.Kind.values:
        return _refusal(gettext("Choose a link and say what is wrong with it."), status=400)
    try:
        note = clean_note(request.POST.get("note", ""))
        taken = report_link(link, kind, note=note, client=client_key(request), now=timezone.now())
    except NoteTooLong as refusal:
        return _refusal(str(refusal), status=400)
    except IntegrityError:  # The link was removed since it was read.
        return not_found(request, None)
    taken.link = link
    if request.htmx:
        return render_page(request, "_report_answer.html", {"answer": answer_text(taken)})
    return HttpResponseRedirect(f"{found.get_absolute_url()}?report={taken.pk}#report", status=303)


def report_context(request: HttpRequest, found: Movie) -> dict[str, Any]:
    """What the form needs, and the answer to the report that the page's address names."""
    pk = request.GET.get("report", "")
    reports = LinkReport.objects.filter(link__movie=found).select_related("link")
    taken = reports.filter(pk=int(pk)).first() if ID_PATTERN.fullmatch(pk) else None
    return {
        "report_kinds": FORM_KINDS,
        "max_note_length": MAX_NOTE_LENGTH,
        "report_answer": answer_text(taken) if taken else "",
    }


def _link(request: HttpRequest, found: Movie) -> StreamingLink | None:
    pk = request.POST.get("link", "")
    return found.links.shown().filter(pk=int(pk)).first() if ID_PATTERN.fullmatch(pk) else None


def _refusal(sentence: str, *, status: int, wait: int = 0) -> HttpResponse:
    headers = {"Retry-After": str(wait)} if wait else {}
    return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8", headers=headers)
