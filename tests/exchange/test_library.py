"""The library for Jellyfin and Kodi: what they document of names and .nfo files, and what a second run does."""

from __future__ import annotations

import io
import os
import re
import unicodedata
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from lxml import etree
from PIL import Image

from streaming.ingest.tombstones import remove_movies
from streaming.models import Movie
from tests.helpers.factories import make_link, make_movie

pytestmark = pytest.mark.django_db
FACTS = {
    "title": "Nosferatu",
    "year": 1922,
    "synopsis": "Count Orlok\nrises & walks\x0b.",
    "runtime_minutes": 94,
    "original_title": "Nosferatu, eine Symphonie des Grauens",
    "genres": ["horror", "drama"],
    "countries": ["DE"],
    "directors": [{"id": "Q55413", "name": "F. W. Murnau"}],
    "cast": [{"id": "Q76738", "name": "Max Schreck"}, {"id": "greta", "name": "Greta Schröder"}],
}
HOSTILE_TITLES = (
    "CON", "nul.txt", "Dr.", "...", "What? / Why: *\\|<>\"", "line\nfeed", "x" * 200, "ä" * 200, "🎬" * 150,
    "Cafe\u0301", "Café", "CAFÉ", "\u202eevil", "COM¹", "-rf", " . ", "~", "$(reboot)",
)  # fmt: skip
RESERVED = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9¹²³])( *\..*)?", re.IGNORECASE)


@pytest.fixture
def export(tmp_path):
    """Write the library; returns its folder, what the command says, and its exit status."""

    def call(*options: str, form: str = "library") -> tuple[Path, str, int]:
        out = io.StringIO()
        folder = tmp_path / "library"
        try:
            call_command("export_catalogue", str(folder), "--format", form, *options, stdout=out, stderr=out)
        except CommandError as error:
            return folder, f"{out.getvalue()}{error}", error.returncode
        return folder, out.getvalue(), 0

    return call


