"""Every regular expression that meets what strangers send takes time in proportion to it, at its worst inputs too.

All patterns of the packages below are collected, so a new one is covered when it is written.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import scraper
from streaming.health import judging
from streaming.health.judging.lazy_pattern import LazyPattern
from tests.helpers.growth import MAX_GROWTH, growth
from tests.helpers.worst_inputs import worst_input, worst_inputs

SHORT, SMALL, WHOLE = 1024, 8 * 1024, 64 * 1024
"""Characters: enough for a bad pattern to show itself, how the worst of a pattern's inputs are found, and how much of a
page is read at most."""
WORST = 2
"""So many of a pattern's inputs are measured closely."""
ANCHORED = ("match", "fullmatch")
SEARCHING = ("search", "finditer", "findall", "sub", "split")
Work = Callable[[Any], object]


def modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def collected() -> dict[str, tuple[re.Pattern[Any], str]]:
    """Each pattern and how it is used, by the name of its module and its own, or the line that it stands in."""
    found: dict[str, tuple[re.Pattern[Any], str]] = {}
    for module in [*modules(judging), *modules(scraper)]:
        source = inspect.getsource(module)
        for name, value in vars(module).items():
            for index, pattern in enumerate(held(value)):
                found[f"{module.__name__}.{name}-{index}"] = (pattern, use_of(name, source))
        for line, method, pattern in inline(source):
            found[f"{module.__name__}:{line}"] = (pattern, method)
    once = {pattern: name for name, (pattern, _) in reversed(found.items())}
    return {name: found[name] for name in reversed(once.values())}


def held(value: object) -> list[re.Pattern[Any]]:
    """The patterns that a name stands for: itself, or those in a collection."""
    if isinstance(value, re.Pattern):
        return [value]
    if isinstance(value, LazyPattern):
        return [value.compiled]
    values = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list, set)) else ()
    return [pattern for each in values for pattern in held(each)]


def use_of(name: str, source: str) -> str:
    """The method that a module calls on a pattern; where it cannot be seen, the most demanding one."""
    used = set(re.findall(rf"\b{name}\.(\w+)\(", source))
    return used.pop() if len(used) == 1 and used <= set(ANCHORED) else "finditer"


def inline(source: str) -> Iterator[tuple[int, str, re.Pattern[str]]]:
    """The patterns that are written where they are used."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="re"), attr=method), args=[ast.Constant(value=str(text)), *_]
            ) if method in ANCHORED + SEARCHING:
                yield node.lineno, method if method in ANCHORED else "finditer", re.compile(text)


def working(pattern: re.Pattern[Any], method: str) -> Work:
    if method in ANCHORED:
        return getattr(pattern, method)
    # A deque of no length takes every match, and adds nothing of its own to the time.
    return lambda text: deque(pattern.finditer(text), maxlen=0)


def given(pattern: re.Pattern[Any], text: str) -> Any:
    return text if isinstance(pattern.pattern, str) else text.encode("utf-8")


def slowest(pattern: re.Pattern[Any], work: Work, size: int = SMALL) -> list[int]:
    """Which of a pattern's inputs take longest."""
    seconds = {}
    for number, text in enumerate(worst_inputs(pattern, size)):
        began = time.process_time()
        work(given(pattern, text))
        seconds[number] = time.process_time() - began
    return sorted(seconds, key=lambda number: -seconds[number])[:WORST]


def growths(pattern: re.Pattern[Any], work: Work, size: int, numbers: list[int]) -> list[float]:
    """How work grows with each of these inputs."""

    def maker(number: int) -> Callable[[int], Any]:
        return lambda length: given(pattern, worst_input(pattern, length, number))

    return [growth(work, maker(number), size) for number in numbers]


PATTERNS = collected()


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_takes_time_in_proportion_to_its_input(name):
    pattern, method = PATTERNS[name]
    work = working(pattern, method)
    numbers = slowest(pattern, work)
    assert max(growths(pattern, work, SMALL, numbers)) < MAX_GROWTH
    assert max(growths(pattern, work, WHOLE, numbers)) < MAX_GROWTH


def test_patterns_of_both_packages_are_collected():
    assert any(name.startswith("streaming.health.judging.") for name in PATTERNS)
    assert any(name.startswith("scraper.extraction.") for name in PATTERNS)
    assert any(":" in name for name in PATTERNS)
    assert len(PATTERNS) > 40


@pytest.mark.parametrize("source", ["a*b", r"<a\s+>|\s+$", "(?:ab?)*c", "x[^y]*y", "(?s)<title>.*?</title>"])
def test_a_pattern_that_starts_again_everywhere_is_found_out(source):
    pattern = re.compile(source)
    work = working(pattern, "finditer")
    # What grows with the square of its input does so in a short one.
    numbers = slowest(pattern, work, SHORT)[:1]
    assert max(growths(pattern, work, SHORT, numbers)) > MAX_GROWTH
