"""The triggers that keep `MovieFacet` from the columns of movies and links, whoever writes: code, admin, SQL by hand.

Only migrations, takedowns and `check_catalogue` use this. A migration that rebuilds Movie or StreamingLink on SQLite
drops these triggers with the table: it has to end with `install_facet_triggers`. One that rebuilds BlockedAddress,
which they name, has to begin with `remove_facet_triggers` as well.
"""

# ruff: noqa: S608 - all statements are built from constants of this module

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

MOVIE, LINK, FACET = "streaming_movie", "streaming_streaminglink", "streaming_moviefacet"
TAKEDOWN = "streaming_blockedaddress"
NAME_PREFIX = "streaming_facet_"
MOVIE_COLUMNS = ("genres", "countries", "directors", '"cast"')
LINK_COLUMNS = ("movie_id", "captions", "is_active", "is_published")
MAX_VALUE_LENGTH = 100
COLUMNS = "movie_id, link_id, kind, value"


def install_facet_triggers(connection: BaseDatabaseWrapper) -> None:
    """Create the triggers, in place of any that exist."""
    remove_facet_triggers(connection)
    _execute(connection, _statements(is_postgres=connection.vendor == "postgresql"))


def remove_facet_triggers(connection: BaseDatabaseWrapper) -> None:
    """Drop the triggers as far as they exist."""
    statements = []
    for name, (table, *_) in _triggers(is_postgres=connection.vendor == "postgresql").items():
        if connection.vendor == "postgresql":
            statements.append(f"DROP TRIGGER IF EXISTS {name} ON {table}")
            statements.append(f"DROP FUNCTION IF EXISTS {name}()")
        else:
            statements.append(f"DROP TRIGGER IF EXISTS {name}")
    _execute(connection, statements)


def facet_trigger_names() -> list[str]:
    """The names of the triggers."""
    return list(_triggers(is_postgres=False))


def rebuild_facets(connection: BaseDatabaseWrapper) -> None:
    """Make all facets anew. The transaction has to keep other writers away until it ends."""
    rows = _expected_rows(ids="> 0", is_postgres=connection.vendor == "postgresql")
    _execute(connection, [f"DELETE FROM {FACET}", f"INSERT INTO {FACET} ({COLUMNS}) {rows}"])


def rebuild_caption_facets(connection: BaseDatabaseWrapper, *, movies: Collection[int] | None = None) -> None:
    """Make the facets of captions anew, of these movies (None: of all), after takedowns have changed."""
    chosen = "> 0" if movies is None else f"IN ({', '.join(str(int(pk)) for pk in movies) or '0'})"
    is_postgres = connection.vendor == "postgresql"
    of_links = f"l.movie_id {chosen} AND {_has_captions('l')}"
    rows = _link_rows("l", source=f"{LINK} AS l, ", is_postgres=is_postgres, where=of_links)
    drop = f"DELETE FROM {FACET} WHERE movie_id {chosen} AND kind = 'captions'"
    _execute(connection, [drop, _insert(rows, is_postgres=is_postgres)])


def add_movie_facets(*, after: int) -> str:
    """The statement that adds the facets of the movies with greater ids, as a trigger does for each. For SQLite."""
    where = f"m.id > {after:d} AND {_has_facts('m')}"
    return _insert(_movie_rows("m", source=f"{MOVIE} AS m, ", is_postgres=False, where=where), is_postgres=False)


def add_link_facets(*, after: int) -> str:
    """The statement that adds the facets of the links with greater ids, as a trigger does for each. For SQLite."""
    where = f"l.id > {after:d} AND {_has_captions('l')}"
    return _insert(_link_rows("l", source=f"{LINK} AS l, ", is_postgres=False, where=where), is_postgres=False)


