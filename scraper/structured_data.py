"""Watch links out of a web page: schema.org data (JSON-LD) and plain links, videos and players. Pure.

Hostile pages are expected: every expression here is linear, every walk is bounded, broken data is passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from parsel import Selector

from scraper.films import UNKNOWN, Film, FoundLink, Licence, once, plausible
from scraper.formats import FILE_ENDINGS, STREAM_ENDINGS, kind_of
from scraper.languages import tag_of
from scraper.licences import licence_of_url
from scraper.reading import addresses, imdb_id, mapping, text, texts, year_of

HEIGHTS = (2160, 1440, 1080, 720, 576, 480, 360, 240)
FILM_TYPES = {"Movie": "movie", "TVSeries": "show", "TVSeason": "show", "TVEpisode": "show"}
WATCH_SEGMENTS = frozenset({"watch", "play", "player", "embed"})
WATCHABLE = "//a[@href] | //video[@src] | //source[@src] | //iframe[@src]"
WATCH_WORDS = ("watch", "play", "stream")
MOST_LINKS, MOST_ELEMENTS, MOST_NODES, MOST_SCRIPTS = 500, 2_000, 20_000, 50
LONGEST_SCRIPT, LONGEST_LABEL = 1_000_000, 200
QUALITY = re.compile(r"(?<![0-9])(2160|1440|1080|720|576|480|360|240)[pP](?![a-zA-Z0-9])")
COMMENT_LINE = re.compile(r"^[ \t]{0,100}//[^\n]*$", re.MULTILINE)
TRAILING_COMMA = re.compile(r",(?=\s{0,50}[\]}])")


@dataclass(frozen=True, slots=True)
class FilmPage:
    """What was found on a page: its film (None: it names none) and the links, each URL once, best described first."""

    film: Film | None
    links: tuple[FoundLink, ...]


def read_page(html: str, *, url: str) -> FilmPage:
    """Everything that a page at `url` says about its film and where to watch it."""
    root = Selector(text=html or "<html/>", type="html")
    base = absolute(root.xpath("string((//base/@href)[1])").get() or "", url) or url
    nodes = list(nodes_of(documents(root)))
    film = _film(nodes)
    stated = (film.licence if film and film.licence.slug else None) or licence_at(page_licence(root, base))
    links = once([*_structured_links(nodes, base), *_plain_links(root, base)])[:MOST_LINKS]
    own = urldefrag(url)[0]
    # A link that names no licence has the one that the page states for its film.
    return FilmPage(film, tuple(replace(one, licence=one.licence or stated) for one in links if one.url != own))


def licence_at(url: str) -> Licence | None:
    """The Creative Commons licence that an address is about; None for any other address."""
    slug = licence_of_url(url)
    return Licence(slug=slug, url=url) if slug else None


def page_licence(root: Selector, base: str) -> str:
    """The address that the markup of a page calls its licence; empty when there is none."""
    stated = root.xpath("string((//a[contains(@rel, 'license')] | //link[@rel='license'])[1]/@href)").get()
    return absolute(stated or "", base)


def quality_of(value: object) -> str:
    """`720p` out of `720p`, `Watch in 720p`, 720, "720" or a schema.org quantity; empty when it is none we know."""
    if isinstance(value, Mapping):
        value = value.get("value")
    said = str(value)[:LONGEST_LABEL] if isinstance(value, str | int | float) else ""
    if found := QUALITY.search(said):
        return f"{found[1]}p"
    digits = said.removesuffix("px").strip()
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
    for script in scripts.getall()[:MOST_SCRIPTS]:
        if len(script) <= LONGEST_SCRIPT:
            yield from _parsed(script)


def _parsed(script: str) -> Iterator[object]:
    bare = script.strip().removeprefix("<!--").removesuffix("-->").removeprefix("//<![CDATA[").removesuffix("//]]>")
    bare = bare.strip().rstrip(";")
    for attempt in (bare, COMMENT_LINE.sub("", bare), TRAILING_COMMA.sub("", COMMENT_LINE.sub("", bare))):
        try:
            yield json.loads(attempt, strict=False, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            continue
        return


def nodes_of(documents: Iterable[object], *, but: Collection[str] = ()) -> Iterator[Mapping[str, Any]]:
    """Every object of the documents, outer ones first, however deeply lists, @graph and nesting hide it, `but` what
    stands under these keys."""
    waiting = list(documents)[::-1]
    for _ in range(MOST_NODES):
        if not waiting:
            return
        value = waiting.pop()
        if isinstance(value, Mapping):
            yield value
            waiting.extend([held for key, held in value.items() if key not in but][::-1])
        elif isinstance(value, list):
            waiting.extend(value[::-1])


def types_of(node: Mapping[str, Any]) -> list[str]:
    """The types of an object, bare of their vocabulary's address."""
    return [name.rsplit("/", 1)[-1].rsplit(":", 1)[-1] for name in texts(node.get("@type"))]


