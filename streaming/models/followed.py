"""Other instances of Openreel that this one follows, and what each of them states."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import models
from django.db.models import F
from django.utils import timezone

from streaming.models.id_list import IdList
from streaming.models.link import StreamingLink

FOLLOWER_HEADER = "X-Openreel-Follower"
"""The header with the token of a request for changes, by which an instance can tell that it follows itself."""
MAX_URL_LENGTH = 500
LOSS_WINDOW = timedelta(hours=24)


def new_token() -> str:
    """A random word by which an installation knows its own requests again."""
    return secrets.token_hex(16)


class FollowedInstanceQuerySet(models.QuerySet["FollowedInstance"]):
    """Queries about instances."""

    def knows_token(self, token: str) -> bool:
        """Whether a request with this token is one of this installation's own."""
        return token.isalnum() and self.filter(token=token[:32]).exists()


class FollowedInstance(models.Model):
    """An instance whose changes are mirrored. `url` is its base URL, `cursor` where its next page begins.

    `generation` counts how often it was read from the beginning; `is_complete` says that this was done to the end.
    `losses` are the films lost by following it, as pairs of a number and a time. `token` is sent with each request: an
    instance that knows it is this one.
    """

    url = models.CharField(max_length=MAX_URL_LENGTH, unique=True)
    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    cursor = models.CharField(max_length=32, blank=True, default="")
    generation = models.PositiveIntegerField(default=1)
    is_complete = models.BooleanField(default=False)
    losses: models.JSONField[list[list[object]], list[list[object]]] = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True, default="")
    last_error_at = models.DateTimeField(null=True, blank=True)

    objects = FollowedInstanceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.url

    def restart(self) -> None:
        """Begin to read the other catalogue anew; what it does not state any more is dropped at the end."""
        instances = FollowedInstance.objects.filter(pk=self.pk)
        instances.update(cursor="", generation=F("generation") + 1, is_complete=False)
        self.refresh_from_db()

    def lost_lately(self, *, now: datetime) -> int:
        """How many films were lost within the last 24 hours."""
        return sum(number for number, _ in self._losses_about(now))

    def with_loss(self, number: int, *, now: datetime) -> list[list[object]]:
        """The losses of the last 24 hours, and this one."""
        kept = [(lost, at) for lost, at in self._losses_about(now) if lost]
        return [[lost, at.isoformat()] for lost, at in [*kept, (number, now)] if lost]

    def _losses_about(self, now: datetime) -> list[tuple[int, datetime]]:
        """Those of the last 24 hours. What a clock far ahead has written would count until its date: it is ignored."""
        pairs = [(int(str(number)), datetime.fromisoformat(str(at))) for number, at in self.losses]
        return [(number, at) for number, at in pairs if abs(now - at) <= LOSS_WINDOW]


class FollowedMovieQuerySet(models.QuerySet["FollowedMovie"]):
    """Queries about many films."""

    def stated(self) -> FollowedMovieQuerySet:
        """Those that their instance states now."""
        return self.filter(state=FollowedMovie.State.STATED)

    def claim_for_staff(self, imdb_ids: Iterable[str]) -> int:
        """Make these films ours: nothing of them goes because another instance drops it."""
        ours = self.filter(imdb_id__in=list(imdb_ids), is_made=True)
        return ours.update(is_made=False, fields={})


class FollowedMovie(models.Model):
    """What one instance states of one film, or stated last.

    `is_made`: the film is in this catalogue because the instance states it. `fields` has a digest of each value of the
    film that was taken from the instance; a value with another digest was changed here. `links` has the canonical key
    of each link that it states, with `id:digest` of the row that was made of it, empty if others stated the link first.
    `dead` are keys of dropped links that did not work here.
    """

    class State(models.TextChoices):
        STATED = "stated", "Stated"
        LEFT = "left", "No longer stated"
        TAKEN_DOWN = "taken_down", "Taken down there"

    instance = models.ForeignKey(FollowedInstance, on_delete=models.CASCADE, related_name="movies")
    imdb_id = models.CharField(max_length=11)
    state = models.CharField(max_length=10, choices=State, default=State.STATED)
    is_made = models.BooleanField(default=False)
    generation = models.PositiveIntegerField(default=1)
    fields: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(default=dict, blank=True)
    links: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(default=dict, blank=True)
    dead: models.JSONField[list[str], list[str]] = models.JSONField(default=list, blank=True)

    objects = FollowedMovieQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instance", "imdb_id"], name="followed_once_an_instance"),
            models.CheckConstraint(
                condition=models.Q(state__in=("stated", "left", "taken_down")), name="followed_state_known"
            ),
        ]
        indexes = [
            models.Index(fields=["imdb_id"], name="followed_by_imdb_id"),
            models.Index(fields=["instance", "state", "generation", "imdb_id"], name="followed_by_generation"),
        ]

    def __str__(self) -> str:
        return f"{self.imdb_id}: {self.get_state_display()}"


class SecondHand:
    """What of some films this catalogue knows only from the instances that it follows; two questions to a row each."""

    def __init__(self, imdb_ids: Sequence[str]) -> None:
        rows = FollowedMovie.objects.stated().filter(imdb_id__in=imdb_ids)
        self._films: set[str] = set()
        made_here: set[int] = set()
        for imdb_id, is_made, links in rows.values_list("imdb_id", "is_made", "links"):
            if is_made:
                self._films.add(imdb_id)
            made_here |= {int(made.partition(":")[0]) for made in links.values() if made}
        # A link that somebody here has seen since is ours, too.
        unseen = StreamingLink.objects.filter(pk__in=IdList(made_here), first_seen=F("last_seen"))
        self._links = set(unseen.values_list("pk", flat=True)) if made_here else set()

    def is_film(self, imdb_id: str) -> bool:
        """Whether the film was made because another instance states it."""
        return imdb_id in self._films

    @property
    def has_links(self) -> bool:
        """Whether any of their links is stated by other instances only."""
        return bool(self._links)

    def is_link(self, pk: int) -> bool:
        """Whether the link is stated by other instances only."""
        return pk in self._links
