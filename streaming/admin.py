"""The Django admin for staff: every table, with search and filters. Edits are validated as all other input is."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.admin.models import LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, ChangeList
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, Model, OuterRef, QuerySet
from django.db.models.expressions import OrderBy
from django.forms import BaseModelFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from rest_framework.authtoken.admin import TokenAdmin
from rest_framework.authtoken.models import TokenProxy

from scraper.net.url_policy import InvalidValue
from scraper.sources import source_name
from streaming import login_attempts
from streaming.catalogue_query import MAX_EXACT, CatalogueQuery
from streaming.client_throttle import client_networks
from streaming.desk.edit_forms import EDITABLE_LINK_FIELDS, MOVIE_FIELDS, BindingForm, BlockForm, LinkForm, MovieForm
from streaming.desk.external_links import external_link
from streaming.desk.readable_values import json_as_html, readable_fields, readable_json_fields
from streaming.formatting import counted, display_text
from streaming.health.permanent_redirects import follow_permanent_redirects, permanently_redirected_links
from streaming.health.sweep.immediate_check import check_now
from streaming.ingest import edits, review
from streaming.ingest.records import is_imdb_id
from streaming.ingest.row_locks import RowGone
from streaming.ingest.takedown import block, block_link, lift
from streaming.ingest.tombstones import remove_movies, restore_movies, snapshot_links
from streaming.models import (
    ApiKey,
    Binding,
    BlockedAddress,
    FollowedInstance,
    FollowedMovie,
    HealthRun,
    HostPause,
    LinkCount,
    LinkFlip,
    LinkReport,
    Movie,
    MovieQuerySet,
    RemovedMovie,
    ScrapeJob,
    StreamingLink,
    StreamingLinkQuerySet,
    TakedownRequest,
    TitleRequest,
)
from streaming.models.counters import link_total, movie_total
from streaming.models.job import SourceState
from streaming.models.link import STRENGTH_CHOICES
from streaming.models.reasons import REASON_TEXT, reason_text
from streaming.models.removed import RemovedMovieQuerySet
from streaming.models.sorted_years import YearOrFirst
from streaming.reason_codes import CheckCode, Reason
from streaming.scraper_utils import scrape_movie_on_demand
from streaming.scraping import jobs
from streaming.write_log import log_added, log_changed
from streaming.write_wait import REQUESTED_WRITE_SECONDS, limited_write_wait

REQUESTED_BY = "admin"
MAX_PER_ACTION = 100
MAX_LISTED_ROWS = 10_000
MAX_LISTED_EVIDENCE = 60
MAX_LISTED_ACCOUNTS = 100
ROW_ID = re.compile(r"[0-9]{1,18}", re.ASCII)
NO_VALUE = "-"
"""What stands for the empty value in the URL of a filter."""
MOVIE_READONLY_FIELDS = ("created_at", "updated_at", "last_scraped_at", "next_scrape_at", "links_in_review")
LINK_READONLY_FIELDS = (
    "video", "is_published", "length_note", "taken_down", "host", "last_checked", "next_check_at", "moved_to",
    "moved_seen", "moved_from",
    "reason_text", "strength_text", "http_status", "response_ms", "failures", "checks_passed",
    "state_since", "first_seen", "last_seen",
)  # fmt: skip


class RateLimitedLoginForm(AdminAuthenticationForm):
    """Judge no password once the account or the client has had too many wrong ones in 15 minutes."""

    def clean(self) -> dict[str, Any]:
        assert self.request is not None, "the log-in view passes its request"
        attempt = login_attempts.begin_attempt(
            str(self.cleaned_data.get("username", "")),
            networks=client_networks(self.request),
            cookies=self.request.COOKIES,
        )
        if attempt is None:
            raise forms.ValidationError("Too many wrong passwords. Try again in 15 minutes.", code="locked")
        cleaned = super().clean()
        login_attempts.take_back(attempt)
        return cleaned


def log_in(request: HttpRequest) -> HttpResponse:
    """The admin's log-in; a device that logs in gets a cookie by which it is known, whatever strangers guess.

    It waits for other writers for a second at most; the middleware answers when that is not enough.
    """
    with limited_write_wait(REQUESTED_WRITE_SECONDS):
        response = admin.site.login(request)
    if request.method == "POST" and response.status_code == 302 and request.user.is_authenticated:
        name, value = login_attempts.device_cookie(request.user.get_username())
        response.set_cookie(
            name,
            value,
            max_age=login_attempts.DEVICE_COOKIE_AGE,
            path=request.path,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


class BindingInline(admin.StackedInline):  # type: ignore[type-arg]
    model = Binding
    form = BindingForm
    fields = (("url", "source", "created_at"),)
    readonly_fields = ("created_at",)
    extra = 0


class LinkInline(admin.StackedInline):  # type: ignore[type-arg]
    """What of a link is edited most, in three lines; the page of the link has the rest."""

    model = StreamingLink
    form = LinkForm
    fields = (
        ("source_url", "video"),
        ("source", "kind", "quality", "language"),
        ("licence", "season", "episode", "is_active"),
        ("is_published", "reason_text", "last_checked"),
    )
    readonly_fields = ("video", "is_published", "reason_text", "last_checked")
    extra = 0
    show_change_link = True

    @admin.display(description="Video")
    def video(self, link: StreamingLink) -> str:
        return external_link(link.source_url, text=link.host) if link.pk else "–"


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Pages of the first 10,000 rows: the database reads all rows before a page, and to count them all.

    The whole tables of movies and links have a true count, from the counters.
    """

    @cached_property
    def count(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]  # the admin passes nothing else
        if not rows.query.where:
            if rows.model is Movie:
                return movie_total()
            if rows.model is StreamingLink:
                return link_total()
        return rows.order_by().values("pk")[:MAX_LISTED_ROWS].count()

    def _get_page(self, rows: Any, *args: Any, **kwargs: Any) -> Any:
        """The page of these rows, by their ids: an index may have those, and the rest is read of the page alone.

        SQLite, which guesses how large indexes are, would rather sort a table of millions than walk the right one.
        """
        places = {pk: place for place, pk in enumerate(rows.values_list("pk", flat=True))}
        found = self.object_list.order_by().filter(pk__in=list(places))  # type: ignore[attr-defined]  # as above
        return super()._get_page(sorted(found, key=lambda row: places[row.pk]), *args, **kwargs)  # type: ignore[misc]

    @property
    def num_pages(self) -> int:
        return min(super().num_pages, -(-MAX_LISTED_ROWS // self.per_page))


class IndexedChangeList(ChangeList):
    """A list of a large table, sorted by one column: ties stand as in the index of that column.

    Otherwise the database sorts all rows of a tie, of which there may be a million, to show the first hundred. The
    `ties` of the model's admin are the terms that follow a column in its index, by the column.
    """

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        if not self.params.get(ORDER_VAR):
            return super().get_ordering(request, queryset)
        model_admin: Any = self.model_admin
        chosen: Any = super().get_ordering(request, queryset)[0]
        if isinstance(chosen, OrderBy):
            expression: Any = chosen.expression
            name, is_descending = expression.get_source_expressions()[0].name, chosen.descending
        else:
            name, is_descending = chosen.removeprefix("-"), chosen.startswith("-")
        ties = model_admin.ties.get(name, ("pk",))
        return [chosen, *(map(_reversed, ties) if is_descending else ties)]


def _reversed(term: str) -> str:
    return term[1:] if term.startswith("-") else f"-{term}"


class ValueFilter(admin.SimpleListFilter, ABC):
    """Base class: a filter whose values are known without reading the table, as the admin's own would."""

    @abstractmethod
    def values(self) -> Iterable[tuple[str, str]]:
        """The values and their texts."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value or NO_VALUE, text or "-") for value, text in self.values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        try:
            return queryset.filter(**{str(self.parameter_name): "" if value == NO_VALUE else value})
        except ValidationError as error:
            raise IncorrectLookupParameters(error) from error


class LinkSourceFilter(ValueFilter):
    title, parameter_name = "source", "source__exact"

    def values(self) -> Iterable[tuple[str, str]]:
        return [(slug, slug) for slug in LinkCount.objects.values_of("source")]


class LinkLicenceFilter(ValueFilter):
    title, parameter_name = "licence", "licence__exact"

    def values(self) -> Iterable[tuple[str, str]]:
        return [(licence, licence) for licence in LinkCount.objects.values_of("licence")]


class LinkReasonFilter(ValueFilter):
    title, parameter_name = "reason", "reason__exact"

    def values(self) -> Iterable[tuple[str, str]]:
        return [(reason.value, reason.value) for reason in Reason]


class LinkStrengthFilter(ValueFilter):
    """The links that fail, by how certain their death is; the index has no others."""

    title, parameter_name = "strength", "strength__exact"

    def values(self) -> Iterable[tuple[str, str]]:
        return STRENGTH_CHOICES

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().queryset(request, queryset)
        # Without the condition of the index SQLite does not see that it may use it.
        return rows if self.value() in (None, NO_VALUE) else rows.exclude(strength="")


class RequesterFilter(ValueFilter):
    title, parameter_name = "requested by", "requested_by__exact"

    def values(self) -> Iterable[tuple[str, str]]:
        return [(one, one) for one in ("admin", "api", "command", "page", "stremio")]


class PublishedFilter(ValueFilter):
    title, parameter_name = "is published", "is_published__exact"

    def values(self) -> Iterable[tuple[str, str]]:
        return [("1", "Yes"), ("0", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those that are not published by their index: sought along the ids, the whole table would be read."""
        if self.value() != "0":
            return super().queryset(request, queryset)
        waiting = StreamingLink.objects.order_by().filter(is_published=False)
        return queryset.filter(pk__in=waiting.values("pk"))


class ActiveLinksFilter(admin.SimpleListFilter):
    """Movies with a working link, or without one; of most movies the order of the list is walked, as everywhere."""

    title, parameter_name = "working links", "active_links"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("some", "Has a working link"), ("0", "Has no working link")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Movie]:
        has_links = {"some": True, "0": False}.get(self.value() or "")
        found: QuerySet[Movie] = queryset if has_links is None else CatalogueQuery(has_links=has_links).apply(queryset)
        return found


class AddedFilter(admin.DateFieldListFilter):
    """Movies by the time when they were added: few from its index, many along the order of the list."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Movie]) -> QuerySet[Movie]:
        matching: Any = super().queryset(request, Movie.objects.order_by())
        if not self.used_parameters:
            return queryset
        few = matching.values("pk")[: MAX_EXACT + 1]
        if few.count() <= MAX_EXACT:
            return queryset.filter(pk__in=list(few.values_list("pk", flat=True)))
        return queryset.filter(Exists(matching.filter(pk=OuterRef("pk"))))


class StaffAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Base class: a write and its log entry are one transaction, and a write that is refused leaves neither.

    The form has validated what is saved, so a refusal here means that another request was first. The
    `has_..._permission` methods are what the actions need (`permissions=`).
    """

    paginator = BoundedPaginator
    change_form_template = "admin/row_with_actions.html"
    page_actions: ClassVar[tuple[str, ...]] = ()
    """The actions of the list that the page of one row offers as well."""
    show_full_result_count = False
    # They would count the rows of each value of each filter.
    show_facets = admin.ShowFacets.NEVER

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._explain_refusal(request, lambda: super(StaffAdmin, self).changeform_view(request, *args, **kwargs))

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if any("\x00" in value for values in request.GET.lists() for value in values[1]):
            return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")  # PostgreSQL takes it in no filter
        return self._explain_refusal(request, lambda: super(StaffAdmin, self).changelist_view(request, *args, **kwargs))

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._explain_refusal(request, lambda: super(StaffAdmin, self).delete_view(request, *args, **kwargs))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        offered = self.get_actions(request) if context.get("original") else {}
        context["page_actions"] = [
            (name, action[2]) for name, action in offered.items() if action and name in self.page_actions
        ]
        return super().render_change_form(request, context, *args, **kwargs)

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *args: Any) -> HttpResponse | None:
        """Refuse an action on all rows of a list that has more than it says and shows."""
        is_bounded = BoundedPaginator(queryset, self.list_per_page).count == MAX_LISTED_ROWS
        if request.POST.get("select_across", "0") != "0" and is_bounded and queryset[MAX_LISTED_ROWS:].exists():
            message = (
                f"Nothing was done: these are more than the {MAX_LISTED_ROWS:,} rows that are listed. Filter them."
            )
            self.message_user(request, message, messages.WARNING)
            return None
        return super().response_action(request, queryset, *args)

    def _explain_refusal(self, request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
        try:
            return view()
        except (InvalidValue, RowGone, Movie.DoesNotExist) as refusal:
            reason = str(refusal).rstrip(".")
        except IntegrityError:
            reason = "somebody else saved the same row at the same time"
        self.message_user(request, f"Nothing was saved: {reason}.", messages.ERROR)
        return HttpResponseRedirect(request.path)

    def has_search_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("streaming.add_scrapejob")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("streaming.change_scrapejob")

    def has_restore_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("streaming.change_removedmovie")

    def has_block_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("streaming.add_blockedaddress")

    def has_reject_permission(self, request: HttpRequest) -> bool:
        return self.has_block_permission(request) and request.user.has_perm("streaming.change_streaminglink")


class HistoryOwnerAdmin(StaffAdmin):
    """Base class for rows whose history goes with them: deleting one needs no permission to delete its history.

    There may be millions of these rows, so a column sorts them as its index does.
    """

    ties: ClassVar[dict[str, tuple[str, ...]]] = {}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return IndexedChangeList

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[Any], dict[str, int], set[str], Any]:
        deleted, counts, _, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, set(), protected


