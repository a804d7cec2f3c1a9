"""Take the pictures of `docs/screenshots`: `make screenshots`. Needs Chromium.

All that they show is the project's own: the demo catalogue with posters that we draw, and the example site's film.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUMS, Site, find_chromium, running_site
from tests.helpers.paths import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "docs" / "screenshots"
WATCHED = "tt9000009"
"""The same as `browser_seed.WATCHED`, which only a process with Django can import."""
KEPT = ("tt0013442", "tt0017136", "tt0017925", "tt0015064")
WIDTH, HEIGHT, MOVIE_HEIGHT = 1280, 800, 1000
QUALITY = 70
PLAYED_SECONDS, TIMEOUT_SECONDS = 1, 30


def main() -> int:
    """Start a site with the demo catalogue, visit it and write the pictures."""
    chromium = find_chromium()
    if not chromium:
        print(f"openreel: no Chromium here (apt-get install {CHROMIUMS[0]})", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["OPENREEL_TEST_FOLDER"] = folder  # where the tests keep a migrated database
        with running_site(Path(folder), seed="fill_for_pictures") as site, sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            take_all(browser, site, FOLDER)
            browser.close()
    return 0


def take_all(browser: Browser, site: Site, folder: Path) -> None:
    """Write a picture of each page that the page for viewers describes."""
    context = browser.new_context(
        base_url=site.address, viewport={"width": WIDTH, "height": HEIGHT}, locale="en-GB", reduced_motion="reduce"
    )
    page = context.new_page()
    _keep(page)
    page.goto("/")
    _save(page, folder / "home.webp")
    page.goto(f"/streaming/{WATCHED}/")
    page.locator("[data-play-here]").click()
    page.locator("[data-captions]").select_option("English")
    _wait_until_plays(page)
    page.set_viewport_size({"width": WIDTH, "height": MOVIE_HEIGHT})
    page.evaluate("scrollTo(0, 0)")
    _save(page, folder / "movie.webp")
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    page.goto("/mine/")
    page.locator(".movie-card").nth(len(KEPT) - 1).wait_for()
    _save(page, folder / "mine.webp")
    page.goto(f"/streaming/{WATCHED}/tv/")
    _save(page, folder / "tv.webp")
    context.close()


def _keep(page: Page) -> None:
    """Put some films on the watchlist, as their hearts do."""
    for imdb_id in KEPT:
        page.goto(f"/?q={imdb_id}")
        page.locator(f'.movie-card [data-id="{imdb_id}"]').click()


def _wait_until_plays(page: Page) -> None:
    """Wait for the first caption; the page's policy forbids Playwright's own way of waiting."""
    for _ in range(10 * TIMEOUT_SECONDS):
        if page.evaluate("document.querySelector('video').currentTime") > PLAYED_SECONDS:
            return
        page.wait_for_timeout(100)
    raise SystemExit(f"The film does not play: {page.locator('[data-status]').inner_text()}")


def _save(page: Page, file: Path) -> None:
    page.wait_for_load_state("networkidle")
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(file, quality=QUALITY, method=6)


if __name__ == "__main__":
    sys.exit(main())
