"""`python -m bench.catalogue.every_list`: time every list, filter, order and search there is, in one process.

Reads `{"only": TEXT}` from standard input and times the paths that contain the text. Prints lines of JSON,
`{"group", "path", "first", "best", "wall", "slowest"}`: milliseconds of CPU of the first request with empty caches and
of the best of two, the best by the clock, and the statement that took longest. Of a streamed response the first part
counts. Settings and database come from the environment.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any
from urllib.parse import urlencode

import django
from django.conf import settings

django.setup()

from django.contrib import admin  # noqa: E402  (needs Django's set-up)
from django.contrib.auth.models import User  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client, RequestFactory  # noqa: E402
from django.urls import reverse  # noqa: E402

from scraper.extraction.genres import GENRES  # noqa: E402
from scraper.items import QUALITIES  # noqa: E402
from streaming.catalogue_query import ORDERINGS  # noqa: E402
from streaming.models import LinkCount, Movie, MovieFacet  # noqa: E402
from streaming.web.filter_bar import SORT_LABELS  # noqa: E402

REPEATS = 2
PATIENCE_MS = 5_000
USER_AGENT = "Googlebot/2.1"
API, MOVIES = "/api/streaming/", "/api/streaming/movies/"
SEARCHES = ("love", "the", "night dead", "nigh", "montain", "zzqqxx", "tt0000020", "love 1999", "東京物語", "a")


@dataclass(slots=True, kw_only=True)
class TimedPath:
    group: str
    path: str
    first: float
    best: float
    wall: float
    slowest: str


class SlowestStatement:
    """Remembers the statement that took longest, as Django runs it."""

    def __init__(self) -> None:
        self.ms, self.sql = 0.0, ""

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            ms = (time.perf_counter() - began) * 1000
            if ms > self.ms:
                self.ms, self.sql = ms, f"{sql[:600]} {str(params)[:200]}"


def main() -> None:
    settings.ALLOWED_HOSTS = ["*"]
    only = json.load(sys.stdin)["only"]
    staff, visitor = Client(), Client(HTTP_USER_AGENT=USER_AGENT)
    account, _ = User.objects.get_or_create(username="bench", defaults={"is_staff": True, "is_superuser": True})
    staff.force_login(account)
    paths = [*((visitor, *one) for one in visitor_paths()), *((staff, *one) for one in admin_paths(account, only))]
    chosen = [one for one in paths if only in one[2]]
    for client, _, path in chosen[:1] + [one for one in chosen if one[0] is staff][:1]:
        _request(client, path)  # Imports and connections are not measured.
    for client, group, path in chosen:
        print(json.dumps(asdict(time_path(client, group, path)), ensure_ascii=False), flush=True)


def time_path(client: Client, group: str, path: str) -> TimedPath:
    """Request a path twice, or once if it takes very long."""
    cache.clear()
    slowest = SlowestStatement()
    with connection.execute_wrapper(slowest):
        times = [_request(client, path)]
        while len(times) < REPEATS and times[-1][0] < PATIENCE_MS:
            times.append(_request(client, path))
    cpu, wall = zip(*times, strict=True)
    return TimedPath(
        group=group,
        path=path,
        first=cpu[0],
        best=min(cpu),
        wall=min(wall),
        slowest=f"{slowest.ms:.0f} ms {slowest.sql}",
    )


def _request(client: Client, path: str) -> tuple[float, float]:
    """The milliseconds of CPU and by the clock; RuntimeError if the response is an error."""
    began, cpu = time.perf_counter(), time.process_time()
    response = client.get(path)
    if response.streaming:
        next(iter(response.streaming_content), b"")  # type: ignore[attr-defined]  # only streamed responses have it
    took = (time.process_time() - cpu) * 1000, (time.perf_counter() - began) * 1000
    response.close()
    if response.status_code not in (200, 302):
        raise RuntimeError(f"{path}: {response.status_code}")
    return took


def visitor_paths() -> Iterator[tuple[str, str]]:
    """Group and path of what everybody may request."""
    filters = list(_api_filters())
    yield from _others()
    yield from (("API: order", f"{MOVIES}?ordering={order}") for order in ORDERINGS)
    yield from (("API: filter", f"{MOVIES}?{urlencode(one)}") for one in filters)
    pairs = product(filters, ORDERINGS)
    yield from (("API: filter and order", f"{MOVIES}?{urlencode({**one, 'ordering': order})}") for one, order in pairs)
    yield from (("API: cursor", f"{MOVIES}?cursor=&{urlencode(one)}") for one in filters)
    yield from (("API: search", f"{MOVIES}?{urlencode({'search': text})}") for text in SEARCHES)
    pairs = product(filters, ("love", "a"))
    yield from (("API: filter and search", f"{MOVIES}?{urlencode({**one, 'search': q})}") for one, q in pairs)
    yield from (("page: order", f"/?sort={sort}") for sort in SORT_LABELS)
    yield from (("page: search", f"/?{urlencode({'q': text})}") for text in SEARCHES)
    yield from (("page: filter", f"/?{urlencode(_of_page(one))}") for one in filters)
    yield from _facet_pages()


def _of_page(one: dict[str, Any]) -> dict[str, Any]:
    names = {"has_links": "working"}
    return {names.get(name, name): "1" if name == "has_links" else value for name, value in one.items()}


def _api_filters() -> Iterator[dict[str, Any]]:
    """Each filter with its values, or some of them where there are many; and pairs of them."""
    yield from ({"type": one} for one in ("movie", "show"))
    yield from ({"year": one} for one in (1896, 1968, 2025))
    yield from ({"year_min": one} for one in (1900, 2024))
    yield {"year_min": 1950, "year_max": 1959}
    for facet in ("source", "licence", "language"):
        yield from ({facet: value} for value in LinkCount.objects.values_of(facet) if value)
    yield from ({"quality": one} for one in QUALITIES)
    yield from ({"genre": one} for one in GENRES)
    yield from ({"country": one} for one in ("AD", "DE", "US", "ZW"))
    yield from ({"person": one} for one in _people())
    yield from ({"captions": one} for one in ("en", "pt", "eo"))
    yield from ({"runtime_min": one} for one in (60, 230))
    yield from ({"runtime_max": one} for one in (3, 90))
    yield from ({"has_links": one} for one in ("true", "false"))
    yield from ({"updated_since": one} for one in ("2020-01-01", "2026-11-30T00:00:00Z", "2026-12-31"))
    yield {"language": "eo", "quality": "2160p"}
    yield {"genre": "western", "country": "ZW", "type": "show"}
    yield {"source": "commons", "language": "zh", "has_links": "true", "year_min": 1990}
    yield {"person": _people()[0], "genre": "western", "quality": "720p"}


def _people() -> list[str]:
    """Somebody with very many films, and somebody with few."""
    return ["Q1000000", "Q1200000"]


def _facet_pages() -> Iterator[tuple[str, str]]:
    yield from (("page: genre", f"/genres/{genre}/") for genre in GENRES)
    yield from (("page: country", f"/countries/{code}/") for code in MovieFacet.objects.values_of("country")[::25])
    known = MovieFacet.objects.filter(kind="person", value__in=_people()).values_list("value", flat=True).distinct()
    yield from (("page: person", f"/people/{one}/") for one in known)


def _others() -> Iterator[tuple[str, str]]:
    ids = ",".join(Movie.objects.order_by("-pk").values_list("imdb_id", flat=True)[:24])
    watchable = Movie.objects.watchable().order_by("-pk").values_list("imdb_id", flat=True)[0]
    for path in (
        "/", "/?page=2", "/?page=400", f"/?page={1_000_000 // 24}", f"/streaming/{watchable}/", "/health/", "/sources/",
        "/mine/", f"/mine/cards/?ids={ids}", "/lists/", "/random/", "/removed/", "/tv/", "/look-for/?q=zzqqxx",
        "/sitemap.xml", "/sitemap-movies.xml", "/sitemap-movies.xml?p=20", "/feeds/new.xml", "/feeds/lost.xml",
        "/metrics", "/readyz", "/healthz", "/api/", f"{API}stats/", f"{API}sources/", f"{API}changes/",
        f"{API}changes/?since=n500000", f"{API}changes/?since=2026-11-30", f"{MOVIES}{watchable}/",
        f"{MOVIES}?page=400", f"{MOVIES}?page=100&page_size=100",
    ):  # fmt: skip
        yield "others", path
    for path in (
        "/stremio/manifest.json", "/stremio/catalog/movie/openreel-movies.json",
        "/stremio/catalog/series/openreel-series.json",
        "/stremio/catalog/movie/openreel-movies/genre=Western&skip=100.json",
        "/stremio/catalog/movie/openreel-movies/search=love.json", f"/stremio/meta/movie/{watchable}.json",
        f"/stremio/stream/movie/{watchable}.json",
    ):  # fmt: skip
        yield "Stremio", path
    for path in (
        "/export/movies.m3u8", "/export/movies.m3u8?genre=western", "/export/movies.m3u8?search=love",
        "/export/movies.m3u8?language=eo", "/export/movies.jsonl", "/export/movies.jsonl?ordering=-year",
        "/export/movies.csv", "/export/movies.csv?source=commons", "/export/library.zip", "/export/channels.m3u8",
        "/export/guide.xml", "/export/channels/western.m3u8",
    ):  # fmt: skip
        yield "export, first part", path


def admin_paths(account: User, only: str) -> Iterator[tuple[str, str]]:
    """Group and path of each list of the admin, its filters, orders, searches and deep pages."""
    yield "admin", reverse("admin:index")
    for model, model_admin in admin.site._registry.items():
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        if only.partition("?")[0] not in url and not url.startswith(only):
            continue
        request = RequestFactory().get(url)
        request.user = account
        group = f"admin: {model._meta.verbose_name_plural}"
        changelist = model_admin.get_changelist_instance(request)
        yield group, url
        yield from ((group, f"{url}{query}") for query in dict.fromkeys(_filter_queries(changelist)) if query != "?")
        yield from ((group, f"{url}?o={sign}{column}") for column in _sortable(changelist) for sign in ("", "-"))
        if model_admin.search_fields:
            yield from ((group, f"{url}?{urlencode({'q': text})}") for text in (*SEARCHES, *_addresses()))
        if changelist.paginator.num_pages > 1:
            yield group, f"{url}?p={changelist.paginator.num_pages}"
        if (row := changelist.queryset.first()) is not None:
            yield group, reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[row.pk])


def _filter_queries(changelist: Any) -> Iterator[str]:
    for spec in changelist.filter_specs:
        for choice in spec.choices(changelist):
            yield choice["query_string"]


def _sortable(changelist: Any) -> list[int]:
    """The numbers of the columns that sort the list."""
    return [
        number
        for number, name in enumerate(changelist.list_display)
        if name in changelist.sortable_by and changelist.get_ordering_field(name)
    ]


def _addresses() -> tuple[str, ...]:
    return ("commons.example.org", "https://commons.example.org/watch/tt0700020", "commons.example.org/zzqqxx")


if __name__ == "__main__":
    main()
