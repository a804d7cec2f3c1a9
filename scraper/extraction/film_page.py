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

from scraper.extraction.film import NO_LICENCE, ExtractedFilm, ExtractedLink, deduplicate
from scraper.extraction.json_ld import (
    FILM_TYPES,
    absolute_url,
    iter_nodes,
    json_ld_documents,
    licence_from_url,
    node_types,
    page_licence_url,
)
from scraper.extraction.json_values import (
    as_int,
    as_mapping,
    as_text,
    as_texts,
    as_url_texts,
    find_imdb_id,
    html_to_text,
    parse_year,
)
from scraper.extraction.languages import normalize_language_tag, parse_language
from scraper.extraction.media_types import (
    FILE_EXTENSIONS,
    STREAM_EXTENSIONS,
    link_kind,
    quality_from_label,
    quality_from_size,
)

OFFER_TYPES = frozenset({"WatchAction", "ViewAction"})
EPISODE_TYPES = frozenset({"TVEpisode", "Episode"})
# What stands under these keys is about something else: a trailer is not the film, a view counter no link.
UNRELATED_KEYS = frozenset(
    ("trailer", "image", "thumbnail", "review", "interactionStatistic", "potentialAction", "isPartOf", "partOfSeries")
)
PART_KEYS = ("hasPart", "episode", "episodes", "containsSeason", "season", "itemListElement", "item")
PAID_CATEGORIES = frozenset({"subscription", "externalsubscription", "purchase", "rental", "paid"})
TRAILER = re.compile(r"\b(?:trailer|teaser)\b", re.IGNORECASE)
PLAYER_PATH_PREFIXES = ("/videos/embed/",)
PLAYER_PATH_BY_HOST = {"archive.org": "/embed/", "www.youtube-nocookie.com": "/embed/", "player.vimeo.com": "/video/"}
MAX_ELEMENTS = 2_000
MAX_EPISODES, MAX_TARGETS, MAX_FILMS = 500, 100, 20
Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ParsedPage:
    """A page being read: its markup, its own address, the one that relative addresses start from, and its data;
    `named` holds the objects that others may refer to by `@id`."""

    root: Selector
    url: str
    base: str
    nodes: tuple[Node, ...]
    named: Mapping[str, Node]

    def absolute(self, address: object) -> str:
        """The full http(s) address; empty when it is anything else, or a template with gaps."""
        stated = as_text(address, max_length=2000)
        return "" if "{" in stated else absolute_url(stated, self.base)


def extract_film(html: str, *, url: str, wanted: str = "") -> ExtractedFilm:
    """The film that the page at `url` is about. Where a page names several, only the `wanted` one (an IMDb id) counts;
    without one, or when it is not among them, the problem is `several_films`."""
    page = _parse_page(html, url)
    films = [node for node in page.nodes if _film_type(node) and not EPISODE_TYPES.intersection(node_types(node))]
    films = films or [node for node in page.nodes if _film_type(node)]
    named = {found for node in films if (found := _imdb_id(node))}
    if len(named) > 1:
        mine = [node for node in films if _imdb_id(node) == wanted]
        return (
            _film_from_node(page, mine[0], links=_watch_links(page, mine))
            if mine
            else ExtractedFilm(problem="several_films")
        )
    links = [*_watch_links(page, films), *_video_links(page), *_markup_links(page)]
    return _film_from_node(page, films[0] if films else {}, links=links)


def _parse_page(html: str, url: str) -> ParsedPage:
    # A lone surrogate would stop the parser.
    root = Selector(text=html.encode(errors="replace").decode() or "<html/>", type="html")
    bare = ParsedPage(root, url, url, (), {})
    base = bare.absolute(root.xpath("string((//base/@href)[1])").get()) or url
    nodes = tuple(iter_nodes(json_ld_documents(root), but=UNRELATED_KEYS))
    named = {str(node["@id"]): node for node in nodes if isinstance(node.get("@id"), str) and len(node) > 1}
    return ParsedPage(root, url, base, nodes, named)


