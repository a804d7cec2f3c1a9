"""M3U, strm and CSV."""

from __future__ import annotations

import csv as reader
import json
import re

import pytest

from streaming.exchange import csv, jsonl, m3u, strm
from streaming.exchange.entries import LinkEntry, MovieEntry


def link(url: str, **fields: object) -> LinkEntry:
    return LinkEntry(source="commons", source_url=url, **{"kind": "file", **fields})


def movie(*links: LinkEntry, **fields: object) -> MovieEntry:
    return MovieEntry(links=links, **{"imdb_id": "tt0013442", "title": "Nosferatu", "year": 1922, **fields})


def test_a_playlist_has_the_best_playable_link():
    page, best, other = (
        link("https://a.example.org/page", kind="page"),
        link("https://a.example.org/best.mp4", label="512Kb MPEG4"),
        link("https://a.example.org/other.mp4"),
    )
    assert "".join(m3u.write_m3u([movie(page, best, other), movie(page)])) == (
        "#EXTM3U\n"
        '#EXTINF:-1 tvg-id="tt0013442" tvg-name="Nosferatu (1922)" group-title="Movies",Nosferatu (1922)\n'
        "https://a.example.org/best.mp4\n"
    )


def test_a_playlist_has_every_part_of_a_show_once():
    parts = [link(f"https://a.example.org/{n}.mp4", label=f"S01E0{1 + n % 2}") for n in range(4)]
    text = "".join(m3u.write_m3u([movie(*parts, type="show")]))
    assert text.count("#EXTINF") == 2
    assert 'group-title="Shows",Nosferatu (1922) – S01E02\nhttps://a.example.org/1.mp4' in text


def test_a_title_cannot_add_lines_to_a_playlist():
    ends = "\r\n \n \r \v \f \x1c \x1d \x1e \x85 \u2028 \u2029"
    hostile = movie(link("https://a.example.org/x"), title=f'A"{ends}#EXTINF:-1,B{ends}https://evil.example/')
    assert len("".join(m3u.write_m3u([hostile])).splitlines()) == 3


def test_a_synopsis_cannot_add_lines_to_jsonl():
    (line,) = jsonl.write_jsonl([movie(synopsis="a\u2028b\u2029c\x85d\ne")])
    assert len(line.splitlines()) == 1
    assert json.loads(line)["synopsis"] == "a\u2028b\u2029c\x85d\ne"


@pytest.mark.parametrize("separator", [";", ';"', "\t", "\n"])
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝"])
def test_no_cell_is_a_formula_where_semicolons_separate(start, separator):
    text = "".join(csv.write_csv([movie(title=f"A{separator}{start}1")]))
    cells = [cell.strip('"') for cell in re.split(r"[;\t\r\n]", text)]
    assert not [cell for cell in cells if cell.startswith(start)]


def test_an_address_in_a_csv_file_is_the_same_address():
    (_, row) = reader.reader(csv.write_csv([movie(link("https://a.example.org/?a;=b;c"))]))
    assert row[csv.CSV_COLUMNS.index("source_url")] == "https://a.example.org/?a%3B=b;c"


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Nosferatu (1922)", "Nosferatu (1922)"),
        ("../../etc/passwd", "etc passwd"),
        ("..", "Untitled"),
        ("", "Untitled"),
        ('a/b\\c:d*e?f"g<h>i|j', "a b c d e f g h i j"),
        ("line\nfeed\x00\x7f\u2028end", "line feed end"),
        (".hidden. ", "hidden"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("con .x", "_con .x"),
        ("COM¹", "_COM¹"),
        ("CONIN$", "_CONIN$"),
        ("Con Air", "Con Air"),
        ("COM10", "COM10"),
        ("Amélie", "Amélie"),
        ("x" * 500, "x" * 200),
        ("ä" * 500, "ä" * 100),
    ],
)
def test_a_file_name_is_safe_everywhere(name, stem):
    assert strm.safe_file_stem(name) == stem


def test_strm_files_contain_a_url_and_have_different_names():
    same_link = link("https://a.example.org/x.mp4")
    twins = [
        movie(same_link, imdb_id="tt0000001"),
        movie(same_link, imdb_id="tt0000002", title="NOSFERATU"),
        movie(imdb_id="tt3"),
    ]
    assert {name: text for _, name, text in strm.write_strm(twins)} == {
        "Nosferatu (1922).strm": "https://a.example.org/x.mp4\n",
        "NOSFERATU (1922) [tt0000002].strm": "https://a.example.org/x.mp4\n",
    }


def test_a_csv_file_has_a_row_per_link_and_one_for_a_movie_without_links():
    rows = list(
        reader.reader(csv.write_csv([movie(link("https://a.example.org/1"), link("https://a.example.org/2")), movie()]))
    )
    assert rows[0] == list(csv.CSV_COLUMNS)
    assert [row[5] for row in rows[1:]] == ["https://a.example.org/1", "https://a.example.org/2", ""]
    assert {len(row) for row in rows} == {len(csv.CSV_COLUMNS)}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_a_title_in_a_csv_file_is_never_a_formula(start):
    (_, row) = reader.reader(csv.write_csv([movie(title=f"{start}cmd|' /C calc'!A0")]))
    assert row[1].startswith("'")
