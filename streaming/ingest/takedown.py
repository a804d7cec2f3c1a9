"""Taking an address down, and lifting it again."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from scraper.net.url_policy import InvalidValue, PrivateHostAllowlist, host_of, normalize_url
from streaming.ingest.records import is_imdb_id
from streaming.ingest.tombstones import remove_movies
from streaming.ingest.url_identity import url_variants
from streaming.models import BlockedAddress, Movie, StreamingLink
from streaming.models.movie import mark_updated
from streaming.reason_codes import Reason


def parse_target(address: str) -> tuple[str, str]:
    """What an operator's ADDRESS means, as (kind, its one spelling); Refused when it is none of the three."""
    if is_imdb_id(address):
        return BlockedAddress.Kind.IMDB_ID, address
    anywhere = PrivateHostAllowlist.parse(["0.0.0.0/0", "::/0"])
    if "://" in address:
        return BlockedAddress.Kind.PREFIX, normalize_url(address, allowed=anywhere)
    host = address.strip().rstrip(".").lower()
    named = PrivateHostAllowlist(hosts=frozenset({host}))
    if "/" in host or "*" in host or (":" in host and not host.startswith("[")):
        raise InvalidValue("bad_address", f"{ascii(address)[:80]} is not a host, a URL prefix or an IMDb id")
    return BlockedAddress.Kind.HOST, host_of(normalize_url(f"http://{host}/", allowed=named))


@transaction.atomic
def block(address: str, *, reason: str) -> tuple[BlockedAddress, int]:
    """Take an address down for good: (the row, how many links or movies went). Blocking twice changes nothing more."""
    kind, spelled = parse_target(address)
    row, _ = BlockedAddress.objects.get_or_create(address=spelled, defaults={"kind": kind, "reason": reason})
    if kind == BlockedAddress.Kind.IMDB_ID:
        return row, remove_movies(Movie.objects.filter(imdb_id=spelled), reason=f"taken down: {reason}"[:200])
    links = StreamingLink.objects.filter(_links_under(kind, spelled), is_active=True)
    mark_updated(Movie.objects.filter(pk__in=list(links.values_list("movie", flat=True))))
    return row, links.update(is_active=False, reason=Reason.TAKEN_DOWN)


@transaction.atomic
def block_link(url: str, *, reason: str) -> int:
    """Take one link down for good, in all its spellings and wherever it stands; how many rows went."""
    address = normalize_url(url, allowed=PrivateHostAllowlist.parse(["0.0.0.0/0", "::/0"]))
    BlockedAddress.objects.get_or_create(address=address, defaults={"kind": BlockedAddress.Kind.LINK, "reason": reason})
    links = StreamingLink.objects.filter(source_url__in=url_variants(address)).exclude(reason=Reason.TAKEN_DOWN)
    mark_updated(Movie.objects.filter(pk__in=list(links.values_list("movie", flat=True))))
    return links.update(is_active=False, reason=Reason.TAKEN_DOWN)


def unblock(address: str) -> bool:
    """Lift a takedown; False when there was none. Its links come back when the next check finds them alive."""
    _, spelled = parse_target(address)
    return BlockedAddress.objects.filter(address=spelled).delete()[0] > 0


def _links_under(kind: str, address: str) -> Q:
    if kind == BlockedAddress.Kind.PREFIX:
        return Q(source_url__startswith=address)
    return Q(host=address) | Q(host__endswith=f".{address}")
