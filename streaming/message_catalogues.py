"""The catalogues of translations: `update_translations` brings them up to date with the sources.

It reads the texts of templates, Python code and tables, writes them into `locale/<language>/LC_MESSAGES/django.po`,
keeps the translations, drops what is no longer used, and compiles. Babel does it, which Openreel needs anyway, so no
machine needs GNU gettext. See decision 0026 in docs/decisions.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

from scraper.extraction.countries import COUNTRIES
from scraper.extraction.genres import GENRES
from scraper.sources import KNOWN_SOURCES, LICENCES
from streaming.film_length import LONGER, SHORTER
from streaming.formatting import OWN_LANGUAGE_NAMES
from streaming.models import LinkReport, Movie, StreamingLink
from streaming.models.host import TEXT_BY_KIND
from streaming.models.reasons import REASON_TEXT
from streaming.models.removed import PUBLIC_REASON_BY_CAUSE

FORMER_COUNTRIES = ("CS", "DD", "SU", "YU")
"""Countries whose names CLDR has no more."""
PLURAL_FORMS = {
    "de": "nplurals=2; plural=(n != 1);",
    "es": "nplurals=2; plural=(n != 1);",
    "fr": "nplurals=2; plural=(n > 1);",
}
KEYWORDS = ("gettext", "gettext_lazy", "gettext_noop", "_", "ngettext", "pgettext", "npgettext")
"""The functions whose arguments are texts."""
STAFF_FOLDERS = frozenset({"admin", "desk", "migrations"})
"""Folders whose texts only staff read, in English."""
LINE_WIDTH = 120
FIXED_DATE = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A text of the sources: one form, or singular and plural; `context` tells equal texts apart."""

    id: str | tuple[str, str]
    context: str | None
    path: str


def catalogue_path(language: str) -> Path:
    """The catalogue of a language, as text."""
    return Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / "django.po"


def translated_languages() -> list[str]:
    """The languages that have a catalogue: all but that of the sources."""
    return [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def read_catalogue(language: str) -> Catalog:
    """The catalogue of a language; an empty one if there is none yet."""
    path = catalogue_path(language)
    if not path.exists():
        return Catalog()
    with path.open("rb") as file:
        return read_po(file)


def source_messages() -> list[Message]:
    """All texts of the sources, in the order of their files."""
    root = Path(settings.BASE_DIR)
    templates, modules = _public(root, "templates/**/*.html"), _public(root, "streaming/**/*.py")
    found = [message for path in templates for message in _of_template(path, root)]
    found += [message for path in modules for message in _of_python(path.read_bytes(), str(path.relative_to(root)))]
    found += _of_tables()
    singulars = {(one.context, one.id[0]) for one in found if isinstance(one.id, tuple)}
    # gettext finds the singular of a text with two forms by itself.
    return [one for one in found if (one.context, one.id) not in singulars]


def _public(root: Path, pattern: str) -> list[Path]:
    return sorted(path for path in root.glob(pattern) if not STAFF_FOLDERS & set(path.relative_to(root).parts))


def compiled(catalogue: Catalog) -> bytes:
    """The catalogue as gettext reads it at run time."""
    file = io.BytesIO()
    catalogue.creation_date = catalogue.revision_date = FIXED_DATE  # the same file from the same texts
    write_mo(file, catalogue)
    return file.getvalue()


def update_catalogue(language: str, messages: Iterable[Message]) -> Catalog:
    """The catalogue with exactly these texts: translations are kept, new texts have none, others are gone."""
    old, new = read_catalogue(language), Catalog()
    for message in messages:
        known = old.get(message.id if isinstance(message.id, str) else message.id[0], message.context)
        is_same = known is not None and known.id == message.id
        new.add(message.id, known.string if known and is_same else None, [(message.path, 0)], context=message.context)
    return new


def update_catalogues() -> dict[str, list[str]]:
    """Write and compile all catalogues; return what has no translation, by language."""
    messages, missing = source_messages(), dict[str, list[str]]()
    for language in translated_languages():
        catalogue, path = update_catalogue(language, messages), catalogue_path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_as_text(catalogue, language), encoding="utf-8")
        path.with_suffix(".mo").write_bytes(compiled(read_catalogue(language)))
        untranslated = [one for one in catalogue if one.id and not _is_translated(one.string)]
        missing[language] = [one.id if isinstance(one.id, str) else one.id[0] for one in untranslated]
    return missing


def _is_translated(string: str | Sequence[str] | None) -> bool:
    return all(string) if isinstance(string, list | tuple) else bool(string)


def _as_text(catalogue: Catalog, language: str) -> str:
    """The catalogue as a file with neither dates nor line numbers, which would differ in each branch."""
    file = io.BytesIO()
    write_po(file, catalogue, width=LINE_WIDTH, omit_header=True, include_lineno=False)
    header = [
        f"Language: {language}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        f"Plural-Forms: {PLURAL_FORMS[language]}",
    ]
    lines = "".join(f'"{line}\\n"\n' for line in header)
    return f'msgid ""\nmsgstr ""\n{lines}\n{file.getvalue().decode()}'


def _of_template(path: Path, root: Path) -> Iterator[Message]:
    """The texts of a template, which Django turns into calls of gettext in what is almost Python."""
    name = str(path.relative_to(root))
    code = templatize(path.read_text(encoding="utf-8"), origin=name)
    yield from _of_python("\n".join(line.strip() for line in code.splitlines()).encode(), name)


def _of_python(code: bytes, name: str) -> Iterator[Message]:
    extract: Any = extract_python  # Its types say that a call has one text, and that the keywords are a mapping.
    for _, function, texts, _ in extract(io.BytesIO(code), KEYWORDS, [], {"encoding": "utf-8"}):
        arguments = [*texts] if isinstance(texts, tuple) else [texts]
        context = arguments.pop(0) if function in ("pgettext", "npgettext") else None
        wanted = arguments[: 2 if function in ("ngettext", "npgettext") else 1]
        if wanted and all(wanted):
            yield Message(id=wanted[0] if len(wanted) == 1 else (wanted[0], wanted[1]), context=context, path=name)


def _of_tables() -> list[Message]:
    """The texts of closed lists, which the pages show by `gettext(table[key])`."""
    tables: list[tuple[str, Iterable[str], str | None]] = [
        ("scraper/extraction/genres.py", GENRES.values(), "genre"),
        ("scraper/extraction/countries.py", [COUNTRIES[code] for code in FORMER_COUNTRIES], None),
        ("scraper/sources.py", [*LICENCES.values(), *(one.description for one in KNOWN_SOURCES.values())], None),
        ("streaming/film_length.py", [SHORTER, LONGER], None),
        ("streaming/formatting.py", OWN_LANGUAGE_NAMES.values(), None),
        ("streaming/models/host.py", [*TEXT_BY_KIND.values(), "paused by hand"], None),
        ("streaming/models/link.py", [str(label) for label in StreamingLink.Kind.labels], None),
        ("streaming/models/link_report.py", [str(label) for label in LinkReport.Kind.labels], None),
        ("streaming/models/movie.py", [str(label) for label in Movie.Type.labels], None),
        ("streaming/models/reasons.py", REASON_TEXT.values(), None),
        ("streaming/models/removed.py", PUBLIC_REASON_BY_CAUSE.values(), None),
    ]
    return [Message(id=text, context=context, path=path) for path, texts, context in tables for text in texts]
