"""The report of a run in numbers, in JSON and in sentences."""

from __future__ import annotations

from collections import Counter

import pytest

from streaming.health.permanent_redirects import RedirectReport
from streaming.health.sweep.report import CheckReport, count_checked, verdict_counts
from streaming.health.sweep.writer import WriteReport

VERDICTS = Counter(alive=10, gone=3, blocked=2, unreachable=1, throttled=4, not_checked=5)


def report(**fields):
    return CheckReport(
        **{"verdicts": Counter(VERDICTS), "died": 3, "revived": 2, "removed": 1, "seconds": 1.25, **fields}
    )


def test_links_that_were_not_checked_are_counted_apart():
    assert count_checked(VERDICTS) == report().checked == 20
    assert verdict_counts(VERDICTS) == {"checked": 20, **VERDICTS}
    assert verdict_counts(Counter()) == dict.fromkeys(["checked", *VERDICTS], 0)


def test_the_json_object_holds_all_counts_in_a_fixed_order():
    written = report(withheld=True, reason="offline", seconds=1.2345).as_json()
    assert list(written) == [
        "checked", "alive", "gone", "blocked", "unreachable", "throttled", "not_checked", "died", "revived", "removed",
        "withheld", "reason", "seconds",
    ]  # fmt: skip
    assert (written["died"], written["revived"], written["removed"]) == (3, 2, 1)
    assert (written["withheld"], written["reason"], written["seconds"]) == (True, "offline", 1.23)


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (lambda run: None, "completed"),
        (lambda run: run.interrupt("stopped"), "interrupted"),
        (lambda run: run.withhold("offline"), "withheld"),
        (lambda run: (run.interrupt("stopped"), run.withhold("offline")), "withheld"),
    ],
)
def test_the_outcome_says_whether_failures_count(change, outcome):
    run = report()
    change(run)
    assert run.outcome == outcome


def test_what_was_written_is_taken_over():
    run = CheckReport()
    run.add_written(WriteReport(died=2, revived=1, died_of=Counter(http_404=2)))
    assert (run.died, run.revived, run.died_of) == (2, 1, {"http_404": 2})


CHECKED = "20 links checked in 1.2 s: 10 alive, 3 gone, 2 blocked, 1 unreachable, 4 throttled, 5 not checked."
CHANGED = "3 links turned off, 2 revived, 1 movie removed."


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ({}, [CHANGED]),
        (
            {"dry_run": True},
            ["3 links would have been turned off, 2 would have been revived, 1 movie would have been removed."],
        ),
        (
            {"withheld": True, "reason": "no host answered", "moved": 9},
            ["Withheld, no link is turned off and no movie removed: no host answered."],
        ),
        ({"complete": False, "reason": "interrupted"}, ["Stopped early: interrupted."]),
        ({"reason": "host down: a.example.org"}, [CHANGED, "Host down: a.example.org."]),
        (
            {"died_of": Counter(timeout=1, http_404=2, http_403=1)},
            [CHANGED, "Died: Not found (2), Blocked by the site (1), Timed out (1)."],
        ),
        (
            {"previous_hosts_down": ["b.example.org", "a.example.org"], "hosts_down": ["b.example.org"]},
            [CHANGED, "Hosts that are back: a.example.org."],
        ),
        (
            {"previous_hosts_down": [f"{number}.example.org" for number in range(7)]},
            [
                CHANGED,
                "Hosts that are back: 0.example.org, 1.example.org, 2.example.org, 3.example.org, 4.example.org ….",
            ],
        ),
        (
            {"redirects": RedirectReport(followed=2, merged=1)},
            [CHANGED, "2 links got a new address, 1 turned off because their movie already has it."],
        ),
        (
            {"moved": 4},
            [CHANGED, "4 links are permanently redirected; --follow-moves stores new addresses."],
        ),
    ],
)
def test_the_summary_says_what_happened(fields, lines):
    assert report(**fields).summary_lines() == [CHECKED, *lines]
