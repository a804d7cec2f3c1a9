"""The database tables. Rules that the database can enforce are constraints."""

from __future__ import annotations

from streaming.models.alarm import AlarmMessage, AlarmState
from streaming.models.api_key import ApiKey, ApiKeyQuerySet
from streaming.models.archived_copy import ArchivedCopy
from streaming.models.binding import Binding
from streaming.models.blocked_address import BlockedAddress
from streaming.models.change import Change, PendingChange
from streaming.models.counters import CatalogueVersion, InactiveReasonCount, LinkCount, MovieCount
from streaming.models.facet import MovieFacet, MovieFacetQuerySet
from streaming.models.followed import FollowedInstance, FollowedMovie, FollowedMovieQuerySet, SecondHand
from streaming.models.health_part import HealthPart, HealthPiece, HealthWorker
from streaming.models.health_run import HealthRun
from streaming.models.host import HostGate, HostOutage, HostPause
from streaming.models.job import ScrapeJob, ScrapeJobQuerySet
from streaming.models.link import StreamingLink, StreamingLinkQuerySet
from streaming.models.link_flip import LinkFlip
from streaming.models.link_report import LinkReport
from streaming.models.login_counter import LoginCounter
from streaming.models.movie import Movie, MovieQuerySet
from streaming.models.removed import RemovedMovie
from streaming.models.restored_backup import RestoredBackup
from streaming.models.schedule import ScheduledTask, ScheduleOwner
from streaming.models.source_result_count import SourceResultCount
from streaming.models.takedown_request import TakedownRequest
from streaming.models.title_request import TitleRequest, TitleRequestQuerySet

__all__ = [
    "AlarmMessage",
    "AlarmState",
    "ApiKey",
    "ApiKeyQuerySet",
    "ArchivedCopy",
    "Binding",
    "BlockedAddress",
    "CatalogueVersion",
    "Change",
    "FollowedInstance",
    "FollowedMovie",
    "FollowedMovieQuerySet",
    "HealthPart",
    "HealthPiece",
    "HealthRun",
    "HealthWorker",
    "HostGate",
    "HostOutage",
    "HostPause",
    "InactiveReasonCount",
    "LinkCount",
    "LinkFlip",
    "LinkReport",
    "LoginCounter",
    "Movie",
    "MovieCount",
    "MovieFacet",
    "MovieFacetQuerySet",
    "MovieQuerySet",
    "PendingChange",
    "RemovedMovie",
    "RestoredBackup",
    "ScheduleOwner",
    "ScheduledTask",
    "ScrapeJob",
    "ScrapeJobQuerySet",
    "SecondHand",
    "SourceResultCount",
    "StreamingLink",
    "StreamingLinkQuerySet",
    "TakedownRequest",
    "TitleRequest",
    "TitleRequestQuerySet",
]
