"""What a host of the farm of behaviours can reply, from whole pages down to bytes and silence. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from html import escape

from bench.truth.web import HTML, VIDEO, Cut, Response, page

FIRST_BYTES = 2048
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:8\n#EXTINF:8,\nreel-1.ts\n#EXTINF:8,\nreel-2.ts\n#EXT-X-ENDLIST\n"
SYNOPSIS = (
    "A lamplighter finds a purse on the quay and spends a winter looking for its owner. His sister runs the ferry, the "
    "harbour master keeps the ledger, and neither believes him. Restored from two prints, with a new score for piano."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. `target`: path and query; `count`, `gets`: requests and GETs to this host so far, this one
    included; `base`: the host's own address; `elsewhere`: the address of another site; `title`: of the film that is
    asked for."""

    method: str
    target: str
    headers: Mapping[str, str]
    count: int
    gets: int
    base: str
    elsewhere: str
    title: str

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def site(self) -> str:
        """The name of the host's site, unlike all others."""
        return f"Quay Cinema {self.base.rpartition(':')[0].replace('.', '-').removeprefix('http://')}"

    @property
    def is_ranged(self) -> bool:
        return "range" in self.headers


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes as they are; the connection is closed after them."""

    sent: bytes


@dataclass(frozen=True, slots=True)
class Late:
    """A reply that takes its time."""

    seconds: float
    reply: Response | Raw


Reply = Response | Cut | Raw | Late
Respond = Callable[[Asked], Reply]


# --- films
def film(asked: Asked) -> Response:
    """A page with the film, as most sites have it."""
    return film_page(asked.title)


def film_page(title: str, *, extra: str = "", text: str = SYNOPSIS) -> Response:
    """A page with a film and something more on it."""
    name = escape(title)
    return html(
        f"<!doctype html><html><head><meta charset=utf-8><title>{name} - Quay Cinema</title></head><body>"
        f"<h1>{name}</h1><video controls src=/reel.mp4></video><p>{text}</p>{extra}</body></html>"
    )


def video(asked: Asked) -> Response:
    """A file with the film."""
    if asked.is_ranged:
        ranged = (("Content-Range", f"bytes 0-{FIRST_BYTES - 1}/{len(VIDEO)}"),)
        return Response(206, VIDEO[:FIRST_BYTES], "video/mp4", ranged)
    return Response(200, VIDEO, "video/mp4")


def other_site(asked: Asked) -> Response:
    """The host that others lead to: the same film, or what its path says."""
    sales = "Related searches: films, cinema, tickets. Make an offer."
    pages = {
        "/lander": page("quaycinema.example may be for sale", f"This domain is parked. {sales}"),
        "/market": page("quaycinema.example | Buy this domain", f"The name quaycinema.example is for sale. {sales}"),
        "/default": page("Test page for the web server", "If you can read this, the web server works."),
        "/login": page("Sign in", "Please sign in to go on. E-mail. Password."),
        "/works": page("Works under way", "The cinema is closed for maintenance. Please come back this evening."),
        "/": page("Cloud storage", "Buckets for everybody."),
    }
    return pages.get(asked.path, film(asked))


# --- replies
def html(body: str | bytes, status: int = 200, *headers: tuple[str, str]) -> Response:
    return Response(status, body.encode() if isinstance(body, str) else body, HTML, headers)


def plain(body: str | bytes, status: int = 200, content_type: str = "text/plain", **headers: str) -> Response:
    """Headers are named with `_` for `-`."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(status, body.encode() if isinstance(body, str) else body, content_type, named)


def says(title: str, text: str = "", status: int = 200, **headers: str) -> Respond:
    """A page of the site's own, whatever was asked."""
    response = replace(page(title, text, status=status), headers=plain("", **headers).headers)
    return lambda _asked: response


def always(reply: Reply) -> Respond:
    return lambda _asked: reply


def code(status: int, **headers: str) -> Respond:
    """A bare status, as a server says it by itself."""
    return always(plain(f"{status}\n", status, **headers))


def to(location: str, status: int = 302) -> Response:
    return Response(status, b"", HTML, (("Location", location),))


# --- conditions
def unless(condition: Callable[[Asked], object], otherwise: Respond, reply: Respond = film) -> Respond:
    """`reply` where the condition holds, `otherwise` where it does not."""
    return lambda asked: reply(asked) if condition(asked) else otherwise(asked)


def at(pages: Mapping[str, Respond], otherwise: Respond) -> Respond:
    """What a path says, and what all others say."""
    return lambda asked: pages.get(asked.path, otherwise)(asked)


def leads_to(path: str, reply: Respond, status: int = 302) -> Respond:
    """All paths lead to one, with its query, which says `reply`."""
    return at({path.partition("?")[0]: reply}, always(to(path, status)))


def leads_elsewhere(path: str) -> Respond:
    return lambda asked: to(asked.elsewhere + path)


def on_head(reply: Respond, otherwise: Respond = film) -> Respond:
    """HEAD is treated differently."""
    return unless(lambda asked: asked.method != "HEAD", reply, otherwise)


def first(times: int, reply: Respond, then: Respond = film) -> Respond:
    """The first GETs to a host go wrong, and each HEAD before them, which a busy machine may give up unsent."""
    return unless(lambda asked: asked.gets > times, reply, then)


def refreshing(target: str, seconds: int = 0) -> Response:
    """A page that leads on by itself."""
    return html(f'<html><head><meta http-equiv="refresh" content="{seconds}; url={target}"></head><body></body></html>')


def front_page(asked: Asked) -> Response:
    return html(
        f"<html><head><title>{asked.site}</title></head><body><h1>Films of a hundred years</h1><p>{asked.site}: new "
        f"this week, most watched, from the archive. {SYNOPSIS}</p></body></html>"
    )
