"""The triggers that keep the counters (`streaming.models.counters`), whoever writes: code, admin, SQL by hand.

Only migrations and `check_catalogue` use this. Unlike those of `change_triggers`, they name other tables than their
own, so SQLite refuses to rebuild Movie or StreamingLink while they exist: a migration that does so has to begin with
`remove_counter_triggers` and to end with `install_triggers` and `install_counter_triggers`.
"""

# ruff: noqa: S608 - all statements are built from constants of this module

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import sub
from types import MappingProxyType
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from streaming.models.change_triggers import LINK, MOVIE, REMOVED, WATCHED, WatchedColumns, change_trigger_names

LINK_COUNT, REASON_COUNT = "streaming_linkcount", "streaming_inactivereasoncount"
MOVIE_COUNT, VERSION = "streaming_moviecount", "streaming_catalogueversion"
NAME_PREFIX = "streaming_count_"
ROWS_BETWEEN_SUMS = 1000
FOLD_LOCK_KEY = 7_264_110_019
FACETS = ("source", "quality", "language", "licence")
LINK_NUMBERS = ("links", "shown", "active", "unchecked")
LINK_COLUMNS = (*FACETS, "is_active", "is_published", "taken_down", "last_checked", "reason", "movie_id")
# What the columns of a link count for; `{0}` is the row.
IS_SHOWN = "({0}.is_published AND NOT {0}.taken_down)"
IS_ACTIVE = "({0}.is_active AND {0}.is_published)"
IS_UNCHECKED = f"({IS_SHOWN} AND {{0}}.last_checked IS NULL)"
IS_INACTIVE = f"({IS_SHOWN} AND NOT {{0}}.is_active)"


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterTrigger:
    """One trigger: its table, and the statements that create it."""

    name: str
    table: str
    statements: tuple[str, ...]


def install_counter_triggers(connection: BaseDatabaseWrapper, watched: WatchedColumns = WATCHED) -> None:
    """Create the triggers, in place of any that exist; `watched` columns raise the version of the lists."""
    remove_counter_triggers(connection)
    with connection.cursor() as cursor:
        for statement in _functions(connection):
            cursor.execute(statement)
        for trigger in _triggers(connection, watched):
            for statement in trigger.statements:
                cursor.execute(statement)


def remove_counter_triggers(connection: BaseDatabaseWrapper) -> None:
    """Drop the triggers as far as they exist."""
    is_postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        for trigger in _triggers(connection):
            if is_postgres:
                cursor.execute(f"DROP TRIGGER IF EXISTS {trigger.name} ON {trigger.table}")
                cursor.execute(f"DROP FUNCTION IF EXISTS {trigger.name}()")
            else:
                cursor.execute(f"DROP TRIGGER IF EXISTS {trigger.name}")


