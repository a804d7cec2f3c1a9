"""Copy all rows between two databases with the same schema: exactly, in one transaction, with ids and sequences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import connections, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from streaming.models import (
    CatalogueVersion,
    InactiveReasonCount,
    LinkCount,
    Movie,
    MovieCount,
    MovieFacet,
    PendingChange,
)

BATCH_ROWS = 2000
# Movies after their links, for triggers count those for movies that exist, which come with their numbers.
COPIED_AFTER_LINKS = Movie._meta.db_table
# In this order: each row of the first raises the version, which is the last.
WRITTEN_BY_TRIGGERS = [
    model._meta.db_table
    for model in (PendingChange, LinkCount, InactiveReasonCount, MovieCount, MovieFacet, CatalogueVersion)
]
Node = tuple[str, str]


@contextmanager
def sqlite_alias(path: Path, alias: str = "backup") -> Iterator[str]:
    """Make the SQLite file a database of Django for the duration of the block; yields its alias."""
    options = {"transaction_mode": "IMMEDIATE", "timeout": 20}
    defaults = {**connections.settings["default"], "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False}
    engine = "django.db.backends.sqlite3"
    connections.settings[alias] = {**defaults, "ENGINE": engine, "NAME": str(path), "OPTIONS": options}
    try:
        yield alias
    finally:
        connections[alias].close()
        del connections[alias]
        del connections.settings[alias]


def applied_migrations(alias: str) -> set[Node]:
    """The migrations that this database has."""
    return set(MigrationExecutor(connections[alias]).loader.applied_migrations)


def known_migrations() -> set[Node]:
    """The migrations of this release; the database, which may be damaged, is not asked."""
    return set(MigrationLoader(None).disk_migrations)


def migrate_like(source: str, target: str) -> None:
    """Bring the schema of the empty database `target` to that of `source`."""
    applied, executor = applied_migrations(source), MigrationExecutor(connections[target])
    nodes = executor.loader.graph.node_map
    executor.migrate(
        [
            node
            for node in sorted(applied)
            if not any(child.key in applied and child.key[0] == node[0] for child in nodes[node].children)
        ]
    )


def copy_rows(source: str, target: str) -> dict[str, int]:
    """Replace all rows of `target` by those of `source`, which has the same schema; return the rows of each table.

    Either all of it happens or nothing. Nobody else writes to `target` meanwhile; who reads sees the old rows.
    """
    tables = stored_models(source)
    with transaction.atomic(using=source), transaction.atomic(using=target):
        _read_one_state(source)
        _lock_for_writing(target, tables)
        _delete_rows(target, tables)
        counts = {model._meta.db_table: _copy_table(model, source, target) for model in _triggers_last(target, tables)}
        _copy_sequences(source, target, tables)
    return counts


def stored_models(alias: str) -> list[type[models.Model]]:
    """The models of the tables as this database has them, which may be older than the code."""
    state = MigrationExecutor(connections[alias]).loader.project_state(sorted(applied_migrations(alias)))
    every = state.apps.get_models(include_auto_created=True)
    return [model for model in every if model._meta.managed and not model._meta.proxy]


def _read_one_state(source: str) -> None:
    """Let all queries of this transaction see one state of the database."""
    if connections[source].vendor == "postgresql":
        with connections[source].cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _lock_for_writing(target: str, tables: Sequence[type[models.Model]]) -> None:
    if connections[target].vendor == "postgresql":
        quote = connections[target].ops.quote_name
        names = ", ".join(quote(model._meta.db_table) for model in tables)
        with connections[target].cursor() as cursor:
            cursor.execute(f"LOCK TABLE {names} IN EXCLUSIVE MODE")


def _delete_rows(target: str, tables: Sequence[type[models.Model]]) -> None:
    """Foreign keys are checked at the end of the transaction, so the order of the tables does not matter."""
    with connections[target].cursor() as cursor:
        for model in tables:
            cursor.execute(f"DELETE FROM {connections[target].ops.quote_name(model._meta.db_table)}")  # noqa: S608


def _triggers_last(target: str, tables: Sequence[type[models.Model]]) -> Iterator[type[models.Model]]:
    """Yield the tables; those that triggers fill while the others are copied come last, empty again."""
    written = sorted(
        (model for model in tables if model._meta.db_table in WRITTEN_BY_TRIGGERS),
        key=lambda model: WRITTEN_BY_TRIGGERS.index(model._meta.db_table),
    )
    yield from sorted(
        (model for model in tables if model not in written),
        key=lambda model: model._meta.db_table == COPIED_AFTER_LINKS,
    )
    for model in written:
        _delete_rows(target, [model])
        yield model


def _copy_table(model: type[models.Model], source: str, target: str) -> int:
    """Copy one table; return its number of rows. Values are not changed: no `save`, no `auto_now`."""
    fields, connection = model._meta.concrete_fields, connections[target]
    quote = connection.ops.quote_name
    columns, marks = ", ".join(quote(str(field.column)) for field in fields), ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({marks})"  # noqa: S608  names of our models
    rows = model._base_manager.using(source).order_by("pk").values_list(*(field.attname for field in fields))
    values, count = rows.iterator(chunk_size=BATCH_ROWS), 0
    with connection.cursor() as cursor:
        while batch := list(islice(values, BATCH_ROWS)):
            cursor.executemany(sql, [_stored(fields, row, connection) for row in batch])
            count += len(batch)
    return count


def _stored(fields: Sequence[Any], row: Sequence[Any], connection: Any) -> list[Any]:
    return [field.get_db_prep_save(value, connection) for field, value in zip(fields, row, strict=True)]


def _copy_sequences(source: str, target: str, tables: Sequence[type[models.Model]]) -> None:
    """Continue the ids where `source` stood, so that the id of a deleted row is not used again."""
    for model in tables:
        if isinstance(model._meta.pk, models.AutoField):
            _set_sequence(target, model, _last_id(source, model))


def _last_id(alias: str, model: type[models.Model]) -> int:
    """The highest id that this table ever had; 0 for none."""
    table = model._meta.db_table
    with connections[alias].cursor() as cursor:
        if connections[alias].vendor == "sqlite":
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        else:
            cursor.execute(f"SELECT last_value, is_called FROM {_sequence(cursor, model)}")  # noqa: S608
        row = cursor.fetchone()
    return int(row[0]) if row and all(row) else 0


def _set_sequence(alias: str, model: type[models.Model], last: int) -> None:
    table = model._meta.db_table
    with connections[alias].cursor() as cursor:
        if connections[alias].vendor == "sqlite":
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])
        else:
            cursor.execute("SELECT setval(%s, %s, %s)", [_sequence(cursor, model), max(last, 1), last > 0])


def _sequence(cursor: Any, model: type[models.Model]) -> str:
    """The quoted name of the table's sequence in PostgreSQL."""
    quoted = '"' + model._meta.db_table.replace('"', '""') + '"'
    cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [quoted, model._meta.pk.column])
    return str(cursor.fetchone()[0])
