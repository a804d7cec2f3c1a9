"""The catalogue page: results, display, number of queries."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from streaming.catalogue_query import CatalogueQuery
from streaming.models import BlockedAddress, HealthRun, Movie, StreamingLink
from streaming.web.filter_bar import SORT_LABELS, FilterSelection
from tests.helpers.factories import make_job, make_link, make_movie
from tests.helpers.rendered_html import html_of

pytestmark = pytest.mark.django_db


def names(response) -> list[str]:
    return [movie.title for movie in response.context["page"]]


@pytest.fixture
def listing() -> None:
    nosferatu = make_movie(title="Nosferatu", year=1922, imdb_id="tt0013442")
    make_link(nosferatu, quality="720p", language="de", licence="public-domain", source="internet_archive")
    make_link(nosferatu, quality="480p", language="en", licence="cc-by", source="commons")
    bonanza = make_movie(title="Bonanza", year=1959, type="show")
    make_link(bonanza, quality="480p", language="en", licence="public-domain", source="internet_archive")
    make_link(make_movie(title="Élan vital", year=1925), is_active=False, quality="720p")
    make_movie(title="Undated")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Nosferatu", "Bonanza", "Élan vital", "Undated"]),
        ("sort=title", ["Bonanza", "Élan vital", "Nosferatu", "Undated"]),
        ("sort=known", ["Nosferatu", "Bonanza", "Élan vital", "Undated"]),
        ("q=nosf", ["Nosferatu"]),
        ("q=NOS+fer", ["Nosferatu"]),
        ("q=elan", ["Élan vital"]),
        ("q=tt0013442", ["Nosferatu"]),
        ("q=zzzz", []),
        ("type=show", ["Bonanza"]),
        ("working=1", ["Nosferatu", "Bonanza"]),
        ("decade=1920", ["Nosferatu", "Élan vital"]),
        ("year_min=1923", ["Bonanza", "Élan vital"]),
        ("year_max=1922", ["Nosferatu"]),
        ("year_min=1925&year_max=1922", ["Nosferatu", "Élan vital"]),
        ("year_min=1923&decade=1920", ["Élan vital"]),
        ("year_max=1949&decade=1950", []),
        ("source=commons", ["Nosferatu"]),
        ("quality=720p", ["Nosferatu"]),
        ("language=en", ["Nosferatu", "Bonanza"]),
        ("licence=cc-by", ["Nosferatu"]),
        ("quality=720p&language=en", []),
        ("quality=480p&language=en&type=movie", ["Nosferatu"]),
        ("sort=newest", ["Bonanza", "Élan vital", "Nosferatu", "Undated"]),
        ("sort=oldest", ["Nosferatu", "Élan vital", "Bonanza", "Undated"]),
        ("sort=added", ["Undated", "Élan vital", "Bonanza", "Nosferatu"]),
        ("sort=links", ["Nosferatu", "Bonanza", "Élan vital", "Undated"]),
    ],
)
def test_filters_and_sorts(client, listing, query, found):
    response = client.get(f"/?{query}")
    assert (response.status_code, names(response)) == (200, found)


@pytest.mark.parametrize(
    "query",
    [
        "type=book",
        "decade=192",
        "decade=1925",
        "decade=٢٠٢٠",
        "year_min=١٩٢٢",
        "year_min=192",
        "year_max=0000",
        "year_max=%3Cb%3E",
        "decade=99999999999",
        "source=nobody",
        "quality=8K",
        "language=%3Cscript%3E",
        "licence=stolen",
        "sort=-id",
        "working=yes",
        "page=abc",
        "page=-1",
        "page=" + "9" * 5000,
        "q=%00",
        "unknown=1",
        "type=movie&type=book",
    ],
)
def test_unknown_values_count_as_none(client, listing, query):
    response = client.get(f"/?{query}")
    assert response.status_code == 200
    assert len(names(response)) == 4
    assert response.context["active_filters"] == []


@pytest.mark.parametrize("text", ["x" * 60_000, "the " * 2_000, "%" * 500, "\\' OR 1=1 --", "\ud83d\ude00" * 300])
def test_any_search_gets_a_response_of_moderate_size(client, listing, text):
    response = client.get("/", {"q": text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")})
    assert response.status_code == 200
    assert len(response.content) < 60_000


def test_pages_of_24_and_the_last_one_has_no_more(client):
    for number in range(30):
        make_movie(title=f"Movie {number:02d}")
    first, second, beyond = (client.get(f"/?page={number}") for number in (1, 2, 99))
    assert [len(names(page)) for page in (first, second, beyond)] == [24, 6, 6]
    assert b"24 of 30" in first.content
    assert re.search(rb'href="/\?page=2&amp;after=[\w-]+"', first.content)
    assert b"Show more titles" not in second.content


def test_several_pages_at_once_for_who_comes_back(client, django_assert_max_num_queries):
    for number in range(80):
        make_movie(title=f"Movie {number:02d}")
    with django_assert_max_num_queries(22):
        page = client.get("/?pages=3").context["page"]
    assert [movie.title for movie in page] == [f"Movie {number:02d}" for number in range(72)]
    assert (page.end, page.total.number) == (72, 80)
    following = client.get(f"/{page.next}").context["page"]
    assert (following.movies[0].title, following.end, following.next) == ("Movie 72", 80, "")
    assert len(names(client.get("/?pages=99"))) == 80
    for wrong in ("0", "-2", "x", "9" * 50):
        assert len(names(client.get(f"/?pages={wrong}"))) == 24


def test_the_number_of_pages_at_once_is_limited(client, monkeypatch):
    monkeypatch.setattr("streaming.web.catalogue_page.MAX_PAGES_AT_ONCE", 2)
    for number in range(60):
        make_movie(title=f"Movie {number:02d}")
    page = client.get("/?pages=9").context["page"]
    assert (page.end, page.next.startswith("?page=3&after=")) == (48, True)


def test_the_sheet_of_filters_counts_what_is_set_and_found(client, listing):
    page = " ".join(html_of(client.get("/?q=nosf&type=movie&working=1&sort=title")).split())
    assert re.search('popovertarget="filters"> Filters<span class="number">2</span>', page)
    assert "Show 1 title</button>" in page
    assert 'data-filters="2"' in page
    page = " ".join(html_of(client.get("/")).split())
    assert re.search('popovertarget="filters"> Filters </button>', page)


@pytest.mark.parametrize("sort", SORT_LABELS)
def test_show_more_shows_each_movie_once_though_others_are_added_meanwhile(client, sort):
    moment = timezone.now()
    for number in range(60):
        movie = make_movie(title=f"Movie {number % 7}", year=1900 + number % 5 or None, created_at=moment)
        for _ in range(number % 3):
            make_link(movie)
    Movie.objects.filter(year=1900).update(year=None)
    order = FilterSelection(sort=sort).catalogue_query().order
    expected = list(CatalogueQuery(order=order).apply(Movie.objects.all()).values_list("imdb_id", flat=True))
    seen, address = [], f"/?sort={sort}"
    while address:
        page = client.get(address).context["page"]
        seen += [movie.imdb_id for movie in page]
        address = page.next and f"/{page.next}"
        make_movie(title="Zz new", year=2000, created_at=moment - timedelta(days=1))
    assert [imdb_id for imdb_id in seen if imdb_id in expected] == expected


@pytest.mark.parametrize("after", ["", "x", "%00", "WyJ0aXRsZSIsWzFdLGZhbHNlXQ", "A" * 5000])
def test_an_invalid_cursor_counts_as_none(client, listing, after):
    assert len(names(client.get(f"/?page=2&after={after}"))) == 4


@pytest.mark.parametrize("claimed", ["999999999", "3", "2", "1", "x", ""])
@pytest.mark.parametrize("filters", ["", "&decade=1920", "&type=movie&sort=newest"])
def test_the_page_number_beside_a_cursor_says_no_more_than_there_are(client, claimed, filters):
    for number in range(60):
        make_movie(title=f"Movie {number:02d}", year=1921)
    second = parse_qs(client.get(f"/?sort=title{filters}").context["page"].next.partition("?")[2])["after"][0]
    address = f"/?sort=title{filters}&page={claimed}&after={second}"
    page = client.get(address).context["page"]
    assert (len(page.movies), page.total.number) == (24, 60)
    assert 24 <= page.end <= 60
    last = client.get(f"/?sort=title{filters}&page={claimed}&after={parse_qs(page.next)['after'][0]}")
    assert (len(names(last)), last.context["page"].start, last.context["page"].position_text) == (12, 48, "60 of 60")


def test_page_numbers_end_where_they_would_cost_much(client, monkeypatch):
    monkeypatch.setattr("streaming.web.catalogue_page.MAX_NUMBERED_ROWS", 48)
    for number in range(80):
        make_movie(title=f"Movie {number:02d}")
    page = client.get("/?page=99").context["page"]
    assert (page.start, page.end, page.total.number) == (24, 48, 80)
    assert [client.get(f"/{page.next}").context["page"].end, len(names(client.get(f"/{page.next}")))] == [72, 24]


def test_show_more_keeps_the_query(client):
    for number in range(30):
        make_movie(title=f"Movie {number:02d}")
    page = html_of(client.get("/?q=movie&sort=newest&decade=&junk=1"))
    assert 'href="/?q=movie&amp;sort=newest&amp;page=2&amp;after=' in page
    back = re.compile(r'href="([^"]*)">Previous titles<')
    assert back.findall(page) == []
    assert back.findall(html_of(client.get("/?q=movie&sort=newest&page=2"))) == ["/?q=movie&amp;sort=newest"]
    for number in range(30, 50):
        make_movie(title=f"Movie {number:02d}")
    assert back.findall(html_of(client.get("/?sort=title&page=3"))) == ["/?sort=title&amp;page=2"]


def test_each_chip_links_to_the_list_without_its_filter(client, listing):
    page = html_of(client.get("/?q=nosf&decade=1920&language=de"))
    chips = page.partition('<ul class="chips">')[2].partition("</ul>")[0]
    assert re.findall(r'<a href="([^"]+)">\s*(\S+)', chips) == [
        ("/?decade=1920&amp;language=de", "“nosf”"),
        ("/?q=nosf&amp;language=de", "1920s"),
        ("/?q=nosf&amp;decade=1920", "German"),
    ]


def test_years_from_and_to_have_chips_and_stay_in_the_bar_and_in_the_other_formats(client, listing):
    page = html_of(client.get("/?year_min=1922&year_max=1925"))
    chips = page.partition('<ul class="chips">')[2].partition("</ul>")[0]
    assert re.findall(r'<a href="([^"]+)">\s*(\S+ [0-9]+)', chips) == [
        ("/?year_max=1925", "From 1922"),
        ("/?year_min=1922", "Until 1925"),
    ]
    assert re.findall(r'name="(year_...)"\s+value="([0-9]*)"', page) == [("year_min", "1922"), ("year_max", "1925")]
    assert "movies.m3u8?year_min=1922&amp;year_max=1925" in page


def test_the_bar_offers_the_values_in_the_catalogue(client, listing):
    offered = client.get("/").context["filter_choices"]
    assert offered.decade == [("1950", "1950s"), ("1920", "1920s")]
    assert offered.source == [("internet_archive", "Internet Archive"), ("commons", "Wikimedia Commons")]
    assert offered.quality == [("720p", "720p"), ("480p", "480p")]
    assert offered.language == [("en", "English"), ("de", "German")]
    assert offered.licence == [("public-domain", "Public domain"), ("cc-by", "CC BY")]


def test_a_selected_value_stays_in_the_bar_even_if_nothing_has_it(client, listing):
    page = html_of(client.get("/?language=fr"))
    assert '<option value="fr" selected>French</option>' in page
    assert "No title matches these filters" in page
    assert "Remove one of them above." in page
    assert "Try fewer words" not in page
    assert "Try fewer words" in html_of(client.get("/?q=zzzz"))


def test_an_empty_result_says_what_is_searched(client, listing):
    page = html_of(client.get("/?q=caligari"))
    assert "Nothing matches “caligari”" in page
    assert "looks at titles, directors, casts and IMDb ids" in page


def test_a_director_finds_the_films(client):
    make_movie(title="Nosferatu", directors=[{"id": "Q55412", "name": "F. W. Murnau"}])
    make_movie(title="Metropolis")
    page = html_of(client.get("/?q=murnau"))
    assert "Nosferatu" in page
    assert "Metropolis" not in page
    assert 'placeholder="Title, director or IMDb id"' in page


def test_an_empty_catalogue_says_how_to_fill_it(client):
    assert b"import_catalogue" in client.get("/").content


@pytest.mark.parametrize(
    ("headers", "starts"),
    [
        ({"HX-Request": "true", "HX-Target": "results"}, '<section id="results"'),
        ({"HX-Request": "true", "HX-Target": "more"}, '<li class="movie-card'),
        ({"HX-Request": "true", "HX-History-Restore-Request": "true"}, "<!DOCTYPE html>"),
        ({}, "<!DOCTYPE html>"),
    ],
)
def test_htmx_gets_only_the_fragment(client, listing, headers, starts):
    response = client.get("/", headers=headers)
    assert html_of(response).startswith(starts)
    assert {"HX-Request", "HX-Target", "Cookie"} <= set(response.headers["Vary"].split(", "))
    assert response.headers["Cache-Control"] == "private, no-cache"


def test_queries_do_not_grow_with_the_rows(client):
    costs = []
    for _ in range(2):
        for _ in range(12):
            make_link(make_movie())
        cache.clear()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get("/")
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 22


def test_a_search_as_you_type_costs_few_queries(client, listing, django_assert_max_num_queries):
    with django_assert_max_num_queries(9):
        client.get("/?q=nosf", headers={"HX-Request": "true", "HX-Target": "results"})


def test_the_time_of_the_last_check_is_that_of_an_accepted_run(client, listing):
    now = timezone.now()
    withheld = {"withheld": True, "outcome": "withheld", "reason": "offline"}
    offline = HealthRun.objects.create(finished_at=now, **withheld)
    assert "3 links, not checked yet." in html_of(client.get("/"))
    offline.delete()
    StreamingLink.objects.update(last_checked=now)
    three_hours_ago, an_hour_ago = now - timedelta(hours=3), now - timedelta(hours=1)
    HealthRun.objects.create(started_at=three_hours_ago, finished_at=now - timedelta(hours=2), outcome="completed")
    HealthRun.objects.create(started_at=an_hour_ago, finished_at=now, **withheld)
    HealthRun.objects.create(started_at=now - timedelta(minutes=9), finished_at=now, outcome="failed")
    assert "2 h ago</time>" in html_of(client.get("/"))
    HealthRun.objects.create(started_at=now)
    page = html_of(client.get("/"))
    assert "3 working links, last checked <time" in page
    assert "2 h ago</time>" in page


def test_a_card_counts_only_links_that_a_check_found_working(client):
    fresh, partly, dead = (make_movie(title=title) for title in ("A", "B", "C"))
    make_link(fresh)
    make_link(partly)
    for active in (True, True, False):
        make_link(partly, last_checked=timezone.now(), is_active=active)
    make_link(dead, last_checked=timezone.now(), is_active=False)
    page = " ".join(html_of(client.get("/?sort=title")).split())
    assert re.findall('<span class="tag( ok| bad)?"><svg.*?</svg>(.*?)</span>', page) == [
        ("", "Not checked yet"),
        (" ok", "2 links"),
        (" bad", "No link"),
    ]
    assert "2 working links, 2 not checked yet." in page
    assert re.search('<span class="name" dir="auto">A</span>.*<span class="tag">', page)


def test_a_movie_without_links_says_so_on_its_card(client):
    make_movie(title="Alone")
    page = html_of(client.get("/"))
    assert "No link" in page
    assert 'class="movie-card off"' in page


def test_real_posters_fall_back_to_generated_ones(client):
    make_movie(poster_url="https://pictures.example.org/1.jpg")
    page = html_of(client.get("/"))
    assert 'src="https://pictures.example.org/1.jpg" data-fallback="/posters/tt' in page
    assert 'referrerpolicy="no-referrer"' in page


def test_a_hostile_title_is_escaped(client):
    make_movie(title='"><script>alert(1)</script>{{7*7}}\u202egnp')
    page = html_of(client.get("/"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in page
    assert "\u202e" not in page


def test_a_very_long_title_is_cut(client):
    movie = make_movie()
    Movie.objects.filter(pk=movie.pk).update(title="W" * 10_000)
    assert "W" * 201 not in html_of(client.get("/"))


@pytest.mark.parametrize(
    ("cookie", "html"), [("dark", 'data-theme="dark"'), ("light", 'data-theme="light"'), ("x", '<html lang="en">')]
)
def test_the_theme_comes_from_the_cookie(cookie, html):
    client = Client()
    client.cookies["theme"] = cookie
    assert html in html_of(client.get("/"))


def test_head_and_post(client):
    assert client.head("/").status_code == 200
    assert client.post("/").status_code == 405


@pytest.mark.parametrize(
    ("address", "entry", "mark"),
    [
        ("/", "Catalogue", "page"),
        ("/streaming/tt0013442/", "Catalogue", "true"),
        ("/jobs/1/", "Catalogue", "true"),
        ("/mine/", "Mine", "page"),
        ("/tv/", "TV", "page"),
        ("/streaming/tt0013442/tv/", "TV", "true"),
        ("/health/", "Link health", "page"),
        ("/sources/", "Sources", "page"),
        ("/api/", "API", "page"),
        ("/nowhere/", "", ""),
    ],
)
def test_the_menu_or_the_footer_marks_the_current_page_and_the_menu_is_for_viewers(client, address, entry, mark):
    movie = make_movie(imdb_id="tt0013442")
    make_job(movie, pk=1, state="succeeded", outcome="nothing")
    page = html_of(client.get(address))
    menu, links = page.split("</nav>")[0].split("<nav")[1], page.split("<footer")[1].split("<form")[0]
    assert re.findall(r'aria-current="(\w+)">([^<]+)<', menu + links) == ([(mark, entry)] if entry else [])
    assert re.findall(r">([^<]+)</a>", menu) == ["Catalogue", "Mine", "TV"]


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"title": "Vampyr"}, "Vampyr"),
        ({"year": 1923}, "1923 ·"),
        ({"type": "show"}, "· Show </span>"),
        ({"poster_url": "https://posters.example.org/1.jpg"}, "posters.example.org"),
    ],
)
def test_a_card_that_was_rendered_lately_shows_each_change_at_once(client, change, shown):
    movie = make_movie(title="Nosferatu", year=1922)
    assert shown not in " ".join(client.get("/").text.split())
    Movie.objects.filter(pk=movie.pk).update(**change)
    assert shown in " ".join(client.get("/").text.split())


def test_a_card_shows_links_and_takedowns_at_once_and_is_rendered_once(client):
    link = make_link(make_movie(title="Nosferatu"), last_checked=timezone.now())
    assert "1 link</span>" in client.get("/").text
    StreamingLink.objects.filter(pk=link.pk).update(is_active=False)
    assert "No link</span>" in client.get("/").text
    again = client.get("/")
    assert "No link</span>" in again.text
    assert "_card.html" not in [template.name for template in again.templates]
    BlockedAddress.objects.create(kind=BlockedAddress.Kind.IMDB_ID, address=link.movie.imdb_id, reason="asked")
    assert "Nosferatu" not in client.get("/").text


def test_while_templates_are_edited_no_card_is_kept(client, settings):
    settings.DEBUG = True
    make_movie(title="Nosferatu")
    for _ in range(2):
        assert "_card.html" in [template.name for template in client.get("/").templates]
