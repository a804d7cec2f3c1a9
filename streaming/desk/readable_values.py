"""What pages of rows that are not edited show of lists and of stored JSON: names, lines and tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import JSONField, Model
from django.utils.html import format_html, format_html_join

from streaming.desk.edit_forms import LinesField
from streaming.formatting import display_text

ShownField = str | Callable[[Any], str]
Wording = Callable[[str], str]
MAX_SHOWN_ROWS = 100
MAX_CELL_LENGTH = 300
NOTHING = "–"


def readable_fields(names: Sequence[str], *, form: type[forms.ModelForm[Any]]) -> list[ShownField]:
    """Return the names of the fields, but for lists what shows them as text."""
    return [_reader(name, form.base_fields[name]) if _is_list(form.base_fields.get(name)) else name for name in names]


def _is_list(field: forms.Field | None) -> bool:
    return isinstance(field, LinesField | forms.MultipleChoiceField)


def _reader(name: str, field: forms.Field) -> Callable[[Model], str]:
    @admin.display(description=str(field.label or name.replace("_", " ")))
    def read(row: Model) -> str:
        values = getattr(row, name)
        if isinstance(field, LinesField):
            return str(field.prepare_value(values)) or NOTHING
        names = dict(_choices(field))
        return ", ".join(str(names.get(value, value)) for value in values) or NOTHING

    return read


def _choices(field: forms.Field) -> list[tuple[Any, Any]]:
    """The choices of a field, each with its name."""
    return [*field.choices] if isinstance(field, forms.MultipleChoiceField) else []  # type: ignore[misc]


def readable_json_fields(names: Sequence[Any], *, model: type[Model], wording: Wording = str) -> list[ShownField]:
    """Return these fields, but for those with JSON what shows them as tables, whose words `wording` puts."""
    stored = {field.name: field for field in model._meta.get_fields() if isinstance(field, JSONField)}
    return [_json_reader(stored[name], wording) if name in stored else name for name in names]


def _json_reader(field: JSONField[Any, Any], wording: Wording) -> Callable[[Model], str]:
    @admin.display(description=str(field.verbose_name))
    def read(row: Model) -> str:
        return json_as_html(getattr(row, field.name), wording=wording)

    return read


def json_as_html(value: Any, *, wording: Wording = str) -> str:
    """Show a value of JSON as a table or as text, all of it escaped; of long lists the beginning and a number."""
    if isinstance(value, dict):
        rows = [(_heading(key, wording), json_as_html(one, wording=wording)) for key, one in value.items()]
        return _table([], rows) if rows else NOTHING
    if not isinstance(value, list):
        return _text(value, wording)
    if not value:
        return NOTHING
    shown, left = value[:MAX_SHOWN_ROWS], len(value) - MAX_SHOWN_ROWS
    table = _table(*_rows_of(shown, wording))
    return format_html("{}<p>… and {} more.</p>", table, f"{left:,}") if left > 0 else table


def _rows_of(values: list[Any], wording: Wording) -> tuple[list[str], list[tuple[str, ...]]]:
    """Headings and rows of a list: a column for each key, or for each place in the lists that it holds."""
    if all(isinstance(one, dict) for one in values):
        keys = list(dict.fromkeys(key for one in values for key in one))
        cells = [tuple(json_as_html(one.get(key), wording=wording) for key in keys) for one in values]
        return [_heading(key, wording) for key in keys], cells
    lists = [one if isinstance(one, list) else [one] for one in values]
    return [], [tuple(json_as_html(cell, wording=wording) for cell in one) for one in lists]


def _heading(key: str, wording: Wording) -> str:
    heading = wording(key)
    return heading if heading != key else display_text(key.replace("_", " ").capitalize(), max_length=MAX_CELL_LENGTH)


def _text(value: Any, wording: Wording) -> str:
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "Yes" if value else "No"
    text = wording(value) if isinstance(value, str) else str(value)
    return format_html("{}", display_text(text, max_length=MAX_CELL_LENGTH))


def _table(headings: Sequence[str], rows: Sequence[tuple[str, ...]]) -> str:
    head = format_html_join("", '<th scope="col">{}</th>', ((one,) for one in headings))
    body = format_html_join(
        "", "<tr>{}</tr>", ((format_html_join("", "<td>{}</td>", ((c,) for c in r)),) for r in rows)
    )
    top = format_html("<thead><tr>{}</tr></thead>", head) if headings else ""
    return format_html("<table>{}<tbody>{}</tbody></table>", top, body)
