"""The log of what staff wrote: who, what and which row, in the table of Django's admin.

Call these functions in the transaction of the write, so that neither exists without the other.
"""

from __future__ import annotations

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model


def log_added(user: AbstractBaseUser | AnonymousUser, *rows: Model, note: str) -> None:
    """Record that `user` added these rows; `note` is one sentence, shown in the row's history."""
    _log(user, rows, ADDITION, note)


def log_changed(user: AbstractBaseUser | AnonymousUser, *rows: Model, note: str) -> None:
    """Record that `user` changed these rows."""
    _log(user, rows, CHANGE, note)


def log_deleted(user: AbstractBaseUser | AnonymousUser, *rows: Model, note: str) -> None:
    """Record that `user` deleted these rows; call it before the deletion, while they have their ids."""
    _log(user, rows, DELETION, note)


def _log(user: AbstractBaseUser | AnonymousUser, rows: tuple[Model, ...], flag: int, note: str) -> None:
    LogEntry.objects.log_actions(str(user.pk), rows, flag, note)
