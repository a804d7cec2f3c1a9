"""What exists is documented, and what is documented exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver

from scraper import sources

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = README + "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md")))
SETTINGS = (ROOT / "MovieBackend" / "settings.py").read_text(encoding="utf-8")
OUTSIDE = {"VAR_DIR", "ENV_FILE"}


def routes(patterns, prefix=""):
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if not path.startswith("admin/"):
                yield from routes(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield path


def settings_read():
    return set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', SETTINGS)) | OUTSIDE


def settings_documented():
    rows = re.findall(r"^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|", README, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"[A-Z_]+", row)}


def test_the_settings_table_is_complete_and_true():
    assert settings_documented() == settings_read()


@pytest.mark.parametrize("command", sorted(name for name, app in get_commands().items() if app == "streaming"))
def test_every_command_is_in_the_readme(command):
    assert f"`{command}`" in README


def test_every_route_is_in_the_docs():
    def first_words(path):
        return "/".join(re.split(r"[<(\\^$]", path)[0].strip("/").split("/")[:3])

    missing = {path for path in routes(get_resolver().url_patterns) if first_words(path) not in DOCS}
    assert missing == set()


@pytest.mark.parametrize("slug", sorted(sources.KNOWN))
def test_every_source_has_its_line(slug):
    assert f"`{slug}`" in (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")


def test_every_page_that_the_docs_name_is_there():
    linked = re.findall(
        r"`(docs/[\w./-]+|streaming/[\w./-]+\.py|scraper/[\w./-]+\.py|MovieBackend/[\w./-]+\.py)`", DOCS
    )
    assert [path for path in linked if not (ROOT / path).exists()] == []


def test_the_version_is_that_of_the_changelog():
    newest = re.search(r"^## ([0-9.]+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert f'VERSION = "{newest[1]}"' in SETTINGS
