"""Create the groups of staff accounts."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.core.management.base import CommandError
from django.db import transaction

from streaming.management.base import OpenreelCommand
from streaming.staff_groups import create_staff_groups


class Command(OpenreelCommand):
    help = (
        "Create the groups Editors (movies, links, bindings, review, takedowns) and Operators (takedowns and lifting "
        "them, host pauses). Both may search for links, cancel searches and restore movies. Existing groups of these "
        "names get exactly these permissions again and keep their members."
    )
    example = "python manage.py create_groups"

    def handle(self, **options: Any) -> str:
        try:
            with transaction.atomic():
                groups = create_staff_groups()
        except Permission.DoesNotExist as error:
            raise CommandError(f"{str(error).capitalize()}. Run migrate first.") from None
        return "\n".join(f"{group.name}: {group.permissions.count()} permissions." for group in groups)
