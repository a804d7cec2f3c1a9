"""Movies: films and shows with an IMDb id."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.db import connection, models
from django.db.models import Case, Exists, F, Func, OuterRef, Q, Value, When
from django.db.models.expressions import OrderBy
from django.db.models.functions import Coalesce, Length, Substr
from django.db.models.lookups import Exact, Range
from django.urls import reverse
from django.utils import timezone

from scraper.items import MAX_YEAR, MIN_YEAR, MOVIE_TYPES, Person
from streaming.models.blocked_address import BlockedAddress
from streaming.models.fields import CountedField, FoldedField, JsonListField, SearchWordsField
from streaming.models.id_list import IdList
from streaming.models.link import StreamingLink
from streaming.models.listed_link import ListedLink, ListedLinks, links_by_movie
from streaming.models.title_search import FoundMovies, find_movies
from streaming.search_words import parse_search

# `tt` and 7 to 9 digits, without a regular expression: SQLite has none of its own, so a check with one would fail in
# every program but Django, `VACUUM INTO` and `PRAGMA integrity_check` included.
HAS_IMDB_ID_SHAPE = (
    Q(Exact(Substr("imdb_id", 1, 2), Value("tt")))
    & Q(
        Exact(
            Func(Substr("imdb_id", 3), Value("0123456789"), function="LTRIM", output_field=models.CharField()),
            Value(""),
        )
    )
    & Q(Range(Length("imdb_id"), (9, 11)))
)


def has_active_link(*, language: str = "", **columns: str) -> Exists:
    """Whether a movie has an active link that has all these values of `source`, `quality` and `licence`.

    Unless it is empty, `language` has to be the language of the same link, or a general form of it.
    """
    links = StreamingLink.objects.active().filter(movie=OuterRef("pk"), **columns)
    return Exists(links.in_language(language) if language else links)


class MovieQuerySet(models.QuerySet["Movie"]):
    """Queries about many movies."""

    def shown(self) -> MovieQuerySet:
        """Movies that everybody may see: those whose IMDb id is not taken down. Everything public reads these.

        A takedown removes its movie, so this is a second lock; the few ids are compared within the same query.
        """
        # By row id, which each index has: pages that are skipped are not read.
        return self.exclude(pk__in=Movie.objects.taken_down().values("pk"))

    def taken_down(self) -> MovieQuerySet:
        """Movies whose IMDb id is taken down, which nobody may see."""
        blocked = BlockedAddress.objects.filter(kind=BlockedAddress.Kind.IMDB_ID)
        return self.filter(imdb_id__in=blocked.values("address"))

    def stale(self, *, since: datetime, now: datetime) -> MovieQuerySet:
        """Movies without an active link that was checked or seen after `since`, and that may be searched now.

        The same rule by which opening a movie's page starts a search.
        """
        active = StreamingLink.objects.active().filter(movie=OuterRef("pk"))
        fresh = active.filter(Q(last_checked__gte=since) | Q(last_seen__gte=since))
        return self.filter(~Exists(fresh), Q(next_scrape_at=None) | Q(next_scrape_at__lte=now))

    def by_identifier(self, identifier: str) -> MovieQuerySet:
        """The movie with this row id or IMDb id. Any other text finds nothing."""
        if identifier.isascii() and identifier.isdigit() and len(identifier) <= 18:
            return self.filter(pk=int(identifier))
        return self.filter(imdb_id=identifier) if len(identifier) <= 11 and identifier.isascii() else self.none()

    def search(self, text: str) -> MovieQuerySet:
        """The movies of this set that somebody means who types `text`: by titles, people or the start of an IMDb id.

        Unless the set has an order, the best come first: those with exactly this title, then those with this title but
        for its article (`strasse` and "Die Straße"), then the best known, then the newest; last those that match only
        with names of their directors and cast. Words match in any order, without accents, the last one unfinished; if
        nothing has them, with one typing mistake each. Only the first 200 characters and 8 words count; without any,
        all movies are meant.

        Apply all conditions before: of more than `MAX_FOUND` movies that match, the best known remain, and of very
        common words the best known `MAX_LOOKED_AT` are compared with the conditions. Asks the database at once.
        """
        found = find_movies(self, parse_search(text))
        if found is None:
            return self
        ranked = self.filter(pk__in=IdList(found.ids))
        return ranked if self.query.order_by else ranked.order_by(*best_first(found))

    def watchable(self) -> MovieQuerySet:
        """Movies with at least one active link."""
        return self.filter(active_link_count__gt=0)

    def playable(self) -> MovieQuerySet:
        """Movies with at least one active link that a player can open, sought movie by movie."""
        links = StreamingLink.objects.active().filter(kind__in=("file", "stream"), movie=OuterRef("pk"))
        return self.filter(Exists(links))

    def unwatchable(self) -> MovieQuerySet:
        """Movies without an active link, including those that never had one."""
        return self.filter(active_link_count=0)

    def with_active_count(self) -> MovieQuerySet:
        """Movies with `active_count`, the number of active links."""
        return self.annotate(active_count=F("active_link_count"))


def best_first(found: FoundMovies) -> list[OrderBy | str]:
    """The order of movies that a search has found: `exact` ones, `nearly` exact ones, the best known, the newest; last
    those that only names match.
    """
    rest: list[OrderBy | str] = [F("active_link_count").desc(), F("year").desc(nulls_last=True), "search_title", "id"]
    ranks = ((0, found.exact), (1, found.nearly), (3, found.named))
    ranked = [When(pk__in=IdList(ids), then=rank) for rank, ids in ranks if ids]
    if not ranked:
        return rest
    return [Case(*ranked, default=2, output_field=models.IntegerField()).asc(), *rest]


class Movie(models.Model):
    """A film or show. `imdb_id` is its key in URLs and for all sources.

    `next_scrape_at` is the time before which no page view starts a scrape (None: now); `fruitless_scrapes` counts the
    consecutive scrapes that found nothing, each of which doubles that wait. `updated_at` is the last change of what
    pages, mirrors and caches show of the movie. `active_link_count` is kept by triggers, see
    `streaming.models.counters`.

    `genres` are slugs, `countries` ISO 3166 codes, `directors` and `cast` people as `{"id", "name"}` (Wikidata id, or a
    key made of the name), `other_titles` and `synopses` pairs of a language and a text (that of `synopsis` is known
    if a pair has it): lists of JSON, of which triggers make the rows of `MovieFacet`, by which movies are found. `fame`
    is the number of articles about it (Wikidata's sitelinks).
    """

    class Type(models.TextChoices):
        MOVIE = "movie", "Movie"
        SHOW = "show", "Show"

    imdb_id = models.CharField("IMDb id", max_length=11, unique=True)
    title = models.CharField(max_length=200)
    search_title = FoldedField(of="title", max_length=400, default="")
    search_words = SearchWordsField(of="title", db_default="")
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    type = models.CharField(max_length=5, choices=Type, default=Type.MOVIE)
    poster_url = models.CharField(max_length=2000, blank=True, default="")
    synopsis = models.TextField(max_length=4000, blank=True, default="")
    runtime_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    original_title = models.CharField(max_length=200, blank=True, default="", db_default="")
    original_languages = JsonListField()
    countries = JsonListField()
    genres = JsonListField()
    directors = JsonListField()
    cast = JsonListField()
    other_titles = JsonListField()
    synopses = JsonListField()
    fame = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    last_scraped_at = models.DateTimeField(null=True, blank=True, editable=False)
    next_scrape_at = models.DateTimeField(null=True, blank=True, editable=False)
    fruitless_scrapes = models.PositiveSmallIntegerField(default=0, editable=False)
    active_link_count = CountedField(default=0, db_default=0, editable=False)

    objects = MovieQuerySet.as_manager()

    is_followed: bool
    """Whether only instances that this one follows state the movie, where `changes_since` has set it."""
    active_links: Collection[ListedLink]
    """Its active links, where `attach_active_links` has set them."""
    working_count: int
    """The active links that a check has found working, where `attach_working_counts` has set it."""

    class Meta:
        constraints = [
            models.CheckConstraint(condition=HAS_IMDB_ID_SHAPE, name="movie_imdb_id_shape"),
            models.CheckConstraint(condition=Q(type__in=MOVIE_TYPES), name="movie_type_known"),
            models.CheckConstraint(condition=~Q(title=""), name="movie_has_title"),
            models.CheckConstraint(
                condition=Q(year=None) | Q(year__gte=MIN_YEAR, year__lte=MAX_YEAR), name="movie_year_plausible"
            ),
            models.CheckConstraint(
                condition=Q(poster_url="") | Q(poster_url__startswith="https://"), name="movie_poster_https"
            ),
        ]
        indexes = [
            models.Index(fields=["search_title", "id"], name="movie_by_title"),
            models.Index(fields=["type", "search_title", "id"], name="movie_by_type"),
            # Without NULL, which the databases order differently: 0 before all years, 9999 after them.
            models.Index(Coalesce("year", Value(0)), "search_title", "id", name="movie_by_known_year"),
            models.Index(Coalesce("year", Value(0)).desc(), "search_title", "id", name="movie_newest"),
            models.Index(Coalesce("year", Value(9999)), "search_title", "id", name="movie_oldest"),
            models.Index(fields=["-created_at", "search_title", "id"], name="movie_added"),
            models.Index(fields=["-active_link_count", "search_title", "id"], name="movie_by_links"),
            models.Index(fields=["runtime_minutes", "id"], name="movie_by_runtime"),
            models.Index(
                F("fame").desc(),
                F("active_link_count").desc(),
                Coalesce("year", Value(9999)),
                "search_title",
                "id",
                name="movie_by_fame",
            ),
            models.Index(fields=["created_at", "id"], name="movie_by_created"),
            models.Index(fields=["updated_at", "id"], name="movie_by_updated"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.year})" if self.year else self.title

    def get_absolute_url(self) -> str:
        return reverse("movie", args=[self.imdb_id])

    @property
    def search_titles(self) -> list[str]:
        """The titles by which it is found besides its own."""
        return [self.original_title, *(title for _, title in self.other_titles)]

    @property
    def search_people(self) -> list[str]:
        """The names of the people by which it is found."""
        return [str(one.get("name", "")) for one in (*self.directors, *self.cast)]

    def people(self, role: str) -> tuple[Person, ...]:
        """The people in a role, `directors` or `cast`."""
        stated: list[dict[str, str]] = getattr(self, role)
        return tuple(Person(one["name"], one["id"] if one["id"][:1] == "Q" else "") for one in stated)


def active_links_of(movies: Sequence[Movie]) -> Mapping[int, ListedLinks]:
    """The active links of these movies, by the movie's id, with one query."""
    return links_by_movie(StreamingLink.objects.active(), {movie.pk: movie for movie in movies})


def attach_active_links(movies: Sequence[Movie]) -> None:
    """Set `active_links` of these movies, a page of them, with one query."""
    links = active_links_of(movies)
    for movie in movies:
        movie.active_links = links[movie.pk]


def attach_working_counts(movies: Sequence[Movie]) -> None:
    """Set `working_count` of these movies, a page of them, with one query, which reads their links only."""
    counts = StreamingLink.objects.working_by_movie([movie.pk for movie in movies])
    for movie in movies:
        movie.working_count = counts.get(movie.pk, 0)


def mark_updated(movies: models.QuerySet[Movie]) -> int:
    """Record that these movies have changed, for mirrors and caches; return how many there are."""
    return movies.update(updated_at=timezone.now())


def lock_movies(ids: Iterable[int]) -> set[int]:
    """Lock these rows until the transaction ends and return the ids of those that exist.

    On SQLite, which has one writer at a time, nothing is locked, and rows that this transaction has read exist.
    Everything that locks movies and links locks movies first and both in the order of their ids, to avoid deadlocks.
    """
    unique = set(ids)
    if not unique or not connection.features.has_select_for_update:
        return unique
    rows = Movie.objects.select_for_update(no_key=True).filter(pk__in=unique).order_by("pk")
    return set(rows.values_list("pk", flat=True))
