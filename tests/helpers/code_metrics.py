"""Read the project's files for `tests/test_architecture.py`: names, words, sizes and imports, without running them."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.helpers.paths import PROJECT_ROOT

PACKAGES = ("MovieBackend", "streaming", "scraper")
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def python_files(*folders: str) -> list[Path]:
    """All Python files of these folders, migrations left out: they record what was."""
    found = [path for folder in folders for path in sorted((PROJECT_ROOT / folder).rglob("*.py"))]
    return [path for path in found if path.parent.name != "migrations"]


def relative(path: Path) -> str:
    return str(path.relative_to(PROJECT_ROOT))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def words_in(text: str) -> set[str]:
    """The words of a text or identifier in lower case: `MaxURLLength` and `max_url_length` both have three."""
    return {word.lower() for word in WORD.findall(text)}


def retired_words(path: Path, retired: frozenset[str], *, fixed: frozenset[str], with_strings: bool) -> Iterator[str]:
    """`file:line: words` for each retired word in identifiers, comments and docstrings, in other strings on demand.

    `fixed` are whole strings that an interface or a stored value dictates, or phrases within a string.
    """
    text = path.read_text(encoding="utf-8")
    phrases = [one for one in fixed if " " in one]
    docstrings = {
        node.body[0].lineno
        for node in ast.walk(tree_of(path))
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and ast.get_docstring(node)
    }
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        is_text = token.type in (tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING))
        if is_text and not with_strings and token.start[0] not in docstrings:
            continue
        if (is_text and token.string.strip("\"'") in fixed) or token.type not in (
            tokenize.NAME, tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)
        ):  # fmt: skip
            continue
        text_left = token.string
        for phrase in phrases:
            text_left = text_left.replace(phrase, "")
        if found := words_in(text_left) & retired:
            yield f"{relative(path)}:{token.start[0]}: {', '.join(sorted(found))}"


def long_functions(path: Path, *, max_lines: int) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno:
            length = node.end_lineno - node.lineno + 1
            if length > max_lines:
                yield f"{relative(path)}: {node.name} has {length} lines"


def large_classes(path: Path, *, max_methods: int) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ClassDef):
            methods = sum(isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)) for one in node.body)
            if methods > max_methods:
                yield f"{relative(path)}: {node.name} has {methods} methods"


def repeated(names: Iterator[tuple[str, str]]) -> dict[str, list[str]]:
    """The names that stand in more than one place, each with its places."""
    places = defaultdict(list)
    for name, place in names:
        places[name].append(place)
    return {name: found for name, found in places.items() if len(found) > 1}


def module_names(*folders: str) -> Iterator[tuple[str, str]]:
    for path in python_files(*folders):
        if path.name != "__init__.py":
            yield path.stem, relative(path)


def class_names(*folders: str) -> Iterator[tuple[str, str]]:
    for path in python_files(*folders):
        for node in tree_of(path).body:
            if isinstance(node, ast.ClassDef) and node.name != "Command":
                yield node.name, relative(path)


def _module_path(dotted: str) -> Path | None:
    base = PROJECT_ROOT.joinpath(*dotted.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.exists():
            return path
    return None


def _imports(path: Path) -> Iterator[str]:
    """The dotted names that a module imports when it runs; those for type checkers only are left out."""
    skipped = {
        id(inner)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree_of(path)):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                dotted = f"{node.module}.{alias.name}"
                yield dotted if _module_path(dotted) else node.module


def reachable_imports(path: Path) -> set[str]:
    """Everything that a module imports, directly or through modules of ours."""
    seen, left = set(), [path]
    while left:
        for name in _imports(left.pop()):
            if name not in seen:
                seen.add(name)
                if inner := _module_path(name):
                    left.append(inner)
    return seen


def is_marked_pure(path: Path) -> bool:
    return (ast.get_docstring(tree_of(path)) or "").rstrip().endswith("Pure.")
