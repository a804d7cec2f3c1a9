"""All real sources on one loopback server, each under its own path, answering in the shapes that they really send.

Wikidata's two interfaces and Commons have hosts of their own, as in the world: what one host asks for, such as to be
left alone, is not the others' word.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.helpers.http_servers import Handler, Page, serving

ENTITY = "http://www.wikidata.org/entity/"
PICTURES = "http://commons.wikimedia.org/wiki/Special:FilePath/"
PUBLIC_DOMAIN_MARK = "http://creativecommons.org/publicdomain/mark/1.0/"
BY_3 = "https://creativecommons.org/licenses/by/3.0/"
FORMATTERS = {"P724": "https://archive.org/details/$1", "P1874": "https://www.netflix.com/title/$1"}
Query = Mapping[str, str]
Answer = Callable[["SourceWeb", str, Query], Page]


@dataclass(frozen=True)
class FakeFilm:
    """What the sources hold of one film."""

    imdb_id: str
    item: str
    title: str
    year: int
    archive_named: tuple[str, ...] = ()
    """Items at the archive that name the IMDb id themselves."""
    archive_noted: tuple[str, ...] = ()
    """Items that only Wikidata knows."""
    commons: tuple[str, ...] = ()
    works: tuple[str, ...] = ()
    """Addresses of the full work; a leading `/` is this server."""
    is_public: bool = True
    licence: str = ""
    statements: tuple[tuple[str, str, str], ...] = ()
    kind: str = "Q11424"
    """What it is an instance of."""


FILMS = {
    film.imdb_id: film
    for film in (
        FakeFilm(
            "tt0063350",
            "Q623051",
            "Night of the Living Dead",
            1968,
            archive_named=("living.dead_1080p",),
            archive_noted=("living.dead_1080p", "living_dead_512"),
            commons=("Night of the Living Dead (1968).webm",),
            works=("/films/living-dead",),
            statements=(("P1651", "aaaaaaaaaaa", "Q622550"), ("P1874", "1", "")),
        ),
        FakeFilm(
            "tt1254207",
            "Q282456",
            "Big Buck Bunny",
            2008,
            archive_noted=("BigBuckBunny_124",),
            commons=("Big Buck Bunny 4K.webm",),
            works=("/videos/watch/bunny",),
            is_public=False,
            licence=BY_3,
        ),
        FakeFilm(
            "tt0013442",
            "Q151895",
            "Nosferatu",
            1922,
            archive_noted=("Nosferatu_1922",),
            commons=("Nosferatu.webm",),
        ),
        FakeFilm(
            "tt0017925",
            "Q850159",
            "The General",
            1926,
            archive_noted=("The_General",),
            works=("/library/item/00694220/", "/films/general"),
        ),
        FakeFilm(
            "tt0015324",
            "Q1569918",
            "Sherlock Jr.",
            1924,
            archive_named=("sherlockjr1924",),
            commons=("Sherlock Jr (1924).webm",),
            statements=(("P1651", "ccccccccccc", "Q89347362"),),
        ),
    )
}  # fmt: skip


class SourceWeb(ThreadingHTTPServer):
    """`faults` put another answer in the place of a path's (its beginning counts, the longest one wins). `films` is how
    long the table of films is; `pages` are the keys after which its pages were given. `items`, `files` and `videos` are
    what the archive, Commons and PeerTube hold beside the films; every page for people answers well, as theirs do.
    `oembed` is what the oEmbed services answer, by the address of the video; `titles` are titles that only Wikidata
    knows."""

    daemon_threads = True
    block_on_close = False
    # On a busy machine the usual five overflow, and who asked waits a second for nothing.
    request_queue_size = 100

    def __init__(self) -> None:
        self.faults: dict[str, Page] = {}
        self.films, self.hold_after = 730, ""
        self.pages: list[str] = []
        self.items: dict[str, dict[str, Any]] = {}
        self.files: set[str] = set()
        self.videos: set[str] = set()
        self.oembed: dict[str, Page] = {}
        self.titles: list[FakeFilm] = []
        self.hits: Counter[str] = Counter()
        self.moments: dict[str, list[float]] = {}
        self.queries: list[tuple[str, dict[str, str]]] = []
        self.agents: set[str | None] = set()
        self.over = threading.Event()
        super().__init__(("127.0.0.1", 0), SourceHandler)
        self.hosts = [SourceHost(self, f"127.0.0.{number}") for number in (2, 3, 4)]

    @property
    def web(self) -> SourceWeb:
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def settings(self) -> dict[str, Any]:
        """What the settings have to say for the sources to be found here."""
        query_service, wikidata, commons = (host.url for host in self.hosts)
        return {
            "WIKIDATA_SPARQL_URL": f"{query_service}/sparql",
            "WIKIDATA_API_URL": f"{wikidata}/wikidata/api.php",
            "INTERNET_ARCHIVE_URL": f"{self.url}/archive",
            "COMMONS_API_URL": f"{commons}/commons/api.php",
            "LIBRARY_OF_CONGRESS_URL": f"{self.url}/library",
            "PEERTUBE_URLS": [self.url],
            "YOUTUBE_OEMBED_URL": f"{self.url}/youtube/oembed",
            "VIMEO_OEMBED_URL": f"{self.url}/vimeo/api/oembed.json",
            "DAILYMOTION_OEMBED_URL": f"{self.url}/dailymotion/services/oembed",
        }

    def answer(self, path: str, query: Query) -> Page:
        for beginning in sorted(self.faults, key=len, reverse=True):
            if path.startswith(beginning):
                return self.faults[beginning]
        for beginning, answer in ANSWERS:
            if path.startswith(beginning):
                return answer(self, path, query)
        return Page("no such page", status=404)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Visitors of these tests hang up as they like."""


