"""Bindings: URLs that staff assign to a movie, for sources that know no IMDb ids."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from scraper.net.url_policy import InvalidValue, normalize_url
from scraper.sources import KNOWN_SOURCES
from streaming.formatting import quote_value
from streaming.ingest.blocklist import Blocklist
from streaming.ingest.row_locks import lock_movie
from streaming.ingest.url_identity import canonical_key
from streaming.models import Binding, Movie

MAX_BINDINGS_PER_MOVIE = 50


def validate_binding(movie: Movie, *, url: object, source: str = "") -> Binding:
    """Return a valid binding, not saved yet; raise InvalidValue for anything else."""
    normalized = normalize_url(url, allowed=settings.ALLOW_PRIVATE_HOSTS)
    if source and not (source in KNOWN_SOURCES and KNOWN_SOURCES[source].supports_bindings):
        choices = ", ".join(slug for slug, known in KNOWN_SOURCES.items() if known.supports_bindings)
        raise InvalidValue("bad_source", f"source {quote_value(source)} supports no bindings; choose from {choices}")
    if Blocklist.load().is_blocked(url=normalized, imdb_id=movie.imdb_id):
        raise InvalidValue("taken_down", "this address has been taken down here")
    return Binding(movie=movie, url=normalized, source=source)


@transaction.atomic
def bind(movie: Movie, *, url: object, source: str = "") -> tuple[Binding, bool]:
    """Bind the movie to the URL; return the binding and whether it is new.

    If the URL is bound already, in any spelling, only its source changes. Raise RowGone if the movie was removed.
    """
    Blocklist.load_locked()
    movie = lock_movie(movie.pk)
    binding = validate_binding(movie, url=url, source=source)
    by_key = {canonical_key(row.url): row for row in movie.bindings.all()}
    if (existing := by_key.get(canonical_key(binding.url))) is not None:
        if source and existing.source != source:
            existing.source, existing.created_at = source, timezone.now()  # A search that runs does not know it yet.
            existing.save(update_fields=["source", "created_at"])
        return existing, False
    if len(by_key) >= MAX_BINDINGS_PER_MOVIE:
        raise InvalidValue("too_many", f"a movie has at most {MAX_BINDINGS_PER_MOVIE} bindings")
    return Binding.objects.get_or_create(movie=movie, url=binding.url, defaults={"source": source})


def unbind(movie: Movie, *, url: str) -> bool:
    """Remove the binding of a URL, in any spelling; False if there is none. Links found there stay."""
    key = canonical_key(url.strip())
    ids = [row.pk for row in movie.bindings.all() if canonical_key(row.url) == key]
    return Binding.objects.filter(pk__in=ids).delete()[0] > 0
