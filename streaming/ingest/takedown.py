"""Taking an address down, and lifting it again."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from scraper.addresses import Allowed, Refused, check_url, host_of
from streaming.ingest.records import is_imdb_id
from streaming.ingest.snapshots import remove_movies
from streaming.ingest.works import spellings
from streaming.models import BlockedAddress, Movie, StreamingLink
from streaming.models.movie import touch
from streaming.reason_codes import Reason


def kind_of(address: str) -> tuple[str, str]:
    """What an operator's ADDRESS means, as (kind, its one spelling); Refused when it is none of the three."""
    if is_imdb_id(address):
        return BlockedAddress.Kind.IMDB_ID, address
    anywhere = Allowed.parse(["0.0.0.0/0", "::/0"])
    if "://" in address:
        return BlockedAddress.Kind.PREFIX, check_url(address, allowed=anywhere)
    host = address.strip().rstrip(".").lower()
    named = Allowed(hosts=frozenset({host}))
    if "/" in host or "*" in host or (":" in host and not host.startswith("[")):
        raise Refused("bad_address", f"{ascii(address)[:80]} is not a host, a URL prefix or an IMDb id")
    return BlockedAddress.Kind.HOST, host_of(check_url(f"http://{host}/", allowed=named))


@transaction.atomic
def block(address: str, *, reason: str) -> tuple[BlockedAddress, int]:
    """Take an address down for good: (the row, how many links or movies went). Blocking twice changes nothing more."""
    kind, spelled = kind_of(address)
    row, _ = BlockedAddress.objects.get_or_create(address=spelled, defaults={"kind": kind, "reason": reason})
    if kind == BlockedAddress.Kind.IMDB_ID:
        return row, remove_movies(Movie.objects.filter(imdb_id=spelled), reason=f"taken down: {reason}"[:200])
    links = StreamingLink.objects.filter(_matching(kind, spelled), is_active=True)
    touch(Movie.objects.filter(pk__in=list(links.values_list("movie", flat=True))))
    return row, links.update(is_active=False, reason=Reason.TAKEN_DOWN)


@transaction.atomic
def block_link(url: str, *, reason: str) -> int:
    """Take one link down for good, in all its spellings and wherever it stands; how many rows went."""
    address = check_url(url, allowed=Allowed.parse(["0.0.0.0/0", "::/0"]))
    BlockedAddress.objects.get_or_create(address=address, defaults={"kind": BlockedAddress.Kind.LINK, "reason": reason})
    links = StreamingLink.objects.filter(source_url__in=spellings(address)).exclude(reason=Reason.TAKEN_DOWN)
    touch(Movie.objects.filter(pk__in=list(links.values_list("movie", flat=True))))
    return links.update(is_active=False, reason=Reason.TAKEN_DOWN)


def unblock(address: str) -> bool:
    """Lift a takedown; False when there was none. Its links come back when the next check finds them alive."""
    _, spelled = kind_of(address)
    return BlockedAddress.objects.filter(address=spelled).delete()[0] > 0


def _matching(kind: str, address: str) -> Q:
    if kind == BlockedAddress.Kind.PREFIX:
        return Q(source_url__startswith=address)
    return Q(host=address) | Q(host__endswith=f".{address}")
