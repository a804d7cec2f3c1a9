"""All routes but the admin's: pages, API, Stremio add-on, exports and monitoring."""

from __future__ import annotations

from django.contrib.sitemaps.views import index, sitemap
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from rest_framework.routers import SimpleRouter

from streaming import exports, operations, pages, views
from streaming.feeds import LostFeed, NewFeed
from streaming.sitemaps import SITEMAPS

kept_an_hour = cache_control(public=True, max_age=3600)
kept_some_minutes = cache_control(public=True, max_age=300)
parts = {"sitemaps": SITEMAPS}

router = SimpleRouter()
router.register("movies", views.StreamingMovieViewSet, basename="movie")
router.register("links", views.LinkViewSet, basename="link")
router.register("jobs", views.JobViewSet, basename="job")
router.register("sources", views.SourceViewSet, basename="source")
api = [
    path("", views.Root.as_view(), name="root"),
    *router.urls,
    path("stats/", views.Stats.as_view(), name="stats"),
    path("changes/", views.Changes.as_view(), name="changes"),
    path("schema/", views.Schema.as_view(), name="schema"),
    path("docs/", views.Docs.as_view(), name="docs"),
]
stremio = [
    path("manifest.json", exports.manifest, name="manifest"),
    path("catalog/<str:kind>/<str:key>.json", exports.catalogue, name="catalogue"),
    path("catalog/<str:kind>/<str:key>/<path:extra>.json", exports.catalogue, name="catalogue"),
    path("meta/<str:kind>/<str:key>.json", exports.meta, name="meta"),
    path("stream/<str:kind>/<str:key>.json", exports.streams, name="streams"),
    path("", exports.nowhere),
    path("<path:rest>", exports.nowhere),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/streaming/", include((api, "api"))),
    # Only with a slash at the end: without one, CommonMiddleware shall find the address that has it.
    re_path(r"^api/[\s\S]+/$", views.Nowhere.as_view()),
    path("stremio/", include((stremio, "stremio"))),
    path("export/movies.m3u8", exports.playlist, name="playlist"),
    path("export/movies.jsonl", exports.dump, name="dump"),
    path("healthz", operations.healthz, name="healthz"),
    path("readyz", operations.readyz, name="readyz"),
    path("metrics", operations.prometheus, name="metrics"),
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
