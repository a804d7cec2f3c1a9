"""The pages of the admin that we shape: labelled, in both themes, on a desktop and a phone."""

from __future__ import annotations

from pathlib import Path

import axe_playwright_python
import pytest

from tests.browser.test_quality import violations
from tests.helpers import browser_seed

LOG_IN = """
from django.contrib.auth.models import User
from django.test import Client
from streaming.models import Movie, StreamingLink, TakedownRequest
from streaming.write_log import log_changed
user, _ = User.objects.get_or_create(username='alice', is_staff=True, is_superuser=True)
client = Client()
client.force_login(user)
movie = Movie.objects.get(imdb_id='{movie}')
StreamingLink.objects.filter(pk=movie.links.first().pk).update(is_published=False)
link = movie.links.first()
StreamingLink.objects.filter(pk=link.pk).update(evidence='Says https://example.org/' + 'a' * 90)
log_changed(user, link, movie, note='Something that takes a sentence of some length to say.')
asked = TakedownRequest.objects.create(
    target=movie.imdb_id, claim='other', statement='Why', name='Jane', email='j@a.org')
print(client.cookies['sessionid'].value, movie.pk, link.pk, asked.pk)
"""
PAGES = {
    "front page": "/admin/",
    "movie": "/admin/streaming/movie/{movie}/change/",
    "links": "/admin/streaming/streaminglink/",
    "link": "/admin/streaming/streaminglink/{link}/change/",
    "review": "/admin/streaming/streaminglink/?is_published__exact=0",
    "takedown requests": "/admin/streaming/takedownrequest/",
    "takedown request": "/admin/streaming/takedownrequest/{takedown}/change/",
    "who did what": "/admin/admin/logentry/",
    "import": "/admin/import/",
    "settings": "/admin/settings/",
}


@pytest.fixture(scope="module")
def logged_in(browser, site):
    """A page of a superuser, and the ids of a movie, of a link of it that awaits review, and of a takedown request."""
    code = LOG_IN.format(movie=browser_seed.SIX_SOURCES)
    session, movie, link, takedown = site.run(f"exec({code!r})").split()
    context = browser.new_context(base_url=site.address, bypass_csp=True, reduced_motion="reduce")
    context.add_cookies([{"name": "sessionid", "value": session, "url": site.address}])
    yield context.new_page(), {"movie": movie, "link": link, "takedown": takedown}
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_the_page_fits_the_desktop(logged_in, name):
    page, ids = logged_in
    for scheme, width in (("light", 1280), ("dark", 390)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 844})
        response = page.goto(PAGES[name].format(**ids))
        assert response.status == 200
        page.evaluate(Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text())
        assert violations(page) == [], f"{name} at {width} in {scheme}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", ["links", "review", "takedown requests", "who did what"])
def test_a_list_shows_all_its_columns_on_a_desktop_and_its_search_is_wide_enough_on_a_phone(logged_in, name):
    page, ids = logged_in
    page.set_viewport_size({"width": 1280, "height": 844})
    page.goto(PAGES[name].format(**ids))
    needed, shown = page.locator("#changelist-form .results").evaluate("box => [box.scrollWidth, box.clientWidth]")
    assert needed <= shown
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.locator("#searchbar").bounding_box()["width"] > 200
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