def wrong_facets(connection: BaseDatabaseWrapper, *, first: int, last: int) -> list[tuple[int, str, str]]:
    """Movie, kind and value of the facets of the movies between these ids that are missing or too many."""
    ids = f"BETWEEN {first:d} AND {last:d}"
    expected = _expected_rows(ids=ids, is_postgres=connection.vendor == "postgresql")
    stored = f"SELECT {COLUMNS} FROM {FACET} WHERE movie_id {ids}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT movie_id, kind, value FROM (SELECT * FROM ({expected} EXCEPT {stored}) AS a UNION ALL "
            f"SELECT * FROM ({stored} EXCEPT {expected}) AS b) AS wrong ORDER BY 1, 2, 3"
        )
        return list(cursor.fetchall())


def _expected_rows(*, ids: str, is_postgres: bool) -> str:
    """The query of the facets that there should be; `ids` is a condition on the ids of the movies."""
    of_movies, of_links = f"m.id {ids} AND {_has_facts('m')}", f"l.movie_id {ids} AND {_has_captions('l')}"
    movies = _movie_rows("m", source=f"{MOVIE} AS m, ", is_postgres=is_postgres, where=of_movies)
    links = _link_rows("l", source=f"{LINK} AS l, ", is_postgres=is_postgres, where=of_links)
    return f"SELECT DISTINCT {COLUMNS} FROM ({movies} UNION ALL {links}) AS f WHERE value <> ''"


