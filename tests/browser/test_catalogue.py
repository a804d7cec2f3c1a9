"""The catalogue in a real browser: search as you type, filters, back button, theme; and without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit, wait_for_value
from tests.helpers import browser_seed

CARDS = "#results > .grid > .movie-card"
"""Those of the list, without the rows above it."""


def pages_asked_for(visit: Visit) -> list[str]:
    return [url for url in visit.requests if "/?" in url or url.endswith("/")]


def focused(page) -> str:
    return page.evaluate("document.activeElement.id || document.activeElement.tagName")


def test_search_finds_as_you_type(visit):
    page = visit.page
    page.goto("/")
    expect(page.locator("#count")).to_have_text(f"{browser_seed.TITLES} titles")
    page.keyboard.press("/")
    assert focused(page) == "q"
    visit.requests.clear()
    page.keyboard.type("nosf", delay=30)
    expect(page.locator("#count")).to_have_text("1 title")
    expect(page.locator(".movie-card .name")).to_have_text("Nosferatu")
    expect(page).to_have_url("/?q=nosf")
    expect(page.locator("#live")).to_have_text("1 title")
    assert focused(page) == "q"
    assert len(pages_asked_for(visit)) == 1


def test_rows_lead_to_lists_and_give_way_to_a_search_which_has_an_order_of_its_own(visit):
    page = visit.page
    page.goto("/")
    rows, orders = page.locator(".home-row"), page.locator("[name=sort] option")
    expect(rows.first.locator("h2")).to_have_text("Well known")
    expect(orders.filter(has_text="Best known first")).to_have_count(1)
    expect(orders.filter(has_text="Best match")).to_have_count(0)
    page.locator("#q").fill("nosf")
    expect(rows).to_have_count(0)
    expect(orders.nth(0)).to_have_text("Best match")
    expect(orders.nth(1)).to_have_text("Best known first")
    page.locator("#q").fill("")
    expect(rows.first).to_be_visible()
    expect(orders.nth(0)).to_have_text("Best known first")
    expect(orders.nth(1)).to_have_text("Title A–Z")
    page.get_by_role("link", name="Short films").click()
    page.wait_for_url("/?type=movie&working=1&runtime_max=40")
    expect(page.locator(".chips")).to_contain_text("At most 40 min")


@pytest.mark.parametrize("width", [320, 390, 600])
def test_a_card_of_a_row_that_gets_the_focus_is_scrolled_into_view(visit, width):
    page = visit.page
    page.set_viewport_size({"width": width, "height": 844})
    page.goto("/")
    stops = page.locator(".home-row .grid").first.locator("a, button")
    forward = range(stops.count())
    assert len(forward) > 4
    stops.first.focus()
    for key, order in (("Tab", forward), ("Shift+Tab", reversed(forward))):
        for stop in order:
            expect(stops.nth(stop)).to_be_focused()
            wait_for_value(page, f"{{ const box = document.activeElement.getBoundingClientRect();"
                                 f" box.left >= 0 && box.right <= {width}; }}", True)  # fmt: skip
            page.keyboard.press(key)
        page.keyboard.press("Shift+Tab")


BROKEN_WORDS = """words => [...document.querySelectorAll('.movie-card .tag')].flatMap(tag => {
    const text = [...tag.childNodes].findLast(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
    text.data = words;
    const range = document.createRange();
    return [...text.data.matchAll(/\\S+/g)].filter(word => {
        range.setStart(text, word.index);
        range.setEnd(text, word.index + word[0].length);
        return range.getClientRects().length > 1;
    }).map(word => word[0]);
})"""


@pytest.mark.parametrize("width", [320, 390, 650, 700, 1000, 1280])
def test_no_word_on_a_poster_is_broken(visit, width):
    page = visit.page
    page.set_viewport_size({"width": width, "height": 844})
    for path in ("/", "/?sort=title", f"/streaming/{browser_seed.SHOWN}/"):
        page.goto(path)
        assert page.locator(".movie-card .tag").count() > 2
        for words in ("Not checked yet", "Noch nicht geprüft", "Pas encore vérifié", "Sin comprobar"):
            assert page.evaluate(BROKEN_WORDS, words) == []


def test_filters_chips_and_the_back_button(visit):
    page = visit.page
    page.goto("/")
    page.get_by_text("Working links only").click()
    page.wait_for_url("/?working=1")
    page.select_option("select[name=decade]", "1920")
    page.wait_for_url("/?working=1&decade=1920")
    with_both = page.locator("#count").inner_text()
    page.get_by_text("Movies", exact=True).click()
    page.wait_for_url("/?type=movie&working=1&decade=1920")
    expect(page.locator(".chips li")).to_have_count(4)
    page.go_back()
    page.wait_for_url("/?working=1&decade=1920")
    expect(page.locator("#count")).to_have_text(with_both)
    expect(page.locator("select[name=decade]")).to_have_value("1920")
    expect(page.locator("input[name=working]")).to_be_checked()
    page.get_by_role("link", name="1920s remove filter").click()
    page.wait_for_url("/?working=1")
    expect(page.locator("select[name=decade]")).to_have_value("")
    page.get_by_label("Year from").fill("1920")
    page.get_by_label("Year to").fill("1922")
    page.keyboard.press("Enter")
    page.wait_for_url("/?working=1&year_min=1920&year_max=1922")
    expect(page.locator(".chips")).to_contain_text("Until 1922")


def test_enter_opens_the_only_title_that_is_found_and_back_leads_to_the_list(visit):
    page = visit.page
    page.goto("/")
    page.fill("#q", "nosferatu")
    page.keyboard.press("Enter")
    page.wait_for_url("/streaming/tt0013442/")
    page.go_back()
    page.wait_for_url("/?q=nosferatu")
    expect(page.locator(CARDS)).to_have_count(1)
    page.fill("#q", "the")
    page.keyboard.press("Enter")
    expect(page.locator(CARDS).nth(5)).to_be_visible()
    expect(page).to_have_url("/?q=the")


def test_show_more_appends_and_focuses_the_first_new_title(visit):
    page = visit.page
    page.goto("/")
    page.get_by_role("link", name="Show more titles").focus()
    page.keyboard.press("Enter")
    expect(page.locator(CARDS)).to_have_count(48)
    new = page.locator(f"{CARDS} a").nth(24)
    expect(new).to_be_focused()
    expect(page.locator("#more p")).to_have_text(f"48 of {browser_seed.TITLES}")


def test_back_restores_the_cards_that_show_more_brought_and_the_place(visit):
    page = visit.page
    page.goto("/")
    page.get_by_role("link", name="Show more titles").click()
    expect(page.locator(CARDS)).to_have_count(48)
    expect(page).to_have_url("/?pages=2")
    card = page.locator(f"{CARDS} a").nth(40)
    card.scroll_into_view_if_needed()
    place = page.evaluate("scrollY")
    assert place > 1000
    card.click()
    page.wait_for_url("**/streaming/**")
    page.go_back()
    expect(page.locator(CARDS)).to_have_count(48)
    wait_for_value(page, f"Math.abs(scrollY - {place}) < 60", True)


def test_on_a_phone_the_filters_are_a_sheet_that_says_what_they_find(visit):
    page = visit.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/")
    opener, sheet = page.locator(".open-filters"), page.locator("#filters")
    expect(sheet).to_be_hidden()
    opener.click()
    expect(sheet).to_be_visible()
    for name in ("decade", "source", "quality", "language", "licence"):
        box = page.locator(f"select[name={name}]").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    years = [page.locator(f"input[name=year_{end}]").bounding_box() for end in ("min", "max")]
    assert (years[0]["y"], years[0]["width"]) == (years[1]["y"], years[1]["width"])
    page.select_option("select[name=decade]", "1920")
    page.get_by_text("Movies", exact=True).click()
    page.wait_for_url("/?type=movie&decade=1920")
    found = page.locator("#count").inner_text()
    show = page.get_by_role("button", name=f"Show {found}", exact=True)
    expect(show).to_be_visible()
    before = len(pages_asked_for(visit))
    show.click()
    expect(sheet).to_be_hidden()
    expect(opener).to_have_text(re.compile(r"^\s*Filters\s*2$"))
    assert len(pages_asked_for(visit)) == before
    opener.focus()
    page.keyboard.press("Enter")
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(opener).to_be_focused()


def test_the_arrow_keys_in_a_select_cost_one_request(visit):
    page = visit.page
    page.goto("/")
    visit.requests.clear()
    page.locator("select[name=decade]").focus()
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    expect(page).to_have_url(re.compile(r"/\?decade=\d+$"))
    assert len(pages_asked_for(visit)) == 1


def test_an_empty_result_gives_advice_and_can_be_cleared(visit):
    page = visit.page
    page.goto("/")
    page.fill("#q", "zzzz")
    expect(page.get_by_text("Nothing matches “zzzz”")).to_be_visible()
    page.get_by_role("link", name="Clear search and filters").click()
    expect(page.locator("#count")).to_have_text(f"{browser_seed.TITLES} titles")


def test_the_theme_is_remembered_and_rendered_by_the_server(visit):
    page = visit.page
    page.goto("/health/")
    toggle = page.locator("[data-theme-toggle]")
    toggle.click()
    toggle.click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto("/sources/")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 17, 22)"


def test_without_scripts_search_filters_and_pages_work(plain):
    plain.goto("/")
    plain.fill("#q", "nosf")
    plain.keyboard.press("Enter")
    expect(plain.locator(".movie-card .name")).to_have_text("Nosferatu")
    plain.goto("/")
    plain.select_option("select[name=decade]", "1910")
    plain.get_by_role("button", name="Apply").click()
    plain.wait_for_url("**decade=1910**")
    expect(plain.locator(".movie-card").nth(3)).to_be_visible()
    plain.goto("/")
    plain.get_by_role("link", name="Show more titles").click()
    plain.wait_for_url(re.compile(r"/\?page=2&after=[\w-]+$"))
    expect(plain.locator(".movie-card")).to_have_count(24)


def test_without_scripts_the_sheet_of_filters_opens_and_shows_its_results(plain):
    plain.set_viewport_size({"width": 390, "height": 844})
    plain.goto("/")
    plain.locator(".open-filters").click()
    plain.select_option("select[name=decade]", "1910")
    plain.locator(".show-results").click()
    plain.wait_for_url("**decade=1910**")
    expect(plain.locator(".open-filters .number")).to_have_text("1")
    expect(plain.locator(".movie-card").nth(3)).to_be_visible()