def _film_from_node(page: ParsedPage, node: Node, *, links: Iterable[ExtractedLink]) -> ExtractedFilm:
    video = next(_videos(page), {})
    about = node or video
    dates = ("datePublished", "dateCreated", "startDate")
    declared = as_text(about.get("license"), max_length=2000) or page_licence_url(page.root, page.base)
    shows = page.root.xpath("//meta[@property='og:type']/@content").get() or ""
    return ExtractedFilm(
        imdb_id=_imdb_id(node) or _linked_imdb_id(page.root),
        title=as_text(node.get("name")) or _title(page, video),
        year=next((year for name in dates if (year := parse_year(node.get(name)))), None),
        type=_film_type(node) or ("show" if shows.startswith("video.tv") else "movie"),
        language=normalize_language_tag(as_text(about.get("inLanguage"))),
        synopsis=html_to_text(about.get("description")),
        page=page.url,
        licence=licence_from_url(declared) or NO_LICENCE,
        links=tuple(deduplicate(links)),
    )


def _title(page: ParsedPage, video: Node) -> str:
    declared = page.root.xpath("string((//meta[@property='og:title'])[1]/@content)").get()
    return as_text(declared) or as_text(video.get("name")) or as_text(page.root.xpath("string((//title)[1])").get())


def _imdb_id(node: Node) -> str:
    named = [one for name in ("sameAs", "url", "@id") for one in as_texts(node.get(name))]
    marks = node.get("identifier")
    for mark in marks if isinstance(marks, list) else [marks]:
        value = as_mapping(mark).get("value") if isinstance(mark, Mapping) else mark
        named += as_texts(value)
    ids = {found for one in named if (found := find_imdb_id(one))}
    return ids.pop() if len(ids) == 1 else ""


def _linked_imdb_id(root: Selector) -> str:
    """The one film that the page's links to IMDb name; empty when they name several."""
    linked = root.xpath("//a[contains(@href, 'imdb.com/')]/@href").getall()[:MAX_ELEMENTS]
    ids = {found for address in linked if (found := find_imdb_id(address[:2000]))}
    return ids.pop() if len(ids) == 1 else ""


def _film_type(node: Node) -> str:
    return next((FILM_TYPES[name] for name in FILM_TYPES if name in node_types(node)), "")


# --- schema.org data


def _watch_links(page: ParsedPage, films: Sequence[Node]) -> Iterator[ExtractedLink]:
    for film in films[:MAX_FILMS]:
        language = normalize_language_tag(as_text(film.get("inLanguage")))
        own = [link for action in _actions(page, film) for link in _targets(page, action, language=language)]
        yield from own
        for episode in _episodes(film) if not EPISODE_TYPES.intersection(node_types(film)) else ():
            yield from _episode_links(page, episode, language=language, is_offered=bool(own))


def _actions(page: ParsedPage, node: Node) -> Iterator[Node]:
    """The offers to watch it. What somebody watched has no target; what has to be bought or rented is no free film."""
    stated = node.get("potentialAction")
    for action in stated[:MAX_TARGETS] if isinstance(stated, list) else [stated]:
        action = as_mapping(action)
        if set(action) == {"@id"}:
            action = page.named.get(str(action["@id"]), {})
        if OFFER_TYPES.intersection(node_types(action)) and action.get("target") and not _is_paid(action):
            yield action


def _is_paid(action: Node) -> bool:
    terms = action.get("actionAccessibilityRequirement")
    every = [as_mapping(one) for one in (terms if isinstance(terms, list) else [terms]) if one]
    words = [as_text(one.get("category")).rsplit("/", 1)[-1].casefold() for one in every]
    return bool(words) and all(word in PAID_CATEGORIES for word in words)


