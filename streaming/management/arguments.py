"""Argument types for the commands' parsers. Pure."""

from __future__ import annotations

import math
from argparse import ArgumentTypeError
from collections.abc import Callable

from streaming.ingest.records import SLUG


def integer_argument(minimum: int = 0, maximum: int = 10**9) -> Callable[[str], int]:
    """Return a parser for whole numbers within these bounds."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 12 and minimum <= int(text) <= maximum):
            raise ArgumentTypeError(f"{text[:40]!r} is not a whole number from {minimum} to {maximum}")
        return int(text)

    return parse


def slug_argument(text: str) -> str:
    """Parse the short name of a source."""
    if len(text) > 50 or not SLUG.fullmatch(text):
        raise ArgumentTypeError(f"{text[:40]!r} is not a slug such as internet_archive")
    return text


def number_argument(minimum: float = 0.0, maximum: float = 1e6) -> Callable[[str], float]:
    """Return a parser for numbers within these bounds, with or without decimals."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not minimum <= value <= maximum:
            raise ArgumentTypeError(f"{text[:40]!r} is not a number from {minimum:g} to {maximum:g}")
        return value

    return parse
