"""Pages of living films, composed of the parts of which such pages consist; many parts hold the words of dead ones.

The same number always gives the same page. What is wrong is said only where no visitor takes it for the page's own
word: in synopses, comments, titles of this film or of others, and in what is kept hidden until it is needed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from bench.truth.languages import WORDINGS, Wording

SITES = ("Quay Cinema", "Open Reel House", "Kino am Hafen", "Ciné du Quai", "Filmarkivet", "シネマ埠頭")
TITLES = (
    "The Lamplighter", "Nachtzug nach Riga", "La Veuve du port", "El faro de Cádiz", "Der Brief", "灯台守の娘",
    "Last Ferry (1931)", "404", "Gone", "Not Found", "Removed", "Deleted Scenes", "Private", "Page Not Found",
    "The Missing Page", "Account Suspended", "Access Denied", "Just a Moment", "Maintenance", "Out of Country",
)  # fmt: skip
PLOTS = {
    "en": "A lamplighter finds a purse on the quay and spends a winter looking for its owner.",
    "de": "Ein Lampenwärter findet am Kai eine Geldbörse und sucht einen Winter lang ihren Besitzer.",
    "fr": "Un allumeur de réverbères trouve une bourse sur le quai et cherche tout l’hiver son propriétaire.",
    "es": "Un farolero encuentra una bolsa en el muelle y pasa el invierno buscando a su dueño.",
    "it": "Un lampionaio trova una borsa sul molo e passa l’inverno a cercarne il proprietario.",
    "pt": "Um acendedor de lampiões encontra uma bolsa no cais e passa o inverno à procura do dono.",
    "nl": "Een lantaarnopsteker vindt een beurs op de kade en zoekt een winter lang de eigenaar.",
    "pl": "Latarnik znajduje na nabrzeżu sakiewkę i przez całą zimę szuka jej właściciela.",
    "ru": "Фонарщик находит на набережной кошелёк и всю зиму ищет его хозяина.",
    "cs": "Lampář najde na nábřeží měšec a celou zimu hledá jeho majitele.",
    "ja": "点灯夫は波止場で財布を拾い、冬のあいだ持ち主を探し続ける。",
    "sv": "En lykttändare hittar en börs på kajen och letar hela vintern efter ägaren.",
    "da": "En lygtetænder finder en pung på kajen og leder hele vinteren efter ejeren.",
    "uk": "Ліхтарник знаходить на набережній гаманець і всю зиму шукає його власника.",
    "fi": "Lyhdynsytyttäjä löytää laiturilta kukkaron ja etsii koko talven sen omistajaa.",
    "hu": "Egy lámpagyújtó erszényt talál a rakparton, és egész télen keresi a gazdáját.",
    "tr": "Bir fenerci rıhtımda bir kese bulur ve bütün kış sahibini arar.",
}
PLAYERS = (
    '<video controls src="/reel.mp4"></video>', '<iframe src="/embed/77" allowfullscreen></iframe>',
    '<div id="player" data-config="/api/play/77"></div><script src="/js/player.js"></script>',
    '<a class="play" href="/reel.mp4">▶</a>',
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LivingPage:
    """The page of a film; `parts`: what is on it beside the film, by name."""

    title: str
    language: str
    parts: tuple[str, ...]
    body: bytes


# --- parts that hold the words; each is given the language's wording and two of its texts
Part = Callable[[Wording, str, str, random.Random], str]


def _synopsis(wording: Wording, _heading: str, _sentence: str, _chance: random.Random) -> str:
    return f"<p>{PLOTS[wording.code]} {wording.synopsis} {PLOTS[wording.code]}</p>"


def _comments(_wording: Wording, _heading: str, sentence: str, chance: random.Random) -> str:
    voices = [f"<article><h4>Guest {guest}</h4><p>{sentence}</p></article>" for guest in range(chance.randint(1, 6))]
    return f'<section id="comments" class="comments"><h2>Comments</h2>{"".join(voices)}</section>'


def _related(_wording: Wording, heading: str, _sentence: str, chance: random.Random) -> str:
    films = "".join(f"<li><a href=/film/{number}><h3>{heading}</h3></a>" for number in range(chance.randint(1, 4)))
    return f'<aside class="related"><ul>{films}</ul></aside>'


def _hidden_modal(_wording: Wording, heading: str, sentence: str, chance: random.Random) -> str:
    hidden = chance.choice(("hidden", 'style="display:none"', 'style="display: none;"', 'aria-hidden="true"'))
    return f'<div class="modal" {hidden}><h2>{heading}</h2><p>{sentence}</p><button>OK</button></div>'


def _template(_wording: Wording, heading: str, sentence: str, _chance: random.Random) -> str:
    return f'<template id="error"><h1>{heading}</h1><p>{sentence}</p></template>'


def _texts_in_json(_wording: Wording, heading: str, sentence: str, _chance: random.Random) -> str:
    texts = json.dumps({"errors": {"title": heading, "text": sentence}, "state": "ok"}, ensure_ascii=False)
    return f'<script type="application/json" id="texts">{texts}</script>'


def _texts_in_script(_wording: Wording, heading: str, sentence: str, _chance: random.Random) -> str:
    return f"<script>const lost = '<h1>{heading}</h1><p>' + {json.dumps(sentence)} + '</p>';</script>"


def _remark(_wording: Wording, heading: str, sentence: str, _chance: random.Random) -> str:
    return f"<!-- <h1>{heading}</h1> {sentence} -->"


def _noscript(_wording: Wording, heading: str, sentence: str, _chance: random.Random) -> str:
    return f"<noscript><h2>{heading}</h2>{sentence}</noscript>"


def _cookie_banner(_wording: Wording, _heading: str, _sentence: str, _chance: random.Random) -> str:
    return (
        '<div id="consent" role="dialog"><h2>Before you continue</h2><p>We use cookies. Please enable cookies or '
        "choose what you accept.</p><button>Accept all</button><button>Choose</button></div>"
    )


def _news(wording: Wording, heading: str, sentence: str, _chance: random.Random) -> str:
    """An old notice of the site about something else, below the film."""
    return f"<footer><p>1 May: {heading}. {sentence}</p><p>{PLOTS[wording.code]}</p></footer>"


def _attributes(_wording: Wording, heading: str, sentence: str, _chance: random.Random) -> str:
    return f'<div class="player-shell" data-error-title="{heading}" data-error-text="{sentence}"></div>'


PARTS: dict[str, Part] = {
    "synopsis": _synopsis, "comments": _comments, "related films": _related, "hidden modal": _hidden_modal,
    "template": _template, "JSON": _texts_in_json, "script": _texts_in_script, "remark": _remark,
    "noscript": _noscript, "cookie banner": _cookie_banner, "news": _news, "attributes": _attributes,
}  # fmt: skip


# --- pages
def living_page(number: int) -> LivingPage:
    chance = random.Random(number)
    wording = WORDINGS[number % len(WORDINGS)]
    names = chance.sample(list(PARTS), chance.randint(1, 5))
    title = chance.choice(TITLES)
    said = (wording.missing, wording.removed, wording.private, wording.abroad, wording.later)
    parts = "".join(PARTS[name](wording, *map(escape, chance.choice(said)), chance) for name in names)
    return LivingPage(title, wording.code, tuple(names), _composed(title, wording, parts, chance).encode())


def _composed(title: str, wording: Wording, parts: str, chance: random.Random) -> str:
    """A document with the film first; half of the pages say a good deal about it, the others little."""
    site, name = chance.choice(SITES), escape(title)
    page_title = chance.choice((f"{name} - {site}", f"{name} (1931) | {site}", f"{site} – {name}", name))
    banner = chance.choice(("", f"<header><h1>{site}</h1><nav><a href=/>⌂</a></nav></header>"))
    heading = "h2" if banner else "h1"
    plot = f"<p>{PLOTS[wording.code] * chance.choice((1, 8))}</p>"
    return (
        f'<!doctype html><html lang="{wording.code}"><head><meta charset="utf-8"><title>{page_title}</title></head>'
        f"<body>{banner}<main><{heading}>{name}</{heading}>{chance.choice(PLAYERS)}{plot}</main>{parts}</body></html>"
    )
