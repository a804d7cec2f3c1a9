"""Serializers of the API: JSON for rows, and validation of what clients write."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from operator import attrgetter
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from scraper.extraction.genres import GENRES
from scraper.items import LINK_FIELDS, MAX_EVIDENCE_LENGTH, MAX_YEAR, MIN_YEAR, MOVIE_FACTS, QUALITIES
from scraper.net.url_policy import InvalidValue
from streaming.ingest import edits
from streaming.ingest.blocklist import ShownCaptions
from streaming.ingest.facts import (
    CAPTION_FORMATS,
    MAX_DURATION_SECONDS,
    MAX_NAME_LENGTH,
    MAX_PIXELS,
    MAX_RUNTIME_MINUTES,
    MAX_SIZE_BYTES,
    MAX_SYNOPSIS_LENGTH,
    MAX_TITLE_LENGTH,
)
from streaming.ingest.records import MAX_LABEL_LENGTH
from streaming.models import Binding, HealthRun, Movie, RemovedMovie, ScrapeJob, StreamingLink, TitleRequest
from streaming.models.job import SourceState
from streaming.models.listed_link import ListedLink, any_captions
from streaming.models.movie import active_links_of
from streaming.ranking import best_first
from streaming.scraping.page_visits import RefreshState, RefreshStatus
from streaming.statistics import CatalogueTotals, SourceStats
from streaming.title_requests import newest_search

MAX_BULK_OPERATIONS = 100
ANY_IMDB_ID = "tt0000000"
"""An IMDb id that no title has."""
PLAIN_MOVIE_FIELDS = ("id", "imdb_id", "title", "year", "type", "poster_url", "synopsis", *MOVIE_FACTS)


class CaptionSerializer(serializers.Serializer[Any]):
    url = serializers.CharField()
    language = serializers.CharField(allow_blank=True, default="", help_text="A BCP 47 tag; empty: not stated.")
    format = serializers.ChoiceField(choices=CAPTION_FORMATS, default="vtt")


class PersonSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="The value of the filter `person`.")
    name = serializers.CharField()


class LinkSerializer(serializers.ModelSerializer[StreamingLink]):
    source_name = serializers.CharField(read_only=True)
    uptime = serializers.FloatField(
        read_only=True,
        allow_null=True,
        help_text="Fraction of the last 24 checks that found it alive; null: never checked.",
    )

    captions = CaptionSerializer(many=True, read_only=True)
    length_note = serializers.CharField(
        read_only=True, help_text="`shorter than the film` or `longer than the film`; empty if neither, or not known."
    )
    label = serializers.CharField(source="display_label", read_only=True)  # type: ignore[assignment]  # a declared field

    class Meta:
        model = StreamingLink
        fields = (
            "id", "source", "source_name", "source_url",
            *(name for name in LINK_FIELDS if name != "evidence"),
            "length_note", "is_active", "last_checked", "reason", "strength", "response_ms", "uptime",
        )  # fmt: skip

    def to_representation(self, instance: StreamingLink | ListedLink) -> dict[str, Any]:
        """The values of the fields, which need no conversion but the time: DRF's loop takes ten times as long."""
        values = dict(zip(LinkSerializer.Meta.fields, LINK_VALUES(instance), strict=True))
        values["last_checked"] = _iso_time(instance.last_checked)
        if captions := values["captions"]:
            values["captions"] = self.shown_captions.of(captions)
        return values

    @cached_property
    def shown_captions(self) -> ShownCaptions:
        return ShownCaptions()


LINK_VALUES = attrgetter(*("display_label" if name == "label" else name for name in LinkSerializer.Meta.fields))


class RankedLinks(Sequence[dict[str, Any]]):
    """The links of a movie as JSON has them, best first, made when they are read: equal to a list of them.

    A page may have 100,000 links. One movie after the other takes a third of the time that all at once take, for the
    garbage collector looks at all that there is again and again.
    """

    def __init__(self, links: Collection[ListedLink], serializer: LinkSerializer, *, languages: Sequence[str]) -> None:
        self._links, self._serializer, self._languages = links, serializer, languages

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(self._serializer.to_representation, best_first(self._links, languages=self._languages))

    def tolist(self) -> list[dict[str, Any]]:
        """The list itself: DRF's encoder of JSON calls a method of this name."""
        return list(self)

    def __len__(self) -> int:
        return len(self._links)

    def __getitem__(self, index: Any) -> Any:
        return self.tolist()[index]

    def __eq__(self, other: object) -> bool:
        return self.tolist() == (other.tolist() if isinstance(other, RankedLinks) else other)

    __hash__ = None  # type: ignore[assignment]  # as that of a list

    def __repr__(self) -> str:
        return repr(self.tolist())


