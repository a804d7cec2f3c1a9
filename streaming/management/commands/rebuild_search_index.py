"""The command that mends the search index and brings it up to date."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm

from streaming.management.base import OpenreelCommand
from streaming.models import Movie
from streaming.search_index import interrupted_at, rebuild


class Command(OpenreelCommand):
    help = (
        "Mend the search index, and sort it by what is known best by now. The catalogue stays in use meanwhile. A "
        "rebuild that was interrupted is continued where it stopped."
    )
    example = "python manage.py rebuild_search_index"

    def handle(self, **options: Any) -> str:
        after = interrupted_at()
        movies = Movie.objects.filter(pk__gt=after).count()
        with tqdm(total=movies, unit=" movies", file=sys.stderr, disable=None) as bar:
            report = rebuild(after=after, on_progress=bar.update)
        again = "The rebuild was continued. " if after else ""
        return f"{again}{report.movies} movies are in the search index; {report.mended} were not, or wrongly."
