"""The texts of a scrape job: every state with every outcome, and every state of a source."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from streaming.models import Movie, ScrapeJob
from streaming.web.job_view import SPINNER, Icon, StepView, job_view

AGAIN = datetime(2026, 11, 28, 15, 4, tzinfo=UTC)
ALERT, MINUS, CHECK = Icon("alert", "icon-bad"), Icon("minus"), Icon("check", "icon-good")
FAILED_HELP = "Links found so far are saved."
NOTHING_HELP = "We search again when this page is opened."
BROKEN = "1 of 2 sources did not respond."


def row(state: str, *, source: str = "commons", links: int = 0, error: str = "") -> dict:
    return {"source": source, "state": state, "links": links, "new": 0, "seconds": None, "error": error}


def view_of(*, working_links: int | None = None, next_scrape_at: datetime | None = None, **fields):
    movie = Movie(title="Nosferatu", next_scrape_at=next_scrape_at)
    return job_view(ScrapeJob(movie=movie, **fields), movie=movie, working_links=working_links)


EXPECTED = {
    ("queued", ""): ("Waiting to start…", SPINNER, "", ""),
    ("queued", "found"): ("Waiting to start…", SPINNER, "", ""),
    ("queued", "nothing"): ("Waiting to start…", SPINNER, "", ""),
    ("running", ""): ("Checking the links…", SPINNER, "", ""),
    ("running", "found"): ("Checking the links…", SPINNER, "", ""),
    ("running", "nothing"): ("Checking the links…", SPINNER, "", ""),
    ("succeeded", ""): ("Found 4 links, 3 of them new.", CHECK, "", "Links refreshed: 2 working."),
    ("succeeded", "found"): (
        "Found 4 links, 3 of them new.",
        CHECK,
        f"{BROKEN} Links from the others are saved.",
        "Links refreshed: 2 working.",
    ),
    ("succeeded", "nothing"): ("No source has this title today.", MINUS, NOTHING_HELP, "Links refreshed: 2 working."),
    ("failed", ""): (f"Refresh did not finish. {BROKEN}", ALERT, FAILED_HELP, f"Refresh did not finish. {BROKEN}"),
    ("failed", "found"): (f"Refresh did not finish. {BROKEN}", ALERT, FAILED_HELP, f"Refresh did not finish. {BROKEN}"),
    ("failed", "nothing"): (
        f"Refresh did not finish. {BROKEN}",
        ALERT,
        FAILED_HELP,
        f"Refresh did not finish. {BROKEN}",
    ),
    ("cancelled", ""): ("Refresh was cancelled.", MINUS, "", "Refresh was cancelled."),
    ("cancelled", "found"): ("Refresh was cancelled.", MINUS, "", "Refresh was cancelled."),
    ("cancelled", "nothing"): ("Refresh was cancelled.", MINUS, "", "Refresh was cancelled."),
}


def test_the_table_has_every_combination():
    assert set(EXPECTED) == {(state, outcome) for state in ScrapeJob.State for outcome in ("", *ScrapeJob.Outcome)}


@pytest.mark.parametrize(("state", "outcome"), EXPECTED)
def test_each_state_with_each_outcome(state, outcome):
    sources = [row("failed"), row("found", links=4)]
    view = view_of(state=state, outcome=outcome, sources=sources, links_new=3, links_found=4, working_links=2)
    assert (view.title, view.icon, view.help, view.announcement) == EXPECTED[state, outcome]
    assert view.links_to_sources == (state == "failed")


@pytest.mark.parametrize(
    ("result", "icon", "text"),
    [
        (row("waiting"), Icon("dot"), "waiting"),
        (row("searching"), SPINNER, "searching"),
        (row("found", links=1), Icon("check"), "1 link"),
        (row("found", links=2, error="1 link was refused"), Icon("check"), "2 links"),
        (row("nothing"), Icon("minus"), "no match"),
        (row("nothing", error="1 link waits for review"), Icon("minus"), "1 link waits for review"),
        (row("failed"), Icon("x"), "did not respond"),
        (row("failed", error="Timed\u202e out"), Icon("x"), "Timed out"),
        (row("blocked"), Icon("x"), "blocked"),
        (row("blocked", error="robots.txt"), Icon("x"), "robots.txt"),
        (row("of a later version"), Icon("dot"), "waiting"),
    ],
)
def test_each_state_of_a_source(result, icon, text):
    view = view_of(state="running", sources=[result])
    assert view.steps == (StepView(name="Wikimedia Commons", state=result["state"], icon=icon, text=text),)


@pytest.mark.parametrize(
    ("new", "found", "title"),
    [
        (0, 0, "Found no links."),
        (0, 5, "Found 5 links, none of them new."),
        (1, 5, "Found 5 links, 1 of them new."),
        (1, 1, "Found 1 new link."),
        (3, 3, "Found 3 new links."),
    ],
)
def test_what_was_found_is_counted(new, found, title):
    assert view_of(state="succeeded", outcome="found", links_new=new, links_found=found).title == title


@pytest.mark.parametrize(
    ("sources", "error", "title"),
    [
        ([row("failed")], "Timed out.", "Refresh did not finish. 1 of 1 source did not respond."),
        ([row("blocked"), row("failed")], "", "Refresh did not finish. 2 of 2 sources did not respond."),
        ([row("found")], "Timed out.", "Refresh did not finish. Timed out."),
        ([], "", "Refresh did not finish."),
    ],
)
def test_a_failure_says_why(sources, error, title):
    assert view_of(state="failed", sources=sources, error=error).title == title


def test_nothing_found_says_when_we_look_again():
    view = view_of(state="succeeded", outcome="nothing", next_scrape_at=AGAIN)
    assert view.help == "We search again when this page is opened after 28 Nov, 15:04 UTC."


@pytest.mark.parametrize(
    ("sources", "title"),
    [
        ([], "Looking for links…"),
        ([row("searching"), row("found")], "Looking for links…"),
        ([row("nothing"), row("found")], "Checking the links…"),
    ],
)
def test_when_all_sources_were_searched_the_links_are_checked(sources, title):
    assert view_of(state="running", sources=sources).title == title


def test_a_complete_search_has_no_help_text():
    assert view_of(state="succeeded", outcome="found", sources=[row("found", links=1)]).help == ""


@pytest.mark.parametrize(
    ("working_links", "announcement"),
    [(None, ""), (0, "No link found for Nosferatu."), (1, "Links refreshed: 1 working.")],
)
def test_the_announcement_counts_working_links(working_links, announcement):
    assert view_of(state="succeeded", outcome="found", working_links=working_links).announcement == announcement
