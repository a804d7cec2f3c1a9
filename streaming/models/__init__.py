"""What we remember. One model a file; the rules the database can keep, it keeps."""

from __future__ import annotations

from streaming.models.binding import Binding
from streaming.models.blocked import BlockedAddress
from streaming.models.gate import HostGate
from streaming.models.health import HealthPart, HealthPiece, HealthRun, HealthWorker, LinkFlip
from streaming.models.job import ScrapeJob, ScrapeJobQuerySet
from streaming.models.link import StreamingLink, StreamingLinkQuerySet
from streaming.models.movie import Movie, MovieQuerySet
from streaming.models.pause import HostPause
from streaming.models.removed import RemovedMovie

__all__ = [
    "Binding",
    "BlockedAddress",
    "HealthPart",
    "HealthPiece",
    "HealthRun",
    "HealthWorker",
    "HostGate",
    "HostPause",
    "LinkFlip",
    "Movie",
    "MovieQuerySet",
    "RemovedMovie",
    "ScrapeJob",
    "ScrapeJobQuerySet",
    "StreamingLink",
    "StreamingLinkQuerySet",
]
