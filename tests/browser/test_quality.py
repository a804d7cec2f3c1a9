"""Quality of every page: accessibility, no sideways scrolling, no other hosts, small size."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import expect

from tests.helpers import browser_seed
from tests.web import test_markup

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = {
    "home": "/",
    "search": "/?q=the&type=movie&decade=1920",
    "nothing found": "/?q=zzzz",
    "movie": f"/streaming/{browser_seed.SHOWN}/",
    "movie of six sources": f"/streaming/{browser_seed.SIX_SOURCES}/",
    "movie of many genres": f"/streaming/{browser_seed.PLAIN}/",
    "show": f"/streaming/{browser_seed.SHOW}/?season=2",
    "hostile movie": f"/streaming/{browser_seed.HOSTILE}/",
    "failed search": f"/streaming/{browser_seed.FAILED}/",
    "search without result": f"/streaming/{browser_seed.NOTHING}/",
    "health": "/health/",
    "sources": "/sources/",
    "api": "/api/",
    "404": "/nowhere/",
    "mine": "/mine/",
    "list": "/lists/",
    "look for": "/look-for/",
    "tv": "/tv/",
    "movie on tv": f"/streaming/{browser_seed.SIX_SOURCES}/tv/",
    "job": "/jobs/1/",
    "privacy": "/privacy/",
    "takedown": "/takedown/",
    "removals": "/removed/",
    "swagger": "/api/streaming/docs/",
}
STYLED = {path.stem: test_markup.classes_of([path]) for path in test_markup.STYLES if path.stem != "desk"}
NARROW_PAGES = {"home", "tv", "movie on tv"}
KILOBYTE = 1024
# Swagger UI's own: a second <main>, headings from h3 on, links within buttons.
NOT_OURS = {"swagger": ["heading-order", "landmark-main-is-top-level", "landmark-no-duplicate-main", "landmark-unique"]}
NOT_OURS["swagger"] += ["nested-interactive"]
# Controls that are not within a text, and smaller than WCAG 2.2 asks for.
SMALL_CONTROLS = """() => [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, summary")]
    .filter(one => one.checkVisibility({visibilityProperty: true}) && getComputedStyle(one).display !== "inline")
    .filter(one => !one.closest(".visually-hidden, .skip, #swagger-ui"))
    .map(one => [one.outerHTML.slice(0, 120), one.getBoundingClientRect()])
    .filter(([, box]) => box.width && (Math.round(box.width) < 24 || Math.round(box.height) < 24))
    .map(([html, box]) => `${html} ${box.width} x ${box.height}`)"""
LOADED_SHEETS = """() => [...document.styleSheets].map(sheet => sheet.href).filter(Boolean)"""
CLASSES = """() => [...new Set([...document.querySelectorAll("main [class]")].flatMap(one => [...one.classList]))]"""
# Times and runtimes of which a number stands on another line than its unit.
BROKEN_TIMES = """() => [...document.querySelectorAll("main time, main .runtime")]
    .filter(one => one.getClientRects().length > 1).map(one => one.textContent)"""
# The parts of words that stand on more than one line, but for addresses, markup, ids and words with soft hyphens. The
# browser of these tests knows no language's hyphenation, as some phones do not: there, too, each word has to fit.
BROKEN_WORDS = r"""() => {
    const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const node = texts.currentNode, element = node.parentElement;
        if (!element.checkVisibility({visibilityProperty: true})) continue;
        if (element.closest(".visually-hidden, .skip, script, code, pre, svg, #swagger-ui")) continue;
        for (const word of node.data.matchAll(/[^\s\-–]+[\-–]?/g)) {
            if (word[0].length > 22 || /[<>=/@{\u00ad]/.test(word[0])) continue;
            const range = document.createRange();
            range.setStart(node, word.index);
            range.setEnd(node, word.index + word[0].length);
            if ([...range.getClientRects()].filter(box => box.width).length > 1) found.push(word[0]);
        }
    }
    return found;
}"""
# What is pressed, and says nothing on paper.
PRINTED_CONTROLS = """() => [...document.querySelectorAll(
    "button, summary, .btn, .heart, .seasons a:not([aria-current]), [data-report-link], [type=submit]")]
    .filter(one => one.checkVisibility({visibilityProperty: true}))
    .filter(one => !one.matches("#watch a, .copy-actions a, [open] > summary") && !one.closest("#swagger-ui"))
    .map(one => one.outerHTML.slice(0, 120))"""
# The words that stand on more than one line.
TORN_WORDS = """() => [...document.querySelectorAll(
    "h1, .rows th[scope=row] a, .source-name, .copy-name bdi, .steps li > span, .top nav a, .btn")]
    .flatMap(element => [...element.childNodes].filter(node => node.nodeType === Node.TEXT_NODE))
    .flatMap(node => [...node.data.matchAll(/\\S+/g)].filter(word => {
        const range = document.createRange();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        return range.getClientRects().length > 1;
    }).map(word => word[0]))"""


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(browser, site, name):
    context = browser.new_context(base_url=site.address, bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    # A load for each: just after a change of the viewport or the theme, Chromium mixes old styles with new ones.
    for scheme, width in product(("light", "dark"), (1280, 390, 320) if name in NARROW_PAGES else (1280, 390)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 844})
        page.goto(PAGES[name])
        page.evaluate(Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        ours = [one for one in violations(page) if one[0] not in NOT_OURS.get(name, [])]
        assert ours == [], f"{name} at {width} in {scheme}"
        assert page.evaluate(SMALL_CONTROLS) == [], f"{name} at {width}"
        assert page.evaluate(BROKEN_TIMES) == [], f"{name} at {width}"
    context.close()


@pytest.mark.parametrize("language", ["en", "de", "es", "fr"])
def test_in_each_language_the_narrowest_phone_scrolls_nothing_sideways_and_breaks_no_word(browser, site, language):
    context = browser.new_context(base_url=site.address, locale=language, viewport={"width": 320, "height": 700})
    page = context.new_page()
    for name, path in PAGES.items():
        page.goto(path)
        page.evaluate("document.querySelectorAll('.copy:first-child details').forEach(one => { one.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
        assert page.evaluate(BROKEN_WORDS) == [], name
    context.close()


@pytest.fixture
def opened(browser, site, name):
    """The page with this name in a browser of its own."""
    context = browser.new_context(base_url=site.address)
    page = context.new_page()
    page.goto(PAGES[name])
    yield page
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_printed_pages_have_no_buttons_but_those_that_name_an_address(opened, name):
    page = opened
    page.emulate_media(media="print")
    assert page.evaluate(PRINTED_CONTROLS) == []
    if name == "show":
        expect(page.locator(".seasons li:visible a:visible")).to_have_text(["Season 2"])
    tag = page.locator(".movie-card .tag").first
    if tag.count():
        assert tag.evaluate("one => getComputedStyle(one).top") == "8px"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_the_style_sheet_of_each_of_its_parts(opened):
    loaded = {Path(address).name.split(".")[0] for address in opened.evaluate(LOADED_SHEETS)}
    for used in opened.evaluate(CLASSES):
        sheets = {sheet for sheet, classes in STYLED.items() if used in classes}
        assert not sheets or sheets & loaded, f".{used} has rules in {sheets}, but {loaded} are loaded"


def test_the_chart_of_the_checks_fits_a_phone(browser, site):
    context = browser.new_context(base_url=site.address, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto("/health/")
    chart = page.locator(".chart.stacked:visible")
    expect(chart).to_have_count(1)
    box = chart.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    chart.scroll_into_view_if_needed()
    expect(chart.locator("text").first).to_be_in_viewport()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_swagger_follows_the_theme_also_while_it_is_changed(browser, site, scheme):
    context = browser.new_context(base_url=site.address, color_scheme=scheme)
    page = context.new_page()
    page.goto("/api/streaming/docs/")
    page.locator(".opblock").first.wait_for()
    dark = "document.documentElement.classList.contains('dark-mode')"
    assert page.evaluate(dark) is (scheme == "dark")
    button = page.locator("[data-theme-toggle]")
    button.click()
    assert page.evaluate(dark) is False
    button.click()
    assert page.evaluate(dark) is True
    page.reload()
    assert page.evaluate(dark) is True
    page.locator(".crumb a").last.click()
    expect(page).to_have_url(f"{site.address}/api/")
    context.close()


def test_axe_finds_nothing_in_the_open_sheet_of_filters(browser, site):
    context = browser.new_context(base_url=site.address, bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto("/?decade=1920")
    page.locator(".open-filters").click()
    page.evaluate(Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text())
    assert violations(page) == []
    assert page.locator(".show-results").bounding_box()["y"] < 700
    context.close()


@pytest.mark.parametrize("name", ["health", "home", "movie of six sources", "show"])
def test_on_a_phone_no_word_of_a_title_or_a_source_is_broken(browser, site, name):
    context = browser.new_context(base_url=site.address)
    page = context.new_page()
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 844})
        page.goto(PAGES[name])
        # Not each of them: opening one of each list shows its table.
        page.evaluate("document.querySelectorAll('.copy:first-child details').forEach(one => { one.open = true; })")
        assert page.evaluate(TORN_WORDS) == [], width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator(".top nav a").last.bounding_box()["x"] < width - 20
    context.close()


def test_with_forced_colours_what_is_chosen_is_marked(browser, site):
    context = browser.new_context(base_url=site.address, forced_colors="active")
    page = context.new_page()
    backgrounds = "(all) => [...new Set(all.map(one => getComputedStyle(one).backgroundColor))].length"
    page.goto("/?type=movie&working=1")
    assert page.locator(".segmented label").evaluate_all(backgrounds) == 2
    chosen = page.locator(".switch input").evaluate("one => getComputedStyle(one).backgroundColor")
    page.goto("/?type=movie")
    switch = page.locator(".switch input")
    assert switch.evaluate("one => getComputedStyle(one).backgroundColor") != chosen
    assert switch.evaluate("one => getComputedStyle(one).borderTopWidth") == "1px"
    page.goto(PAGES["show"])
    assert page.locator(".seasons a").evaluate_all(backgrounds) == 2
    context.close()


def violations(page) -> list[tuple[str, str, str]]:
    found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
    first = [(rule["id"], rule["nodes"][0]) for rule in found["violations"]]
    return [(name, node["html"][:200], node["failureSummary"]) for name, node in first]


@pytest.mark.parametrize(
    "name",
    ["home", "movie", "movie of six sources", "hostile movie", "failed search", "health", "sources", "api", "job"],
)
def test_the_console_is_empty_and_no_other_host_is_contacted(visit, name):
    visit.page.goto(PAGES[name])
    visit.page.wait_for_load_state("networkidle")
    assert visit.requests


def test_an_injected_script_does_not_run(browser, site):
    context = browser.new_context(base_url=site.address)
    page = context.new_page()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"/streaming/{browser_seed.HOSTILE}/")
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))"
    )
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in complaint for complaint in complaints)
    context.close()


def test_a_poster_that_cannot_be_loaded_is_replaced_by_the_generated_one(browser, site):
    context = browser.new_context(base_url=site.address)
    page = context.new_page()
    page.goto(f"/streaming/{browser_seed.NOTHING}/")
    image = page.locator(".poster.big img")
    expect(image).to_have_attribute("src", f"/posters/{browser_seed.NOTHING}.svg?v={browser_seed.drawn_version()}")
    assert image.evaluate("img => img.decode().then(() => img.naturalWidth)") == 300
    context.close()


@pytest.mark.parametrize("width", [1280, 412])
@pytest.mark.parametrize(("name", "maximum"), [("home", 90), ("movie", 50), ("health", 50)])
def test_a_first_visit_is_light(browser, site, name, maximum, width):
    context = browser.new_context(base_url=site.address, viewport={"width": width, "height": 823})
    page = context.new_page()
    finished = []
    page.on("requestfinished", lambda request: finished.append(request))
    page.goto(PAGES[name])
    page.wait_for_load_state("networkidle")
    sizes = {request.url: request.sizes()["responseBodySize"] for request in finished}
    scripts = sum(size for url, size in sizes.items() if url.endswith(".js"))
    styles = sum(size for url, size in sizes.items() if url.endswith(".css"))
    print(f"{name}: {sum(sizes.values())} B in {len(sizes)} requests, scripts {scripts}, styles {styles}")
    assert 0 < scripts <= 25 * KILOBYTE
    assert 0 < styles <= 8 * KILOBYTE
    assert sum(sizes.values()) <= maximum * KILOBYTE
    assert len(sizes) <= (34 if name == "home" else 17)
    context.close()
