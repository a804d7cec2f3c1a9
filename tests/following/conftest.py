from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest
from django.core.management import CommandError, call_command

from tests.helpers.other_instance import OtherInstance, other_instance

Follow = Callable[..., tuple[int, str]]


@pytest.fixture
def other() -> Iterator[OtherInstance]:
    with other_instance() as site:
        yield site


@pytest.fixture
def follow(other: OtherInstance) -> Follow:
    """Follow the other instance; returns the exit status and all that is printed."""

    def call(*words: str, url: str = "") -> tuple[int, str]:
        out = io.StringIO()
        try:
            call_command("follow", url or other.url, *words, stdout=out, stderr=out)
        except CommandError as error:
            return error.returncode, f"{out.getvalue()}{error}"
        return 0, out.getvalue()

    return call
