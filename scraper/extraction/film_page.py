"""Extract the film of a web page and where to watch it, from schema.org data and from markup. Pure.

Pages may be hostile: every regular expression is linear, every walk is limited, broken data is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain, islice
from urllib.parse import urljoin, urlsplit

from parsel import Selector

from scraper.extraction.access import count_offers, is_free_now, is_open_action
from scraper.extraction.film import NO_LICENCE, ExtractedFilm, ExtractedLink, deduplicate, licence_from_url
from scraper.extraction.html_page import find_elements, parse_html
from scraper.extraction.json_ld import (
    Node,
    as_list,
    as_nodes,
    has_type,
    iter_nodes,
    node_types,
    read_json_ld,
    read_texts,
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
from scraper.extraction.page_titles import without_site_name
from scraper.net.url_policy import escape_url

FILM_TYPES = {"Movie": "movie", "TVSeries": "show", "TVSeason": "show", "TVEpisode": "show"}
OTHER_WORK_TYPES = frozenset(
    (
        *("VideoGame", "VideoGameSeries", "Game", "SoftwareApplication", "MobileApplication", "Book", "Audiobook"),
        *("MusicAlbum", "MusicRecording", "PodcastSeries", "PodcastEpisode", "RadioSeries", "RadioEpisode"),
    )
)
"""Works whose page may have a video and even an IMDb id, and yet is no film."""
OFFER_TYPES = frozenset({"WatchAction", "ViewAction"})
EPISODE_TYPES = frozenset({"TVEpisode", "Episode"})
# The values of these keys are about something else: a trailer is not the film, a view counter is no link.
UNRELATED_KEYS = frozenset(
    ("trailer", "image", "thumbnail", "review", "interactionStatistic", "potentialAction", "isPartOf", "partOfSeries")
)
PART_KEYS = ("hasPart", "episode", "episodes", "containsSeason", "season", "itemListElement", "item")
VIDEO_URLS = ("contentUrl", "embedUrl")
SITE_TYPES = frozenset({"WebSite", "Organization"})
LICENCE_LINK = "string((//*[self::a[contains(@rel, 'license')] or self::link[@rel='license']])[1]/@href)"
TRAILER = re.compile(r"\b(?:trailer|teaser)\b", re.IGNORECASE)
PLAYER_PATH_PREFIXES = ("/videos/embed/",)
PLAYER_PATH_BY_HOST = {"archive.org": "/embed/", "www.youtube-nocookie.com": "/embed/", "player.vimeo.com": "/video/"}
BEFORE_QUERY = re.compile(r"[^?#]*")
LINE_ENDS = str.maketrans("", "", "\t\r\n")
MAX_EPISODES, MAX_TARGETS, MAX_FILMS, MAX_PROPERTIES = 500, 100, 20, 20
MAX_URL_LENGTH = 2000
MAX_LINKS_PER_PAGE = 500
MAX_STEPS = 20_000
"""Values that are read of the offers of a page: each limit alone would multiply with the others, since a page may
refer to one action a thousand times."""


@dataclass(slots=True)
class Budget:
    """How much more of a page's offers is read."""

    steps: int = MAX_STEPS

    def spend(self, steps: int = 1) -> bool:
        """Take steps from the budget; False if it is exhausted."""
        self.steps -= steps
        return self.steps >= 0


