"""Behaviours of real sites, from public reports that lie beside the project: what one run turns off, and which films
are still there after two days of runs."""

from __future__ import annotations

import io
import runpy
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from bench.truth.machine import WITHHELD, SimulatedClock, set_clock
from streaming.models import Movie, StreamingLink
from tests.helpers.http_servers import free_port
from tests.helpers.paths import SHARED

FARM = SHARED / "cases2" / "verdict_farm.py"
if not FARM.exists():
    pytest.skip("the behaviours of real sites are not beside the project", allow_module_level=True)

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
LISTED = runpy.run_path(str(FARM))
NAMES = [case[0] for case in LISTED["CASES"]]
TRUTHS = {case[0]: case[1] for case in LISTED["CASES"]}
FILLERS = 300
HOURS = (0, 12, 24, 36, 48, 60)
FIRST_DAY = 2
"""So many runs are less than the grace of 24 hours apart."""
MAX_DEAD_SHOWN = 2
SHOWN, DEAD = ("alive", "throttled"), ("gone", "off")
PLAIN_404 = "s3_no_such_key"


@dataclass(frozen=True, slots=True)
class CaseLink:
    """One link of a case, which is the only link of its movie."""

    case: str
    url: str
    kind: str
    imdb_id: str


@dataclass(frozen=True, slots=True)
class Observed:
    """`reasons`: why links were off after the first run; `present`: the movies after each run, by IMDb id."""

    links: list[CaseLink]
    reasons: Mapping[str, str]
    present: list[frozenset[str]]

    def off(self, case: str) -> dict[str, str]:
        """Which links of a case were off after the first run, and why."""
        return {link.url: self.reasons[link.url] for link in self.of(case) if link.url in self.reasons}

    def removed(self, case: str, *, after_runs: int = len(HOURS)) -> list[str]:
        """Which movies of a case were ever missing after one of so many runs."""
        present = frozenset.intersection(*self.present[:after_runs])
        return [link.url for link in self.of(case) if link.imdb_id not in present]

    def of(self, case: str) -> list[CaseLink]:
        return [link for link in self.links if link.case == case]


def having(*truths: str) -> list[str]:
    return [name for name in NAMES if TRUTHS[name] in truths]


@contextmanager
def running_farm() -> Iterator[int]:
    """The port on which each case has a host of its own, beside healthy hosts that keep the brake off."""
    port = free_port()
    command = [sys.executable, str(FARM), str(port), str(FILLERS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield port
        finally:
            process.kill()


def case_links(port: int) -> list[CaseLink]:
    found = [
        (name, f"http://{LISTED['address'](number)}:{port}{path}", kind)
        for number, (name, _, _, links, _) in enumerate(LISTED["CASES"])
        for path, kind in links
    ]
    found += [
        ("healthy", f"http://127.2.{number // 250}.{number % 250 + 1}:{port}/film", "page") for number in range(FILLERS)
    ]
    return [CaseLink(case, url, kind, f"tt{number:07d}") for number, (case, url, kind) in enumerate(found, 1)]


def fill_catalogue(links: list[CaseLink]) -> None:
    movies = [Movie(imdb_id=link.imdb_id, title="A film of 1922", year=1922) for link in links]
    Movie.objects.bulk_create(movies)
    StreamingLink.objects.bulk_create(
        StreamingLink(
            movie=movie, source="example", source_url=link.url, host=urlsplit(link.url).hostname or "", kind=link.kind
        )
        for movie, link in zip(movies, links, strict=True)
    )


@pytest.fixture(scope="module")
def observed(django_db_setup: Any, django_db_blocker: Any) -> Observed:
    """What the runs of 60 hours make of all cases. Time-outs are real; the clock is moved between the runs."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch, running_farm() as port:
        start = timezone.now()
        patch.setattr(timezone, "datetime", SimulatedClock)
        try:
            return observe(case_links(port), start)
        finally:
            call_command("flush", interactive=False, verbosity=0)


def observe(links: list[CaseLink], start: datetime) -> Observed:
    fill_catalogue(links)
    reasons: dict[str, str] = {}
    present = []
    for hour in HOURS:
        set_clock(start + timedelta(hours=hour))
        check()
        present.append(frozenset(Movie.objects.values_list("imdb_id", flat=True)))
        if hour == 0:
            reasons = off_after_first_run(links)
    return Observed(links, reasons, present)


def check() -> None:
    """One run as cron makes it; one that is withheld is a run too."""
    try:
        call_command("check_link_health", format="json", stdout=io.StringIO())
    except CommandError as error:
        if error.returncode != WITHHELD:
            raise


def off_after_first_run(links: list[CaseLink]) -> dict[str, str]:
    rows = {row.source_url: row for row in StreamingLink.objects.all()}
    gone = {link.url: "removed with its movie" for link in links if link.url not in rows}
    return gone | {url: row.reason for url, row in rows.items() if not row.is_active}


# --- after one run
@pytest.mark.parametrize("case", having(*SHOWN))
def test_links_that_work_or_are_only_busy_stay_on(observed, case):
    assert observed.off(case) == {}


def test_healthy_hosts_stay_on(observed):
    assert observed.off("healthy") == {}


def test_hardly_any_dead_link_is_shown(observed):
    shown = {
        case: urls
        for case in having(*DEAD)
        if (urls := [link.url for link in observed.of(case) if link.url not in observed.off(case)])
    }
    assert len(shown) <= MAX_DEAD_SHOWN, shown


# --- after all runs
@pytest.mark.parametrize("case", [name for name in NAMES if TRUTHS[name] not in DEAD])
def test_films_that_are_not_gone_are_never_removed(observed, case):
    assert observed.removed(case) == []


@pytest.mark.parametrize("case", having(*DEAD))
def test_films_that_are_gone_stay_for_the_grace(observed, case):
    assert observed.removed(case, after_runs=FIRST_DAY) == []


def test_a_film_that_is_plainly_gone_goes(observed):
    assert observed.removed(PLAIN_404) != []
