"""Sites say the same in other words than ours: each kind of page, and living pages that hold the words."""

from __future__ import annotations

import pytest

from streaming.health.judging.verdict import Verdict, judge
from streaming.health.probe_types import ProbeRequest, ProbeResponse
from tests.helpers import other_words as said

URL = "https://quay.example/film/1"
FILM = "The Lamplighter"
SYNOPSIS = (
    "A lamplighter finds a purse on the quay and spends a winter looking for its owner. His sister runs the ferry, the "
    "harbour master keeps the ledger, and neither believes him."
)
PLAYERS = (
    "<video controls src=/reel.mp4></video>",
    "<div id=player data-config=/api/77></div><script src=/p.js></script>",
)
A, G, B, U = Verdict.ALIVE, Verdict.GONE, Verdict.BLOCKED, Verdict.UNREACHABLE


def verdict_of(body, *, title=FILM, media=False, content_type="text/html; charset=utf-8", status=200):
    content = body.encode() if isinstance(body, str) else body
    response = ProbeResponse(
        1, URL, status=status, body=content, content_type=content_type.partition(";")[0], final_url=URL,
        headers={"content-type": content_type}, method="GET",
    )  # fmt: skip
    return judge(response, ProbeRequest(1, URL, media, title)).verdict


def shown(title, markup):
    return f"<!doctype html><html><head><meta charset=utf-8><title>{title}</title></head><body>{markup}</body></html>"


def spoken(heading, text):
    return shown(heading, f"<h1>{heading}</h1><p>{text}</p>")


def film_page(extra="", *, title=FILM, text=SYNOPSIS, player=PLAYERS[0], head=""):
    markup = f"<h1>{title}</h1>{player}<p>{text}</p>{extra}"
    return shown(f"{title} - Quay Cinema", markup).replace("</head>", f"{head}</head>")


def wrong(pages, verdicts):
    """Those of the pages, by their markup, that are judged otherwise."""
    return {page: found for page in pages if (found := verdict_of(page)) not in verdicts}


@pytest.mark.parametrize(
    ("pairs", "verdict"),
    [(said.GONE_SAID, G), (said.ABROAD_SAID, B), (said.LATER_SAID, U), (said.PARKED_SAID, G), (said.WALLS_SAID, B)],
    ids=["gone", "abroad", "later", "parked", "walls"],
)  # fmt: skip
def test_sentences_are_understood(pairs, verdict):
    assert wrong([spoken(*pair) for pair in pairs], {verdict}) == {}


@pytest.mark.parametrize(
    ("pairs", "verdict"),
    [(said.GONE_SHOWN, G), (said.WALLS_SHOWN, B), (said.PARKED_SHOWN, G), (said.OUTAGES_SHOWN, U)],
    ids=["gone", "walls", "parked", "outages"],
)
def test_pages_are_recognized(pairs, verdict):
    assert wrong([shown(*pair) for pair in pairs], {verdict}) == {}


def test_what_is_private_is_never_alive():
    assert wrong([spoken(*pair) for pair in said.PRIVATE_SAID], {G, B}) == {}


def test_an_error_in_words_is_no_film_and_no_death():
    assert wrong([spoken(*pair) for pair in said.OUTAGES_SAID], {U, B}) == {}


@pytest.mark.parametrize("status", [403, 503])
def test_a_wall_is_recognized_whatever_its_status(status):
    walls = [shown(*pair) for pair in said.WALLS_SHOWN]
    assert {wall for wall in walls if verdict_of(wall, status=status) is not B and status == 403} == set()
    assert {wall for wall in walls if verdict_of(wall, status=status) in (A, G)} == set()


# --- living pages
def test_living_pages_hold_the_words_in_stories_and_notes():
    pages = {markup: (title, shown(own_title, markup)) for title, own_title, markup in said.LIVING_SHOWN}
    assert {markup for markup, (title, page) in pages.items() if verdict_of(page, title=title) is not A} == set()
    assert wrong(said.LIVING_PAGES, {A}) == {}


