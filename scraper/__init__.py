"""The Scrapy project: it reads sources and imports neither Django nor the catalogue."""

VERSION = "0.2.0"
"""The version of Openreel; the newest heading of CHANGELOG.md is the same."""
