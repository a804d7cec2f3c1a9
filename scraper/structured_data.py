"""Watch links out of a web page: schema.org data (JSON-LD) and plain links, videos and players. Pure.

Hostile pages are expected: every expression here is linear, every walk is bounded, broken data is passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from parsel import Selector

from scraper.formats import FILE_ENDINGS, STREAM_ENDINGS, STREAM_TYPES

HEIGHTS = (2160, 1440, 1080, 720, 576, 480, 360, 240)
FILM_TYPES = {"Movie": "movie", "TVSeries": "show", "TVSeason": "show", "TVEpisode": "show"}
WATCH_SEGMENTS = frozenset({"watch", "play", "player", "embed"})
WATCHABLE = "//a[@href] | //video[@src] | //source[@src] | //iframe[@src]"
WATCH_WORDS = ("watch", "play", "stream")
MOST_LINKS, MOST_ELEMENTS, MOST_NODES, MOST_SCRIPTS = 500, 2_000, 20_000, 50
LONGEST_SCRIPT, LONGEST_LABEL = 1_000_000, 200
IMDB_ADDRESS = re.compile(r"imdb\.com/title/(tt[0-9]{7,9})(?![0-9])")
QUALITY = re.compile(r"(?<![0-9])(2160|1440|1080|720|576|480|360|240)[pP](?![a-zA-Z0-9])")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
YEAR = re.compile(r"(18[7-9][0-9]|19[0-9]{2}|2[01][0-9]{2})(?![0-9])")
COMMENT_LINE = re.compile(r"^[ \t]{0,100}//[^\n]*$", re.MULTILINE)
TRAILING_COMMA = re.compile(r",(?=\s{0,50}[\]}])")
LICENCES = {
    "/publicdomain/mark/": "public-domain",
    "/publicdomain/zero/": "cc0",
    "/licenses/by/": "cc-by",
    "/licenses/by-sa/": "cc-by-sa",
    "/licenses/": "cc",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLink:
    """One URL where the page says its film can be watched; empty means that it does not say."""

    url: str
    kind: str = "page"
    label: str = ""
    quality: str = ""
    language: str = ""
    licence: str = ""
    licence_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFilm:
    """The film that a page is about; `publisher` is the host of the site that publishes it."""

    imdb_id: str = ""
    title: str = ""
    year: int | None = None
    type: str = "movie"
    synopsis: str = ""
    publisher: str = ""
    licence: str = ""
    licence_url: str = ""


@dataclass(frozen=True, slots=True)
class FilmPage:
    """What was found on a page: its film (None: it names none) and the links, each URL once, best described first."""

    film: FoundFilm | None
    links: tuple[FoundLink, ...]


def read_page(html: str, *, url: str) -> FilmPage:
    """Everything that a page at `url` says about its film and where to watch it."""
    root = Selector(text=html or "<html/>", type="html")
    base = absolute(root.xpath("string((//base/@href)[1])").get() or "", url) or url
    nodes = list(_nodes(documents(root)))
    film = _film(nodes)
    stated = film.licence_url if film and film.licence_url else _page_licence(root, base)
    links = _once([*_structured_links(nodes, base), *_plain_links(root, base)])
    return FilmPage(film, tuple(_licensed(link, stated) for link in links if link.url != urldefrag(url)[0]))


def licence_of(url: str) -> str:
    """The slug of a Creative Commons address; empty for any other."""
    if not host_in(url).endswith("creativecommons.org"):
        return ""
    return next((slug for part, slug in LICENCES.items() if part in url), "")


def quality_of(value: object) -> str:
    """`720p` out of `720p`, `Watch in 720p`, 720, "720" or a schema.org quantity; empty when it is none we know."""
    if isinstance(value, Mapping):
        value = value.get("value")
    text = str(value)[:LONGEST_LABEL] if isinstance(value, str | int | float) else ""
    if found := QUALITY.search(text):
        return f"{found[1]}p"
    digits = text.removesuffix("px").strip()
    height = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else 0
    # A picture of 716 lines is a 720p one; nothing else is rounded.
    near = [known for known in HEIGHTS if abs(known - height) * 20 <= known]
    return f"{near[0]}p" if near else ""


def host_in(url: str) -> str:
    """The host of a URL, lower-case; empty when it cannot be read."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def documents(root: Selector) -> Iterator[object]:
    """The values of a page's JSON-LD blocks; one that is broken beyond help is passed over."""
    scripts = root.xpath("//script[contains(translate(@type, 'JSONLD', 'jsonld'), 'ld+json')]/text()")
    for text in scripts.getall()[:MOST_SCRIPTS]:
        if len(text) <= LONGEST_SCRIPT:
            yield from _parsed(text)


