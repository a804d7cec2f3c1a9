"""What is missing of a movie (year, synopsis, poster), asked of catalogues that describe films."""

from __future__ import annotations

import gzip
import io
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
from django.conf import settings
from django.db.models import Q
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from scraper.extraction.film import valid_year
from scraper.extraction.json_values import UnreadableResponse, decode_json
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

TIMEOUT_SECONDS = (5, 15)
MAX_RESPONSE_BYTES = 1024 * 1024
BATCH_SIZE = 200
NOT_FOUND_STATUSES = (404, 410)
MAX_REDIRECTS = 3
# A packed answer of a kilobyte can be a gigabyte unpacked.
IDENTITY_ENCODING = {"Accept-Encoding": "identity"}


class MetadataError(Exception):
    """A catalogue gave no answer that can be used; the message is a sentence without the key."""


@dataclass(frozen=True, slots=True)
class MetadataProvider:
    """A catalogue on the web: how it is asked, which setting holds its key, how long to wait between two questions."""

    name: str
    ask: Callable[[MetadataClient, str], FilmMetadata]
    key_setting: str = ""
    pause: float = 0.05


class MetadataClient:
    """Asks one catalogue, on its host only: with time-outs, two retries when it is briefly away, a cap on answers."""

    def __init__(self, catalogue: MetadataProvider) -> None:
        self.catalogue = catalogue
        self.key = str(getattr(settings, catalogue.key_setting)) if catalogue.key_setting else ""
        if catalogue.key_setting and not self.key:
            raise MetadataError(f"{catalogue.name} wants a key: set {catalogue.key_setting}")
        # Not as long as it says: `Retry-After` may be hours, and whoever runs the command can come back.
        retry = Retry(
            total=2, backoff_factor=0.3, status_forcelist=[502, 503, 504], raise_on_status=False, redirect=0,
            respect_retry_after_header=False,
        )  # fmt: skip
        self.session = requests.Session()
        self.session.headers.update(
            {"User-Agent": settings.USER_AGENT, "Accept": "application/json", **IDENTITY_ENCODING}
        )
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, HTTPAdapter(max_retries=retry))

    def fetch(self, imdb_id: str) -> FilmMetadata:
        """What the catalogue says of one film. Raises CannotDescribe, and Unreadable for an answer of another kind."""
        return self.catalogue.ask(self, imdb_id)

    def get_json(self, url: str, **query: str) -> object:
        """The value of an answer; None where the catalogue does not have it. Raises Unreadable for what is no data."""
        asked = url
        for _ in range(MAX_REDIRECTS):
            status, body, moved = self._get(asked, query if asked == url else {})
            if moved and urlsplit(moved).netloc == urlsplit(url).netloc:
                asked = moved
                continue
            if status in NOT_FOUND_STATUSES:
                return None
            if status != 200:
                raise MetadataError(f"{self.catalogue.name} answered {status}")
            return decode_json(body)
        raise MetadataError(f"{self.catalogue.name} redirects in a circle")

    def _get(self, url: str, query: dict[str, str]) -> tuple[int, bytes, str]:
        try:
            with self.session.get(
                url, params=query, timeout=TIMEOUT_SECONDS, stream=True, allow_redirects=False
            ) as response:
                if response.headers.get("Content-Encoding", "identity") != "identity":
                    raise MetadataError(f"{self.catalogue.name} sent something packed")
                body = response.raw.read(MAX_RESPONSE_BYTES + 1)
                moved = urljoin(url, response.headers.get("Location", "")) if response.is_redirect else ""
        except (requests.RequestException, HTTPError, OSError) as error:
            # The message of requests holds the address, and with it the key.
            raise MetadataError(f"{self.catalogue.name} could not be asked ({type(error).__name__})") from None
        if len(body) > MAX_RESPONSE_BYTES:
            raise MetadataError(f"{self.catalogue.name} sent too much")
        return response.status_code, body, moved


def _tvmaze(asker: MetadataClient, imdb_id: str) -> FilmMetadata:
    answer = asker.get_json(f"{settings.TVMAZE_URL}/lookup/shows", imdb=imdb_id)
    return parse_tvmaze(answer) if answer is not None else FilmMetadata(problem="not_found")


def _omdb(asker: MetadataClient, imdb_id: str) -> FilmMetadata:
    return parse_omdb(asker.get_json(f"{settings.OMDB_URL}/", i=imdb_id, apikey=asker.key))


