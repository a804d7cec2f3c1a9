"""Which words a title and a search have."""

from __future__ import annotations

import pytest

from streaming.search_words import Term, fold_for_search, parse_search, terms_of, title_words


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("M", "m|"),
        ("Nosferatu – Eine Symphonie", "nosferatu eine symphonie|"),
        ("Spider-Man: Into the Spider-Verse", "spider man into the spider verse|spiderman spiderverse"),
        ("WALL·E", "wall e|walle"),
        ("C'est arrivé près de chez vous", "c est arrive pres de chez vous|cest"),
        ("S.W.A.T.", "s w a t|swat"),
        ("8½", "8 1 2|812"),
        ("Alien³", "alien 3|alien3"),
        ("100% Wolf", "100 wolf|"),
        ("Die Straße", "die strasse|"),
        ("Łódź Noir", "lodz noir|"),
        ("İstanbul Hatırası", "istanbul hatirasi|"),
        ("Москва слезам", "москва слезам|"),
        ("千と千尋の神隠し", "千と千尋の神隠し|千と と千 千尋 尋の の神 神隠 隠し し"),
        ("東京 Story", "東京 story|東京 京"),
        ("Se7en千", "se7en千|se7en 千"),
        ("बाहुबली", "बाहुबली|"),
        ("!!!", "!!!|"),
        ("a|b", "a b|ab"),
        ("|", "/|"),
        ("", "|"),
        ("nul\x00 and\ud800 lone", "nul and lone|"),
        ("x" * 200, f"{'x' * 64}|"),
    ],
)
def test_the_words_of_a_title(title, words):
    assert title_words(title) == words


@pytest.mark.parametrize(
    ("text", "key", "words", "imdb_ids"),
    [
        ("  The  DEAD ", "the dead", ("the", "dead"), ()),
        ("wall-e", "wall e", ("wall", "e"), ()),
        ("100%", "100", ("100",), ()),
        ('"quoted" AND not*', "quoted and not", ("quoted", "and", "not"), ()),
        ("tt0013442", "", (), ("tt0013442",)),
        ("nosferatu TT001", "nosferatu", ("nosferatu",), ("tt001",)),
        ("tt00134420000", "tt00134420000", ("tt00134420000",), ()),
        ("!!!", "!!!", (), ()),
        ("\x00", "", (), ()),
        ("", "", (), ()),
        ("a b c d e f g h i j", "a b c d e f g h i j", tuple("abcdefgh"), ()),
        ("x" * 10_000, "x" * 64, ("x" * 64,), ()),
    ],
)
def test_the_words_of_a_search(text, key, words, imdb_ids):
    search = parse_search(text)
    assert (search.key, search.words, search.imdb_ids) == (key, words, imdb_ids)
    assert bool(search) is bool(key or imdb_ids)


@pytest.mark.parametrize(
    ("word", "terms"),
    [
        ("star", [Term("star", is_prefix=True)]),
        ("千", [Term("千", is_prefix=True)]),
        ("千尋の", [Term("千尋"), Term("尋の")]),
        ("se7en千", [Term("se7en"), Term("千", is_prefix=True)]),
        ("千se", [Term("千", is_prefix=True), Term("se", is_prefix=True)]),
    ],
)
def test_what_a_title_needs_for_an_unfinished_word(word, terms):
    assert list(terms_of(word, is_last=True)) == terms


def test_a_finished_word_has_to_be_there_as_it_is():
    assert terms_of("star", is_last=False) == (Term("star"),)


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Élan  Vital", "elan vital"), ("STRASSE ß", "strasse ss"), ("İıŁł", "iill"), ("ﬁn", "fin"), ("Œuvre", "oeuvre")],
)
def test_folded_text_has_no_accents_and_no_capitals(text, folded):
    assert fold_for_search(text) == folded


def test_the_words_of_people_are_marked_so_that_no_word_of_a_title_is_one():
    assert title_words("Nosferatu", "Éin § Film", people=["F. W. Murnau", "Murnau-Stiftung"]) == (
        "nosferatu|ein film §f §w §murnau §stiftung §murnaustiftung"
    )
    assert parse_search("§murnau").words == ("murnau",)
