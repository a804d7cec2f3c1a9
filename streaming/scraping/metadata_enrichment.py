"""Fill in the year, synopsis, poster, runtime, genres and people of movies from metadata providers."""

from __future__ import annotations

import gzip
import io
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.db.models import Q

from scraper.extraction.film import valid_year
from scraper.extraction.json_values import UnreadableResponse
from scraper.items import MOVIE_FACTS
from scraper.metadata_providers import (
    FilmMetadata,
    parse_imdb_titles,
    parse_omdb,
    parse_tmdb_details,
    parse_tmdb_find,
    parse_tvmaze,
)
from scraper.net.url_policy import InvalidValue
from streaming.ingest.records import MovieRecord, parse_movie
from streaming.ingest.save import save_links
from streaming.models import Movie

BATCH_SIZE = 200
ROWS_PER_PROGRESS = 1000
"""Of IMDb's file, which takes minutes and may have no film of the catalogue for long."""
PROVIDED_FACTS = tuple(name for name in MOVIE_FACTS if name in FilmMetadata.__dataclass_fields__)
NOT_FOUND_STATUSES = (404, 410)
RETRIED_STATUSES = (502, 503, 504)
RETRY_PAUSES = (0.3, 0.6)
MAX_REDIRECTS = 3


class MetadataError(Exception):
    """A provider gave no usable response; the message never contains the API key."""


@dataclass(frozen=True, slots=True)
class MetadataProvider:
    """A metadata provider: how to look up a film, the setting with its key (empty: none), seconds between requests."""

    name: str
    look_up: Callable[[MetadataClient, str], FilmMetadata]
    key_setting: str = ""
    delay: float = 0.05


class Reply(Protocol):
    """A response: no `status` is no complete one, `data` is None if it is not JSON, `moved_to` an absolute URL."""

    @property
    def status(self) -> int | None: ...
    @property
    def data(self) -> object: ...
    @property
    def moved_to(self) -> str | None: ...


class MetadataClient:
    """A client of one provider that stays on its host and tries three times.

    `fetch_url` makes one request, without following redirects, and bounds its time and size.
    """

    def __init__(self, provider: MetadataProvider, *, fetch_url: Callable[[str], Reply]) -> None:
        self.provider, self.fetch_url = provider, fetch_url
        self.key = str(getattr(settings, provider.key_setting)) if provider.key_setting else ""
        if provider.key_setting and not self.key:
            raise MetadataError(f"{provider.name} needs a key: set {provider.key_setting}")

    def fetch(self, imdb_id: str) -> FilmMetadata:
        """Return the metadata of one film. Raises MetadataError and UnreadableResponse."""
        return self.provider.look_up(self, imdb_id)

    def get_json(self, url: str, **query: str) -> object:
        """Return a JSON response, None when the provider has no such film. Raises like `fetch`.

        No message contains the URL, for the key is part of it.
        """
        current = f"{url}?{urlencode(query)}" if query else url
        for _ in range(MAX_REDIRECTS):
            reply = self._get(current)
            # Scheme and host: the key, which is part of the URL, leaves neither the host nor TLS.
            if reply.moved_to and urlsplit(reply.moved_to)[:2] == urlsplit(url)[:2]:
                current = reply.moved_to
                continue
            if reply.status in NOT_FOUND_STATUSES:
                return None
            if reply.status is None:
                raise MetadataError(f"{self.provider.name} could not be reached, or gave no complete response")
            if reply.status != 200:
                raise MetadataError(f"{self.provider.name} responded with status {reply.status}")
            return _json_of(reply)
        raise MetadataError(f"{self.provider.name} redirects in a loop")

    def _get(self, url: str) -> Reply:
        """Retry-After is ignored: it may be hours, and the command can simply be run again later."""
        for pause in RETRY_PAUSES:
            reply = self.fetch_url(url)
            if reply.status is not None and reply.status not in RETRIED_STATUSES:
                return reply
            time.sleep(pause)
        return self.fetch_url(url)


def _json_of(reply: Reply) -> object:
    if reply.data is None or isinstance(reply.data, str):
        raise UnreadableResponse("the answer is not JSON")
    return reply.data


def _tvmaze(client: MetadataClient, imdb_id: str) -> FilmMetadata:
    response = client.get_json(f"{settings.TVMAZE_URL}/lookup/shows", imdb=imdb_id)
    return parse_tvmaze(response) if response is not None else FilmMetadata(problem="not_found")


def _omdb(client: MetadataClient, imdb_id: str) -> FilmMetadata:
    return parse_omdb(client.get_json(f"{settings.OMDB_URL}/", i=imdb_id, apikey=client.key))


def _tmdb(client: MetadataClient, imdb_id: str) -> FilmMetadata:
    key = {"api_key": client.key}
    found = parse_tmdb_find(client.get_json(f"{settings.TMDB_URL}/3/find/{imdb_id}", external_source="imdb_id", **key))
    kind, numbers = ("movie", found.movies) if found.movies else ("tv", found.shows)
    if not numbers:
        return found.first
    parts = "external_ids,translations" if kind == "tv" else "translations"
    details = client.get_json(f"{settings.TMDB_URL}/3/{kind}/{numbers[0]}", **key, append_to_response=parts)
    return parse_tmdb_details(details, languages=dict(settings.LANGUAGES)) if details is not None else found.first


