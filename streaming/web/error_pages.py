"""Pages for errors: not found, server error, failed CSRF check; JSON under /api/."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop

from streaming.models import RemovedMovie
from streaming.web.rendering import colour_theme, render_page
from streaming.write_wait import RETRY_AFTER_SECONDS

UNAVAILABLE = gettext_noop("The database is busy or full, so this could not be saved. Try again in a minute.")
MOVIE_PATH_PATTERN = re.compile(r"/streaming/(tt[0-9]{7,9})/", re.ASCII)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 for what Django refuses to process, such as an unknown host name."""
    if _is_for_api(request):
        return _json_error("Bad request.", status=400)
    return render_page(request, "400.html", {}, status=400)


def bad_parameters(errors: Any) -> JsonResponse:
    """400 for query parameters that are unknown or wrong, in the words of the API."""
    return JsonResponse(errors, status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 for visitors and staff who lack a permission."""
    if _is_for_api(request):
        return _json_error("Permission denied.", status=403)
    return render_page(request, "403.html", {}, status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that another site sent, or without cookies."""
    if _is_for_api(request):
        return _json_error("This request comes from another site.", status=403)
    return render_page(request, "403_csrf.html", {}, status=403)


def body_too_large(request: HttpRequest) -> HttpResponse:
    """413 for a request whose body is larger than anybody needs here."""
    if _is_for_api(request):
        return _json_error("The body of this request is too large.", status=413)
    if settings.ADMIN_ENABLED and request.path == reverse("admin:import"):
        return render_page(request, "413.html", {"is_upload": True}, status=413)
    megabytes = settings.MAX_LIST_BODY_BYTES // 1024**2 if request.path == settings.LIST_PATH else 0
    return render_page(request, "413.html", {"max_megabytes": megabytes}, status=413)


def not_found(request: HttpRequest, exception: Exception | None) -> HttpResponse:
    """404; for a removed movie it says when that was and why, for an unknown one it offers to look for it."""
    if _is_for_api(request):
        return _json_error("Not found.", status=404)
    match = MOVIE_PATH_PATTERN.match(request.path)
    removed = match and RemovedMovie.objects.filter(imdb_id=match[1], restored_at=None).first()
    wanted = match[1] if match and not removed else ""
    return render_page(request, "404.html", {"removed": removed, "wanted": wanted}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500 without database and context processors, since either may be what failed."""
    if _is_for_api(request):
        return _json_error("Something failed on our side.", status=500)
    page = render_to_string("500.html", {"theme": colour_theme(request)})
    return HttpResponse(page, status=500, headers={"Cache-Control": "no-store", "Vary": "Cookie"})


def database_unavailable(request: HttpRequest) -> HttpResponse:
    """503 with Retry-After while the database is locked, full or away; without database and context processors."""
    if _is_for_api(request):
        response: HttpResponse = _json_error(UNAVAILABLE, status=503)
    else:
        page = render_to_string("503.html", {"theme": colour_theme(request), "text": gettext(UNAVAILABLE)})
        response = HttpResponse(page, status=503, headers={"Cache-Control": "no-store", "Vary": "Cookie"})
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _is_for_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _json_error(detail: str, *, status: int) -> JsonResponse:
    return JsonResponse({"detail": detail}, status=status, headers={"Cache-Control": "no-store"})
