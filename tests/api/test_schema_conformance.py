"""Schemathesis calls the API in ways that its schema allows, and compares each response with the schema."""

from __future__ import annotations

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, settings

from tests.helpers.factories import make_job, make_link, make_movie

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
schema = schemathesis.pytest.from_fixture("api_schema")


@pytest.fixture
def api_schema(db, settings):
    movie = make_movie(imdb_id="tt0013442", title="Nosferatu", year=1922)
    make_link(movie)
    make_job(movie, state="succeeded")
    return schemathesis.openapi.from_wsgi("/api/streaming/schema/", get_wsgi_application())


@schema.parametrize()
@settings(max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_each_response_is_one_that_the_schema_describes(case):
    response = case.call(headers={"User-Agent": "Googlebot/2.1"})
    case.validate_response(response)
