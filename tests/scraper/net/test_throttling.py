"""When a response asks for fewer requests."""

from __future__ import annotations

import pytest

from scraper.net.throttling import is_throttled


@pytest.mark.parametrize(
    ("status", "headers", "throttled"),
    [
        (429, {}, True),
        (429, {"retry-after": ""}, True),
        (503, {"retry-after": "60"}, True),
        (503, {"retry-after": ""}, False),
        (503, {}, False),
        (429, {"cf-mitigated": "challenge"}, False),
        (503, {"cf-mitigated": "challenge", "retry-after": "60"}, False),
        (403, {"retry-after": "60"}, True),
        (403, {"x-ratelimit-remaining": "0"}, True),
        (503, {"ratelimit-remaining": "0"}, True),
        (403, {"x-ratelimit-remaining": "12"}, False),
        (403, {}, False),
        (405, {"x-amzn-waf-action": "captcha", "retry-after": "9"}, False),
        (200, {"retry-after": "60"}, False),
        (None, {}, False),
        (420, {}, True),
        (430, {}, True),
        (529, {}, True),
        (420, {"cf-mitigated": "challenge"}, False),
        (425, {"retry-after": "60"}, True),
        (502, {"retry-after": "60"}, True),
        (504, {"retry-after": "60"}, True),
        (509, {"retry-after": "60"}, True),
        (502, {}, False),
        (502, {"x-ratelimit-remaining": "0"}, False),
        (404, {"retry-after": "60"}, False),
        (410, {"retry-after": "60"}, False),
        (451, {"retry-after": "60"}, False),
    ],
)
def test_a_429_or_a_503_that_names_a_time_is_throttling(status, headers, throttled):
    assert is_throttled(status, headers) is throttled