def state_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Time and content of each file but our own records."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".openreel"))
    return {str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def make_film(number: int = 1, **fields: object) -> Movie:
    movie = make_movie(imdb_id=f"tt{number:07d}", **{"title": f"Film {number}", **fields})
    make_link(movie, kind="file", source_url=f"https://a.example.org/{number}.mp4")
    return movie


def test_a_movie_is_what_jellyfin_and_kodi_document(export):
    captions = [{"url": "https://a.example.org/n.srt", "language": "en", "format": "srt"}]
    movie = make_movie(imdb_id="tt0013442", poster_url="https://p.example.org/n.jpg", **FACTS)
    make_link(
        movie, kind="file", source_url="https://a.example.org/n.mp4", width=960, height=720, quality="720p",
        duration_seconds=5640, language="de", captions=captions,
    )  # fmt: skip
    make_link(make_movie(title="Only a page"), kind="page")
    folder, text, status = export()
    assert (status, text) == (0, f"1 movie or episode in {folder}: 3 files written, 0 unchanged, 0 removed.\n")
    home = folder / "Movies" / "Nosferatu (1922) [imdbid-tt0013442]"
    assert sorted(path.name for path in home.iterdir()) == ["Nosferatu (1922).strm", "movie.nfo", "poster.png"]
    assert (home / "Nosferatu (1922).strm").read_text() == "https://a.example.org/n.mp4\n"
    assert Image.open(home / "poster.png").size == (300, 450)
    nfo = etree.parse(home / "movie.nfo").getroot()
    stated = {
        name: [one.text for one in nfo.iterfind(name)] for name in (*FACTS, "plot", "runtime", "genre", "director")
    }
    assert (nfo.tag, stated["title"], stated["plot"]) == ("movie", ["Nosferatu"], ["Count Orlok\nrises & walks."])
    assert (stated["year"], stated["runtime"], stated["genre"]) == (["1922"], ["94"], ["Horror", "Drama"])
    assert stated["director"] == ["F. W. Murnau"]
    assert nfo.findtext("originaltitle") == FACTS["original_title"]
    assert [(one.text, dict(one.attrib)) for one in nfo.iterfind("uniqueid")] == [
        ("tt0013442", {"type": "imdb", "default": "true"})
    ]
    assert [(one.findtext("name"), one.findtext("order")) for one in nfo.iterfind("actor")] == [
        ("Max Schreck", "0"), ("Greta Schröder", "1"),
    ]  # fmt: skip
    details = nfo.find("fileinfo/streamdetails")
    assert {one.tag: one.text for one in details.find("video")} == {
        "width": "960", "height": "720", "durationinseconds": "5640",
    }  # fmt: skip
    assert (details.findtext("audio/language"), details.findtext("subtitle/language")) == ("deu", "eng")
    assert nfo.find("thumb[@aspect='poster']").text == "https://p.example.org/n.jpg"


def test_a_show_has_seasons_and_episodes(export):
    show = make_movie(imdb_id="tt0055662", title="The Show", year=1962, type="show")
    for season, episode, label in ((1, 2, "The Clampetts"), (2, 1, "Back"), (0, 1, "Special"), (1, 2, "Again")):
        url = f"https://a.example.org/{season}-{episode}-{label}.mp4"
        make_link(show, kind="file", season=season, episode=episode, label=label, source_url=url)
    single = make_movie(imdb_id="tt0055663", title="One Part", type="show")
    make_link(single, kind="file", source_url="https://a.example.org/all.mp4")
    folder, _, _ = export()
    home = folder / "Shows" / "The Show (1962) [imdbid-tt0055662]"
    assert etree.parse(home / "tvshow.nfo").getroot().tag == "tvshow"
    assert sorted(str(path.relative_to(home)) for path in home.rglob("*.strm")) == [
        "Season 00/The Show S00E01.strm", "Season 01/The Show S01E02.strm", "Season 02/The Show S02E01.strm",
    ]  # fmt: skip
    nfo = etree.parse(home / "Season 01" / "The Show S01E02.nfo").getroot()
    assert (nfo.tag, nfo.findtext("season"), nfo.findtext("episode")) == ("episodedetails", "1", "2")
    assert nfo.findtext("showtitle") == "The Show"
    assert (folder / "Shows/One Part [imdbid-tt0055663]/Season 01/One Part S01E01.strm").is_file()


def test_names_are_safe_on_every_file_system(export):
    for number, title in enumerate(HOSTILE_TITLES, 1):
        make_film(number, title=title, type="show" if number % 2 else "movie", year=1950 if number % 3 else None)
    folder, _, status = export()
    paths = [path.relative_to(folder) for path in folder.rglob("*")]
    assert (status, len(list(folder.rglob("*.strm")))) == (0, len(HOSTILE_TITLES))
    for path in paths:
        if path.name.startswith(".openreel"):
            continue
        assert len(path.name.encode()) <= 255
        assert len(str(path)) <= 219
        assert not re.search(r'[<>:"/\\|?*\x00-\x1f\u202e]|[. ]$|^[. ]', path.name)
        assert not RESERVED.fullmatch(path.name)
        assert unicodedata.is_normalized("NFC", path.name)
    assert len({unicodedata.normalize("NFKD", str(path)).casefold() for path in paths}) == len(paths)


def test_a_second_run_changes_only_what_has_changed(export):
    films = [make_film(number) for number in (1, 2, 3)]
    folder, _, _ = export()
    before = state_of(folder)
    assert export()[1].endswith(": 0 files written, 9 unchanged, 0 removed.\n")
    assert state_of(folder) == before
    films[0].links.update(source_url="https://a.example.org/better.mp4")
    Movie.objects.filter(pk=films[1].pk).update(title="Renamed")
    assert export()[1].endswith(": 4 files written, 5 unchanged, 3 removed.\n")
    after = state_of(folder)
    assert {path for path in before.keys() & after.keys() if before[path] != after[path]} == {
        "Movies/Film 1 [imdbid-tt0000001]/Film 1.strm"
    }
    assert {path for path in after if "tt0000002" in path} == {
        f"Movies/Renamed [imdbid-tt0000002]/{name}" for name in ("Renamed.strm", "movie.nfo", "poster.png")
    }
    assert not (folder / "Movies/Film 2 [imdbid-tt0000002]").exists()


def test_nothing_of_somebody_else_is_changed_or_deleted(export):
    films = [make_film(number) for number in (1, 2, 3)]
    folder, _, _ = export()
    homes = [folder / "Movies" / f"Film {number} [imdbid-tt{number:07d}]" for number in (1, 2, 3)]
    (homes[0] / "movie.nfo").write_text("<movie><title>Mine</title></movie>")
    (homes[0] / "theme.mp3").write_bytes(b"mine")
    (homes[2] / "poster.png").unlink()
    (homes[2] / "poster.png").symlink_to(homes[1] / "poster.png")
    films[2].links.update(source_url="https://a.example.org/new.mp4")
    text = export()[1]
    assert text.endswith(": 1 file written, 6 unchanged, 0 removed; 2 files changed by others kept.\n")
    for film in films:
        remove_movies(Movie.objects.filter(pk=film.pk), reason="gone")
    assert export()[2] == 0
    left = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() or path.is_symlink()}
    assert {path for path in left if not path.startswith(".openreel")} == {
        "Movies/Film 1 [imdbid-tt0000001]/movie.nfo",
        "Movies/Film 1 [imdbid-tt0000001]/theme.mp3",
        "Movies/Film 3 [imdbid-tt0000003]/poster.png",
    }
    assert (homes[0] / "movie.nfo").read_text() == "<movie><title>Mine</title></movie>"


