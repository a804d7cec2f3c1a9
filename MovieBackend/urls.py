"""Which door opens at which address."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from rest_framework.routers import SimpleRouter

from streaming import exports, operations, views

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
    path("", include("streaming.urls")),
]
if settings.ADMIN_ENABLED:
    urlpatterns.insert(0, path("admin/", admin.site.urls))