class MovieSerializer(serializers.ModelSerializer[Movie]):
    url = serializers.SerializerMethodField(help_text="The movie's page on this site.")
    links = serializers.SerializerMethodField(help_text="Active links only, best first.")
    genres = serializers.ListField(child=serializers.ChoiceField(choices=list(GENRES)), read_only=True)
    countries = serializers.ListField(child=serializers.CharField(), read_only=True, help_text="ISO 3166 codes.")
    original_languages = serializers.ListField(child=serializers.CharField(), read_only=True)
    directors = PersonSerializer(many=True, read_only=True)
    cast = PersonSerializer(many=True, read_only=True)
    other_titles = serializers.SerializerMethodField(help_text="Titles by language.")
    synopses = serializers.SerializerMethodField(help_text="Synopses by language, that of `synopsis` if known too.")

    class Meta:
        model = Movie
        fields = (
            "id", "imdb_id", "title", "year", "type", "poster_url", "synopsis", *MOVIE_FACTS,
            "created_at", "updated_at", "url", "links",
        )  # fmt: skip

    def to_representation(self, instance: Movie) -> dict[str, Any]:
        """The values of the fields; see `LinkSerializer`."""
        return {
            **{name: getattr(instance, name) for name in PLAIN_MOVIE_FIELDS},  # these two keep their places
            "other_titles": self.get_other_titles(instance),
            "synopses": self.get_synopses(instance),
            "created_at": _iso_time(instance.created_at),
            "updated_at": _iso_time(instance.updated_at),
            "url": self.get_url(instance),
            "links": self.get_links(instance),
        }

    @extend_schema_field({"type": "string", "format": "uri"})
    def get_url(self, movie: Movie) -> str:
        return self.page_url.replace(ANY_IMDB_ID, movie.imdb_id)

    @cached_property
    def page_url(self) -> str:
        """The URL of the page of `ANY_IMDB_ID`: making it for each of 500 movies took a sixth of a response's time."""
        return str(self.context["request"].build_absolute_uri(reverse("movie", [ANY_IMDB_ID])))

    def get_other_titles(self, movie: Movie) -> dict[str, str]:
        return dict(reversed(movie.other_titles))

    def get_synopses(self, movie: Movie) -> dict[str, str]:
        return dict(reversed(movie.synopses))

    @extend_schema_field(LinkSerializer(many=True))
    def get_links(self, movie: Movie) -> Sequence[dict[str, Any]]:
        """Active links, best first for this viewer; one query, or none after `attach_active_links()`."""
        active = movie.active_links if hasattr(movie, "active_links") else active_links_of([movie])[movie.pk]
        if any_captions(active):
            self.link_serializer.shown_captions.load()  # Rendering makes no query.
        return RankedLinks(active, self.link_serializer, languages=self.context.get("languages", ()))

    @cached_property
    def link_serializer(self) -> LinkSerializer:
        """One serializer for all links of the response: creating it costs more than using it."""
        return LinkSerializer()


class RefreshSerializer(serializers.Serializer[RefreshState]):
    state = serializers.ChoiceField(choices=[str(status) for status in RefreshStatus])
    job = serializers.IntegerField(source="job.pk", allow_null=True, default=None, help_text="The open job's id.")
    reason = serializers.CharField(help_text="A code that explains the state.")
    next_allowed_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, instance: RefreshState) -> dict[str, Any]:
        at = self.fields["next_allowed_at"]
        return {
            "state": instance.state,
            "job": instance.job.pk if instance.job else None,
            "reason": str(instance.reason),
            "next_allowed_at": at.to_representation(instance.next_allowed_at) if instance.next_allowed_at else None,
        }


class MovieDetailSerializer(MovieSerializer):
    refresh = serializers.SerializerMethodField(
        help_text="Whether this request started a scrape job, and when the next one may start."
    )

    class Meta(MovieSerializer.Meta):
        fields = (*MovieSerializer.Meta.fields, "refresh")  # type: ignore[assignment]  # one longer

    def to_representation(self, instance: Movie) -> dict[str, Any]:
        return {**super().to_representation(instance), "refresh": self.get_refresh(instance)}

    @extend_schema_field(RefreshSerializer)
    def get_refresh(self, movie: Movie) -> dict[str, Any]:
        return RefreshSerializer().to_representation(self.context["refresh"])


