"""The pictures of the documentation can be taken again."""

from __future__ import annotations

from PIL import Image

from tests.helpers import browser_seed, screenshots
from tests.helpers.paths import PROJECT_ROOT

MAX_BYTES = 400 * 1024


def test_all_pictures_are_taken_and_are_light(browser, site, tmp_path):
    site.run("from tests.helpers import browser_seed as seed; seed.add_watched_movie(); seed.forget_dead_copy()")
    try:
        screenshots.take_all(browser, site, tmp_path)
    finally:
        site.run("from tests.helpers import browser_seed; browser_seed.remove_movies()")
    taken = {file.name: Image.open(file).width for file in tmp_path.iterdir()}
    assert taken == dict.fromkeys(("home.webp", "mine.webp", "movie.webp", "tv.webp"), screenshots.WIDTH)
    assert screenshots.WATCHED == browser_seed.WATCHED


def test_the_pictures_of_the_documentation_are_these_and_light():
    kept = list((PROJECT_ROOT / "docs" / "screenshots").iterdir())
    assert sorted(file.stem for file in kept) == ["home", "mine", "movie", "tv"]
    assert sum(file.stat().st_size for file in kept) <= MAX_BYTES
    shown = (PROJECT_ROOT / "docs" / "roles" / "viewer.md").read_text(encoding="utf-8")
    assert all(f"](../screenshots/{file.name})" in shown for file in kept)
