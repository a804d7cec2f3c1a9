"""The benchmark of catalogues: its films are valid and the same everywhere, and its clients count what they get."""

from __future__ import annotations

from itertools import islice

import pytest

from bench.catalogue import films, tables
from bench.catalogue.clients import measure
from bench.catalogue.databases import BARE, OPENREEL, SQLITE, TUTORIAL, Catalogue
from bench.catalogue.measurements import DETAIL, EMPTY, FIRST, NOT_MODIFIED, UNSEEN, Measured, measure_build
from scraper.net.url_policy import PrivateHostAllowlist
from streaming.exchange import jsonl
from streaming.exchange.importer import import_lines
from streaming.models import Movie, StreamingLink
from tests.helpers.http_servers import Page, Site, serving


def test_a_smaller_catalogue_is_the_beginning_of_a_larger_one():
    assert list(films.generate(30)) == list(islice(films.generate(1000), 30))


@pytest.mark.django_db
def test_all_films_and_links_are_imported(tmp_path):
    written = list(films.generate(40))
    file = films.write_catalogue(written, tmp_path / "films.jsonl")
    assert list(films.read_catalogue(file)) == written
    with file.open("rb") as source:
        lines = jsonl.parse_lines(jsonl.numbered_lines(source.readline), allowed=PrivateHostAllowlist.parse([]))
        report = import_lines(lines, on_invalid=lambda line: pytest.fail(str(line)), on_progress=lambda done: None)
    assert (report.invalid, report.refused_links, sum(report.saved.refused.values())) == (0, 0, 0)
    assert set(Movie.objects.values_list("imdb_id", flat=True)) == {films.imdb_id(number) for number in range(1, 41)}
    assert StreamingLink.objects.count() == sum(len(film["links"]) for film in written)


@pytest.mark.slow
def test_the_clients_count_responses_and_those_with_another_status():
    pages = {"/a": Page("x" * 100_000), "/b": Page("", 404)}
    with serving(Site(pages)) as site:
        rate = measure(site.port, ["/a", "/b"], clients=3, seconds=0.2, headers={"Accept": "*/*"})
        assert site.hits["/a"] > 10
    assert len(rate.seconds) == pytest.approx(2 * rate.unexpected, abs=3)
    assert rate.per_second == pytest.approx(len(rate.seconds) / rate.elapsed)
    assert rate.elapsed >= 0.2


@pytest.mark.slow(seconds=40)
def test_each_build_is_filled_and_measured(tmp_path):
    catalogue = Catalogue(folder=tmp_path, kind=SQLITE, films=240, imported=80, facts=True)
    catalogue.fill()
    for build, rates in ((TUTORIAL, 3), (OPENREEL, 5), (BARE, 2)):
        measured = measure_build(build, catalogue, seconds=0.2)
        assert len(measured.rates) == rates
        assert all(rate > 0 for rate in measured.rates.values())
        assert (measured.typing is None) is (build == BARE)


def test_the_tables_have_ratios_where_both_were_measured():
    builds = {
        TUTORIAL: Measured(rates={FIRST: 10, UNSEEN: 8, DETAIL: 50}, pages={"/a": (3, 2.5)}, typing=(1000, 2000)),
        OPENREEL: Measured(
            rates={FIRST: 400, UNSEEN: 40, DETAIL: 100, NOT_MODIFIED: 900, EMPTY: 1000},
            pages={"/a": (20, 1.25), "/b": (7, 6)},
            typing=(3, 12),
            import_seconds=31.4,
        ),
        BARE: Measured(rates={FIRST: 800, DETAIL: 2000}),
    }
    runs = {("SQLite", 10_000): builds}
    assert "| SQLite | 10,000 | first page | 10 | 400 | 800 | 40.00 | 0.50 |" in tables.rates(runs)
    assert "| SQLite | 10,000 | pages, each once | 8.0 | 40 |  | 5.00 |  |" in tables.rates(runs)
    assert "| SQLite | 10,000 | 304 for the first page |  | 900 |  |  |  |" in tables.rates(runs)
    assert "| SQLite | 10,000 | 1,000 | 2,000 | 3.0 | 12 |" in tables.typing(runs)
    assert "| `/a` | 1.2 (20) | 2.5 (3.0) |" in tables.pages(runs)
    assert "| `/b` | 6.0 (7.0) |  |" in tables.pages(runs)
    assert "| SQLite | 10,000 | 31 |" in tables.imports(runs)
