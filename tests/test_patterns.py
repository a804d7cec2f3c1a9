"""Every regular expression that meets what strangers send takes time in proportion to it, at its worst inputs too.

All patterns at the top of the modules below are collected, so a new one is covered when it is written.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import scraper
from streaming.health import judging
from tests.helpers.growth import MAX_GROWTH, growth
from tests.helpers.worst_inputs import worst_inputs

SMALL, WHOLE = 8 * 1024, 64 * 1024
"""Bytes: how the worst of a pattern's inputs are found, and how much of a page is read at most."""
WORST = 2
"""So many of a pattern's inputs are measured closely."""
METHODS = {"match": "match", "fullmatch": "fullmatch"}


def modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def patterns() -> Iterator[Any]:
    """Each pattern once, by the name of its module and its own."""
    seen: set[re.Pattern[Any]] = set()
    for module in [*modules(judging), *modules(scraper)]:
        for name, value in vars(module).items():
            for index, pattern in enumerate(held(value)):
                if pattern not in seen:
                    seen.add(pattern)
                    yield pytest.param(module, name, pattern, id=f"{module.__name__}.{name}-{index}")


def held(value: object) -> list[re.Pattern[Any]]:
    """The patterns that a name stands for: itself, or those in a collection."""
    if isinstance(value, re.Pattern):
        return [value]
    values = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list, set)) else ()
    return [pattern for each in values for pattern in held(each)]


def work_of(module: ModuleType, name: str, pattern: re.Pattern[Any]) -> Callable[[Any], object]:
    """Use a pattern as its module does: from one place where it is only ever matched there, else from everywhere."""
    used = set(re.findall(rf"\b{name}\.(\w+)\(", inspect.getsource(module)))
    if used and used <= METHODS.keys():
        return getattr(pattern, used.pop())
    return lambda text: sum(1 for _ in pattern.finditer(text))


def given(pattern: re.Pattern[Any], text: str) -> Any:
    return text if isinstance(pattern.pattern, str) else text.encode("utf-8")


def slowness(work: Callable[[Any], object], text: Any) -> float:
    began = time.process_time()
    work(text)
    return time.process_time() - began


@pytest.mark.parametrize(("module", "name", "pattern"), list(patterns()))
def test_a_pattern_takes_time_in_proportion_to_its_input(module, name, pattern):
    work = work_of(module, name, pattern)
    small = list(worst_inputs(pattern, SMALL))
    numbers = sorted(range(len(small)), key=lambda number: -slowness(work, given(pattern, small[number])))[:WORST]

    def made(number: int) -> Callable[[int], Any]:
        return lambda size: given(pattern, list(worst_inputs(pattern, size))[number])

    for size in (SMALL, WHOLE):
        for number in numbers:
            assert growth(work, made(number), size) < MAX_GROWTH, small[number][:200]


def test_patterns_of_both_packages_are_collected():
    names = {param.id for param in patterns()}
    assert any(name.startswith("streaming.health.judging.") for name in names)
    assert any(name.startswith("scraper.extraction.") for name in names)
    assert len(names) > 40


@pytest.mark.parametrize("source", [r"a*b", r"<a\s+>|\s+$", r"(?:ab?)*c", r"x[^y]*y", r"<title>.*?</title>"])
def test_a_pattern_that_starts_again_everywhere_is_caught(source):
    pattern = re.compile(source, re.S)

    def work(text: str) -> int:
        return sum(1 for _ in pattern.finditer(text))

    inputs = list(worst_inputs(pattern, SMALL))
    worst = max(range(len(inputs)), key=lambda number: slowness(work, inputs[number]))
    assert growth(work, lambda size: list(worst_inputs(pattern, size))[worst], SMALL) > MAX_GROWTH