class SourceResultSerializer(serializers.Serializer[dict[str, Any]]):
    source = serializers.CharField()  # type: ignore[assignment]  # a declared field, not the argument of that name
    state = serializers.ChoiceField(choices=SourceState.values)
    links = serializers.IntegerField()
    new = serializers.IntegerField()
    seconds = serializers.FloatField(allow_null=True)
    error = serializers.CharField()


class JobSerializer(serializers.ModelSerializer[ScrapeJob]):
    movie = serializers.PrimaryKeyRelatedField[Movie](read_only=True)
    sources = SourceResultSerializer(many=True)

    class Meta:
        model = ScrapeJob
        fields = (
            "id", "movie", "state", "outcome", "requested_by", "sources", "links_found", "links_new", "queued_at",
            "started_at", "finished_at", "error",
        )  # fmt: skip


TITLE_STATES = ("", "queued", "running", *TitleRequest.Outcome.values)


class TitleSerializer(serializers.ModelSerializer[TitleRequest]):
    state = serializers.SerializerMethodField(help_text="Of its search; empty: not searched yet.")
    movie = serializers.SerializerMethodField(help_text="Its URL as soon as the catalogue has it.")

    class Meta:
        model = TitleRequest
        fields = ("imdb_id", "title", "year", "state", "asked_at", "answered_at", "next_ask_at", "movie")

    @extend_schema_field(serializers.ChoiceField(choices=TITLE_STATES))
    def get_state(self, title: TitleRequest) -> str:
        job = newest_search(title)
        return job.state if job is not None and job.is_open else title.outcome

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_movie(self, title: TitleRequest) -> str | None:
        if not Movie.objects.shown().filter(imdb_id=title.imdb_id).exists():
            return None
        return reverse("api:movie-detail", [title.imdb_id], request=self.context["request"])


class SourceSerializer(serializers.Serializer[SourceStats]):
    slug = serializers.CharField()
    name = serializers.CharField()
    enabled = serializers.BooleanField(help_text="Whether scrape jobs search it.")
    holds = serializers.CharField(source="description")
    licences = serializers.ListField(child=serializers.CharField(), help_text="Licences that it may publish.")
    links = serializers.IntegerField()
    active = serializers.IntegerField()
    success_rate = serializers.FloatField(
        allow_null=True, help_text="Fraction of its last searches that it responded to."
    )
    last_success = serializers.DateTimeField(allow_null=True)
    last_error = serializers.CharField()
    last_search = serializers.DateTimeField(allow_null=True)


class HealthRunSerializer(serializers.ModelSerializer[HealthRun]):
    class Meta:
        model = HealthRun
        fields = (
            "started_at", "finished_at", "checked", "alive", "gone", "blocked", "unreachable", "throttled",
            "not_checked", "died", "revived", "removed", "withheld", "reason",
        )  # fmt: skip


class StatsSerializer(serializers.Serializer[CatalogueTotals]):
    movies = serializers.IntegerField()
    links = serializers.IntegerField()
    active_links = serializers.IntegerField(help_text="Offered: not found dead, checked or not.")
    unchecked_links = serializers.IntegerField(help_text="Never checked yet; their `last_checked` is null.")
    open_jobs = serializers.IntegerField()
    last_run = HealthRunSerializer(allow_null=True)


class RemovedMovieSerializer(serializers.ModelSerializer[RemovedMovie]):
    reason = serializers.CharField(source="public_reason", read_only=True)

    class Meta:
        model = RemovedMovie
        fields = ("imdb_id", "title", "removed_at", "reason")


FOLLOWED = serializers.BooleanField(
    read_only=True, source="is_followed", help_text="Whether it is known only from an instance that this one follows."
)


class ChangedLinkSerializer(LinkSerializer):
    followed = FOLLOWED

    class Meta(LinkSerializer.Meta):
        fields = (*LinkSerializer.Meta.fields, "followed")

    def to_representation(self, instance: ListedLink) -> dict[str, Any]:  # type: ignore[override]  # never others
        return {**super().to_representation(instance), "followed": instance.is_followed}


class ChangedMovieSerializer(MovieSerializer):
    followed = FOLLOWED

    class Meta(MovieSerializer.Meta):
        fields = (*MovieSerializer.Meta.fields, "followed")  # type: ignore[assignment]  # one longer

    def to_representation(self, instance: Movie) -> dict[str, Any]:
        return {**super().to_representation(instance), "followed": instance.is_followed}

    @extend_schema_field(ChangedLinkSerializer(many=True))
    def get_links(self, movie: Movie) -> Sequence[dict[str, Any]]:
        return super().get_links(movie)

    @cached_property
    def link_serializer(self) -> LinkSerializer:
        return ChangedLinkSerializer()


