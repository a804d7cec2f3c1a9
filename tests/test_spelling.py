"""Which words one typing mistake turns into a given one."""

from __future__ import annotations

import pytest

from streaming.spelling import MAX_LENGTH, beginnings, one_mistake_away, two_words


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("nosfaratu", "nosferatu"),
        ("metropolsi", "metropolis"),
        ("nosferattu", "nosferatu"),
        ("nosfratu", "nosferatu"),
        ("osferatu", "nosferatu"),
        ("nosferat", "nosferatu"),
        ("onsferatu", "nosferatu"),
        ("москка", "москва"),
        ("мосва", "москва"),
        ("se8en", "se7en"),
    ],
)
def test_a_single_mistake_is_undone(typed, meant):
    assert meant in one_mistake_away(typed)
    assert typed not in one_mistake_away(typed)


@pytest.mark.parametrize(("typed", "other"), [("twilite", "twilight"), ("nosferatu", "metropolis"), ("abcd", "badc")])
def test_two_mistakes_are_not(typed, other):
    assert other not in one_mistake_away(typed)


@pytest.mark.parametrize("word", ["", "abc", "x" * (MAX_LENGTH + 1)])
def test_very_short_and_very_long_words_are_not_guessed(word):
    assert one_mistake_away(word) == set()


def test_the_candidates_of_the_longest_word_are_few_enough_to_look_up():
    assert len(one_mistake_away("x" * 12 + "y" * 12)) < 2000


def test_a_forgotten_blank():
    assert ("spider", "man") in two_words("spiderman")
    assert two_words("short") == []
    assert two_words("x" * (MAX_LENGTH + 1)) == []


def test_the_beginnings_of_a_word():
    assert beginnings("twilite") == ["twilit", "twili", "twil"]
    assert beginnings("star") == []
