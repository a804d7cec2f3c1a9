"""A crawl of more than one movie, in a module of its own so that its process imports no tests."""

from __future__ import annotations

from django.db import connections

from streaming.models import ScrapeJob
from streaming.scraping.crawling.job_crawl import SourceCrawl, build_source_result, run_crawlers


class WholeSiteCrawl(SourceCrawl):
    """Crawls the whole source; only links of the job's movie count."""

    def arguments(self):
        return {}


def crawl_whole_site(job_id):
    job = ScrapeJob.objects.select_related("movie").get(pk=job_id)
    run = WholeSiteCrawl(job, "example")
    connections.close_all()
    run_crawlers([run])
    return build_source_result(run.progress)
