"""Views of the API under /api/streaming/."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NoReturn

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django_filters.rest_framework import DjangoFilterBackend
from django_filters.utils import translate_validation
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from drf_spectacular.views import SpectacularAPIView
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import NotAuthenticated, NotFound, PermissionDenied, Throttled, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.viewsets import GenericViewSet

from scraper.items import normalize_imdb_id
from streaming import staff_writes, statistics
from streaming.api.base_views import (
    DATABASE_UNAVAILABLE,
    ApiView,
    ConflictError,
    CursorGoneError,
    ServiceUnavailable,
    conditional_response,
    request_languages,
)
from streaming.api.filters import LANGUAGE_PATTERN, MovieFilters, parse_datetime_or_date, validate_language
from streaming.api.pagination import PARAMETERS, MoviePagination
from streaming.api.response_bodies import list_bodies, movie_bodies
from streaming.catalogue_query import ListPlan
from streaming.client_throttle import client_key, refresh_quota, title_quota
from streaming.exchange.change_feed import ChangeCursor, UnknownCursorError, changes_since
from streaming.health.sweep.immediate_check import check_now
from streaming.ingest import bindings
from streaming.ingest.facts import MAX_LANGUAGE_LENGTH
from streaming.ingest.records import is_imdb_id
from streaming.models import FollowedInstance, Movie, MovieQuerySet, ScrapeJob, StreamingLink, TitleRequest
from streaming.models.followed import FOLLOWER_HEADER
from streaming.models.movie import attach_active_links
from streaming.scraper_utils import Visitor, scrape_movie_on_demand
from streaming.scraping import jobs
from streaming.scraping.page_visits import RefreshState, refresh_on_request
from streaming.serializers import (
    BindingSerializer,
    BindingWriteSerializer,
    BulkResultSerializer,
    BulkSerializer,
    ChangesSerializer,
    DetailSerializer,
    JobSerializer,
    LinkDetailSerializer,
    LinkWriteSerializer,
    MovieDetailSerializer,
    MovieSerializer,
    MovieWriteSerializer,
    RootSerializer,
    SourceSerializer,
    StatsSerializer,
    TitleSerializer,
)
from streaming.title_lookup import describe_title_if_possible
from streaming.title_requests import TitleRefused, TooManyTitles, ask_for_title
from streaming.write_log import log_changed

REQUESTED_BY = "api"
GENERATING_SCHEMA = threading.Lock()
TOO_MANY_TITLES_SECONDS = 24 * 3600
CHANGES_PAGE_SIZE = 500
PRIVATE_CACHE = "private, no-cache"
ERROR = OpenApiResponse(DetailSerializer)
STAFF_ERRORS = {401: ERROR, 403: ERROR}
WRITE_ERRORS = {**STAFF_ERRORS, 409: ERROR}
IDENTIFIER_PARAMETER = OpenApiParameter(
    "id", OpenApiTypes.STR, OpenApiParameter.PATH, description="The row id or the IMDb id."
)
ID_PARAMETER = OpenApiParameter("id", OpenApiTypes.INT, OpenApiParameter.PATH)
LANGUAGE = OpenApiParameter(
    "language",
    {"type": "string", "pattern": LANGUAGE_PATTERN, "maxLength": MAX_LANGUAGE_LENGTH},
    description="Links in this language come first; by default those of Accept-Language.",
)
BOUND_URL_PARAMETER = OpenApiParameter("url", required=True, description="The bound URL, in any spelling.")
SINCE = OpenApiParameter(
    "since", description="A date and time, a date, or next_since of an earlier response. Empty: everything."
)


@contextmanager
def queue_refusals_named() -> Iterator[None]:
    """Turn what a full queue, or a database that takes no write, raises into responses that say when to try again."""
    try:
        yield
    except jobs.ClientQueueFull as full:
        raise Throttled(full.retry_after) from None
    except jobs.QueueUnavailable as full:
        raise ServiceUnavailable(full.retry_after, DATABASE_UNAVAILABLE) from None
    except jobs.QueueFull as full:
        raise ServiceUnavailable(full.retry_after) from None


@extend_schema_view(
    list=extend_schema(summary="Movies", auth=[], responses={200: MovieSerializer(many=True), 304: None, 400: ERROR}),
)
class StreamingMovieViewSet(ApiView, mixins.ListModelMixin, GenericViewSet[Movie]):
    """Movies with their active links. Every URL accepts the row id or the IMDb id."""

    queryset = Movie.objects.all()
    serializer_class = MovieSerializer
    pagination_class = MoviePagination
    filter_backends = [DjangoFilterBackend]
    filterset_class = MovieFilters
    lookup_value_regex = "[0-9]{1,18}|[Tt][Tt][^/]{0,60}"
    allowed_parameters = {
        "list": frozenset(MovieFilters.base_filters) | PARAMETERS,
        "retrieve": frozenset({"language"}),
        "bindings": frozenset(),
    }
    required_permissions = {
        **staff_writes.MOVIE_WRITES,
        "bindings": ("streaming.view_binding",),
        "bind": ("streaming.add_binding", "streaming.change_binding"),
        "unbind": ("streaming.delete_binding",),
        "refresh_links": (),
    }

    def get_queryset(self) -> MovieQuerySet:
        return Movie.objects.shown()

    def paginate_queryset(self, queryset: Any) -> Any:
        """The movies of a page, with their links."""
        page = super().paginate_queryset(queryset)
        attach_active_links(page or [])
        return page

    def filter_queryset(self, queryset: MovieQuerySet) -> MovieQuerySet:  # type: ignore[override]
        """The movies that match the query, in order; `plan` is how they are found."""
        filters = MovieFilters(self.request.query_params, queryset, request=self.request)
        if not filters.is_valid():
            raise translate_validation(filters.errors)
        self.plan = ListPlan(filters.catalogue_query())
        return self.plan.apply(queryset)

    def get_object(self) -> Movie:
        """The movie without its links; serializers load them if they need them."""
        identifier = self.kwargs["pk"]
        if not identifier.isdigit() and not is_imdb_id(identifier):
            raise ValidationError({"imdb_id": [f"{identifier!a} is not tt and 7 to 9 digits."]})
        movie = Movie.objects.shown().by_identifier(identifier).first()
        if movie is None:
            raise NotFound(f"There is no movie {self.kwargs['pk']}.")
        return movie

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "languages": request_languages(self.request)}

    def list(self, request: Request, *args: object, **kwargs: object) -> HttpResponseBase:  # type: ignore[override]
        state = statistics.catalogue_fingerprint(now=timezone.now())
        return conditional_response(
            request,
            lambda: super(StreamingMovieViewSet, self).list(request),
            bodies=list_bodies,
            state=state,
            modified=state.at,
        )

    @extend_schema(
        summary="One movie",
        auth=[],
        description="May start a scrape job if the movie has no active link, or if they have not been checked lately.",
        parameters=[IDENTIFIER_PARAMETER, LANGUAGE],
        responses={200: MovieDetailSerializer, 304: None, 404: ERROR},
    )
    def retrieve(self, request: Request, pk: str) -> HttpResponseBase:
        validate_language(request.query_params)
        movie = self.get_object()
        refresh = refresh_on_request(request._request, movie, requested_by=REQUESTED_BY)
        checks = list(movie.links.active().order_by("pk").values_list("pk", "last_checked"))
        context = {**self.get_serializer_context(), "refresh": refresh}
        return conditional_response(
            request,
            lambda: Response(MovieDetailSerializer(movie, context=context).data),
            bodies=movie_bodies,
            state=(movie.updated_at, checks, _fingerprint(refresh)),
            modified=_latest(movie.updated_at, [at for _, at in checks], refresh.job, now=timezone.now()),
            cache_control=PRIVATE_CACHE,
        )

    @extend_schema(
        summary="Search for links now",
        auth=[],
        description="Starts a scrape job (202), or returns the one that is open (200). The body is the job.",
        parameters=[IDENTIFIER_PARAMETER],
        request=None,
        responses={200: JobSerializer, 202: JobSerializer, 403: ERROR, 404: ERROR, 429: ERROR, 503: ERROR},
    )
    @action(detail=True, methods=["post"], url_path="refresh_links", url_name="refresh-links")
    def refresh_links(self, request: Request, pk: str) -> Response:
        visitor = Visitor(client_key(request._request), sent_at=timezone.now())
        movie = self.get_object()
        self.quota = refresh_quota(request._request)
        if self.quota.retry_after is not None:
            raise Throttled(self.quota.retry_after)
        try:
            with queue_refusals_named():
                job = scrape_movie_on_demand(movie, requested_by=REQUESTED_BY, visitor=visitor)
        except Movie.DoesNotExist:
            raise NotFound(f"There is no movie {pk}.") from None
        address = reverse("api:job-detail", [job.pk], request=request)
        return _uncached(JobSerializer(job).data, status=200 if job.joined else 202, headers={"Location": address})

    @extend_schema(
        summary="Add a movie (staff)",
        request=MovieWriteSerializer,
        responses={201: MovieSerializer, 400: ERROR, **WRITE_ERRORS},
    )
    def create(self, request: Request) -> Response:
        movie = staff_writes.add_movie(request.user, request.data)
        address = reverse("api:movie-detail", [movie.imdb_id], request=request)
        return _uncached(self.get_serializer(movie).data, status=201, headers={"Location": address})

    @extend_schema(
        summary="Change a movie (staff)",
        parameters=[IDENTIFIER_PARAMETER],
        request=MovieWriteSerializer,
        responses={200: MovieSerializer, 400: ERROR, **WRITE_ERRORS, 404: ERROR},
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        movie = staff_writes.change_movie(request.user, self.get_object(), request.data)
        return _uncached(self.get_serializer(movie).data)

    @extend_schema(
        summary="URLs bound to a movie (staff)",
        description="Scrape jobs of the movie read these pages too.",
        parameters=[IDENTIFIER_PARAMETER],
        responses={200: BindingSerializer(many=True), **STAFF_ERRORS, 404: ERROR},
        filters=False,
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def bindings(self, request: Request, pk: str) -> Response:
        rows = self.get_object().bindings.order_by("pk")
        return _uncached(BindingSerializer(rows, many=True).data)

    @extend_schema(
        summary="Bind a URL to a movie (staff)",
        parameters=[IDENTIFIER_PARAMETER],
        request=BindingWriteSerializer,
        responses={200: BindingSerializer, 201: BindingSerializer, 400: ERROR, **WRITE_ERRORS, 404: ERROR},
    )
    @bindings.mapping.post
    def bind(self, request: Request, pk: str) -> Response:
        movie, written = self.get_object(), staff_writes.validated(BindingWriteSerializer(data=request.data))
        with transaction.atomic():
            row, is_new = written.save_with(lambda values: bindings.bind(movie, **values), address="url")
            log_changed(request.user, movie, note=f"Bound {row.url} by the API.")
        return _uncached(BindingSerializer(row).data, status=201 if is_new else 200)

    @extend_schema(
        summary="Delete a binding (staff)",
        description="Links found there are kept.",
        parameters=[IDENTIFIER_PARAMETER, BOUND_URL_PARAMETER],
        responses={204: None, **STAFF_ERRORS, 404: ERROR},
    )
    @bindings.mapping.delete
    def unbind(self, request: Request, pk: str) -> Response:
        movie, url = self.get_object(), request.query_params.get("url", "")
        with transaction.atomic():
            if not bindings.unbind(movie, url=url):
                raise NotFound("This URL is not bound to the movie. Give it as ?url=.")
            log_changed(request.user, movie, note=f"Unbound {url} by the API.")
        return Response(status=204)

    @extend_schema(
        summary="Remove a movie (staff)",
        description="It can be restored.",
        parameters=[IDENTIFIER_PARAMETER],
        responses={204: None, **STAFF_ERRORS, 404: ERROR},
    )
    def destroy(self, request: Request, pk: str) -> Response:
        staff_writes.remove_movie(request.user, self.get_object())
        return Response(status=204)


class LinkViewSet(ApiView, GenericViewSet[StreamingLink]):
    """Links, for staff; others read them as part of their movies."""

    queryset = StreamingLink.objects.select_related("movie")
    serializer_class = LinkDetailSerializer
    required_permissions = {
        "retrieve": ("streaming.view_streaminglink",),
        **staff_writes.LINK_WRITES,
        "check": ("streaming.change_streaminglink",),
    }
    lookup_value_regex = "[0-9]{1,18}"

    @extend_schema(
        summary="One link (staff)",
        parameters=[ID_PARAMETER],
        responses={200: LinkDetailSerializer, **STAFF_ERRORS, 404: ERROR},
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        return _uncached(self.get_serializer(self.get_object()).data)

    @extend_schema(
        summary="Add a link (staff)",
        request=LinkWriteSerializer,
        responses={201: LinkDetailSerializer, 400: ERROR, **WRITE_ERRORS},
    )
    def create(self, request: Request) -> Response:
        link = staff_writes.add_link(request.user, request.data)
        address = reverse("api:link-detail", [link.pk], request=request)
        return _uncached(self.get_serializer(link).data, status=201, headers={"Location": address})

    @extend_schema(
        summary="Change a link (staff)",
        parameters=[ID_PARAMETER],
        request=LinkWriteSerializer,
        responses={200: LinkDetailSerializer, 400: ERROR, **WRITE_ERRORS, 404: ERROR},
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        link = staff_writes.change_link(request.user, self.get_object(), request.data)
        return _uncached(self.get_serializer(link).data)

    @extend_schema(
        summary="Delete a link (staff)", parameters=[ID_PARAMETER], responses={204: None, **WRITE_ERRORS, 404: ERROR}
    )
    def destroy(self, request: Request, pk: str) -> Response:
        staff_writes.delete_link(request.user, self.get_object())
        return Response(status=204)

    @extend_schema(
        summary="Check a link now (staff)",
        parameters=[ID_PARAMETER],
        request=None,
        responses={200: LinkDetailSerializer, **STAFF_ERRORS, 404: ERROR},
    )
    @action(detail=True, methods=["post"])
    def check(self, request: Request, pk: str) -> Response:
        link = self.get_object()
        # Logged first: a check takes seconds and writes in transactions of its own.
        log_changed(request.user, link, note="Started a check by the API.")
        check_now([link.pk])
        return _uncached(self.get_serializer(self.get_object()).data)


class JobViewSet(ApiView, GenericViewSet[ScrapeJob]):
    """Scrape jobs: requests for fresh links of one movie."""

    queryset = ScrapeJob.objects.filter(movie__isnull=False).defer("log")
    serializer_class = JobSerializer
    lookup_value_regex = "[0-9]{1,18}"

    required_permissions = {"cancel": ("streaming.change_scrapejob",)}

    @extend_schema(
        summary="One scrape job", auth=[], parameters=[ID_PARAMETER], responses={200: JobSerializer, 404: ERROR}
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        job = self.get_object()
        jobs.renotify_if_stalled(job, now=timezone.now())
        return _uncached(self.get_serializer(job).data)

    @extend_schema(
        summary="Cancel a scrape job (staff)",
        parameters=[ID_PARAMETER],
        request=None,
        responses={200: JobSerializer, **WRITE_ERRORS, 404: ERROR},
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        job = self.get_object()
        with transaction.atomic():
            if not jobs.cancel(job.pk):
                raise ConflictError(f"The job is already finished: {self.get_object().state}.")
            log_changed(request.user, job, note="Cancelled by the API.")
        return _uncached(self.get_serializer(self.get_object()).data)


class TitleView(ApiView):
    """A title that is not in the catalogue: asking for it, and what has come of that."""

    required_permissions = {"post": ()}
    allowed_parameters = {"": frozenset()}

    @extend_schema(
        summary="A title that somebody asked for",
        auth=[],
        description="`movie` is its URL as soon as it is in the catalogue. 404 if nobody has asked.",
        responses={200: TitleSerializer, 400: ERROR, 404: ERROR},
    )
    def get(self, request: Request, imdb_id: str) -> Response:
        key = _title_id(imdb_id)
        found = TitleRequest.objects.filter(imdb_id=key).first()
        if found is None:
            raise NotFound(f"Nobody has asked for {key}.")
        return _uncached(TitleSerializer(found, context={"request": request}).data)

    @extend_schema(
        summary="Ask for a title",
        auth=[],
        description=(
            "Searches all sources for a title that is not in the catalogue (202). 200 with the same body if it is "
            "being searched, or was lately; 409 if it is in the catalogue, 403 if it was taken down or removed."
        ),
        request=None,
        responses={
            200: TitleSerializer,
            202: TitleSerializer,
            **dict.fromkeys((400, 403, 409, 429, 503), ERROR),
        },
    )
    def post(self, request: Request, imdb_id: str) -> Response:
        key = _title_id(imdb_id)
        if Movie.objects.shown().filter(imdb_id=key).exists():
            raise ConflictError(f"{key} is in the catalogue.")
        self.quota = title_quota(request._request)
        if self.quota.retry_after is not None:
            raise Throttled(self.quota.retry_after)
        found = _ask_for_title(request._request, key)
        return _uncached(
            TitleSerializer(found, context={"request": request}).data, status=202 if found.is_started else 200
        )


class SourceViewSet(ApiView, GenericViewSet[Movie]):
    """Sources of links."""

    queryset = Movie.objects.none()
    allowed_parameters = {"list": frozenset()}

    @extend_schema(summary="Sources", auth=[], responses={200: SourceSerializer(many=True)}, filters=False)
    def list(self, request: Request) -> Response:
        rows: Any = statistics.source_stats()
        return _uncached(SourceSerializer(rows, many=True).data)


class BulkView(ApiView):
    """Many writes of staff in one request."""

    required_permissions = {"post": ()}

    @extend_schema(
        summary="Many writes at once (staff)",
        description=(
            f"Up to {staff_writes.MAX_OPERATIONS} writes, done in order, each by itself and by the rules of the single "
            "one: what is refused changes nothing, and the others are done. `results` has the status of each."
        ),
        request=BulkSerializer,
        responses={200: BulkResultSerializer, 400: ERROR, **STAFF_ERRORS},
    )
    def post(self, request: Request) -> Response:
        if not request.user.is_authenticated:
            raise NotAuthenticated
        if not request.user.is_staff:
            raise PermissionDenied("This needs a staff account.")
        body = staff_writes.validated(BulkSerializer(data=request.data)).validated_data
        results: Any = staff_writes.write_many(request.user, body["operations"])
        return _uncached(BulkResultSerializer({"results": results}).data)


class StatsView(ApiView):
    """Totals of the catalogue and the last health run."""

    allowed_parameters = {"": frozenset()}

    @extend_schema(summary="Totals and the last health run", auth=[], responses={200: StatsSerializer})
    def get(self, request: Request) -> Response:
        return _uncached(StatsSerializer(statistics.totals()).data)


class ChangesView(ApiView):
    """Changes after a cursor or a time, for mirrors."""

    allowed_parameters = {"": frozenset({"since"})}

    @extend_schema(
        summary="Changes, for mirrors",
        auth=[],
        description="Pass the next_since of the last response; at once if more is true, otherwise at any time.",
        parameters=[SINCE],
        responses={200: ChangesSerializer, 400: ERROR, 409: ERROR, 410: ERROR},
    )
    def get(self, request: Request) -> Response:
        if FollowedInstance.objects.knows_token(request.headers.get(FOLLOWER_HEADER, "")):
            raise ConflictError("This installation follows itself.")
        try:
            changes = changes_since(_since(request), limit=CHANGES_PAGE_SIZE)
        except UnknownCursorError:
            raise CursorGoneError from None
        body = {
            "changed": changes.changed,
            "removed": changes.removed,
            "next_since": str(changes.until),
            "more": changes.more,
        }
        return _uncached(ChangesSerializer(body, context={"request": request}).data)


def _title_id(text: str) -> str:
    if imdb_id := normalize_imdb_id(text):
        return imdb_id
    raise ValidationError({"imdb_id": [f"{text[:60]!a} is not tt and 7 to 9 digits."]})


def _ask_for_title(request: HttpRequest, imdb_id: str) -> TitleRequest:
    about = describe_title_if_possible(imdb_id)
    if about and not about.is_watchable:
        raise ValidationError({"imdb_id": [f"{imdb_id} is no film or show, but: {about.kind}."]})
    client = client_key(request)
    try:
        with queue_refusals_named():
            return ask_for_title(imdb_id, about=about, requested_by=REQUESTED_BY, client=client, now=timezone.now())
    except TitleRefused as refusal:
        raise PermissionDenied(f"{imdb_id} was {refusal}, and is not searched.") from None
    except TooManyTitles:
        raise ServiceUnavailable(TOO_MANY_TITLES_SECONDS, "Too many titles are sought already.") from None


class ApiRootView(ApiView):
    """The entry point: URLs of the other endpoints."""

    allowed_parameters = {"": frozenset()}

    @extend_schema(summary="Endpoints", auth=[], responses={200: RootSerializer})
    def get(self, request: Request) -> Response:
        names = {
            "movies": "movie-list",
            "sources": "source-list",
            "stats": "stats",
            "changes": "changes",
            "schema": "schema",
            "docs": "docs",
        }
        return Response({key: reverse(f"api:{name}", request=request) for key, name in names.items()})


@extend_schema(exclude=True)
class ApiNotFoundView(ApiView):
    """404 as JSON for unknown URLs under /api/."""

    def initial(self, request: Request, *args: object, **kwargs: object) -> NoReturn:
        raise NotFound("There is nothing at this URL.")


class SchemaView(SpectacularAPIView):
    """The OpenAPI schema as JSON, which every OpenAPI tool reads."""

    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """One at a time: the generator prepares its extensions at the first request, and fails if two do it at once."""
        with GENERATING_SCHEMA:
            return super().dispatch(request, *args, **kwargs)


def _uncached(data: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A response that caches must not store."""
    return Response(data, status=status, headers={"Cache-Control": "no-store", **(headers or {})})


def _fingerprint(refresh: RefreshState) -> tuple[object, ...]:
    job = refresh.job
    return refresh.state, refresh.reason, refresh.next_allowed_at, job and job.pk


def _latest(
    updated: datetime, checked: Sequence[datetime | None], job: ScrapeJob | None, *, now: datetime
) -> datetime | None:
    """The latest of these times; those in the future, from a fast clock, do not count."""
    times: list[datetime | None] = [
        updated,
        *checked,
        *((job.queued_at, job.started_at, job.finished_at) if job else ()),
    ]
    return max((time for time in times if time is not None and time <= now), default=None)


def _since(request: Request) -> ChangeCursor:
    text = request.query_params.get("since", "")
    try:
        return (ChangeCursor.parse(text) or ChangeCursor(at=parse_datetime_or_date(text))) if text else ChangeCursor()
    except ValueError:
        message = "Write next_since of an earlier response, a time such as 2026-01-31T08:00:00Z or a date."
        raise ValidationError({"since": [message]}) from None
