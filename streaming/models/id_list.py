"""A list of ids or texts as one parameter: a thousand of them cost Django as much as one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db.models import BigIntegerField, CharField
from django.db.models.expressions import Expression


class IdList(Expression):
    """The right side of `pk__in`."""

    output_field = BigIntegerField()

    def __init__(self, ids: Iterable[int]) -> None:
        super().__init__()
        self.ids = list(ids)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        return "(SELECT value FROM json_each(%s))", [json.dumps(self.ids)]

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        return "(SELECT unnest(%s::bigint[]))", [self.ids]

    def __repr__(self) -> str:
        return f"IdList of {len(self.ids)}"


class TextList(Expression):
    """The right side of `__in` for a column of text."""

    output_field = CharField()

    def __init__(self, texts: Iterable[str]) -> None:
        super().__init__()
        self.texts = list(texts)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        return "(SELECT value FROM json_each(%s))", [json.dumps(self.texts)]

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        return "(SELECT unnest(%s::text[]))", [self.texts]
