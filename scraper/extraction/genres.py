"""Genres: a closed list, and the words and Wikidata items by which sources mean them. Pure."""

from __future__ import annotations

import re

GENRES = {
    "action": "Action",
    "adventure": "Adventure",
    "animation": "Animation",
    "avant-garde": "Avant-garde",
    "biography": "Biography",
    "comedy": "Comedy",
    "crime": "Crime",
    "documentary": "Documentary",
    "drama": "Drama",
    "education": "Educational",
    "family": "Family",
    "fantasy": "Fantasy",
    "film-noir": "Film noir",
    "history": "History",
    "horror": "Horror",
    "martial-arts": "Martial arts",
    "music": "Music",
    "musical": "Musical",
    "mystery": "Mystery",
    "news": "News",
    "propaganda": "Propaganda",
    "reality": "Reality",
    "romance": "Romance",
    "science-fiction": "Science fiction",
    "series-comedy": "Comedy series",
    "series-drama": "Drama series",
    "short": "Short film",
    "sport": "Sport",
    "talk": "Talk",
    "thriller": "Thriller",
    "war": "War",
    "western": "Western",
}
"""The names for display by slug."""
OTHER_WORDS = {
    "animated": "animation",
    "art": "avant-garde",
    "avant garde": "avant-garde",
    "biographical": "biography",
    "biopic": "biography",
    "cartoon": "animation",
    "children": "family",
    "children's": "family",
    "comedy drama": "comedy",
    "detective": "mystery",
    "docudrama": "documentary",
    "educational": "education",
    "epic": "history",
    "experimental": "avant-garde",
    "film noir": "film-noir",
    "gangster": "crime",
    "historical": "history",
    "kids": "family",
    "martial arts": "martial-arts",
    "melodrama": "drama",
    "noir": "film-noir",
    "reality tv": "reality",
    "romantic": "romance",
    "romantic comedy": "romance",
    "sci fi": "science-fiction",
    "science fiction": "science-fiction",
    "short": "short",
    "short subject": "short",
    "sitcom": "series-comedy",
    "slapstick": "comedy",
    "sports": "sport",
    "superhero": "action",
    "talk show": "talk",
    "tragedy": "drama",
    "vampire": "horror",
    "zombie": "horror",
}
SLUG_BY_WORD = {slug.replace("-", " "): slug for slug in GENRES} | OTHER_WORDS
# What sources add to the name of a genre: "horror film", "crime fiction", "drama television series".
ADDED_WORDS = re.compile(r" (?:films?|movies?|cinema|fiction|television series|tv series)$")
MAX_GENRES = 20


def parse_genre(stated: object) -> str:
    """Return the slug of a genre written in one of the usual ways; empty for any other text.

    >>> parse_genre("Horror film"), parse_genre("Sci-Fi"), parse_genre("science fiction film"), parse_genre("1929")
    ('horror', 'science-fiction', 'science-fiction', '')
    """
    if not isinstance(stated, str) or len(stated) > 60:
        return ""
    if (slug := stated.strip().casefold()) in GENRES:
        return slug
    words = " ".join(slug.replace("-", " ").replace("_", " ").split())
    return SLUG_BY_WORD.get(words) or SLUG_BY_WORD.get(ADDED_WORDS.sub("", words), "")


def parse_genres(stated: object) -> tuple[str, ...]:
    """Return the slugs of the known genres of a list, or of a text with commas, each once; others are left out."""
    words = re.split(r"[,;|]", stated) if isinstance(stated, str) else stated
    found = [parse_genre(word) for word in words[:MAX_GENRES]] if isinstance(words, list) else []
    return tuple(dict.fromkeys(filter(None, found)))