@dataclass(frozen=True, slots=True)
class ParsedPage:
    """A page while it is read: its markup, its own URL, the base of its relative URLs, and its nodes.

    `nodes_by_id` has the nodes that others may refer to by `@id`, which is relative to the page. `now` is the time
    against which offers are compared; `unreadable` is the number of blocks of data that cannot be read.
    """

    root: Selector
    url: str
    base: str
    nodes: tuple[Node, ...]
    nodes_by_id: Mapping[str, Node]
    now: datetime
    unreadable: int = 0
    budget: Budget = field(default_factory=Budget)

    def resolve(self, node: Node) -> Node:
        """Return the node that a reference `{"@id": …}` is about, empty for an unknown one; else the node itself."""
        return self.nodes_by_id.get(_absolute_id(node, self.base), {}) if set(node) == {"@id"} else node

    def resolve_each(self, value: object) -> Iterator[Node]:
        """Return the nodes of a property, at most MAX_TARGETS and each `@id` once, as far as the budget goes."""
        seen = set[str]()
        for node in as_nodes(value, maximum=MAX_TARGETS):
            reference = as_text(node["@id"], max_length=MAX_URL_LENGTH) if set(node) == {"@id"} else ""
            if not self.budget.spend():
                return
            if reference not in seen:
                yield self.resolve(node)
            seen.update({reference} - {""})

    def absolute(self, value: object) -> str:
        """Return the absolute http(s) URL; empty for anything else, and for a template with gaps."""
        stated = as_text(value.translate(LINE_ENDS) if isinstance(value, str) else value, max_length=MAX_URL_LENGTH)
        return "" if "{" in stated else absolute_url(stated, self.base)

    def absolute_urls(self, value: object) -> list[str]:
        """Return the absolute URLs among the texts of a value."""
        return [url for stated in as_url_texts(value) if (url := self.absolute(stated))]

    @property
    def own_url(self) -> str:
        """The page's own URL, in the spelling of `absolute`."""
        return absolute_url(self.url, self.url)


def extract_film(html: str, *, url: str, wanted: str = "", now: datetime | None = None) -> ExtractedFilm:
    """Return the film that the page at `url` is about; if it names several, the `wanted` one (an IMDb id).

    Links that are not free or not available at `now` (None: the current time) are left out. The problem is
    `several_films` if the wanted one is not among several, `not_a_film` for the page of another work, such as a game,
    and `unreadable_data` if no link was found and a block of data could not be read.
    """
    page = _parse_page(html, url, now=now or datetime.now(UTC))
    film = _extract_film(page, wanted=wanted)
    return replace(film, problem="unreadable_data") if page.unreadable and not film.links else film


def _extract_film(page: ParsedPage, *, wanted: str) -> ExtractedFilm:
    films = [node for node in page.nodes if film_type(node) and not has_type(node, EPISODE_TYPES)]
    films = films or [node for node in page.nodes if film_type(node)]
    if len({imdb_id for node in films if (imdb_id := _imdb_id(node))}) > 1:
        matching = [node for node in films if _imdb_id(node) == wanted]
        if not matching:
            return ExtractedFilm(problem="several_films")
        return _film_from_node(page, matching[0], links=islice(_watch_links(page, matching), MAX_LINKS_PER_PAGE))
    if not films and any(has_type(node, OTHER_WORK_TYPES) for node in page.nodes):
        return ExtractedFilm(problem="not_a_film")
    return _film_from_node(page, films[0] if films else {}, links=_all_links(page, films))


def _all_links(page: ParsedPage, films: Sequence[Node]) -> list[ExtractedLink]:
    """Return the links of a page about one film, without those that it calls not free or not available now."""
    described = [*films, *_described_videos(page)]
    if described and not any(is_free_now(node, now=page.now) for node in described):
        return []
    closed = [node for node in _described_videos(page) if not is_free_now(node, now=page.now)]
    refused = {url for node in closed for name in VIDEO_URLS for url in page.absolute_urls(node.get(name))}
    links = chain(_watch_links(page, films), _video_links(page), _markup_links(page))
    return list(islice((link for link in links if link.url not in refused), MAX_LINKS_PER_PAGE))


def film_type(node: Node) -> str:
    """Return `movie` or `show` for a node that is a film; empty for any other."""
    types = node_types(node)
    return next((FILM_TYPES[name] for name in FILM_TYPES if name in types), "")


def absolute_url(url: str, base: str) -> str:
    """Return the absolute http(s) URL of a link on a page, as browsers request it; empty for anything else.

    A fragment stays only if it is a route, such as `#!/watch/1`.
    """
    try:
        absolute = escape_url(urljoin(base, _as_browsers_read(url))) if url and len(url) <= MAX_URL_LENGTH else ""
        return absolute if urlsplit(absolute).scheme in ("http", "https") and urlsplit(absolute).hostname else ""
    except ValueError:
        return ""


def _as_browsers_read(url: str) -> str:
    """Return a stated URL without line ends and tabs, with slashes for the backslashes before its query."""
    return BEFORE_QUERY.sub(lambda path: path[0].replace("\\", "/"), url.strip().translate(LINE_ENDS), count=1)


