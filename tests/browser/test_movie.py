"""The page of a movie or show in a real browser: seasons, episodes, copies; by keyboard and without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import wait_for_value
from tests.helpers import browser_seed

SHOW = f"/streaming/{browser_seed.SHOW}/"


def test_an_episode_is_three_clicks_away_by_keyboard(visit):
    page = visit.page
    page.goto(SHOW)
    expect(page.locator("#watch .btn")).to_have_text("Watch S1 E1 on Example site")
    season = page.get_by_role("link", name="Season 4", exact=True)
    season.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".seasons [aria-current]")).to_have_text("Season 4")
    jump = page.get_by_role("link", name="S4 E17", exact=True)
    jump.focus()
    page.keyboard.press("Enter")
    row = page.locator("#s4e17")
    expect(row).to_be_in_viewport()
    assert row.bounding_box()["y"] > page.locator(".top").bounding_box()["height"] - 1
    page.keyboard.press("Tab")
    expect(row.get_by_role("link", name=re.compile("^Report"))).to_be_focused()
    page.keyboard.press("Tab")
    expect(row.get_by_role("link", name="Watch S4 E17 on Example site")).to_be_focused()


def test_without_scripts_seasons_copies_and_details_open(plain):
    plain.goto(SHOW)
    plain.get_by_role("link", name="Season 2", exact=True).click()
    row = plain.locator("#s2e3")
    expect(row.get_by_text("Not checked yet")).to_be_hidden()
    row.get_by_text("1 more copy").click()
    expect(row.get_by_text("Not checked yet")).to_be_visible()
    expect(row.get_by_role("link", name="Open (Wikimedia Commons, S2 E3)")).to_be_visible()
    expect(plain.locator(".copy")).to_have_count(20)


@pytest.mark.parametrize("has_dialog", [False, True])
def test_a_movie_is_recommended_by_the_dialog_of_the_system_or_by_its_address(browser, site, has_dialog):
    context = browser.new_context(base_url=site.address, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    dialog = "async (what) => { window.shared = what; }" if has_dialog else "undefined"
    page.add_init_script(f"Object.defineProperty(navigator, 'share', {{ value: {dialog} }})")
    page.clock.install()
    page.goto(f"/streaming/{browser_seed.SHOWN}/")
    page.get_by_role("button", name="Recommend").focus()
    page.keyboard.press("Enter")
    url = f"{site.address}/streaming/{browser_seed.SHOWN}/"
    if has_dialog:
        wait_for_value(page, "window.shared", {"title": "Night of the Living Dead (1968)", "url": url})
    else:
        for _ in range(2):
            expect(page.get_by_role("button", name="Address copied")).to_be_focused()
            page.clock.run_for(3_000)
            page.keyboard.press("Enter")
        page.clock.run_for(3_000)
        expect(page.get_by_role("button", name="Address copied")).to_be_focused()
        page.clock.run_for(3_000)
        expect(page.get_by_role("button", name="Recommend")).to_be_focused()
        expect(page.locator("#live")).to_have_text("Address copied")
        assert page.evaluate("navigator.clipboard.readText()") == url
    context.close()
