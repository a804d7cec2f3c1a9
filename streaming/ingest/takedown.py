"""Takedowns: block and unblock hosts, URLs and movies."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from scraper.net.url_policy import InvalidValue, PrivateHostAllowlist, host_of, normalize_url
from streaming.formatting import quote_value
from streaming.ingest.records import is_imdb_id
from streaming.ingest.tombstones import remove_movies
from streaming.ingest.url_identity import url_variants
from streaming.models import BlockedAddress, Movie, StreamingLink
from streaming.models.movie import mark_updated
from streaming.reason_codes import Reason

ANY_HOST = PrivateHostAllowlist.parse(["0.0.0.0/0", "::/0"])


def parse_target(address: str) -> tuple[str, str]:
    """Return the kind and the normalized form of a host, a URL prefix or an IMDb id; raise InvalidValue for others."""
    if is_imdb_id(address):
        return BlockedAddress.Kind.IMDB_ID, address
    if "://" in address:
        return BlockedAddress.Kind.PREFIX, normalize_url(address, allowed=ANY_HOST)
    host = address.strip().rstrip(".").lower()
    allowed = PrivateHostAllowlist(hosts=frozenset({host}))
    if "/" in host or "*" in host or (":" in host and not host.startswith("[")):
        raise InvalidValue("bad_address", f"{quote_value(address)} is not a host, a URL prefix or an IMDb id")
    return BlockedAddress.Kind.HOST, host_of(normalize_url(f"http://{host}/", allowed=allowed))


@transaction.atomic
def block(address: str, *, reason: str) -> tuple[BlockedAddress, int]:
    """Take an address down; return its row and how many links were turned off or movies removed."""
    kind, normalized = parse_target(address)
    row, _ = BlockedAddress.objects.get_or_create(address=normalized, defaults={"kind": kind, "reason": reason})
    if kind == BlockedAddress.Kind.IMDB_ID:
        return row, remove_movies(Movie.objects.filter(imdb_id=normalized), reason=f"taken down: {reason}"[:200])
    links = StreamingLink.objects.filter(_links_under(kind, normalized), is_active=True)
    mark_updated(Movie.objects.filter(pk__in=list(links.values_list("movie", flat=True))))
    return row, links.update(is_active=False, reason=Reason.TAKEN_DOWN)


@transaction.atomic
def block_link(url: str, *, reason: str) -> int:
    """Take a URL down in all its spellings; return how many links, of any movie, were turned off."""
    address = normalize_url(url, allowed=ANY_HOST)
    BlockedAddress.objects.get_or_create(address=address, defaults={"kind": BlockedAddress.Kind.LINK, "reason": reason})
    links = StreamingLink.objects.filter(source_url__in=url_variants(address)).exclude(reason=Reason.TAKEN_DOWN)
    mark_updated(Movie.objects.filter(pk__in=list(links.values_list("movie", flat=True))))
    return links.update(is_active=False, reason=Reason.TAKEN_DOWN)


def unblock(address: str) -> bool:
    """Lift a takedown; False if there is none. Its links return when the next check finds them alive."""
    _, normalized = parse_target(address)
    return BlockedAddress.objects.filter(address=normalized).delete()[0] > 0


def _links_under(kind: str, address: str) -> Q:
    if kind == BlockedAddress.Kind.PREFIX:
        return Q(source_url__startswith=address)
    return Q(host=address) | Q(host__endswith=f".{address}")
