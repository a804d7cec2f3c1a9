"""Binding a movie to an address of a source by hand, for sources that know no IMDb ids."""

from __future__ import annotations

from django.conf import settings

from scraper.addresses import Refused, check_url
from scraper.sources import KNOWN
from streaming.ingest.blocklist import Blocklist
from streaming.ingest.works import link_key
from streaming.models import Binding, Movie

MOST = 50


def clean_binding(movie: Movie, *, url: object, source: str = "") -> Binding:
    """A binding as it would be kept, not saved yet; Refused says what is wrong with it."""
    address = check_url(url, allowed=settings.ALLOW_PRIVATE_HOSTS)
    if source and not (source in KNOWN and KNOWN[source].reads_addresses):
        readers = ", ".join(slug for slug, one in KNOWN.items() if one.reads_addresses)
        raise Refused("bad_source", f"source {ascii(source)[:60]} reads no addresses; choose from {readers}")
    if Blocklist.load().forbids(url=address, imdb_id=movie.imdb_id):
        raise Refused("taken_down", "this address has been taken down here")
    return Binding(movie=movie, url=address, source=source)


def bind(movie: Movie, *, url: object, source: str = "") -> tuple[Binding, bool]:
    """The binding, and whether it is new. Bound once more, an address only gets another source."""
    wanted = clean_binding(movie, url=url, source=source)
    standing = {link_key(one.url): one for one in movie.bindings.all()}
    if (known := standing.get(link_key(wanted.url))) is not None:
        if source and known.source != source:
            known.source = source
            known.save(update_fields=["source"])
        return known, False
    if len(standing) >= MOST:
        raise Refused("too_many", f"a movie has at most {MOST} bindings")
    row, made = Binding.objects.get_or_create(movie=movie, url=wanted.url, defaults={"source": source})
    return row, made


def unbind(movie: Movie, *, url: str) -> bool:
    """Lift a binding, in whatever spelling its address is given; False when there was none. Links found there stay."""
    ids = [one.pk for one in movie.bindings.all() if link_key(one.url) == link_key(url.strip())]
    return Binding.objects.filter(pk__in=ids).delete()[0] > 0
