"""Saved answers of every source give exactly what was worked out by hand: our own small ones, and the recorded ones
where they lie beside the project."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from scraper import metadata_providers
from scraper.extraction import wikidata_statements
from scraper.extraction.film import ExtractedFilm, ExtractedLink, deduplicate
from scraper.extraction.film_page import extract_film
from scraper.extraction.json_values import as_mapping, decode_json
from scraper.metadata_providers import FilmMetadata
from scraper.spiders import commons, internet_archive, library_of_congress, peertube
from tests.helpers.paths import RECORDED_PAYLOADS

OWN = Path(__file__).parent / "pages"
# The formats that we write ourselves are compared in tests/exchange/test_conformance.py; the others we never ask for.
NOT_READ = ("stremio/", "m3u_strm/", "loc/search", "peertube/list")
NOT_COMPARED = {
    "reject": "prose; nothing may be found but what is listed, which is compared",
    "not_links": "compared on its own below",
}
# What the catalogue has no place for is not read out of the answers of these sources.
IGNORED_KEYS = {
    "commons/": {"duration", "subtitles", "attribution", "attribution_required", "artist_text"},
    "html/": {"duration", "subtitles", "episodes"},
    "peertube/": {"duration", "embed"},
    "tmdb/": {"original_title", "runtime", "language", "genres"},
    "omdb/": {"runtime", "language", "languages", "genres"},
    "tvmaze/": {"runtime", "language"},
    "imdb_datasets/": {"original_title", "runtime", "genres"},
    # An entity is read for its statements alone: one that names no place to watch gives no film.
    "wikidata/entity": {"year", "type"},
    "wikidata/entity_Q20145_person": {"wikidata", "imdb_id", "title"},
    "wikidata/entity_Q2262932_city_streets": {"wikidata", "imdb_id", "title"},
}
# Of a link.
NOT_COMPARED_THERE = {
    **dict.fromkeys(("width", "height"), "the quality follows from them"),
    "size": "nobody is shown it",
    "mime": "the kind follows from it",
    "must": "says how the list is to be read",
    "quality_any_of": "goes before `quality`",
    "source_format": "a word of the archive's that kind and media type follow from",
    "original": "the archive's word; originals and derivatives are ranked by what they are",
    "found_in": "prose: where on the page it stands",
    "file_title": "the name of the file is in its address",
    "subtitle_languages": "we list no subtitles of pages",
    "access": "what has to be paid for is no link at all, so the others are free",
    "regions": "we do not know where a visitor is",
}
PROVIDERS = {
    "internet_archive": "Internet Archive",
    "commons": "Wikimedia Commons",
    "wikimedia_commons": "Wikimedia Commons",
    "netflix": "Netflix",
}
LICENCE_WORDS = {"internet_archive": "url", "peertube": "name"}


@dataclass(frozen=True)
class Case:
    folder: Path
    file: str
    expected: dict[str, Any]

    @property
    def source(self) -> str:
        return self.file.split("/")[0]

    def body(self) -> bytes:
        return (self.folder / self.file).read_bytes()


def cases() -> list[Case]:
    found = []
    for folder in (OWN, RECORDED_PAYLOADS):
        index = folder / "expected.json"
        rows = json.loads(index.read_text("utf-8")) if index.exists() else []
        found += [Case(folder, row["file"], row["expected"]) for row in rows if not row["file"].startswith(NOT_READ)]
    return found


def read(case: Case) -> dict[str, Any]:
    """What we read out of the answer, under the keys of the expectations."""
    reader = next(reader for beginning, reader in READERS if case.file.startswith(beginning))
    return reader(case)


def one_film(film_of: Callable[[object], ExtractedFilm]) -> Callable[[Case], dict[str, Any]]:
    return lambda case: as_dict(film_of(decode_json(case.body())), source=case.source)


def as_dict(film: ExtractedFilm, *, source: str = "") -> dict[str, Any]:
    return {
        "imdb_id": film.imdb_id or None,
        "identifier": film.identifier,
        "wikidata": film.identifier,
        "uuid": film.identifier,
        "title": film.title,
        "year": film.year,
        "type": film.type,
        "types": {"movie": "film"}.get(film.type),
        "language": film.language or None,
        "page": film.page,
        "licence": licence(film, source),
        "licence_slug": film.licence.slug,
        "error": film.problem,
        "links": deduplicate(film.links),
    }


def licence(film: ExtractedFilm, source: str) -> object:
    said = film.licence
    if source == "commons" and said.name:
        return {"short": said.name, "url": said.url}
    return getattr(said, LICENCE_WORDS.get(source, "slug")) or None


def archive_search(case: Case) -> dict[str, Any]:
    page = internet_archive.parse_search_page(decode_json(case.body()))
    films = [hit.identifier for hit in page.hits if hit.is_film]
    return {"numFound": page.total, "docs": len(page.hits), "movies": films, "next": page.next}


def archive_hits(case: Case) -> dict[str, Any]:
    hits = list(internet_archive.parse_hits(decode_json(case.body())))
    return {
        "hits": len(hits),
        "identifiers_movies": [hit.identifier for hit in hits if hit.is_film],
        "with_licenseurl": [hit.identifier for hit in hits if hit.is_film and hit.licence_url],
    }


def archive_scrape(case: Case) -> dict[str, Any]:
    page = internet_archive.parse_scrape_page(decode_json(case.body()))
    return {"items": len(page.hits), "count": len(page.hits), "total": page.total, "cursor": page.next}


def wikidata_table(case: Case) -> dict[str, Any]:
    table = wikidata_statements.parse_film_table(decode_json(case.body()))
    return {"next_after": table.next_after, "rows": [as_dict(film) for film in table.films]}


def wikidata_film(case: Case) -> dict[str, Any]:
    (film,) = wikidata_statements.group_by_film(wikidata_statements.parse_statements(decode_json(case.body())))
    return as_dict(film)


def wikidata_entity(case: Case) -> dict[str, Any]:
    films = wikidata_statements.group_by_film(wikidata_statements.parse_entity_statements(decode_json(case.body())))
    return as_dict(films[0] if films else ExtractedFilm())


def commons_file(case: Case) -> dict[str, Any]:
    (film,) = commons.parse_files(decode_json(case.body()))
    return as_dict(film, source="commons")


def peertube_captions(case: Case) -> dict[str, Any]:
    captions = peertube.parse_captions(decode_json(case.body()), page="https://framatube.org/")
    return {"total": len(captions), "languages": [caption.language for caption in captions]}


def peertube_video(case: Case) -> dict[str, Any]:
    video = as_mapping(decode_json(case.body()))
    film = peertube.parse_video(video)
    return as_dict(film, source="peertube") | {
        "licence_id": {slug: number for number, slug in peertube.LICENCE_BY_NUMBER.items()}.get(film.licence.slug),
        "category": peertube.parse_category(video) or None,
        "nsfw": peertube.is_marked_sensitive(video),
    }


def described(film: FilmMetadata) -> dict[str, Any]:
    return {
        "imdb_id": film.imdb_id or None,
        "title": film.title,
        "year": film.year,
        "type": film.type,
        "poster_url": film.poster_url,
        "error": film.problem,
        # A catalogue has no watch links: there is nothing of that kind in a Description.
        "links": [],
    }


def tmdb_find(case: Case) -> dict[str, Any]:
    found = metadata_providers.parse_tmdb_find(decode_json(case.body()))
    return described(found.first) | {"tmdb_movie_ids": list(found.movies), "tmdb_tv_ids": list(found.shows)}


def catalogue(reader: Callable[[object], FilmMetadata]) -> Callable[[Case], dict[str, Any]]:
    return lambda case: described(reader(decode_json(case.body())))


def imdb_rows(case: Case) -> dict[str, Any]:
    rows = [described(film) for film in metadata_providers.parse_imdb_titles(case.body().decode().splitlines())]
    return {"rows": len(rows), "check": [row for row in rows if row["imdb_id"] in checked(case)]}


def checked(case: Case) -> list[str]:
    return [row["imdb_id"] for row in case.expected["check"]]


def page(case: Case) -> dict[str, Any]:
    return as_dict(extract_film(case.body().decode(), url=case.expected["page_url"])) | {
        "page_url": case.expected["page_url"]
    }


READERS: list[tuple[str, Callable[[Case], dict[str, Any]]]] = [
    ("internet_archive/advancedsearch", archive_search),
    ("internet_archive/page_production", archive_hits),
    ("internet_archive/scrape", archive_scrape),
    ("internet_archive/", one_film(internet_archive.parse_item)),
    ("wikidata/entity", wikidata_entity),
    ("wikidata/sparql_one_title", wikidata_film),
    ("wikidata/", wikidata_table),
    ("commons/", commons_file),
    ("loc/", one_film(library_of_congress.parse_item)),
    ("peertube/captions", peertube_captions),
    ("peertube/", peertube_video),
    ("html/", page),
    ("tmdb/find", tmdb_find),
    ("tmdb/", catalogue(metadata_providers.parse_tmdb_details)),
    ("omdb/", catalogue(metadata_providers.parse_omdb)),
    ("tvmaze/", catalogue(metadata_providers.parse_tvmaze)),
    ("imdb_datasets/", imdb_rows),
]


def kept(expected: Any, *, file: str) -> Any:
    """The expectations without what we do not read; links have a list of their own."""
    if isinstance(expected, list):
        return [kept(one, file=file) for one in expected]
    if not isinstance(expected, dict):
        return expected
    left_out = {key for beginning, keys in IGNORED_KEYS.items() if file.startswith(beginning) for key in keys}
    rest = {key: value for key, value in expected.items() if key not in left_out}
    return {key: value if key == "links" else kept(value, file=file) for key, value in rest.items()}


def compare(got: dict[str, Any], expected: dict[str, Any]) -> None:
    for key, value in expected.items():
        if key == "links":
            compare_links(got["links"], value)
        elif key == "check":
            assert [{name: row[name] for name in wanted} for row, wanted in zip(got[key], value, strict=True)] == value
        elif key == "rows" and isinstance(value, list):
            assert len(got["rows"]) == len(value)
            for row, wanted in zip(got["rows"], value, strict=True):
                compare(row, wanted)
        elif key not in NOT_COMPARED:
            assert got[key] == value, key
    for refused in expected.get("not_links", []):
        assert refused not in [link.url for link in got.get("links", [])]


def compare_links(got: list[ExtractedLink], expected: list[dict[str, Any]]) -> None:
    found, wanted = {unquote(link.url): link for link in got}, {unquote(link["url"]): link for link in expected}
    assert len(found) == len(got)
    assert [url for url, link in wanted.items() if link.get("must", True) and url not in found] == []
    assert [url for url in found if url not in wanted] == []
    for url, link in found.items():
        compare_link(link, wanted[url])


def compare_link(link: ExtractedLink, wanted: dict[str, Any]) -> None:
    assert link.kind == wanted["kind"], link.url
    assert (link.quality or None) in wanted.get("quality_any_of", [wanted["quality"]]), link.url
    assert (link.language or None) == wanted["language"], link.url
    for key, value in wanted.items():
        if key in ("episode", "season") and value is not None:
            assert getattr(link, key) == value, (link.url, key)
    if "provider" in wanted:
        assert link.label == PROVIDERS[wanted["provider"]], link.url
    assert (
        wanted.keys() - {"url", "kind", "language", "quality", "provider", "season", "episode"}
        <= NOT_COMPARED_THERE.keys()
    )


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.folder.name}-{case.file}")
def test_an_answer_gives_what_was_worked_out_by_hand(case: Case) -> None:
    compare(read(case), kept(case.expected, file=case.file))


def test_the_service_decides_whether_its_watch_page_is_free() -> None:
    rows = [
        {"imdb": "tt0900001", "prop": prop, "value": "1", "formatter": "https://films.example.org/$1"}
        for prop in wikidata_statements.WATCH_PROPERTIES
    ]
    cells = [{name: {"type": "literal", "value": value} for name, value in row.items()} for row in rows]
    statements = wikidata_statements.parse_statements({"results": {"bindings": cells}})
    said = {statement.prop: statement.link().licence for statement in statements}
    official = {prop for prop, licence in said.items() if licence and licence.slug == "official"}
    paid = {prop for prop, licence in said.items() if licence and licence.slug == "paid"}
    assert official == {"P7760", "P7761", "P6614", "P3194", "P6549"}
    assert len(paid) == 19
    assert official | paid == set(wikidata_statements.WATCH_PROPERTIES) - {
        "P724",
        "P10",
        "P1651",
        "P4015",
        "P11731",
        "P953",
    }


def test_every_reader_has_a_saved_answer_of_our_own() -> None:
    own = [case.file for case in cases() if case.folder == OWN]
    unread = [beginning for beginning, _ in READERS if not any(file.startswith(beginning) for file in own)]
    assert unread == []


def test_all_recorded_answers_are_compared(record_property: Callable[[str, object], None]) -> None:
    there = RECORDED_PAYLOADS / "expected.json"
    index = json.loads(there.read_text("utf-8")) if there.exists() else []
    compared = [case.file for case in cases() if case.folder == RECORDED_PAYLOADS]
    record_property("recorded_answers", len(compared))
    assert len(compared) == len([row for row in index if not row["file"].startswith(NOT_READ)])