class ReadOnlyAdmin(StaffAdmin):
    """Rows that only the program writes. Stored JSON is shown as tables, in whose words `word_of` has a part."""

    def word_of(self, code: str) -> str:
        """The word to show for a code in stored JSON; others as they are."""
        return code

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return readable_json_fields(super().get_fields(request, obj), model=self.model, wording=self.word_of)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Movie)
class MovieAdmin(HistoryOwnerAdmin):
    form = MovieForm
    fields = (*MOVIE_FIELDS, *MOVIE_READONLY_FIELDS)
    readonly_fields: ClassVar = list(MOVIE_READONLY_FIELDS)
    list_display = ("title_column", "year_column", "type", "imdb_id", "active_links_count", "updated_at")
    list_filter = (ActiveLinksFilter, "type", ("created_at", AddedFilter))
    search_fields = ("search_title", "imdb_id")
    ordering = ("search_title", "pk")
    inlines = (LinkInline, BindingInline)
    actions = page_actions = ("refresh",)
    # Each of these has an index.
    ties: ClassVar[dict[str, tuple[str, ...]]] = {
        "imdb_id": (),
        "year": ("search_title", "pk"),
        "active_link_count": ("-search_title", "-pk"),
    }
    sortable_by = ("title_column", "year_column", "imdb_id", "active_links_count", "updated_at")
    view_on_site = True

    def get_queryset(self, request: HttpRequest) -> MovieQuerySet:
        return Movie.objects.with_active_count()

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """The best match first, unless staff have chosen a column."""
        wanted = search_term.strip()
        movies = queryset if wanted == "" or ORDER_VAR in request.GET else queryset.order_by()
        found = movies.search(wanted)
        # Without a word, the choice of a movie has no order, and its pages would repeat and miss some.
        return found if found.ordered else found.order_by(*self.ordering), False

    def get_fields(self, request: HttpRequest, obj: Movie | None = None) -> Any:
        fields = super().get_fields(request, obj)
        may_edit = self.has_change_permission(request, obj) if obj else True
        return fields if may_edit else readable_fields([str(name) for name in fields], form=self.form)

    def get_readonly_fields(self, request: HttpRequest, obj: Movie | None = None) -> list[str]:
        return [*self.readonly_fields, *(["imdb_id"] if obj else [])]

    @admin.display(description="title", ordering="search_title")
    def title_column(self, movie: Movie) -> str:
        return movie.title

    @admin.display(description="year", ordering=YearOrFirst(F("year")))
    def year_column(self, movie: Movie) -> int | None:
        return movie.year

    @admin.display(description="Active links", ordering="active_link_count")
    def active_links_count(self, movie: Movie) -> int:
        return int(getattr(movie, "active_count", 0))

    @admin.display(description="Links awaiting review")
    def links_in_review(self, movie: Movie) -> int:
        return movie.links.awaiting_review().count() if movie.pk else 0

    def save_model(self, request: HttpRequest, obj: Movie, form: Any, change: bool) -> None:
        raw = {name: getattr(obj, name) for name in MOVIE_FIELDS}
        saved = edits.update_movie(obj, raw) if change else edits.create_movie(raw)
        obj.pk, obj._state.adding = saved.pk, False

    def save_formset(self, request: HttpRequest, form: Any, formset: BaseModelFormSet[Any, Any], change: bool) -> None:
        if formset.model is Binding:
            formset.save()
            return
        for link in formset.save(commit=False):
            _save_link(link)
        for link in formset.deleted_objects:
            edits.delete_link(link)

    def delete_model(self, request: HttpRequest, obj: Movie) -> None:
        self.delete_queryset(request, Movie.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Movie]) -> None:
        chosen = Movie.objects.filter(pk__in=list(queryset.values_list("pk", flat=True)))
        remove_movies(chosen, reason=f"removed by {request.user} in the admin"[:200], cause=RemovedMovie.Cause.STAFF)

    @admin.action(description="Refresh: search for links now", permissions=["search"])
    def refresh(self, request: HttpRequest, queryset: QuerySet[Movie]) -> None:
        _start_jobs(self, request, list(queryset[:MAX_PER_ACTION]))


