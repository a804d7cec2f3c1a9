"""Base class and helpers of the API's views: JSON errors, same-origin writes, strict JSON, ETags."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.signals import got_request_exception
from django.http import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import http_date, is_same_domain
from django.utils.log import log_response
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError, PermissionDenied, Throttled
from rest_framework.parsers import JSONParser
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from streaming.api.filters import reject_unknown_parameters
from streaming.ranking import accepted_languages

COMMON_PARAMETERS = frozenset({"format"})


class ServiceUnavailable(APIException):
    """The job queue is full; try again in `wait` seconds."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "Too many searches are waiting; try again later."

    def __init__(self, wait: int) -> None:
        super().__init__()
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
    """A view that rejects unknown query parameters.

    `allowed_parameters` by action name; `""` for a view without actions; an action without an entry accepts any.
    """

    allowed_parameters: dict[str, frozenset[str]] = {}
    permission_classes = [SameOriginPermission]
    parser_classes = [StrictJSONParser]

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        known = self.allowed_parameters.get(getattr(self, "action", None) or "")
        if known is not None and request.method in SAFE_METHODS:
            reject_unknown_parameters(request.query_params, known=known | COMMON_PARAMETERS)


def handle_exception(error: Exception, context: dict[str, object]) -> Response | None:
    """DRF's exception handler; unexpected errors are logged, sent to Django's signal and returned as JSON."""
    response = exception_handler(BodyTooLargeError() if isinstance(error, RequestDataTooBig) else error, context)
    if response is not None:
        if isinstance(error, Throttled) and "Retry-After" not in response:
            response["Retry-After"] = "60"
        response["Cache-Control"] = "no-store"
        return response
    request = context["request"]
    response = Response({"detail": "Something went wrong here."}, status=500, headers={"Cache-Control": "no-store"})
    log_response("Internal Server Error: %s", getattr(request, "path", ""), response=response, exception=error)
    got_request_exception.send(sender=None, request=request)
    return response


def request_languages(request: Request) -> list[str]:
    """The viewer's languages, preferred first: `?language=`, then Accept-Language."""
    requested = request.query_params.get("language")
    return [*([requested] if requested else []), *accepted_languages(request.headers.get("Accept-Language", ""))]


def conditional_response(
    request: Request,
    build: Callable[[], Response],
    *,
    state: object,
    modified: datetime | None,
    cache_control: str = "no-cache",
) -> HttpResponseBase:
    """The response of `build`, or 304 without building it if the client has the current version.

    `state` is a fingerprint of everything that the response shows; URL and languages are added here.
    `modified`: the time for Last-Modified; None leaves the header out.
    """
    version = (settings.VERSION, request.build_absolute_uri(), request_languages(request), state)
    etag = f'W/"{blake2b(repr(version).encode(), digest_size=12).hexdigest()}"'
    seconds = int(modified.timestamp()) if modified else None
    not_modified = get_conditional_response(request._request, etag=etag, last_modified=seconds)
    response = build() if not_modified is None else not_modified
    response["ETag"] = etag
    if seconds is not None:
        response["Last-Modified"] = http_date(seconds)
    response["Cache-Control"] = cache_control
    patch_vary_headers(response, ["Accept", "Accept-Language"])
    return response


def _is_same_origin(request: Request) -> bool:
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return False
    origin = request.headers.get("Origin")
    return origin is None or _is_trusted_origin(origin, request)


def _is_trusted_origin(origin: str, request: Request) -> bool:
    if origin == f"{request.scheme}://{request.get_host()}" or origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    wildcards = [urlsplit(entry.replace("*", "")) for entry in settings.CSRF_TRUSTED_ORIGINS if "*" in entry]
    parts = urlsplit(origin)
    return any(parts.scheme == entry.scheme and is_same_domain(parts.netloc, entry.netloc) for entry in wildcards)
