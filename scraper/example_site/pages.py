"""The pages and files of the example site. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from scraper.example_site.films import LICENCE_URLS, ExampleFilm, ExampleLink

LANGUAGES = {
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "ru": "Russian",
    "sv": "Swedish",
    "zxx": "no words",
}
MEDIA_TYPES = {
    "mp4": "video/mp4",
    "webm": "video/webm",
    "m3u8": "application/vnd.apple.mpegurl",
    "ts": "video/mp2t",
}
ROBOTS = "User-agent: *\nDisallow: /-/\n"
FILE_SIZE = 64 * 1024
PLAYLIST = """#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:10
#EXTINF:10.0,
part1.ts
#EXTINF:10.0,
part2.ts
#EXT-X-ENDLIST
"""


def front_page(films: Iterable[ExampleFilm]) -> str:
    items = "".join(f'<li><a href="{film.path}">{escape(film.title)} ({film.year})</a></li>\n' for film in films)
    return page("Example films", f"<p>Old films for trying things out.</p>\n<ul>\n{items}</ul>")


def film_page(film: ExampleFilm, links: Sequence[ExampleLink], *, site: str) -> str:
    """Return a film's page: half of the links are only in the structured data, half only in the markup."""
    structured = [link for number, link in enumerate(links) if number % 2 == 0]
    plain = [link for number, link in enumerate(links) if number % 2]
    data = json.dumps(_film_data(film, structured, site=site), indent=1, ensure_ascii=False).replace("<", "\\u003c")
    sources = "".join(_source(link) for link in plain if link.kind == "file")
    anchors = "".join(f"<li>{_link_html(link)}</li>\n" for link in plain)
    body = (
        f'<script type="application/ld+json">\n{data}\n</script>\n'
        f'<p><a href="/">All films</a></p>\n{_licence(film)}'
        f"<video controls>\n{sources}</video>\n<ul>\n{anchors}</ul>"
    )
    return page(f"{film.title} ({film.year})", body)


def watch_page(film: ExampleFilm, *, language: str) -> str:
    body = (
        f'<video controls src="/media/{film.imdb_id}/480p.{film.language}.mp4"></video>\n'
        f'<p>{escape(film.title)}, {LANGUAGES[language]}. <a href="{film.path}">More about this film</a></p>'
    )
    return page(f"Watch {film.title}", body)


def missing_page() -> str:
    return page("Page not found", "<p>Sorry, this film is not here. It may have been removed.</p>")


def page(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">\n'
        f"<title>{escape(title)}</title></head>\n<body>\n<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def file_bytes(extension: str) -> bytes:
    """Return a file with the signature of its type, filled with zeros."""
    signatures = {
        "mp4": b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41\x00\x00\xff\xe0free",
        "webm": b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm",
        "ts": b"\x47\x40\x00\x10",
    }
    if extension == "m3u8":
        return PLAYLIST.encode()
    return signatures[extension].ljust(FILE_SIZE, b"\x00")


def _film_data(film: ExampleFilm, links: Iterable[ExampleLink], *, site: str) -> dict[str, Any]:
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Movie" if film.type == "movie" else "TVSeries",
        "name": film.title,
        "url": f"{site}{film.path}",
        "sameAs": f"https://www.imdb.com/title/{film.imdb_id}/",
        "datePublished": str(film.year),
        "inLanguage": film.language,
        "isAccessibleForFree": True,
        "potentialAction": [_action(link, site) for link in links if link.kind in ("page", "stream")],
        "subjectOf": [_video(film, link, site) for link in links if link.kind in ("file", "embed")],
    }
    if film.licence == "official":
        data["publisher"] = {"@type": "Organization", "name": "Example films", "url": f"{site}/"}
    else:
        data["license"] = LICENCE_URLS[film.licence]
    return data


def _action(link: ExampleLink, site: str) -> dict[str, Any]:
    point = {"@type": "EntryPoint", "urlTemplate": f"{site}{link.path}", "inLanguage": link.language}
    return {"@type": "WatchAction", "name": _label(link), "target": [point]}


def _video(film: ExampleFilm, link: ExampleLink, site: str) -> dict[str, Any]:
    data = {
        "@type": "VideoObject",
        "name": _label(link),
        "inLanguage": link.language,
        "thumbnailUrl": f"{site}/dot.svg",
    }
    if link.kind == "embed":
        return {**data, "embedUrl": f"{site}{link.path}"}
    return {
        **data,
        "contentUrl": f"{site}{link.path}",
        "encodingFormat": media_type(link.path),
        "height": link.quality[:-1],
    }


def _source(link: ExampleLink) -> str:
    return (
        f'<source src="{link.path}" type="{media_type(link.path)}" label="{link.quality}" srclang="{link.language}">\n'
    )


def _link_html(link: ExampleLink) -> str:
    return f'<a href="{link.path}" hreflang="{link.language}">{_label(link)}</a>'


def _label(link: ExampleLink) -> str:
    if link.kind == "stream":
        return f"Stream, {LANGUAGES[link.language]}"
    return (
        f"Watch in {link.quality}, {LANGUAGES[link.language]}" if link.quality else f"Watch, {LANGUAGES[link.language]}"
    )


def _licence(film: ExampleFilm) -> str:
    address = LICENCE_URLS.get(film.licence)
    return f'<p><a rel="license" href="{address}">Licence</a></p>\n' if address else "<p>Shown by its publisher.</p>\n"


def media_type(path: str) -> str:
    """Return the content type of a file by its extension."""
    return MEDIA_TYPES[path.rsplit(".", 1)[-1]]
