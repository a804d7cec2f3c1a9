"""Generated posters and charts: valid, escaped, reproducible, cached."""

from __future__ import annotations

import gzip
import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest

from streaming.drawing import posters
from streaming.models import Movie
from streaming.web import charts
from streaming.web.charts import ChartBar
from tests.helpers.factories import make_movie

TITLES = ["Nosferatu", "", "W" * 10_000, "<&>\"'", "Броненосец «Потёмкин»", "東京物語", "a " * 5_000, "\u202eevil"]


@pytest.mark.parametrize(
    ("top", "axis"),
    [
        (480, ["0", "200", "400", "600"]),
        (4_000, ["0", "1k", "2k", "3k", "4k"]),
        (480_000, ["0", "200k", "400k", "600k"]),
        (1_600_000, ["0", "500k", "1M", "1.5M", "2M"]),
    ],
)
def test_the_labels_of_the_axis_are_short(top, axis):
    drawn = charts.stacked_bars([ChartBar("1 Jan", top, 0)], good="alive", bad="not alive", label="x")
    assert re.findall(r'text-anchor="end">([^<]+)<', drawn) == axis * 2, "of the wide chart and of that for phones"


@pytest.mark.parametrize("title", TITLES)
def test_any_title_makes_a_valid_small_poster(title):
    for number in range(60):
        drawn = posters.render_poster(f"tt{number:07d}", title=title, year=1922, is_show=bool(number % 2))
        ElementTree.fromstring(drawn)
        assert len(gzip.compress(drawn.encode())) < 1500
    assert "<&>" not in drawn


@pytest.mark.parametrize(
    ("title", "rows"),
    [
        ("Der Donaudampfschiffer", ["Der", "Donaudampfschiffer"]),
        ("W" * 30, ["W" * 10] * 3),
        ("W" * 200, [*["W" * 15] * 4, "…"]),
    ],
)
def test_a_word_of_a_poster_is_broken_only_if_it_fits_at_no_size(title, rows):
    drawn = posters.render_poster("tt0000001", title=title, year=1922)
    assert re.findall(r"<tspan[^>]*>([^<]*)<", drawn) == rows


@pytest.mark.parametrize(
    ("year", "is_show", "caption"),
    [
        (1922, False, ">1922<"),
        (1959, True, ">1959 · SERIES<"),
        (None, True, ">SERIES<"),
        (None, False, '"1.5"></text>'),
    ],
)
def test_the_caption_of_a_poster_has_only_known_parts(year, is_show, caption):
    assert caption in posters.render_poster("tt0000001", title="Bonanza", year=year, is_show=is_show)


def test_posters_differ_between_movies_and_are_reproducible():
    drawn = [posters.render_poster(f"tt{number:07d}", title="Same", year=1950) for number in range(500)]
    assert len(set(drawn)) > 450
    assert drawn[7] == posters.render_poster("tt0000007", title="Same", year=1950)
    ElementTree.fromstring(posters.render_glow("tt0000007"))


def test_the_version_changes_with_the_picture():
    versions = {
        posters.poster_version("tt0000001", title=title, year=year, is_show=show)
        for title in ("A", "B")
        for year in (None, 1950)
        for show in (False, True)
    }
    assert len(versions) == 8


