"""A title that is not there, asked for in a real browser: real jobs, a real spider and the example site."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.helpers import browser_seed

SOON = 30_000
QUIET_MILLISECONDS = 1_500


@pytest.fixture
def absent(site) -> str:
    """A film of the example site that the catalogue has not; its search brings it back."""
    site.run("from tests.helpers import browser_seed; browser_seed.forget_movie()")
    return browser_seed.ABSENT


def polls(visit: Visit) -> list[str]:
    """The requests for the page of a title: the first is the page itself."""
    return [url for url in visit.requests if re.search(r"/look-for/tt\d+/$", url)]


def ask(visit: Visit, imdb_id: str) -> None:
    """Ask for the title by the form; its page says that it is being searched, and is marked to notice a reload."""
    visit.page.goto(f"/look-for/?q={imdb_id}")
    visit.page.get_by_role("button", name="Look for it").click()
    visit.page.wait_for_url(re.compile(f"/look-for/{imdb_id}/$"))
    visit.page.evaluate("window.stayed = true")


def test_a_title_that_is_found_leads_from_its_progress_to_its_page(visit, absent):
    page = visit.page
    ask(visit, absent)
    expect(page.locator("#search.running .steps .searching")).to_contain_text("Example site", timeout=SOON)
    assert page.evaluate("window.stayed")
    expect(page).to_have_url(re.compile(f"/streaming/{absent}/$"), timeout=SOON)
    expect(page.locator("#watch")).to_contain_text("Watch on Example site")
    count = len(polls(visit))
    assert count > 2
    page.wait_for_timeout(QUIET_MILLISECONDS)
    assert len(polls(visit)) == count


def test_a_title_that_no_source_has_is_said_to_be_and_the_polling_ends(visit):
    page = visit.page
    ask(visit, browser_seed.NOWHERE)
    expect(page.locator("#search.succeeded .job-title")).to_have_text("No source has it.", timeout=SOON)
    expect(page.locator("#search .steps .nothing")).to_contain_text("Example site")
    expect(page.locator("#search .job-help")).to_contain_text("They will be asked again on")
    expect(page.get_by_role("button", name="Look for it")).to_have_count(0)
    expect(page.locator("#search[hx-get]")).to_have_count(0)
    count = len(polls(visit))
    page.wait_for_timeout(QUIET_MILLISECONDS)
    assert len(polls(visit)) == count