def _parse_page(html: str, url: str, *, now: datetime) -> ParsedPage:
    root = parse_html(html)
    without_base = ParsedPage(root, url, url, (), {}, now)
    base = without_base.absolute(root.xpath("string((//base/@href)[1])").get()) or url
    data = read_json_ld(root)
    # What is inside a film that is not free is not free either.
    nodes = tuple(iter_nodes(data.documents, skip=UNRELATED_KEYS, is_leaf=lambda node: not is_free_now(node, now=now)))
    identified = (node for node in iter_nodes(data.documents) if isinstance(node.get("@id"), str) and len(node) > 1)
    nodes_by_id = {_absolute_id(node, base): node for node in identified}
    return ParsedPage(root, url, base, nodes, nodes_by_id, now, data.unreadable)


def _absolute_id(node: Node, base: str) -> str:
    stated = as_text(node.get("@id"), max_length=MAX_URL_LENGTH)
    try:
        return urljoin(base, stated)
    except ValueError:
        return stated


def _film_from_node(page: ParsedPage, node: Node, *, links: Iterable[ExtractedLink]) -> ExtractedFilm:
    video = next(_videos(page), {})
    described = node or video
    dates = ("datePublished", "dateCreated", "startDate")
    synopses = _synopses(page, described)
    licence_url = as_text(described.get("license"), max_length=MAX_URL_LENGTH) or _markup_licence_url(page)
    open_graph_type = page.root.xpath("//meta[@property='og:type']/@content").get() or ""
    return ExtractedFilm(
        imdb_id=_imdb_id(node) or _linked_imdb_id(page.root),
        title=as_text(node.get("name")) or _title(page, video),
        year=next((year for name in dates if (year := parse_year(node.get(name)))), None),
        type=film_type(node) or ("show" if open_graph_type.startswith("video.tv") else "movie"),
        language=_language(described),
        synopsis=next((text for _, text in synopses), ""),
        synopses=tuple((language, text) for language, text in synopses if language),
        page=page.url,
        licence=licence_from_url(licence_url) or NO_LICENCE,
        links=tuple(deduplicate(links)),
    )


def _synopses(page: ParsedPage, node: Node) -> list[tuple[str, str]]:
    """The descriptions of a film with their languages: as stated with each, else the one that the page is in."""
    of_page = normalize_language_tag(page.root.xpath("string(/html/@lang)").get())
    return [
        (normalize_language_tag(language) or of_page, text)
        for language, stated in read_texts(node.get("description"))
        if (text := html_to_text(stated))
    ]


def _language(node: Node) -> str:
    return normalize_language_tag(as_text(node.get("inLanguage")))


def _markup_licence_url(page: ParsedPage) -> str:
    stated = page.root.xpath(LICENCE_LINK).get()
    return absolute_url(stated or "", page.base)


def _title(page: ParsedPage, video: Node) -> str:
    declared = page.root.xpath("string((//meta[@property='og:title'])[1]/@content)").get()
    title = as_text(declared) or as_text(video.get("name")) or as_text(page.root.xpath("string((//title)[1])").get())
    return without_site_name(title, names=_site_names(page), host=urlsplit(page.url).hostname or "")


def _site_names(page: ParsedPage) -> list[str]:
    declared = find_elements(page.root, "//meta[@property='og:site_name' or @name='application-name']/@content")
    stated = (as_text(node.get("name")) for node in page.nodes if has_type(node, SITE_TYPES))
    return [*(name.get() for name in declared[:10]), *stated]


def _imdb_id(node: Node) -> str:
    """Return the one IMDb id that a node states; empty for none and for several."""
    stated = [text for name in ("sameAs", "url", "@id") for text in as_texts(node.get(name))]
    for identifier in as_list(node.get("identifier")):
        stated += as_texts(identifier.get("value") if isinstance(identifier, Mapping) else identifier)
    return _only({imdb_id for text in stated if (imdb_id := find_imdb_id(text))})


def _linked_imdb_id(root: Selector) -> str:
    """Return the one film to which the page's links to IMDb lead; empty for none and for several."""
    links = find_elements(root, "//a[contains(translate(@href, 'IMDBCO', 'imdbco'), 'imdb.com/')]/@href")
    urls = [link.get() for link in links]
    return _only({imdb_id for url in urls if (imdb_id := find_imdb_id(url[:MAX_URL_LENGTH]))})


