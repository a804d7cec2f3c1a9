"""The triggers that note each change of what a movie shows, whoever makes it: code, admin, SQL by hand.

Only migrations use this. On SQLite, a migration that rebuilds a watched table (a new constraint, a changed column)
drops its triggers: it has to end with `install_triggers`. The triggers name no table but that of pending changes, or
SQLite would refuse to rebuild one watched table because of the triggers of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

INSERT_SQL = "INSERT INTO streaming_pendingchange (imdb_id, movie_id) VALUES ({0.imdb_id}, {0.movie_id})"
MOVIE, LINK, REMOVED = "streaming_movie", "streaming_streaminglink", "streaming_removedmovie"
NAME_PREFIX = "streaming_note_"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedColumns:
    """The columns of each table that mirrors see, besides `is_active` and `is_published` of a link."""

    movie: Sequence[str]
    link: Sequence[str]
    removed: Sequence[str]


WATCHED = WatchedColumns(
    movie=(
        "imdb_id", "title", "year", "type", "poster_url", "synopsis", "created_at", "updated_at", "runtime_minutes",
        "original_title", "original_languages", "countries", "genres", "directors", '"cast"', "other_titles", "fame",
        "synopses",
    ),
    link=(
        "movie_id", "source", "source_url", "kind", "label", "season", "episode", "quality", "language", "licence",
        "licence_url", "duration_seconds", "size_bytes", "width", "height", "captions",
    ),
    removed=("imdb_id", "title", "removed_at", "reason", "restored_at"),
)  # fmt: skip


def change_trigger_names() -> list[str]:
    """The names of the triggers of the columns that are watched now."""
    return [trigger.name for trigger in _triggers(WATCHED, differs="")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trigger:
    """`event` of a table, under a condition on OLD and NEW (empty: always), notes these SQL values.

    `imdb_id` and `movie_id` are values of the pending change.
    """

    name: str
    table: str
    event: str
    imdb_id: str
    movie_id: str
    condition: str = ""


def install_triggers(schema_editor: BaseDatabaseSchemaEditor, columns: WatchedColumns) -> None:
    """Create the triggers for these columns, in place of any that exist."""
    remove_triggers(schema_editor, columns)
    is_postgres = schema_editor.connection.vendor == "postgresql"
    for trigger in _triggers(columns, differs="IS DISTINCT FROM" if is_postgres else "IS NOT"):
        for statement in _postgres_statements(trigger) if is_postgres else [_sqlite_statement(trigger)]:
            schema_editor.execute(statement)


def remove_triggers(schema_editor: BaseDatabaseSchemaEditor, columns: WatchedColumns) -> None:
    """Drop the triggers as far as they exist."""
    is_postgres = schema_editor.connection.vendor == "postgresql"
    for trigger in _triggers(columns, differs=""):
        if is_postgres:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {trigger.name} ON {trigger.table}")
            schema_editor.execute(f"DROP FUNCTION IF EXISTS {trigger.name}()")
        else:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {trigger.name}")


def _triggers(columns: WatchedColumns, *, differs: str) -> list[_Trigger]:
    shown, was_shown = "(NEW.is_active AND NEW.is_published)", "(OLD.is_active AND OLD.is_published)"
    edited = f"{shown} AND ({_any_differs(columns.link, differs)})"
    return [
        *_by_imdb_id(MOVIE, "movie", columns.movie, differs),
        *_by_imdb_id(REMOVED, "removed", columns.removed, differs),
        _link_trigger("link_added", "INSERT", "NEW.movie_id", shown),
        _link_trigger("link_deleted", "DELETE", "OLD.movie_id", was_shown),
        # Apart from the others: these two columns are in each update by the checker, and the comparison is cheap.
        _link_trigger("link_turned", "UPDATE OF is_active, is_published", "NEW.movie_id", f"{shown} <> {was_shown}"),
        _link_trigger("link_edited", f"UPDATE OF {', '.join(columns.link)}", "NEW.movie_id", edited),
        _link_trigger("link_given_away", "UPDATE OF movie_id", "OLD.movie_id", "OLD.movie_id <> NEW.movie_id"),
    ]


def _by_imdb_id(table: str, word: str, columns: Sequence[str], differs: str) -> list[_Trigger]:
    def trigger(verb: str, event: str, row: str, condition: str = "") -> _Trigger:
        values = {"imdb_id": f"{row}.imdb_id", "movie_id": "NULL"}
        return _Trigger(name=f"{NAME_PREFIX}{word}_{verb}", table=table, event=event, condition=condition, **values)

    return [
        trigger("added", "INSERT", "NEW"),
        trigger("deleted", "DELETE", "OLD"),
        trigger("edited", f"UPDATE OF {', '.join(columns)}", "NEW", _any_differs(columns, differs)),
        trigger("renamed", "UPDATE OF imdb_id", "OLD", f"OLD.imdb_id {differs} NEW.imdb_id"),
    ]


def _link_trigger(name: str, event: str, movie_id: str, condition: str) -> _Trigger:
    return _Trigger(
        name=f"{NAME_PREFIX}{name}", table=LINK, event=event, imdb_id="''", movie_id=movie_id, condition=condition
    )


def _any_differs(columns: Sequence[str], differs: str) -> str:
    return " OR ".join(f"OLD.{name} {differs} NEW.{name}" for name in columns)


def _insert(trigger: _Trigger) -> str:
    return INSERT_SQL.format(trigger)


def _header(trigger: _Trigger) -> str:
    condition = f" WHEN ({trigger.condition})" if trigger.condition else ""
    return f"CREATE TRIGGER {trigger.name} AFTER {trigger.event} ON {trigger.table} FOR EACH ROW{condition}"


def _sqlite_statement(trigger: _Trigger) -> str:
    return f"{_header(trigger)} BEGIN {_insert(trigger)}; END"


def _postgres_statements(trigger: _Trigger) -> list[str]:
    function = f"{trigger.name}()"
    body = f"BEGIN {_insert(trigger)}; RETURN NULL; END"
    return [
        f"CREATE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS $${body}$$",
        f"{_header(trigger)} EXECUTE FUNCTION {function}",
    ]
