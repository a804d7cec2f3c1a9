"""/healthz, /readyz and /metrics."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
import yaml
from django.db import connection
from django.test import Client
from django.utils import timezone

from streaming.models import HealthRun, LinkFlip, RemovedMovie, ScrapeJob
from streaming.scraping import jobs
from tests.helpers.external_services import run_tests_on_postgres
from tests.helpers.factories import make_job, make_link, make_movie
from tests.helpers.paths import PROJECT_ROOT

TOKEN = "a-long-secret"


def test_healthz_does_not_need_the_database():
    assert Client().get("/healthz").json()["status"] == "ok"


@pytest.mark.django_db
def test_readyz_gives_the_age_of_the_last_run_and_the_open_jobs():
    assert Client().get("/readyz").json()["health_run_age_seconds"] is None
    HealthRun.objects.create(started_at=timezone.now() - timedelta(hours=2))
    make_job()
    response = Client().get("/readyz")
    assert (response.status_code, response.json()["open_jobs"]) == (200, 1)
    assert 7200 <= response.json()["health_run_age_seconds"] < 7300


@pytest.mark.django_db(transaction=True)
def test_readyz_is_503_without_the_database(settings, monkeypatch):
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "NAME", "/nowhere/at/all.sqlite3")
    try:
        response = Client().get("/readyz")
    finally:
        connection.close()
        monkeypatch.undo()
    assert (response.status_code, response.json()["status"]) == (503, "unavailable")


@pytest.mark.django_db
def test_metrics_are_in_prometheus_format():
    movie = make_movie()
    make_link(movie, source="commons")
    make_link(movie, source="commons", is_active=False)
    HealthRun.objects.create(checked=2, alive=1, gone=1)
    response = Client().get("/metrics")
    text = response.content.decode()
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "\nopenreel_movies 1\n" in text
    assert '\nopenreel_links{source="commons",active="true"} 1\n' in text
    assert '\nopenreel_links{source="commons",active="false"} 1\n' in text
    assert '\nopenreel_health_run_links{verdict="gone"} 1\n' in text
    assert all(line.startswith("#") or len(line.rsplit(" ", 1)) == 2 for line in text.splitlines())


def metrics():
    """`{series: value}` of /metrics; each name has its help and a type that its ending agrees with."""
    lines = Client().get("/metrics").content.decode().splitlines()
    types = dict(line.split(" ")[2:] for line in lines if line.startswith("# TYPE "))
    assert [line.split(" ")[2] for line in lines if line.startswith("# HELP ")] == list(types)
    samples = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert {series.partition("{")[0] for series in samples} <= set(types)
    assert {name for name, kind in types.items() if kind == "counter"} == {n for n in types if n.endswith("_total")}
    return {series: float(value) for series, value in samples.items()}


@pytest.mark.django_db
def test_metrics_are_there_before_anything_has_happened(settings):
    settings.SOURCES = ["commons"]
    found = metrics()
    version = next(series for series in found if series.startswith("openreel_build_info{"))
    assert f'version="{settings.VERSION}"' in version
    assert found['openreel_links{source="commons",active="true"}'] == 0
    assert found['openreel_source_last_success_timestamp_seconds{source="commons"}'] == 0
    assert found["openreel_health_run_last_end_timestamp_seconds"] == 0
    for result in ("found", "nothing", "failed", "blocked"):
        assert found[f'openreel_source_results_total{{source="commons",result="{result}"}}'] == 0
    assert found['openreel_health_run_links{verdict="gone"}'] == 0
    assert (found["openreel_health_run_withheld"], found["openreel_health_run_late"]) == (0, 1)


@pytest.mark.django_db
def test_the_documented_metrics_are_those_that_are_served():
    make_job(
        state="failed",
        sources=[{"source": "example", "state": "failed", "links": 0, "new": 0, "seconds": 1.0, "error": ""}],
    )
    HealthRun.objects.create()
    documented = re.findall(r"^\| `(openreel_\w+)` \|", (PROJECT_ROOT / "docs" / "api.md").read_text(), re.MULTILINE)
    assert sorted(documented) == sorted({series.partition("{")[0] for series in metrics()})


ALERTS = PROJECT_ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = PROJECT_ROOT / "deploy" / "grafana" / "openreel.json"
ADDED_BY_PROMETHEUS = {"instance", "job"}


def expressions():
    """The expressions of all alert rules and panels."""
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    targets = [target for panel in json.loads(DASHBOARD.read_text())["panels"] for target in panel["targets"]]
    return [one["expr"] for one in (*rules, *targets)]


@pytest.mark.django_db
def test_rules_and_dashboard_use_metrics_and_labels_that_are_served():
    make_job(
        state="failed",
        sources=[{"source": "example", "state": "failed", "links": 0, "new": 0, "seconds": 1.0, "error": ""}],
    )
    served = {}
    for series in metrics():
        name, _, labels = series.partition("{")
        served.setdefault(name, set(ADDED_BY_PROMETHEUS)).update(re.findall(r'(\w+)="', labels))
    used = [found for one in expressions() for found in re.findall(r"\b(openreel_\w+)(?:\{([^}]*)\})?", one)]
    assert len({name for name, _ in used}) > 10
    for name, selector in used:
        assert name in served
        assert set(re.findall(r"(\w+)=", selector)) <= served[name], (name, selector)
    named = set(re.findall(r"\bopenreel_\w+", ALERTS.read_text() + DASHBOARD.read_text()))
    assert named <= set(served)


def test_rules_say_what_is_wrong_and_panels_do_not_overlap():
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert {"summary", "description"} == set(rule["annotations"])
        assert (rule["labels"]["severity"] in {"critical", "warning"}, "for" in rule) == (True, True)
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    boxes = [panel["gridPos"] for panel in panels]
    cells = [
        (x, y)
        for box in boxes
        for x in range(box["x"], box["x"] + box["w"])
        for y in range(box["y"], box["y"] + box["h"])
    ]
    assert (len(cells), max(x for x, _ in cells)) == (len(set(cells)), 23)


@pytest.mark.django_db
def test_metrics_say_when_checks_and_searches_ended(settings):
    settings.SOURCES = ["commons"]
    now = timezone.now()
    HealthRun.objects.create(
        started_at=now - timedelta(hours=2), finished_at=now - timedelta(hours=1), outcome="completed"
    )
    HealthRun.objects.create(started_at=now, finished_at=now, outcome="failed")
    job = make_job(
        state="succeeded",
        outcome="nothing",
        sources=[{"source": "commons", "state": "nothing", "links": 0, "new": 0, "seconds": 1.0, "error": ""}],
    )
    found = metrics()
    assert found["openreel_health_run_last_start_timestamp_seconds"] == pytest.approx(now.timestamp())
    assert found["openreel_health_run_last_end_timestamp_seconds"] == pytest.approx(now.timestamp() - 3600)
    assert found["openreel_health_run_late"] == 0
    for name in ("search", "success"):
        series = f'openreel_source_last_{name}_timestamp_seconds{{source="commons"}}'
        assert found[series] == pytest.approx(job.finished_at.timestamp())
    assert found['openreel_source_success_ratio{source="commons"}'] == 1


@pytest.mark.django_db
def test_counters_do_not_fall_when_rows_are_deleted():
    def counters():
        found = metrics()
        names = ("scrape_jobs", "health_runs", "link_flips", "movies_removed")
        return [found[f"openreel_{name}_total"] for name in names]

    before = counters()
    job, link = make_job(), make_link()
    rows = [
        HealthRun.objects.create(),
        LinkFlip.objects.create(link=link, is_active=False),
        RemovedMovie.objects.create(imdb_id="tt7654321", title="Gone", snapshot={}),
    ]
    after = counters()
    assert [new - old for old, new in zip(before, after, strict=True)] == [1, 1, 1, 1]
    for row in (*rows, job):
        row.delete()
    assert counters() == after


@pytest.mark.django_db
def test_results_of_sources_are_counted_also_of_one_that_is_enabled_no_more(settings):
    settings.SOURCES = ["commons"]
    for source, state in (("commons", "found"), ("example", "failed")):
        rows = [{"source": source, "state": state, "links": 1, "new": 0, "seconds": 1.0, "error": ""}]
        assert jobs.cancel(make_job(sources=rows).pk)
    ScrapeJob.objects.all().delete()
    found = metrics()
    assert found['openreel_source_results_total{source="commons",result="found"}'] == 1
    assert found['openreel_source_results_total{source="example",result="failed"}'] == 1
    assert 'openreel_source_results_total{source="example",result="found"}' not in found


@pytest.mark.slow
@pytest.mark.postgres
def test_counters_are_those_of_postgresql_too():
    run_tests_on_postgres("web/test_monitoring.py::test_counters_do_not_fall_when_rows_are_deleted")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("127.9.9.9", {}, 200),
        ("::1", {}, 200),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
        ("127.0.0.1", {"X-Real-IP": "9.9.9.9"}, 404),
        ("127.0.0.1", {"Via": "1.1 cache"}, 404),
        ("127.0.0.1", {"X-Forwarded-Proto": "https"}, 404),
        ("9.9.9.9", {}, 404),
        ("", {}, 404),
        ("9.9.9.9", {"Authorization": f"Bearer {TOKEN}"}, 200),
        ("9.9.9.9", {"Authorization": "Bearer nonsense"}, 404),
        ("9.9.9.9", {"Authorization": "Bearer "}, 404),
        ("9.9.9.9", {"Authorization": "Bearer é"}, 404),
    ],
)
def test_metrics_need_a_token_or_loopback(settings, peer, headers, status):
    settings.METRICS_TOKEN = TOKEN
    assert Client(REMOTE_ADDR=peer).get("/metrics", headers=headers).status_code == status


@pytest.mark.django_db
def test_without_a_token_in_the_settings_no_token_is_valid(settings):
    settings.METRICS_TOKEN = ""
    assert Client(REMOTE_ADDR="9.9.9.9").get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
