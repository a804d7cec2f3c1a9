"""Searches for links in a real browser, with real jobs, a real spider and the example site."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.helpers import browser_seed

SOON = 30_000
QUIET_MILLISECONDS = 2_500


def polls(visit: Visit) -> list[str]:
    return [url for url in visit.requests if "/jobs/" in url]


def stay(page) -> None:
    """Mark the page, so that a reload can be noticed."""
    page.evaluate("window.stayed = true")


def remember_states(page) -> None:
    page.evaluate(
        """() => {
            window.seen = [];
            const look = () => {
                const text = document.querySelector("#job .steps small");
                if (text && window.seen.at(-1) !== text.textContent) window.seen.push(text.textContent);
            };
            new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
        }"""
    )


def test_refresh_links_shows_its_sources_and_ends(visit):
    page = visit.page
    page.goto(f"/streaming/{browser_seed.REFRESHED}/")
    stay(page)
    remember_states(page)
    before = page.locator("#table .copy").count()
    button = page.get_by_role("button", name="Refresh Links", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#job.queued, #job.running")).to_be_visible()
    expect(button).to_have_attribute("aria-disabled", "true")
    presses = len([url for url in visit.requests if url.endswith("/refresh/")])
    page.keyboard.press("Enter")
    expect(page.locator("#job.succeeded")).to_be_visible(timeout=SOON)
    assert len([url for url in visit.requests if url.endswith("/refresh/")]) == presses == 1
    expect(page.locator(".job-title")).to_have_text(re.compile(r"Found [1-9]\d* (new )?links?"))
    expect(page.locator(".steps li.found")).to_contain_text("Example site")
    expect(page.locator("#live")).to_contain_text("Links refreshed:")
    assert page.locator(".toast").count() == 0
    expect(page.locator("#fresh")).not_to_contain_text("not checked yet")
    expect(page.locator("#table .copy").nth(before)).to_be_attached()
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-disabled", "false")
    expect(page.get_by_role("link", name="Watch here")).to_have_count(0)
    assert "searching" in page.evaluate("window.seen")
    assert page.evaluate("window.stayed")
    count = len(polls(visit))
    assert count >= 2
    page.wait_for_timeout(QUIET_MILLISECONDS)
    assert len(polls(visit)) == count


def test_opening_a_movie_without_links_finds_them(visit):
    page = visit.page
    page.goto(f"/streaming/{browser_seed.LINKLESS[0]}/")
    stay(page)
    expect(page.locator("#watch")).to_contain_text("Looking for a link that works.")
    expect(page.locator("#job")).to_be_visible()
    expect(page.locator("#watch")).to_contain_text("Watch on Example site", timeout=SOON)
    expect(page.locator("#fresh")).to_contain_text("last checked just now")
    expect(page.locator("#table .badge-active").first).to_be_visible()
    reported = page.locator("#table .copy [data-report-link]").last
    reported.click()
    expect(page.locator("#report [name=link]")).to_have_value(reported.get_attribute("data-report-link"))
    page.get_by_role("button", name="Does not work").click()
    expect(page.locator("#report-answer")).to_contain_text("It works.", timeout=SOON)
    assert page.evaluate("window.stayed")
    page.get_by_role("link", name="Watch here").click()
    expect(page.get_by_role("button", name="Play here")).to_be_visible()


def test_a_report_that_is_being_written_outlives_the_end_of_a_search_which_adds_its_links(visit):
    page = visit.page
    page.goto(f"/streaming/{browser_seed.SHOWN}/")
    links, note = page.locator("#report [name=link]"), page.locator("#report [name=note]")
    before = links.locator("option").count()
    chosen = links.locator("option").last.get_attribute("value")
    details = page.locator("#" + page.locator(".copy details").first.get_attribute("id"))
    page.get_by_role("button", name="Refresh Links", exact=True).click()
    details.locator("summary").click()
    links.select_option(chosen)
    note.focus()
    page.keyboard.type("It stops ")
    expect(page.locator("#job.succeeded")).to_be_visible(timeout=SOON)
    expect(links.locator("option").nth(before)).to_be_attached()
    page.keyboard.type("after a minute.")
    expect(links).to_have_value(chosen)
    expect(note).to_have_value("It stops after a minute.")
    expect(details).to_have_attribute("open", "")
    page.keyboard.press("Enter")
    expect(page.locator("#report-answer")).to_be_empty()
    page.get_by_role("button", name="Wrong film").click()
    expect(page.locator("#report-answer")).to_contain_text("Thank you.")
    expect(note).to_have_value("")


def test_a_report_is_about_the_chosen_link_even_if_a_search_no_longer_shows_it(visit, site):
    page = visit.page
    page.goto(f"/streaming/{browser_seed.SHOWN}/")
    links = page.locator("#report [name=link]")
    chosen = links.locator("option").last.get_attribute("value")
    links.select_option(chosen)
    site.run(f"from streaming.models import StreamingLink as L; L.objects.filter(pk={chosen}).update(is_active=False)")
    page.get_by_role("button", name="Refresh Links", exact=True).click()
    expect(page.locator("#job.succeeded")).to_be_visible(timeout=SOON)
    expect(page.locator(f"#table .copy-actions #watch-{chosen}")).to_have_count(0)
    expect(links).to_have_value(chosen)


def test_the_season_stays_when_a_search_ends(visit):
    page = visit.page
    page.goto(f"/streaming/{browser_seed.SHOW}/?season=2")
    page.get_by_role("button", name="Refresh Links", exact=True).click()
    expect(page.locator("#job.queued, #job.running")).to_have_count(0, timeout=SOON)
    expect(page.locator("#job.succeeded, #job.failed")).to_be_visible(timeout=SOON)
    expect(page.locator(".seasons [aria-current]")).to_have_text("Season 2")


def test_two_tabs_see_the_same_search(visit):
    first, second = visit.page, visit.context.new_page()
    address = f"/streaming/{browser_seed.LINKLESS[1]}/"
    for tab in (first, second):
        tab.goto(address)
        expect(tab.locator("#job")).to_be_visible()
    jobs = {tab.locator("#job").get_attribute("hx-get") for tab in (first, second)}
    assert len(jobs) == 1
    for tab in (first, second):
        expect(tab.locator("#watch")).to_contain_text("Watch on", timeout=SOON)
        expect(tab.locator("#job.succeeded")).to_be_visible()


def test_without_scripts_the_button_and_the_link_do_the_same(plain):
    plain.goto(f"/streaming/{browser_seed.PLAIN}/")
    before = plain.locator("#table .copy").count()
    plain.get_by_role("button", name="Refresh Links", exact=True).click()
    expect(plain.locator("#job")).to_be_visible()
    assert "?job=" in plain.url
    for _ in range(60):
        if plain.locator("#job.succeeded, #job.failed").count():
            break
        address = plain.url
        plain.get_by_role("link", name="Update progress").click()
        assert plain.url != address
        plain.wait_for_timeout(300)
    expect(plain.locator("#job.succeeded")).to_be_visible()
    expect(plain.locator("#table .copy").nth(before)).to_be_attached()


def test_removing_a_movie_during_its_search_ends_the_polling(browser, site):
    site.run("from tests.helpers import browser_seed; browser_seed.add_running_job()")
    context = browser.new_context(base_url=site.address)
    page = context.new_page()
    page.goto(f"/streaming/{browser_seed.RUNNING}/")
    expect(page.locator("#job")).to_be_visible()
    site.run("from tests.helpers import browser_seed; browser_seed.remove_movies()")
    expect(page.locator(".toast")).to_contain_text("no longer in the catalogue", timeout=SOON)
    expect(page.locator("#job[hx-get]")).to_have_count(0)
    context.close()


def test_a_new_error_toast_replaces_the_last_one(browser, site):
    context = browser.new_context(base_url=site.address)
    page = context.new_page()
    seconds = iter((37, 35))
    page.route(
        "**/refresh/",
        lambda route: route.fulfill(status=429, body=f"Too many refreshes. Try again in {next(seconds)} seconds."),
    )
    page.goto(f"/streaming/{browser_seed.SHOWN}/")
    for shown in (37, 35):
        page.get_by_role("button", name="Refresh Links", exact=True).click()
        expect(page.locator(".toast > span")).to_have_text([f"Too many refreshes. Try again in {shown} seconds."])
    context.close()


@pytest.fixture
def failing_searches(site):
    site.run("from tests.helpers import browser_seed; browser_seed.add_failing_searches()")
    yield
    site.run("from tests.helpers import browser_seed; browser_seed.remove_movies()")


@pytest.mark.parametrize(
    ("imdb_id", "ending", "title", "source"),
    [
        (browser_seed.UNKNOWN, "#job.succeeded.nothing", "No source has this title today.", "li.nothing"),
        (browser_seed.UNREACHABLE_SEARCH, "#job.failed", "Refresh did not finish.", "li.failed"),
    ],
)
def test_a_search_without_links_says_why_and_the_polling_ends(visit, failing_searches, imdb_id, ending, title, source):
    page = visit.page
    page.goto(f"/streaming/{imdb_id}/")
    expect(page.locator("#job")).to_be_visible()
    expect(page.locator(ending)).to_be_visible(timeout=SOON)
    expect(page.locator(".job-title")).to_contain_text(title)
    expect(page.locator(f".steps {source}")).to_contain_text("Example site")
    expect(page.locator("#watch")).to_contain_text("No working link right now.")
    count = len(polls(visit))
    page.wait_for_timeout(QUIET_MILLISECONDS)
    assert len(polls(visit)) == count
