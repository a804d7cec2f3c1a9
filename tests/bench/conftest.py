"""A small farm that all tests of the timings have in common."""

from __future__ import annotations

import pytest

from bench import farm as origin
from tests.helpers.external_services import skip_or_fail
from tests.helpers.raw_http import HOSTS


@pytest.fixture(scope="session")
def farm(tmp_path_factory):
    if missing := origin.missing() or origin.missing_for_tls():
        skip_or_fail(f"the farm: {missing}")
    with origin.running(tmp_path_factory.mktemp("farm"), hosts=HOSTS) as running:
        yield running
