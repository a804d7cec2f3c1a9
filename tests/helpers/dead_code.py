"""Finds definitions that production code never uses, by reading its syntax, its templates and its dotted strings.

Functions, classes and constants of a module are followed through imports. Methods and fields are matched by name alone:
whose attribute `x.name` is cannot be known without types, so one of two namesakes may hide the other.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from django.conf import global_settings
from rest_framework.routers import SimpleRouter
from scrapy.settings import default_settings

from tests.helpers.paths import PROJECT_ROOT

PACKAGES = ("MovieBackend", "streaming", "scraper")
# They use production code as any other program would, and are no tests. Migrations are not examined themselves.
PROGRAMS = ("manage.py", "cleanup_dead_links.py", "bench", "streaming/migrations")
# Names that Django and Celery look up in a module, and classes that are found by what they derive from.
LOOKED_UP = {
    "urlpatterns",
    "handler400",
    "handler403",
    "handler404",
    "handler500",
    "application",
    "app_name",
    "register",
    "app",
}
FOUND_BY_BASE = (
    "django.apps.config.AppConfig",
    "django.core.management.base.BaseCommand",
    "scrapy.spiders.Spider",
    "drf_spectacular.extensions.OpenApiAuthenticationExtension",
)
# Methods that a framework calls though no class of its own has them, by what the class derives from.
CALLED_BY_NAME = {
    "django.forms.forms.BaseForm": r"clean_\w+",
    "django.contrib.admin.options.BaseModelAdmin": r"has_\w+_permission",  # named by `permissions=` of actions
    "django.contrib.syndication.views.Feed": r"(?:feed|item)_\w+",
    "django.contrib.sitemaps.Sitemap": r"lastmod|changefreq|priority",
    "rest_framework.viewsets.ViewSetMixin": "|".join(
        action for route in SimpleRouter.routes for action in getattr(route, "mapping", {}).values()
    ),
    "http.server.BaseHTTPRequestHandler": r"do_[A-Z]+",
}
# Scrapy asks for no base class: its settings name the class, and it calls these.
PLUGIN_METHODS = r"from_crawler|(?:process|open|close)_\w+|install_on_reactor|resolveHostName"
# `@signal.connect`, `@admin.register(...)` and `@action(...)` hand what they decorate to the framework.
REGISTERING = {"connect", "register", "action"}
CLOSED_SETS = ("enum.Enum", "typing.TypedDict", "typing_extensions.TypedDict")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


@dataclass(frozen=True, slots=True)
class Module:
    """A file of the project: its dotted name and its syntax tree."""

    name: str
    tree: ast.Module
    is_package: bool


@dataclass(frozen=True, slots=True)
class Uses:
    """What one module or program names: `symbols` of modules as (module, name), attributes, and plain strings."""

    symbols: frozenset[tuple[str, str]]
    attributes: frozenset[str]
    strings: frozenset[str]
    is_reflective: bool


class Project:
    """The production code below a folder, and what it says of itself."""

    def __init__(self, root: Path = PROJECT_ROOT) -> None:
        self.root = root
        files = [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]
        self.modules = {
            one.name: one for one in (_module(path, root) for path in files if "migrations" not in path.parts)
        }
        programs = [path for name in PROGRAMS for path in _python_files(root / name)]
        self.users = [*self.modules.values(), *(_module(path, root) for path in programs)]

    def unused(self) -> set[str]:
        """The dotted names of what nobody uses."""
        return {name for module in self.modules.values() for name in self._unused_in(module)}

    def _unused_in(self, module: Module) -> Iterator[str]:
        for name, node in _defined(module.tree.body):
            if not self._is_found_by_framework(module, name, node) and not self._is_symbol_used(module, name, node):
                yield f"{module.name}.{name}"
            if isinstance(node, ast.ClassDef):
                for member in self._unused_members(module, node):
                    yield f"{module.name}.{name}.{member}"

    # --- functions, classes, constants

    def _is_symbol_used(self, module: Module, name: str, node: Definition) -> bool:
        if (module.name, name) in self.symbols_elsewhere[module.name]:
            return True
        own = (one for one in _walk(module.tree, but=node) if isinstance(one, ast.Name))
        return any(one.id == name and isinstance(one.ctx, ast.Load) for one in own)

    def _is_found_by_framework(self, module: Module, name: str, node: Definition) -> bool:
        if name in LOOKED_UP or re.fullmatch("__.+__", name):
            return True
        if module.name in ("MovieBackend.settings", "scraper.settings"):
            return self._is_setting_read(name)
        if isinstance(node, ast.ClassDef) and any(
            _derives(base, FOUND_BY_BASE) for base in self._foreign(module, node)
        ):
            return True
        return not isinstance(node, ast.Assign | ast.AnnAssign) and self._is_registered(node)

    def _is_setting_read(self, name: str) -> bool:
        known = hasattr(global_settings, name) or hasattr(default_settings, name)
        return known or name in self.attributes or name in self.strings

    def _is_registered(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
        called = [one.func if isinstance(one, ast.Call) else one for one in node.decorator_list]
        names = {one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "") for one in called}
        is_tag = names & {"filter", "simple_tag", "inclusion_tag"}
        return bool(names & REGISTERING) or bool(is_tag and node.name in self.template_words)

    # --- methods and fields

    def _unused_members(self, module: Module, node: ast.ClassDef) -> Iterator[str]:
        bases = list(self._foreign(module, node))
        if any(_derives(base, CLOSED_SETS) for base in bases):
            return
        for name, member in _defined(node.body):
            is_field = isinstance(member, ast.Assign | ast.AnnAssign)
            if is_field and not _is_value(node):
                continue
            is_plugin = re.fullmatch(PLUGIN_METHODS, name) and self._is_handed_over(module, node)
            if not (is_plugin or _is_hook(bases, name) or self._is_member_used(node, name, member)):
                yield name

    def _is_handed_over(self, module: Module, node: ast.ClassDef) -> bool:
        """Whether settings name the class: by a dotted string, or as a key of a table such as ITEM_PIPELINES."""
        keys = (key for one in ast.walk(module.tree) if isinstance(one, ast.Dict) for key in one.keys)
        is_key = any(isinstance(key, ast.Name) and key.id == node.name for key in keys)
        return is_key or f"{module.name}.{node.name}" in self.strings

    def _is_member_used(self, owner: ast.ClassDef, name: str, member: Definition) -> bool:
        if name in self.template_words or self.attribute_counts[name] > Counter(_attributes(member))[name]:
            return True
        if isinstance(member, ast.Assign | ast.AnnAssign):
            return name in self.reflected_names
        # An inner class is named bare within its own.
        is_named = any(isinstance(one, ast.Name) and one.id == name for one in _walk(owner, but=member))
        is_field = name.removeprefix("get_") in self.method_fields
        return is_named or is_field or name in self.strings or self._is_registered(member)

    def _foreign(self, module: Module, node: ast.ClassDef) -> Iterator[type]:
        """The classes of other projects from which this one derives, at whatever distance."""
        imports = self.imports[module.name]
        for base in node.bases:
            dotted = _dotted(base.value if isinstance(base, ast.Subscript) else base)
            head, _, rest = dotted.partition(".")
            full = ".".join(part for part in (imports.get(head, f"{module.name}.{head}"), rest) if part)
            yield from self._foreign_named(full)

    def _foreign_named(self, full: str) -> Iterator[type]:
        owner, name = self._home(full)
        if owner in self.modules:
            node = dict(_defined(self.modules[owner].tree.body)).get(name)
            if isinstance(node, ast.ClassDef):
                yield from self._foreign(self.modules[owner], node)
        elif owner.split(".")[0] not in PACKAGES and (found := _foreign_class(full)) is not None:
            yield found

    # --- what the project says

    @cached_property
    def imports(self) -> dict[str, dict[str, str]]:
        return {module.name: dict(_imports(module)) for module in self.users}

    def _home(self, dotted: str) -> tuple[str, str]:
        """The module that defines what a dotted name means, and its name there: packages hand on what they import."""
        owner, _, name = dotted.rpartition(".")
        handed_on = self.imports.get(owner, {}).get(name)
        return self._home(handed_on) if handed_on and handed_on != dotted else (owner, name)

    @cached_property
    def uses(self) -> dict[str, Uses]:
        return {module.name: self._uses_of(module) for module in self.users}

    def _uses_of(self, module: Module) -> Uses:
        imports = self.imports[module.name]
        symbols, strings = set(), set(_strings(module.tree))
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
                head, _, rest = _dotted(node).partition(".")
                if head in imports:
                    symbols.add(self._home(f"{imports[head]}.{rest}" if rest else imports[head]))
        symbols |= {self._home(one) for one in strings if one.startswith(PACKAGES) and "." in one}
        names = {node.id for node in ast.walk(module.tree) if isinstance(node, ast.Name)}
        is_reflective = bool(names & {"getattr", "attrgetter"})
        return Uses(frozenset(symbols), frozenset(_attributes(module.tree)), frozenset(strings), is_reflective)

    @cached_property
    def symbols_elsewhere(self) -> dict[str, set[tuple[str, str]]]:
        """For each module what it and all others name of it through imports and dotted strings."""
        found: dict[str, set[tuple[str, str]]] = {name: set() for name in self.modules}
        for uses in self.uses.values():
            for owner, name in uses.symbols:
                found.setdefault(owner, set()).add((owner, name))
        return found

    @cached_property
    def attributes(self) -> frozenset[str]:
        return frozenset().union(*(uses.attributes for uses in self.uses.values()))

    @cached_property
    def attribute_counts(self) -> Counter[str]:
        return Counter(name for module in self.users for name in _attributes(module.tree))

    @cached_property
    def strings(self) -> frozenset[str]:
        return frozenset().union(*(uses.strings for uses in self.uses.values()))

    @cached_property
    def reflected_names(self) -> set[str]:
        """The strings of modules that read attributes by a name that they work out."""
        reading = [uses for uses in self.uses.values() if uses.is_reflective]
        return {name for uses in reading for name in uses.strings}

    @cached_property
    def template_words(self) -> set[str]:
        """Every name within `{{ }}` and `{% %}`."""
        pages = (path.read_text(encoding="utf-8") for path in (self.root / "templates").rglob("*.*"))
        spoken = (one for page in pages for one in re.findall(r"\{[{%](.*?)[%}]\}", page, re.DOTALL))
        return {word for one in spoken for word in re.findall(r"[A-Za-z_]\w*", one)}

    @cached_property
    def method_fields(self) -> set[str]:
        """Fields `x` that Django REST framework fills by a method `get_x`."""
        assigned = (one for module in self.users for one in ast.walk(module.tree) if isinstance(one, ast.Assign))
        methods = (one for one in assigned if "SerializerMethodField" in ast.dump(one.value))
        return {target.id for one in methods for target in one.targets if isinstance(target, ast.Name)}


def _python_files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def _module(path: Path, root: Path) -> Module:
    parts = path.relative_to(root).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    name = ".".join(parts[:-1] if is_package else parts)
    return Module(name, ast.parse(path.read_text(encoding="utf-8")), is_package)


def _defined(body: Iterable[ast.stmt]) -> Iterator[tuple[str, Definition]]:
    """The names that the statements define, also under `if` and `try`."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node
        elif isinstance(node, ast.Assign):
            named = [one for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name)]
            yield from ((one.id, node) for one in named if isinstance(one.ctx, ast.Store))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node
        elif isinstance(node, ast.If | ast.Try):
            yield from _defined([*node.body, *node.orelse])


