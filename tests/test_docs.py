"""What exists is documented, and what is documented exists."""

from __future__ import annotations

import re

import pytest
from django.core.management import get_commands, load_command_class
from django.urls import URLPattern, URLResolver, get_resolver

from MovieBackend import env
from scraper import VERSION, sources
from tests.helpers.paths import PROJECT_ROOT

DECISIONS = PROJECT_ROOT / "docs" / "decisions"
PAGES = sorted(
    path
    for folder in (
        PROJECT_ROOT,
        PROJECT_ROOT / "docs",
        PROJECT_ROOT / "docs" / "players",
        PROJECT_ROOT / "docs" / "roles",
        DECISIONS,
        PROJECT_ROOT / "deploy",
    )
    for path in folder.glob("*.md")
)
TEXTS = {path: path.read_text(encoding="utf-8") for path in PAGES}
# Decisions and the changelog record what was true when they were written.
CURRENT = {path: text for path, text in TEXTS.items() if path.parent != DECISIONS and path.name != "CHANGELOG.md"}
README = TEXTS[PROJECT_ROOT / "README.md"]
ARCHITECTURE = TEXTS[PROJECT_ROOT / "docs" / "architecture.md"]
SETTINGS_PAGE = TEXTS[PROJECT_ROOT / "docs" / "settings.md"]
SETTINGS = (PROJECT_ROOT / "MovieBackend" / "settings.py").read_text(encoding="utf-8")
READ_ELSEWHERE = {"VAR_DIR", "ENV_FILE"}
SETTING_PREFIXES = (
    r"(?:SCRAPE|HEALTH|LINK|ALLOW|TMDB|OMDB|WIKIDATA|WEB|REFRESH|VISIT|CACHE|DATABASE|SOURCE|METRICS)_[A-Z_]+"
)
GENERATED_FOLDERS = {"migrations", "commands", "spiders", "example_site", "__pycache__"}


def ids(paths):
    return [str(path.relative_to(PROJECT_ROOT)) for path in paths]


def anchors(text):
    """The anchors of a page's headings, spelled as forges spells them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page, text):
    """The relative links of a page that lead to no file, or to no heading of it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        found = (page.parent / path).resolve() if path else page
        if not found.exists() or (anchor and anchor not in anchors(found.read_text(encoding="utf-8"))):
            yield target


def routes(patterns, prefix=""):
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if not path.startswith("admin/"):
                yield from routes(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield path


def settings_read():
    return set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', SETTINGS)) | READ_ELSEWHERE


def settings_documented():
    rows = re.findall(r"^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|", SETTINGS_PAGE, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"[A-Z_]+", row)}


def commands_named(text):
    """`(command, options)` of each call of manage.py that a page shows. In prose a call may be wrapped, in code not."""
    code = re.findall(r"^    .*$", text, re.MULTILINE)
    prose = " ".join(line.strip() for line in text.splitlines() if not line.startswith("    "))
    for call in re.findall(r"manage\.py ([a-z_]+[^`|&>;#]*)", "\n".join([prose, *code])):
        command, *words = call.split("manage.py")[0].split("\n")[0].split()
        yield command, {word.split("=")[0] for word in words if word.startswith("--")}


def documented_tree():
    """`{folder: modules}` of the tree in docs/architecture.md."""
    block = re.search(r"^    MovieBackend/.*?(?=^\S)", ARCHITECTURE, re.MULTILINE | re.DOTALL)
    assert block is not None
    tree, folders = {}, []
    for line in re.sub(r"\([^)]*\)", "", block[0]).splitlines():
        entry = line[4:]
        if head := re.match(r"( *)(\w+)/(?:\s+(.*))?$", entry):
            depth = len(head[1]) // 2
            folders = [*folders[:depth], head[2]]
            entry = head[3] or ""
        else:
            entry = re.sub(r"^  (entry points|shared)", "", entry)
        tree.setdefault("/".join(folders), set()).update(re.findall(r"(?:^|, *)(\w+)(?=\s*(?:,|$))", entry.strip()))
    return tree


def real_tree():
    tree = {}
    for package in ("MovieBackend", "streaming", "scraper"):
        for path in (PROJECT_ROOT / package).rglob("*.py"):
            folder = path.parent.relative_to(PROJECT_ROOT)
            if not GENERATED_FOLDERS & set(folder.parts) and path.stem != "__init__":
                tree.setdefault(folder.as_posix(), set()).add(path.stem)
    return tree


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_every_link_leads_to_a_file_and_a_heading(page):
    assert list(broken_links(page, TEXTS[page])) == []


