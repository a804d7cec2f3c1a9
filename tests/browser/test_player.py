"""Watching in the page, in a real browser, from the example site's real film."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Site, wait_for_value
from tests.browser.test_quality import violations
from tests.helpers import browser_seed

SOON = 20_000
PAGE = f"/streaming/{browser_seed.WATCHED}/"


@pytest.fixture(scope="module")
def watched(site: Site) -> Iterator[None]:
    site.run("from tests.helpers import browser_seed; browser_seed.add_watched_movie()")
    yield
    site.run("from tests.helpers import browser_seed; browser_seed.remove_movies()")


@pytest.fixture
def page(browser: Browser, site: Site, watched: None) -> Iterator[Page]:
    """A browser that speaks English; unlike that of `visit` it also loads from the example site."""
    context = browser.new_context(base_url=site.address, viewport={"width": 1280, "height": 800}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(SOON)
    yield page
    context.close()


def playing(page: Page) -> dict[str, float]:
    """Time and width of the video; zeros without one."""
    return page.evaluate(
        "() => (v => ({at: v ? v.currentTime : 0, width: v ? v.videoWidth : 0}))(document.querySelector('video'))"
    )


def wait_until_plays(page: Page, *, beyond: float = 0.3) -> dict[str, float]:
    """Wait until the film has been playing up to there; the page's policy forbids Playwright's own way of waiting."""
    end = time.monotonic() + SOON / 1000
    while time.monotonic() < end:
        if (state := playing(page))["at"] > beyond:
            return state
        page.wait_for_timeout(100)
    raise AssertionError(f"it stands at {playing(page)}: {page.locator('[data-status]').inner_text()}")


def choose(page: Page, text: str) -> None:
    """Choose the copy whose name contains this text."""
    names = page.locator("[data-copies] option").all_inner_texts()
    page.locator("[data-copies]").select_option(index=next(n for n, name in enumerate(names) if text in name))


@pytest.mark.parametrize("copy", ["480p, German, MP4", "360p, French, WEBM", "English, HLS"])
def test_a_film_plays_here(page, copy):
    page.goto(PAGE)
    choose(page, copy)
    button = page.get_by_role("button", name="Play here, from 127.0.0.1")
    button.focus()
    page.keyboard.press("Enter")
    assert wait_until_plays(page)["width"] == 320
    expect(page.locator("video")).to_be_focused()


@pytest.mark.parametrize("width", [1280, 320])
def test_the_film_starts_from_the_top_of_the_page_and_says_each_word_once(page, width):
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(PAGE)
    here = page.locator(".keep-buttons [data-play-here]")
    expect(here).to_have_text("Play, from " + page.locator("[data-play-text]").inner_text().rpartition(" ")[2])
    choose(page, "480p, German, MP4")
    here.focus()
    page.keyboard.press("Enter")
    assert wait_until_plays(page)["width"] == 320
    expect(page.locator("video")).to_be_in_viewport(ratio=0.9)
    here.press("Enter")
    assert wait_until_plays(page, beyond=playing(page)["at"])["at"] > 0.3


def test_captions_are_shown_in_the_language_of_the_browser_or_the_chosen_one(page):
    page.goto(PAGE)
    choose(page, "480p, German, MP4")
    page.locator("[data-play]").click()
    wait_until_plays(page)
    shown = "[...document.querySelector('video').textTracks].filter(track => track.mode === 'showing')"
    cue = f"{shown}.flatMap(track => [...track.activeCues]).map(cue => cue.text)"
    expect(page.locator("[data-captions] option")).to_have_text(["Off", "English", "German"])
    expect(page.locator("[data-captions]")).to_have_value("0")
    wait_for_value(page, cue, ["Welcome to Openreel."])
    page.locator("[data-captions]").select_option("German")
    wait_for_value(page, cue, ["Willkommen bei Openreel."])
    page.locator("[data-captions]").select_option("Off")
    wait_for_value(page, f"{shown}.length", 0)


def test_the_position_is_remembered(page):
    page.goto(PAGE)
    choose(page, "480p, German, MP4")
    page.locator("[data-play]").click()
    wait_until_plays(page)
    page.evaluate("document.querySelector('video').currentTime = 12")
    wait_until_plays(page, beyond=12.3)
    page.reload()
    page.get_by_role("button", name=re.compile("Continue at 0:1[2-9], from")).click()
    wait_until_plays(page, beyond=12.1)
    page.get_by_role("button", name="Start again").click()
    page.wait_for_timeout(300)
    assert playing(page)["at"] < 5


def test_when_a_file_has_died_the_next_best_is_offered_and_the_dead_one_is_checked(page, site):
    page.goto(PAGE)
    choose(page, "1080p, English, MP4")
    page.locator("[data-play]").click()
    expect(page.locator("[data-status]")).to_contain_text("does not play. The next best copy is")
    expect(page.locator("#report-answer")).to_contain_text("It does not work (Not found", timeout=SOON)
    expect(page.locator("[data-play]")).to_be_focused()
    page.keyboard.press("Enter")
    wait_until_plays(page)
    assert "1080p" not in page.goto(PAGE).text().partition('id="player-data"')[2].partition("</script>")[0]


@pytest.fixture
def single(page: Page) -> Page:
    """The page of a movie with one copy, whose file cannot be loaded."""
    page.route("**/480p.de.mp4", lambda route: route.abort())
    page.route(f"**{PAGE}", keep_one_copy)
    page.goto(PAGE)
    return page


def keep_one_copy(route: Route) -> None:
    response = route.fetch()
    start, data, end = re.split(r'(?<=id="player-data" type="application/json">)(.*?)(?=</script>)', response.text())
    player = json.loads(data)
    player["choices"] = [one for one in player["choices"] if "480p" in one["label"]]
    route.fulfill(response=response, body=start + json.dumps(player) + end)


def test_when_the_last_copy_has_failed_the_button_has_the_focus(single):
    single.locator("[data-play]").click()
    expect(single.locator("[data-status]")).to_contain_text("does not play. No other copy can be played here")
    expect(single.locator("[data-play]")).to_be_focused()


@pytest.mark.parametrize("status", [429, 404, 503])
def test_a_refusal_of_the_players_own_report_is_not_shown(single, status):
    single.route("**/report/", lambda route: route.fulfill(status=status, body="Too many reports."))
    with single.expect_response("**/report/"):
        single.locator("[data-play]").click()
    single.wait_for_timeout(300)
    expect(single.locator(".toast")).to_have_count(0)
    expect(single.locator("#report-answer")).to_be_empty()
    expect(single.locator("#report-answer")).not_to_have_attribute("aria-busy", "true")
    # What a visitor reports is answered.
    with single.expect_response("**/report/"):
        single.get_by_role("button", name="Wrong film").click()
    expect(single.locator(".toast")).to_have_count(1)


def test_offline_no_copy_is_to_blame(page):
    page.goto(PAGE)
    choose(page, "480p, German, MP4")
    name = page.locator("[data-copies] option:checked").inner_text()
    page.context.set_offline(True)
    page.locator("[data-play]").click()
    offline = "Your browser is offline; start the film again when it is online."
    expect(page.locator("[data-status]")).to_have_text(offline)
    expect(page.locator("[data-copies] option:checked")).to_have_text(name)
    expect(page.locator("[data-play]")).to_be_focused()
    expect(page.locator(".toast")).to_have_count(0)
    page.context.set_offline(False)
    page.keyboard.press("Enter")
    wait_until_plays(page)


DAMAGED = ["{}", "[1]", '"abc"', "{", "null", '{"at": -5, "duration": 20, "saved": 1}', '{"at": 12}']
DAMAGED += ['{"at": 1e300, "duration": 1e300, "saved": 1}', '{"at": "12", "duration": 20, "saved": 1}']


def store_position(page: Page, text: str) -> None:
    page.evaluate("([key, value]) => localStorage.setItem(key, value)", [f"position:{browser_seed.WATCHED}:--", text])


@pytest.mark.parametrize("damaged", DAMAGED)
def test_a_damaged_position_counts_as_none(page, damaged):
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(PAGE)
    store_position(page, damaged)
    page.reload()
    choose(page, "480p, German, MP4")
    page.get_by_role("button", name="Play here, from 127.0.0.1").click()
    wait_until_plays(page)
    expect(page.locator("[data-status]")).to_be_empty()
    expect(page.locator("[data-restart]")).to_be_hidden()
    assert errors == []


def test_a_position_that_another_tab_deletes_is_offered_no_longer(page):
    page.goto(PAGE)
    store_position(page, '{"at": 12, "duration": 20, "saved": 1}')
    page.reload()
    expect(page.locator("[data-play]")).to_contain_text("Continue at 0:12, from")
    other = page.context.new_page()
    other.goto("/mine/")
    other.once("dialog", lambda dialog: dialog.accept())
    other.get_by_role("button", name="Delete everything").click()
    expect(page.locator("[data-play]")).to_contain_text("Play here, from")


def test_the_row_of_a_copy_plays_it_and_its_report_names_it(page):
    page.goto(PAGE)
    german = page.locator(".copy", has_text="German").first
    german.get_by_role("button", name="Play").click()
    assert wait_until_plays(page)["width"] == 320
    expect(page.locator("[data-copies] option:checked")).to_contain_text("German")
    number = german.locator("[data-report-link]").get_attribute("data-report-link")
    german.get_by_role("link", name="Report").click()
    expect(page.locator("#report [name=link]")).to_have_value(str(number))
    expect(page).to_have_url(re.compile("#report$"))


def test_a_film_that_was_played_to_its_end_has_been_watched(page):
    page.goto(PAGE)
    choose(page, "480p, German, MP4")
    page.locator("[data-play]").click()
    wait_until_plays(page)
    watched = page.get_by_role("button", name="Watched", exact=True)
    expect(watched).to_have_attribute("aria-pressed", "false")
    page.evaluate("(video => { video.currentTime = video.duration - 0.2; })(document.querySelector('video'))")
    expect(watched).to_have_attribute("aria-pressed", "true")


def test_a_copy_that_does_not_start_is_given_up_and_a_living_link_stays(page):
    held: list[Route] = []
    page.clock.install()
    page.route("**/360p.fr.webm", lambda route: held.append(route))
    page.goto(PAGE)
    choose(page, "360p, French, WEBM")
    page.locator("[data-play]").click()
    page.wait_for_timeout(300)
    page.clock.fast_forward(21_000)
    expect(page.locator("[data-status]")).to_contain_text("did not start within 20 seconds. The next best copy is")
    expect(page.locator("#report-answer")).to_contain_text("It works", timeout=SOON)
    held[0].abort()


def test_a_player_of_another_site_is_loaded_after_the_click_only(page):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(PAGE)
    choose(page, "Player")
    assert [url for url in asked if "/embed/" in url] == []
    page.get_by_role("button", name="Play here, from 127.0.0.1").click()
    expect(page.frame_locator("iframe").get_by_role("heading")).to_contain_text("Watch")
    expect(page.locator("iframe")).to_have_attribute("sandbox", "allow-scripts allow-same-origin allow-presentation")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_axe_finds_nothing_while_a_film_plays(browser, site, watched, width, scheme):
    context = browser.new_context(
        base_url=site.address, bypass_csp=True, viewport={"width": width, "height": 844}, color_scheme=scheme
    )
    page = context.new_page()
    page.goto(PAGE)
    choose(page, "480p, German, MP4")
    page.locator("[data-play]").click()
    wait_until_plays(page)
    page.evaluate(Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text())
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_without_scripts_there_is_no_player_but_links_and_reports(plain, watched):
    plain.goto(PAGE)
    expect(plain.locator("#player")).to_be_hidden()
    expect(plain.locator("#watch a")).to_be_visible()
    assert plain.locator(".keep-buttons .needs-script").first.bounding_box() is None  # No place is kept for it.
    plain.locator("[name=note]").fill("It is another film.")
    plain.get_by_role("button", name="Wrong film").click()
    expect(plain.locator("#report-answer")).to_have_text("Thank you. A person will look at this link.")
