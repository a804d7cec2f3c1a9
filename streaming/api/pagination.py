"""Pagination of movies: by page number, with a count, or by cursor, at a cost that does not grow with depth."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from streaming.api.filters import parse_datetime_or_date
from streaming.catalogue_query import ORDERINGS, PAGE_ROWS, READING_ORDERS, ListPlan, order_terms, rows_after
from streaming.models import Movie, MovieQuerySet

PAGE_SIZE, MAX_PAGE_SIZE, MAX_PAGE = PAGE_ROWS, 100, 1_000_000
MAX_NUMBERED_ROWS = 10_000
MAX_CURSOR_LENGTH = 2000
MIN_ROWS_READ = PAGE_ROWS
"""For the first one or two rows of a list SQLite reads a whole table and sorts it, for some more it walks an index."""
PARAMETERS = frozenset({"page", "page_size", "cursor"})


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in a list: after (with `backwards`, before) the row with these values in the columns of the order.

    Without values it is the start of the list.
    """

    ordering: str
    values: tuple[Any, ...] = ()
    backwards: bool = False

    def __str__(self) -> str:
        values = [value.isoformat() if isinstance(value, datetime) else value for value in self.values]
        text = json.dumps([self.ordering, values, self.backwards], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def at(cls, row: Movie, ordering: str, *, backwards: bool = False) -> Cursor:
        """The position of this row."""
        return cls(ordering, tuple(term.value_of(row) for term in order_terms(ordering)), backwards)

    @classmethod
    def decode(cls, text: str) -> Cursor:
        """Read the text of a cursor; ValueError if we did not write it."""
        if len(text) > MAX_CURSOR_LENGTH or not text.isascii():
            raise ValueError("not a cursor")
        try:
            ordering, values, backwards = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (binascii.Error, TypeError, RecursionError) as error:
            raise ValueError("not a cursor") from error
        if not _is_ordering(ordering) or not isinstance(values, list) or not isinstance(backwards, bool):
            raise ValueError("not a cursor")
        columns = [term.column for term in order_terms(ordering)]
        if values and len(values) != len(columns):
            raise ValueError("not a cursor")
        return cls(
            ordering, tuple(_cursor_value(column, x) for column, x in zip(columns, values, strict=False)), backwards
        )

    def rows_after(self, movies: MovieQuerySet, *, size: int) -> list[Movie]:
        """The next `size` rows; with `backwards` in reverse order, the nearest first."""
        rows = rows_after(movies, order_terms(self.ordering), self.values, backwards=self.backwards)
        return list(rows[: max(size, MIN_ROWS_READ)])[:size]


class MoviePagination(BasePagination):
    """Pages by `page` and `page_size`, or by `cursor` (empty: from the start) without a count.

    The view's `plan` says how many movies there are. Page numbers end at row `MAX_NUMBERED_ROWS`, for the database has
    to read all rows before a page; the last `next` is a cursor.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.size = _int_parameter(request, "page_size", PAGE_SIZE, maximum=MAX_PAGE_SIZE)
        if "cursor" in request.query_params:
            return self._by_cursor(queryset)
        return self._by_number(queryset, view.plan)

    def get_paginated_response(self, data: Any) -> Response:
        return Response({**self.envelope, "results": data})

    def _by_number(self, queryset: MovieQuerySet, plan: ListPlan) -> list[Movie]:
        number = _int_parameter(self.request, "page", 1, maximum=MAX_PAGE)
        start = (number - 1) * self.size
        if start >= MAX_NUMBERED_ROWS:
            raise ValidationError({"page": [_too_deep(self.size)]})
        rows = list(queryset[start : start + max(self.size + 1, MIN_ROWS_READ)])
        more, rows = len(rows) > self.size, rows[: self.size]
        count = self._count(plan, seen=start + len(rows), more=more)
        if not rows and number > 1:
            raise Http404(f"There is no page {number}; the last is {max(1, -(-count // self.size))}.")
        self.envelope = {
            "count": count,
            "next": self._next_page(number, rows[-1]) if more else None,
            "previous": self._address(page=number - 1 if number > 2 else None) if number > 1 else None,
        }
        return rows

    def _count(self, plan: ListPlan, *, seen: int, more: bool) -> int:
        """The number of movies of the list, of which `seen` were seen when this page ends."""
        if seen and not more:
            return seen
        return max(seen, plan.total().number)

    def _next_page(self, number: int, last: Movie) -> str:
        """The URL of the next page; where page numbers end, it goes on by cursor."""
        if number * self.size < MAX_NUMBERED_ROWS:
            return self._address(page=number + 1)
        return self._address(page=None, cursor=Cursor.at(last, self.request.query_params.get("ordering", "title")))

    def _by_cursor(self, queryset: MovieQuerySet) -> list[Movie]:
        cursor = self._cursor()
        rows = cursor.rows_after(queryset.order_by(), size=self.size + 1)
        more, rows = len(rows) > self.size, rows[: self.size]
        if cursor.backwards:
            rows.reverse()
        before, after = (more, True) if cursor.backwards else (bool(cursor.values), more)
        self.envelope = {
            "next": self._neighbour_cursor(cursor, rows[-1], backwards=False) if rows and after else None,
            "previous": self._neighbour_cursor(cursor, rows[0], backwards=True) if rows and before else None,
        }
        return rows

    def _cursor(self) -> Cursor:
        if "page" in self.request.query_params:
            raise ValidationError({"page": ["Use page or cursor, not both."]})
        ordering = self.request.query_params.get("ordering", "title")
        if not (text := self.request.query_params["cursor"]):
            return Cursor(ordering)
        try:
            cursor = Cursor.decode(text)
        except ValueError:
            raise ValidationError({"cursor": ["Copy it from next or previous, or leave it empty."]}) from None
        if cursor.ordering != ordering:
            raise ValidationError({"cursor": [f"It belongs to ordering={cursor.ordering}."]})
        return cursor

    def _neighbour_cursor(self, cursor: Cursor, row: Movie, *, backwards: bool) -> str:
        return self._address(cursor=Cursor.at(row, cursor.ordering, backwards=backwards))

    def _address(self, **changes: object) -> str:
        """The URL of the request with these parameters; those that are None go."""
        url = self.request.build_absolute_uri()
        for name, value in changes.items():
            url = remove_query_param(url, name) if value is None else replace_query_param(url, name, str(value))
        return url

    def get_schema_operation_parameters(self, view: object) -> list[dict[str, Any]]:
        positive = {"type": "integer", "minimum": 1}
        return [
            _schema_parameter("page", {**positive, "maximum": MAX_PAGE, "default": 1}, "Page number."),
            _schema_parameter(
                "page_size", {**positive, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE}, "Movies per page."
            ),
            _schema_parameter(
                "cursor",
                {"type": "string"},
                "Read the whole list at a cost that does not grow with depth: start with an empty `cursor=` and follow "
                "`next`. The response then has no `count`.",
            ),
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        url = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "count": {
                    "type": "integer",
                    "description": "Number of matching movies: exact for type, year and has_links and for a few "
                    "thousand movies, otherwise an estimate with three digits. Absent with cursor.",
                },
                "next": url,
                "previous": url,
                "results": schema,
            },
        }


def _is_ordering(value: object) -> bool:
    """Whether it is an order of the API or of the catalogue page; both use cursors."""
    return isinstance(value, str) and (value in ORDERINGS or value in READING_ORDERS)


def _int_parameter(request: Request, name: str, default: int, *, maximum: int) -> int:
    text = request.query_params.get(name, str(default))
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0
    if not 1 <= number <= maximum:
        raise ValidationError({name: [f"Write a whole number from 1 to {maximum}."]})
    return number


def _too_deep(size: int) -> str:
    last = -(-MAX_NUMBERED_ROWS // size)
    return f"Page numbers go to {last} with {size} movies a page. Follow next from there, or start with cursor=."


def _schema_parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def _cursor_value(column: str, value: object) -> object:
    if column == "created_at":
        return parse_datetime_or_date(_expect(value, str))
    if column == "search_title":
        # A lone surrogate, which no database stores, fails here: UnicodeEncodeError is a ValueError.
        return _expect(value, str).replace("\x00", "").encode().decode()
    if column == "year" and value is None:
        return None
    number = _expect(value, int)
    if not 0 <= number < 2**63:
        raise ValueError("not a cursor")
    return number


def _expect(value: object, kind: type[Any]) -> Any:
    if type(value) is not kind:
        raise ValueError("not a cursor")
    return value
