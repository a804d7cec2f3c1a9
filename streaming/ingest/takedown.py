"""Takedowns: block and unblock hosts, URLs and movies.

Whether a link is shown is one column, `StreamingLink.taken_down`. It is written here for the links that exist, and by
`tombstones` and `edits` for those that they write; `Blocklist` alone says what is blocked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice

from django.db import connection, transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast, Substr

from scraper.net.url_policy import InvalidValue, PrivateHostAllowlist, host_of, normalize_url
from streaming.formatting import quote_value
from streaming.ingest.blocklist import Blocklist, lock_takedowns
from streaming.ingest.records import is_imdb_id
from streaming.ingest.tombstones import remove_movies, restore_movies
from streaming.ingest.url_identity import ComparableUrl, comparable_url, without_www
from streaming.models import BlockedAddress, Movie, MovieQuerySet, RemovedMovie, StreamingLink, StreamingLinkQuerySet
from streaming.models.facet_triggers import rebuild_caption_facets
from streaming.models.movie import mark_updated

ANY_HOST = PrivateHostAllowlist.parse(["0.0.0.0/0", "::/0"])
URL_KINDS = (BlockedAddress.Kind.PREFIX, BlockedAddress.Kind.LINK)
BATCH_SIZE = 1000


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
    """Take an address down; return its row and how many links were hidden or movies removed."""
    kind, normalized = parse_target(address)
    lock_takedowns()
    row = _add(kind, normalized, reason=reason)
    if kind == BlockedAddress.Kind.IMDB_ID:
        movies = Movie.objects.filter(imdb_id=normalized)
        cause = RemovedMovie.Cause.TAKEDOWN
        return row, remove_movies(movies, reason=f"taken down: {reason}"[:200], cause=cause)
    return row, _hide_links(row)


@transaction.atomic
def block_link(url: str, *, reason: str) -> int:
    """Take a URL down in all its spellings; return how many links, of any movie, were hidden."""
    lock_takedowns()
    return _hide_links(_add(BlockedAddress.Kind.LINK, normalize_url(url, allowed=ANY_HOST), reason=reason))


def unblock(address: str) -> bool:
    """Lift a takedown, in whatever spelling it was entered; False if there is none.

    Links that nothing else blocks have their former state again at once, and a movie that the takedown removed returns.
    """
    rows = _same_rows(*parse_target(address))
    lift(rows)
    return bool(rows)


@transaction.atomic
def lift(rows: Sequence[BlockedAddress]) -> None:
    """Delete these takedowns and show again what they hid, see `unblock`."""
    lock_takedowns()
    BlockedAddress.objects.filter(pk__in=[row.pk for row in rows]).delete()
    imdb_ids = [row.address for row in rows if row.kind == BlockedAddress.Kind.IMDB_ID]
    restore_movies(imdb_ids, causes=[RemovedMovie.Cause.TAKEDOWN])
    urls = [row for row in rows if row.kind != BlockedAddress.Kind.IMDB_ID]
    _mark_captions({_host_text(row) for row in urls})
    _bring_back_links({host for row in urls for host in _hosts_of(row.kind, row.address)})


def _add(kind: str, address: str, *, reason: str) -> BlockedAddress:
    """The row of a takedown, new unless there is one. A prefix takes the place of a link with the same address."""
    if (same := next(iter(_same_rows(kind, address)), None)) is None:
        return BlockedAddress.objects.create(kind=kind, address=address, reason=reason)
    if kind == BlockedAddress.Kind.PREFIX and same.kind != kind:
        same.kind, same.reason = kind, reason
        same.save(update_fields=["kind", "reason"])
    return same


def _same_rows(kind: str, address: str) -> list[BlockedAddress]:
    """The takedowns of this address; those of a prefix or a link in any spelling, prefixes first."""
    if kind not in URL_KINDS:
        return list(BlockedAddress.objects.filter(address=address))
    url = comparable_url(address)
    rows = BlockedAddress.objects.filter(kind__in=URL_KINDS, address__contains=url.host).order_by("-kind", "pk")
    return [row for row in rows if _is_same(comparable_url(row.address), url, kind=row.kind)]


def _is_same(one: ComparableUrl, other: ComparableUrl, *, kind: str) -> bool:
    return one == other or (kind == BlockedAddress.Kind.LINK and one.as_link() == other.as_link())


def _hosts_of(kind: str, address: str) -> list[str]:
    """The hosts that links may have which this address covers."""
    if kind != BlockedAddress.Kind.HOST:
        host = comparable_url(address).host
        return [host, f"www.{host}"]
    covered = Q(host__in=[address, without_www(address)]) | Q(host__endswith=f".{address}")
    # The distinct values of an index: it is read, and not the table.
    return list(StreamingLink.objects.filter(covered).order_by().values_list("host", flat=True).distinct())


def _hide_links(row: BlockedAddress) -> int:
    _mark_captions({_host_text(row)})
    links = StreamingLink.objects.filter(host__in=_hosts_of(row.kind, row.address), taken_down=False)
    if row.kind == BlockedAddress.Kind.HOST:
        return _change(links, StreamingLinkQuerySet.take_down)
    only_this = Blocklist.of([(row.kind, row.address)])
    found = _possible_spellings(links, comparable_url(row.address))
    return _change_each(found, StreamingLinkQuerySet.take_down, chosen=lambda url: only_this.is_blocked(url=url))


def _host_text(row: BlockedAddress) -> str:
    return without_www(row.address) if row.kind == BlockedAddress.Kind.HOST else comparable_url(row.address).host


def _mark_captions(hosts: Iterable[str]) -> None:
    """Tell filters, mirrors and caches of the movies with captions on these hosts, which `ShownCaptions` shows or not.

    Reads all links with captions.
    """
    with_captions = StreamingLink.objects.exclude(captions=[]).annotate(text=Cast("captions", TextField()))
    for host in hosts:
        movies = Movie.objects.filter(pk__in=with_captions.filter(text__contains=host).values("movie"))
        _lock_in_order(movies)
        mark_updated(movies)
        rebuild_caption_facets(connection, movies=list(movies.values_list("pk", flat=True)))


def _possible_spellings(links: StreamingLinkQuerySet, url: ComparableUrl) -> StreamingLinkQuerySet:
    """The links whose URLs may be spellings of `url`: with its path as it is, or with anything that may hide it.

    Python compares these exactly. LIKE alone would not do: on SQLite it ignores case.
    """
    unusual = Q(source_url__contains="%") | Q(source_url__contains="/.") | Q(after_scheme__contains="//")
    path = url.path.rstrip("/")
    plain = Q(source_url__contains=path) if path.isascii() and path.isprintable() else Q(pk=None)
    return links.alias(after_scheme=Substr("source_url", len("https://") + 1)).filter(plain | unusual)


def _bring_back_links(hosts: Collection[str]) -> None:
    """Show the links of these hosts again that are not blocked any more."""
    blocklist = Blocklist.load()
    allowed = [host for host in hosts if not blocklist.is_host_blocked(host)]
    free = [host for host in allowed if not blocklist.has_urls_on(host)]
    hidden = StreamingLink.objects.filter(taken_down=True)
    _change(hidden.filter(host__in=free), StreamingLinkQuerySet.bring_back)
    _change_each(
        hidden.filter(host__in=set(allowed) - set(free)),
        StreamingLinkQuerySet.bring_back,
        chosen=lambda url: not blocklist.is_blocked(url=url),
    )


def _change_each(
    links: StreamingLinkQuerySet,
    change: Callable[[StreamingLinkQuerySet], int],
    *,
    chosen: Callable[[str], bool],
) -> int:
    """Change the links whose URLs are chosen, a batch at a time; return how many."""
    rows = list(links.order_by("pk").values_list("pk", "source_url"))
    ids = iter([pk for pk, url in rows if chosen(url)])
    return sum(_change(StreamingLink.objects.filter(pk__in=batch), change) for batch in _batches(ids))


def _change(links: StreamingLinkQuerySet, change: Callable[[StreamingLinkQuerySet], int]) -> int:
    """Change these links with two statements, for mirrors and caches too; return how many."""
    movies = Movie.objects.filter(pk__in=links.filter(is_published=True).values("movie"))
    _lock_in_order(movies)
    _lock_in_order(links)
    mark_updated(movies)
    return change(links)


def _lock_in_order(rows: MovieQuerySet | StreamingLinkQuerySet) -> None:
    """Lock rows in the order that everything has which locks movies and links."""
    if connection.features.has_select_for_update:
        list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk"))


def _batches(ids: Iterable[int]) -> Iterator[list[int]]:
    rest = iter(ids)
    while batch := list(islice(rest, BATCH_SIZE)):
        yield batch
