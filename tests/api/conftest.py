"""Clients of the API: a person, a robot (which starts no scrape jobs), staff."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from tests.helpers.staff import make_staff

MOVIES = "/api/streaming/movies/"


@pytest.fixture
def person() -> APIClient:
    return APIClient(headers={"User-Agent": "curl/8"})


@pytest.fixture
def robot() -> APIClient:
    return APIClient(headers={"User-Agent": "Googlebot/2.1"})


@pytest.fixture
def staff(db: None) -> APIClient:
    client = APIClient()
    client.force_authenticate(make_staff("alice"))
    return client
