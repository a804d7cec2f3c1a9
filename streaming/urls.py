"""All routes but the admin's: pages, API, Stremio add-on, exports and monitoring."""

from __future__ import annotations

from django.contrib.sitemaps.views import sitemap
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from rest_framework.routers import SimpleRouter

from streaming import views
from streaming.web import (
    api_docs,
    assets,
    badges,
    captions,
    catalogue_page,
    exports,
    facet_pages,
    language_switch,
    legal_pages,
    list_page,
    look_for_form,
    mine_page,
    monitoring,
    movie_page,
    oembed,
    report_form,
    status_pages,
    stremio_addon,
    takedown_form,
    tv_guide,
    tv_page,
)
from streaming.web.feeds import FEED_TYPES, LostMoviesFeed, NewMoviesFeed
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
    path("titles/<str:imdb_id>/", views.TitleView.as_view(), name="title"),
    path("bulk/", views.BulkView.as_view(), name="bulk"),
    path("stats/", views.StatsView.as_view(), name="stats"),
    path("changes/", views.ChangesView.as_view(), name="changes"),
    path("schema/", views.SchemaView.as_view(), name="schema"),
    path("docs/", api_docs.DocsView.as_view(), name="docs"),
]
stremio = [
    path("manifest.json", stremio_addon.stremio_manifest, name="manifest"),
    path("catalog/<str:kind>/<str:key>.json", stremio_addon.stremio_catalogue, name="catalogue"),
    path("catalog/<str:kind>/<str:key>/<path:extra>.json", stremio_addon.stremio_catalogue, name="catalogue"),
    path("meta/<str:kind>/<str:key>.json", stremio_addon.stremio_meta, name="meta"),
    path("stream/<str:kind>/<str:key>.json", stremio_addon.stremio_streams, name="streams"),
    path("", stremio_addon.stremio_not_found),
    path("<path:rest>", stremio_addon.stremio_not_found),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/streaming/", include((api, "api"))),
    # Only with a slash at the end, so that CommonMiddleware can redirect URLs without one.
    re_path(r"^api/[\s\S]+/$", views.ApiNotFoundView.as_view()),
    path("stremio/", include((stremio, "stremio"))),
    path("export/movies.m3u8", exports.m3u_playlist, name="playlist"),
    path("export/movies.jsonl", exports.jsonl_export, name="dump"),
    path("export/movies.csv", exports.csv_export, name="csv"),
    path("export/library.zip", exports.library_zip, name="library"),
    path("export/channels.m3u8", conditional_page(tv_guide.channels), name="channels"),
    path("export/guide.xml", tv_guide.guide, name="guide"),
    path("export/channels/<str:slug>", tv_guide.channel, name="channel"),
    path("healthz", monitoring.healthz, name="healthz"),
    path("readyz", monitoring.readyz, name="readyz"),
    path("metrics", monitoring.metrics, name="metrics"),
    path("", catalogue_page.catalogue, name="home"),
    path("streaming/<str:identifier>/", movie_page.movie_detail, name="movie"),
    path("streaming/<str:identifier>/refresh/", movie_page.refresh_links, name="refresh"),
    path("lists/", list_page.film_list, name="lists"),
    path("lists/films.m3u8", conditional_page(list_page.list_playlist), name="list-playlist"),
    path("lists/films.rss", conditional_page(list_page.list_feed), name="list-feed"),
    path("look-for/", look_for_form.look_for, name="look-for"),
    path("look-for/<str:imdb_id>/", look_for_form.title_request, name="look-for-title"),
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
    *(
        path(f"feeds/{subject}.{ending}", conditional_page(cached_for_five_minutes(feed(kind))), name=f"feed-{name}")
        for subject, feed in (("new", NewMoviesFeed), ("lost", LostMoviesFeed))
        for ending, kind in FEED_TYPES.items()
        if (name := subject if ending == "xml" else f"{subject}-{ending}")
    ),
]