def _only(values: set[str]) -> str:
    return values.pop() if len(values) == 1 else ""


# --- schema.org data


def _watch_links(page: ParsedPage, films: Sequence[Node]) -> Iterator[ExtractedLink]:
    for film in [film for film in films[:MAX_FILMS] if is_free_now(film, now=page.now)]:
        language = _language(film)
        offers = [link for action in _watch_actions(page, film) for link in _targets(page, action, language=language)]
        yield from offers
        for episode in () if has_type(film, EPISODE_TYPES) else _episodes(film):
            yield from _episode_links(page, episode, language=language, is_offered=bool(offers))


def _watch_actions(page: ParsedPage, node: Node) -> Iterator[Node]:
    """Return the offers to watch it that are free and have a target; without a target somebody else has watched it."""
    for action in page.resolve_each(node.get("potentialAction")):
        if not has_type(action, OFFER_TYPES) or not action.get("target"):
            continue
        ways = list(page.resolve_each(action.get("actionAccessibilityRequirement")))
        if not page.budget.spend(sum(map(count_offers, ways))):
            return
        if is_open_action({**action, "actionAccessibilityRequirement": ways}, now=page.now):
            yield action


def _targets(page: ParsedPage, action: Node, *, language: str) -> Iterator[ExtractedLink]:
    for point in _entry_points(page, action.get("target")):
        properties = as_nodes(point.get("additionalProperty"), maximum=MAX_PROPERTIES)
        details = {as_text(one.get("name")): one.get("value") for one in properties}
        for stated in as_url_texts(point.get("urlTemplate")) or as_url_texts(point.get("url")):
            if not page.budget.spend():
                return
            if url := page.absolute(stated):
                own_language = parse_language(details.get("contentLanguage")) or _language(point)
                yield ExtractedLink(
                    url=url,
                    kind=link_kind(url) or "page",
                    quality=quality_from_label(as_text(details.get("videoFormat"))),
                    language=own_language or _language(action) or language,
                )


def _entry_points(page: ParsedPage, targets: object) -> Iterator[Node]:
    """Return the targets of an action as nodes; those that are plain URLs come last."""
    yield from page.resolve_each(targets)
    yield {"urlTemplate": [target for target in as_list(targets, maximum=MAX_TARGETS) if isinstance(target, str)]}


def _episodes(film: Node) -> Iterator[Node]:
    """Return the episodes of a show, in order, each with the number of the season that it is listed in."""
    remaining = [film.get(name) for name in PART_KEYS][::-1]
    for _ in range(MAX_EPISODES * 4):
        if not remaining:
            return
        value = remaining.pop()
        if isinstance(value, list):
            remaining.extend(value[:MAX_EPISODES][::-1])
        elif isinstance(value, Mapping):
            if has_type(value, EPISODE_TYPES):
                yield value
            season = {"partOfSeason": {"seasonNumber": value.get("seasonNumber")}} if value.get("seasonNumber") else {}
            parts = [value.get(name) for name in PART_KEYS if value.get(name)]
            remaining.extend(_with_season(part, season) for part in parts[::-1])


def _with_season(value: object, season: Mapping[str, object]) -> object:
    """Return the parts of a season with its number added to each."""
    if not season:
        return value
    parts = as_list(value, maximum=MAX_EPISODES)
    return [{**season, **part} if isinstance(part, Mapping) else part for part in parts]


def _episode_links(page: ParsedPage, episode: Node, *, language: str, is_offered: bool) -> Iterator[ExtractedLink]:
    """Return an episode's own offers; its page if it has none and the whole show is offered."""
    links = [link for action in _watch_actions(page, episode) for link in _targets(page, action, language=language)]
    url = page.absolute(episode.get("url"))
    if not links and is_offered and url:
        links = [ExtractedLink(url=url, language=_language(episode) or language)]
    season = as_int(as_mapping(episode.get("partOfSeason")).get("seasonNumber"))
    for link in links:
        label = as_text(episode.get("name"), max_length=180)
        yield replace(link, season=season, episode=as_int(episode.get("episodeNumber")), label=label)


def _videos(page: ParsedPage) -> Iterator[Node]:
    return (node for node in _described_videos(page) if is_free_now(node, now=page.now))


