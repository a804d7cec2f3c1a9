"""The measure of growth tells linear work from quadratic work."""

from __future__ import annotations

import re

import pytest

from tests.helpers.growth import MAX_GROWTH, growth


def letters(size):
    return "a" * size


@pytest.mark.parametrize("work", [str.upper, lambda text: re.findall("a", text), lambda text: re.match("a", text)])
def test_linear_and_constant_work_stays_below_the_bound(work):
    assert growth(work, letters, 200_000) < MAX_GROWTH


@pytest.mark.parametrize("work", [lambda text: re.search("a*b", text), lambda text: re.sub("a+$|b", "", text + "c")])
def test_quadratic_work_exceeds_it(work):
    assert growth(work, letters, 4_000) > MAX_GROWTH
