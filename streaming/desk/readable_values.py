"""What accounts that may not edit a row see of its lists: names and lines, as in the form, instead of JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model

from streaming.desk.edit_forms import LinesField

ShownField = str | Callable[[Any], str]


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
            return str(field.prepare_value(values)) or "–"
        names = dict(_choices(field))
        return ", ".join(str(names.get(value, value)) for value in values) or "–"

    return read


def _choices(field: forms.Field) -> list[tuple[Any, Any]]:
    """The choices of a field, each with its name."""
    return [*field.choices] if isinstance(field, forms.MultipleChoiceField) else []  # type: ignore[misc]
