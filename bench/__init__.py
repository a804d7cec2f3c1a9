"""Benchmarks: the link checker beside others (health), scrape jobs (jobs), pages (many). See docs/benchmarks.md."""
