"""Authentication by a key of the API, and what a key for reading may not do."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import DatabaseError, transaction
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from streaming import write_wait
from streaming.models import ApiKey

log = logging.getLogger(__name__)

SCHEME = "Bearer"
MAX_KEY_LENGTH = 200


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer openreel_…`: the request is one of the key's account."""

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, ApiKey] | None:
        scheme, _, text = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        key = ApiKey.objects.find(text.strip()) if len(text) <= MAX_KEY_LENGTH else None
        if key is None:
            raise AuthenticationFailed("The key is wrong or was revoked.")
        _mark_used(key)
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        return SCHEME


def _mark_used(key: ApiKey) -> None:
    """Note the use; the request is answered even while the database takes no write."""
    now = timezone.now()
    if not key.is_use_unnoted(now=now):
        return
    try:
        with write_wait.limited_write_wait(write_wait.OPTIONAL_WRITE_SECONDS), transaction.atomic():
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    except DatabaseError as error:
        if not write_wait.is_unavailable(error):
            raise
        log.warning("The use of the API key %s could not be noted: %s", key.prefix, error)


class ApiKeyScopePermission(BasePermission):
    """Refuse writes with a key that is for reading only."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        is_reader = isinstance(request.auth, ApiKey) and request.auth.scope != ApiKey.Scope.WRITE
        if is_reader and request.method not in SAFE_METHODS:
            raise PermissionDenied("This key is for reading only.")
        return True


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[misc]
    """How the schema describes keys."""

    target_class = "streaming.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A key of the API, made in the admin."}