PROVIDERS = {
    "tvmaze": MetadataProvider("TVmaze", _tvmaze, delay=0.5),
    "tmdb": MetadataProvider("TMDB", _tmdb, key_setting="TMDB_API_KEY"),
    "omdb": MetadataProvider("OMDb", _omdb, key_setting="OMDB_API_KEY"),
}


@dataclass(slots=True)
class EnrichmentReport:
    """Totals of a run: movies looked up, found and updated, and responses that could not be read."""

    looked_up: int = 0
    found: int = 0
    updated: int = 0
    unreadable: int = 0


def incomplete_movies(imdb_ids: Sequence[str], *, limit: int, turn: int = 0) -> list[str]:
    """Return the IMDb ids of movies of which something is not known, oldest first: of these ids, or of all.

    `turn` 0 begins with the oldest, 1 with those after the first `limit`, and so on, round and round.
    """
    incomplete = Movie.objects.filter(
        Q(year=None) | Q(synopsis="") | Q(poster_url="") | Q(runtime_minutes=None) | Q(genres=[])
    )
    chosen = incomplete.filter(imdb_id__in=imdb_ids) if imdb_ids else incomplete
    ordered = chosen.order_by("created_at", "pk").values_list("imdb_id", flat=True)
    start = turn * limit % max(1, chosen.count()) if turn else 0
    return list(ordered[start : start + limit])


def enrich_movies(
    imdb_ids: Iterable[str], *, client: MetadataClient, on_progress: Callable[[EnrichmentReport], None]
) -> EnrichmentReport:
    """Look up each movie and save what it lacks, one at a time, so that an interrupted run loses nothing."""
    report = EnrichmentReport()
    for imdb_id in imdb_ids:
        if report.looked_up:
            time.sleep(client.provider.delay)
        report.looked_up += 1
        try:
            metadata = client.fetch(imdb_id)
        except UnreadableResponse:
            report.unreadable += 1
        else:
            # Ignore metadata that names another film.
            if not metadata.problem and metadata.imdb_id in ("", imdb_id):
                report.found += 1
                report.updated += _save_missing([_record(imdb_id, metadata)])
        on_progress(report)
    return report


def enrich_from_imdb_file(path: Path, *, on_progress: Callable[[EnrichmentReport], None]) -> EnrichmentReport:
    """Fill in what IMDb's `title.basics.tsv` says, plain or gzipped, read line by line."""
    report, pending = EnrichmentReport(), []
    wanted = set(
        Movie.objects.filter(Q(year=None) | Q(runtime_minutes=None) | Q(genres=[])).values_list("imdb_id", flat=True)
    )
    with _lines(path) as lines:
        for metadata in parse_imdb_titles(lines):
            report.looked_up += 1
            if metadata.imdb_id in wanted:
                report.found += 1
                pending.append(_record(metadata.imdb_id, metadata))
            if len(pending) >= BATCH_SIZE:
                report.updated += _save_missing(pending)
                pending = []
            if report.looked_up % ROWS_PER_PROGRESS == 0:
                on_progress(report)
    report.updated += _save_missing(pending)
    return report


@contextmanager
def _lines(path: Path) -> Iterator[Iterable[str]]:
    try:
        with path.open("rb") as file:
            is_gzipped = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            plain = gzip.GzipFile(fileobj=file) if is_gzipped else file
            yield io.TextIOWrapper(plain, encoding="utf-8", errors="replace", newline="\n")
    except (OSError, EOFError) as error:
        raise MetadataError(f"{path} cannot be read: {error}") from None
    except UnreadableResponse as error:
        raise MetadataError(f"{path} is not title.basics.tsv: {error}") from None


def _record(imdb_id: str, metadata: FilmMetadata) -> MovieRecord:
    fields = {
        "imdb_id": imdb_id,
        "year": valid_year(metadata.year),
        "synopsis": metadata.synopsis,
        "poster_url": metadata.poster_url,
        **{name: getattr(metadata, name) for name in PROVIDED_FACTS},
    }
    try:
        return parse_movie(fields)
    except InvalidValue:
        # The URL of the poster is not allowed; the rest is.
        return parse_movie({**fields, "poster_url": ""})


def _save_missing(records: Sequence[MovieRecord]) -> int:
    """Save what the movies of these records lack; return how many changed."""
    ids = [record.imdb_id for record in records]
    before = dict(Movie.objects.filter(imdb_id__in=ids).values_list("imdb_id", "updated_at"))
    save_links([], movies=list(records))
    after = dict(Movie.objects.filter(imdb_id__in=ids).values_list("imdb_id", "updated_at"))
    return sum(updated_at != before.get(imdb_id) for imdb_id, updated_at in after.items())
