"""Keys of the API: each acts as an account, may be limited to reading, and is stored as a digest only."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.crypto import constant_time_compare

PREFIX_BYTES, SECRET_BYTES = 6, 32
MARK = "openreel"
"""Begins each key, so that scanners of source code can find one that was published by mistake."""
USE_RESOLUTION = timedelta(hours=1)
"""`last_used_at` is written so often at most."""


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Queries about many keys."""

    def usable(self) -> ApiKeyQuerySet:
        """Keys that were not revoked, of accounts that are active."""
        return self.filter(revoked_at=None, user__is_active=True)

    def find(self, text: str) -> ApiKey | None:
        """The usable key with this text, with its account."""
        mark, _, rest = text.partition("_")
        prefix, _, secret = rest.partition("_")
        if mark != MARK or not secret or not text.isascii() or "\0" in text:
            return None
        found = self.usable().select_related("user").filter(prefix=prefix).first()
        # Compared even if there is none, so that the time does not tell which prefixes exist.
        is_right = constant_time_compare(digest_of(secret), found.digest if found else digest_of(""))
        return found if is_right else None

    def revoke(self, *, now: datetime) -> int:
        """Revoke these keys; return how many were usable until now."""
        return self.filter(revoked_at=None).update(revoked_at=now)


class ApiKey(models.Model):
    """A key. `prefix` finds its row; `digest` is that of the rest, which nobody can read back.

    No salt and no slow hash: the secret has 256 random bits, so nobody can guess it from its digest.
    """

    class Scope(models.TextChoices):
        READ = "read", "Read"
        WRITE = "write", "Read and write"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys", editable=False
    )
    name = models.CharField(max_length=60, help_text="What uses the key, such as “mirror at home”.")
    scope = models.CharField(max_length=5, choices=Scope, default=Scope.READ)
    prefix = models.CharField(max_length=12, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({MARK}_{self.prefix}_…)"

    def set_secret(self) -> str:
        """Give the key a new secret and return its whole text, which is not stored."""
        self.prefix, secret = secrets.token_hex(PREFIX_BYTES), secrets.token_urlsafe(SECRET_BYTES)
        self.digest = digest_of(secret)
        return f"{MARK}_{self.prefix}_{secret}"

    def is_use_unnoted(self, *, now: datetime) -> bool:
        """Whether `last_used_at` says nothing of the last hour, or was written by a fast clock."""
        return self.last_used_at is None or not now - USE_RESOLUTION < self.last_used_at <= now


def digest_of(secret: str) -> str:
    """The digest that is stored in place of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
