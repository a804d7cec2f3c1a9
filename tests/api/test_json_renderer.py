"""The API's JSON is what DRF's own renderer writes."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from rest_framework.renderers import JSONRenderer
from rest_framework.utils.serializer_helpers import ReturnDict, ReturnList

from streaming.api.json_renderer import FastJSONRenderer
from streaming.models import StreamingLink

VALUES = {
    "texts": [
        "",
        "Nosferatu – eine Symphonie",
        "千と千尋",
        '"quoted" \\ / <b>&amp;',
        "\x00\x1f\t",
        "\u2028 and \u2029",
        "🎬",
    ],
    "numbers": [0, -1, 2**53, 1.5, 0.1, 1e-7, True, False, None],
    "dates": [datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), datetime(2026, 1, 2), date(1922, 3, 4), time(1, 2)],
    "others": [Decimal("1.10"), uuid.UUID(int=1), timedelta(days=1, seconds=2), mark_safe("<i>"), gettext_lazy("Film")],
    "choices": [StreamingLink.Kind.FILE, StreamingLink.Kind.PAGE],
    "nested": {"tuple": (1, (2, [])), "set": {1}, "generator": None, "empty": {}},
}


@pytest.mark.parametrize("name", VALUES)
def test_every_kind_of_value_is_written_as_before(name):
    value = {name: VALUES[name]}
    assert json.loads(FastJSONRenderer().render(value)) == json.loads(JSONRenderer().render(value))


def test_rows_of_serializers_are_written_as_before():
    rows = ReturnList([ReturnDict({"id": 1, "title": "A"}, serializer=None)], serializer=None)
    assert FastJSONRenderer().render(rows) == JSONRenderer().render(rows) == b'[{"id":1,"title":"A"}]'


def test_ends_of_lines_of_scripts_are_escaped_and_other_letters_are_not():
    assert FastJSONRenderer().render(["\u2028\u2029é"]) == '["\\u2028\\u2029é"]'.encode()


def test_an_indent_may_be_asked_for():
    assert FastJSONRenderer().render({"a": 1}, "application/json; indent=2") == b'{\n  "a": 1\n}'
    assert FastJSONRenderer().render({"a": 1}, "application/json", {"indent": 4}) == b'{\n    "a": 1\n}'
    assert FastJSONRenderer().render(None) == b""


@pytest.mark.parametrize("value", [{"object": object()}, {1: "a number for a key"}])
def test_what_json_cannot_hold_is_an_error(value):
    with pytest.raises(TypeError):
        FastJSONRenderer().render(value)


@pytest.mark.django_db
def test_the_api_uses_it(client):
    response = client.get("/api/streaming/movies/")
    assert isinstance(response.accepted_renderer, FastJSONRenderer)
    assert response.json()["results"] == []
