"""The benchmark of faults: what it calls lost, and that a fault really happens."""

from __future__ import annotations

import json

import pytest

from bench.faults import scenarios
from bench.faults.ledger import Ledger
from bench.instance import Instance
from tests.helpers.http_servers import Page, Site, serving

pytestmark = pytest.mark.slow
CLICK = "/api/streaming/movies/tt000000{number}/refresh_links/"


def job(state, outcome=""):
    return Page(json.dumps({"state": state, "outcome": outcome}), content_type="application/json")


def accepted(number, status=202):
    return Page("{}", status, headers={"Location": f"http://testserver/api/streaming/jobs/{number}/"})


def test_a_promise_is_lost_if_its_job_never_ends_or_has_no_record(tmp_path):
    pages = {
        CLICK.format(number=1): accepted(1),
        CLICK.format(number=2): accepted(2),
        CLICK.format(number=3): accepted(3, status=200),
        CLICK.format(number=4): Page(status=503),
        "/api/streaming/jobs/1/": job("succeeded", "found"),
        "/api/streaming/jobs/2/": job("running"),
    }
    with serving(Site(pages)) as site:
        instance = Instance(tmp_path)
        instance.web_port = site.port
        ledger = Ledger(instance, patience=0.1)
        ledger.clicks(4, pause=0)
        assert ledger.lost() == ["tt0000002", "tt0000003"]
        assert (len(ledger.promised), ledger.refused(), ledger.found()) == (3, 1, 1)


def test_a_killed_import_is_completed_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(scenarios, "IMPORTED_FILMS", 4000)
    result = scenarios.kill_imports(scenarios.Setting(tmp_path, rounds=1))
    assert (result.times, result.promised, result.lost) == (1, 4000, 0)
