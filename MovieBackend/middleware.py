"""Security headers on every answer, those of the API too."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

# Swagger's own page writes one inline script and inline styles; it is the only page that may.
DOCS_CSP = {
    "script-src": ["'self'", "'unsafe-inline'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
}


class SecurityHeadersMiddleware:
    """Sends `SECURE_CSP` (Django 6.0 has it built in: then this goes)."""

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
    """Lets pages of other sites read the add-on and the exports, errors too; both are the same for everybody."""

    PUBLIC_PATHS = ("/stremio/", "/export/")

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_open = request.path.startswith(self.PUBLIC_PATHS)
        asks_first = is_open and request.method == "OPTIONS"
        response = HttpResponse(status=204) if asks_first else self.get_response(request)
        if is_open:
            response.headers["Access-Control-Allow-Origin"] = "*"
            response.headers["Access-Control-Allow-Headers"] = "*"
            response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
        return response
