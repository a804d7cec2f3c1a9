"""Addresses of the pages."""

from __future__ import annotations

from django.contrib.sitemaps.views import index, sitemap
from django.urls import URLPattern, path
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page

from streaming import pages
from streaming.feeds import LostFeed, NewFeed
from streaming.sitemaps import SITEMAPS

kept_an_hour = cache_control(public=True, max_age=3600)
kept_some_minutes = cache_control(public=True, max_age=300)
parts = {"sitemaps": SITEMAPS}

urlpatterns: list[URLPattern] = [
    path("", pages.home, name="home"),
    path("streaming/<str:identifier>/", pages.movie, name="movie"),
    path("streaming/<str:identifier>/refresh/", pages.refresh, name="refresh"),
    path("jobs/<int:pk>/", pages.job, name="job"),
    path("health/", pages.health, name="health"),
    path("sources/", pages.sources, name="sources"),
    path("api/", pages.api, name="api-root"),
    path("posters/<str:imdb_id>.svg", pages.poster, name="poster"),
    path("robots.txt", pages.robots, name="robots"),
    path("sitemap.xml", kept_an_hour(index), parts | {"sitemap_url_name": "sitemap-part"}, name="sitemap"),
    path("sitemap-<section>.xml", kept_an_hour(sitemap), parts, name="sitemap-part"),
    path("feeds/new.xml", conditional_page(kept_some_minutes(NewFeed())), name="feed-new"),
    path("feeds/lost.xml", conditional_page(kept_some_minutes(LostFeed())), name="feed-lost"),
]
