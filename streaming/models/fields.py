"""Columns made of another column's text, normalized for searching and sorting."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from django.db import models
from django.db.models import F, Value

from streaming.search_words import fold_for_search, title_words


class DerivedText(models.Field, ABC):  # type: ignore[type-arg]  # not subscriptable at run time
    """Base class of columns that hold what `derive` makes of the column `of`.

    It is set on every `save`, `create` and `bulk_create`; an `update()` has to set it itself.
    """

    def __init__(self, *args: Any, of: str = "", **options: Any) -> None:
        self.of = of
        options.setdefault("editable", False)
        super().__init__(*args, **options)

    @abstractmethod
    def derive(self, text: str) -> str:
        """The value for this text of the other column."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        derived = self.derive(str(getattr(model_instance, self.of)))
        setattr(model_instance, self.attname, derived)
        return derived

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "of": self.of}


class JsonListField(models.JSONField):
    """A list as JSON, empty unless stated, in the database too."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("default", list)
        options.setdefault("db_default", Value([], output_field=models.JSONField()))
        options.setdefault("blank", True)
        super().__init__(*args, **options)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """The list. Most are empty, and parsing those took a tenth of the time in which a known link is compared."""
        return [] if value == "[]" else super().from_db_value(value, expression, connection)

    def formfield(self, **options: Any) -> Any:
        """A field that compares with the row: for a callable default, Django's would with a hidden copy in the form."""
        return super().formfield(**{"show_hidden_initial": False, **options})


class CountedField(models.IntegerField):  # type: ignore[type-arg]  # not subscriptable at run time
    """A counter that triggers keep: `save`, `create` and `bulk_create` leave it to them.

    Otherwise an object that was loaded earlier would write an old number.
    """

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        return 0 if add else F(self.attname)


class FoldedField(DerivedText, models.CharField):  # type: ignore[type-arg]
    """Holds the normalized text of the column `of`, by which it is sorted."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("blank", True)
        super().__init__(*args, **options)

    def derive(self, text: str) -> str:
        return fold_for_search(text)[: self.max_length]


class SearchWordsField(DerivedText, models.TextField):  # type: ignore[type-arg]
    """Holds the words by which the title in the column `of` is found, of its other titles and its people."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        # None in migrations, which have no properties.
        others, people = (getattr(model_instance, name, ()) for name in ("search_titles", "search_people"))
        words = title_words(str(getattr(model_instance, self.of)), *others, people=people)
        setattr(model_instance, self.attname, words)
        return words

    def derive(self, text: str) -> str:
        return title_words(text)