class ChangesSerializer(serializers.Serializer[Any]):
    changed = ChangedMovieSerializer(many=True)
    removed = RemovedMovieSerializer(many=True, help_text="Removed movies; a restored movie is under changed.")
    next_since = serializers.CharField(help_text="The `since` of the next request. It marks the last row exactly.")
    more = serializers.BooleanField(help_text="Whether more changes can be requested at once.")


class RootSerializer(serializers.Serializer[Any]):
    movies = serializers.URLField()
    sources = serializers.URLField()
    stats = serializers.URLField()
    changes = serializers.URLField()
    schema = serializers.URLField()
    docs = serializers.URLField()


class DetailSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField()


class WriteSerializer(serializers.Serializer[Any]):
    """Validates types only; the values are validated by `streaming.ingest`, like all other input."""

    def to_internal_value(self, data: Any) -> Any:
        known = {name for name, field in self.fields.items() if not field.read_only}
        if isinstance(data, dict) and (unknown := sorted(str(name) for name in data.keys() - known)):
            allowed = ", ".join(sorted(known))
            raise serializers.ValidationError({unknown[0][:60]: [f"Unknown field. Allowed: {allowed}."]})
        return super().to_internal_value(data)

    def save_with(self, edit: Callable[..., Any], *args: Any, address: str, **options: Any) -> Any:
        """Call `edit` with the valid data; an `InvalidValue` becomes the error of its field."""
        try:
            return edit(*args, self.validated_data, **options)
        except InvalidValue as refusal:
            field = edits.field_for_error(refusal, url_field=address)
            raise serializers.ValidationError({field: [str(refusal)]}) from None


@extend_schema_field({"type": "string", "enum": list(GENRES)})
class GenreSlugField(serializers.CharField):
    """The slug of a genre, which ingest checks."""


@extend_schema_field({"type": "string", "pattern": "^[a-z0-9]+([_-][a-z0-9]+)*$", "maxLength": 50})
class SourceSlugField(serializers.CharField):
    """The slug of a source, which ingest checks."""


class PersonWriteSerializer(WriteSerializer):
    name = serializers.CharField(max_length=MAX_NAME_LENGTH)
    wikidata = serializers.CharField(max_length=13, allow_blank=True, required=False)


class MovieWriteSerializer(WriteSerializer):
    imdb_id = serializers.CharField(max_length=11, help_text="Cannot be changed later.")
    title = serializers.CharField(max_length=MAX_TITLE_LENGTH)
    year = serializers.IntegerField(min_value=MIN_YEAR, max_value=MAX_YEAR, allow_null=True, required=False)
    type = serializers.ChoiceField(choices=Movie.Type.choices, required=False)
    poster_url = serializers.CharField(max_length=2000, allow_blank=True, required=False)
    synopsis = serializers.CharField(max_length=MAX_SYNOPSIS_LENGTH, allow_blank=True, required=False)
    runtime_minutes = serializers.IntegerField(
        min_value=1, max_value=MAX_RUNTIME_MINUTES, allow_null=True, required=False
    )
    original_title = serializers.CharField(max_length=MAX_TITLE_LENGTH, allow_blank=True, required=False)
    original_languages = serializers.ListField(child=serializers.CharField(), required=False)
    countries = serializers.ListField(child=serializers.CharField(), required=False)
    genres = serializers.ListField(child=GenreSlugField(), required=False)
    directors = serializers.ListField(child=PersonWriteSerializer(), required=False)
    cast = serializers.ListField(child=PersonWriteSerializer(), required=False)
    other_titles = serializers.DictField(child=serializers.CharField(), required=False, help_text="By language.")
    synopses = serializers.DictField(
        child=serializers.CharField(max_length=MAX_SYNOPSIS_LENGTH), required=False, help_text="By language."
    )


@extend_schema_field({"type": ["integer", "string"]})
class MovieIdentifierField(serializers.Field[Movie, Any, int, Any]):
    """A movie, given by its id or IMDb id."""

    def to_internal_value(self, data: Any) -> Movie:
        found = Movie.objects.by_identifier(str(data)[:20]).first() if isinstance(data, int | str) else None
        if found is None:
            raise serializers.ValidationError("There is no such movie. Write its id or imdb_id.")
        return found

    def to_representation(self, value: Movie) -> int:
        return value.pk