def test_too_many_gone_at_once_are_kept_until_forced(export):
    for number in range(1, 41):
        make_film(number)
    folder, _, _ = export()
    remove_movies(Movie.objects.filter(imdb_id__gt="tt0000029"), reason="gone")
    _, text, status = export()
    assert status == 3
    assert "11 of 40 movies and episodes are no longer in the catalogue" in text
    assert len(list(folder.rglob("*.strm"))) == 40
    assert export("--force")[2] == 0
    assert len(list(folder.rglob("*.strm"))) == 29
    remove_movies(Movie.objects.filter(imdb_id="tt0000001"), reason="gone")
    assert export()[2] == 3, "a film more within the same day"


def test_a_flat_folder_loses_what_is_gone_with_the_same_brake_and_nothing_of_others(export):
    for number in range(1, 41):
        make_film(number)
    folder, text, _ = export(form="strm")
    assert text == f"40 movies and episodes in {folder}: 40 files written, 0 unchanged, 0 removed.\n"
    (folder / "Mine.strm").write_text("https://mine.example.org/x.mp4\n")
    (folder / "Film 2.strm").write_text("https://mine.example.org/2.mp4\n")
    remove_movies(Movie.objects.filter(imdb_id__lt="tt0000003"), reason="taken down")
    _, text, status = export(form="strm")
    assert (status, text.endswith(": 0 files written, 38 unchanged, 1 removed; 1 file changed by others kept.\n")) == (
        0,
        True,
    )
    remove_movies(Movie.objects.filter(imdb_id__gt="tt0000029"), reason="gone")
    assert export(form="strm")[2] == 3
    assert {"Film 40.strm", "Mine.strm", "Film 2.strm"} <= {path.name for path in folder.iterdir()}
    assert export("--force", form="strm")[2] == 0
    assert sorted(state_of(folder)) == sorted([*(f"Film {n}.strm" for n in range(2, 30)), "Mine.strm"])
    assert export()[2] == 0, "both forms in one folder"
    assert export(form="strm")[1].endswith(": 0 files written, 27 unchanged, 0 removed.\n")


def test_a_name_in_a_flat_folder_never_leads_to_another_film(export):
    for number in (2, 3):
        make_film(number, title="Twin")
    folder, _, _ = export(form="strm")
    second, third = "Twin.strm", "Twin [tt0000003].strm"
    assert sorted(state_of(folder)) == [third, second]
    make_film(1, title="TWIN")
    export(form="strm")
    assert sorted(state_of(folder)) == ["TWIN [tt0000001].strm", third, second]
    assert (folder / second).read_text() == "https://a.example.org/2.mp4\n"
    remove_movies(Movie.objects.filter(imdb_id="tt0000002"), reason="gone")
    for _ in range(2):
        export(form="strm")
    assert sorted(state_of(folder)) == ["TWIN.strm", third]
    assert (folder / "TWIN.strm").read_text() == "https://a.example.org/1.mp4\n"


@pytest.mark.parametrize("failing_call", [1, 2, 5, 8])
def test_a_full_disk_is_one_sentence_and_the_next_run_continues(export, monkeypatch, failing_call):
    films = [make_film(number) for number in (1, 2, 3)]
    folder, _, _ = export()
    for film in films[:2]:
        film.links.update(source_url=f"https://a.example.org/new-{film.pk}.mp4")
    remove_movies(Movie.objects.filter(pk=films[2].pk), reason="gone")
    make_film(4)
    rename, calls = os.replace, []

    def replace(source, target):
        calls.append(target)
        if len(calls) >= failing_call:
            raise OSError(28, "No space left on device")
        rename(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", replace)
        _, text, status = export()
    assert status == (1 if len(calls) >= failing_call else 0)
    assert text in (f"{folder}: No space left on device.", text if status == 0 else "")
    assert all(data for _, data in state_of(folder).values())
    assert export()[2] == 0
    links = {path.name: path.read_text().strip() for path in folder.rglob("*.strm")}
    assert links == {
        f"Film {link.movie.imdb_id[-1]}.strm": link.source_url
        for movie in Movie.objects.all() for link in movie.links.all()
    }  # fmt: skip
    assert {path.name for path in folder.iterdir()} == {"Movies", ".openreel-library", ".openreel-library.lock"}


def test_a_folder_that_cannot_be_written_is_one_sentence(export, tmp_path):
    make_film()
    (tmp_path / "library").write_text("a file")
    _, text, status = export()
    assert (status, text) == (1, f"{tmp_path / 'library'}: File exists.")