def _targets(page: ParsedPage, action: Node, *, language: str) -> Iterator[ExtractedLink]:
    targets = action.get("target")
    for target in targets[:MAX_TARGETS] if isinstance(targets, list) else [targets]:
        point = target if isinstance(target, Mapping) else {"urlTemplate": target}
        details = {as_text(one.get("name")): one.get("value") for one in _members(point.get("additionalProperty"))}
        for address in as_url_texts(point.get("urlTemplate")) or as_url_texts(point.get("url")):
            if url := page.absolute(address):
                stated = parse_language(details.get("contentLanguage")) or normalize_language_tag(
                    as_text(point.get("inLanguage"))
                )
                yield ExtractedLink(
                    url=url,
                    kind=link_kind(url) or "page",
                    quality=quality_from_label(as_text(details.get("videoFormat"))),
                    language=stated or normalize_language_tag(as_text(action.get("inLanguage"))) or language,
                )


def _episodes(film: Node) -> Iterator[Node]:
    waiting = [film.get(name) for name in PART_KEYS][::-1]
    for _ in range(MAX_EPISODES * 4):
        if not waiting:
            return
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value[:MAX_EPISODES][::-1])
        elif isinstance(value, Mapping):
            if EPISODE_TYPES.intersection(node_types(value)):
                yield value
            season = {"partOfSeason": {"seasonNumber": value.get("seasonNumber")}} if value.get("seasonNumber") else {}
            inner = [value.get(name) for name in PART_KEYS if value.get(name)]
            waiting.extend(_with_season(one, season) for one in inner[::-1])


def _with_season(value: object, season: Mapping[str, object]) -> object:
    """Hand a season's number down to its episodes."""
    if not season:
        return value
    members = value[:MAX_EPISODES] if isinstance(value, list) else [value]
    return [{**season, **one} if isinstance(one, Mapping) else one for one in members]


def _episode_links(page: ParsedPage, episode: Node, *, language: str, is_offered: bool) -> Iterator[ExtractedLink]:
    """An episode's own offers; its page counts where the whole series is offered."""
    own = [link for action in _actions(page, episode) for link in _targets(page, action, language=language)]
    url = page.absolute(episode.get("url"))
    if not own and is_offered and url:
        own = [ExtractedLink(url=url, language=normalize_language_tag(as_text(episode.get("inLanguage"))) or language)]
    season = as_int(as_mapping(episode.get("partOfSeason")).get("seasonNumber"))
    for link in own:
        label = as_text(episode.get("name"), max_length=180)
        yield replace(link, season=season, episode=as_int(episode.get("episodeNumber")), label=label)


def _videos(page: ParsedPage) -> Iterator[Node]:
    for node in page.nodes:
        if "VideoObject" in node_types(node) and not TRAILER.search(as_text(node.get("name"))):
            yield node


def _video_links(page: ParsedPage) -> Iterator[ExtractedLink]:
    for node in _videos(page):
        files = [url for one in as_url_texts(node.get("contentUrl")) if (url := page.absolute(one))]
        # One size cannot describe several files.
        height = as_int(_amount(node.get("height"))) if len(files) == 1 else None
        width = as_int(_amount(node.get("width"))) if len(files) == 1 else None
        for url in files:
            kind = link_kind(url, media_type=as_text(node.get("encodingFormat")))
            # Some sites name the page itself here.
            if kind or url != page.url:
                yield _video_link(url, kind or "page", node, width=width, height=height)
        for one in as_url_texts(node.get("embedUrl")):
            if url := page.absolute(one):
                yield _video_link(url, "embed", node)


def _video_link(
    url: str, kind: str, node: Node, *, width: int | None = None, height: int | None = None
) -> ExtractedLink:
    return ExtractedLink(
        url=url,
        kind=kind,
        quality=quality_from_label(as_text(node.get("videoQuality"))) or quality_from_size(width, height),
        width=width if height else None,
        height=height,
        language=normalize_language_tag(as_text(node.get("inLanguage"))),
        licence=licence_from_url(as_text(node.get("license"), max_length=2000)),
    )


def _amount(value: object) -> object:
    return as_mapping(value).get("value") if isinstance(value, Mapping) else as_text(value).removesuffix("px")