def _tmdb(asker: MetadataClient, imdb_id: str) -> FilmMetadata:
    key = {"api_key": asker.key}
    found = parse_tmdb_find(asker.get_json(f"{settings.TMDB_URL}/3/find/{imdb_id}", external_source="imdb_id", **key))
    kind, numbers = ("movie", found.movies) if found.movies else ("tv", found.shows)
    if not numbers:
        return found.first
    more = {"append_to_response": "external_ids"} if kind == "tv" else {}
    details = asker.get_json(f"{settings.TMDB_URL}/3/{kind}/{numbers[0]}", **key, **more)
    return parse_tmdb_details(details) if details is not None else found.first


PROVIDERS = {
    "tvmaze": MetadataProvider("TVmaze", _tvmaze, pause=0.5),
    "tmdb": MetadataProvider("TMDB", _tmdb, key_setting="TMDB_API_KEY"),
    "omdb": MetadataProvider("OMDb", _omdb, key_setting="OMDB_API_KEY"),
}


@dataclass(slots=True)
class EnrichmentReport:
    """What came of it: movies asked for, described, filled in; `unread` answers were of another kind."""

    asked: int = 0
    found: int = 0
    filled: int = 0
    unread: int = 0


def incomplete_movies(imdb_ids: Sequence[str], *, limit: int) -> list[str]:
    """Movies that lack a year, a synopsis or a poster: of these ids, or of all, the longest known first."""
    gaps = Movie.objects.filter(Q(year=None) | Q(synopsis="") | Q(poster_url=""))
    chosen = gaps.filter(imdb_id__in=imdb_ids) if imdb_ids else gaps
    return list(chosen.order_by("created_at", "pk").values_list("imdb_id", flat=True)[:limit])


def enrich_movies(
    imdb_ids: Iterable[str], *, asker: MetadataClient, on_progress: Callable[[EnrichmentReport], None]
) -> EnrichmentReport:
    """Ask for each and fill in what is missing, one by one, so that a run that stops has lost nothing."""
    progress = EnrichmentReport()
    for imdb_id in imdb_ids:
        if progress.asked:
            time.sleep(asker.catalogue.pause)
        progress.asked += 1
        try:
            description = asker.fetch(imdb_id)
        except UnreadableResponse:
            progress.unread += 1
            continue
        # One that says it is about another film is not believed.
        if not description.problem and description.imdb_id in ("", imdb_id):
            progress.found += 1
            progress.filled += _fill([_record(imdb_id, description)])
        on_progress(progress)
    return progress


def enrich_from_imdb_file(path: Path, *, on_progress: Callable[[EnrichmentReport], None]) -> EnrichmentReport:
    """Fill in years out of IMDb's `title.basics.tsv`, packed or not, reading it line by line."""
    progress, waiting = EnrichmentReport(), []
    wanted = set(Movie.objects.filter(year=None).values_list("imdb_id", flat=True))
    with _lines(path) as lines:
        for description in parse_imdb_titles(lines):
            progress.asked += 1
            if description.imdb_id in wanted:
                progress.found += 1
                waiting.append(_record(description.imdb_id, description))
            if len(waiting) >= BATCH_SIZE:
                progress.filled += _fill(waiting)
                waiting = []
                on_progress(progress)
    progress.filled += _fill(waiting)
    return progress


@contextmanager
def _lines(path: Path) -> Iterator[Iterable[str]]:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            plain = gzip.GzipFile(fileobj=file) if packed else file
            yield io.TextIOWrapper(plain, encoding="utf-8", errors="replace", newline="\n")
    except (OSError, EOFError) as error:
        raise MetadataError(f"{path} cannot be read: {error}") from None
    except UnreadableResponse as error:
        raise MetadataError(f"{path} is not title.basics.tsv: {error}") from None


def _record(imdb_id: str, description: FilmMetadata) -> MovieRecord:
    about = {
        "imdb_id": imdb_id,
        "year": valid_year(description.year),
        "synopsis": description.synopsis,
        "poster_url": description.poster_url,
    }
    try:
        return parse_movie(about)
    except InvalidValue:
        # A poster whose address we do not take; the rest is good.
        return parse_movie({**about, "poster_url": ""})


def _fill(records: Sequence[MovieRecord]) -> int:
    """How many of these movies had something filled in."""
    ids = [record.imdb_id for record in records]
    before = dict(Movie.objects.filter(imdb_id__in=ids).values_list("imdb_id", "updated_at"))
    save_links([], movies=list(records))
    after = dict(Movie.objects.filter(imdb_id__in=ids).values_list("imdb_id", "updated_at"))
    return sum(moment != before.get(imdb_id) for imdb_id, moment in after.items())
