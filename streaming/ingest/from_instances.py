"""Saves what a followed instance states, and drops what it states no longer.

Whatever others have entered stays as it is: a film, a link or a value is changed or dropped only if it was made of what
this instance stated, and nobody here has changed it or found it too. New links come in unchecked; those that did not
work here come back as not working.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import transaction
from django.utils import timezone

from scraper.items import LINK_FIELDS, MAX_EVIDENCE_LENGTH, MOVIE_FACTS
from scraper.sources import LicenceStatus
from streaming.ingest.blocklist import Blocklist
from streaming.ingest.facts import to_column
from streaming.ingest.records import LinkRecord, MovieRecord
from streaming.ingest.row_locks import lock_appearance
from streaming.ingest.save import publication_status, save_links
from streaming.ingest.tombstones import forget_links, remove_movies, restore_movies, snapshot_links
from streaming.ingest.url_identity import canonical_key
from streaming.models import Binding, FollowedInstance, FollowedMovie, Movie, RemovedMovie, StreamingLink
from streaming.models.followed import FollowedMovieQuerySet
from streaming.models.movie import lock_movies, mark_updated

FILM_FIELDS = ("title", "year", "type", "poster_url", "synopsis", *MOVIE_FACTS)
TAKEN_LINK_FIELDS = ("source", *(name for name in LINK_FIELDS if name != "evidence"))
"""`evidence` says which instance stated the link."""
ROW_FIELDS = ("state", "is_made", "generation", "fields", "links", "dead")
MAX_DEAD_KEYS = 100
DIGEST_BYTES = 5
State = FollowedMovie.State


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedFilm:
    """A film with the links that the instance states itself, at least the film or one of them."""

    movie: MovieRecord
    links: tuple[LinkRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """One page: `films` as they are now, and the state of those that are `gone`. No film is in both.

    `unreadable` are the IMDb ids of films that are stated in a way that cannot be read: they stay as they are.
    """

    films: Sequence[StatedFilm] = ()
    gone: Mapping[str, FollowedMovie.State] = field(default_factory=dict)
    unreadable: Collection[str] = ()


@dataclass(slots=True)
class FollowReport:
    """Counts of what was changed here, and of what was refused by code.

    `lost`: films that were removed or lost their last link. `kept`: the IMDb ids of films that were taken down there,
    and are here because others state them.
    """

    films_new: int = 0
    films_changed: int = 0
    films_restored: int = 0
    films_removed: int = 0
    links_new: int = 0
    links_changed: int = 0
    links_dropped: int = 0
    lost: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    kept: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was changed, refused or kept: there is nothing to tell."""
        return self == FollowReport()

    def add(self, other: FollowReport) -> None:
        """Add the counts of another page."""
        for name in ("films_new", "films_changed", "films_restored", "films_removed", "lost"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("links_new", "links_changed", "links_dropped"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.refused.update(other.refused)
        self.kept += other.kept


@dataclass(slots=True)
class _FilmLinks:
    """The links of one film here: by each of their keys, and all their URLs."""

    by_key: dict[str, StreamingLink] = field(default_factory=dict)
    urls: set[str] = field(default_factory=set)

    @property
    def ids(self) -> set[int]:
        return {link.pk for link in self.by_key.values()}


@transaction.atomic
def save_statements(instance: FollowedInstance, statements: Statements) -> FollowReport:
    """Make what was made of the statements of this instance equal to one page of them, in one transaction."""
    Blocklist.load_locked()
    lock_appearance(restores=True)
    return _Page(instance, statements).save()


def films_lost_without(rows: FollowedMovieQuerySet, *, at_once: int) -> int:
    """How many films would go, or lose their last link, if what these rows state were stated no more.

    Films that are ours count, too, if all of their links are of this instance. Reads `at_once` of them at a time.
    """
    ours = rows.filter(is_made=False).exclude(links={}).order_by("pk")
    lost, last = rows.filter(is_made=True).count(), 0
    while batch := list(ours.filter(pk__gt=last)[:at_once]):
        links, last = _links_by_film([row.imdb_id for row in batch]), batch[-1].pk
        lost += sum(_has_no_other_links(row, links[row.imdb_id]) for row in batch)
    return lost


def _has_no_other_links(row: FollowedMovie, found: _FilmLinks) -> bool:
    """Whether the film has links, and all of them are droppable because they were made of this row."""
    made = {key: row.links.get(key, "") for key in found.by_key}
    dropped = {link.pk for key, link in found.by_key.items() if _is_made(link, made[key]) and _is_unseen(link)}
    return bool(found.ids) and found.ids <= dropped


class _Page:
    """One page while it is saved."""

    def __init__(self, instance: FollowedInstance, statements: Statements) -> None:
        self.instance, self.report = instance, FollowReport()
        self.films = {film.movie.imdb_id: film for film in statements.films}
        self.gone = statements.gone
        ids = [*self.films, *self.gone, *statements.unreadable]
        rows = FollowedMovie.objects.filter(imdb_id__in=ids)
        self.rows = {row.imdb_id: row for row in rows.filter(instance=instance)}
        self.unreadable = [self.rows[key] for key in statements.unreadable if key in self.rows]
        self.others = defaultdict[str, list[FollowedMovie]](list)
        for row in rows.stated().exclude(instance=instance).order_by("instance"):
            self.others[row.imdb_id].append(row)
        self.heirs: dict[int, FollowedMovie] = {}
        self.ids = [*self.films, *self.gone]

    def save(self) -> FollowReport:
        """Save the page; return what was changed."""
        lock_movies(Movie.objects.filter(imdb_id__in=self.ids).values_list("pk", flat=True))
        stay_removed = self._restore()
        known = set(Movie.objects.filter(imdb_id__in=self.ids).values_list("imdb_id", flat=True))
        before = _links_by_film(self.ids)
        new_keys = self._add(known, stay_removed, before)
        self.movies = {movie.imdb_id: movie for movie in Movie.objects.filter(imdb_id__in=self.ids)}
        self.links = _links_by_film(self.ids)
        dropped: dict[str, dict[str, str]] = {}
        for imdb_id, film in self.films.items():
            row = self._row(imdb_id)
            if (movie := self.movies.get(imdb_id)) is not None:
                self._describe(movie, row, film.movie, is_new=imdb_id not in known)
            dropped[imdb_id] = self._state_links(row, film, new_keys[imdb_id])
        for imdb_id in self.gone.keys() & self.rows.keys():
            dropped[imdb_id] = self.rows[imdb_id].links
            self.rows[imdb_id].links = {}
        self._drop(dropped)
        self._write_rows()
        return self.report

    def _restore(self) -> set[str]:
        """Restore films that are removed here and return; return the ids of those that stay removed."""
        missing = self.films.keys() - set(
            Movie.objects.filter(imdb_id__in=list(self.films)).values_list("imdb_id", flat=True)
        )
        tombstones = list(RemovedMovie.objects.removed().filter(imdb_id__in=missing))
        returning = [one.imdb_id for one in tombstones if self._returns(one)]
        restored = restore_movies(returning, causes=RemovedMovie.CAUSES_UNDONE_BY_LINKS)
        self.report.films_restored += len(restored)
        stay = {one.imdb_id for one in tombstones} - set(restored)
        self.report.refused["removed_here"] += len(stay)
        return stay

    def _returns(self, tombstone: RemovedMovie) -> bool:
        """Whether a removed film returns: it had left that instance, or that has a link which is not known here."""
        if tombstone.cause not in RemovedMovie.RETURNING_CAUSES:
            return tombstone.cause == RemovedMovie.Cause.FOLLOWED
        row = self.rows.get(tombstone.imdb_id)
        known = set(row.dead) if row else set()
        for link in snapshot_links(tombstone):
            known |= {canonical_key(link[name]) for name in ("source_url", "moved_from") if link[name]}
        links = self.films[tombstone.imdb_id].links
        return any(canonical_key(link.source_url) not in known for link in links)

    def _add(self, known: set[str], stay_removed: set[str], before: Mapping[str, _FilmLinks]) -> dict[str, set[str]]:
        """Save the films and links that are not here; return the keys of these links by film."""
        movies, links, keys = [], [], defaultdict[str, set[str]](set)
        for imdb_id, film in self.films.items():
            if imdb_id in stay_removed:
                continue
            if imdb_id not in known:
                movies.append(film.movie)
            dead = set(self.rows[imdb_id].dead) if imdb_id in self.rows else set()
            for link in film.links:
                if (key := canonical_key(link.source_url)) not in before[imdb_id].by_key:
                    keys[imdb_id].add(key)
                    links.append(_unchecked(link, works=key not in dead, stated_by=self.instance.url))
        saved = save_links(links, movies=movies)
        self.report.films_new += saved.movies_new
        self.report.links_new += saved.new
        self.report.refused.update(saved.refused)
        return keys

    def _row(self, imdb_id: str) -> FollowedMovie:
        """What this instance states of the film now, new or known."""
        row = self.rows.setdefault(imdb_id, FollowedMovie(instance=self.instance, imdb_id=imdb_id))
        row.state = State.STATED
        return row

    def _describe(self, movie: Movie, row: FollowedMovie, record: MovieRecord, *, is_new: bool) -> None:
        """Give the film the values that are stated, where it has none or those that were stated before."""
        if is_new:
            row.is_made, row.fields = True, _digests(movie)
            return
        changed = False
        for name in FILM_FIELDS:
            current, stated = getattr(movie, name), _film_value(record, name)
            if current and row.fields.get(name) != _digest(current):
                continue
            if current != stated and (current or stated):
                setattr(movie, name, stated)
                changed = True
            row.fields.pop(name, None)
            if stated:
                row.fields[name] = _digest(stated)
        if changed:
            movie.updated_at = timezone.now()
            movie.save(update_fields=[*FILM_FIELDS, "search_title", "search_words", "updated_at"])
            self.report.films_changed += 1

    def _state_links(self, row: FollowedMovie, film: StatedFilm, new_keys: set[str]) -> dict[str, str]:
        """Update the links that were made of earlier statements; return those that are not stated any more."""
        found, earlier = self.links[row.imdb_id], row.links
        row.links, exists = {}, row.imdb_id in self.movies
        for record in film.links:
            key = canonical_key(record.source_url)
            link, made = found.by_key.get(key), earlier.get(key, "")
            if publication_status(record) is LicenceStatus.REFUSED:
                self.report.refused["licence_refused"] += bool(made)
            elif link is None:
                row.links |= {} if exists else {key: made}
            elif key in new_keys:
                row.links[key] = _made_of(link)
            elif _is_made(link, made):
                self._update_link(link, record, found)
                row.links[key] = _made_of(link)
            else:
                row.links[key] = ""
        row.dead = [key for key in row.dead if key not in row.links]
        return {key: made for key, made in earlier.items() if key not in row.links}

    def _update_link(self, link: StreamingLink, record: LinkRecord, found: _FilmLinks) -> None:
        stated = {name: to_column(getattr(record, name)) for name in TAKEN_LINK_FIELDS}
        if not link.moved_from and record.source_url not in found.urls:
            stated |= {"source_url": record.source_url, "host": record.host}
        changes = {name: value for name, value in stated.items() if getattr(link, name) != value}
        if not changes:
            return
        if publication_status(record) is LicenceStatus.FREE:
            changes["is_published"] = True
        for name, value in changes.items():
            setattr(link, name, value)
        mark_updated(Movie.objects.filter(pk=link.movie_id))
        link.save(update_fields=list(changes))
        self.report.links_changed += 1

    def _drop(self, dropped: Mapping[str, Mapping[str, str]]) -> None:
        """Drop the links that only this instance stated, and then the films that are gone and nobody else has."""
        deleted: dict[str, set[int]] = {}
        for imdb_id, links in dropped.items():
            deleted[imdb_id] = set(self._droppable(self.rows[imdb_id], links))
        ids = [pk for found in deleted.values() for pk in found]
        mark_updated(Movie.objects.filter(imdb_id__in=[key for key, found in deleted.items() if found]))
        StreamingLink.objects.filter(pk__in=ids).delete()
        self.report.links_dropped += len(ids)
        emptied = {key for key, found in deleted.items() if found and not self.links[key].ids - found}
        removable = [key for key in self.gone if self._leave(key, deleted.get(key, set()))]
        reason = f"no longer stated by {self.instance.url}"[:200]
        movies = Movie.objects.filter(imdb_id__in=removable)
        self.report.films_removed += remove_movies(movies, reason=reason, cause=RemovedMovie.Cause.FOLLOWED)
        self.report.lost += len(emptied | set(removable))
        self._forget_removed(dropped)

    def _droppable(self, row: FollowedMovie, links: Mapping[str, str]) -> Iterator[int]:
        """Yield the ids of those of these links that only this instance stated; the others get another owner."""
        for key, made in links.items():
            link = self.links[row.imdb_id].by_key.get(key)
            if link is None or not _is_made(link, made) or not _is_unseen(link):
                continue
            heirs = [other for other in self.others[row.imdb_id] if key in other.links]
            if heirs:
                heirs[0].links[key] = heirs[0].links[key] or made
                self.heirs[heirs[0].pk] = heirs[0]
                continue
            if not (link.is_active or link.taken_down):
                row.dead = [*row.dead, key][-MAX_DEAD_KEYS:]
            yield link.pk

    def _leave(self, imdb_id: str, deleted: set[int]) -> bool:
        """Record that the film left the other instance; return whether it leaves this one."""
        row, movie = self.rows.get(imdb_id), self.movies.get(imdb_id)
        if row is None:
            return False
        row.state = self.gone[imdb_id]
        if movie is None:
            return False
        if row.is_made and self.others[imdb_id]:
            heir = self.heirs.setdefault(self.others[imdb_id][0].pk, self.others[imdb_id][0])
            heir.is_made, heir.fields = True, {**row.fields, **heir.fields}
        elif row.is_made and not self.links[imdb_id].ids - deleted and not _is_changed_here(movie, row):
            return True
        row.is_made, row.fields = False, {}
        if row.state == State.TAKEN_DOWN:
            self.report.kept.append(imdb_id)
        return False

    def _forget_removed(self, dropped: Mapping[str, Mapping[str, str]]) -> None:
        """Take dropped links out of films that checks removed here, or they would return with those films."""
        missing = [key for key in dropped if key not in self.movies]
        tombstones = RemovedMovie.objects.removed().filter(imdb_id__in=missing, cause__in=RemovedMovie.RETURNING_CAUSES)
        for tombstone in tombstones.select_for_update().order_by("pk"):
            row = self.rows[tombstone.imdb_id]
            others = self.others[row.imdb_id]
            kept = {made for other in others for made in other.links.values()}
            _forget_links(tombstone, made=set(filter(None, dropped[row.imdb_id].values())) - kept)
            is_leaving = row.imdb_id in self.gone and row.is_made and not others
            if is_leaving and not snapshot_links(tombstone):
                RemovedMovie.objects.filter(pk=tombstone.pk).update(
                    cause=RemovedMovie.Cause.FOLLOWED, next_check_at=None
                )

    def _write_rows(self) -> None:
        rows = [row for key, row in self.rows.items() if key in self.films or key in self.gone]
        for row in (*rows, *self.unreadable):
            row.generation = self.instance.generation
        known = [row for row in (*rows, *self.unreadable) if row.pk]
        FollowedMovie.objects.bulk_create([row for row in rows if not row.pk])
        FollowedMovie.objects.bulk_create(known, update_conflicts=True, unique_fields=["id"], update_fields=ROW_FIELDS)
        for heir in self.heirs.values():
            heir.save(update_fields=["is_made", "fields", "links"])


def _unchecked(link: LinkRecord, *, works: bool, stated_by: str) -> LinkRecord:
    """The link without the verdict of the other instance, and with its address as evidence."""
    evidence = ": ".join(filter(None, (f"Stated by {stated_by}", link.licence_url)))[:MAX_EVIDENCE_LENGTH]
    return link._replace(is_active=works, last_checked=None, evidence=evidence)


def _forget_links(tombstone: RemovedMovie, *, made: Collection[str]) -> None:
    """Take those links out of a tombstone that only this instance stated."""

    def is_dropped(pk: int, fields: Mapping[str, Any]) -> bool:
        return _made_of_row(pk, fields) in made and fields["first_seen"] == fields["last_seen"]

    forget_links(tombstone, is_dropped)


def _links_by_film(imdb_ids: Iterable[str]) -> dict[str, _FilmLinks]:
    found = defaultdict[str, _FilmLinks](_FilmLinks)
    rows = StreamingLink.objects.filter(movie__imdb_id__in=list(imdb_ids)).select_related("movie").order_by("pk")
    links = list(rows)
    for link in links:
        found[link.movie.imdb_id].urls.add(link.source_url)
        if link.moved_from:
            found[link.movie.imdb_id].by_key.setdefault(canonical_key(link.moved_from), link)
    for link in reversed(links):
        found[link.movie.imdb_id].by_key[canonical_key(link.source_url)] = link
    return found


def _is_changed_here(movie: Movie, row: FollowedMovie) -> bool:
    """Whether somebody here has given the film another value than was stated, or bound a URL to it."""
    if any(digest != _digest(getattr(movie, name)) for name, digest in row.fields.items()):
        return True
    return Binding.objects.filter(movie=movie).exists()


def _film_value(record: MovieRecord, name: str) -> Any:
    """The stated value as the column of the film has it."""
    value = to_column(getattr(record, name))
    if name == "type":
        return value or Movie.Type.MOVIE.value
    return (value or 0) if name == "fame" else value


def _digests(movie: Movie) -> dict[str, str]:
    values = {name: getattr(movie, name) for name in FILM_FIELDS}
    return {name: _digest(value) for name, value in values.items() if value}


def _digest(value: object) -> str:
    data = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(data, digest_size=DIGEST_BYTES).hexdigest()


def _is_made(link: StreamingLink, made: str) -> bool:
    """Whether the row was made of a statement, and nobody here has changed it since."""
    return made != "" and made == _made_of(link)


def _is_unseen(link: StreamingLink) -> bool:
    """Whether nobody here has seen the link since it was made."""
    return link.first_seen == link.last_seen


def _made_of(link: StreamingLink) -> str:
    return _made_of_row(link.pk, {name: getattr(link, name) for name in TAKEN_LINK_FIELDS})


def _made_of_row(pk: int, fields: Mapping[str, Any]) -> str:
    return f"{pk}:{_digest([fields[name] for name in TAKEN_LINK_FIELDS])}"
