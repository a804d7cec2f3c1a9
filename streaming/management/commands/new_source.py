"""Create the files of a new source: a spider, a saved page and a test that passes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from scraper import sources
from streaming.management.base import OpenreelCommand

NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
MAX_NAME_LENGTH = 50

SPIDER_TEMPLATE = '''"""{title}: one sentence about its films and their licences."""

from __future__ import annotations

from collections.abc import Iterator

from scrapy import Request
from scrapy.http import Response

from scraper.base_spider import NOT_FOUND_STATUSES, SourceSpider
from scraper.errors import SourceFailed
from scraper.extraction.film import to_items
from scraper.extraction.film_page import extract_film
from scraper.items import LinkItem
from scraper.net.encoding import decode_page

HOME = "https://{host}"


class {spider}(SourceSpider):
    """Reads the page of the film. An unexpected response must raise SourceFailed: it never means "no links"."""

    name = "{name}"

    def initial_requests(self) -> Iterator[Request]:
        yield from self.requests_for_url(f"{{HOME}}/films/{{self.imdb_id}}")

    def requests_for_url(self, url: str) -> Iterator[Request]:
        if url.startswith(f"{{HOME}}/"):
            yield Request(url, callback=self.parse_page, meta={{"handle_httpstatus_list": list(NOT_FOUND_STATUSES)}})

    def parse_page(self, response: Response) -> Iterator[LinkItem]:
        """Return the links of a film's page; a missing page means that the source does not have the film."""
        if response.status in NOT_FOUND_STATUSES:
            return
        film = extract_film(decode_page(response).text, url=response.url, wanted=self.imdb_id)
        if film.problem or film.imdb_id != self.imdb_id:
            raise SourceFailed(f"The page is not about {{self.imdb_id}}")
        yield from to_items(film, imdb_id=self.imdb_id, source=self.name)
'''
PAGE_TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Nosferatu</title>
<script type="application/ld+json">
{{"@context": "https://schema.org", "@type": "Movie", "name": "Nosferatu", "datePublished": "1922",
 "sameAs": "https://www.imdb.com/title/tt0013442/", "license": "https://creativecommons.org/publicdomain/mark/1.0/",
 "potentialAction": {{"@type": "WatchAction", "target": "https://{host}/watch/nosferatu"}}}}
</script></head><body></body></html>
"""
TEST_TEMPLATE = '''"""{title} on saved pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse

from scraper.errors import SourceFailed
from scraper.spiders.{name} import {spider}

PAGES = Path(__file__).parent / "pages" / "{name}"
URL = "https://{host}/films/tt0013442"


def read(imdb_id, *, status=200):
    body = (PAGES / "film.html").read_bytes()
    response = HtmlResponse(URL, body=body, status=status, request=Request(URL))
    return list({spider}(imdb_id=imdb_id).parse_page(response))


def test_the_links_of_a_film():
    (link,) = read("tt0013442")
    assert (link.source, link.source_url) == ("{name}", "https://{host}/watch/nosferatu")
    assert (link.title, link.year, link.licence) == ("Nosferatu", 1922, "public-domain")


def test_a_missing_page_has_no_links():
    assert read("tt0013442", status=404) == []


def test_a_page_about_another_film_is_a_failure():
    with pytest.raises(SourceFailed):
        read("tt0017925")
'''
NEXT_STEPS = """Left to do:
1. Add it to KNOWN_SOURCES in scraper/sources.py: Source("{name}", "{title}", "{host}", "its films", has_spider=True)
2. Describe it in docs/sources.md: what it documents, its limits, its licence.
3. Save real responses of it beside {page} and adapt the spider to them.
"""


class Command(OpenreelCommand):
    help = "Create the spider, the saved page and the test of a new source. Only lawful sources: docs/sources.md."
    example = "python manage.py new_source open_films --host films.example.org"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="a slug such as open_films")
        parser.add_argument("--host", default="films.example.org", metavar="HOST", help="its host name")

    def handle(self, *, name: str, host: str, **options: Any) -> None:
        if not NAME.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
            raise CommandError(f"{ascii(name)[:60]} is not a slug such as open_films.")
        if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", host):
            raise CommandError(f"{ascii(host)[:60]} is not a host such as films.example.org.")
        spider = "".join(word.capitalize() for word in name.split("_")) + "Spider"
        words = {"name": name, "host": host, "spider": spider, "title": name.replace("_", " ").capitalize()}
        files = {
            f"scraper/spiders/{name}.py": SPIDER_TEMPLATE,
            f"tests/scraper/pages/{name}/film.html": PAGE_TEMPLATE,
            f"tests/scraper/test_{name}.py": TEST_TEMPLATE,
        }
        _write({Path(settings.BASE_DIR) / file: text.format(**words) for file, text in files.items()}, name=name)
        self.stdout.write("\n".join([*files, NEXT_STEPS.format(**words, page=f"tests/scraper/pages/{name}/film.html")]))


def _write(files: dict[Path, str], *, name: str) -> None:
    """Write all files or none; existing ones are never overwritten."""
    if name in sources.KNOWN_SOURCES or any(file.exists() for file in files):
        raise CommandError(f"{name} exists already.")
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
