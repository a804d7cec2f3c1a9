"""Takedown by hand."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from scraper.net.url_policy import InvalidValue
from streaming.ingest.takedown import block
from streaming.management.base import OpenreelCommand
from streaming.models import BlockedAddress


class Command(OpenreelCommand):
    help = "Take down a host, a URL prefix or an IMDb id: never saved, never shown again."
    example = 'python manage.py block films.example.org --reason "the owner asked for it"'

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="a host (its subdomains too), the beginning of a URL, or an IMDb id")
        parser.add_argument("--reason", required=True, help="why, in a few words (300 characters)")

    def handle(self, *, address: str, reason: str, **options: Any) -> str:
        if not (said := " ".join(reason.split())[:300]):
            raise CommandError("--reason is empty: say why.")
        try:
            row, gone = block(address, reason=said)
        except InvalidValue as refusal:
            raise CommandError(f"{refusal}.") from None
        went = "movie removed" if row.kind == BlockedAddress.Kind.IMDB_ID else "links turned off"
        return f"Blocked {row.kind} {row.address}: {gone} {went}."