class SourceHost(ThreadingHTTPServer):
    """The same sources at another host."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, web: SourceWeb, host: str) -> None:
        self.web, self.over = web, web.over
        super().__init__((host, 0), SourceHandler)

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]}:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """As at the other."""


class SourceHandler(Handler):
    server: SourceWeb | SourceHost

    def requested_page(self) -> Page:
        web = self.server.web
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        source = parts.path.split("/")[1]
        web.hits[parts.path] += 1
        web.moments.setdefault(source, []).append(time.monotonic())
        web.queries.append((parts.path, query))
        web.agents.add(self.headers.get("User-Agent"))
        return web.answer(parts.path, query)


@contextmanager
def source_web() -> Iterator[SourceWeb]:
    """The sources, all well; faults are put in by hand: `web.faults["/sparql"] = Page(status=503)`."""
    with ExitStack() as open_endpoints:
        web = open_endpoints.enter_context(serving(SourceWeb()))
        for host in web.hosts:
            open_endpoints.enter_context(serving(host))
        yield web


def data(value: object, *, status: int = 200) -> Page:
    return Page(json.dumps(value), status=status, content_type="application/json")


# --- Wikidata


def sparql(web: SourceWeb, path: str, query: Query) -> Page:
    asked = query.get("query", "")
    if "GROUP_CONCAT" in asked:
        return films_page(web, asked)
    ids, properties = re.findall(r'"(tt[0-9]{7,9})"', asked), re.findall(r"wd:(P[0-9]+)", asked)
    if not ids or not properties or "SELECT" not in asked or asked.count("{") != asked.count("}"):
        return Page("malformed query", status=400, content_type="text/plain")
    rows = [row for one in ids if one in FILMS for row in statement_rows(FILMS[one], web.url)]
    kept = [row for row in rows if row["prop"]["value"].rsplit("/", 1)[-1] in properties]
    return data({"head": {"vars": []}, "results": {"bindings": kept}})


def films_page(web: SourceWeb, asked: str) -> Page:
    """The next films of the table, as many as the query asks for."""
    after, limit = re.search(r'\?imdb > "(tt[0-9]*)"', asked), re.search(r"LIMIT ([0-9]+)", asked)
    if after is None or limit is None or asked.count("{") != asked.count("}"):
        return Page("malformed query", status=400, content_type="text/plain")
    numbers = [number for number in range(web.films) if f"tt{1_000_000 + number}" > after[1]][: int(limit[1])]
    if after[1] == web.hold_after:
        return Page(raw_handler=lambda handler: handler.server.over.wait(5))
    web.pages.append(after[1])
    return data({"results": {"bindings": [table_row(number) for number in numbers]}})


def table_row(number: int) -> dict[str, Any]:
    row = {"item": f"{ENTITY}Q{number}", "imdb": f"tt{1_000_000 + number}", "title": f"Film {number}", "year": "1925"}
    row |= {"archive_ids": f"film_{number}|", "commons_files": "", "copyright_status": f"{ENTITY}Q19652"}
    row |= {"poster": f"{PICTURES}Film%20{number}.jpg"} if number % 2 else {"image": f"{PICTURES}Still%20{number}.png"}
    return {name: {"type": "literal", "value": cell} for name, cell in row.items()}


def statements(film: FakeFilm, url: str) -> list[tuple[str, str, str]]:
    return [
        *(("P724", item, "") for item in film.archive_noted),
        *(("P10", name, "") for name in film.commons),
        *(("P953", f"{url}{work}" if work.startswith("/") else work, "") for work in film.works),
        *film.statements,
    ]


def statement_rows(film: FakeFilm, url: str) -> Iterator[dict[str, Any]]:
    for prop, value, role in statements(film, url):
        stated = f"http://commons.wikimedia.org/wiki/Special:FilePath/{value}" if prop == "P10" else value
        row = {"imdb": film.imdb_id, "item": f"{ENTITY}{film.item}", "itemLabel": film.title, "value": stated}
        row |= {"prop": f"{ENTITY}{prop}", "propLabel": f"{prop} ID"}
        row |= {"formatter": FORMATTERS[prop]} if prop in FORMATTERS else {}
        row |= {"formatter": "https://www.youtube.com/watch?v=$1"} if prop == "P1651" else {}
        row |= {"role": f"{ENTITY}{role}"} if role else {}
        row |= {"status": f"{ENTITY}Q19652"} if film.is_public else {}
        row |= {"licence": film.licence} if film.licence else {}
        yield {name: {"type": "literal", "value": cell} for name, cell in row.items()}


def wikidata_api(web: SourceWeb, path: str, query: Query) -> Page:
    known = [*FILMS.values(), *web.titles]
    if query.get("list") == "search":
        words, _, imdb_id = query["srsearch"].partition("haswbstatement:P345")
        found = [
            film
            for film in known
            if imdb_id in ("", f"={film.imdb_id}") and set(words.lower().split()) <= set(film.title.lower().split())
        ]
        return data({"query": {"search": [{"ns": 0, "title": film.item} for film in found]}})
    entities = {film.item: entity(web, film) for film in known if film.item in query["ids"].split("|")}
    return data({"entities": entities, "success": 1})


def entity(web: SourceWeb, film: FakeFilm) -> dict[str, Any]:
    claims: dict[str, list[Any]] = {"P345": [claim(film.imdb_id)]}
    for prop, value, role in statements(film, web.url):
        claims.setdefault(prop, []).append(claim(value, role=role))
    claims |= {"P6216": [claim({"id": "Q19652"})]} if film.is_public else {}
    claims |= {"P31": [claim({"id": film.kind})], "P577": [claim({"time": f"+{film.year}-03-04T00:00:00Z"})]}
    labels = {"en": {"language": "en", "value": film.title}}
    return {"id": film.item, "labels": labels, "claims": claims}


def claim(value: object, *, role: str = "") -> dict[str, Any]:
    main = {"snaktype": "value", "datavalue": {"value": value}}
    qualifiers = {"P3831": [{"snaktype": "value", "datavalue": {"value": {"id": role}}}]} if role else {}
    return {"rank": "normal", "mainsnak": main, "qualifiers": qualifiers}


# --- Internet Archive


def archive_search(web: SourceWeb, path: str, query: Query) -> Page:
    wanted = re.fullmatch(r'external-identifier:"urn:imdb:(tt[0-9]+)"', query["q"])
    film = FILMS.get(wanted[1]) if wanted else None
    names = film.archive_named if film else ()
    documents = [{"identifier": name, "mediatype": "movies", "title": film.title} for name in names if film]
    documents += [{"identifier": "a_book", "mediatype": "texts", "title": "A book"}]
    return data(
        {"responseHeader": {"status": 0}, "response": {"numFound": len(documents), "start": 0, "docs": documents}}
    )


def archive_walk(web: SourceWeb, path: str, query: Query) -> Page:
    """A page of the scrape API; the last one still has a cursor, as it may."""
    if "urn" not in query["q"] or int(query["count"]) < 100:
        return data({"error": "count must be 100 or more"}, status=400)
    start = int(query.get("cursor", "0"))
    web.pages.append(str(start))
    items = [walked(number) for number in range(start, min(start + int(query["count"]), web.films))]
    return data({"items": items, "count": len(items), "total": web.films, "cursor": str(start + len(items))})


def walked(number: int) -> dict[str, Any]:
    """Every third item states no licence."""
    item = {"identifier": f"item_{number}", "title": f"Film {number}", "mediatype": "movies", "year": 1925}
    item |= {"description": f"<div>The <i>tale</i> of film&nbsp;{number} &amp; others<br></div>"}
    item |= {"external-identifier": ["urn:oclc:1", f"urn:imdb:tt{1_000_000 + number}"]}
    return item | ({"licenseurl": PUBLIC_DOMAIN_MARK} if number % 3 else {})


def archive_item(web: SourceWeb, path: str, query: Query) -> Page:
    identifier = unquote(path.rsplit("/", 1)[-1])
    if identifier in web.items:
        return data(web.items[identifier])
    film = next((one for one in FILMS.values() if identifier in (*one.archive_named, *one.archive_noted)), None)
    return data(item_of(film, identifier) if film else {})


def item_of(film: FakeFilm, identifier: str) -> dict[str, Any]:
    about = {"identifier": identifier, "title": film.title, "mediatype": "movies", "year": str(film.year)}
    if identifier in film.archive_named:
        about |= {
            "external-identifier": f"urn:imdb:{film.imdb_id}",
            "licenseurl": PUBLIC_DOMAIN_MARK,
            "language": "eng",
        }
    files = [
        {"name": f"{film.title}.mp4", "source": "derivative", "format": "h.264", "width": "1280", "height": "720"},
        {"name": f"{film.title}.ogv", "source": "derivative", "format": "Ogg Video", "width": "400", "height": "300"},
        {"name": "secret.mp4", "source": "derivative", "format": "h.264", "private": "true"},
        {"name": f"{identifier}_meta.xml", "source": "original", "format": "Metadata"},
    ]
    return {"created": 1, "dir": "/1", "files": files, "files_count": len(files), "metadata": about}


# --- Commons, the library, PeerTube, a page


def commons(web: SourceWeb, path: str, query: Query) -> Page:
    held = web.files | {name for film in FILMS.values() for name in film.commons}
    return data({"batchcomplete": True, "query": {"pages": [
        video_page(title) if title.removeprefix("File:") in held else {"ns": 6, "title": title, "missing": True}
        for title in query["titles"].split("|")
    ]}})  # fmt: skip


def video_page(title: str) -> dict[str, Any]:
    name = title.removeprefix("File:").replace(" ", "_")
    original = f"https://upload.wikimedia.org/wikipedia/commons/0/00/{name}"
    small = f"https://upload.wikimedia.org/wikipedia/commons/transcoded/0/00/{name}/{name}.480p.vp9.webm"
    versions = [
        {"src": original, "type": 'video/webm; codecs="vp9, opus"', "width": 1920, "height": 1080},
        {"src": small, "type": "video/webm", "transcodekey": "480p.vp9.webm", "width": 640, "height": 480},
    ]
    about = {"LicenseShortName": {"value": "CC BY 3.0"}, "LicenseUrl": {"value": BY_3}}
    about = about if "Bunny" in name else {"LicenseShortName": {"value": "Public domain"}}
    found = {"url": original, "size": 9, "width": 1920, "height": 1080, "mime": "video/webm", "duration": 60.5}
    return {"ns": 6, "title": title, "videoinfo": [{**found, "derivatives": versions, "extmetadata": about}]}


def library(web: SourceWeb, path: str, query: Query) -> Page:
    if query.get("fo") != "json" or "00694220" not in path:
        return Page("<html>not here</html>", status=404)
    item = {"id": "http://www.loc.gov/item/00694220/", "title": "The General", "date": "1926"}
    item |= {"online_format": ["video"], "language": ["english"], "rights": ["These are free to use and reuse."]}
    video = "https://tile.loc.gov/storage-services/service/mbrs/ntscrm/1/1.mp4"
    return data({"item": item, "resources": [{"files": [[{"mimetype": "video/mp4", "url": video}]], "video": video}]})


def peertube(web: SourceWeb, path: str, query: Query) -> Page:
    if path.endswith("/captions"):
        return peertube_captions(path.split("/")[-2])
    if (name := path.rsplit("/", 1)[-1]) in web.videos:
        return data({"uuid": name, "url": f"{web.url}/w/{name}", "name": name, "files": []})
    if name != "bunny":
        return data({"error": "Video not found"}, status=404)
    files = [{"fileUrl": f"{web.url}/static//bunny-720.mp4", "resolution": {"id": 720, "label": "720p"}}]
    video = {"uuid": "bunny", "url": f"{web.url}/videos/watch/bunny", "name": "Big Buck Bunny", "privacy": {"id": 1}}
    video |= {"licence": {"id": 1, "label": "Attribution"}, "language": {"id": "zxx"}, "files": files}
    return data({**video, "streamingPlaylists": [{"playlistUrl": f"{web.url}/static/master.m3u8", "files": []}]})


def peertube_captions(video: str) -> Page:
    """Of the video `bunny`: two that people wrote, one with a path only, and one that a program made."""
    listed: list[dict[str, Any]] = [
        {"language": {"id": "fr", "label": "French"}, "captionPath": "/lazy-static/video-captions/b-fr.vtt"},
        {"language": {"id": "pt-BR"}, "fileUrl": "https://files.t.example//b-pt.vtt", "captionPath": "/b-pt.vtt"},
        {"language": {"id": "en"}, "fileUrl": "https://files.t.example/b-en.vtt", "automaticallyGenerated": True},
        {"language": {"id": "de"}, "fileUrl": None, "captionPath": None, "m3u8Url": "https://files.t.example/b.m3u8"},
    ]
    return data({"total": 4, "data": listed if video == "bunny" else []})


def oembed(web: SourceWeb, path: str, query: Query) -> Page:
    return web.oembed.get(query.get("url", ""), Page("Not Found", status=404, content_type="text/plain"))


def film_page(web: SourceWeb, path: str, query: Query) -> Page:
    title, imdb_id = ("The General", "tt0017925") if path.endswith("general") else ("Living Dead", "tt0063350")
    action = {"@type": "WatchAction", "target": {"@type": "EntryPoint", "urlTemplate": f"{path}/watch"}}
    about = {"@context": "https://schema.org", "@type": "Movie", "name": title, "potentialAction": action}
    about |= {"sameAs": f"https://www.imdb.com/title/{imdb_id}/", "license": PUBLIC_DOMAIN_MARK}
    return Page(f'<html><script type="application/ld+json">{json.dumps(about)}</script></html>')


def page_for_people(web: SourceWeb, path: str, query: Query) -> Page:
    """Whatever became of the film: this page is well."""
    return Page("<!doctype html><title>A film</title><h1>A film</h1><video src=film.mp4></video>")


def media_file(web: SourceWeb, path: str, query: Query) -> Page:
    return Page(b"\x00\x00\x00\x20ftypisom" + bytes(4000), content_type="video/mp4")


def robots(web: SourceWeb, path: str, query: Query) -> Page:
    # As real ones do: the interfaces for programs are closed to crawlers.
    return Page("User-agent: *\nDisallow: /commons/\nDisallow: /wikidata/\n", content_type="text/plain")


ANSWERS: list[tuple[str, Answer]] = [
    ("/robots.txt", robots),
    ("/sparql", sparql),
    ("/wikidata/api.php", wikidata_api),
    ("/archive/advancedsearch.php", archive_search),
    ("/archive/metadata/", archive_item),
    ("/archive/services/search/v1/scrape", archive_walk),
    ("/commons/api.php", commons),
    ("/library/item/", library),
    ("/api/v1/videos/", peertube),
    ("/youtube/oembed", oembed),
    ("/vimeo/api/oembed.json", oembed),
    ("/dailymotion/services/oembed", oembed),
    ("/films/", film_page),
    ("/archive/details/", page_for_people),
    ("/archive/embed/", page_for_people),
    ("/archive/download/", media_file),
    ("/wiki/File:", page_for_people),
    ("/wikipedia/commons/", media_file),
    ("/w/", page_for_people),
    ("/videos/", page_for_people),
    ("/youtube/", page_for_people),
    ("/vimeo/", page_for_people),
    ("/dailymotion/", page_for_people),
]
