"""Scrape jobs: who may start one, how it runs and how it ends."""
