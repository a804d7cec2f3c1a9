"""What all our commands share: exit statuses that tell the truth, one sentence instead of a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

SCRIPT_NAME = "cleanup_dead_links.py"
"""Called by this name, a command is the whole script, not a word after `manage.py`."""


class OneLineErrorParser(CommandParser):
    """A wrong argument ends in one sentence and status 1 (argparse's own is 2)."""

    def error(self, message: str) -> NoReturn:
        if self.called_from_command_line:
            self.exit(1, f"{self.prog}: {message}\n")
        raise CommandError(f"Error: {message}")


class OpenreelCommand(BaseCommand):
    """`example` is shown beneath --help. A reader that goes away (`| head`) ends the command in silence."""

    example = ""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # Django builds its own CommandParser; making it ours after the fact keeps everything else that it does.
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.__class__ = OneLineErrorParser
        if prog_name.endswith(SCRIPT_NAME):
            parser.prog = SCRIPT_NAME
        if self.example:
            parser.epilog = f"Example: {self.example}"
        return parser

    def run_from_argv(self, argv: Sequence[str]) -> None:
        try:
            super().run_from_argv(list(argv))
            sys.stdout.flush()
        except BrokenPipeError:
            # Python flushes stdout once more at exit; into nothing, so that it does not complain there.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except KeyboardInterrupt:
            sys.exit(130)

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except DatabaseError as error:
            raise CommandError(f"The database says: {' '.join(str(error).split())}") from error