def _execute(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _has_facts(row: str) -> str:
    return "(" + " OR ".join(f"{row}.{column} <> '[]'" for column in MOVIE_COLUMNS) + ")"


def _has_captions(row: str) -> str:
    return f"({row}.captions <> '[]' AND {row}.is_active AND {row}.is_published)"


def _differs(columns: tuple[str, ...]) -> str:
    return "(" + " OR ".join(f"OLD.{column} <> NEW.{column}" for column in columns) + ")"


def _movie_rows(row: str, *, is_postgres: bool, source: str = "", where: str = "") -> str:
    """The facets of a movie."""
    condition = f" WHERE {where}" if where else ""
    parts = [
        f"SELECT {row}.id AS movie_id, 0 AS link_id, '{kind}' AS kind, "
        f"substr({_text(is_postgres, of_object='id' if kind == 'person' else '')}, 1, {MAX_VALUE_LENGTH}) AS value "
        f"FROM {source}{_elements(f'{row}.{column}', is_postgres)}{condition}"
        for kind, column in (
            ("genre", "genres"), ("country", "countries"), ("person", "directors"), ("person", '"cast"')
        )
    ]  # fmt: skip
    return " UNION ALL ".join(parts)


def _link_rows(row: str, *, is_postgres: bool, source: str = "", where: str = "") -> str:
    """The facets of a link: the languages of its captions that are not taken down, and without their regions."""
    condition = f"{where} AND " if where else ""
    tag = f"lower(coalesce({_text(is_postgres, of_object='language')}, ''))"
    end = f"{_position(is_postgres)}({tag} || '-', '-')"
    shown = f"NOT {_is_taken_down(_text(is_postgres, of_object='url'), is_postgres=is_postgres)}"
    parts = [
        f"SELECT {row}.movie_id, {row}.id AS link_id, 'captions' AS kind, {value} AS value "
        f"FROM {source}{_elements(f'{row}.captions', is_postgres)} WHERE {condition}{tag} <> '' AND {shown}"
        for value in (tag, f"substr({tag}, 1, {end} - 1)")
    ]
    return " UNION ALL ".join(parts)


def _is_taken_down(url: str, *, is_postgres: bool) -> str:
    """Whether a takedown of a host, a prefix or a link covers a file of captions, in its usual spelling.

    Every takedown is compared: there are few, and few links have captions.
    """
    find = _position(is_postgres)

    def without_scheme(text: str) -> str:
        return f"substr({text}, {find}({text}, '://') + 3)"

    rest, other = without_scheme(f"coalesce({url}, '')"), without_scheme("t.address")
    place = f"substr({rest}, 1, {find}({rest} || '/', '/') - 1)"
    host = f"substr({place}, 1, {find}({place} || ':', ':') - 1)"
    length = "length(t.address) + 1"
    ending = f"right('.' || {host}, {length})" if is_postgres else f"substr('.' || {host}, -({length}))"
    return (
        f"EXISTS (SELECT 1 FROM {TAKEDOWN} AS t WHERE "
        f"(t.kind = 'host' AND ({ending} = '.' || t.address OR t.address = 'www.' || {host})) OR "
        f"(t.kind = 'prefix' AND substr({rest}, 1, length({other})) = {other}) OR "
        f"(t.kind = 'link' AND {rest} = {other}))"
    )


def _position(is_postgres: bool) -> str:
    return "strpos" if is_postgres else "instr"


def _elements(column: str, is_postgres: bool) -> str:
    return f"jsonb_array_elements({column}) AS e (value)" if is_postgres else f"json_each({column}) AS e"


def _text(is_postgres: bool, *, of_object: str) -> str:
    """The text of an element, or of a key of it."""
    if is_postgres:
        return f"(e.value ->> '{of_object}')" if of_object else "(e.value #>> '{}')"
    return f"json_extract(e.value, '$.{of_object}')" if of_object else "e.value"


def _insert(rows: str, *, is_postgres: bool) -> str:
    found = f"SELECT {COLUMNS} FROM ({rows}) AS f WHERE value <> ''"
    if is_postgres:
        return f"INSERT INTO {FACET} ({COLUMNS}) {found} ON CONFLICT DO NOTHING"
    return f"INSERT OR IGNORE INTO {FACET} ({COLUMNS}) {found}"


def _triggers(*, is_postgres: bool) -> dict[str, tuple[str, str, str, list[str]]]:
    """Table, event, condition and statements of each trigger."""
    add_movie = _insert(_movie_rows("NEW", is_postgres=is_postgres), is_postgres=is_postgres)
    add_link = _insert(_link_rows("NEW", is_postgres=is_postgres), is_postgres=is_postgres)
    if is_postgres:
        add_link = f"IF {_has_captions('NEW')} THEN {add_link}; END IF"
    else:
        add_link = add_link.replace("WHERE value <> ''", f"WHERE value <> '' AND {_has_captions('NEW')}")
    drop_movie = f"DELETE FROM {FACET} WHERE movie_id = OLD.id AND link_id = 0"
    drop_link = f"DELETE FROM {FACET} WHERE movie_id = OLD.movie_id AND link_id = OLD.id"
    changed_link = f"(OLD.captions <> '[]' OR NEW.captions <> '[]') AND {_differs(LINK_COLUMNS)}"
    named = {
        "movie_added": (MOVIE, "INSERT", _has_facts("NEW"), [add_movie]),
        "movie_edited": (
            MOVIE, f"UPDATE OF {', '.join(MOVIE_COLUMNS)}", _differs(MOVIE_COLUMNS), [drop_movie, add_movie]
        ),
        "movie_deleted": (MOVIE, "DELETE", "", [f"DELETE FROM {FACET} WHERE movie_id = OLD.id"]),
        "link_added": (LINK, "INSERT", _has_captions("NEW"), [add_link]),
        "link_edited": (LINK, f"UPDATE OF {', '.join(LINK_COLUMNS)}", changed_link, [drop_link, add_link]),
        "link_deleted": (LINK, "DELETE", "OLD.captions <> '[]'", [drop_link]),
    }  # fmt: skip
    return {f"{NAME_PREFIX}{name}": trigger for name, trigger in named.items()}


def _statements(*, is_postgres: bool) -> list[str]:
    return list(_all_statements(is_postgres=is_postgres))


def _all_statements(*, is_postgres: bool) -> Iterator[str]:
    for name, (table, event, condition, body) in _triggers(is_postgres=is_postgres).items():
        when = f" WHEN ({condition})" if condition else ""
        header = f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW{when}"
        statements = "; ".join(body)
        if is_postgres:
            yield (
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$${'BEGIN'} {statements}; RETURN NULL; END$$"
            )
            yield f"{header} EXECUTE FUNCTION {name}()"
        else:
            yield f"{header} BEGIN {statements}; END"
