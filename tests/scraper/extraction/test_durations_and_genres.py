"""Durations, genres and countries in the words of sources, and what Wikidata states of a film."""

from __future__ import annotations

import pytest

from scraper.extraction.countries import COUNTRIES, parse_countries
from scraper.extraction.durations import parse_minutes, parse_seconds
from scraper.extraction.genres import GENRES, OTHER_WORDS, parse_genre, parse_genres
from scraper.extraction.json_values import UnreadableResponse
from scraper.extraction.wikidata_facts import parse_facts
from scraper.extraction.wikidata_queries import facts_query
from scraper.items import Caption, Person
from scraper.metadata_providers import parse_omdb
from scraper.spiders import commons, internet_archive

ENTITY = "http://www.wikidata.org/entity/"


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        ("31.14", 31), (31.6, 32), ("45:00", 2700), ("1:34:02", 5642), ("1:34:02.5", 5642), ("PT1H34M", 5640),
        ("PT90M", 5400), ("94 min", 5640), ("94 minutes", 5640), ("1h 34m", 5640), ("1 hr 34 min", 5640), ("0", None),
        ("", None), ("long", None), ("-5", None), ("9" * 40, None), (None, None), (True, None), ([], None),
        ("٣:٠٠", 180),
    ],
)  # fmt: skip
def test_a_duration_is_read_in_all_spellings(stated, seconds):
    assert parse_seconds(stated) == seconds


def test_a_bare_number_of_a_runtime_is_minutes():
    assert [parse_minutes(stated) for stated in ("94", 94, "0", "99999", "94 min", None)] == [
        94,
        94,
        None,
        None,
        94,
        None,
    ]


@pytest.mark.parametrize(
    ("stated", "slug"),
    [
        ("Horror", "horror"), ("horror film", "horror"), ("Sci-Fi", "science-fiction"), ("Film-Noir", "film-noir"),
        ("science fiction film", "science-fiction"), ("crime fiction", "crime"), ("Animated cartoon", ""), ("1929", ""),
        ("drama television series", "drama"), ("x" * 100, ""), (None, ""), (7, ""),
    ],
)  # fmt: skip
def test_the_genres_of_sources_become_ours(stated, slug):
    assert parse_genre(stated) == slug


def test_lists_of_genres_and_countries_keep_what_is_known():
    assert parse_genres("Horror, Fantasy, horror, Nonsense") == ("horror", "fantasy")
    assert parse_genres(["Comedy"] * 10_000) == ("comedy",)
    assert parse_countries("USA, West Germany, Atlantis, uk") == ("US", "DE", "GB")
    assert parse_genres({"a": 1}) == parse_countries(None) == ()


def test_the_tables_are_of_one_kind():
    assert set(OTHER_WORDS.values()) <= set(GENRES)
    assert all(len(code) == 2 and code.isupper() and name for code, name in COUNTRIES.items())


def row(prop, value, **cells):
    language = cells.pop("lang", None)
    stated = {"prop": {"value": prop}, "value": {"value": value, **({"xml:lang": language} if language else {})}}
    return stated | {"links": {"value": "74"}} | {name: {"value": text} for name, text in cells.items()}


def test_what_wikidata_states_of_a_film_is_read():
    rows = [
        row(f"{ENTITY}P57", f"{ENTITY}Q55394", valueLabel="F. W. Murnau"),
        row(f"{ENTITY}P57", f"{ENTITY}Q55394", valueLabel="F. W. Murnau"),
        row(f"{ENTITY}P161", f"{ENTITY}Q62676", valueLabel="Max Schreck"),
        row(f"{ENTITY}P161", f"{ENTITY}Q1", valueLabel="Q1"),
        row(f"{ENTITY}P136", f"{ENTITY}Q200092", valueLabel="horror film"),
        row(f"{ENTITY}P136", f"{ENTITY}Q2", valueLabel="vampire ballet"),
        row(f"{ENTITY}P495", f"{ENTITY}Q183", country="DE"),
        row(f"{ENTITY}P364", f"{ENTITY}Q188", language="de"),
        row("P2047", "5640"),
        row(f"{ENTITY}P1476", "Nosferatu, eine Symphonie des Grauens", lang="de"),
        row("label", "Nosferatu le vampire", lang="fr"),
        row("label", "Nosferatu", lang="xx"),
    ]
    facts = parse_facts({"results": {"bindings": rows}}, imdb_id="tt0013442")
    assert (facts.runtime_minutes, facts.fame, facts.genres) == (94, 74, ("horror",))
    assert facts.directors == (Person("F. W. Murnau", "Q55394"),)
    assert facts.cast == (Person("Max Schreck", "Q62676"),)
    assert (facts.countries, facts.original_languages) == (("DE",), ("de",))
    assert facts.original_title == "Nosferatu, eine Symphonie des Grauens"
    assert facts.other_titles == (("fr", "Nosferatu le vampire"),)
    assert facts.title == ""


