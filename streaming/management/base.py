"""The base class of all commands: accurate exit statuses, and a one-line message instead of a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn, TextIO, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser, OutputWrapper
from django.db import DatabaseError, OperationalError, ProgrammingError, connection
from django.db.migrations.executor import MigrationExecutor

from streaming.management.dated_lines import DatedLines

UNMIGRATED = "The database is not up to date: run `python manage.py migrate`."
JSON_WORDS = frozenset({"json", "--format=json"})
"""Arguments with which the output is for a program."""
SCRIPT_NAME = "cleanup_dead_links.py"
"""Under this name a script is one command, without `manage.py` before it."""


class OneLineErrorParser(CommandParser):
    """A parser that reports a wrong argument in one line and exits with status 1 (argparse: 2)."""

    def error(self, message: str) -> NoReturn:
        if self.called_from_command_line:
            self.exit(1, f"{self.prog}: {message}\n")
        raise CommandError(f"Error: {message}")


class OpenreelCommand(BaseCommand):
    """A command whose --help ends with `example`. A closed pipe (`| head`) ends it silently.

    `dates_lines`: each line that does not go to a terminal begins with the time, for a log of many runs.
    """

    example = ""
    dates_lines = False
    # They check the code, import all views and the admin, and take as long as everything else that starts a command:
    # `make check` runs them.
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # Django creates its own CommandParser; changing its class keeps everything else that Django sets up.
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.__class__ = OneLineErrorParser
        if prog_name.endswith(SCRIPT_NAME):
            parser.prog = SCRIPT_NAME
        if self.example:
            parser.epilog = f"Example: {self.example}"
        return parser

    def run_from_argv(self, argv: Sequence[str]) -> None:
        if self.dates_lines and not JSON_WORDS & set(argv):
            self._date_lines()
        try:
            super().run_from_argv(list(argv))
            sys.stdout.flush()
        except BrokenPipeError:
            # Python flushes stdout again at exit; to the null device that raises nothing.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except KeyboardInterrupt:
            sys.exit(130)

    def _date_lines(self) -> None:
        if not sys.stdout.isatty():
            self.stdout = OutputWrapper(cast(TextIO, DatedLines(sys.stdout)))
        if not sys.stderr.isatty():
            self.stderr = OutputWrapper(cast(TextIO, DatedLines(sys.stderr)))

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except DatabaseError as error:
            if isinstance(error, OperationalError | ProgrammingError) and _is_unmigrated():
                raise CommandError(UNMIGRATED) from error
            raise CommandError(f"Database error: {' '.join(str(error).split())}") from error
        except OSError as error:  # a file of another user, a read-only or a full disk
            if isinstance(error, BrokenPipeError) or error.filename is None:
                raise
            raise CommandError(f"{error.filename}: {error.strerror}.") from error


def _is_unmigrated() -> bool:
    """Whether the database lacks migrations; False if it cannot say."""
    try:
        executor = MigrationExecutor(connection)
        return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError:
        return False
