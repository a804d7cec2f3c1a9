"""Programs that turn XML into JSON write a list of one as the object itself: sources' answers are read either way."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import pytest

from scraper.metadata_providers import parse_omdb
from scraper.spiders import internet_archive, library_of_congress, peertube

PAGES = Path(__file__).parent / "pages"
ARCHIVE = "internet_archive/metadata_film_with_everything.json"
LOC, PEERTUBE = "loc/item_film.json", "peertube/video_files_and_playlist.json"
PEERTUBE_PLAYLIST = "peertube/video_playlist_only.json"


def answer_of(file):
    return json.loads((PAGES / file).read_text("utf-8"))


def only(answer, path, chosen, *, bare):
    """The answer in which the list at this path has one member only, as a list or bare."""
    changed = deepcopy(answer)
    *way, last = path
    parent = changed
    for step in way:
        parent = parent[step]
    parent[last] = parent[last][chosen] if bare else [parent[last][chosen]]
    return changed


@pytest.mark.parametrize(
    ("parse", "file", "path", "chosen"),
    [
        (internet_archive.parse_item, ARCHIVE, ["files"], None),
        (library_of_congress.parse_item, LOC, ["resources"], 1),
        (library_of_congress.parse_item, LOC, ["resources"], 2),
        (library_of_congress.parse_item, LOC, ["resources", 2, "files"], 0),
        (library_of_congress.parse_item, LOC, ["resources", 2, "files", 0], 0),
        (peertube.parse_video, PEERTUBE, ["files"], 0),
        (peertube.parse_video, PEERTUBE, ["streamingPlaylists"], 0),
        (peertube.parse_video, PEERTUBE_PLAYLIST, ["streamingPlaylists"], 0),
        (peertube.parse_video, PEERTUBE_PLAYLIST, ["streamingPlaylists", 0, "files"], 0),
    ],
)
def test_a_bare_object_is_a_list_of_one(parse, file, path, chosen):
    answer = answer_of(file)
    if chosen is None:
        chosen = next(number for number, one in enumerate(answer["files"]) if one["name"].endswith(".webm"))
    as_list, as_object = (parse(only(answer, path, chosen, bare=bare)) for bare in (False, True))
    assert as_list.links
    assert as_object == as_list


@pytest.mark.parametrize(
    ("kind", "problem"),
    [("game", "not_a_film"), ("Game", "not_a_film"), ("movie", ""), ("series", ""), ("episode", "")],
)
def test_omdb_describes_films_and_shows_but_no_games(kind, problem):
    described = parse_omdb({**answer_of("omdb/film.json"), "Type": kind})
    assert described.problem == problem
    assert bool(described.imdb_id) is not bool(problem)
