"""The film of a web page and where to watch it: schema.org data first, then what the page's markup says. Pure.

Hostile pages are expected: every expression here is linear, every walk is bounded, broken data is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from parsel import Selector

from scraper.films import UNKNOWN, Film, FoundLink, once
from scraper.formats import FILE_ENDINGS, STREAM_ENDINGS, kind_of, quality_of_label, quality_of_size
from scraper.languages import language_of, tag_of
from scraper.reading import addresses, imdb_id, mapping, plain, text, texts, whole, year_of
from scraper.structured_data import FILM_TYPES, absolute, documents, licence_at, nodes_of, page_licence, types_of

OFFERS = frozenset({"WatchAction", "ViewAction"})
EPISODE_TYPES = frozenset({"TVEpisode", "Episode"})
# What stands under these keys is about something else: a trailer is not the film, a view counter no link.
ELSEWHERE = frozenset(
    ("trailer", "image", "thumbnail", "review", "interactionStatistic", "potentialAction", "isPartOf", "partOfSeries")
)
PARTS = ("hasPart", "episode", "episodes", "containsSeason", "season", "itemListElement", "item")
PAID = frozenset({"subscription", "externalsubscription", "purchase", "rental", "paid"})
TRAILER = re.compile(r"\b(?:trailer|teaser)\b", re.IGNORECASE)
PLAYER_PATHS = ("/videos/embed/",)
PLAYERS = {"archive.org": "/embed/", "www.youtube-nocookie.com": "/embed/", "player.vimeo.com": "/video/"}
MOST_ELEMENTS = 2_000
MOST_EPISODES, MOST_TARGETS, MOST_FILMS = 500, 100, 20
Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """A page being read: its markup, its own address, the one that relative addresses start from, and its data;
    `named` holds the objects that others may refer to by `@id`."""

    root: Selector
    url: str
    base: str
    nodes: tuple[Node, ...]
    named: Mapping[str, Node]

    def absolute(self, address: object) -> str:
        """The full http(s) address; empty when it is anything else, or a template with gaps."""
        told = text(address, longest=2000)
        return "" if "{" in told else absolute(told, self.base)


def film_of_page(html: str, *, url: str, wanted: str = "") -> Film:
    """The film that the page at `url` is about. Where a page names several, only the `wanted` one (an IMDb id) counts;
    without one, or when it is not among them, the problem is `several_films`."""
    page = _read(html, url)
    films = [node for node in page.nodes if _film_type(node) and not EPISODE_TYPES.intersection(types_of(node))]
    films = films or [node for node in page.nodes if _film_type(node)]
    named = {found for node in films if (found := _imdb_id(node))}
    if len(named) > 1:
        mine = [node for node in films if _imdb_id(node) == wanted]
        return _described(page, mine[0], links=_watch_links(page, mine)) if mine else Film(problem="several_films")
    links = [*_watch_links(page, films), *_video_links(page), *_markup_links(page)]
    return _described(page, films[0] if films else {}, links=links)


def _read(html: str, url: str) -> Page:
    # A lone surrogate would stop the parser.
    root = Selector(text=html.encode(errors="replace").decode() or "<html/>", type="html")
    bare = Page(root, url, url, (), {})
    base = bare.absolute(root.xpath("string((//base/@href)[1])").get()) or url
    nodes = tuple(nodes_of(documents(root), but=ELSEWHERE))
    named = {str(node["@id"]): node for node in nodes if isinstance(node.get("@id"), str) and len(node) > 1}
    return Page(root, url, base, nodes, named)


def _described(page: Page, node: Node, *, links: Iterable[FoundLink]) -> Film:
    video = next(_videos(page), {})
    about = node or video
    dates = ("datePublished", "dateCreated", "startDate")
    declared = text(about.get("license"), longest=2000) or page_licence(page.root, page.base)
    shows = page.root.xpath("//meta[@property='og:type']/@content").get() or ""
    return Film(
        imdb_id=_imdb_id(node) or _linked_imdb_id(page.root),
        title=text(node.get("name")) or _title(page, video),
        year=next((year for name in dates if (year := year_of(node.get(name)))), None),
        type=_film_type(node) or ("show" if shows.startswith("video.tv") else "movie"),
        language=tag_of(text(about.get("inLanguage"))),
        synopsis=plain(about.get("description")),
        page=page.url,
        licence=licence_at(declared) or UNKNOWN,
        links=tuple(once(links)),
    )


def _title(page: Page, video: Node) -> str:
    declared = page.root.xpath("string((//meta[@property='og:title'])[1]/@content)").get()
    return text(declared) or text(video.get("name")) or text(page.root.xpath("string((//title)[1])").get())


def _imdb_id(node: Node) -> str:
    named = [one for name in ("sameAs", "url", "@id") for one in texts(node.get(name))]
    marks = node.get("identifier")
    for mark in marks if isinstance(marks, list) else [marks]:
        value = mapping(mark).get("value") if isinstance(mark, Mapping) else mark
        named += texts(value)
    ids = {found for one in named if (found := imdb_id(one))}
    return ids.pop() if len(ids) == 1 else ""


def _linked_imdb_id(root: Selector) -> str:
    """The one film that the page's links to IMDb name; empty when they name several."""
    linked = root.xpath("//a[contains(@href, 'imdb.com/')]/@href").getall()[:MOST_ELEMENTS]
    ids = {found for address in linked if (found := imdb_id(address[:2000]))}
    return ids.pop() if len(ids) == 1 else ""


