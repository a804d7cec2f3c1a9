"""Base class and helpers of the API's views: JSON errors, same-origin writes, strict JSON, ETags."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import http_date, is_same_domain
from django.utils.log import log_response
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import status
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import APIException, ParseError, PermissionDenied, Throttled
from rest_framework.parsers import JSONParser
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler
from rest_framework.viewsets import ViewSetMixin

from streaming import write_wait
from streaming.api.filters import reject_unknown_parameters
from streaming.api.response_bodies import ResponseBodies
from streaming.client_throttle import Quota
from streaming.formatting import counted
from streaming.ingest.row_locks import RowGone
from streaming.models import ApiKey
from streaming.ranking import accepted_languages

log = logging.getLogger(__name__)

DATABASE_UNAVAILABLE = "The database is busy or full, so this could not be done; try again later."
COMMON_PARAMETERS = frozenset({"format"})


class ServiceUnavailable(APIException):
    """The job queue is full, or the database takes no write; try again in `wait` seconds."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "Too many searches are waiting; try again later."

    def __init__(self, wait: int, detail: str | None = None) -> None:
        super().__init__(detail)
        self.wait = wait


class ConflictError(APIException):
    status_code = status.HTTP_409_CONFLICT


class CursorGoneError(APIException):
    status_code = status.HTTP_410_GONE
    default_detail = (
        "This cursor is not of this catalogue: a backup was restored. Drop your copy and start without since."
    )