def missing_triggers(connection: BaseDatabaseWrapper, *, beside: Iterable[str] = ()) -> list[str]:
    """The names of triggers that this database should have and has not, or has switched off; of changes, too.

    `beside` are the names of others that it should have.
    """
    catalogue = (
        "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(catalogue)
        existing = {row[0] for row in cursor.fetchall()}
    expected = [*(trigger.name for trigger in _triggers(connection)), *change_trigger_names(), *beside]
    return [name for name in expected if name not in existing]


def recount(connection: BaseDatabaseWrapper) -> None:
    """Compute all counters anew from the tables. The transaction has to keep other writers away until it ends."""
    recount_movies(connection)
    with connection.cursor() as cursor:
        for table, rows in TRUE_COUNTS.items():
            cursor.execute(f"DELETE FROM {table}")
            cursor.execute(f"INSERT INTO {table} ({columns_of(table)}) {rows}")


def recount_movies(connection: BaseDatabaseWrapper) -> None:
    """Compute the numbers of active links of the movies anew; only those that are wrong are written."""
    with connection.cursor() as cursor:
        cursor.execute(RECOUNT_MOVIES.format(active=IS_ACTIVE.format("l")))


def wrong_counters(connection: BaseDatabaseWrapper, table: str) -> list[tuple[Any, ...]]:
    """The keys of a counter that is wrong, each with what it has too much; one statement, so one state."""
    columns = columns_of(table).split(", ")
    key, numbers = columns[: -_width(table)], columns[-_width(table) :]
    signed = {
        LINK_COUNT: _link_rows(LINK, "-"),
        REASON_COUNT: _reason_rows(LINK, "-"),
        MOVIE_COUNT: _movie_rows(MOVIE, "-"),
    }
    everything = f"SELECT {', '.join(columns)} FROM {table} UNION ALL {signed[table]}"
    with connection.cursor() as cursor:
        cursor.execute(_sums(key, numbers, f"({everything}) AS t"))
        return list(cursor.fetchall())


def wrong_movies(connection: BaseDatabaseWrapper, *, first: int, last: int) -> list[tuple[Any, ...]]:
    """The movies between these ids whose number of active links is wrong, and that number."""
    with connection.cursor() as cursor:
        cursor.execute(WRONG_MOVIES.format(active=IS_ACTIVE.format("l")), [first, last])
        return list(cursor.fetchall())


def count_rows(
    connection: BaseDatabaseWrapper, table: str, *, rows_from: str
) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """The counts of some links or movies, named by a table or a query, by the key that the counter has them under."""
    counted = {LINK_COUNT: _link_rows, REASON_COUNT: _reason_rows, MOVIE_COUNT: _movie_rows}[table]
    width = _width(table)
    with connection.cursor() as cursor:
        cursor.execute(counted(rows_from))
        return {row[:-width]: row[-width:] for row in cursor.fetchall()}


def add_counts(
    connection: BaseDatabaseWrapper,
    table: str,
    counts: Mapping[tuple[Any, ...], tuple[int, ...]],
    *,
    less: Mapping[tuple[Any, ...], tuple[int, ...]] = MappingProxyType({}),
) -> None:
    """Add these counts to a counter and take `less` from it. Only for SQLite, where each key has one row."""
    columns = columns_of(table).split(", ")
    keys, numbers = columns[: -_width(table)], columns[-_width(table) :]
    zeros = (0,) * len(numbers)
    changes = {
        key: tuple(map(sub, counts.get(key, zeros), less.get(key, zeros))) for key in {**counts, **less}
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(keys)}, id FROM {table}")
        known = {row[:-1]: row[-1] for row in cursor.fetchall()}
        new = [(*key, *change) for key, change in changes.items() if key not in known and any(change)]
        old = [(*change, known[key]) for key, change in changes.items() if key in known and any(change)]
        marks = ", ".join(["%s"] * len(columns))
        cursor.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", new)
        sums = ", ".join(f"{name} = {name} + %s" for name in numbers)
        cursor.executemany(f"UPDATE {table} SET {sums} WHERE id = %s", old)


def columns_of(table: str) -> str:
    """The columns of a counter, key first."""
    return {
        LINK_COUNT: ", ".join((*FACETS, *LINK_NUMBERS)),
        REASON_COUNT: "reason, links",
        MOVIE_COUNT: "type, year, is_watchable, movies",
    }[table]


def _width(table: str) -> int:
    """How many of the columns are numbers."""
    return len(LINK_NUMBERS) if table == LINK_COUNT else 1


def _count(condition: str, row: str) -> str:
    return f"SUM(CASE WHEN {condition.format(row)} THEN 1 ELSE 0 END)"


def _link_rows(table: str, sign: str = "") -> str:
    """A query of the rows of `LinkCount` for the links of a table."""
    numbers = ", ".join(f"{sign}{_count(x, 'l')}" for x in (IS_SHOWN, IS_ACTIVE, IS_UNCHECKED))
    key = ", ".join(f"l.{name}" for name in FACETS)
    return f"SELECT {key}, {sign}COUNT(*), {numbers} FROM {table} l GROUP BY {key}"


def _reason_rows(table: str, sign: str = "") -> str:
    """A query of the rows of `InactiveReasonCount` for the links of a table."""
    return f"SELECT l.reason, {sign}COUNT(*) FROM {table} l WHERE {IS_INACTIVE.format('l')} GROUP BY l.reason"


def _movie_rows(table: str, sign: str = "") -> str:
    """A query of the rows of `MovieCount` for the movies of a table."""
    key = "m.type, COALESCE(m.year, 0), m.active_link_count > 0"
    return f"SELECT {key}, {sign}COUNT(*) FROM {table} m GROUP BY {key}"


SQLITE_NOW = "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
VERSION_BUMP = (
    f"UPDATE {VERSION} SET number = number + 1, changed_at = {SQLITE_NOW}",
    f"INSERT INTO {VERSION} (number, changed_at) SELECT 1, {SQLITE_NOW} WHERE changes() = 0",
)
"""For SQLite."""
TRUE_COUNTS = {LINK_COUNT: _link_rows(LINK), REASON_COUNT: _reason_rows(LINK), MOVIE_COUNT: _movie_rows(MOVIE)}
WRONG_MOVIES = """
    SELECT m.imdb_id, m.active_link_count FROM streaming_movie m
    WHERE m.id BETWEEN %s AND %s AND m.active_link_count <> (
        SELECT COUNT(*) FROM streaming_streaminglink l WHERE l.movie_id = m.id AND {active}
    )
    ORDER BY m.id
"""
RECOUNT_MOVIES = """
    UPDATE streaming_movie SET active_link_count = t.n
    FROM (
        SELECT m.id, (SELECT COUNT(*) FROM streaming_streaminglink l WHERE l.movie_id = m.id AND {active}) AS n
        FROM streaming_movie m
    ) t
    WHERE t.id = streaming_movie.id AND streaming_movie.active_link_count <> t.n
"""


def _functions(connection: BaseDatabaseWrapper) -> Iterator[str]:
    if connection.vendor == "postgresql":
        yield from (_fold_function(table) for table in (*TRUE_COUNTS, VERSION))


def _triggers(connection: BaseDatabaseWrapper, watched: WatchedColumns = WATCHED) -> list[CounterTrigger]:
    return list(_postgres_triggers(watched) if connection.vendor == "postgresql" else _sqlite_triggers())


# --- SQLite: one writer, so each trigger changes the one row of a key


def _sqlite_triggers() -> Iterator[CounterTrigger]:
    added, gone = [*_sqlite_link("NEW", "+")], [*_sqlite_link("OLD", "-")]
    yield _sqlite("link_added", f"INSERT ON {LINK}", [*added, _movie_update("NEW", "+")])
    yield _sqlite("link_deleted", f"DELETE ON {LINK}", [*gone, _movie_update("OLD", "-")])
    # One trigger for all columns, with a cheap condition: the checker updates some of them for every link.
    event = f"UPDATE OF {', '.join(LINK_COLUMNS)} ON {LINK}"
    movies = [_movie_update("OLD", "-", unless="NEW"), _movie_update("NEW", "+", unless="OLD")]
    yield _sqlite("link_changed", event, [*gone, *added, *movies], when=_link_differs("IS NOT"))
    yield _sqlite("movie_added", f"INSERT ON {MOVIE}", [*_sqlite_movie("NEW", "+")])
    yield _sqlite("movie_deleted", f"DELETE ON {MOVIE}", [*_sqlite_movie("OLD", "-")])
    event = f"UPDATE OF type, year, active_link_count ON {MOVIE}"
    differs = (
        "OLD.type <> NEW.type OR OLD.year IS NOT NEW.year OR (OLD.active_link_count > 0) <> (NEW.active_link_count > 0)"
    )
    yield _sqlite("movie_changed", event, [*_sqlite_movie("OLD", "-"), *_sqlite_movie("NEW", "+")], when=differs)
    # Each change of what lists show is noted there, see `change_triggers`.
    yield _sqlite("version", "INSERT ON streaming_pendingchange", VERSION_BUMP)


def _sqlite(name: str, event: str, body: Iterable[str], *, when: str = "") -> CounterTrigger:
    condition = f" WHEN {when}" if when else ""
    statements = "; ".join(body)
    create = f"CREATE TRIGGER {NAME_PREFIX}{name} AFTER {event} FOR EACH ROW{condition} BEGIN {statements}; END"
    return CounterTrigger(name=f"{NAME_PREFIX}{name}", table=event.split(" ON ")[1], statements=(create,))


def _sqlite_link(row: str, sign: str) -> Iterator[str]:
    values = [str(1), *(condition.format(row) for condition in (IS_SHOWN, IS_ACTIVE, IS_UNCHECKED))]
    yield from _sqlite_add(
        LINK_COUNT, {name: f"{row}.{name}" for name in FACETS}, zip(LINK_NUMBERS, values, strict=True), sign
    )
    yield from _sqlite_add(
        REASON_COUNT, {"reason": f"{row}.reason"}, [("links", "1")], sign, when=IS_INACTIVE.format(row)
    )


def _sqlite_movie(row: str, sign: str) -> Iterator[str]:
    key = {
        "type": f"{row}.type",
        "year": f"COALESCE({row}.year, 0)",
        "is_watchable": f"({row}.active_link_count > 0)",
    }
    yield from _sqlite_add(MOVIE_COUNT, key, [("movies", "1")], sign)


def _sqlite_add(
    table: str, key: dict[str, str], numbers: Iterable[tuple[str, str]], sign: str, *, when: str = "1"
) -> Iterator[str]:
    """Add to the row of a key, which is created if it is missing, or take from it."""
    values = dict(numbers)
    changes = ", ".join(f"{name} = {name} {sign} {value}" for name, value in values.items())
    same = " AND ".join(f"{name} = {value}" for name, value in key.items())
    yield f"UPDATE {table} SET {changes} WHERE {same} AND {when}"
    if sign == "-":
        return  # Without a row there is nothing to take from: somebody has emptied the table.
    names = ", ".join((*key, *values))
    row = ", ".join((*key.values(), *values.values()))
    yield f"INSERT INTO {table} ({names}) SELECT {row} WHERE changes() = 0 AND {when}"


def _link_differs(differs: str) -> str:
    """Whether an update of a link changes what is counted. The columns that each check writes come first."""
    plain = [name for name in LINK_COLUMNS if name not in ("last_checked", "reason")]
    return " OR ".join(
        [
            "(OLD.last_checked IS NULL) <> (NEW.last_checked IS NULL)",
            f"(OLD.reason {differs} NEW.reason AND NOT NEW.is_active)",
            *(f"OLD.{name} {differs} NEW.{name}" for name in plain),
        ]
    )


def _movie_update(row: str, sign: str, *, unless: str = "") -> str:
    """Count the active link for its movie, unless the other row counts for the same one."""
    same = f" AND NOT ({IS_ACTIVE.format(unless)} AND OLD.movie_id = NEW.movie_id)" if unless else ""
    return (
        f"UPDATE {MOVIE} SET active_link_count = active_link_count {sign} 1 "
        f"WHERE id = {row}.movie_id AND {IS_ACTIVE.format(row)}{same}"
    )


# --- PostgreSQL: many writers, so triggers insert differences, which are summed up from time to time


def _postgres_triggers(watched: WatchedColumns) -> Iterator[CounterTrigger]:
    yield _of_statement("link_added", LINK, "INSERT", _links_of("added", ""), tables="NEW TABLE AS added")
    yield _of_statement("link_deleted", LINK, "DELETE", _links_of("gone", "-"), tables="OLD TABLE AS gone")
    yield _of_row(
        "link_changed",
        LINK,
        f"UPDATE OF {', '.join(LINK_COLUMNS)}",
        _link_change(),
        when=_link_differs("IS DISTINCT FROM"),
    )
    yield from _postgres_movie_triggers()
    for word, table, columns in (
        ("movies", MOVIE, watched.movie),
        ("links", LINK, (*watched.link, "is_active", "is_published")),
        ("removed", REMOVED, watched.removed),
    ):
        event = f"INSERT OR DELETE OR UPDATE OF {', '.join(columns)}"
        yield _of_statement(f"version_{word}", table, event, _postgres_add(VERSION, "SELECT 1, clock_timestamp()"))


def _postgres_movie_triggers() -> Iterator[CounterTrigger]:
    added, gone = _movie_rows("added"), _movie_rows("gone", "-")
    both = f"SELECT type, year, is_watchable, SUM(n) FROM ({gone} UNION ALL {added})"
    changed = f"{both} AS t (type, year, is_watchable, n) GROUP BY 1, 2, 3 HAVING SUM(n) <> 0"
    new, old = "NEW TABLE AS added", "OLD TABLE AS gone"
    yield _of_statement("movie_added", MOVIE, "INSERT", _postgres_add(MOVIE_COUNT, added), tables=new)
    yield _of_statement("movie_deleted", MOVIE, "DELETE", _postgres_add(MOVIE_COUNT, gone), tables=old)
    yield _of_statement("movie_changed", MOVIE, "UPDATE", _postgres_add(MOVIE_COUNT, changed), tables=f"{old} {new}")


def _of_statement(name: str, table: str, event: str, body: str, *, tables: str = "") -> CounterTrigger:
    referencing = f" REFERENCING {tables}" if tables else ""
    return _postgres(name, table, f"AFTER {event} ON {table}{referencing} FOR EACH STATEMENT", body)


def _of_row(name: str, table: str, event: str, body: str, *, when: str) -> CounterTrigger:
    return _postgres(name, table, f"AFTER {event} ON {table} FOR EACH ROW WHEN ({when})", body)


def _postgres(name: str, table: str, event: str, body: str) -> CounterTrigger:
    function = f"{NAME_PREFIX}{name}()"
    code = f"DECLARE last_id bigint; added_rows bigint; BEGIN {body} RETURN NULL; END"
    return CounterTrigger(
        name=f"{NAME_PREFIX}{name}",
        table=table,
        statements=(
            f"CREATE OR REPLACE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS $${code}$$",
            f"CREATE TRIGGER {NAME_PREFIX}{name} {event} EXECUTE FUNCTION {function}",
        ),
    )


def _postgres_add(table: str, rows: str) -> str:
    """Insert differences, and sum up the table if their ids go beyond the next thousand."""
    columns = "number, changed_at" if table == VERSION else columns_of(table)
    return (
        f"WITH new AS (INSERT INTO {table} ({columns}) {rows} RETURNING id) "
        "SELECT MAX(id), COUNT(*) INTO last_id, added_rows FROM new; "
        f"IF last_id / {ROWS_BETWEEN_SUMS} > (last_id - added_rows) / {ROWS_BETWEEN_SUMS} "
        f"THEN PERFORM {table}_fold(); END IF; "
    )


def _links_of(table: str, sign: str) -> str:
    """Count the links of a transition table. Movies are locked in the order of their ids, as everywhere."""
    active = IS_ACTIVE.format("l")
    return (
        _postgres_add(LINK_COUNT, _link_rows(table, sign))
        + _postgres_add(REASON_COUNT, _reason_rows(table, sign))
        + f"PERFORM 1 FROM {MOVIE} WHERE id IN (SELECT movie_id FROM {table} l WHERE {active}) "
        + "ORDER BY id FOR NO KEY UPDATE; "
        + f"UPDATE {MOVIE} m SET active_link_count = m.active_link_count + t.n FROM (SELECT movie_id, "
        + f"{sign}COUNT(*) AS n FROM {table} l WHERE {active} GROUP BY movie_id) t WHERE m.id = t.movie_id; "
    )


def _link_change() -> str:
    """Count one link that changes."""
    return (
        _changed_numbers()
        + _changed_reasons()
        + f"{_movie_update('OLD', '-', unless='NEW')}; {_movie_update('NEW', '+', unless='OLD')}; "
    )


def _changed_numbers() -> str:
    """Take the link from its old key and add it to the new one."""

    def row(name: str, sign: str) -> str:
        key = ", ".join(f"{name}.{column}" for column in FACETS)
        numbers = ", ".join(f"{sign}{x.format(name)}::int" for x in (IS_SHOWN, IS_ACTIVE, IS_UNCHECKED))
        return f"({key}, {sign}1, {numbers})"

    return _postgres_add(LINK_COUNT, f"VALUES {row('OLD', '-')}, {row('NEW', '+')}")


def _changed_reasons() -> str:
    was, now = IS_INACTIVE.format("OLD"), IS_INACTIVE.format("NEW")
    rows = (
        f"SELECT t.reason, t.n FROM (VALUES (OLD.reason, -1, {was}), (NEW.reason, 1, {now})) AS t (reason, n, counts) "
        "WHERE t.counts"
    )
    return _postgres_add(REASON_COUNT, rows)


def _fold_function(table: str) -> str:
    """A function that replaces the rows of each key by their sum, unless somebody else is doing that."""
    if table == VERSION:
        columns, rows = "number, changed_at", "SELECT SUM(number), MAX(changed_at) FROM gone HAVING COUNT(*) > 0"
    else:
        columns = columns_of(table)
        names, width = columns.split(", "), _width(table)
        rows = _sums(names[:-width], names[-width:], "gone")
    return (
        f"CREATE OR REPLACE FUNCTION {table}_fold() RETURNS void LANGUAGE plpgsql AS $$ BEGIN "
        f"IF pg_try_advisory_xact_lock({FOLD_LOCK_KEY}) THEN WITH gone AS (DELETE FROM {table} RETURNING *) "
        f"INSERT INTO {table} ({columns}) {rows}; END IF; END $$"
    )


def _sums(key: list[str], numbers: list[str], rows: str) -> str:
    """A query of the sums of each key that are not all 0."""
    sums = ", ".join(f"SUM({name})" for name in numbers)
    nonzero = " OR ".join(f"SUM({name}) <> 0" for name in numbers)
    return f"SELECT {', '.join(key)}, {sums} FROM {rows} GROUP BY {', '.join(key)} HAVING {nonzero}"