@pytest.mark.parametrize("player", PLAYERS, ids=["video", "script"])
@pytest.mark.parametrize("title", [FILM, "Der Lampenwärter"], ids=["named", "otherwise named"])
def test_living_pages_hold_the_words_beside_a_film(player, title):
    extras = {extra: film_page(extra, player=player) for extra in said.LIVING_EXTRAS}
    heads = {head: film_page(head=head, player=player) for head in said.LIVING_HEADS}
    texts = {text: film_page(text=text, player=player) for text in said.LIVING_TEXTS}
    pages = extras | heads | texts
    assert {words for words, page in pages.items() if verdict_of(page, title=title) is not A} == set()


@pytest.mark.parametrize("player", PLAYERS, ids=["video", "script"])
def test_films_are_called_like_pages_of_a_server(player):
    pages = {title: film_page(title=title, player=player) for title in said.LIVING_TITLES}
    assert {title for title, page in pages.items() if verdict_of(page, title=title) is not A} == set()


@pytest.mark.parametrize("title", ["Ponte sul fiume", ""], ids=["otherwise named", "without a name"])
def test_living_pages_are_short_and_hold_the_words(title):
    pages = {
        text: shown(
            heading, f"<header><a href=/>Quay</a></header><h1>{heading}</h1><a href=/play>Play</a><p>{text}</p>"
        )
        for heading, text in said.LIVING_SHORT
    }
    assert {text for text, page in pages.items() if verdict_of(page, title=title) is not A} == set()


# --- bytes
@pytest.mark.parametrize(
    ("text", "encoding", "stated"),
    [
        ("Страница не найдена", "cp1251", ""), ("Страница не найдена", "koi8-r", ""),
        ("Страница не найдена", "utf-8", "iso-8859-1"), ("Файл не найден", "koi8-r", "koi8-r"),
        ("ページが見つかりません", "shift_jis", ""), ("ページが見つかりません", "euc_jp", ""),
        ("ページが見つかりません", "euc_jp", "EUC-JP"), ("Página no encontrada", "latin-1", ""),
        ("Datei gelöscht", "latin-1", ""), ("Page introuvable, supprimée", "cp1252", "windows-1252"),
        ("Page not found", "utf-16-le", "utf-16le"), ("Page not found", "ascii", "utf-16"),
        ("Nie znaleziono strony, została usunięta", "iso8859-2", "iso-8859-2"),
    ],
)  # fmt: skip
def test_a_page_is_read_in_its_charset_stated_or_not(text, encoding, stated):
    body = spoken(text, text).replace("<meta charset=utf-8>", "").encode(encoding)
    assert verdict_of(body, content_type=f"text/html; charset={stated}" if stated else "text/html") is G


@pytest.mark.parametrize("encoding", ["cp1251", "shift_jis", "latin-1", "utf-16-le"])
def test_a_living_film_is_alive_in_any_charset(encoding):
    assert verdict_of(film_page().encode(encoding), content_type="text/html") is A


@pytest.mark.parametrize(
    ("body", "content_type", "verdict"),
    [
        ("404 page not found\n", "text/plain; charset=utf-8", G),
        ("Not Found", "text/plain", G),
        ("File does not exist.", "text/plain", G),
        ("upstream connect error or disconnect/reset before headers", "text/plain", U),
        ("<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>",
         "application/xml", G),
        ('{"error": "page not found"}', "application/json", G),
        ('{"title": "The Lamplighter", "file": "/reel.mp4"}', "application/json", A),
        ("The film was removed from cinemas in 1925 and all copies had to be destroyed.", "text/plain", A),
        ("The Lamplighter", "text/plain", A),
    ],
)  # fmt: skip
def test_programs_say_in_a_line_that_a_page_is_missing(body, content_type, verdict):
    assert verdict_of(body, content_type=content_type) is verdict
