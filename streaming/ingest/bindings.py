"""Binding a movie to an address of a source by hand, for sources that know no IMDb ids."""

from __future__ import annotations

from django.conf import settings

from scraper.net.url_policy import InvalidValue, normalize_url
from scraper.sources import KNOWN_SOURCES
from streaming.ingest.blocklist import Blocklist
from streaming.ingest.url_identity import canonical_key
from streaming.models import Binding, Movie

MAX_BINDINGS_PER_MOVIE = 50


def validate_binding(movie: Movie, *, url: object, source: str = "") -> Binding:
    """A binding as it would be kept, not saved yet; Refused says what is wrong with it."""
    address = normalize_url(url, allowed=settings.ALLOW_PRIVATE_HOSTS)
    if source and not (source in KNOWN_SOURCES and KNOWN_SOURCES[source].supports_bindings):
        readers = ", ".join(slug for slug, one in KNOWN_SOURCES.items() if one.supports_bindings)
        raise InvalidValue("bad_source", f"source {ascii(source)[:60]} reads no addresses; choose from {readers}")
    if Blocklist.load().is_blocked(url=address, imdb_id=movie.imdb_id):
        raise InvalidValue("taken_down", "this address has been taken down here")
    return Binding(movie=movie, url=address, source=source)


def bind(movie: Movie, *, url: object, source: str = "") -> tuple[Binding, bool]:
    """The binding, and whether it is new. Bound once more, an address only gets another source."""
    wanted = validate_binding(movie, url=url, source=source)
    existing = {canonical_key(one.url): one for one in movie.bindings.all()}
    if (known := existing.get(canonical_key(wanted.url))) is not None:
        if source and known.source != source:
            known.source = source
            known.save(update_fields=["source"])
        return known, False
    if len(existing) >= MAX_BINDINGS_PER_MOVIE:
        raise InvalidValue("too_many", f"a movie has at most {MAX_BINDINGS_PER_MOVIE} bindings")
    row, made = Binding.objects.get_or_create(movie=movie, url=wanted.url, defaults={"source": source})
    return row, made


def unbind(movie: Movie, *, url: str) -> bool:
    """Lift a binding, in whatever spelling its address is given; False when there was none. Links found there stay."""
    ids = [one.pk for one in movie.bindings.all() if canonical_key(one.url) == canonical_key(url.strip())]
    return Binding.objects.filter(pk__in=ids).delete()[0] > 0