def _film_type(node: Node) -> str:
    return next((FILM_TYPES[name] for name in FILM_TYPES if name in types_of(node)), "")


# --- schema.org data


def _watch_links(page: Page, films: Sequence[Node]) -> Iterator[FoundLink]:
    for film in films[:MOST_FILMS]:
        language = tag_of(text(film.get("inLanguage")))
        own = [link for action in _actions(page, film) for link in _targets(page, action, language=language)]
        yield from own
        for episode in _episodes(film) if not EPISODE_TYPES.intersection(types_of(film)) else ():
            yield from _episode_links(page, episode, language=language, is_offered=bool(own))


def _actions(page: Page, node: Node) -> Iterator[Node]:
    """The offers to watch it. What somebody watched has no target; what has to be bought or rented is no free film."""
    stated = node.get("potentialAction")
    for action in stated[:MOST_TARGETS] if isinstance(stated, list) else [stated]:
        action = mapping(action)
        if set(action) == {"@id"}:
            action = page.named.get(str(action["@id"]), {})
        if OFFERS.intersection(types_of(action)) and action.get("target") and not _is_paid(action):
            yield action


def _is_paid(action: Node) -> bool:
    terms = action.get("actionAccessibilityRequirement")
    every = [mapping(one) for one in (terms if isinstance(terms, list) else [terms]) if one]
    words = [text(one.get("category")).rsplit("/", 1)[-1].casefold() for one in every]
    return bool(words) and all(word in PAID for word in words)


def _targets(page: Page, action: Node, *, language: str) -> Iterator[FoundLink]:
    targets = action.get("target")
    for target in targets[:MOST_TARGETS] if isinstance(targets, list) else [targets]:
        point = target if isinstance(target, Mapping) else {"urlTemplate": target}
        details = {text(one.get("name")): one.get("value") for one in _members(point.get("additionalProperty"))}
        for address in addresses(point.get("urlTemplate")) or addresses(point.get("url")):
            if url := page.absolute(address):
                stated = language_of(details.get("contentLanguage")) or tag_of(text(point.get("inLanguage")))
                yield FoundLink(
                    url=url,
                    kind=kind_of(url) or "page",
                    quality=quality_of_label(text(details.get("videoFormat"))),
                    language=stated or tag_of(text(action.get("inLanguage"))) or language,
                )


def _episodes(film: Node) -> Iterator[Node]:
    waiting = [film.get(name) for name in PARTS][::-1]
    for _ in range(MOST_EPISODES * 4):
        if not waiting:
            return
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value[:MOST_EPISODES][::-1])
        elif isinstance(value, Mapping):
            if EPISODE_TYPES.intersection(types_of(value)):
                yield value
            season = {"partOfSeason": {"seasonNumber": value.get("seasonNumber")}} if value.get("seasonNumber") else {}
            inner = [value.get(name) for name in PARTS if value.get(name)]
            waiting.extend(_with(one, season) for one in inner[::-1])


def _with(value: object, season: Mapping[str, object]) -> object:
    """Hand a season's number down to its episodes."""
    if not season:
        return value
    members = value[:MOST_EPISODES] if isinstance(value, list) else [value]
    return [{**season, **one} if isinstance(one, Mapping) else one for one in members]


def _episode_links(page: Page, episode: Node, *, language: str, is_offered: bool) -> Iterator[FoundLink]:
    """An episode's own offers; its page counts where the whole series is offered."""
    own = [link for action in _actions(page, episode) for link in _targets(page, action, language=language)]
    url = page.absolute(episode.get("url"))
    if not own and is_offered and url:
        own = [FoundLink(url=url, language=tag_of(text(episode.get("inLanguage"))) or language)]
    season = whole(mapping(episode.get("partOfSeason")).get("seasonNumber"))
    for link in own:
        label = text(episode.get("name"), longest=180)
        yield replace(link, season=season, episode=whole(episode.get("episodeNumber")), label=label)


def _videos(page: Page) -> Iterator[Node]:
    for node in page.nodes:
        if "VideoObject" in types_of(node) and not TRAILER.search(text(node.get("name"))):
            yield node