def _is_value(node: ast.ClassDef) -> bool:
    """Whether the class is a dataclass or a named tuple, so that what it holds are fields to be read."""
    marks = [ast.dump(one) for one in (*node.decorator_list, *node.bases)]
    return any("'dataclass'" in mark or "'NamedTuple'" in mark for mark in marks)


def _walk(tree: ast.AST, *, but: ast.AST) -> Iterator[ast.AST]:
    """Every node below `tree`, without those of one definition."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if node is not but:
            yield node
            waiting.extend(ast.iter_child_nodes(node))


def _imports(module: Module) -> Iterator[tuple[str, str]]:
    """Local names and the dotted names that they stand for."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (
                (one.asname or one.name.split(".")[0], one.name if one.asname else one.name.split(".")[0])
                for one in node.names
            )
        elif isinstance(node, ast.ImportFrom):
            yield from ((one.asname or one.name, f"{node.module}.{one.name}") for one in node.names)


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _attributes(tree: ast.AST) -> Iterator[str]:
    """The names of attributes that are read, those of a `match` too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.attr
        elif isinstance(node, ast.MatchClass):
            yield from node.kwd_attrs


def _strings(tree: ast.Module) -> Iterator[str]:
    """The plain strings of a module, without those of `__all__`; `f"{PATH}.name"` counts with its constant put in."""
    assigned = [(name, getattr(node, "value", None)) for name, node in _defined(tree.body)]
    texts = {name: value.value for name, value in assigned if isinstance(value, ast.Constant)}
    lists = [node for name, node in _defined(tree.body) if name == "__all__"]
    for node in _walk(tree, but=lists[0] if lists else ast.Pass()):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(_part(one, texts) for one in node.values)


def _part(node: ast.expr, texts: Mapping[str, object]) -> str:
    if isinstance(node, ast.FormattedValue):
        node = node.value
    return str(node.value if isinstance(node, ast.Constant) else texts.get(_dotted(node), ""))


def _is_hook(bases: Iterable[type], name: str) -> bool:
    """Whether Python or a framework calls the method of a class that derives from these."""
    called = (pattern for base in bases for known, pattern in CALLED_BY_NAME.items() if _derives(base, [known]))
    is_inherited = any(hasattr(base, name) for base in bases)
    return is_inherited or any(re.fullmatch(pattern, name) for pattern in (r"__\w+__", *called))


@cache
def _foreign_class(dotted: str) -> type | None:
    """The class of that name in another project; None when it is none."""
    owner, _, name = dotted.rpartition(".")
    found = getattr(importlib.import_module(owner or "builtins"), name, None)
    return found if isinstance(found, type) else None


def _derives(base: type, known: Iterable[str]) -> bool:
    names = {f"{one.__module__}.{one.__qualname__}" for one in base.__mro__}
    return bool(names.intersection(known))
