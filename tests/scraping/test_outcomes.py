"""Outcomes of jobs, and what a log may show."""

from __future__ import annotations

import json

import pytest

from streaming.models.job import FINISHED, UNFINISHED, SourceState
from streaming.scraping.outcomes import (
    INTERRUPTED_ERROR,
    NO_SOURCE_ERROR,
    forced_outcome,
    log_tail,
    outcome_of_sources,
    process_death_error,
    waiting_results,
)
from streaming.serializers import JobSerializer
from tests.helpers.growth import MAX_GROWTH, growth


def row(state, *, links=0, error=""):
    return {"source": state, "state": state, "links": links, "new": links, "seconds": 0.1, "error": error}


FOUND, NOTHING, BLOCKED = row("found", links=2), row("nothing"), row("blocked", error="robots.txt forbids it.")
FAILED = row("failed", error="The site timed out.")


@pytest.mark.parametrize(
    ("rows", "state", "outcome", "error"),
    [
        ([FOUND], "succeeded", "found", ""),
        ([FOUND, FAILED], "succeeded", "found", ""),
        ([NOTHING], "succeeded", "nothing", ""),
        ([NOTHING, FAILED], "succeeded", "nothing", ""),
        ([FAILED], "failed", "", "The site timed out."),
        ([FAILED, FAILED], "failed", "", "The site timed out."),
        ([FAILED, row("failed", error="It answered HTML.")], "failed", "", "No source could be searched."),
        ([row("failed")], "failed", "", "No source could be searched."),
        ([FAILED, BLOCKED], "failed", "", "The site timed out."),
        ([BLOCKED], "succeeded", "nothing", ""),
        ([row("searching")], "failed", "", INTERRUPTED_ERROR),
        ([row("waiting"), FOUND], "succeeded", "found", ""),
        ([], "failed", "", NO_SOURCE_ERROR),
    ],
)
def test_a_job_fails_only_when_no_source_was_searched(rows, state, outcome, error):
    ending = outcome_of_sources(rows)
    assert (ending.state, ending.outcome, ending.error) == (state, outcome, error)


def test_an_interrupted_source_states_why_and_its_links_count():
    ending = outcome_of_sources(
        [FOUND, row("searching", links=1), *waiting_results(["later"])], cut_short="Stopped after 60 seconds."
    )
    assert [one["state"] for one in ending.sources] == ["found", "failed", "failed"]
    assert [one["error"] for one in ending.sources] == ["", "Stopped after 60 seconds.", "Stopped after 60 seconds."]
    assert (ending.links_found, ending.links_new) == (3, 3)


def test_a_forced_outcome_keeps_the_results_of_finished_sources():
    ending = forced_outcome("cancelled", [FOUND, row("searching")], error="x" * 400)
    assert [one["state"] for one in ending.sources] == ["found", "failed"]
    assert len(ending.error) == 300


def test_the_error_of_a_dead_process_names_the_cause():
    assert process_death_error(-9) == "The scrape stopped unexpectedly (killed by signal 9)."
    assert process_death_error(3) == "The scrape stopped unexpectedly (exit status 3)."


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b"GET https://h.example/a?key=1&x=2 done", "GET https://h.example/a done"),
        (b"<GET https://h.example/a?key=1> (referer: None)", "<GET https://h.example/a> (referer: None)"),
        (b"postgres://user:pw@db/name", "postgres://db/name"),
        (b"https://user:p%40w@h.example/#frag", "https://h.example/"),
        (b"why? because", "why? because"),
        (b"the key is s3cret-key!", "the key is [secret]!"),
        (rb'{"message": "by a \"\u00e9 key"}', '{"message": "by [secret]"}'),
        (b"red \x1b[31m\x00 end", "red \\x1b[31m\\x00 end"),
        ("forged\u2028line\u202e".encode(), "forged\\u2028line\\u202e"),
        (b"a\r\nb\tc", "a\nb\tc"),
        (b"broken \xff utf-8", "broken \ufffd utf-8"),
    ],
)
def test_a_log_is_safe_to_display(raw, kept):
    assert log_tail(raw, secrets=["s3cret-key", 'a "é key', ""]) == kept


def test_a_log_keeps_its_last_64_kib_in_any_script():
    kept = log_tail("é".encode() * 100_000 + b"end")
    assert len(kept.encode()) <= 64 * 1024
    assert kept.endswith("éend")


@pytest.mark.parametrize("word", [b"http://", b"a://", b"https://a?", b"a" * 10, b"\x1b", b"://@"])
def test_a_hostile_log_is_redacted_in_linear_time(word):
    assert growth(log_tail, lambda size: word * (size // len(word)), 131_072) < MAX_GROWTH


@pytest.mark.parametrize("state", SourceState)
def test_stored_states_are_recognized_as_finished(state):
    assert (state in FINISHED) is (state.value in FINISHED) is (state not in UNFINISHED)
    assert json.loads(json.dumps(row(state))) == row(state.value)


@pytest.mark.parametrize("state", SourceState)
def test_a_job_that_has_ended_leaves_no_source_unfinished(state):
    assert {one["state"] for one in outcome_of_sources([row(state.value)]).sources} <= FINISHED


def test_the_states_of_a_source_are_those_that_are_published():
    assert SourceState.values == ["waiting", "searching", "found", "nothing", "failed", "blocked"]
    assert JobSerializer().fields["sources"].child.fields["state"].choices.keys() == set(SourceState.values)
