"""The command that mends the search index and brings it up to date."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from streaming.management.base import OpenreelCommand
from streaming.models import Movie
from streaming.search_index import interrupted_at, rebuild, wrong_titles, wrong_words


class Command(OpenreelCommand):
    help = (
        "Mend the search index, and sort it by what is known best by now. The catalogue stays in use meanwhile. A "
        "rebuild that was interrupted is continued where it stopped."
    )
    example = "python manage.py rebuild_search_index"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only say what is wrong; exit status 1 if anything is")

    def handle(self, *, check: bool, **options: Any) -> str:
        return self._check() if check else self._rebuild()

    def _check(self) -> str:
        if problems := [*wrong_titles(), *wrong_words()]:
            self.stdout.write("\n".join(problems))
            raise CommandError(f"The search index is wrong in {len(problems)} points: run it without --check.")
        return "The search index agrees with the titles."

    def _rebuild(self) -> str:
        after = interrupted_at()
        movies = Movie.objects.filter(pk__gt=after).count()
        with tqdm(total=movies, unit=" movies", file=sys.stderr, disable=None) as bar:
            report = rebuild(after=after, on_progress=bar.update)
        again = "The rebuild was continued. " if after else ""
        return f"{again}{report.movies} movies are in the search index; {report.mended} were not, or wrongly."
