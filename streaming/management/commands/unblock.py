"""Lift a takedown."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from scraper.net.url_policy import InvalidValue
from streaming.formatting import quote_value
from streaming.ingest.takedown import unblock
from streaming.management.base import OpenreelCommand


class Command(OpenreelCommand):
    help = "Lift a takedown. Its links have their former state again at once, and a movie that it removed returns."
    example = "python manage.py unblock films.example.org"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="the address as it was given to block")

    def handle(self, *, address: str, **options: Any) -> str:
        try:
            lifted = unblock(address)
        except InvalidValue as error:
            raise CommandError(f"{error}.") from None
        if not lifted:
            raise CommandError(f"{quote_value(address)} is not blocked.")
        return f"Unblocked {address}."