def test_an_answer_to_another_question_states_nothing():
    answer = {"results": {"bindings": [row(f"{ENTITY}P724", "nosferatu")]}}
    assert parse_facts(answer, imdb_id="tt0013442") is None
    with pytest.raises(UnreadableResponse):
        parse_facts({"boolean": True}, imdb_id="tt0013442")


def test_the_query_takes_ids_only():
    assert '"tt0013442"' in facts_query("tt0013442")
    with pytest.raises(ValueError, match="cannot be queried"):
        facts_query('tt0013442" }')


def archive_item(**metadata):
    files = [
        {"name": "film.mp4", "source": "original", "format": "h.264", "length": "45:00", "size": "99", "width": "640",
         "height": "480"},
        {"name": "film.de.srt", "format": "SubRip"},
        {"name": "film.asr.srt", "format": "SubRip"},
        {"name": "other.vtt", "format": "Web Video Text Tracks"},
        {"name": "../film.fr.srt", "format": "SubRip"},
    ]  # fmt: skip
    common = {"identifier": "film", "mediatype": "movies", "title": "Film"}
    return internet_archive.parse_item({"metadata": common | metadata, "files": files})


def test_an_item_of_the_archive_says_what_its_files_are_like():
    film = archive_item(runtime="1:34:02", subject=["horror", "1922"], director="F. W. Murnau")
    (link,) = film.links
    assert (link.duration_seconds, link.size_bytes, link.width, link.height) == (2700, 99, 640, 480)
    url = "https://archive.org/download/film/film.de.srt"
    assert link.captions == (Caption(url=url, language="de", format="srt"),)
    assert (film.runtime_minutes, film.genres, film.directors) == (94, ("horror",), (Person("F. W. Murnau"),))


@pytest.mark.parametrize(
    ("runtime", "minutes"), [("94", None), ("1:34", None), ("94:00", 94), ("94 min", 94), ("", None)]
)
def test_an_unclear_runtime_of_an_item_is_none(runtime, minutes):
    assert archive_item(runtime=runtime).runtime_minutes == minutes


def test_a_file_of_commons_has_captions_and_a_length():
    base = "https://upload.wikimedia.org/w"
    info = {
        "url": f"{base}/F.webm", "mime": "video/webm", "size": 5, "width": 640, "height": 480, "duration": 5640.4,
        "timedtext": [
            {"src": f"{base}/F.de.vtt", "type": "text/vtt", "srclang": "de"},
            {"src": "https://elsewhere.example/F.vtt", "type": "text/vtt", "srclang": "fr"},
            {"src": f"{base}/F.txt", "type": "text/plain", "srclang": "en"},
        ],
    }  # fmt: skip
    (film,) = commons.parse_files({"query": {"pages": [{"title": "File:F.webm", "videoinfo": [info]}]}})
    (link,) = film.links
    assert (link.duration_seconds, link.size_bytes, link.width) == (5640, 5, 640)
    assert link.captions == (Caption(url=f"{base}/F.de.vtt", language="de", format="vtt"),)


def test_providers_say_runtime_genres_and_people():
    stated = {
        "Response": "True", "Title": "Nosferatu", "Runtime": "94 min", "Genre": "Fantasy, Horror", "Country": "Germany",
        "Director": "F.W. Murnau", "Actors": "Max Schreck, Greta Schröder (as Ellen)",
    }  # fmt: skip
    film = parse_omdb(stated)
    assert (film.runtime_minutes, film.genres, film.countries) == (94, ("fantasy", "horror"), ("DE",))
    assert film.cast == (Person("Max Schreck"), Person("Greta Schröder"))