class MovedFilter(admin.SimpleListFilter):
    """Links whose URL redirects permanently, seen often enough to be updated."""

    title = "permanent redirect"
    parameter_name = "moved"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Redirects permanently")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StreamingLink]) -> QuerySet[StreamingLink]:
        return (
            queryset.filter(pk__in=permanently_redirected_links().values("pk")) if self.value() == "yes" else queryset
        )


@admin.register(StreamingLink)
class StreamingLinkAdmin(HistoryOwnerAdmin):
    form = LinkForm
    fields = ("movie", *EDITABLE_LINK_FIELDS, *LINK_READONLY_FIELDS)
    readonly_fields: ClassVar = list(LINK_READONLY_FIELDS)
    autocomplete_fields = ("movie",)
    list_display = (
        "movie", "video", "source", "kind", "licence", "short_evidence", "is_published", "is_active", "reason_text",
        "last_checked",
    )  # fmt: skip
    list_filter = (
        PublishedFilter,
        "is_active",
        "taken_down",
        LinkSourceFilter,
        "kind",
        "quality",
        LinkLicenceFilter,
        LinkReasonFilter,
        LinkStrengthFilter,
        MovedFilter,
    )
    list_select_related = ("movie",)
    search_fields = ("movie__search_title", "source_url")
    search_help_text = "A title, an IMDb id, a host, or a URL."
    ordering = ("-pk",)
    sortable_by = ("last_checked",)
    actions = ("publish", "reject", "withdraw", "check_links", "follow_permanent_redirects", "block_hosts")
    page_actions = ("publish", "reject", "withdraw", "check_links")
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: StreamingLink | None = None) -> list[str]:
        return [*self.readonly_fields, *(["movie"] if obj else [])]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return _search(queryset, search_term, movie="movie", address=("host", "source_url")), False

    def get_autocomplete_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return ("movie",)

    @admin.display(description="Video")
    def video(self, link: StreamingLink) -> str:
        return external_link(link.source_url, text=link.host) if link.pk else "–"

    @admin.display(description="Evidence")
    def short_evidence(self, link: StreamingLink) -> str:
        return display_text(link.evidence, max_length=MAX_LISTED_EVIDENCE)

    @admin.display(description="Checks passed")
    def checks_passed(self, link: StreamingLink) -> str:
        return f"{link.checks.count(CheckCode.ALIVE)} of the last {len(link.checks)}" if link.checks else "–"

    def save_model(self, request: HttpRequest, obj: StreamingLink, form: Any, change: bool) -> None:
        _save_link(obj)

    def delete_model(self, request: HttpRequest, obj: StreamingLink) -> None:
        edits.delete_link(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[StreamingLink]) -> None:
        for link in queryset:
            edits.delete_link(link)

    @admin.action(description="Publish", permissions=["change"])
    @transaction.atomic
    def publish(self, request: HttpRequest, queryset: QuerySet[StreamingLink]) -> None:
        links = _chosen(queryset)
        log_changed(request.user, *links.awaiting_review(), note="Published.")
        self.message_user(request, f"{counted(review.publish(links, by=str(request.user)), 'link')} published.")

    @admin.action(description="Reject and block address", permissions=["reject"])
    @transaction.atomic
    def reject(self, request: HttpRequest, queryset: QuerySet[StreamingLink]) -> None:
        links = _chosen(queryset)
        log_changed(request.user, *links.awaiting_review(), note="Rejected; address blocked.")
        rejected = review.reject(links, reason=f"rejected by {request.user} in the review"[:300])
        self.message_user(request, f"{counted(rejected, 'address', plural='addresses')} awaiting review blocked.")

    @admin.action(description="Withdraw: return to the review queue", permissions=["change"])
    @transaction.atomic
    def withdraw(self, request: HttpRequest, queryset: QuerySet[StreamingLink]) -> None:
        links = _chosen(queryset)
        log_changed(request.user, *links.shown(), note="Withdrawn: returned to the review queue.")
        self.message_user(request, f"{counted(review.withdraw(links), 'link')} withdrawn.")

    @admin.action(description="Check now", permissions=["change"])
    def check_links(self, request: HttpRequest, queryset: QuerySet[StreamingLink]) -> None:
        links = list(queryset[:MAX_PER_ACTION])
        # Logged first: a check takes seconds and writes in transactions of its own.
        log_changed(request.user, *links, note="Started a check.")
        reasons = check_now([link.pk for link in links])
        by_text = Counter(reason_text(reason) for reason in reasons.values())
        results = ", ".join(f"{number} × {text}" for text, number in by_text.most_common())
        self.message_user(request, f"Checked {counted(len(reasons), 'link')}: {results or 'none'}.")
        if kept := by_text[reason_text(Reason.LOCAL)]:
            self.message_user(request, _unjudged_text(kept), messages.WARNING)

    @admin.action(description="Update the URL of permanently redirected links", permissions=["change"])
    @transaction.atomic
    def follow_permanent_redirects(self, request: HttpRequest, queryset: QuerySet[StreamingLink]) -> None:
        chosen = list(queryset.values_list("pk", flat=True)[:MAX_PER_ACTION])
        moved = permanently_redirected_links().filter(pk__in=chosen).select_related("movie")
        log_changed(request.user, *moved, note="Followed the permanent redirect.")
        moves = follow_permanent_redirects(now=timezone.now(), among=chosen)
        merged = f"{moves.merged} turned off: their movie has the new address already"
        self.message_user(request, f"{counted(moves.followed, 'link')} updated, {merged}.")

    @admin.action(description="Block the hosts of these links", permissions=["block"])
    @transaction.atomic
    def block_hosts(self, request: HttpRequest, queryset: QuerySet[StreamingLink]) -> None:
        for host in sorted(set(queryset.values_list("host", flat=True))):
            row, turned_off = block(host, reason=f"blocked by {request.user} in the admin"[:300])
            log_added(request.user, row, note=f"Blocked from the list of links: {turned_off} turned off.")
            self.message_user(request, f"Blocked {row.address}: {counted(turned_off, 'link')} turned off.")