def _described_videos(page: ParsedPage) -> Iterator[Node]:
    for node in page.nodes:
        if has_type(node, ("VideoObject",)) and not TRAILER.search(as_text(node.get("name"))):
            yield node


def _video_links(page: ParsedPage) -> Iterator[ExtractedLink]:
    for node in _videos(page):
        files = page.absolute_urls(node.get("contentUrl"))
        # One size cannot describe several files.
        width, height = (_pixels(node.get(name)) if len(files) == 1 else None for name in ("width", "height"))
        for url in files:
            kind = link_kind(url, media_type=as_text(node.get("encodingFormat")))
            # Some sites name the page itself here.
            if kind or url != page.own_url:
                yield _video_link(url, kind or "page", node, width=width, height=height)
        for url in page.absolute_urls(node.get("embedUrl")):
            yield _video_link(url, "embed", node)


def _video_link(
    url: str, kind: str, node: Node, *, width: int | None = None, height: int | None = None
) -> ExtractedLink:
    return ExtractedLink(
        url=url,
        kind=kind,
        quality=quality_from_label(as_text(node.get("videoQuality"))) or quality_from_size(width, height),
        language=_language(node),
        licence=licence_from_url(as_text(node.get("license"), max_length=MAX_URL_LENGTH)),
    )


def _pixels(value: object) -> int | None:
    return as_int(value.get("value") if isinstance(value, Mapping) else as_text(value).removesuffix("px"))


# --- markup


def _markup_links(page: ParsedPage) -> Iterator[ExtractedLink]:
    yield from _microdata(page)
    yield from _cards(page)
    yield from _players(page)
    for element in find_elements(page.root, "//a[@href]"):
        url = page.absolute(element.attrib.get("href"))
        if _path(url).endswith(FILE_EXTENSIONS + STREAM_EXTENSIONS):
            yield ExtractedLink(
                url=url, kind=link_kind(url), language=normalize_language_tag(element.attrib.get("hreflang"))
            )
    for element in find_elements(page.root, "//iframe[@src]"):
        if _is_player(url := page.absolute(element.attrib.get("src"))):
            yield ExtractedLink(url=url, kind="embed")


def _microdata(page: ParsedPage) -> Iterator[ExtractedLink]:
    for element in find_elements(page.root, "//*[@itemprop='contentUrl' or @itemprop='embedUrl']"):
        if element.xpath("ancestor-or-self::*[@itemprop='trailer']"):
            continue
        attributes = element.attrib
        url = page.absolute(attributes.get("content") or attributes.get("href") or attributes.get("src"))
        kind = (
            "embed" if attributes["itemprop"] == "embedUrl" else link_kind(url, media_type=attributes.get("type", ""))
        )
        if url and (kind or url != page.own_url):
            yield ExtractedLink(url=url, kind=kind or "page")


def _cards(page: ParsedPage) -> Iterator[ExtractedLink]:
    """Return the videos of Open Graph and Twitter cards. A type or size belongs to the video before it."""
    videos: list[dict[str, str]] = []
    players = []
    for element in find_elements(page.root, "//meta[@content]"):
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
    return ExtractedLink(url=url, kind=kind, quality=quality)


PLAYED = "//*[self::video or self::source[ancestor::video]][@src][not(ancestor::template)]"
"""What a page plays; in a template is what only a program may put there."""


def _players(page: ParsedPage) -> Iterator[ExtractedLink]:
    for element in find_elements(page.root, PLAYED):
        attributes = element.attrib
        url = page.absolute(attributes.get("src"))
        if url:
            size = next((attributes[name] for name in ("label", "res", "size", "title") if attributes.get(name)), "")
            media_type = attributes.get("type", "")
            quality = quality_from_label(size) or quality_from_label(f"{size}p" if size.isdecimal() else "")
            yield ExtractedLink(url=url, kind=link_kind(url, media_type=media_type) or "file", quality=quality)


def _is_player(url: str) -> bool:
    host, path = urlsplit(url).hostname or "", urlsplit(url).path
    return path.startswith(PLAYER_PATH_PREFIXES) or (
        host in PLAYER_PATH_BY_HOST and path.startswith(PLAYER_PATH_BY_HOST[host])
    )


def _path(url: str) -> str:
    return urlsplit(url).path.lower()
