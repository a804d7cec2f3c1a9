"""The command that proves the counters and invariants of the catalogue, and mends them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from streaming import catalogue_check
from streaming.management.base import OpenreelCommand


class Command(OpenreelCommand):
    help = (
        "Compare the counters that pages show, and what else has to be true, with the movies and links themselves. "
        "Exit status 1 if something is wrong and was not mended."
    )
    example = "python manage.py check_catalogue --repair"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--repair", action="store_true", help="mend what is wrong; nobody else writes meanwhile (minutes at most)"
        )

    def handle(self, *, repair: bool, **options: Any) -> None:
        wrong = []
        for finding in catalogue_check.check_all():
            self._print(finding)
            if finding.problems:
                wrong.append(finding)
        if wrong and not repair:
            raise CommandError("the catalogue contradicts itself: run check_catalogue --repair.")
        if wrong:
            catalogue_check.mend(wrong)
            self.stdout.write(f"Mended: {', '.join(finding.check.name for finding in wrong)}.")

    def _print(self, finding: catalogue_check.CheckFinding) -> None:
        number = len(finding.problems)
        self.stdout.write(f"{finding.check.name}: {f'wrong ({number})' if number else 'right'}")
        for line in finding.lines:
            self.stdout.write(f"  {line}")
