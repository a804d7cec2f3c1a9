"""The command that removes movies without a working link."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from streaming.health.prune import prune_by_hand
from streaming.management.base import OpenreelCommand


class Command(OpenreelCommand):
    help = (
        "Remove movies that nobody can watch: every link is gone or has failed for long, or there never was one. "
        "restore_movies undoes it."
    )
    example = "python manage.py prune_movies --dry-run"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only print how many")

    def handle(self, *, dry_run: bool, **options: Any) -> str:
        return "\n".join(prune_by_hand(now=timezone.now(), dry_run=dry_run).summary_lines())
