"""All routes but the admin's: pages, API, Stremio add-on, exports and monitoring."""

from __future__ import annotations

from django.contrib.sitemaps.views import sitemap
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from rest_framework.routers import SimpleRouter

from streaming import views
from streaming.web import (
    assets,
    badges,
    captions,
    catalogue_page,
    exports,
    facet_pages,
    language_switch,
    legal_pages,
    list_page,
    mine_page,
    monitoring,
    movie_page,
    oembed,
    report_form,
    status_pages,
    takedown_form,
    tv_page,
)
from streaming.web.feeds import LostMoviesFeed, NewMoviesFeed
from streaming.web.sitemaps import SITEMAPS, sitemap_index

cached_for_an_hour = cache_control(public=True, max_age=3600)
cached_for_five_minutes = cache_control(public=True, max_age=300)
parts = {"sitemaps": SITEMAPS}

router = SimpleRouter()
router.register("movies", views.StreamingMovieViewSet, basename="movie")
router.register("links", views.LinkViewSet, basename="link")
router.register("jobs", views.JobViewSet, basename="job")
router.register("sources", views.SourceViewSet, basename="source")
api = [
    path("", views.ApiRootView.as_view(), name="root"),
    *router.urls,
    path("bulk/", views.BulkView.as_view(), name="bulk"),
    path("stats/", views.StatsView.as_view(), name="stats"),
    path("changes/", views.ChangesView.as_view(), name="changes"),
    path("schema/", views.SchemaView.as_view(), name="schema"),
    path("docs/", views.DocsView.as_view(), name="docs"),
]
stremio = [
    path("manifest.json", exports.stremio_manifest, name="manifest"),
    path("catalog/<str:kind>/<str:key>.json", exports.stremio_catalogue, name="catalogue"),
    path("catalog/<str:kind>/<str:key>/<path:extra>.json", exports.stremio_catalogue, name="catalogue"),
    path("meta/<str:kind>/<str:key>.json", exports.stremio_meta, name="meta"),
    path("stream/<str:kind>/<str:key>.json", exports.stremio_streams, name="streams"),
    path("", exports.stremio_not_found),
    path("<path:rest>", exports.stremio_not_found),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/streaming/", include((api, "api"))),
    # Only with a slash at the end, so that CommonMiddleware can redirect URLs without one.
    re_path(r"^api/[\s\S]+/$", views.ApiNotFoundView.as_view()),
    path("stremio/", include((stremio, "stremio"))),
    path("export/movies.m3u8", exports.m3u_playlist, name="playlist"),
    path("export/movies.jsonl", exports.jsonl_export, name="dump"),
    path("healthz", monitoring.healthz, name="healthz"),
    path("readyz", monitoring.readyz, name="readyz"),
    path("metrics", monitoring.metrics, name="metrics"),
    path("", catalogue_page.catalogue, name="home"),
    path("streaming/<str:identifier>/", movie_page.movie_detail, name="movie"),
    path("streaming/<str:identifier>/refresh/", movie_page.refresh_links, name="refresh"),
    path("lists/", list_page.film_list, name="lists"),
    path("lists/films.m3u8", list_page.list_playlist, name="list-playlist"),
    path("lists/films.rss", list_page.list_feed, name="list-feed"),
    path("language/", language_switch.choose_language, name="language"),
    path("random/", catalogue_page.random_movie, name="random"),
    path("people/<str:key>/", facet_pages.person, name="person"),
    path("genres/<str:slug>/", facet_pages.genre, name="genre"),
    path("countries/<str:code>/", facet_pages.country, name="country"),
    path("streaming/<str:identifier>/report/", report_form.report, name="report"),
    path("streaming/<str:identifier>/tv/", tv_page.movie_on_tv, name="movie-tv"),
    path("jobs/<int:pk>/", movie_page.job_detail, name="job"),
    path("tv/", tv_page.watch_on_tv, name="tv"),
    path("mine/", mine_page.mine, name="mine"),
    path("mine/cards/", mine_page.mine_cards, name="mine-cards"),
    path("health/", status_pages.link_health, name="health"),
    path("sources/", status_pages.source_list, name="sources"),
    path("api/", status_pages.api_guide, name="api-root"),
    *(path(f"{page}/", legal_pages.legal_page, {"page": page}, name=page) for page in legal_pages.TITLES),
    path("takedown/", takedown_form.takedown, name="takedown"),
    path("removed/", legal_pages.removed_movies, name="removed"),
    path(".well-known/security.txt", legal_pages.security_txt, name="security-txt"),
    path("captions/<int:link_id>-<int:number>.vtt", captions.captions, name="captions"),
    path("posters/<str:imdb_id>.svg", assets.poster_image, name="poster"),
    path("posters/<str:imdb_id>.png", assets.drawn_picture, {"kind": "cover"}, name="cover"),
    path("cards/<str:imdb_id>.png", assets.drawn_picture, {"kind": "card"}, name="card"),
    path("badge/<str:imdb_id>.svg", badges.badge, name="badge"),
    path("oembed/", oembed.oembed, name="oembed"),
    path("site.webmanifest", assets.web_manifest, name="manifest"),
    path("opensearch.xml", assets.opensearch_description, name="opensearch"),
    path("robots.txt", assets.robots_txt, name="robots"),
    path("sitemap.xml", cached_for_an_hour(sitemap_index), name="sitemap"),
    path("sitemap-<section>.xml", cached_for_an_hour(sitemap), parts, name="sitemap-part"),
    path("feeds/new.xml", conditional_page(cached_for_five_minutes(NewMoviesFeed())), name="feed-new"),
    path("feeds/lost.xml", conditional_page(cached_for_five_minutes(LostMoviesFeed())), name="feed-lost"),
]
