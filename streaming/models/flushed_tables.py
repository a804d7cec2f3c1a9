"""`manage.py flush` deletes the rows of all models in any order: triggers then write to tables that are already empty.

PostgreSQL truncates instead, runs no triggers, and leaves the tables that have no model. So both are emptied again.
"""

from __future__ import annotations

from typing import Any

from django.db import connections, transaction

TABLES = (
    "streaming_pendingchange", "streaming_moviecount", "streaming_linkcount", "streaming_inactivereasoncount",
    "streaming_searchtitle", "streaming_searchword", "streaming_searchprogress",
)  # fmt: skip
"""What triggers write and only a catalogue with movies has."""


def empty_derived_tables(*, using: str, **options: Any) -> None:
    """Receive `post_migrate`: empty what a flush left. A migration sends its plan with the signal and keeps every row.

    `using` is the alias of the database.
    """
    if "plan" in options:
        return
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608  names of our own
