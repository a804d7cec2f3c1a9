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

from scraper.addresses import Refused
from scraper.films import plausible
from scraper.metadata import Description, imdb_titles, omdb_of, tmdb_details_of, tmdb_matches_of, tvmaze_of
from scraper.reading import Unreadable, decoded
from streaming.ingest.records import MovieRecord, movie_record
from streaming.ingest.save import save_links
from streaming.models import Movie

TIMEOUT = (5, 15)
LONGEST = 1024 * 1024
BATCH = 200
MISSING = (404, 410)
MOST_REDIRECTS = 3
# A packed answer of a kilobyte can be a gigabyte unpacked.
AS_IT_IS = {"Accept-Encoding": "identity"}


class CannotDescribe(Exception):
    """A catalogue gave no answer that can be used; the message is a sentence without the key."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A catalogue on the web: how it is asked, which setting holds its key, how long to wait between two questions."""

    name: str
    ask: Callable[[Asker, str], Description]
    key_setting: str = ""
    pause: float = 0.05


class Asker:
    """Asks one catalogue, on its host only: with time-outs, two retries when it is briefly away, a cap on answers."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.key = str(getattr(settings, catalogue.key_setting)) if catalogue.key_setting else ""
        if catalogue.key_setting and not self.key:
            raise CannotDescribe(f"{catalogue.name} wants a key: set {catalogue.key_setting}")
        # Not as long as it says: `Retry-After` may be hours, and whoever runs the command can come back.
        retry = Retry(
            total=2, backoff_factor=0.3, status_forcelist=[502, 503, 504], raise_on_status=False, redirect=0,
            respect_retry_after_header=False,
        )  # fmt: skip
        self.session = requests.Session()
        self.session.headers.update({"User-Agent": settings.USER_AGENT, "Accept": "application/json", **AS_IT_IS})
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, HTTPAdapter(max_retries=retry))

    def describe(self, imdb_id: str) -> Description:
        """What the catalogue says of one film. Raises CannotDescribe, and Unreadable for an answer of another kind."""
        return self.catalogue.ask(self, imdb_id)

    def data(self, url: str, **query: str) -> object:
        """The value of an answer; None where the catalogue does not have it. Raises Unreadable for what is no data."""
        asked = url
        for _ in range(MOST_REDIRECTS):
            status, body, moved = self._get(asked, query if asked == url else {})
            if moved and urlsplit(moved).netloc == urlsplit(url).netloc:
                asked = moved
                continue
            if status in MISSING:
                return None
            if status != 200:
                raise CannotDescribe(f"{self.catalogue.name} answered {status}")
            return decoded(body)
        raise CannotDescribe(f"{self.catalogue.name} redirects in a circle")

    def _get(self, url: str, query: dict[str, str]) -> tuple[int, bytes, str]:
        try:
            with self.session.get(url, params=query, timeout=TIMEOUT, stream=True, allow_redirects=False) as response:
                if response.headers.get("Content-Encoding", "identity") != "identity":
                    raise CannotDescribe(f"{self.catalogue.name} sent something packed")
                body = response.raw.read(LONGEST + 1)
                moved = urljoin(url, response.headers.get("Location", "")) if response.is_redirect else ""
        except (requests.RequestException, HTTPError, OSError) as error:
            # The message of requests holds the address, and with it the key.
            raise CannotDescribe(f"{self.catalogue.name} could not be asked ({type(error).__name__})") from None
        if len(body) > LONGEST:
            raise CannotDescribe(f"{self.catalogue.name} sent too much")
        return response.status_code, body, moved


def _tvmaze(asker: Asker, imdb_id: str) -> Description:
    answer = asker.data(f"{settings.TVMAZE_URL}/lookup/shows", imdb=imdb_id)
    return tvmaze_of(answer) if answer is not None else Description(problem="not_found")


def _omdb(asker: Asker, imdb_id: str) -> Description:
    return omdb_of(asker.data(f"{settings.OMDB_URL}/", i=imdb_id, apikey=asker.key))


def _tmdb(asker: Asker, imdb_id: str) -> Description:
    key = {"api_key": asker.key}
    found = tmdb_matches_of(asker.data(f"{settings.TMDB_URL}/3/find/{imdb_id}", external_source="imdb_id", **key))
    kind, numbers = ("movie", found.movies) if found.movies else ("tv", found.shows)
    if not numbers:
        return found.first
    more = {"append_to_response": "external_ids"} if kind == "tv" else {}
    details = asker.data(f"{settings.TMDB_URL}/3/{kind}/{numbers[0]}", **key, **more)
    return tmdb_details_of(details) if details is not None else found.first


CATALOGUES = {
    "tvmaze": Catalogue("TVmaze", _tvmaze, pause=0.5),
    "tmdb": Catalogue("TMDB", _tmdb, key_setting="TMDB_API_KEY"),
    "omdb": Catalogue("OMDb", _omdb, key_setting="OMDB_API_KEY"),
}


@dataclass(slots=True)
class Told:
    """What came of it: movies asked for, described, filled in; `unread` answers were of another kind."""

    asked: int = 0
    found: int = 0
    filled: int = 0
    unread: int = 0


def lacking(imdb_ids: Sequence[str], *, limit: int) -> list[str]:
    """Movies that lack a year, a synopsis or a poster: of these ids, or of all, the longest known first."""
    gaps = Movie.objects.filter(Q(year=None) | Q(synopsis="") | Q(poster_url=""))
    chosen = gaps.filter(imdb_id__in=imdb_ids) if imdb_ids else gaps
    return list(chosen.order_by("created_at", "pk").values_list("imdb_id", flat=True)[:limit])


def describe(imdb_ids: Iterable[str], *, asker: Asker, told: Callable[[Told], None]) -> Told:
    """Ask for each and fill in what is missing, one by one, so that a run that stops has lost nothing."""
    progress = Told()
    for imdb_id in imdb_ids:
        if progress.asked:
            time.sleep(asker.catalogue.pause)
        progress.asked += 1
        try:
            description = asker.describe(imdb_id)
        except Unreadable:
            progress.unread += 1
            continue
        # One that says it is about another film is not believed.
        if not description.problem and description.imdb_id in ("", imdb_id):
            progress.found += 1
            progress.filled += _fill([_record(imdb_id, description)])
        told(progress)
    return progress


def describe_from_file(path: Path, *, told: Callable[[Told], None]) -> Told:
    """Fill in years out of IMDb's `title.basics.tsv`, packed or not, reading it line by line."""
    progress, waiting = Told(), []
    wanted = set(Movie.objects.filter(year=None).values_list("imdb_id", flat=True))
    with _lines(path) as lines:
        for description in imdb_titles(lines):
            progress.asked += 1
            if description.imdb_id in wanted:
                progress.found += 1
                waiting.append(_record(description.imdb_id, description))
            if len(waiting) >= BATCH:
                progress.filled += _fill(waiting)
                waiting = []
                told(progress)
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
        raise CannotDescribe(f"{path} cannot be read: {error}") from None
    except Unreadable as error:
        raise CannotDescribe(f"{path} is not title.basics.tsv: {error}") from None


def _record(imdb_id: str, description: Description) -> MovieRecord:
    about = {
        "imdb_id": imdb_id,
        "year": plausible(description.year),
        "synopsis": description.synopsis,
        "poster_url": description.poster_url,
    }
    try:
        return movie_record(about)
    except Refused:
        # A poster whose address we do not take; the rest is good.
        return movie_record({**about, "poster_url": ""})


def _fill(records: Sequence[MovieRecord]) -> int:
    """How many of these movies had something filled in."""
    ids = [record.imdb_id for record in records]
    before = dict(Movie.objects.filter(imdb_id__in=ids).values_list("imdb_id", "updated_at"))
    save_links([], movies=list(records))
    after = dict(Movie.objects.filter(imdb_id__in=ids).values_list("imdb_id", "updated_at"))
    return sum(moment != before.get(imdb_id) for imdb_id, moment in after.items())
