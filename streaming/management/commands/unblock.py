"""The end of a takedown."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from scraper.net.url_policy import InvalidValue
from streaming.ingest.takedown import unblock
from streaming.management.base import OpenreelCommand


class Command(OpenreelCommand):
    help = "Lift a takedown. Links come back when the next check finds them alive, a movie by restore_movies."
    example = "python manage.py unblock films.example.org"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="as it was given to block")

    def handle(self, *, address: str, **options: Any) -> str:
        try:
            lifted = unblock(address)
        except InvalidValue as refusal:
            raise CommandError(f"{refusal}.") from None
        if not lifted:
            raise CommandError(f"{ascii(address)[:80]} is not blocked.")
        return f"Unblocked {address}."
