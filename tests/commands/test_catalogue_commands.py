"""import_catalogue, export_catalogue, block and unblock, called as commands."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from streaming.ingest.tombstones import remove_movies
from streaming.models import BlockedAddress, Movie, RemovedMovie, StreamingLink
from tests.helpers.external_services import migrated_sqlite
from tests.helpers.factories import make_link, make_movie
from tests.helpers.paths import PROJECT_ROOT

VALID = '{"imdb_id":"tt0013442","title":"Nosferatu","year":1922,"links":[{"source":"commons","source_url":"https://a.example.org/n"}]}'
OTHER = '{"imdb_id":"tt0013443","title":"Other","links":[]}'


@pytest.fixture
def run(tmp_path):
    """Call a command; returns its standard output, its standard error and its exit status."""

    def call(name: str, *args: object, text: str | None = None) -> tuple[str, str, int]:
        if text is not None:
            (tmp_path / "in.jsonl").write_text(text)
            args = (str(tmp_path / "in.jsonl"), *args)
        out, err = io.StringIO(), io.StringIO()
        try:
            call_command(name, *map(str, args), stdout=out, stderr=err)
        except CommandError as error:
            return out.getvalue(), f"{err.getvalue()}{error}", error.returncode
        return out.getvalue(), err.getvalue(), 0

    return call


@pytest.mark.django_db
class TestImport:
    def test_valid_lines_become_movies_and_links(self, run):
        out, err, status = run("import_catalogue", text=f"{VALID}\n{OTHER}\n")
        assert (out, err, status) == ("2 lines read: 2 new movies, 1 new link, 0 known ones.\n", "", 0)
        assert StreamingLink.objects.get().movie.title == "Nosferatu"

    def test_a_second_time_nothing_is_new(self, run):
        run("import_catalogue", text=VALID)
        out, _, status = run("import_catalogue", text=VALID)
        assert (out, status) == ("1 line read: 0 new movies, 0 new links, 1 known one.\n", 0)

    def test_invalid_lines_are_reported_and_the_others_imported(self, run):
        _, err, status = run("import_catalogue", text=f"{VALID}\n{{bad\n\n[]\n{OTHER}\n")
        assert status == 1
        assert "line 2: not JSON" in err
        assert "line 4: not a JSON object" in err
        assert err.endswith("2 lines read: 2 new movies, 1 new link, 0 known ones. Skipped: 2 invalid lines.")
        assert Movie.objects.count() == 2

    def test_an_invalid_link_is_named_and_the_rest_of_its_line_imported(self, run):
        refused = {"source": "commons", "source_url": "http://10.0.0.1/a"}
        text = json.dumps({**json.loads(VALID), "links": [refused, *json.loads(VALID)["links"]]})
        _, err, status = run("import_catalogue", text=text)
        assert (status, StreamingLink.objects.count()) == (1, 1)
        assert "line 1: link 1: 10.0.0.1 is not a public address" in err
        assert err.endswith("1 line read: 1 new movie, 1 new link, 0 known ones. Skipped: 1 invalid link.")
        _, err, status = run("import_catalogue", "--strict", text=text)
        assert (status, err.splitlines()[-1]) == (1, "Nothing was imported: 1 invalid lines.")

    def test_the_source_of_links_that_state_none_is_given_or_missing(self, run):
        bare = [{"source_url": "https://a.example.org/1"}, {"source": "", "source_url": "https://a.example.org/2"}]
        text = json.dumps({**json.loads(VALID), "links": [*bare, *json.loads(VALID)["links"]]})
        assert "line 1: link 1: source" in run("import_catalogue", text=text)[1]
        assert list(StreamingLink.objects.values_list("source", flat=True)) == ["commons"]
        _, err, status = run("import_catalogue", "--source", "library", text=text)
        assert (err, status) == ("", 0)
        found = dict(StreamingLink.objects.values_list("source_url", "source"))
        assert found == {
            "https://a.example.org/1": "library",
            "https://a.example.org/2": "library",
            "https://a.example.org/n": "commons",
        }

    def test_strict_imports_nothing_if_a_line_is_invalid(self, run):
        _, err, status = run("import_catalogue", "--strict", text=f"{VALID}\n{{bad\n")
        assert (status, err.splitlines()[-1]) == (1, "Nothing was imported: 1 invalid lines.")
        assert "line 2: not JSON" in err
        assert not Movie.objects.exists()

    def test_strict_imports_everything_if_all_lines_are_valid(self, run):
        assert run("import_catalogue", "--strict", text=f"{VALID}\n{OTHER}\n")[2] == 0
        assert Movie.objects.count() == 2

    def test_many_lines_are_saved_in_batches(self, run, monkeypatch, django_assert_max_num_queries):
        for name in ("FIRST_BATCH_RECORDS", "MIN_BATCH_RECORDS", "MAX_BATCH_RECORDS"):
            monkeypatch.setattr(f"streaming.exchange.importer.{name}", 20)
        lines = "\n".join(
            VALID.replace("tt0013442", f"tt{n:07d}").replace("example.org/n", f"example.org/{n}") for n in range(35)
        )
        with django_assert_max_num_queries(70):
            run("import_catalogue", text=lines)
        assert (Movie.objects.count(), StreamingLink.objects.count()) == (35, 35)

    def test_what_was_taken_down_is_not_imported_without_an_error(self, run):
        run("block", "a.example.org", "--reason", "asked")
        out, _, status = run("import_catalogue", text=VALID)
        assert (out.endswith(", 1 taken down, without a movie or not free.\n"), status) == (True, 0)
        assert not StreamingLink.objects.exists()

    def test_a_removed_movie_is_restored_with_a_link(self, run):
        make_link(make_movie(imdb_id="tt0013442", title="As it was"))
        remove_movies(Movie.objects.all(), reason="gone")
        out, _, _ = run("import_catalogue", text=VALID)
        assert "1 movie restored" in out
        assert (Movie.objects.get().title, StreamingLink.objects.count()) == ("As it was", 2)

    @pytest.mark.parametrize(("kind", "message"), [("nothing", "No such file"), ("folder", "directory")])
    def test_a_file_that_cannot_be_read_is_one_sentence(self, run, tmp_path, kind, message):
        path = tmp_path / "x"
        if kind == "folder":
            path.mkdir()
        _, err, status = run("import_catalogue", path)
        assert (status, message in err, err.count("\n")) == (1, True, 0)


@pytest.mark.django_db
class TestExport:
    def fill(self):
        movie = make_movie(imdb_id="tt0013442", title="Nosferatu – „Symphonie“", year=1922, synopsis="Two\nlines")
        make_link(movie, kind="file", source_url="https://a.example.org/n.mp4", quality="720p", language="de")
        make_link(movie, source_url="https://a.example.org/off", is_active=False, licence="cc0", label="=1+1")
        make_movie(imdb_id="tt0013441", title="Lost", type="show")

    def test_what_is_exported_and_imported_exports_the_same(self, run, tmp_path):
        self.fill()
        first, second = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
        assert run("export_catalogue", first)[2] == 0
        Movie.objects.all().delete()
        assert run("import_catalogue", first)[2] == 0
        run("export_catalogue", second)
        assert first.read_bytes() == second.read_bytes()
        assert [json.loads(line)["imdb_id"] for line in first.read_text().splitlines()] == ["tt0013441", "tt0013442"]

    def test_to_standard_output(self, run):
        self.fill()
        out, err, status = run("export_catalogue")
        assert (len(out.splitlines()), err, status) == (2, "", 0)

    def test_m3u_and_csv(self, run):
        self.fill()
        assert run("export_catalogue", "--format", "m3u")[0].splitlines()[-1] == "https://a.example.org/n.mp4"
        table = run("export_catalogue", "--format", "csv")[0]
        assert "https://a.example.org/off" in table
        assert "'=1+1" in table

    @pytest.mark.parametrize(
        ("name", "options", "first"),
        [
            ("all.m3u8", [], "#EXTM3U"),
            ("all.M3U", [], "#EXTM3U"),
            ("all.csv", [], "imdb_id,"),
            ("all.jsonl", [], '{"imdb_id"'),
            ("all.backup", [], '{"imdb_id"'),
            ("all.csv", ["--format", "jsonl"], '{"imdb_id"'),
        ],
    )
    def test_the_ending_of_the_file_says_the_format(self, run, tmp_path, name, options, first):
        self.fill()
        assert run("export_catalogue", tmp_path / name, *options)[2] == 0
        assert (tmp_path / name).read_text(encoding="utf-8-sig").startswith(first)

    def test_a_folder_of_strm_files(self, run, tmp_path):
        self.fill()
        _, err, status = run("export_catalogue", tmp_path / "films", "--format", "strm")
        assert (status, "1 file written" in err) == (0, True)
        (file,) = (one for one in (tmp_path / "films").iterdir() if not one.name.startswith(".openreel"))
        assert (file.name, file.read_text()) == ("Nosferatu – „Symphonie“ (1922).strm", "https://a.example.org/n.mp4\n")

    def test_an_export_that_fails_leaves_the_old_file_as_it_was(self, run, tmp_path, monkeypatch):
        def fail(entries):
            yield "half a line"
            raise OSError(28, "No space left on device")

        monkeypatch.setitem(sys.modules["streaming.management.commands.export_catalogue"].WRITERS, "jsonl", fail)
        target = tmp_path / "kept.jsonl"
        target.write_text("old")
        _, err, status = run("export_catalogue", target)
        assert (status, "No space left" in err) == (1, True)
        assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("kept.jsonl", "old")]

    @pytest.mark.parametrize(
        ("args", "message"),
        [
            (["/nowhere/at/all.jsonl"], "No such file"),
            (["/"], "directory"),
            (["--format", "strm"], "name a folder"),
            (["--format", "xml"], "invalid choice"),
            (["/dev/null/x", "--format", "strm"], "Not a directory"),
        ],
    )
    def test_what_cannot_be_written_is_one_sentence(self, run, args, message):
        _, err, status = run("export_catalogue", *args)
        assert (status, message in err) == (1, True)


@pytest.mark.django_db
class TestTakedown:
    def test_a_host_is_blocked_and_unblocked(self, run):
        link = make_link(source_url="https://cdn.films.example.org/x")
        out, _, status = run("block", "Films.Example.ORG", "--reason", "the owner  asked")
        assert (out, status) == ("Blocked host films.example.org: 1 link turned off.\n", 0)
        link.refresh_from_db()
        assert (link.is_active, BlockedAddress.objects.get().reason) == (False, "the owner asked")
        assert run("unblock", "films.example.org")[0] == "Unblocked films.example.org.\n"
        assert not BlockedAddress.objects.exists()

    def test_a_movie_is_blocked_with_a_tombstone(self, run):
        make_movie(imdb_id="tt0013442")
        assert run("block", "tt0013442", "--reason", "asked")[0] == "Blocked imdb_id tt0013442: 1 movie removed.\n"
        assert RemovedMovie.objects.get().reason == "taken down: asked"

    @pytest.mark.parametrize(
        ("name", "args"),
        [
            ("block", ["films/x", "--reason", "x"]),
            ("block", ["https://u:p@films.example.org/", "--reason", "x"]),
            ("block", ["films.example.org", "--reason", "  "]),
            ("block", ["films.example.org"]),
            ("block", []),
            ("unblock", ["films.example.org"]),
            ("unblock", ["\x00"]),
        ],
    )
    def test_invalid_arguments_are_one_sentence(self, run, name, args):
        _, err, status = run(name, *args)
        assert (status, err.count("\n")) == (1, 0)
        assert not BlockedAddress.objects.exists()


@pytest.mark.slow
class TestProcess:
    """Exit statuses, streams and pipes of real processes."""

    def run_process(self, tmp_path, *args: str, **options):
        return subprocess.run(
            [sys.executable, "manage.py", *args],
            cwd=PROJECT_ROOT,
            env={
                **os.environ,
                "ENV_FILE": os.devnull,
                "SECRET_KEY": "only-for-tests-not-for-a-public-site",
                "DJANGO_SETTINGS_MODULE": "MovieBackend.settings",
                "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
            },
            capture_output=True,
            timeout=60,
            check=False,
            **options,
        )

    def test_invalid_standard_input_is_reported_with_status_1(self, tmp_path):
        migrated_sqlite(tmp_path / "db.sqlite3")
        invalid = b"\xef\xbb\xbf" + VALID.encode() + b"\n\xff\n" + b"[" * 10_000 + b"\n" + OTHER.encode()
        result = self.run_process(tmp_path, "import_catalogue", "-", input=invalid)
        assert result.returncode == 1
        assert b"line 2: byte 1 is not UTF-8\nline 3: the JSON is nested too deeply\n" in result.stderr
        assert b"Traceback" not in result.stderr
        strict = self.run_process(tmp_path, "import_catalogue", "-", "--strict", input=invalid)
        assert (strict.returncode, b"Nothing was imported" in strict.stderr) == (1, True)
        exported = self.run_process(tmp_path, "export_catalogue")
        assert (exported.returncode, len(exported.stdout.splitlines()), exported.stderr) == (0, 2, b"")

    def test_wrong_arguments_and_a_missing_table_are_one_sentence_and_status_1(self, tmp_path):
        wrong = self.run_process(tmp_path, "import_catalogue")
        assert (wrong.returncode, wrong.stderr.count(b"\n")) == (1, 1)
        unmigrated = self.run_process(tmp_path, "export_catalogue")
        sentence = b"CommandError: The database is not up to date: run `python manage.py migrate`.\n"
        assert (unmigrated.returncode, unmigrated.stderr) == (1, sentence)


@pytest.mark.parametrize("name", ["import_catalogue", "export_catalogue", "block", "unblock"])
def test_help_shows_an_example(name, capsys):
    with pytest.raises(SystemExit) as stop:
        call_command(name, "--help")
    assert stop.value.code == 0
    assert f"Example: python manage.py {name} " in " ".join(capsys.readouterr().out.split())


@pytest.mark.django_db
class TestImportOfOtherFormats:
    def test_our_csv_is_read_back_with_all_facts(self, run, tmp_path):
        movie = make_movie(
            imdb_id="tt0013442", title="=Nosferatu", year=1922, genres=["horror"], runtime_minutes=94,
            directors=[{"id": "Q55415", "name": "F. W. Murnau"}], other_titles=[["de", "Eine Symphonie"]], fame=90,
        )  # fmt: skip
        make_link(movie, kind="file", season=1, episode=2, licence="public-domain", language="de", size_bytes=7)
        make_link(movie, captions=[{"url": "https://a.example.org/x.srt", "language": "en", "format": "srt"}])
        run("export_catalogue", tmp_path / "all.csv", "--format", "csv")
        before, _, _ = run("export_catalogue", "-")
        Movie.objects.all().delete()
        out, err, status = run("import_catalogue", tmp_path / "all.csv")
        assert (out, err, status) == ("1 line read: 1 new movie, 2 new links, 0 known ones.\n", "", 0)
        assert json.loads(run("export_catalogue", "-")[0]) == json.loads(before)

    def test_a_table_of_others_needs_an_id_and_a_url(self, run, tmp_path):
        (tmp_path / "in.csv").write_bytes(
            "imdb_id;title;source_url\ntt0013442;Nosferatu;https://a.example.org/n\nnm1;X;\n".encode("utf-16")
        )
        _, err, status = run("import_catalogue", tmp_path / "in.csv", "--source", "commons")
        assert (StreamingLink.objects.get().source, status) == ("commons", 1)
        assert "line 3: imdb_id 'nm1' is not tt and 7 to 9 digits" in err
        (tmp_path / "in.csv").write_text("title,year\nNosferatu,1922\n")
        assert "line 1: there is no column imdb_id" in run("import_catalogue", tmp_path / "in.csv")[1]

    def test_a_playlist_is_matched_by_id_or_by_title_and_year(self, run, tmp_path):
        make_movie(imdb_id="tt0063350", title="Love, Actually Dead", year=1968)
        (tmp_path / "in.m3u8").write_text(
            '#EXTM3U\n#EXTINF:-1 tvg-id="tt0013442" group-title="a,b",Nosferatu, eine Symphonie (1922) [720p]\n'
            "https://a.example.org/n.mp4\n#EXTINF:5400,Love, Actually Dead (1968)\nhttps://a.example.org/l.m3u8\n"
            "#EXTINF:-1,Unheard Of (1999)\nhttps://a.example.org/u\nhttps://a.example.org/bare\n"
        )
        _, err, status = run("import_catalogue", tmp_path / "in.m3u8")
        assert status == 1
        assert "line 7: Unheard Of (1999): no IMDb id is stated, and no single title" in err
        assert "line 8: https://a.example.org/bare: no IMDb id is stated" in err
        found = {link.movie.imdb_id: link.kind for link in StreamingLink.objects.select_related("movie")}
        assert found == {"tt0013442": "file", "tt0063350": "stream"}
        assert Movie.objects.get(imdb_id="tt0013442").title == "Nosferatu, eine Symphonie"

    def test_a_folder_of_strm_files_is_matched_by_names_and_nfo_files(self, run, tmp_path):
        make_movie(imdb_id="tt0063350", title="The Dead", year=1968)
        files = {
            "Nosferatu (1922) [imdbid-tt0013442]/Nosferatu (1922).strm": "https://a.example.org/n.mp4\n",
            "The Dead (1968)/film.strm": "\ufeffhttps://a.example.org/d.mp4",
            "Show (1950)/tvshow.nfo": '<tvshow><uniqueid type="imdb">tt0099999</uniqueid></tvshow>',
            "Show (1950)/Season 01/Show S01E02.strm": "https://a.example.org/s1e2.mp4",
            "Unknown.strm": "https://a.example.org/u",
            "Empty (1999).strm": "\n",
        }
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        _, err, status = run("import_catalogue", tmp_path)
        assert status == 1
        assert "Empty (1999).strm: there is no URL in this file" in err
        assert "Unknown.strm: no IMDb id is stated" in err
        links = StreamingLink.objects.order_by("movie__imdb_id")
        assert list(links.values_list("movie__imdb_id", "season", "episode")) == [
            ("tt0013442", None, None), ("tt0063350", None, None), ("tt0099999", 1, 2),
        ]  # fmt: skip
        assert Movie.objects.get(imdb_id="tt0099999").type == "show"
