"""What all answers of the API share: errors as JSON, who may write, answers that need not be sent again."""

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
    """As many jobs wait as may wait; come back in `wait` seconds."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "Too many searches are waiting; try again later."

    def __init__(self, wait: int) -> None:
        super().__init__()
        self.wait = wait


class ConflictError(APIException):
    status_code = status.HTTP_409_CONFLICT


class BodyTooLargeError(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."


class SameOriginPermission(BasePermission):
    """Refuses what another site's page sends in a visitor's name; a token in the header is no visitor's."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method in SAFE_METHODS or request.auth is not None or _is_same_origin(request):
            return True
        # Said outright: a mere False would ask an anonymous visitor to sign in, which would not help.
        raise PermissionDenied("This request comes from another site.")


class StrictJSONParser(JSONParser):
    """Python's own reader of JSON gives up on deep nesting with an error that is no ParseError.

    And it takes half a character (`"\\ud800"`), which an answer that names the wrong value could not repeat.
    """

    def parse(self, *args: Any, **options: Any) -> Any:
        try:
            parsed = super().parse(*args, **options)
            json.dumps(parsed, ensure_ascii=False).encode()
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        except UnicodeEncodeError:
            raise ParseError("The JSON holds half a character: a surrogate without its other half.") from None
        return parsed


class ApiView(APIView):
    """Knows its parameters and refuses others. `parameters` by action name (`""`: of a plain view)."""

    allowed_parameters: dict[str, frozenset[str]] = {}
    permission_classes = [SameOriginPermission]
    parser_classes = [StrictJSONParser]

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        known = self.allowed_parameters.get(getattr(self, "action", None) or "")
        if known is not None and request.method in SAFE_METHODS:
            reject_unknown_parameters(request.query_params, known=known | COMMON_PARAMETERS)


def handle_exception(error: Exception, context: dict[str, object]) -> Response | None:
    """DRF's handler; what nobody expected is logged and told to Django's signal, and still answered as JSON."""
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
    """The viewer's languages, dearest first: `?language=` before what the browser says."""
    asked = request.query_params.get("language")
    return [*([asked] if asked else []), *accepted_languages(request.headers.get("Accept-Language", ""))]


def conditional_response(
    request: Request,
    build: Callable[[], Response],
    *,
    state: object,
    modified: datetime | None,
    cache_control: str = "no-cache",
) -> HttpResponseBase:
    """The answer, or 304 without building it when the client holds this state of it already.

    `state` is a fingerprint of all that the answer shows; language and query are put to it here.
    """
    about = (settings.VERSION, request.build_absolute_uri(), request_languages(request), state)
    etag = f'W/"{blake2b(repr(about).encode(), digest_size=12).hexdigest()}"'
    seconds = int(modified.timestamp()) if modified else None
    known = get_conditional_response(request._request, etag=etag, last_modified=seconds)
    response = known if known is not None else build()
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
    stars = [urlsplit(entry.replace("*", "")) for entry in settings.CSRF_TRUSTED_ORIGINS if "*" in entry]
    parts = urlsplit(origin)
    return any(parts.scheme == star.scheme and is_same_domain(parts.netloc, star.netloc) for star in stars)
