"""Inserts many rows with the driver's `executemany`: an instance of a model per row costs several times the insert."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models


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
    marks = ", ".join([*["%s"] * len(stated), *defaults])
    clause = f"ON CONFLICT {conflict}" if conflict else ""
    sql = f"INSERT INTO {quote(opts.db_table)} ({columns}) VALUES ({marks}) {clause}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(sql, values)


def _literal(value: object) -> str:
    """The default of a field in SQL, which is quicker than one more value for each row."""
    if value is None or isinstance(value, bool | int):
        return "NULL" if value is None else str(value).upper()
    if value == "":
        return "''"
    raise TypeError(f"the default {value!r} has to be stated as a column")
