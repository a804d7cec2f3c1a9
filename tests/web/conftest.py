from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.template_lookups import failed_lookups


@pytest.fixture(autouse=True)
def templates_use_existing_names() -> Iterator[None]:
    """Fail if a template uses an undefined name, which would be rendered as empty text."""
    with failed_lookups() as failures:
        yield
    assert failures == []
