"""Format of templates and style sheets, and classes that both of them know."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from streaming.models import ScrapeJob
from streaming.web.job_view import STEP_ICONS
from tests.helpers.paths import PROJECT_ROOT

TEMPLATES = sorted((PROJECT_ROOT / "templates").rglob("*.html"))
STYLES = sorted((PROJECT_ROOT / "static" / "css").glob("*.css"))
SCRIPTS = sorted((PROJECT_ROOT / "static" / "js").glob("*.js"))
TAGS = [PROJECT_ROOT / "streaming" / name for name in ("web/charts.py", "templatetags/ui.py")]
MAX_LINE_LENGTH = 120

COMMENT_OR_TEXT = re.compile(r"""/\*.*?\*/|"[^"]*"|'[^']*'""", re.DOTALL)
# The allowed forms of a line in a style sheet.
STYLE_LINE = re.compile(
    r"""
    \s*(
        [^{};]+\{                      # a selector or an at-rule that opens a block
      | [^{};]+,                       # a selector of several
      | -{0,2}[a-z0-9-]+:\s[^{};]+; # one declaration
      | @layer\s[^{};]+;               # the order of the layers
      | \}
      |                                # nothing, or a comment
    )
    """,
    re.VERBOSE,
)
CLASS_ATTRIBUTE = re.compile(r'class="((?:\{%.*?%\}|\{\{.*?\}\}|[^"])*)"')
TEMPLATE_CODE = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{.*?\}")

# Classes that come from values; a state without a rule looks like a waiting one.
STATES = {*ScrapeJob.State.values, *ScrapeJob.Outcome.values, *STEP_ICONS, "waiting", "blocked"}
BY_VALUE = {"icon-good", "icon-bad", "uptime", "spark", "stacked", "phone"} | STATES
BY_HTMX = {"htmx-request"}
# Classes of the admin's own style sheets.
OF_ADMIN = {"breadcrumbs", "button", "default", "help"}
OF_SWAGGER = {
    "swagger-ui",
    "dark-mode",
    "scheme-container",
    "info",
    "title",
    "version-stamp",
    "link",
    "url",
    "authorize",
}
OF_SWAGGER |= {"opblock-summary-method", "opblock-summary-path", "json-schema-2020-12-expand-deep-button"}
NEED_NO_RULE = {"stacked", *STATES, *OF_ADMIN}


def defined_classes() -> set[str]:
    return classes_of(STYLES)


def classes_of(paths: list[Path]) -> set[str]:
    """The classes that have a rule in these style sheets."""
    sheets = COMMENT_OR_TEXT.sub("", "\n".join(path.read_text() for path in paths))
    selectors = [line for line in sheets.splitlines() if line.endswith(("{", ","))]
    return {name for line in selectors for name in re.findall(r"\.(-?[a-zA-Z_][\w-]*)", line)}


def used_classes() -> set[str]:
    """The classes in templates, template tags, charts and scripts."""
    attributes = [text for path in TEMPLATES + TAGS for text in CLASS_ATTRIBUTE.findall(path.read_text())]
    names = {name for text in attributes for name in TEMPLATE_CODE.sub(" ", text).split()}
    scripts = "\n".join(path.read_text() for path in SCRIPTS)
    for text in re.findall(r'(?:classList\.\w+\(|className = )"([^"]+)"', scripts):
        names.update(text.split())
    return names


@pytest.mark.parametrize("path", TEMPLATES + STYLES, ids=lambda path: path.name)
def test_no_line_is_too_long(path):
    lines = enumerate(path.read_text().splitlines(), start=1)
    assert [number for number, line in lines if len(line) > MAX_LINE_LENGTH] == []


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_style_sheets_have_one_declaration_a_line(path):
    lines = enumerate(without_texts(path.read_text()).splitlines(), start=1)
    assert [f"{number}: {line}" for number, line in lines if not STYLE_LINE.fullmatch(line.rstrip())] == []


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_style_sheets_are_indented_by_their_depth(path):
    depth, wrong = 0, []
    for number, line in enumerate(without_texts(path.read_text()).splitlines(), start=1):
        depth -= line.strip() == "}"
        if line.strip() and len(line) - len(line.lstrip()) != 2 * depth:
            wrong.append(f"{number}: {line}")
        depth += line.endswith("{")
    assert (wrong, depth) == ([], 0)


def without_texts(sheet: str) -> str:
    """The sheet without comments and with equal texts, because their content is not syntax."""
    return COMMENT_OR_TEXT.sub(lambda match: "" if match[0].startswith("/*") else '"text"', sheet)


@pytest.mark.parametrize(
    "line",
    ["a { color: red; }", "color: red; margin: 0;", "  }}", "color:red;", "color: red", "} .b {", "a, b { margin: 0"],
)
def test_two_declarations_in_a_line_are_noticed(line):
    assert not STYLE_LINE.fullmatch(line)


def test_every_variable_in_a_style_is_set():
    sheets = {path: without_texts(path.read_text()) for path in STYLES if path.name != "desk.css"}
    wanted = {name for sheet in sheets.values() for name in re.findall(r"var\((--[a-z0-9-]+)", sheet)}
    known = {name for sheet in sheets.values() for name in re.findall(r"^\s*(--[a-z0-9-]+):", sheet, re.MULTILINE)}
    assert wanted
    assert wanted <= known


def test_every_class_in_templates_has_a_rule():
    assert used_classes() - NEED_NO_RULE - defined_classes() == set()


def test_every_class_with_a_rule_is_used():
    assert defined_classes() - used_classes() - BY_VALUE - BY_HTMX - OF_SWAGGER == set()


def test_scripts_select_classes_that_exist():
    selectors = re.findall(r'(?:\$|all|matches|closest)\("([^"]+)"', "\n".join(path.read_text() for path in SCRIPTS))
    wanted = {name for selector in selectors for name in re.findall(r"\.([a-zA-Z][\w-]*)", selector)}
    assert wanted
    assert wanted <= used_classes()
