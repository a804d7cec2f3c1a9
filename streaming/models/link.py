"""Links: URLs where a movie can be watched, and their health."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from django.db import models
from django.db.models import Count, F, Q
from django.utils import timezone
from django.utils.translation import gettext

from scraper import sources
from scraper.items import MAX_EVIDENCE_LENGTH, QUALITIES
from streaming.film_length import length_note_in
from streaming.formatting import episode_label
from streaming.models.fields import JsonListField
from streaming.models.reasons import STRENGTH_TEXT, reason_text
from streaming.reason_codes import MAX_CHECK_HISTORY, CheckCode, Reason, Strength

QUALITY_CHOICES = [(quality, quality) for quality in QUALITIES]
STRENGTH_CHOICES = [(strength.value, STRENGTH_TEXT[strength]) for strength in Strength if strength]

NOT_TAKEN_DOWN = {"taken_down": False, "active_before": False, "reason_before": "", "strength_before": ""}


class StreamingLinkQuerySet(models.QuerySet["StreamingLink"]):
    """Queries about many links."""

    def shown(self) -> StreamingLinkQuerySet:
        """Links that everybody may see: published and not taken down. Everything public reads these."""
        return self.filter(is_published=True, taken_down=False)

    def active(self) -> StreamingLinkQuerySet:
        """Shown links that work. A link that was taken down is never active (a constraint)."""
        return self.filter(is_active=True, is_published=True)

    def working_by_movie(self, movie_ids: Sequence[int]) -> dict[int, int]:
        """How many active links of these movies, a page of them, a check has found working, by the movie's id."""
        links = self.active().filter(movie__in=movie_ids).order_by()
        # A condition on the last check would make an index by it seem useful, and all links be read.
        return dict(links.values_list("movie").annotate(number=Count("last_checked")))

    def inactive(self) -> StreamingLinkQuerySet:
        """Shown links that do not work."""
        return self.shown().filter(is_active=False)

    def in_language(self, tag: str) -> StreamingLinkQuerySet:
        """Links in this language or a variant, ignoring case: `en` finds `en-GB`, but `en-GB` does not find `en`."""
        return self.filter(Q(language__iexact=tag) | Q(language__istartswith=f"{tag}-"))

    def withdrawn_since(self, moment: datetime, *, known_at: datetime) -> StreamingLinkQuerySet:
        """Unpublished links that were known at that time, of movies that have changed since the moment."""
        return self.filter(is_published=False, first_seen__lte=known_at, movie__updated_at__gte=moment)

    def awaiting_review(self) -> StreamingLinkQuerySet:
        """Links that are neither published nor taken down."""
        return self.filter(is_published=False, taken_down=False)

    def take_down(self) -> int:
        """Hide these links and keep their state; return how many were not hidden before.

        Only for `streaming.ingest.takedown`, which knows whether an address is blocked.
        """
        return self.filter(taken_down=False).update(
            taken_down=True,
            active_before=F("is_active"),
            reason_before=F("reason"),
            strength_before=F("strength"),
            is_active=False,
            reason=Reason.TAKEN_DOWN,
            strength=Strength.NONE,
        )

    def bring_back(self) -> int:
        """Give links that were taken down their former state; return how many there were."""
        return self.filter(taken_down=True).update(
            is_active=F("active_before"), reason=F("reason_before"), strength=F("strength_before"), **NOT_TAKEN_DOWN
        )


