"""Security headers and log lines."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys

import pytest

from MovieBackend.log_formatter import JsonFormatter, SingleLineFormatter
from tests.helpers.factories import make_link, make_movie
from tests.helpers.paths import PROJECT_ROOT

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path", ["/", "/health/", "/api/streaming/movies/", "/nothing-here/", "/api/streaming/nothing/"]
)
def test_every_response_has_the_headers(client, path):
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [
        ("gzip", True),
        ("br;q=0, gzip", True),
        ("gzip;q=0.001", True),
        ("gzip;q=0", False),
        ("br, gzip ; q=0.000", False),
        ("GZIP;Q=0.", False),
        (f"gzip;{' ' * 20_000}q=0", False),
    ],
)
@pytest.mark.parametrize("path", ["/", "/export/movies.jsonl"])
def test_an_encoding_that_is_refused_is_not_used(client, path, accepted, is_packed):
    make_link(make_movie(synopsis="A film. " * 200))
    response = client.get(path, headers={"Accept-Encoding": accepted})
    assert response.status_code == 200
    assert (response.get("Content-Encoding") == "gzip") is is_packed


def test_a_foreign_host_name_is_refused(client):
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_a_log_line_stays_one_line():
    record = logging.LogRecord("x", logging.WARNING, "f", 1, "title %s", ("a\nERROR forged\x1b[31m\u2028",), None)
    line = SingleLineFormatter("{levelname} {message}", style="{").format(record)
    assert line == r"WARNING title a\nERROR forged\x1b[31m\u2028"


def test_a_json_log_line_is_one_object_of_printable_ascii():
    text = 'a\nERROR "forged"\x1b[31m\x7f\u2028é'
    try:
        raise ValueError(text)
    except ValueError:
        failure = sys.exc_info()
    record = logging.LogRecord("films.é", logging.WARNING, "f", 1, "title %s", (text,), failure)
    record.created = 1_796_000_000.25
    line = JsonFormatter().format(record)
    assert re.fullmatch(r"[ -~]+", line)
    entry = json.loads(line)
    exception = entry.pop("exception")
    assert exception.startswith("Traceback")
    assert exception.endswith(f"ValueError: {text}")
    assert entry == {
        "time": "2026-11-30T00:53:20.250+00:00", "level": "WARNING", "logger": "films.é", "message": f"title {text}",
    }  # fmt: skip


@pytest.mark.slow
def test_the_log_is_json_if_the_settings_say_so(tmp_path):
    script = "import django, logging; django.setup(); logging.getLogger('films').error('no %s', 'links')"
    variables = {
        "DJANGO_SETTINGS_MODULE": "MovieBackend.settings",
        "DEBUG": "1",
        "VAR_DIR": str(tmp_path),
        "LOG_FORMAT": "json",
    }
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT_ROOT, env={"PATH": os.environ["PATH"], **variables},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    entry = json.loads(done.stderr)
    assert (entry["logger"], entry["message"], set(entry)) == (
        "films",
        "no links",
        {"time", "level", "logger", "message"},
    )


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:8000"])
def test_a_probe_on_loopback_needs_no_allowed_host(client, settings, path, host):
    settings.ALLOWED_HOSTS = ["films.example.org"]
    assert client.get(path, headers={"Host": host}).status_code == 200
    assert client.get(path, headers={"Host": "films.example.org"}).status_code == 200


@pytest.mark.parametrize(
    ("path", "host"),
    [
        ("/", "127.0.0.1"),
        ("/healthz", "evil.example"),
        ("/healthz/", "127.0.0.1"),
        ("/healthz", "127.0.0.1.evil.example"),
    ],
)
def test_nothing_else_is_served_under_another_name(client, settings, path, host):
    settings.ALLOWED_HOSTS = ["films.example.org"]
    assert client.get(path, headers={"Host": host}).status_code == 400


def test_metrics_stay_hidden_from_others_whatever_name_they_use(client):
    headers = {"Host": "127.0.0.1", "X-Forwarded-For": "9.9.9.9"}
    assert client.get("/metrics", headers=headers).status_code == 404
    assert client.get("/metrics", headers={"Host": "127.0.0.1"}, REMOTE_ADDR="9.9.9.9").status_code == 404
