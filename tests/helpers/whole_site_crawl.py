"""A crawl that asks for more than its movie. It stands alone, so that a process which is to run it imports no tests."""

from __future__ import annotations

from django.db import connections

from streaming.models import ScrapeJob
from streaming.scraping.crawling.job_crawl import SourceCrawl, build_source_result, run_crawlers


class WholeSiteCrawl(SourceCrawl):
    """A source that is asked for all it has; only the job's movie counts."""

    def arguments(self):
        return {}


def crawl_whole_site(job_id):
    job = ScrapeJob.objects.select_related("movie").get(pk=job_id)
    run = WholeSiteCrawl(job, "example")
    connections.close_all()
    run_crawlers([run])
    return build_source_result(run.outcome)
