"""Add security headers to every response and CORS headers to public ones; answer when the database takes no write."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from streaming import write_wait
from streaming.web import error_pages

log = logging.getLogger(__name__)

# Only the Swagger page has an inline script and inline styles.
DOCS_CSP = {
    "script-src": ["'self'", "'unsafe-inline'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
}


class SecurityHeadersMiddleware:
    """Send `SECURE_CSP`, which Django 6.0 has built in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.policy = _csp_header({})
        self.docs_policy = _csp_header(DOCS_CSP)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_docs = request.path.endswith("/docs/")
        response.headers.setdefault("Content-Security-Policy", self.docs_policy if is_docs else self.policy)
        return response


def _csp_header(changes: dict[str, list[str]]) -> str:
    return "; ".join(f"{name} {' '.join(values)}" for name, values in {**settings.SECURE_CSP, **changes}.items())


class PublicCorsMiddleware:
    """Let pages of other sites read the Stremio add-on and the exports, which are the same for everyone."""

    PUBLIC_PATHS = ("/stremio/", "/export/")

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_public = request.path.startswith(self.PUBLIC_PATHS)
        is_preflight = is_public and request.method == "OPTIONS"
        response = HttpResponse(status=204) if is_preflight else self.get_response(request)
        if is_public:
            response.headers["Access-Control-Allow-Origin"] = "*"
            response.headers["Access-Control-Allow-Headers"] = "*"
            response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
        return response


class DatabaseUnavailableMiddleware:
    """Answer 503 with Retry-After, not 500, when the database was locked, full or away for a view."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not write_wait.is_unavailable(exception):
            return None
        log.error("%s %s: the database does not accept this now: %s", request.method, request.path, exception)
        return error_pages.database_unavailable(request)
