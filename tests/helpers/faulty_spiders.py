"""Spiders with bugs, under the names of sources that have no spider."""

from __future__ import annotations

from scrapy import Request, Spider

from scraper.items import LinkItem


class FaultySpider(Spider):
    """Requests one page of the site."""

    async def start(self):
        yield Request(f"{self.settings['EXAMPLE_SITE_URL']}/odd", callback=self.parse)

    def link(self, path):
        return LinkItem(
            imdb_id=self.imdb_id, source=self.name, source_url=f"https://films.example.org/{path}", licence="cc0"
        )


class SlowSpider(FaultySpider):
    name = "blender"

    async def start(self):
        yield Request(f"{self.settings['EXAMPLE_SITE_URL']}/hangs", callback=self.parse)


class BrokenSpider(FaultySpider):
    """Raises in its callback."""

    name = "vodo"

    def parse(self, response):
        raise KeyError("a bug")


class HalfBrokenSpider(FaultySpider):
    name = "official_site"

    def parse(self, response):
        yield self.link(1)
        yield {"imdb_id": self.imdb_id}
        yield self.link(2)
        raise KeyError("a bug")


class UnreadySpider(FaultySpider):
    name = "unready"

    def __init__(self, *args, **kwargs):
        raise RuntimeError("no key")


def compute_for_ever(*args, **kwargs):
    """What a page does for which a limit is missing."""
    while True:
        pass


def take_all_memory(*args, **kwargs):
    """What a page does for which another limit is missing."""
    kept = []
    while True:
        kept.append(bytes(3000))
