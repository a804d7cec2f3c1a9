"""Openreel's settings, with the routes of `empty_view`."""

from MovieBackend.settings import *  # noqa: F403

ROOT_URLCONF = "bench.catalogue.empty_view"