class HandledFilter(admin.SimpleListFilter):
    """Reports and requests that await review, unless all are asked for."""

    title = "review"
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("handled", "Handled"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        waiting, *others = super().choices(changelist)
        return [{**waiting, "display": "Awaits review"}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.filter(handled_at__isnull=self.value() != "handled")


@admin.register(LinkReport)
class LinkReportAdmin(ReadOnlyAdmin):
    """The review list: what visitors say about links, the most reported first."""

    list_display = ("movie", "kind", "count", "newest_note", "link_page", "link_state", "outcome", "last_at")
    list_filter = (HandledFilter, "kind", "outcome", "last_at")
    list_select_related = ("link__movie",)
    search_fields = ("=link__movie__imdb_id", "link__movie__search_title", "link__source_url")
    ordering = ("-count", "-last_at")
    actions = page_actions = ("mark_handled",)
    show_full_result_count = False

    def has_handle_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("streaming.change_linkreport")

    @admin.display(description="Movie", ordering="link__movie__search_title")
    def movie(self, report: LinkReport) -> str:
        return str(report.link.movie)

    @admin.display(description="Newest sentence")
    def newest_note(self, report: LinkReport) -> str:
        return str(report.notes[-1]) if report.notes else "–"

    @admin.display(description="Link")
    def link_page(self, report: LinkReport) -> str:
        page = reverse("admin:streaming_streaminglink_change", args=[report.link_id])
        opened = external_link(report.link.source_url, text="open")
        return format_html('<a href="{}">{}</a> <span class="nowrap">({})</span>', page, report.link.host, opened)

    @admin.display(description="Works", boolean=True)
    def link_state(self, report: LinkReport) -> bool:
        return report.link.is_active

    @admin.action(description="Mark as handled", permissions=["handle"])
    @transaction.atomic
    def mark_handled(self, request: HttpRequest, queryset: QuerySet[LinkReport]) -> None:
        chosen = LinkReport.objects.filter(pk__in=list(queryset.values_list("pk", flat=True)))
        log_changed(request.user, *chosen.awaiting_review(), note="Handled the report.")
        handled = chosen.mark_handled(now=timezone.now())
        self.message_user(request, f"{counted(handled, 'report')} handled.")


@admin.register(ApiKey)
class ApiKeyAdmin(StaffAdmin):
    """Keys of the API: each acts as the account that made it, and is shown once. Superusers see those of all."""

    list_display = ("name", "scope", "prefix", "user", "created_at", "last_used_at", "revoked_at")
    list_filter = ("scope",)
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__username")
    ordering = ("-created_at",)
    fields = ("name", "scope", "user", "prefix", "created_at", "last_used_at", "revoked_at")
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        keys: QuerySet[ApiKey] = super().get_queryset(request)
        return keys if request.user.is_superuser else keys.filter(user_id=int(request.user.pk or 0))

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return self.fields if obj else self.fields[:2]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return self.fields if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """For the action only: a key that exists is revoked, never edited."""
        return obj is None and super().has_change_permission(request)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        obj.user_id = int(request.user.pk or 0)
        text = obj.set_secret()
        super().save_model(request, obj, form, change)
        note = format_html("Copy the key now, it is not shown again: <code>{}</code>", text)
        self.message_user(request, note, messages.WARNING)

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    @transaction.atomic
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        chosen = ApiKey.objects.filter(pk__in=list(queryset.values_list("pk", flat=True)))
        log_changed(request.user, *chosen.filter(revoked_at=None), note="Revoked the key.")
        revoked = chosen.revoke(now=timezone.now())
        self.message_user(request, f"{counted(revoked, 'key')} revoked.")


@admin.register(TakedownRequest)
class TakedownRequestAdmin(ReadOnlyAdmin):
    """What visitors ask to be taken down, the oldest first."""

    list_display = ("created_at", "claim", "what", "short_statement", "name", "email", "outcome")
    list_filter = (HandledFilter, "claim", "outcome")
    search_fields = ("target", "name", "email")
    ordering = ("pk",)
    actions = page_actions = ("take_down", "decline")
    fields = ("what", "claim", "statement", "name", "mail", "created_at", "handled_at", "outcome")
    readonly_fields = fields

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("streaming.change_takedownrequest")

    def has_take_down_permission(self, request: HttpRequest) -> bool:
        return self.has_decide_permission(request) and self.has_block_permission(request)

    @admin.display(description="What", ordering="target")
    def what(self, asked: TakedownRequest) -> str:
        if not is_imdb_id(asked.target):
            return external_link(asked.target)
        return format_html('<a href="{}">{}</a>', reverse("movie", args=[asked.target]), asked.target)

    @admin.display(description="Email")
    def mail(self, asked: TakedownRequest) -> str:
        return format_html('<a href="mailto:{}">{}</a>', asked.email, asked.email)

    @admin.display(description="Statement")
    def short_statement(self, asked: TakedownRequest) -> str:
        return display_text(asked.statement, max_length=2 * MAX_LISTED_EVIDENCE)

    @admin.action(description="Take down and close", permissions=["take_down"])
    @transaction.atomic
    def take_down(self, request: HttpRequest, queryset: QuerySet[TakedownRequest]) -> None:
        chosen = TakedownRequest.objects.filter(pk__in=list(queryset.values_list("pk", flat=True)[:MAX_PER_ACTION]))
        log_changed(request.user, *chosen.awaiting_review(), note="Took it down.")
        for target in sorted({asked.target for asked in chosen.awaiting_review()}):
            reason = f"taken down on request by {request.user}"[:300]
            if is_imdb_id(target):
                block(target, reason=reason)
            else:
                block_link(target, reason=reason)
        closed = chosen.decide(TakedownRequest.Outcome.TAKEN_DOWN, now=timezone.now())
        self.message_user(request, f"{counted(closed, 'request')} granted: films removed, links hidden.")

    @admin.action(description="Decline and close", permissions=["decide"])
    @transaction.atomic
    def decline(self, request: HttpRequest, queryset: QuerySet[TakedownRequest]) -> None:
        chosen = TakedownRequest.objects.filter(pk__in=list(queryset.values_list("pk", flat=True)))
        log_changed(request.user, *chosen.awaiting_review(), note="Declined it.")
        closed = chosen.decide(TakedownRequest.Outcome.DECLINED, now=timezone.now())
        self.message_user(request, f"{counted(closed, 'request')} declined.")


@admin.register(ScrapeJob)
class ScrapeJobAdmin(ReadOnlyAdmin):
    list_display = ("pk", "searched", "state", "outcome", "requested_by", "links_new", "queued_at", "finished_at")
    list_filter = ("state", "outcome", RequesterFilter, "queued_at")
    list_select_related = ("movie", "title_request")
    search_fields = ("movie__search_title",)
    search_help_text = "A title or an IMDb id."
    ordering = ("-pk",)
    actions = page_actions = ("cancel", "retry")

    def word_of(self, code: str) -> str:
        """The name of a source, or the label of what it came to."""
        return str(SourceState(code).label) if code in SourceState.values else source_name(code)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return _search(queryset, search_term, movie="movie"), False

    @admin.display(description="Movie", ordering="movie")
    def searched(self, job: ScrapeJob) -> str:
        return str(job.movie or job.title_request)

    @admin.action(description="Cancel", permissions=["cancel"])
    @transaction.atomic
    def cancel(self, request: HttpRequest, queryset: QuerySet[ScrapeJob]) -> None:
        cancelled = [job for job in queryset.order_by("pk") if jobs.cancel(job.pk)]
        log_changed(request.user, *cancelled, note="Cancelled.")
        self.message_user(request, f"{counted(len(cancelled), 'job')} cancelled.")

    @admin.action(description="Search again", permissions=["search"])
    def retry(self, request: HttpRequest, queryset: QuerySet[ScrapeJob]) -> None:
        chosen = queryset.select_related("movie")[:MAX_PER_ACTION]
        movies = {job.movie.pk: job.movie for job in chosen if job.movie}
        _start_jobs(self, request, list(movies.values()))


@admin.register(TitleRequest)
class TitleRequestAdmin(ReadOnlyAdmin):
    list_display = ("imdb_id", "title", "year", "outcome", "fruitless", "asked_at", "next_ask_at")
    list_filter = ("outcome",)
    search_fields = ("title", "imdb_id")
    ordering = ("-asked_at",)


@admin.register(RemovedMovie)
class RemovedMovieAdmin(ReadOnlyAdmin):
    list_display = ("title", "imdb_id", "removed_at", "reason", "cause", "next_check_at", "restored_at")
    list_filter = ("cause", "removed_at", ("restored_at", admin.EmptyFieldListFilter))
    search_fields = ("title", "imdb_id")
    ordering = ("-removed_at",)
    exclude = ("snapshot",)
    readonly_fields = ("links_in_tombstone",)
    actions = page_actions = ("restore",)

    @admin.display(description="Links that return with it")
    def links_in_tombstone(self, row: RemovedMovie) -> str:
        links = snapshot_links(row)
        return json_as_html([{"address": one["source_url"], "worked": one["is_active"]} for one in links])

    @admin.action(description="Restore", permissions=["restore"])
    @transaction.atomic
    def restore(self, request: HttpRequest, queryset: RemovedMovieQuerySet) -> None:
        tombstones = list(queryset.removed())
        restored = set(restore_movies([tombstone.imdb_id for tombstone in tombstones]))
        log_changed(request.user, *(row for row in tombstones if row.imdb_id in restored), note="Restored.")
        self.message_user(request, f"{counted(len(restored), 'movie')} restored.")


@admin.register(FollowedInstance)
class FollowedInstanceAdmin(ReadOnlyAdmin):
    """The list of instances, which `follow` writes. The films of a row that is deleted become ours."""

    list_display = ("url", "last_success_at", "cursor", "is_complete", "last_error", "last_error_at")
    exclude = ("token",)
    search_fields = ("url",)
    ordering = ("url",)


@admin.register(FollowedMovie)
class FollowedMovieAdmin(ReadOnlyAdmin):
    list_display = ("imdb_id", "instance", "state", "is_made")
    list_filter = ("state", "is_made", "instance")
    list_select_related = ("instance",)
    search_fields = ("imdb_id",)
    ordering = ("imdb_id", "instance")


@admin.register(BlockedAddress)
class BlockedAddressAdmin(StaffAdmin):
    form = BlockForm
    list_display = ("address", "kind", "reason", "created_at")
    list_filter = ("kind",)
    search_fields = ("address", "reason")
    ordering = ("address",)

    def has_change_permission(self, request: HttpRequest, obj: BlockedAddress | None = None) -> bool:
        """Never: delete a block and add a new one, so that what is blocked always matches the row."""
        return False

    def save_model(self, request: HttpRequest, obj: BlockedAddress, form: Any, change: bool) -> None:
        row, affected = block(obj.address, reason=obj.reason)
        obj.pk, obj.kind = row.pk, row.kind
        what = counted(affected, "link or movie", plural="links or movies")
        self.message_user(request, f"Blocked {row.address}: {what} turned off or removed.")

    def delete_model(self, request: HttpRequest, obj: BlockedAddress) -> None:
        lift([obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[BlockedAddress]) -> None:
        lift(list(queryset))


@admin.register(HealthRun)
class HealthRunAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "finished_at", "checked", "alive", "died", "revived", "removed", "outcome")
    list_filter = ("outcome", "started_at")
    search_fields = ("reason",)
    ordering = ("-started_at",)

    def word_of(self, code: str) -> str:
        """The text of a reason; other words are hosts."""
        return reason_text(code) if code in REASON_TEXT else code


@admin.register(LinkFlip)
class LinkFlipAdmin(ReadOnlyAdmin):
    list_display = ("at", "link", "is_active", "reason")
    list_filter = ("is_active", LinkReasonFilter, "at")
    list_select_related = ("link",)
    search_fields = ("link__movie__search_title", "link__source_url")
    search_help_text = "A title, an IMDb id, a host, or a URL."
    ordering = ("-at",)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        address = ("link__host", "link__source_url")
        return _search(queryset, search_term, movie="link__movie", address=address), False


@admin.register(HostPause)
class HostPauseAdmin(StaffAdmin):
    list_display = ("host", "paused_until", "kind", "reason")
    list_filter = ("kind",)
    readonly_fields = ("kind",)
    search_fields = ("host", "reason")
    ordering = ("host",)

    def save_model(self, request: HttpRequest, obj: HostPause, form: Any, change: bool) -> None:
        """Mark the pause as manual if its host or end was edited; a new text alone changes nothing else."""
        if not change or {"host", "paused_until"} & set(form.changed_data):
            obj.kind = HostPause.Kind.MANUAL
        super().save_model(request, obj, form, change)


class StaffFilter(admin.SimpleListFilter):
    """Whose writes: the accounts of staff, which are few."""

    title, parameter_name = "account", "user__id__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        staff = User.objects.filter(is_staff=True).order_by("username").values_list("pk", "username")
        return [(str(pk), name) for pk, name in staff[:MAX_LISTED_ACCOUNTS]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
        value = self.value() or ""
        return queryset.filter(user_id=int(value)) if ROW_ID.fullmatch(value) else queryset


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """Who wrote what, deleted rows included."""

    list_display = ("action_time", "user", "content_type", "row", "action_flag", "what_changed")
    list_filter = (StaffFilter, "action_flag", "action_time", "content_type")
    list_select_related = ("user", "content_type")
    search_fields = ("=user__username", "object_repr", "change_message")
    # By the key: the table has no index by time, and grows with every write.
    ordering = ("-pk",)
    exclude = ("change_message",)
    readonly_fields = ("what_changed",)
    sortable_by = ()

    @admin.display(description="Row")
    def row(self, entry: LogEntry) -> str:
        text = display_text(entry.object_repr, max_length=MAX_LISTED_EVIDENCE)
        url = None if entry.is_deletion() else entry.get_admin_url()
        return format_html('<a href="{}">{}</a>', url, text) if url and entry.object_id else text

    @admin.display(description="What changed")
    def what_changed(self, entry: LogEntry) -> str:
        return display_text(entry.get_change_message(), max_length=2 * MAX_LISTED_EVIDENCE)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[LogEntry]:
        """All entries; for others than superusers without those of tokens, which older releases named by their keys."""
        entries: QuerySet[LogEntry] = super().get_queryset(request)
        return entries if request.user.is_superuser else entries.exclude(content_type__app_label="authtoken")


class SuperuserAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Base class for what gives every permission to whoever may read or change it: accounts, groups and tokens."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_module_permission(request)


class SuperuserUserAdmin(SuperuserAdmin, UserAdmin):  # type: ignore[type-arg]
    """Accounts."""


class SuperuserGroupAdmin(SuperuserAdmin, GroupAdmin):
    """Groups."""


class SuperuserTokenAdmin(SuperuserAdmin, TokenAdmin):
    """Tokens of the API. The log names the account of a token: the text of a token is its key."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return log_changed(request.user, obj.user, note="Added a token of the API.")

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return log_changed(request.user, obj.user, note="Changed a token of the API.")

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return log_changed(request.user, *(token.user for token in queryset), note="Deleted a token of the API.")


def _search(rows: QuerySet[Any], text: str, *, movie: str, address: tuple[str, str] | None = None) -> QuerySet[Any]:
    """The rows of the movies that `text` means or, if it begins with a known host, of the URLs that contain it.

    `movie` is the path to the movie, `address` those to host and URL.
    """
    wanted = text.strip()
    if not wanted:
        return rows
    host = wanted.partition("://")[2] or wanted
    host = host.partition("/")[0].lower()
    if address and StreamingLink.objects.filter(host=host).exists():
        host_path, url_path = address
        return rows.filter(**{host_path: host, f"{url_path}__icontains": wanted})
    found = Movie.objects.order_by().search(wanted)
    return rows.filter(**{f"{movie}__in": found.values("pk")})


def _chosen(queryset: QuerySet[StreamingLink]) -> StreamingLinkQuerySet:
    """The chosen links by id: an action must not lose rows because it changes what the list filters by."""
    return StreamingLink.objects.filter(pk__in=list(queryset.values_list("pk", flat=True))).select_related("movie")


def _save_link(link: StreamingLink) -> None:
    raw = {name: getattr(link, name) for name in EDITABLE_LINK_FIELDS}
    if link.pk:
        edits.update_link(link, raw)
    else:
        link.pk = edits.create_link(raw, movie=link.movie).pk


def _unjudged_text(number: int) -> str:
    """What happened to links whose failure was not counted, and what that changed: nothing."""
    links, stays = counted(number, "link"), "it stays as it was" if number == 1 else "they stay as they were"
    return (
        f"{links} could not be judged: no answer came, but the cause may be here, for this server is offline or too "
        f"many links failed at once. Nothing was changed; {stays}, and the next check asks again."
    )


def _start_jobs(model_admin: admin.ModelAdmin[Any], request: HttpRequest, movies: list[Movie]) -> None:
    started = 0
    try:
        for movie in movies:
            started += _start_job(request, movie)
    except jobs.QueueFull:
        model_admin.message_user(request, "The queue is full. Try the rest later.", messages.WARNING)
    model_admin.message_user(request, f"{counted(started, 'search', plural='searches')} started.")


@transaction.atomic
def _start_job(request: HttpRequest, movie: Movie) -> bool:
    """Start a search of this movie; False if one was under way."""
    job = scrape_movie_on_demand(movie, requested_by=REQUESTED_BY)
    if not job.joined:
        log_added(request.user, job, note="Started in the admin.")
    return not job.joined


@admin.action(description="Delete selected %(verbose_name_plural)s", permissions=["delete"])
@transaction.atomic
def _delete_selected(model_admin: admin.ModelAdmin[Any], request: HttpRequest, queryset: QuerySet[Any]) -> Any:
    """Django's action, which logs the deletions before it makes them, in one transaction."""
    return delete_selected(model_admin, request, queryset)


for _model, _model_admin in (
    (User, SuperuserUserAdmin),
    (Group, SuperuserGroupAdmin),
    (TokenProxy, SuperuserTokenAdmin),
):
    admin.site.unregister(_model)
    admin.site.register(_model, _model_admin)
admin.site.add_action(_delete_selected, "delete_selected")
admin.site.site_header = admin.site.site_title = settings.SITE_NAME
admin.site.index_title = "Catalogue"
admin.site.login_form = RateLimitedLoginForm
