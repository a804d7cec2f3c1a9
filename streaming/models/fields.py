"""A column with another column's text, normalized for searching and sorting."""

from __future__ import annotations

import unicodedata
from typing import Any

from django.db import models
from django.db.models import F

LETTER_REPLACEMENTS = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ı": "i", "þ": "th", "ð": "d"}


def fold_for_search(text: str) -> str:
    """Normalize text: lower case, no accents, single blanks. `Nosferatu – Éine` becomes `nosferatu – eine`."""
    plain = "".join(LETTER_REPLACEMENTS.get(letter, letter) for letter in text.casefold())
    decomposed = unicodedata.normalize("NFKD", plain)
    return " ".join("".join(letter for letter in decomposed if not unicodedata.combining(letter)).split())


class FoldedField(models.CharField):  # type: ignore[type-arg]  # not subscriptable at run time
    """Holds the normalized text of the column `of`.

    It is set on every `save`, `create` and `bulk_create`; an `update()` has to set it itself.
    """

    def __init__(self, *args: Any, of: str = "", **options: Any) -> None:
        self.of = of
        options.setdefault("editable", False)
        options.setdefault("blank", True)
        super().__init__(*args, **options)

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        folded = fold_for_search(str(getattr(model_instance, self.of)))[: self.max_length]
        setattr(model_instance, self.attname, folded)
        return folded

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "of": self.of}


class CountedField(models.IntegerField):  # type: ignore[type-arg]  # not subscriptable at run time
    """A counter that triggers keep: `save`, `create` and `bulk_create` leave it to them.

    Otherwise an object that was loaded earlier would write an old number.
    """

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        return 0 if add else F(self.attname)
