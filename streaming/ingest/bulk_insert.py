"""Inserts many rows with the driver's `executemany`: an instance of a model per row costs several times the insert.

On SQLite, many rows a statement: each statement prepares to be undone alone if its table has a trigger, and builds the
lists of values that constraints allow. For one row, both together took longer than the insert.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from django.db import connection, models

MAX_ROWS_OF_A_STATEMENT = 50


def insert_rows(
    model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]], *, conflict: str = ""
) -> None:
    """Insert rows of values of the fields with these names, ready for the driver; other fields get their default.

    `conflict` is what follows ON CONFLICT, such as `DO NOTHING`; empty: it is an error. The fields'
    `pre_save` is not called.
    """
    if not (values := list(rows)):
        return
    opts, quote = model._meta, connection.ops.quote_name
    stated = [opts.get_field(name) for name in names]
    rest = [field for field in opts.concrete_fields if field not in stated and not field.primary_key]
    defaults = [_literal(field.get_db_prep_save(field.get_default(), connection)) for field in rest]
    columns = ", ".join(quote(str(field.column)) for field in (*stated, *rest))  # type: ignore[union-attr]
    marks = f"({', '.join([*['%s'] * len(stated), *defaults])})"
    start, end = f"INSERT INTO {quote(opts.db_table)} ({columns}) VALUES", f"ON CONFLICT {conflict}" if conflict else ""
    width = _rows_of_a_statement(len(stated))
    whole = len(values) - len(values) % width
    with connection.cursor() as cursor:
        if whole:
            groups = (chain.from_iterable(values[first : first + width]) for first in range(0, whole, width))
            cursor.executemany(f"{start} {', '.join([marks] * width)} {end}", [tuple(group) for group in groups])
        if whole < len(values):
            cursor.executemany(f"{start} {marks} {end}", values[whole:])


def _rows_of_a_statement(columns: int) -> int:
    """How many rows one statement inserts. PostgreSQL's driver sends many statements at once anyway."""
    most = connection.features.max_query_params
    return max(1, min(MAX_ROWS_OF_A_STATEMENT, most // columns)) if connection.vendor == "sqlite" and most else 1


def _literal(value: object) -> str:
    """The default of a field in SQL, which is quicker than one more value for each row."""
    if value is None or isinstance(value, bool | int):
        return "NULL" if value is None else str(value).upper()
    if value == "":
        return "''"
    raise TypeError(f"the default {value!r} has to be stated as a column")
