"""Staff accounts: with the groups of `create_groups`, or with single permissions."""

from __future__ import annotations

from django.contrib.auth.models import Permission, User

from streaming.staff_groups import create_staff_groups


def make_staff(username: str) -> User:
    """A staff account in both groups."""
    user = User.objects.create(username=username, is_staff=True)
    user.groups.set(create_staff_groups())
    return user


def make_staff_with(username: str, *permissions: str, is_staff: bool = True) -> User:
    """An account with these permissions, written `app.codename`, and no group."""
    user = User.objects.create(username=username, is_staff=is_staff)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user
