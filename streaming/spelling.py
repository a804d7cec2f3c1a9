"""The words that one typing mistake turns into a given word. Pure.

A mistake is a letter left out, put in, or replaced by another, or two neighbours that changed places. All words that
are one mistake away are written down (about 70 for each letter), and whoever asks looks them up.
"""

from __future__ import annotations

from string import ascii_lowercase, digits

MIN_LENGTH, MAX_LENGTH = 4, 24
LATIN = ascii_lowercase + digits
BLOCK_SIZE = 64


def one_mistake_away(word: str) -> set[str]:
    """All words from which a single mistake makes `word`; none for a word that is too short or too long to guess."""
    if not MIN_LENGTH <= len(word) <= MAX_LENGTH:
        return set()
    letters = _letters_like(word)
    halves = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    found = {start + end[1:] for start, end in halves if end}
    found |= {start + end[1] + end[0] + end[2:] for start, end in halves if len(end) > 1}
    found |= {start + letter + end[1:] for start, end in halves if end for letter in letters}
    found |= {start + letter + end for start, end in halves for letter in letters}
    return found - {word}


def two_words(word: str) -> list[tuple[str, str]]:
    """The pairs of words, of three letters or more, that are `word` without the blank between them."""
    return [(word[:at], word[at:]) for at in range(3, len(word) - 2)] if len(word) <= MAX_LENGTH else []


def beginnings(word: str) -> list[str]:
    """The word without one to three of its last letters, the longest first, four letters at least."""
    return [word[:length] for length in range(len(word) - 1, max(len(word) - 4, MIN_LENGTH - 1), -1)]


def _letters_like(word: str) -> str:
    """The letters with which `word` could have been typed: those of its script."""
    if word.isascii():
        return LATIN
    starts = {ord(letter) // BLOCK_SIZE * BLOCK_SIZE for letter in word if not letter.isascii()}
    near = (chr(code) for start in starts for code in range(start, start + BLOCK_SIZE))
    return "".join(letter for letter in near if letter.isalpha() and letter == letter.lower()) + (
        LATIN if any(letter.isascii() for letter in word) else ""
    )
