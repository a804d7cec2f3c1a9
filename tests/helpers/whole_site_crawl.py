"""A crawl that reads more than its movie; a module of its own, so that the crawl's process imports no tests."""

from __future__ import annotations

from django.db import connections

from streaming.models import ScrapeJob
from streaming.scraping.crawling.job_crawl import SourceCrawl, build_source_result, run_crawlers


class WholeSiteCrawl(SourceCrawl):
    """The crawl of a source that yields all its films, of which only the job's movie counts."""

    def arguments(self):
        return {}


def crawl_whole_site(job_id):
    job = ScrapeJob.objects.select_related("movie").get(pk=job_id)
    crawl = WholeSiteCrawl(job, "example")
    connections.close_all()
    run_crawlers([crawl])
    return build_source_result(crawl.progress)
