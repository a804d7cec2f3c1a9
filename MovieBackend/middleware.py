"""Headers for security and CORS, the viewer's language, limits of bodies, probes from this machine, a busy database."""

from __future__ import annotations

import logging
from collections.abc import Callable

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.urls import resolve
from django.utils import translation
from django.utils.cache import patch_vary_headers
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from streaming import write_wait
from streaming.api.authentication import ApiKeyAuthentication
from streaming.web import error_pages, language_switch
from streaming.web.content_security import policy_header

log = logging.getLogger(__name__)

# Only the Swagger page has an inline script and inline styles.
DOCS_CSP = {
    "script-src": ["'self'", "'unsafe-inline'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
}


class RefusedEncodingMiddleware:
    """Take refused encodings (`gzip;q=0`) out of Accept-Encoding.

    Django, WhiteNoise and the exports look for the word only. It is the first middleware: `request.headers` is a copy.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if accepted := request.META.get("HTTP_ACCEPT_ENCODING"):
            kept = [one for one in accepted.split(",") if not _is_refused(one)]
            request.META["HTTP_ACCEPT_ENCODING"] = ",".join(kept)
        return self.get_response(request)


def _is_refused(encoding: str) -> bool:
    weight = encoding.partition(";")[2].replace(" ", "").replace("\t", "").lower()
    return weight.startswith("q=0") and not weight[3:].strip(".0")


class LoopbackProbeMiddleware:
    """Answer probes that name this machine by a loopback name, whatever `ALLOWED_HOSTS` says.

    Only the three paths for operators, which use neither host name nor cookies; so a probe needs no setting of its own.
    """

    PATHS = ("/healthz", "/readyz", "/metrics")
    HOSTS = ("127.0.0.1", "localhost", "[::1]")

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in self.PATHS and split_domain_port(request.headers.get("Host", ""))[0] in self.HOSTS:
            found = resolve(request.path)
            response: HttpResponse = found.func(request, *found.args, **found.kwargs)
            return response
        return self.get_response(request)


class SecurityHeadersMiddleware:
    """Send `SECURE_CSP`, which Django 6.0 has built in, unless the page has a policy of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.policy = policy_header({})
        self.docs_policy = policy_header(DOCS_CSP)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_docs = request.path.endswith("/docs/")
        response.headers.setdefault("Content-Security-Policy", self.docs_policy if is_docs else self.policy)
        return response


class PublicCorsMiddleware:
    """Let pages of other sites read the Stremio add-on, its captions and the exports, the same for everyone."""

    PUBLIC_PATHS = ("/stremio/", "/export/", "/captions/")

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


class ReadingCorsMiddleware(CorsMiddleware):
    """Let pages of other sites read the API (`CORS_URLS_REGEX`); writes keep to pages of this site."""

    def is_enabled(self, request: HttpRequest) -> bool:
        return request.method in ("GET", "HEAD", "OPTIONS") and bool(super().is_enabled(request))


class ViewerLanguageMiddleware:
    """Answer in the viewer's language: that of the cookie, else the best of Accept-Language, else English.

    What programs read stays English, and so does the admin. It reads no session, so a page for everybody needs none.
    """

    ENGLISH_PATHS = (
        *("/api/", "/admin/", "/stremio/", "/export/", "/feeds/", "/posters/", "/cards/", "/static/", "/sitemap"),
        *("/healthz", "/readyz", "/metrics", "/robots.txt", "/opensearch.xml", "/site.webmanifest", "/.well-known/"),
        *("/badge/", "/oembed/", "/lists/films."),
    )
    API_PAGES = ("/api/", "/api/streaming/docs/")
    TEXT_TYPES = ("text/html", "text/plain")

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(self.ENGLISH_PATHS) and request.path not in self.API_PAGES:
            with translation.override(settings.LANGUAGE_CODE):
                return self.get_response(request)
        language = language_switch.page_language(request)
        with translation.override(language):
            response = self.get_response(request)
        if response.get("Content-Type", "").startswith(self.TEXT_TYPES):
            response.headers["Content-Language"] = language
            patch_vary_headers(response, ["Accept-Language", "Cookie"])
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


class BodyLimitMiddleware:
    """Refuse large bodies, unread: before the CSRF check, which reads forms, and whatever the method.

    Without `Content-Length` Django reads no body at all. Needs `request.user`, so it follows AuthenticationMiddleware.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        size = int(length) if length.isascii() and length.isdigit() else 0
        if size > settings.MAX_BODY_BYTES and size > _body_limit(request):
            return error_pages.body_too_large(request)
        return self.get_response(request)


def _body_limit(request: HttpRequest) -> int:
    """The most bytes that the body of this request may have."""
    if request.method == "POST" and request.path == settings.LIST_PATH:
        return settings.MAX_LIST_BODY_BYTES
    return settings.MAX_STAFF_BODY_BYTES if _is_staff(request) else settings.MAX_BODY_BYTES


def _is_staff(request: HttpRequest) -> bool:
    """Whether the session, the token or the key of the request is that of staff."""
    user = request.user
    if "Authorization" in request.headers:
        stated, authenticators = Request(request), (TokenAuthentication(), ApiKeyAuthentication())
        try:
            found = next(filter(None, (one.authenticate(stated) for one in authenticators)), None)
        except AuthenticationFailed:
            return False
        user = found[0] if found else AnonymousUser()
    return user.is_active and user.is_staff
