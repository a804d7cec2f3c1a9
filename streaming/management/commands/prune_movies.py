"""The clean-up by hand, as a command."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from streaming.health.prune import prune_by_hand
from streaming.management.base import OpenreelCommand


class Command(OpenreelCommand):
    help = (
        "Remove movies that nobody can watch: all links gone or failing for long, or never a link. See restore_movies."
    )
    example = "python manage.py prune_movies --dry-run"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say how many")

    def handle(self, *, dry_run: bool, **options: Any) -> str:
        return "\n".join(prune_by_hand(now=timezone.now(), dry_run=dry_run).summary_lines())
