"""Authentication by a key of the API. The REST framework loads this module before its own views."""

from __future__ import annotations

import logging

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import DatabaseError, transaction
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

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