def _parsed(text: str) -> Iterator[object]:
    bare = text.strip().removeprefix("<!--").removesuffix("-->").removeprefix("//<![CDATA[").removesuffix("//]]>")
    bare = bare.strip().rstrip(";")
    for attempt in (bare, COMMENT_LINE.sub("", bare), TRAILING_COMMA.sub("", COMMENT_LINE.sub("", bare))):
        try:
            yield json.loads(attempt, strict=False, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            continue
        return


def _nodes(documents: Iterable[object]) -> Iterator[Mapping[str, Any]]:
    """Every object of the documents, outer ones first, however deeply lists, @graph and nesting hide it."""
    waiting = list(documents)[::-1]
    for _ in range(MOST_NODES):
        if not waiting:
            return
        value = waiting.pop()
        if isinstance(value, Mapping):
            yield value
            waiting.extend(list(value.values())[::-1])
        elif isinstance(value, list):
            waiting.extend(value[::-1])


def types_of(node: Mapping[str, Any]) -> list[str]:
    """The types of an object, bare of their vocabulary's address."""
    return [text.rsplit("/", 1)[-1].rsplit(":", 1)[-1] for text in _texts(node.get("@type"))]


def _texts(value: object) -> list[str]:
    """A value that may be a text, a list of texts, or nothing of the kind."""
    return [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]


def _text(value: object, longest: int = LONGEST_LABEL) -> str:
    return " ".join(next(iter(_texts(value)), "")[: longest * 4].split())[:longest]


def _film(nodes: Iterable[Mapping[str, Any]]) -> FoundFilm | None:
    for node in nodes:
        for name in types_of(node):
            if name in FILM_TYPES:
                return _described(node, FILM_TYPES[name])
    return None


def _described(node: Mapping[str, Any], kind: str) -> FoundFilm:
    addresses = [*_texts(node.get("sameAs")), *_texts(node.get("@id")), *_texts(node.get("url"))]
    stated = next((found[1] for text in addresses if (found := IMDB_ADDRESS.search(text[:2000]))), "")
    when = YEAR.match(_text(node.get("datePublished") or node.get("dateCreated") or node.get("startDate")))
    publisher = node.get("publisher")
    licence_url = _text(node.get("license"), 2000)
    return FoundFilm(
        imdb_id=stated,
        title=_text(node.get("name")),
        year=int(when[1]) if when else None,
        type=kind,
        synopsis=_text(node.get("description"), 4000),
        publisher=host_in(_text(publisher.get("url"), 2000)) if isinstance(publisher, Mapping) else "",
        licence=licence_of(licence_url),
        licence_url=licence_url if licence_of(licence_url) else "",
    )


def _structured_links(nodes: Iterable[Mapping[str, Any]], base: str) -> Iterator[FoundLink]:
    for node in nodes:
        types = types_of(node)
        if "WatchAction" in types:
            yield from _action_links(node, base)
        if "VideoObject" in types or "Clip" in types:
            yield from _video_links(node, base)


def _action_links(node: Mapping[str, Any], base: str) -> Iterator[FoundLink]:
    targets = node.get("target")
    for target in targets if isinstance(targets, list) else [targets]:
        point = target if isinstance(target, Mapping) else {"urlTemplate": target}
        for address in _texts(point.get("urlTemplate")) or _texts(point.get("url")):
            # A template with a gap to fill is no address of a film.
            if "{" not in address and (url := absolute(address, base)):
                about = {**node, **point}
                yield _link(url, about, kind=_kind_of(url, _text(about.get("encodingFormat"))))


def _video_links(node: Mapping[str, Any], base: str) -> Iterator[FoundLink]:
    for address in _texts(node.get("contentUrl")):
        if url := absolute(address, base):
            yield _link(url, node, kind=_kind_of(url, _text(node.get("encodingFormat"))))
    for address in _texts(node.get("embedUrl")):
        if url := absolute(address, base):
            yield _link(url, node, kind="embed")


def _link(url: str, node: Mapping[str, Any], *, kind: str) -> FoundLink:
    label, licence_url = _text(node.get("name")), _text(node.get("license"), 2000)
    stated = (quality_of(node.get(name)) for name in ("videoQuality", "height"))
    return FoundLink(
        url=url,
        kind=kind,
        label=label,
        quality=next(filter(None, stated), "") or quality_of(label),
        language=_language(node.get("inLanguage")),
        licence=licence_of(licence_url),
        licence_url=licence_url if licence_of(licence_url) else "",
    )


def _plain_links(root: Selector, base: str) -> Iterator[FoundLink]:
    for element in root.xpath(WATCHABLE)[:MOST_ELEMENTS]:
        marks = element.attrib
        tag = str(element.root.tag)
        url = absolute(marks.get("href") or marks.get("src") or "", base)
        label = " ".join(_inner_text(element).split())[:LONGEST_LABEL] if tag == "a" else _text(marks.get("title"))
        if not url or not _leads_to_a_film(tag, url, label):
            continue
        yield FoundLink(
            url=url,
            kind="embed" if tag == "iframe" else _kind_of(url, marks.get("type", "")),
            label=label,
            quality=quality_of(label) or quality_of(marks.get("label")),
            language=_language(marks.get("hreflang") or marks.get("srclang") or marks.get("lang")),
        )


def _inner_text(element: Selector) -> str:
    return str(element.xpath("string(.)").get() or "")[: LONGEST_LABEL * 4]


def _leads_to_a_film(tag: str, url: str, label: str) -> bool:
    path = urlsplit(url).path.lower()
    if tag in ("video", "source") or path.endswith(FILE_ENDINGS + STREAM_ENDINGS):
        return True
    segments = WATCH_SEGMENTS.intersection(path.split("/"))
    return bool(segments) if tag == "iframe" else bool(segments) or label.lower().startswith(WATCH_WORDS)


def _kind_of(url: str, media_type: str) -> str:
    path, media_type = urlsplit(url).path.lower(), media_type.lower()
    if path.endswith(STREAM_ENDINGS) or media_type.startswith(STREAM_TYPES):
        return "stream"
    if path.endswith(FILE_ENDINGS) or media_type.startswith("video/"):
        return "file"
    return "embed" if "embed" in path.split("/") else "page"


def absolute(address: str, base: str) -> str:
    """The full http(s) URL of an address on a page; empty when it is anything else."""
    try:
        url = urldefrag(urljoin(base, address.strip()))[0] if address and len(address) <= 2000 else ""
        return url if urlsplit(url).scheme in ("http", "https") and urlsplit(url).hostname else ""
    except ValueError:
        return ""


def _language(value: object) -> str:
    if isinstance(value, list):
        value = next(iter(value), None)
    if isinstance(value, Mapping):
        value = value.get("alternateName")
    return value if isinstance(value, str) and len(value) <= 35 and LANGUAGE.fullmatch(value) else ""


def _page_licence(root: Selector, base: str) -> str:
    stated = root.xpath("string((//a[contains(@rel, 'license')] | //link[@rel='license'])[1]/@href)").get()
    return absolute(stated or "", base)


def _licensed(link: FoundLink, stated: str) -> FoundLink:
    """A link that names no licence has the one that the page states for its film."""
    if link.licence or link.licence_url or not licence_of(stated):
        return link
    return replace(link, licence=licence_of(stated), licence_url=stated)


def _once(links: Iterable[FoundLink]) -> list[FoundLink]:
    """Each URL once, and what one mention leaves open filled in from the others."""
    merged: dict[str, FoundLink] = {}
    for link in links:
        if link.url in merged:
            first = merged[link.url]
            names = ("label", "quality", "language", "licence", "licence_url")
            merged[link.url] = replace(first, **{name: getattr(first, name) or getattr(link, name) for name in names})
        elif len(merged) < MOST_LINKS:
            merged[link.url] = link
    return list(merged.values())
