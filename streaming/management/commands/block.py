"""Take down an address or a movie."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from scraper.net.url_policy import InvalidValue
from streaming.formatting import counted
from streaming.ingest.takedown import block
from streaming.management.base import OpenreelCommand
from streaming.models import BlockedAddress


class Command(OpenreelCommand):
    help = "Take down a host, a URL prefix or an IMDb id. It is never saved or shown again."
    example = 'python manage.py block films.example.org --reason "the owner asked for it"'

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="a host (with its subdomains), the beginning of a URL, or an IMDb id")
        parser.add_argument("--reason", required=True, help="the reason, for staff only, at most 300 characters")

    def handle(self, *, address: str, reason: str, **options: Any) -> str:
        if not (reason := " ".join(reason.split())[:300]):
            raise CommandError("--reason is empty. State a reason.")
        try:
            blocked, count = block(address, reason=reason)
        except InvalidValue as error:
            raise CommandError(f"{error}.") from None
        is_movie = blocked.kind == BlockedAddress.Kind.IMDB_ID
        effect = f"{count} movie removed" if is_movie else f"{counted(count, 'link')} turned off"
        return f"Blocked {blocked.kind} {blocked.address}: {effect}."