def _video_links(page: Page) -> Iterator[FoundLink]:
    for node in _videos(page):
        files = [url for one in addresses(node.get("contentUrl")) if (url := page.absolute(one))]
        # One size cannot describe several files.
        height = whole(_amount(node.get("height"))) if len(files) == 1 else None
        width = whole(_amount(node.get("width"))) if len(files) == 1 else None
        for url in files:
            kind = kind_of(url, media_type=text(node.get("encodingFormat")))
            # Some sites name the page itself here.
            if kind or url != page.url:
                yield _video_link(url, kind or "page", node, width=width, height=height)
        for one in addresses(node.get("embedUrl")):
            if url := page.absolute(one):
                yield _video_link(url, "embed", node)


def _video_link(url: str, kind: str, node: Node, *, width: int | None = None, height: int | None = None) -> FoundLink:
    return FoundLink(
        url=url,
        kind=kind,
        quality=quality_of_label(text(node.get("videoQuality"))) or quality_of_size(width, height),
        width=width if height else None,
        height=height,
        language=tag_of(text(node.get("inLanguage"))),
        licence=licence_at(text(node.get("license"), longest=2000)),
    )


def _amount(value: object) -> object:
    return mapping(value).get("value") if isinstance(value, Mapping) else text(value).removesuffix("px")


def _members(value: object) -> list[Node]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, Mapping)]


# --- markup


def _markup_links(page: Page) -> Iterator[FoundLink]:
    yield from _microdata(page)
    yield from _cards(page)
    yield from _players(page)
    for element in page.root.xpath("//a[@href]")[:MOST_ELEMENTS]:
        url = page.absolute(element.attrib.get("href"))
        if _path(url).endswith(FILE_ENDINGS + STREAM_ENDINGS):
            yield FoundLink(url=url, kind=kind_of(url), language=tag_of(element.attrib.get("hreflang")))
    for element in page.root.xpath("//iframe[@src]")[:MOST_ELEMENTS]:
        if _is_player(url := page.absolute(element.attrib.get("src"))):
            yield FoundLink(url=url, kind="embed")


def _microdata(page: Page) -> Iterator[FoundLink]:
    path = "//*[@itemprop='contentUrl' or @itemprop='embedUrl'][not(ancestor-or-self::*[@itemprop='trailer'])]"
    for element in page.root.xpath(path)[:MOST_ELEMENTS]:
        marks = element.attrib
        url = page.absolute(marks.get("content") or marks.get("href") or marks.get("src"))
        kind = "embed" if marks["itemprop"] == "embedUrl" else kind_of(url, media_type=marks.get("type", ""))
        if url and (kind or url != page.url):
            yield FoundLink(url=url, kind=kind or "page")


def _cards(page: Page) -> Iterator[FoundLink]:
    """Open Graph and Twitter cards. A type or size belongs to the video that stands before it."""
    videos: list[dict[str, str]] = []
    players = []
    for element in page.root.xpath("//meta[@content]")[:MOST_ELEMENTS]:
        name = (element.attrib.get("property") or element.attrib.get("name") or "").strip().lower()
        content = element.attrib["content"]
        if name in ("og:video", "og:video:url", "og:video:secure_url"):
            videos.append({"url": content})
        elif name in ("og:video:type", "og:video:width", "og:video:height") and videos:
            videos[-1].setdefault(name.rsplit(":", 1)[-1], content)
        elif name in ("twitter:player", "twitter:player:stream") and (url := page.absolute(content)):
            players.append(FoundLink(url=url, kind="embed" if name == "twitter:player" else kind_of(url) or "file"))
    yield from (link for video in videos if (link := _card_link(page, video)))
    yield from players


def _card_link(page: Page, video: Mapping[str, str]) -> FoundLink | None:
    url, media_type = page.absolute(video["url"]), video.get("type", "")
    if not url:
        return None
    width, height = whole(video.get("width")), whole(video.get("height"))
    kind = kind_of(url, media_type=media_type) or "embed"
    quality = quality_of_size(width, height) if kind == "file" else ""
    return FoundLink(url=url, kind=kind, quality=quality, width=width, height=height)


def _players(page: Page) -> Iterator[FoundLink]:
    for element in page.root.xpath("//video[@src] | //video//source[@src]")[:MOST_ELEMENTS]:
        marks = element.attrib
        url = page.absolute(marks.get("src"))
        if url:
            size = next((marks[name] for name in ("label", "res", "size", "title") if marks.get(name)), "")
            media_type = marks.get("type", "")
            quality = quality_of_label(size) or quality_of_label(f"{size}p" if size.isdecimal() else "")
            yield FoundLink(url=url, kind=kind_of(url, media_type=media_type) or "file", quality=quality)


def _is_player(url: str) -> bool:
    host, path = urlsplit(url).hostname or "", urlsplit(url).path
    return path.startswith(PLAYER_PATHS) or (host in PLAYERS and path.startswith(PLAYERS[host]))


def _path(url: str) -> str:
    return urlsplit(url).path.lower()
