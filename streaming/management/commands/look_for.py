"""Ask the sources for titles that are not in the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from scraper.items import normalize_imdb_id
from streaming.formatting import counted
from streaming.management.base import OpenreelCommand
from streaming.models import Movie, TitleRequest
from streaming.scraping.jobs import QueueFull
from streaming.title_lookup import describe_title_if_possible
from streaming.title_requests import TitleRefused, TooManyTitles, ask_for_title, newest_search, repeat_search

MAX_DUE = 50
REQUESTER = "command"
REFUSAL = "was taken down or removed by staff, and is not searched"


class Command(OpenreelCommand):
    help = (
        "Ask the sources for titles that are not in the catalogue; a title is added with the first link that is found. "
        "--due repeats the searches of visitors that found nothing and whose date has come."
    )
    example = "python manage.py look_for tt0013442"
    dates_lines = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("imdb_ids", nargs="*", metavar="IMDB_ID")
        parser.add_argument(
            "--due", action="store_true", help=f"the requests that are due, {MAX_DUE} at most, as far as the queue goes"
        )

    def handle(self, *, imdb_ids: Sequence[str], due: bool, **options: Any) -> None:
        if due == bool(imdb_ids):
            raise CommandError("name titles by their IMDb ids, or use --due.")
        if due:
            self._search_due()
            return
        known = [normalize_imdb_id(text) for text in imdb_ids]
        if "" in known:
            wrong = ascii(imdb_ids[known.index("")])[:60]
            raise CommandError(f"{wrong} is not an IMDb id of a title: those are tt and 7 to 9 digits.")
        for imdb_id in dict.fromkeys(known):
            self._search_named(imdb_id)

    def _search_due(self) -> None:
        now, started = timezone.now(), 0
        for request in TitleRequest.objects.due(now=now)[:MAX_DUE]:
            if Movie.objects.filter(imdb_id=request.imdb_id).exists():
                TitleRequest.objects.filter(pk=request.pk).update(outcome=TitleRequest.Outcome.FOUND)
                continue
            try:
                repeat_search(request, requested_by=REQUESTER, now=now)
            except TitleRefused:
                request.delete()
            except QueueFull:
                self.stdout.write("The queue is full; the others are searched with the next run.")
                break
            else:
                started += 1
        self.stdout.write(f"{counted(started, 'search', plural='searches')} started.")

    def _search_named(self, imdb_id: str) -> None:
        if Movie.objects.filter(imdb_id=imdb_id).exists():
            self.stdout.write(f"{imdb_id}: is in the catalogue; `scrape` searches it.")
            return
        about = describe_title_if_possible(imdb_id)
        if about and not about.is_watchable:
            raise CommandError(f"{imdb_id} is no film or show, but: {about.kind}.")
        try:
            request = ask_for_title(imdb_id, about=about, requested_by=REQUESTER, now=timezone.now())
        except TitleRefused:
            raise CommandError(f"{imdb_id} {REFUSAL}.") from None
        except (QueueFull, TooManyTitles):
            raise CommandError(f"{imdb_id}: too many searches wait. Try again later.") from None
        self.stdout.write(f"{imdb_id}: {_state(request)}.")


def _state(request: TitleRequest) -> str:
    job = newest_search(request)
    return "is searched now" if job is None or job.is_open else request.get_outcome_display().lower()