def _film(nodes: Iterable[Mapping[str, Any]]) -> Film | None:
    for node in nodes:
        for name in types_of(node):
            if name in FILM_TYPES:
                return _described(node, FILM_TYPES[name])
    return None


def _described(node: Mapping[str, Any], kind: str) -> Film:
    named = [one for name in ("sameAs", "@id", "url") for one in texts(node.get(name))]
    publisher = mapping(node.get("publisher"))
    return Film(
        imdb_id=next((found for one in named if (found := imdb_id(one[:2000]))), ""),
        title=text(node.get("name"), longest=LONGEST_LABEL),
        year=plausible(year_of(node.get("datePublished") or node.get("dateCreated") or node.get("startDate"))),
        type=kind,
        synopsis=text(node.get("description"), longest=4000),
        publisher=host_in(text(publisher.get("url"), longest=2000)),
        licence=licence_at(text(node.get("license"), longest=2000)) or UNKNOWN,
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
        for address in addresses(point.get("urlTemplate")) or addresses(point.get("url")):
            # A template with a gap to fill is no address of a film.
            if "{" not in address and (url := absolute(address, base)):
                about = {**node, **point}
                yield _link(url, about, kind=_kind_of(url, text(about.get("encodingFormat"))))


def _video_links(node: Mapping[str, Any], base: str) -> Iterator[FoundLink]:
    for address in addresses(node.get("contentUrl")):
        if url := absolute(address, base):
            yield _link(url, node, kind=_kind_of(url, text(node.get("encodingFormat"))))
    for address in addresses(node.get("embedUrl")):
        if url := absolute(address, base):
            yield _link(url, node, kind="embed")


def _link(url: str, node: Mapping[str, Any], *, kind: str) -> FoundLink:
    label = text(node.get("name"), longest=LONGEST_LABEL)
    stated = (quality_of(node.get(name)) for name in ("videoQuality", "height"))
    return FoundLink(
        url=url,
        kind=kind,
        label=label,
        quality=next(filter(None, stated), "") or quality_of(label),
        language=_language(node.get("inLanguage")),
        licence=licence_at(text(node.get("license"), longest=2000)),
    )


def _plain_links(root: Selector, base: str) -> Iterator[FoundLink]:
    for element in root.xpath(WATCHABLE)[:MOST_ELEMENTS]:
        marks = element.attrib
        tag = str(element.root.tag)
        url = absolute(marks.get("href") or marks.get("src") or "", base)
        label = text(_inner_text(element) if tag == "a" else marks.get("title"), longest=LONGEST_LABEL)
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
    stated = kind_of(url, media_type=media_type)
    return stated or ("embed" if "embed" in urlsplit(url).path.lower().split("/") else "page")


def absolute(address: str, base: str) -> str:
    """The full http(s) URL of an address on a page; empty when it is anything else."""
    try:
        url = urldefrag(urljoin(base, address.strip()))[0] if address and len(address) <= 2000 else ""
        return url if urlsplit(url).scheme in ("http", "https") and urlsplit(url).hostname else ""
    except ValueError:
        return ""


def _language(value: object) -> str:
    first = next(iter(value), None) if isinstance(value, list) else value
    return tag_of(first.get("alternateName") if isinstance(first, Mapping) else first)
