"""A visitor's own lists, in a real browser: hearts, the page, the file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import expect

from tests.browser.test_quality import violations
from tests.helpers import browser_seed

FIRST, SECOND = browser_seed.SHOWN, browser_seed.PLAIN
GONE, OTHER = "tt9999999", "tt0000417"
PLACE = {"at": 754, "duration": 4800, "link": 1, "saved": 5}
LISTS = {
    "format": "openreel-mine",
    "version": 1,
    "watchlist": [{"imdb_id": GONE, "title": "The Gone Film", "added": 1}, {"imdb_id": "x"}, 7],
    "watched": [{"imdb_id": OTHER, "title": "A Trip to the Moon", "added": 1}],
    "positions": [{"imdb_id": browser_seed.SHOW, "part": "2-3-", **PLACE}, {"imdb_id": FIRST, "part": "--", "at": "x"}],
}


def section(page, name):
    return page.get_by_role("region", name=name, exact=True)


def import_file(page, content: str | bytes) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    file = {"name": "lists.json", "mimeType": "application/json", "buffer": data}
    page.locator("[data-import]").set_input_files([file])


def test_a_title_is_kept_with_the_keyboard_and_found_under_mine(visit):
    page = visit.page
    page.goto(f"/?q={FIRST}")
    heart = page.locator(f'.movie-card [data-id="{FIRST}"]')
    heart.focus()
    page.keyboard.press("Enter")
    expect(heart).to_have_attribute("aria-pressed", "true")
    page.goto(f"/streaming/{SECOND}/")
    page.get_by_role("button", name="Watched", exact=True).click()
    page.get_by_role("link", name="Mine", exact=True).click()
    watchlist = section(page, "Watchlist")
    expect(watchlist.locator(".movie-card")).to_have_count(1)
    expect(watchlist.locator(".heart")).to_have_attribute("aria-pressed", "true")
    expect(section(page, "Watched").locator(f'[data-id="{SECOND}"]')).to_be_visible()
    asked = [url for url in visit.requests if "/mine/cards/" in url]
    assert sorted(re.findall(r"ids=(.*)", " ".join(asked).replace(" ", "\n"))) == sorted([FIRST, SECOND])
    watchlist.locator(".heart").click()
    page.reload()
    expect(watchlist.get_by_text("Nothing here yet")).to_be_visible()


def test_lists_are_exported_and_imported(visit):
    page = visit.page
    page.goto("/mine/")
    import_file(page, json.dumps(LISTS))
    expect(page.get_by_role("status").first).to_contain_text("Imported: 3. Left out, because this site cannot read")
    gone = section(page, "Watchlist").get_by_text("The Gone Film is no longer in the catalogue.")
    expect(gone).to_be_visible()
    place = section(page, "Continue watching")
    expect(place.get_by_text("Episode 2-3. At 12:34 of 1:20:00")).to_be_visible()
    expect(place.get_by_role("link")).to_have_attribute("href", re.compile(rf"{browser_seed.SHOW}/\?season=2$"))
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as a file").click()
    exported = json.loads(download.value.path().read_text())
    assert exported["watched"] == LISTS["watched"]
    assert exported["positions"] == LISTS["positions"][:1]
    page.get_by_role("button", name="Remove The Gone Film").click()
    expect(gone).to_be_hidden()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete everything").click()
    expect(place).to_be_hidden()
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('position:'))") == []
    import_file(page, json.dumps(exported))
    expect(gone).to_be_visible()


@pytest.mark.parametrize("content", ["", "[]", '{"format": "other"}', "{" * 9999, b"\xff\xfe\0", "null"])
def test_a_bad_file_changes_nothing_and_a_sentence_says_why(visit, content):
    page = visit.page
    page.goto("/mine/")
    import_file(page, content)
    expect(page.locator(".mine-status")).to_have_text("This file holds no lists exported here. Nothing was changed.")
    assert page.evaluate("localStorage.length") == 0


def test_a_browser_that_stores_nothing_is_named(visit):
    page = visit.page
    page.goto("/")
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new DOMException('full'); }; }")
    page.locator(".heart").first.click()
    expect(page.locator(".heart").first).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".toast")).to_contain_text("This browser lets the site store nothing.")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark"), (320, "light"), (320, "dark")])
def test_axe_finds_nothing_in_full_lists(browser, site, width, scheme):
    view = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme, "reduced_motion": "reduce"}
    context = browser.new_context(base_url=site.address, bypass_csp=True, **view)
    page = context.new_page()
    page.goto("/mine/")
    import_file(page, json.dumps(LISTS))
    expect(page.locator(".movie-card")).to_have_count(2)
    page.evaluate(Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text())
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_without_scripts_a_sentence_says_why_there_are_no_lists(plain):
    plain.goto("/mine/")
    expect(plain.locator("noscript p")).to_contain_text("keeps these lists with JavaScript, which is off here.")
    plain.goto("/")
    expect(plain.locator(".heart").first).to_be_hidden()