@extend_schema_field({"type": ["integer", "string"]})
class MovieOrLinkIdField(serializers.Field[str, Any, str, Any]):
    """The id of a row, or the IMDb id of a movie."""

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, bool) or not isinstance(data, int | str) or len(str(data)) > 20:
            raise serializers.ValidationError("Write an id or an IMDb id.")
        return str(data)

    def to_representation(self, value: str) -> str:
        return value


class LinkWriteSerializer(WriteSerializer):
    movie = MovieIdentifierField()
    source = SourceSlugField(max_length=50)  # type: ignore[assignment]  # a declared field, as above
    source_url = serializers.CharField(max_length=2000)
    kind = serializers.ChoiceField(choices=StreamingLink.Kind.choices, required=False)
    label = serializers.CharField(max_length=MAX_LABEL_LENGTH, allow_blank=True, required=False)  # type: ignore[assignment]  # a declared field, as above
    quality = serializers.ChoiceField(choices=QUALITIES, allow_blank=True, required=False)
    language = serializers.CharField(max_length=35, allow_blank=True, required=False)
    licence = serializers.CharField(max_length=40, allow_blank=True, required=False)
    licence_url = serializers.CharField(max_length=2000, allow_blank=True, required=False)
    evidence = serializers.CharField(max_length=MAX_EVIDENCE_LENGTH, allow_blank=True, required=False)
    duration_seconds = serializers.IntegerField(
        min_value=1, max_value=MAX_DURATION_SECONDS, allow_null=True, required=False
    )
    size_bytes = serializers.IntegerField(min_value=1, max_value=MAX_SIZE_BYTES, allow_null=True, required=False)
    width = serializers.IntegerField(min_value=1, max_value=MAX_PIXELS, allow_null=True, required=False)
    height = serializers.IntegerField(min_value=1, max_value=MAX_PIXELS, allow_null=True, required=False)
    captions = serializers.ListField(child=CaptionSerializer(), required=False)
    is_active = serializers.BooleanField(required=False)
    is_published = serializers.BooleanField(
        required=False, help_text="false: it awaits review, and only staff can see it."
    )


class LinkDetailSerializer(LinkSerializer):
    class Meta(LinkSerializer.Meta):
        fields = (*LinkSerializer.Meta.fields, "movie", "evidence", "is_published")

    def to_representation(self, instance: StreamingLink) -> dict[str, Any]:  # type: ignore[override]  # never rows
        staff = {"movie": instance.movie_id, "evidence": instance.evidence, "is_published": instance.is_published}
        return {**super().to_representation(instance), **staff}


class OperationSerializer(WriteSerializer):
    type = serializers.ChoiceField(choices=("movie", "link"))
    action = serializers.ChoiceField(choices=("add", "change", "delete"))
    id = MovieOrLinkIdField(required=False, help_text="Of the row to change or delete; a movie's may be its IMDb id.")
    data = serializers.DictField(required=False, help_text="As the body of the single write.")  # type: ignore[assignment]  # a declared field


class BulkSerializer(WriteSerializer):
    operations: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=OperationSerializer(), allow_empty=False, max_length=MAX_BULK_OPERATIONS
    )

    def to_internal_value(self, data: Any) -> Any:
        """The valid operations; the errors of each are under its place, which DRF has as a number."""
        try:
            return super().to_internal_value(data)
        except serializers.ValidationError as refusal:
            raise serializers.ValidationError(_with_text_keys(refusal.detail)) from None


class OperationResultSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="The place of the write in `operations`, from 0.")
    status = serializers.IntegerField(help_text="The HTTP status of the single write.")
    body = serializers.JSONField(allow_null=True, help_text="The row or its id, or the error; null: it was deleted.")


class BulkResultSerializer(serializers.Serializer[Any]):
    results = OperationResultSerializer(many=True)


class BindingSerializer(serializers.ModelSerializer[Binding]):
    class Meta:
        model = Binding
        fields = ("id", "url", "source", "created_at")


class BindingWriteSerializer(WriteSerializer):
    url = serializers.CharField(max_length=2000)
    source = serializers.CharField(max_length=50, allow_blank=True, required=False)  # type: ignore[assignment]  # a declared field, as above


def _with_text_keys(detail: Any) -> Any:
    """Errors with keys that JSON has: texts."""
    if isinstance(detail, dict):
        return {str(key): _with_text_keys(value) for key, value in detail.items()}
    return detail


def _iso_time(time: datetime | None) -> str | None:
    """A time as DRF writes it."""
    if time is None:
        return None
    return (time if time.tzinfo is UTC else time.astimezone(UTC)).isoformat().replace("+00:00", "Z")
