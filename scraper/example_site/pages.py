"""The pages and files of the example site."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from scraper.example_site.films import LICENCE_URLS, ExampleCaptions, ExampleFilm, ExampleLink, captions_of

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
    "vtt": "text/vtt; charset=utf-8",
    "srt": "application/x-subrip",
}
ROBOTS = "User-agent: *\nDisallow: /-/\n"
MEDIA = Path(__file__).parent / "media"
"""One small film of our own, the same for all links; `make_film.sh` there says how it was made."""
PLAYLIST = """#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:12
#EXT-X-MEDIA-SEQUENCE:1
#EXT-X-PLAYLIST-TYPE:VOD
#EXTINF:12.0,
part1.ts
#EXTINF:8.0,
part2.ts
#EXT-X-ENDLIST
"""
CAPTIONS = {
    "en": ("Welcome to Openreel.", "This small film counts down from twenty.", "Nothing else happens.", "The end."),
    "de": ("Willkommen bei Openreel.", "Dieser kleine Film zählt von zwanzig herunter.", "Sonst nichts.", "Ende."),
}
"""What is said in each quarter of the film."""
SECONDS_PER_CAPTION = 5


def front_page(films: Iterable[ExampleFilm]) -> str:
    items = "".join(f'<li><a href="{film.path}">{escape(film.title)} ({film.year})</a></li>\n' for film in films)
    return page("Example films", f"<p>Old films for trying things out.</p>\n<ul>\n{items}</ul>")


def film_page(film: ExampleFilm, links: Sequence[ExampleLink], *, site: str) -> str:
    """Return a film's page: half of the links are only in the structured data, half only in the markup."""
    structured = [link for number, link in enumerate(links) if number % 2 == 0]
    plain = [link for number, link in enumerate(links) if number % 2]
    data = json.dumps(_film_data(film, structured, site=site), indent=1, ensure_ascii=False).replace("<", "\\u003c")
    sources = "".join(_source(link) for link in plain if link.kind == "file")
    tracks = "".join(_track(captions) for captions in captions_of(film))
    anchors = "".join(f"<li>{_link_html(link)}</li>\n" for link in plain)
    body = (
        f'<script type="application/ld+json">\n{data}\n</script>\n'
        f'<p><a href="/">All films</a></p>\n{_licence(film)}'
        f"<video controls>\n{sources}{tracks}</video>\n<ul>\n{anchors}</ul>"
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


@cache
def film_file(name: str) -> bytes:
    """Return a file of the film: `film.mp4`, `film.webm`, or a part of its stream such as `part1.ts`."""
    return (MEDIA / name).read_bytes()


def link_file(path: str) -> bytes:
    """Return what is at the path of a link to a file or stream."""
    extension = path.rsplit(".", 1)[-1]
    return PLAYLIST.encode() if extension == "m3u8" else film_file(f"film.{extension}")


def caption_file(captions: ExampleCaptions) -> bytes:
    """Return a caption file: WebVTT in UTF-8, or SubRip in UTF-16 as old editors save it."""
    is_vtt = captions.path.endswith(".vtt")
    text = "".join(
        f"{number + 1}\n{_cue_time(number, is_vtt)} --> {_cue_time(number + 1, is_vtt)}\n{words}\n\n"
        for number, words in enumerate(CAPTIONS[captions.language])
    )
    return f"WEBVTT\n\n{text}".encode() if is_vtt else text.replace("\n", "\r\n").encode("utf-16")


def _cue_time(number: int, is_vtt: bool) -> str:
    return f"00:00:{number * SECONDS_PER_CAPTION:02d}{'.' if is_vtt else ','}000"


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
        "caption": [_caption_data(captions, site) for captions in captions_of(film)],
    }


def _caption_data(captions: ExampleCaptions, site: str) -> dict[str, Any]:
    return {
        "@type": "MediaObject",
        "contentUrl": f"{site}{captions.path}",
        "encodingFormat": media_type(captions.path).partition(";")[0],
        "inLanguage": captions.language,
    }


def _source(link: ExampleLink) -> str:
    return (
        f'<source src="{link.path}" type="{media_type(link.path)}" label="{link.quality}" srclang="{link.language}">\n'
    )


def _track(captions: ExampleCaptions) -> str:
    return f'<track kind="captions" src="{captions.path}" srclang="{captions.language}">\n'


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
