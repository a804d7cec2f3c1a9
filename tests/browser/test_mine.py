"""A visitor's own lists, in a real browser: hearts, the page, the file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

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
    expect(place.get_by_text("S2 E3. At 12:34 of 1:20:00")).to_be_visible()
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


FORBIDDEN = """Object.defineProperty(window, "localStorage", {
    get() { throw new DOMException("denied", "SecurityError"); } });"""
FULL = """Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };"""
NOTHING_KEPT, FULL_STORAGE = "This browser lets the site store nothing", "This browser's storage for this site is full"


@pytest.mark.parametrize(("script", "sentence"), [(FORBIDDEN, NOTHING_KEPT), (FULL, FULL_STORAGE)])
def test_a_heart_that_the_browser_does_not_keep_says_why(visit, script, sentence):
    page = visit.page
    page.add_init_script(script)
    page.goto("/")
    page.locator(".heart").first.click()
    expect(page.locator(".heart").first).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".toast")).to_contain_text(f"{sentence}.")


@pytest.mark.parametrize(("script", "sentence"), [(FORBIDDEN, NOTHING_KEPT), (FULL, FULL_STORAGE)])
def test_an_import_that_the_browser_does_not_keep_says_why(visit, script, sentence):
    page = visit.page
    page.add_init_script(script)
    page.goto("/mine/")
    import_file(page, json.dumps(LISTS))
    expect(page.locator(".mine-status")).to_contain_text(f"{sentence}, so ")
    import_file(page, "no lists")
    expect(page.locator(".mine-status")).to_contain_text("This file holds no lists exported here.")


def test_where_storing_is_forbidden_each_button_says_so(visit):
    page = visit.page
    page.add_init_script(FORBIDDEN)
    page.goto("/mine/")
    status, sentence = page.locator(".mine-status"), f"{NOTHING_KEPT}, so there are no lists."
    expect(status).to_have_text(sentence)
    for name in ("Export as a file", "Delete everything"):
        status.evaluate("status => { status.textContent = ''; }")
        page.get_by_role("button", name=name).click()
        expect(status).to_have_text(sentence)


def store(page: Page, **values: object) -> None:
    """Store these values as JSON, texts as they are."""
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    page.evaluate("values => Object.entries(values).forEach(([key, value]) => localStorage.setItem(key, value))", texts)


@pytest.mark.parametrize(
    "lists", [{"watchlist": {FIRST: None}}, {"watchlist": {FIRST: 5, "x": {}}, "watched": [1]}, [], None, "{", 7]
)
def test_damaged_lists_count_as_empty_and_are_exported(visit, lists):
    page = visit.page
    page.goto("/mine/")
    store(page, mine=lists)
    page.reload()
    expect(section(page, "Watchlist").get_by_text("Nothing here yet")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as a file").click()
    exported = json.loads(download.value.path().read_text())
    assert (exported["watchlist"], exported["watched"], exported["positions"]) == ([], [], [])


def test_what_is_readable_in_damaged_lists_is_kept(visit):
    page = visit.page
    page.goto("/mine/")
    store(page, mine={"watchlist": {FIRST: {"title": {"toString": 1}, "added": "x"}, SECOND: None}})
    page.reload()
    expect(section(page, "Watchlist").locator(".movie-card")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as a file").click()
    exported = json.loads(download.value.path().read_text())
    assert exported["watchlist"] == [{"imdb_id": FIRST, "title": "", "added": 0}]


@pytest.mark.parametrize(
    "changed",
    [{"at": 1e300, "duration": 1e300}, {"at": -5}, {"at": 4801}, {"saved": 1e300}, {"part": 5}, {"imdb_id": ["x"]}],
)
def test_an_impossible_place_is_not_imported(visit, changed):
    page = visit.page
    page.goto("/mine/")
    place = {"imdb_id": FIRST, "part": "--", **PLACE, **changed}
    import_file(page, json.dumps({**LISTS, "watchlist": [], "watched": [], "positions": [place]}))
    expect(page.locator(".mine-status")).to_contain_text("Left out, because this site cannot read them: 1.")
    expect(section(page, "Continue watching")).to_be_hidden()


def test_when_back_brings_the_page_from_memory_the_lists_are_those_of_now(visit):
    page = visit.page
    page.goto("/mine/")
    store(page, mine={"watchlist": {FIRST: {"title": "x", "added": 1}}})
    page.reload()
    expect(section(page, "Watchlist").locator(".movie-card")).to_have_count(1)
    store(page, mine={"watched": {FIRST: {"title": "x", "added": 2}}})
    # What a browser with windows does by itself; the one of these tests keeps no pages in memory.
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(section(page, "Watchlist").get_by_text("Nothing here yet")).to_be_visible()
    expect(section(page, "Watchlist").locator(".movie-card")).to_have_count(0)
    expect(section(page, "Watched").locator(".movie-card")).to_have_count(1)


def test_what_another_tab_changes_is_shown_at_once_and_keeps_the_focus(visit):
    page, other = visit.page, visit.context.new_page()
    page.goto("/mine/")
    watchlist = section(page, "Watchlist")
    expect(watchlist.get_by_text("Nothing here yet")).to_be_visible()
    other.goto(f"/streaming/{FIRST}/")
    other.get_by_role("button", name="Watchlist", exact=True).click()
    card = watchlist.locator(f'.movie-card:has([data-id="{FIRST}"]) a')
    expect(card).to_be_visible()
    card.focus()
    asked = len([url for url in visit.requests if "/mine/cards/" in url])
    other.goto("/mine/")
    import_file(other, json.dumps(LISTS))
    expect(watchlist.get_by_text("The Gone Film is no longer in the catalogue.")).to_be_visible()
    place = section(page, "Continue watching").locator(".place")
    expect(place).to_have_text("S2 E3. At 12:34 of 1:20:00")
    store(other, **{f"position:{browser_seed.SHOW}:3--": {**PLACE, "at": 60, "saved": 6}})
    expect(place).to_have_text("S3. At 1:00 of 1:20:00")
    expect(card).to_be_focused()
    # Each title is asked for once.
    assert len([url for url in visit.requests if "/mine/cards/" in url]) == asked + 3
    other.once("dialog", lambda dialog: dialog.accept())
    other.get_by_role("button", name="Delete everything").click()
    expect(place).to_be_hidden()
    expect(watchlist.get_by_text("Nothing here yet")).to_be_visible()
    expect(watchlist.get_by_role("heading")).to_be_focused()


def test_more_titles_are_shown_and_stay_when_another_tab_adds_one(visit, site):
    page, other = visit.page, visit.context.new_page()
    page.goto("/mine/")
    lists = {f"tt00000{number:02d}": {"title": f"Gone {number}", "added": number} for number in range(30)}
    store(page, mine={"watchlist": lists})
    page.reload()
    gone = section(page, "Watchlist").locator(".gone li")
    expect(gone).to_have_count(24)
    page.get_by_role("button", name="Show more titles").click()
    expect(gone).to_have_count(30)
    other.goto(f"/streaming/{FIRST}/")
    other.get_by_role("button", name="Watchlist", exact=True).click()
    expect(section(page, "Watchlist").locator(".movie-card")).to_have_count(1)
    expect(gone).to_have_count(30)


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
