"""The catalogues of translations: complete, current, with the placeholders of the sources, and in good typography."""

from __future__ import annotations

import ast
import re

import pytest
from django.conf import settings

from streaming import message_catalogues as messages
from tests.helpers.paths import PROJECT_ROOT

LANGUAGES = messages.translated_languages()
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}|</?\w+[^>]*>")
# In French a space comes before these, which must not break; in the others never.
WIDE_SIGNS = re.compile(r"(?<![\u202f/])[;!?»](?=\s|$)|(?<!\u202f):(?=\s|$)|«(?!\u202f)")
SPACE_BEFORE_SIGN = re.compile(r"\s[;:!?»](?=\s|$)|«\s")


@pytest.fixture(scope="module")
def sources():
    return messages.source_messages()


@pytest.fixture(scope="module", params=LANGUAGES)
def catalogue(request):
    found = messages.read_catalogue(request.param)
    found.name = request.param
    return found


def forms(text):
    return [text] if isinstance(text, str) else list(text)


def translations(catalogue):
    """Each text with its translation, form by form."""
    for message in catalogue:
        if message.id:
            yield from zip(forms(message.id), forms(message.string), strict=True)


def test_there_is_a_catalogue_for_each_language():
    assert [code for code, _ in settings.LANGUAGES] == ["en", *LANGUAGES]


def test_the_catalogue_has_exactly_the_texts_of_the_sources(sources, catalogue):
    listed = {(message.context, message.id) for message in catalogue if message.id}
    assert listed == {(message.context, message.id) for message in sources}, "run `make messages`"


def test_every_text_is_translated_and_confirmed(catalogue):
    assert [text for text, translated in translations(catalogue) if not translated.strip()] == []
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []


def test_placeholders_and_tags_are_those_of_the_text(catalogue):
    assert [
        text
        for text, translated in translations(catalogue)
        if sorted(PLACEHOLDER.findall(text)) != sorted(PLACEHOLDER.findall(translated))
    ] == []


def test_the_compiled_file_is_current(catalogue):
    compiled = messages.catalogue_path(catalogue.name).with_suffix(".mo").read_bytes()
    assert compiled == messages.compiled(catalogue), "run `make messages`"


def test_signs_have_the_spaces_of_the_language(catalogue):
    wrong = WIDE_SIGNS if catalogue.name == "fr" else SPACE_BEFORE_SIGN
    assert [translated for _, translated in translations(catalogue) if wrong.search(translated)] == []
    straight = [translated for _, translated in translations(catalogue) if re.search(r"\w'\w", translated)]
    assert straight == []


def test_no_text_in_the_code_escapes_the_extraction(sources):
    """Within an f-string, or behind a star, a call of gettext would not be found."""
    known = {form for message in sources for form in forms(message.id)}
    found = set()
    for path in PROJECT_ROOT.glob("streaming/**/*.py"):
        if messages.STAFF_FOLDERS & set(path.parts):
            continue
        calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
        for call in calls:
            if getattr(call.func, "id", "") in messages.KEYWORDS:
                assert not any(isinstance(argument, ast.Starred) for argument in call.args), path
                constants = [one.value for one in call.args if isinstance(one, ast.Constant)]
                first = 1 if call.func.id in ("pgettext", "npgettext") else 0
                found |= {one for one in constants[first:] if isinstance(one, str)}
    assert found - known == set()


def test_templates_have_no_text_outside_of_marks():
    """Words between tags that no translation reaches; names and commands apart."""
    tags = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<(script|style|svg|code|pre)\b.*?</\1>|<!--.*?-->", re.DOTALL)
    marked = re.compile(r"\{% blocktrans(?:late)?\b.*?\{% endblocktrans(?:late)? %\}", re.DOTALL)
    known = {"IMDb", "Wikidata", "Stremio", "Kodi", "Jellyfin", "Swagger", "UI", "security", "txt", "ms", "UTC"}
    left = {}
    for path in sorted(PROJECT_ROOT.glob("templates/**/*.html")):
        if messages.STAFF_FOLDERS & set(path.parts):
            continue
        text = re.sub(r"<[^>]*>", " ", tags.sub(" ", marked.sub(" ", path.read_text())))
        words = set(re.findall(r"[A-Za-z]{2,}", re.sub(r"&\w+;", " ", text))) - known
        if words:
            left[path.name] = words
    assert left == {}
