"""The command that restores removed movies: the same rows with the same ids."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet
from django.utils.dateparse import parse_date, parse_datetime

from streaming.formatting import counted
from streaming.ingest.tombstones import restore_movies
from streaming.management.base import OpenreelCommand
from streaming.models import RemovedMovie


class Command(OpenreelCommand):
    help = "Restore removed movies with their links and history: by IMDb id, those removed since a date, or all."
    example = "python manage.py restore_movies --since 2026-11-01 --list"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("imdb_ids", nargs="*", metavar="IMDB_ID", help="the movies to restore")
        parser.add_argument("--since", metavar="DATE", help="all movies removed on this day (UTC) or later")
        parser.add_argument("--all", action="store_true", help="all removed movies")
        parser.add_argument("--list", action="store_true", help="only list them")

    def handle(self, **options: Any) -> str:
        removed = _selected(options)
        if options["list"]:
            rows = removed.values_list("imdb_id", "removed_at", "title", "reason")
            return (
                "\n".join(f"{key}  {at:%Y-%m-%d %H:%M}  {title}  ({reason})" for key, at, title, reason in rows)
                or "None."
            )
        selected = set(removed.values_list("imdb_id", flat=True))
        restored = restore_movies(selected)
        said = f"{counted(len(restored), 'movie')} restored"
        if len(restored) < len(selected):
            skipped = ", ".join(sorted(selected - set(restored))[:10])
            raise CommandError(f"{said}; already in the catalogue or taken down: {skipped}.")
        return f"{said}."


def _selected(options: dict[str, Any]) -> QuerySet[RemovedMovie]:
    imdb_ids, since, everything = options["imdb_ids"], options["since"], options["all"]
    removed = RemovedMovie.objects.filter(restored_at=None).order_by("removed_at", "pk")
    if bool(imdb_ids) + bool(since) + everything > 1:
        raise CommandError("Choose one of IMDB_ID, --since and --all.")
    if since:
        return removed.filter(removed_at__gte=_datetime_argument(since))
    if imdb_ids:
        known = set(removed.filter(imdb_id__in=imdb_ids).values_list("imdb_id", flat=True))
        if unknown := [key for key in imdb_ids if key not in known]:
            raise CommandError(f"{ascii(unknown[0])[:60]} is not a removed movie; --list shows them.")
        return removed.filter(imdb_id__in=imdb_ids)
    if not everything and not options["list"]:
        raise CommandError("Name the movies: IMDB_ID, --since DATE or --all; --list shows them.")
    return removed


def _datetime_argument(text: str) -> datetime:
    try:
        day = parse_date(text)
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC) if day else parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise CommandError(f"--since {text[:40]!r}: write a day such as 2026-11-01.")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