@pytest.mark.django_db
def test_only_the_url_with_the_current_version_is_immutable(client):
    movie = make_movie(title="Kept", year=1930)
    version = posters.poster_version(movie.imdb_id, title="Kept", year=1930)
    address = f"/posters/{movie.imdb_id}.svg"
    named, unnamed = client.get(f"{address}?v={version}"), client.get(address)
    assert (named.status_code, named["Content-Type"]) == (200, "image/svg+xml")
    assert "immutable" in named["Cache-Control"]
    assert "public" in named["Cache-Control"]
    assert unnamed["Cache-Control"] == "public, max-age=300"
    again = client.get(address, headers={"If-None-Match": named["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    glow = client.get(f"{address}?v={version}&glow=1")
    assert b"radialGradient" in glow.content
    assert glow["ETag"] != named["ETag"]
    Movie.objects.filter(pk=movie.pk).update(title="Renamed")
    assert client.get(address, headers={"If-None-Match": named["ETag"]}).status_code == 200
    assert f"?v={version}" not in client.get("/").content.decode()


@pytest.mark.django_db
def test_a_hostile_title_is_escaped_in_the_poster(client):
    movie = make_movie(title='</svg><script>alert(1)</script>\x01\u202e" onload="x')
    response = client.get(f"/posters/{movie.imdb_id}.svg")
    root = ElementTree.fromstring(response.content.decode())
    assert not [element for element in root.iter() if element.tag.endswith("script") or "onload" in element.attrib]


@pytest.mark.django_db
def test_only_imdb_ids_have_posters(client):
    movie = make_movie()
    for name in (movie.pk, "tt0000000", "x", "../etc"):
        assert client.get(f"/posters/{name}.svg").status_code == 404


def test_bars_differ_in_height_and_have_a_text_alternative():
    drawn = charts.uptime_chart("aag")
    ElementTree.fromstring(drawn)
    assert 'aria-label="2 of the last 3 checks passed"' in drawn
    bars = dict(re.findall(r'<path class="(\w+)" d="([^"]+)"', drawn))
    assert {name: path.count("M") for name, path in bars.items()} == {"up": 2, "down": 1, "none": 21}
    assert "Not checked yet" in charts.uptime_chart("")
    assert 'aria-label="24 of the last 24 checks passed"' in charts.uptime_chart("g" * 9 + "a" * 24)


@pytest.mark.parametrize(
    ("top", "ticks"), [(0, [0, 1]), (1, [0, 1]), (4, [0, 1, 2, 3, 4]), (7, [0, 2, 4, 6, 8]), (143, [0, 50, 100, 150])]
)
def test_axes_are_round(top, ticks):
    drawn = charts.stacked_bars([ChartBar("1 Jan", top, 0)], good="good", bad="bad", label="x")
    ElementTree.fromstring(f"<div>{drawn}</div>")
    assert [int(part.split("<")[0]) for part in drawn.split('text-anchor="end">')[1:]] == ticks * 2


@pytest.mark.parametrize("count", [1, 2, 6, 14, 30, 31])
def test_the_days_below_a_chart_do_not_touch_also_on_phones(count):
    drawn = charts.stacked_bars([ChartBar("30. Nov.", 7, 1)] * count, good="good", bad="bad", label="x")
    for chart in drawn.split("</svg>")[:-1]:
        days = re.findall(r'x="([\d.]+)" y="\d+" text-anchor="(\w+)">30. Nov.<', chart)
        starts = [float(x) - (charts.LABEL_WIDTH if anchor == "end" else 0) for x, anchor in days]
        assert days
        assert all(after - before >= charts.LABEL_WIDTH - 1 for before, after in pairwise(starts)), starts


def test_charts_without_data_are_empty():
    assert charts.stacked_bars([], good="a", bad="b", label="x") == ""
    assert charts.sparkline_chart([1]) == ""
    ElementTree.fromstring(charts.sparkline_chart([3, 3, 3]))
    ElementTree.fromstring(charts.sparkline_chart([1, 5, 2]))


@pytest.mark.parametrize(("value", "total", "width"), [(0, 0, 0), (1, 4, 25), (9, 4, 100)])
def test_meters_stay_within_their_track(value, total, width):
    assert f'class="fill" width="{width}"' in charts.meter_bar(value, total)


def test_labels_in_charts_are_escaped():
    drawn = charts.stacked_bars([ChartBar("<b>", 1, 1)], good="<g>", bad="<h>", label='"<w>"')
    ElementTree.fromstring(f"<div>{drawn}</div>")
    assert "<b>" not in drawn