def test_a_link_that_leads_nowhere_is_found():
    text = "[a](README.md) [b](#nowhere) [c](missing.md) [d](docs/api.md#the-api) [e](https://films.example.org/x)"
    assert list(broken_links(PROJECT_ROOT / "README.md", text)) == ["#nowhere", "missing.md"]


def test_the_settings_table_is_complete_and_true():
    assert settings_documented() == settings_read()


@pytest.mark.parametrize("page", CURRENT, ids=ids(CURRENT))
def test_every_setting_that_a_page_names_exists(page):
    named = set(re.findall(rf"\b{SETTING_PREFIXES}\b", CURRENT[page]))
    in_files = {f"{name}_FILE" for name in env.SECRET_SETTINGS}
    assert named - settings_read() - in_files == set()


def test_the_settings_page_names_each_setting_that_may_be_in_a_file():
    assert settings_read() >= env.SECRET_SETTINGS
    section = SETTINGS_PAGE.split("## Secrets in files")[1].split("\n## ")[0]
    assert set(re.findall(r"`([A-Z_]+)_FILE`", section)) == env.SECRET_SETTINGS


@pytest.mark.parametrize("command", sorted(name for name, app in get_commands().items() if app == "streaming"))
def test_every_command_is_in_the_readme(command):
    assert f"`{command}`" in README


@pytest.mark.parametrize("page", CURRENT, ids=ids(CURRENT))
def test_every_command_that_a_page_shows_exists_with_its_options(page):
    known = get_commands()
    for command, options in commands_named(CURRENT[page]):
        assert command in known, command
        parser = load_command_class(known[command], command).create_parser("manage.py", command)
        assert options - set(parser._option_string_actions) == set(), command


def test_a_command_line_is_read_with_its_options():
    text = (
        "Run `manage.py scrape tt1\n  --wait`:\n\n    manage.py block A --reason=B  # not --this\n    manage.py bind\n"
    )
    assert list(commands_named(text)) == [("scrape", {"--wait"}), ("block", {"--reason"}), ("bind", set())]


def test_every_route_is_in_the_docs():
    docs = "".join(CURRENT.values())

    def first_words(path):
        return "/".join(re.split(r"[<(\\^$]", path)[0].strip("/").split("/")[:3])

    missing = {path for path in routes(get_resolver().url_patterns) if first_words(path) not in docs}
    assert missing == set()


@pytest.mark.parametrize("slug", sorted(sources.KNOWN_SOURCES))
def test_every_source_has_its_line(slug):
    assert f"`{slug}`" in TEXTS[PROJECT_ROOT / "docs" / "sources.md"]


@pytest.mark.parametrize("page", CURRENT, ids=ids(CURRENT))
def test_every_file_that_a_page_names_exists(page):
    named = re.findall(r"`((?:docs|streaming|scraper|MovieBackend|templates|deploy|bench)/[\w./-]*)`", CURRENT[page])
    assert [path for path in named if not (PROJECT_ROOT / path).exists()] == []


def test_the_tree_in_the_architecture_is_that_of_the_files():
    assert {folder: names for folder, names in documented_tree().items() if names} == real_tree()


def test_every_name_in_the_architecture_is_defined():
    code = "".join(
        path.read_text(encoding="utf-8")
        for package in ("MovieBackend", "streaming", "scraper")
        for path in (PROJECT_ROOT / package).rglob("*.py")
    )
    named = re.findall(r"`(?:\w+\.)?([a-z_]+(?=\(\)`)|[A-Z][a-z]+(?:[A-Z][a-z]+)+(?=[.`]))", ARCHITECTURE)
    assert len(named) > 10
    assert [name for name in named if not re.search(rf"\b(?:def|class) {name}\b", code)] == []


def test_the_readme_is_short_and_has_the_three_troubles():
    troubles = README.split("## Troubleshooting")[1].split("\n## ")[0]
    assert re.findall(r"^### (.+)$", troubles, re.MULTILINE) == [
        "Links not updating", "Health check not working", "Frontend not showing links",
    ]  # fmt: skip
    assert len(README.splitlines()) < 130


def test_the_glossary_has_at_most_forty_terms():
    glossary = TEXTS[PROJECT_ROOT / "docs" / "glossary.md"]
    assert 0 < len(re.findall(r"^\| (?!term|-)", glossary, re.MULTILINE)) <= 40


def test_the_version_is_that_of_the_changelog():
    newest = re.search(r"^## ([0-9.]+)", TEXTS[PROJECT_ROOT / "CHANGELOG.md"], re.MULTILINE)
    assert newest is not None
    assert newest[1] == VERSION