def _members(value: object) -> list[Node]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, Mapping)]


# --- markup


def _markup_links(page: ParsedPage) -> Iterator[ExtractedLink]:
    yield from _microdata(page)
    yield from _cards(page)
    yield from _players(page)
    for element in page.root.xpath("//a[@href]")[:MAX_ELEMENTS]:
        url = page.absolute(element.attrib.get("href"))
        if _path(url).endswith(FILE_EXTENSIONS + STREAM_EXTENSIONS):
            yield ExtractedLink(
                url=url, kind=link_kind(url), language=normalize_language_tag(element.attrib.get("hreflang"))
            )
    for element in page.root.xpath("//iframe[@src]")[:MAX_ELEMENTS]:
        if _is_player(url := page.absolute(element.attrib.get("src"))):
            yield ExtractedLink(url=url, kind="embed")


def _microdata(page: ParsedPage) -> Iterator[ExtractedLink]:
    path = "//*[@itemprop='contentUrl' or @itemprop='embedUrl'][not(ancestor-or-self::*[@itemprop='trailer'])]"
    for element in page.root.xpath(path)[:MAX_ELEMENTS]:
        marks = element.attrib
        url = page.absolute(marks.get("content") or marks.get("href") or marks.get("src"))
        kind = "embed" if marks["itemprop"] == "embedUrl" else link_kind(url, media_type=marks.get("type", ""))
        if url and (kind or url != page.url):
            yield ExtractedLink(url=url, kind=kind or "page")


def _cards(page: ParsedPage) -> Iterator[ExtractedLink]:
    """Open Graph and Twitter cards. A type or size belongs to the video that stands before it."""
    videos: list[dict[str, str]] = []
    players = []
    for element in page.root.xpath("//meta[@content]")[:MAX_ELEMENTS]:
        name = (element.attrib.get("property") or element.attrib.get("name") or "").strip().lower()
        content = element.attrib["content"]
        if name in ("og:video", "og:video:url", "og:video:secure_url"):
            videos.append({"url": content})
        elif name in ("og:video:type", "og:video:width", "og:video:height") and videos:
            videos[-1].setdefault(name.rsplit(":", 1)[-1], content)
        elif name in ("twitter:player", "twitter:player:stream") and (url := page.absolute(content)):
            players.append(
                ExtractedLink(url=url, kind="embed" if name == "twitter:player" else link_kind(url) or "file")
            )
    yield from (link for video in videos if (link := _card_link(page, video)))
    yield from players


def _card_link(page: ParsedPage, video: Mapping[str, str]) -> ExtractedLink | None:
    url, media_type = page.absolute(video["url"]), video.get("type", "")
    if not url:
        return None
    width, height = as_int(video.get("width")), as_int(video.get("height"))
    kind = link_kind(url, media_type=media_type) or "embed"
    quality = quality_from_size(width, height) if kind == "file" else ""
    return ExtractedLink(url=url, kind=kind, quality=quality, width=width, height=height)


def _players(page: ParsedPage) -> Iterator[ExtractedLink]:
    for element in page.root.xpath("//video[@src] | //video//source[@src]")[:MAX_ELEMENTS]:
        marks = element.attrib
        url = page.absolute(marks.get("src"))
        if url:
            size = next((marks[name] for name in ("label", "res", "size", "title") if marks.get(name)), "")
            media_type = marks.get("type", "")
            quality = quality_from_label(size) or quality_from_label(f"{size}p" if size.isdecimal() else "")
            yield ExtractedLink(url=url, kind=link_kind(url, media_type=media_type) or "file", quality=quality)


def _is_player(url: str) -> bool:
    host, path = urlsplit(url).hostname or "", urlsplit(url).path
    return path.startswith(PLAYER_PATH_PREFIXES) or (
        host in PLAYER_PATH_BY_HOST and path.startswith(PLAYER_PATH_BY_HOST[host])
    )


def _path(url: str) -> str:
    return urlsplit(url).path.lower()