class StreamingLink(models.Model):
    """One URL where a movie can be watched.

    Origin: `source` is the source that found the link first; `evidence` is what its licence is based on, in the
    source's words or as a URL. A link without `is_published` awaits review and is visible to staff only.

    File: `captions` are files as `{"url", "language", "format"}`, of which triggers make rows of `MovieFacet`.

    Health: `checks` holds the last results, oldest first, as letters of `CheckCode`; `failures` counts consecutive
    failed checks; `state_since` is the time of the last flip (None: none); `last_checked` is None if never checked;
    `strength` is how certain its death is while it fails; `failing_seconds` is how long it has been failing by accepted
    checks, see `streaming.health.judging.removal`;
    `next_check_at` is when the next check is due (None: now); `verified_at` is when the source API last said whether
    the link exists. `host` repeats the URL's host for queries by host.

    Takedown: `taken_down` says that the URL is blocked (see `streaming.ingest.takedown`); `active_before`,
    `reason_before` and `strength_before` keep what `is_active`, `reason` and `strength` were and will be again.

    Redirects: `moved_to` is the target of a permanent redirect seen in the last `moved_seen` checks; `moved_from` is
    the URL before such a redirect was followed.
    """

    class Kind(models.TextChoices):
        PAGE = "page", "Page"
        EMBED = "embed", "Player"
        FILE = "file", "File"
        STREAM = "stream", "Stream"

    movie = models.ForeignKey("streaming.Movie", on_delete=models.CASCADE, related_name="links")
    source = models.SlugField(max_length=50, db_index=False)
    source_url = models.CharField(max_length=2000)
    host = models.CharField(max_length=255, editable=False)
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.PAGE)
    label = models.CharField(max_length=200, blank=True, default="")
    quality = models.CharField(max_length=5, choices=QUALITY_CHOICES, blank=True, default="")
    language = models.CharField(max_length=35, blank=True, default="")
    licence = models.SlugField(max_length=40, blank=True, default="", db_index=False)
    licence_url = models.CharField(max_length=2000, blank=True, default="")
    evidence = models.CharField(max_length=MAX_EVIDENCE_LENGTH, blank=True, default="")
    season = models.PositiveSmallIntegerField(null=True, blank=True)
    episode = models.PositiveSmallIntegerField(null=True, blank=True)
    duration_seconds = models.PositiveIntegerField(null=True, blank=True)
    size_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    width = models.PositiveSmallIntegerField(null=True, blank=True)
    height = models.PositiveSmallIntegerField(null=True, blank=True)
    captions = JsonListField()
    is_published = models.BooleanField(default=True)
    is_active = models.BooleanField(default=True)
    last_checked = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=40, blank=True, default="")
    strength = models.CharField(max_length=11, choices=STRENGTH_CHOICES, blank=True, default="")
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    response_ms = models.PositiveIntegerField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    failing_seconds = models.PositiveIntegerField(default=0, editable=False)
    state_since = models.DateTimeField(null=True, blank=True)
    checks = models.CharField(max_length=MAX_CHECK_HISTORY, blank=True, default="")
    next_check_at = models.DateTimeField(null=True, blank=True, editable=False)
    moved_to = models.CharField(max_length=2000, blank=True, default="", editable=False)
    moved_seen = models.PositiveSmallIntegerField(default=0, editable=False)
    moved_from = models.CharField(max_length=2000, blank=True, default="", editable=False)
    verified_at = models.DateTimeField(null=True, blank=True, editable=False)
    taken_down = models.BooleanField(default=False, editable=False)
    active_before = models.BooleanField(default=False, editable=False)
    reason_before = models.CharField(max_length=40, blank=True, default="", editable=False)
    strength_before = models.CharField(max_length=11, blank=True, default="", editable=False)
    first_seen = models.DateTimeField(default=timezone.now, editable=False)
    last_seen = models.DateTimeField(default=timezone.now, editable=False)

    objects = StreamingLinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["movie", "source_url"], name="link_once_a_movie"),
            models.CheckConstraint(
                condition=Q(source_url__startswith="http://") | Q(source_url__startswith="https://"),
                name="link_url_http",
            ),
            models.CheckConstraint(condition=Q(kind__in=("page", "embed", "file", "stream")), name="link_kind_known"),
            models.CheckConstraint(condition=Q(quality__in=("", *QUALITIES)), name="link_quality_known"),
            models.CheckConstraint(condition=Q(strength__in=list(Strength)), name="link_strength_known"),
            models.CheckConstraint(condition=Q(taken_down=False) | Q(is_active=False), name="link_taken_down_is_off"),
        ]
        indexes = [
            models.Index(fields=["last_checked", "id"], name="link_by_checked"),
            models.Index(fields=["next_check_at", "id"], name="link_by_next_check"),
            models.Index(fields=["moved_seen", "id"], condition=Q(moved_seen__gt=0), name="link_by_moved"),
            models.Index(fields=["host", "id"], name="link_by_host"),
            # For staff: links with one value of a column, of which there may be few among millions.
            models.Index(fields=["reason", "id"], name="link_by_reason"),
            models.Index(fields=["source", "id"], name="link_by_source"),
            models.Index(fields=["kind", "id"], name="link_by_kind"),
            models.Index(fields=["quality", "id"], name="link_by_quality"),
            models.Index(fields=["licence", "id"], name="link_by_licence"),
            models.Index(fields=["strength", "id"], condition=~Q(strength=""), name="link_by_strength"),
            models.Index(fields=["id"], condition=Q(is_active=False), name="link_inactive"),
            models.Index(fields=["id"], condition=Q(taken_down=True), name="link_taken_down"),
            models.Index(fields=["host", "verified_at", "id"], name="link_by_verified"),
            models.Index(
                fields=["language", "quality", "source", "licence", "movie"],
                condition=Q(is_active=True, is_published=True),
                name="link_by_facets",
            ),
            models.Index(fields=["movie"], condition=Q(is_active=True, is_published=True), name="link_shown_of_movie"),
            models.Index(fields=["movie"], condition=Q(is_published=False), name="link_waiting_of_movie"),
        ]

    def __str__(self) -> str:
        return f"{self.source_name}: {self.source_url}"

    def take_down(self) -> None:
        """Do in memory what the query set's method does, for a row that is about to be inserted."""
        if not self.taken_down:
            self.active_before, self.reason_before, self.strength_before = self.is_active, self.reason, self.strength
            self.taken_down, self.is_active, self.reason, self.strength = True, False, Reason.TAKEN_DOWN, Strength.NONE

    def bring_back(self) -> None:
        """Do in memory what the query set's method does."""
        if self.taken_down:
            self.is_active, self.reason, self.strength = self.active_before, self.reason_before, self.strength_before
            self.taken_down, self.active_before, self.reason_before, self.strength_before = False, False, "", ""

    @property
    def source_name(self) -> str:
        """The name of the source for display."""
        return sources.source_name(self.source)

    @property
    def kind_name(self) -> str:
        """The kind of the link for display."""
        return gettext(self.get_kind_display())

    @property
    def display_label(self) -> str:
        """The label with season and episode before it, `S1 E2 The Key`."""
        return episode_label(self.label, season=self.season, episode=self.episode)

    @property
    def length_note(self) -> str:
        """What is odd about the length of the file, for display; empty if nothing is. Reads the movie."""
        return length_note_in(self.movie, self) if self.duration_seconds else ""

    @property
    def licence_name(self) -> str:
        """The name of the licence for display; empty if none is stated."""
        return sources.LICENCES.get(self.licence, self.licence)

    @property
    def reason_text(self) -> str:
        """The reason for the link's state, for display."""
        return gettext(reason_text(self.reason))

    @property
    def strength_text(self) -> str:
        """How certain the death of a failing link is, for display; empty if it does not fail."""
        return STRENGTH_TEXT.get(self.strength, "")

    @property
    def uptime(self) -> float | None:
        """The fraction of the stored checks that found the link alive, 0 to 1; None if never checked."""
        return uptime_of(self.checks)


@lru_cache(maxsize=1024)
def uptime_of(checks: str) -> float | None:
    """The fraction of these checks that found a link alive, 0 to 1; None without any. Many links have the same."""
    return round(checks.count(CheckCode.ALIVE) / len(checks), 3) if checks else None
