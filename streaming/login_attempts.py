"""Limit guesses of passwords by account and by client; decision 0015 says who is locked out, and who is not.

An attempt is counted before the password is judged and taken back if it was right, so that of many guesses at once no
more are judged than the limits allow.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.core import signing
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.crypto import constant_time_compare, salted_hmac

from streaming.leases import seconds_from_now
from streaming.models import LoginCounter

WINDOW = timedelta(minutes=15)
# A device that has logged in to the account before; a strange client; all strange clients at one account together; an
# IPv6 /48, which one person may hold but several may use.
DEVICE_LIMIT, CLIENT_LIMIT, ACCOUNT_LIMIT, NETWORK_LIMIT = 5, 5, 20, 20
DEVICE_COOKIE_AGE = timedelta(days=400)
"""The longest that browsers keep a cookie."""
COOKIE_SALT = "streaming.known_device"


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """The keys under which one attempt is counted."""

    keys: tuple[str, ...]


def begin_attempt(account: str, *, networks: Sequence[str], cookies: Mapping[str, str]) -> LoginAttempt | None:
    """Count an attempt to log in; None, and nothing counted, when it is over a limit and must not be judged.

    `account` is the name as Django stores it, whether or not there is such an account; `networks` are those of the
    client, the smallest first. A known device is counted by itself only.
    """
    limits = _limits(account, networks=networks, device=_known_device(account, cookies))
    with transaction.atomic():
        # In one order, so that attempts that change the same rows do not wait for each other in a circle.
        counts = {key: _count(key) for key in sorted(limits)}
        if all(counts[key] <= limit for key, limit in limits.items()):
            return LoginAttempt(tuple(counts))
        transaction.set_rollback(True)
    return None


def take_back(attempt: LoginAttempt) -> None:
    """Uncount an attempt that was no guess. The failures of others, and earlier ones, stay counted."""
    with transaction.atomic():
        for key in attempt.keys:
            LoginCounter.objects.filter(pk=key, attempts__gt=0).update(attempts=F("attempts") - 1)


def device_cookie(account: str) -> tuple[str, str]:
    """Return the name and value of a new cookie for a device that has just logged in to this account.

    It is good until the password changes.
    """
    value = [account, secrets.token_hex(16), _password_mark(account)]
    return _cookie_name(account), signing.dumps(value, salt=COOKIE_SALT)


def _limits(account: str, *, networks: Sequence[str], device: str | None) -> dict[str, int]:
    """Return the limit of each key that counts this attempt."""
    if device is not None:
        return {_key("device", account, device): DEVICE_LIMIT}
    limits = {_key("network", network): NETWORK_LIMIT for network in networks}
    return {**limits, _key("network", networks[0]): CLIENT_LIMIT, _key("account", account): ACCOUNT_LIMIT}


def _known_device(account: str, cookies: Mapping[str, str]) -> str | None:
    """Return the device that our signed cookie names; None without a valid one for this account."""
    try:
        owner, device, mark = signing.loads(
            cookies.get(_cookie_name(account), ""), salt=COOKIE_SALT, max_age=DEVICE_COOKIE_AGE
        )
    except (signing.BadSignature, ValueError):  # not ours, too old, or of the form before it named the password
        return None
    is_current = owner == account and constant_time_compare(mark, _password_mark(account))
    return str(device) if is_current else None


def _password_mark(account: str) -> str:
    """Return what changes with the account's password and does not tell it; empty without such an account."""
    user = get_user_model()._default_manager.filter(username=account).only("password").first()
    return user.get_session_auth_hash()[:32] if user is not None else ""


def _cookie_name(account: str) -> str:
    return f"known-device-{_key('cookie', account)[:16]}"


def _key(kind: str, *parts: str) -> str:
    return salted_hmac(f"streaming.login.{kind}", "\0".join(parts), algorithm="sha256").hexdigest()


def _count(key: str) -> int:
    """Count an attempt in the window of this key, which opens with its first one; return the count.

    A window that opens in the future was opened before the clock was set back: a new one opens.
    """
    row = LoginCounter.objects.filter(pk=key)
    LoginCounter.objects.bulk_create([LoginCounter(key=key, attempts=0, opened_at=Now())], ignore_conflicts=True)
    is_open = {"opened_at__gt": seconds_from_now(-WINDOW.total_seconds()), "opened_at__lte": seconds_from_now(60)}
    if not row.filter(**is_open).update(attempts=F("attempts") + 1):
        row.update(attempts=1, opened_at=Now())
    return row.values_list("attempts", flat=True).get()
