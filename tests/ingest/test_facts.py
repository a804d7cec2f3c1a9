"""What is known of films and files: validated field by field, stored, and never written over what staff wrote."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from django.core.management import call_command

from scraper.items import Caption, FilmItem, LinkItem, Person
from scraper.net.url_policy import NO_PRIVATE_HOSTS, InvalidValue
from streaming.catalogue_check import check_all
from streaming.film_length import LONGER, SHORTER, length_note
from streaming.ingest.edits import update_movie
from streaming.ingest.records import merge_movies, parse_link, parse_movie
from streaming.ingest.save import save_links
from streaming.ingest.tombstones import remove_movies, restore_movies
from streaming.models import Movie, MovieFacet, StreamingLink
from streaming.scraping.crawling.pipeline import SaveLinksPipeline
from tests.helpers.factories import make_link, make_movie

KEY = "tt0013442"
FACTS = {
    "runtime_minutes": 94,
    "original_title": "Nosferatu, eine Symphonie des Grauens",
    "original_languages": ["de"],
    "countries": ["DE"],
    "genres": ["horror", "fantasy"],
    "directors": [{"name": "F. W. Murnau", "wikidata": "Q55394"}],
    "cast": [{"name": "Max Schreck"}, {"name": "F. W. Murnau"}],
    "other_titles": {"fr": "Nosferatu le vampire"},
    "fame": 74,
}
CAPTIONS = [{"url": "https://films.example.org/n.vtt", "language": "pt-BR"}]
MURNAU = Person("F. W. Murnau", "Q55394")


def movie(**fields):
    return parse_movie({"imdb_id": KEY, "title": "Nosferatu", "type": "movie", **fields})


def link(**fields):
    url = fields.pop("source_url", "https://films.example.org/n.mp4")
    common = {"imdb_id": KEY, "source": "commons", "kind": "file", "licence": "public-domain"}
    return parse_link({**common, "source_url": url, **fields})


def facets(**conditions):
    return sorted(MovieFacet.objects.filter(**conditions).values_list("kind", "value"))


def test_facts_are_kept_and_a_person_has_one_key_in_all_roles():
    record = movie(**FACTS)
    assert record.refused == ()
    assert (record.genres, record.countries, record.fame) == (("horror", "fantasy"), ("DE",), 74)
    assert record.directors == (MURNAU,)
    assert record.cast == (Person("Max Schreck"), MURNAU)


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("runtime_minutes", -3, None),
        ("runtime_minutes", 10**9, None),
        ("runtime_minutes", "94", None),
        ("runtime_minutes", True, None),
        ("runtime_minutes", 1.5, None),
        ("fame", -1, None),
        ("original_title", "x" * 300, ""),
        ("original_title", ["x"], ""),
        ("genres", ["horror"] * 10_000, ()),
        ("genres", ["horror", "gibberish"], ("horror",)),
        ("genres", {"horror": 1}, ()),
        ("genres", 7, ()),
        ("countries", ["DE", "Atlantis"], ("DE",)),
        ("original_languages", ["de", "klingon!", "qq"], ("de",)),
        ("directors", ["x" * 300, "F. W. Murnau"], (Person("F. W. Murnau"),)),
        ("directors", [{"name": "A", "wikidata": "q1; DROP"}], ()),
        ("directors", [{"name": None}], ()),
        ("directors", [None], ()),
        ("cast", ["!!!"], ()),
        ("cast", [{"name": "A"}] * 31, ()),
        ("other_titles", {"xx-invalid-": "A"}, ()),
        ("other_titles", {"fr": "x" * 300}, ()),
        ("other_titles", ["A"], ()),
        ("other_titles", "A", ()),
        ("synopses", {"fr": 5}, ()),
        ("synopses", {f"a{n}": "A" for n in "abcdefghijklmnopqrstu"}, ()),
    ],
)
def test_an_invalid_fact_is_named_and_the_film_is_kept(field, value, kept):
    record = movie(**{field: value})
    assert (record.title, getattr(record, field)) == ("Nosferatu", kept)
    assert {error.code for error in record.refused} == {f"bad_{field}"}
    assert all(field in str(error) and len(str(error)) < 700 for error in record.refused)


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("duration_seconds", 0, None),
        ("size_bytes", 10**30, None),
        ("width", "wide", None),
        ("captions", [{"url": "http://127.0.0.1/a.vtt"}], ()),
        ("captions", [{"url": "javascript:alert(1)"}], ()),
        ("captions", [{"url": "https://films.example.org/a.exe", "format": "exe"}], ()),
        ("captions", [{"url": "https://films.example.org/a.vtt", "language": "no such"}], ()),
        ("captions", "https://films.example.org/a.vtt", ()),
    ],
)
def test_an_invalid_fact_of_a_file_is_named_and_the_link_is_kept(field, value, kept):
    record = link(**{field: value})
    assert (record.source_url, getattr(record, field)) == ("https://films.example.org/n.mp4", kept)
    assert [error.code for error in record.refused] == [f"bad_{field}"]


def test_a_spider_may_yield_a_film_without_a_link():
    pipeline = SaveLinksPipeline(allowed=NO_PRIVATE_HOSTS, movie_id=KEY)
    pipeline.add(asdict(FilmItem(imdb_id=KEY, runtime_minutes=94, directors=(MURNAU,), genres=("horror", "nonsense"))))
    pipeline.add(asdict(LinkItem(imdb_id=KEY, source="commons", source_url="https://films.example.org/", width=-1)))
    pipeline.add(asdict(FilmItem(imdb_id="tt0000001", runtime_minutes=9)))
    assert [one.source_url for one in pipeline.links] == ["https://films.example.org/"]
    assert (list(pipeline.movies), pipeline.movies[KEY].runtime_minutes) == ([KEY], 94)
    assert pipeline.movies[KEY].directors == (MURNAU,)
    assert dict(pipeline.refused) == {"bad_genres": 1, "bad_width": 1, "another_movie": 1}


def test_of_two_records_of_a_movie_the_second_is_completed_by_the_first():
    merged = merge_movies(movie(**FACTS), movie(runtime_minutes=81))
    assert (merged.runtime_minutes, merged.genres) == (81, ("horror", "fantasy"))


@pytest.mark.django_db
def test_saving_keeps_facts_and_triggers_make_facets_of_them():
    save_links([link(duration_seconds=5640, size_bytes=9, captions=CAPTIONS)], movies=[movie(**FACTS)])
    saved = Movie.objects.get()
    assert (saved.runtime_minutes, saved.genres, saved.fame) == (94, ["horror", "fantasy"], 74)
    assert saved.people("cast") == (Person("Max Schreck"), MURNAU)
    assert saved.other_titles == [["fr", "Nosferatu le vampire"]]
    file = StreamingLink.objects.get()
    assert (file.duration_seconds, file.size_bytes, file.captions[0]["language"]) == (5640, 9, "pt-BR")
    of_movie = [("country", "DE"), ("genre", "fantasy"), ("genre", "horror"), ("person", "Q55394")]
    assert facets(link_id=0) == [*of_movie, ("person", "max-schreck")]
    assert facets(link_id=file.pk) == [("captions", "pt"), ("captions", "pt-br")]
    assert [finding.lines for finding in check_all() if finding.problems] == []


@pytest.mark.django_db
def test_facets_follow_each_change_and_go_with_the_movie():
    save_links([link(captions=CAPTIONS)], movies=[movie(**FACTS)])
    StreamingLink.objects.update(is_active=False)
    assert facets(kind="captions") == []
    StreamingLink.objects.update(is_active=True)
    assert facets(kind="captions") == [("captions", "pt"), ("captions", "pt-br")]
    Movie.objects.update(genres=["drama"], cast=[])
    assert facets(kind="genre") == [("genre", "drama")]
    assert facets(kind="person") == [("person", "Q55394")]
    remove_movies(Movie.objects.all(), reason="gone")
    assert facets() == []
    restore_movies([KEY])
    assert facets(kind="genre") == [("genre", "drama")]
    assert Movie.objects.get().people("directors") == (MURNAU,)


@pytest.mark.django_db
def test_a_contradiction_of_the_facets_is_found_and_mended():
    save_links([], movies=[movie(**FACTS)])
    MovieFacet.objects.filter(kind="genre").delete()
    MovieFacet.objects.create(movie=Movie.objects.get(), kind="country", value="FR")
    wrong = {line for finding in check_all() for line in finding.problems}
    assert len(wrong) == 3
    call_command("check_catalogue", "--repair")
    assert facets(kind="genre") == [("genre", "fantasy"), ("genre", "horror")]
    assert facets(kind="country") == [("country", "DE")]


@pytest.mark.django_db
def test_facts_fill_gaps_and_never_what_staff_wrote():
    found = make_movie(imdb_id=KEY, title="Nosferatu")
    update_movie(found, {"runtime_minutes": 81, "genres": ["drama"]})
    save_links([], movies=[movie(**FACTS)])
    saved = Movie.objects.get()
    assert (saved.runtime_minutes, saved.genres, saved.countries, saved.fame) == (81, ["drama"], ["DE"], 74)
    before = saved.updated_at
    save_links([], movies=[movie(**FACTS)])
    assert Movie.objects.get().updated_at == before


@pytest.mark.django_db
def test_a_movie_is_found_by_its_other_titles_however_they_came():
    def found(text):
        return [one.title for one in Movie.objects.search(text)]

    save_links([], movies=[movie(original_title="Nosferatu, eine Symphonie des Grauens")])
    assert found("symphonie grauens") == ["Nosferatu"]
    save_links([], movies=[movie(other_titles={"fr": "Le vampire", "ja": "吸血鬼"})])
    assert found("le vampire") == found("吸血") == found("symphonie") == ["Nosferatu"]
    update_movie(Movie.objects.get(), {"other_titles": {}})
    assert found("le vampire") == []
    assert found("symphonie") == ["Nosferatu"]
    make_movie(title="Metropolis", other_titles=[["ru", "Метрополис"]])
    assert found("метрополис") == ["Metropolis"]
    assert [finding.lines for finding in check_all() if finding.problems] == []


@pytest.mark.django_db
def test_a_synopsis_is_added_in_a_language_that_has_none_and_none_is_overwritten():
    stored = make_movie(imdb_id=KEY, title="Nosferatu", synopsis="Staff wrote.", synopses=[["de", "Ein Vampir."]])
    found = movie(synopsis="Found.", synopses={"en": "Found.", "de": "Ein anderer.", "fr": "Un\n vampire."})
    for _ in range(2):
        save_links([], movies=[found])
        stored.refresh_from_db()
        assert stored.synopsis == "Staff wrote."
        assert stored.synopses == [["de", "Ein Vampir."], ["en", "Found."], ["fr", "Un vampire."]]
    marked = stored.updated_at
    save_links([], movies=[found])
    stored.refresh_from_db()
    assert stored.updated_at == marked
    both = merge_movies(movie(synopses={"de": "Erste.", "es": "Uno."}), movie(synopses={"de": "Zweite."}))
    assert dict(both.synopses) == {"de": "Zweite.", "es": "Uno."}
    assert movie(synopses={"de": "Eins.", "en": "One."}).synopsis == "One."


@pytest.mark.django_db
def test_staff_who_change_or_empty_the_synopsis_do_so_in_its_language_too():
    stored = make_movie(synopsis="A  vampyre.", synopses=[["en", "A vampyre."], ["de", "Ein Vampir."]])
    assert update_movie(stored, {"synopsis": "A vampire."}).synopses == [["en", "A vampire."], ["de", "Ein Vampir."]]
    both = update_movie(stored, {"synopsis": "One.", "synopses": {"en": "Two."}})
    assert (both.synopsis, both.synopses) == ("One.", [["en", "Two."]])
    update_movie(stored, {"synopsis": "Two."})
    emptied = update_movie(stored, {"synopsis": ""})
    assert (emptied.synopsis, emptied.synopses) == ("", [])


@pytest.mark.django_db
def test_staff_are_refused_an_invalid_fact():
    with pytest.raises(InvalidValue, match="runtime_minutes -1 is not a number from 1 to 6000"):
        update_movie(make_movie(), {"runtime_minutes": -1})


@pytest.mark.django_db
def test_facts_of_a_known_link_are_filled_in():
    save_links([link(width=640)], movies=[movie()])
    captions = (Caption(url="https://films.example.org/n.vtt", language="pt-BR"),)
    assert link(captions=CAPTIONS).captions == captions
    save_links([link(duration_seconds=60, captions=CAPTIONS)])
    saved = StreamingLink.objects.get()
    assert (saved.width, saved.duration_seconds, len(saved.captions)) == (640, 60, 1)
    assert save_links([link(duration_seconds=60, captions=CAPTIONS)]).seen_again == 1


@pytest.mark.parametrize(
    ("seconds", "minutes", "url", "note"),
    [
        (94 * 60, 94, "https://a.example/f.mp4", ""),
        (0.6 * 94 * 60, 94, "https://a.example/f.mp4", ""),
        (0.59 * 94 * 60, 94, "https://a.example/f.mp4", SHORTER),
        (1.5 * 94 * 60, 94, "https://a.example/f.mp4", ""),
        (1.51 * 94 * 60, 94, "https://a.example/f.mp4", LONGER),
        (600, 94, "https://a.example/film_CD1.mp4", ""),
        (600, None, "https://a.example/f.mp4", ""),
        (None, 94, "https://a.example/f.mp4", ""),
    ],
)
def test_a_file_is_compared_with_the_runtime(seconds, minutes, url, note):
    assert length_note(url, duration_seconds=seconds, runtime_minutes=minutes) == note


@pytest.mark.django_db
def test_a_new_file_of_another_length_awaits_review_and_a_known_one_stays():
    known = make_link(make_movie(imdb_id=KEY), source="commons", source_url="https://films.example.org/known.mp4")
    files = [
        link(source_url="https://films.example.org/known.mp4", duration_seconds=600),
        link(source_url="https://films.example.org/new.mp4", duration_seconds=600),
        link(source_url="https://films.example.org/whole.mp4", duration_seconds=5640),
        link(source_url="https://films.example.org/e1.mp4", duration_seconds=600, season=1, episode=1),
    ]
    report = save_links(files, movies=[movie(runtime_minutes=94)])
    assert (report.waiting, report.doubt) == (1, "The file is shorter than the film")
    shown = StreamingLink.objects.shown().order_by("pk")
    assert [one.length_note for one in shown] == [SHORTER, "", ""]
    assert shown[0].pk == known.pk