class BodyTooLargeError(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."


class SameOriginPermission(BasePermission):
    """Reject writes that a page of another site sends with a visitor's cookies; requests with a token may pass."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method in SAFE_METHODS or request.auth is not None or _is_same_origin(request):
            return True
        # Not just False: DRF would then ask an anonymous visitor to sign in, which would not help.
        raise PermissionDenied("This request comes from another site.")


class ApiKeyScopePermission(BasePermission):
    """Refuse writes with a key that is for reading only."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        is_reader = isinstance(request.auth, ApiKey) and request.auth.scope != ApiKey.Scope.WRITE
        if is_reader and request.method not in SAFE_METHODS:
            raise PermissionDenied("This key is for reading only.")
        return True


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema describes keys."""

    target_class = "streaming.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A key of the API, made in the admin."}


class ModelPermission(BasePermission):
    """Demand a staff account with the model permissions that the view's `required_permissions` name for the action.

    An empty tuple is a write that anybody may make. Reading needs nothing unless it is named; a write that is not named
    is refused to everybody, so that a new one cannot be forgotten.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        action = _requested_action(request, view)
        if action is None:
            return True  # There is no such method: a 405 follows.
        permissions: tuple[str, ...] | None = getattr(view, "required_permissions", {}).get(action)
        if permissions is None:
            return request.method in SAFE_METHODS
        if not permissions:
            return True
        self.message = f"This needs a staff account with the permission {' and '.join(permissions)}."
        return bool(request.user.is_staff) and request.user.has_perms(permissions)


class StrictJSONParser(JSONParser):
    """A JSON parser that also reports too deep nesting and lone surrogates as a ParseError.

    Python accepts a lone surrogate (`"\\ud800"`), but a response that quotes it could not be encoded.
    """

    def parse(self, *args: Any, **options: Any) -> Any:
        try:
            parsed = super().parse(*args, **options)
            json.dumps(parsed, ensure_ascii=False).encode()
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        except UnicodeEncodeError:
            raise ParseError("The JSON contains a lone surrogate, which is not a character.") from None
        return parsed


class ApiView(APIView):
    """A view that rejects unknown query parameters and writes without permission.

    Without a session cookie no session is looked at, so the response does not vary by cookie.

    `allowed_parameters` by action name; `""` for a view without actions; an action without an entry accepts any.
    `required_permissions` by action name, or by method in a view without actions; see `ModelPermission`.
    """

    allowed_parameters: dict[str, frozenset[str]] = {}
    required_permissions: Mapping[str, tuple[str, ...]] = {}
    permission_classes = [SameOriginPermission, ApiKeyScopePermission, ModelPermission]
    parser_classes = [StrictJSONParser]
    quota: Quota | None = None

    def get_authenticators(self) -> list[BaseAuthentication]:
        authenticators: list[BaseAuthentication] = super().get_authenticators()
        request: HttpRequest | None = getattr(self, "request", None)  # None while the schema is made
        if request is None or settings.SESSION_COOKIE_NAME in request.COOKIES:
            return authenticators
        return [one for one in authenticators if not isinstance(one, SessionAuthentication)]

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        known = self.allowed_parameters.get(getattr(self, "action", None) or "")
        if known is not None and request.method in SAFE_METHODS:
            reject_unknown_parameters(request.query_params, known=known | COMMON_PARAMETERS)

    def finalize_response(self, request: Request, response: Any, *args: object, **kwargs: object) -> Any:
        """Add the RateLimit headers of the limit that the request was counted by, if any."""
        final = super().finalize_response(request, response, *args, **kwargs)
        if self.quota is not None:
            for name, value in self.quota.headers().items():
                final.headers[name] = value
        return final


def handle_exception(error: Exception, context: dict[str, object]) -> Response | None:
    """DRF's exception handler; unexpected errors are logged, sent to Django's signal and returned as JSON."""
    if write_wait.is_unavailable(error):
        log.error("%s: the database does not accept this now: %s", getattr(context["request"], "path", ""), error)
        error = ServiceUnavailable(write_wait.RETRY_AFTER_SECONDS, DATABASE_UNAVAILABLE)
    response = exception_handler(_api_error(error), context)
    if response is not None:
        if isinstance(error, Throttled) and "Retry-After" not in response:
            response["Retry-After"] = "60"
        if isinstance(error, Throttled):
            response.data = {"detail": f"Too many requests. Try again in {counted(_wait_of(response), 'second')}."}
        response["Cache-Control"] = "no-store"
        return response
    request = context["request"]
    response = Response({"detail": "Something went wrong here."}, status=500, headers={"Cache-Control": "no-store"})
    log_response("Internal Server Error: %s", getattr(request, "path", ""), response=response, exception=error)
    got_request_exception.send(sender=None, request=request)
    return response


def _wait_of(response: Response) -> int:
    """The seconds that a response asks to wait."""
    return int(response["Retry-After"])


def _api_error(error: Exception) -> Exception:
    """The error of DRF that stands for an expected one of Django or of ours; any other unchanged."""
    if isinstance(error, RequestDataTooBig):
        return BodyTooLargeError()
    return ConflictError(str(error)) if isinstance(error, RowGone) else error


def request_languages(request: Request) -> list[str]:
    """The viewer's languages, preferred first: `?language=`, then Accept-Language."""
    requested = request.query_params.get("language")
    return [*([requested] if requested else []), *accepted_languages(request.headers.get("Accept-Language", ""))]


def conditional_response(
    request: Request,
    build: Callable[[], Response],
    *,
    bodies: ResponseBodies | None = None,
    state: object,
    modified: datetime | None,
    cache_control: str = "no-cache",
) -> HttpResponseBase:
    """The response of `build`, or 304 without building it if the client has the current version.

    `state` is a fingerprint of everything that the response shows; URL and languages are added here.
    `modified`: the time for Last-Modified; None leaves the header out. `bodies` keeps what `build` rendered, for a
    response that is the same for everybody.
    """
    version = (settings.VERSION, request.build_absolute_uri(), request_languages(request), state)
    etag = f'W/"{blake2b(repr(version).encode(), digest_size=12).hexdigest()}"'
    seconds = int(modified.timestamp()) if modified else None
    not_modified = get_conditional_response(request._request, etag=etag, last_modified=seconds)
    response = not_modified or _with_body(request, build, etag=etag, bodies=bodies)
    response["ETag"] = etag
    if seconds is not None:
        response["Last-Modified"] = http_date(seconds)
    response["Cache-Control"] = cache_control
    patch_vary_headers(response, ["Accept", "Accept-Language"])
    return response


def _with_body(
    request: Request, build: Callable[[], Response], *, etag: str, bodies: ResponseBodies | None
) -> HttpResponseBase:
    if bodies is None:
        return build()
    # The media type has the indent that the client asked for.
    return bodies.respond((etag, request.accepted_media_type), build)


def _requested_action(request: Request, view: APIView) -> str | None:
    """The name of the action that answers the request, or its method in a view without actions; None if none does.

    HEAD counts as GET: its response tells whether there is something and how long it is.
    """
    if isinstance(view, ViewSetMixin):
        return view.action
    method = (request.method or "").lower()
    if not hasattr(view, method):
        return None
    return "get" if method == "head" else method


def _is_same_origin(request: Request) -> bool:
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return False
    origin = request.headers.get("Origin")
    return origin is None or _is_trusted_origin(origin, request)


def _is_trusted_origin(origin: str, request: Request) -> bool:
    if origin == f"{request.scheme}://{request.get_host()}" or origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    wildcards = [urlsplit(entry.replace("*", "")) for entry in settings.CSRF_TRUSTED_ORIGINS if "*" in entry]
    try:
        parts = urlsplit(origin)
    except ValueError:  # `http://[`: no browser sends it
        return False
    return any(parts.scheme == entry.scheme and is_same_domain(parts.netloc, entry.netloc) for entry in wildcards)
