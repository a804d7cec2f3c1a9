"""Behaviours of real sites, each with the truth about its link: what the farm plays, one host each. Pure.

Those whose names begin with `but-` look like a failure and are none, or look well and are not.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from html import escape
from itertools import product

from bench.truth.languages import WORDINGS, Wording
from bench.truth.replies import (
    PLAYLIST,
    SYNOPSIS,
    Asked,
    Late,
    Raw,
    Reply,
    Respond,
    always,
    at,
    code,
    film,
    film_page,
    first,
    front_page,
    html,
    leads_elsewhere,
    leads_to,
    on_head,
    plain,
    refreshing,
    says,
    to,
    unless,
    video,
)
from bench.truth.walls import WALLS
from bench.truth.web import HTML, VIDEO, Cut, Response
from bench.truth.worlds import ADJECTIVES, NOUNS, OWNERS


class Truth(StrEnum):
    """What is true of a link."""

    ALIVE = "alive"
    BUSY = "busy"
    """It asks to come back later: it stays on."""
    DENIED = "denied"
    """It is there, but not for us: off is right, dead is not."""
    PASSING = "passing"
    """A state of the site that passes: nobody can say that the film is gone."""
    AWAY = "away"
    """Nothing responds: off, and the film stays for a while."""
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`report`: where the behaviour is known from, in a word; `kind`: of the link, as in the catalogue."""

    name: str
    group: str
    truth: Truth
    report: str
    respond: Respond
    path: str = "/film/1"
    kind: str = "page"
    title: str = ""


ALIVE, BUSY, DENIED, PASSING, AWAY, GONE = Truth
FILM_PATH, FILE_PATH, LIST_PATH = "/film/1", "/reels/1.mp4", "/live/index.m3u8"


def behaviours() -> list[Behaviour]:
    """All of them, each with the title of its film."""
    groups = (
        _of_head, _of_ranges, _of_accept, _of_redirects, _of_refreshes, _of_time, _of_walls, _of_walls_for_files,
        _of_denials, _of_states, _of_busy_hosts, _of_landings, _of_files, _of_protocol, _of_services, _of_living_pages,
        _of_hostile_hosts, _of_languages,
    )  # fmt: skip
    titles = (" ".join(words) for words in product(OWNERS, NOUNS, ADJECTIVES))
    made = [behaviour for group in groups for behaviour in group()]
    return [replace(behaviour, title=behaviour.title or next(titles)) for behaviour in made]


def _page(name: str, truth: Truth, report: str, respond: Respond, *, group: str, path: str = FILM_PATH,
          title: str = "") -> Behaviour:  # fmt: skip
    return Behaviour(name, group, truth, report, respond, path, "page", title)


def _file(name: str, truth: Truth, report: str, respond: Respond, *, group: str, path: str = FILE_PATH) -> Behaviour:
    return Behaviour(name, group, truth, report, respond, path, "stream" if path.endswith("m3u8") else "file")


# --- HEAD is no question that sites are made for
def _of_head() -> Iterator[Behaviour]:
    group = "HEAD"
    replies: dict[str, Respond] = {
        "to-front-page": at({FILM_PATH: always(to("/"))}, front_page),
        "to-login": at({FILM_PATH: always(to("/account/login"))}, says("Sign in")),
        "to-error-page": at({FILM_PATH: always(to("/errors/missing.html", 301))}, says("Nothing here")),
        "to-404": at({FILM_PATH: always(to("/away"))}, code(404)),
        "to-other-site": leads_elsewhere("/default"),
        "in-circles": lambda asked: to(asked.target),
        "400": code(400), "403": code(403), "404": code(404), "405": code(405, Allow="GET"), "410": code(410),
        "500": code(500), "501": code(501), "503": code(503),
        "reset": always(Cut.RESET), "silence": always(Cut.SILENCE), "nothing": always(Raw(b"")),
    }  # fmt: skip
    for name, reply in replies.items():
        yield _page(f"head-{name}", ALIVE, "linkchecker", _only_head(reply), group=group)
    yield _page("head-length-0", ALIVE, "curl", on_head(always(html(b""))), group=group)
    yield _file("head-says-html", ALIVE, "AntennaPod", on_head(always(html("x")), video), group=group)
    yield _file("head-405-file", ALIVE, "yt-dlp", on_head(code(405), video), group=group)
    yield _page("but-get-404", GONE, "lychee", on_head(film, code(404)), group=group)
    yield _page("but-both-404", GONE, "RFC 9110", code(404), group=group)
    yield _page("but-both-410", GONE, "RFC 9110", code(410), group=group)
    yield _page("but-both-to-front-page", GONE, "lychee", leads_to("/", front_page), group=group)


def _only_head(reply: Respond) -> Respond:
    """Where HEAD is led is there for HEAD only: GET of the film's own path gives the film."""
    return unless(lambda asked: asked.method == "GET" and asked.path == FILM_PATH, reply)


def _of_ranges() -> Iterator[Behaviour]:
    group = "Range"
    refusals: dict[str, Respond] = {str(status): code(status) for status in (400, 403, 404, 405, 416, 500, 503)}
    refusals["reset"] = always(Cut.RESET)
    for name, refusal in refusals.items():
        yield _page(f"range-{name}", ALIVE, "Downloader", _without_ranges(refusal, film), group=group)
    for name in ("403", "404", "503", "reset"):
        yield _file(f"range-{name}-file", ALIVE, "mpv", _without_ranges(refusals[name], video), group=group)
    whole = on_head(code(405), always(Response(200, VIDEO, "video/mp4")))
    yield _file("range-ignored", ALIVE, "RFC 9110", whole, group=group)
    yield _page("but-404-without-range-too", GONE, "RFC 9110", on_head(code(405), code(404)), group=group)
    yield _file("but-416-with-length", ALIVE, "RFC 9110", _past_the_end, group=group)


def _without_ranges(refusal: Respond, reply: Respond) -> Respond:
    return on_head(code(405), unless(lambda asked: not asked.is_ranged, refusal, reply))


def _past_the_end(asked: Asked) -> Reply:
    length = {"Content_Range": f"bytes */{len(VIDEO)}"}
    return plain("", 416, "video/mp4", **length) if asked.is_ranged else video(asked)


def _of_accept() -> Iterator[Behaviour]:
    group = "what a request says"

    def html_is_named(asked: Asked) -> bool:
        return "text/html" in asked.headers.get("accept", "")

    def language_is_named(asked: Asked) -> bool:
        return bool(asked.headers.get("accept-language"))

    for status in (400, 404, 406):
        yield _page(f"accept-html-{status}", ALIVE, "mkdocs", unless(html_is_named, code(status)), group=group)
    for status in (403, 404, 500):
        yield _page(f"accept-language-{status}", ALIVE, "mkdocs", unless(language_is_named, code(status)), group=group)
    to_front = at({"/": front_page}, always(to("/")))
    yield _page("accept-language-to-front", ALIVE, "htmlproofer", unless(language_is_named, to_front), group=group)
    yield _page("cookie-or-circles", ALIVE, "checklinks", _cookie_gate(lambda asked: to(asked.target)), group=group)
    cookie_page = at({"/cookies": says("Cookies needed", "Please enable cookies.")}, always(to("/cookies")))
    yield _page("cookie-or-page", ALIVE, "checklinks", _cookie_gate(cookie_page), group=group)


def _of_ways_round(group: str) -> Iterator[Behaviour]:
    """Sites that know a visitor who comes again; each of their hosts does so once."""
    yield _page("round-twice", ALIVE, "webhint", _round_until_known, group=group)
    yield _page("to-itself-at-first", ALIVE, "webhint", first(1, always(to(FILM_PATH, 307))), group=group)
    for status, report in ((408, "RFC 9110"), (421, "whatwg/fetch"), (425, "RFC 8470")):
        yield _page(f"{status}-at-first", ALIVE, report, first(1, code(status)), group=group)


def _round_until_known(asked: Asked) -> Reply:
    if asked.path == "/choose":
        return to(FILM_PATH, 307)
    return film(asked) if asked.gets > 2 else to("/choose", 307)


def _cookie_gate(without: Respond) -> Respond:
    """The first visit sets a cookie and leads to the same film; whoever does not bring it back is sent `without`."""

    def respond(asked: Asked) -> Reply:
        if "seen=1" in asked.headers.get("cookie", ""):
            return film(asked)
        if asked.target == FILM_PATH:
            return Response(302, b"", HTML, (("Set-Cookie", "seen=1; Path=/"), ("Location", f"{FILM_PATH}?again=1")))
        return without(asked)

    return respond


# --- redirects
def _of_redirects() -> Iterator[Behaviour]:
    group = "redirects"
    for hops in (2, 7, 12, 19):
        yield _page(f"hops-{hops}", ALIVE, "follow-redirects", _hops(hops), group=group, path="/hop/0")
    yield _page("but-hops-60", GONE, "WHATWG fetch", _hops(60), group=group, path="/hop/0")
    for status in (301, 302, 303, 307, 308):
        yield _page(f"moved-{status}", ALIVE, "RFC 9110", leads_to("/moved/film", film, status), group=group)
    locations = {
        "backslashes": "\\moved\\film", "blanks-before": "  /moved/film", "tabs-behind": "/moved/film\t\t",
        "dots": "../moved/./film", "query-alone": "?moved=film", "fragment": "/moved/film#reel",
        "blank-inside": "/moved/the film", "not-ascii": "/moved/pel\u00edcula",
    }  # fmt: skip
    for name, location in locations.items():
        yield _page(f"location-{name}", ALIVE, "curl", _moved_to(location), group=group)
    yield _page("location-three-slashes", ALIVE, "scrapy", _moved_far("http:///{rest}/moved/film"), group=group)
    yield _page("location-without-scheme", ALIVE, "RFC 3986", _moved_far("//{rest}/moved/film"), group=group)
    yield _page("location-empty", ALIVE, "curl", always(_empty_location()), group=group)
    twice = Raw(b"HTTP/1.1 302 Found\r\nLocation: /moved/film\r\nLocation: /moved/film\r\nContent-Length: 0\r\n\r\n")
    yield _page("location-twice", ALIVE, "RFC 9110", at({"/moved/film": film}, always(twice)), group=group)
    yield _page("to-other-site", ALIVE, "lychee", leads_elsewhere("/film/of/ours"), group=group)
    yield _page("but-round-and-round", GONE, "RFC 9110", _circle, group=group)
    yield _page("but-to-404", GONE, "lychee", leads_to("/archive/1", code(404)), group=group)
    yield _page("but-notfound-is-its-name", ALIVE, "DeadlinkChecker", leads_to("/film/notfound-1931/", film),
                group=group)  # fmt: skip
    yield _page("but-home-is-its-name", ALIVE, "Firefox add-ons", leads_to("/home", film), group=group,
                title="Home")  # fmt: skip


def _hops(hops: int) -> Respond:
    def respond(asked: Asked) -> Reply:
        number = int(asked.path.rpartition("/")[2])
        return film(asked) if number >= hops else to(f"/hop/{number + 1}")

    return respond


def _moved_to(location: str) -> Respond:
    """The film is wherever the location leads; only the link itself is moved."""
    return lambda asked: to(location) if asked.target == FILM_PATH else film(asked)


def _moved_far(location: str) -> Respond:
    def respond(asked: Asked) -> Reply:
        rest = asked.base.removeprefix("http://")
        return film(asked) if asked.path == "/moved/film" else to(location.format(rest=rest), 301)

    return respond


def _empty_location() -> Response:
    whole = film_page("The film behind an empty address")
    return Response(302, whole.body, HTML, (("Location", ""),))


def _circle(asked: Asked) -> Reply:
    return to("/round/2" if asked.path != "/round/2" else FILM_PATH)


def _of_refreshes() -> Iterator[Behaviour]:
    group = "meta refresh"
    pages: dict[str, tuple[Truth, Respond]] = {
        "to-film": (ALIVE, film),
        "to-404": (GONE, code(404)),
        "to-error-page": (GONE, says("Error 404", "There is no such film.")),
    }
    for name, (truth, reply) in pages.items():
        shown = at({"/next": reply}, always(refreshing("/next")))
        yield _page(f"refresh-{name}", truth, "repology", shown, group=group)
    yield _page("refresh-to-front-page", GONE, "repology", at({"/": front_page}, always(refreshing("/"))), group=group)
    yield _page("but-refresh-of-a-page-that-stays", ALIVE, "htmx", _with_head(
        '<meta http-equiv="refresh" content="600">'), group=group)  # fmt: skip
    yield _page("but-refresh-without-javascript", ALIVE, "facebook", _with_head(
        '<noscript><meta http-equiv="refresh" content="0; url=/plain"></noscript>'), group=group)  # fmt: skip
    circle = at({"/next": always(refreshing(FILM_PATH))}, always(refreshing("/next")))
    yield _page("refresh-round-and-round", GONE, "scrapy", circle, group=group)


def _with_head(markup: str) -> Respond:
    def respond(asked: Asked) -> Reply:
        if asked.path != FILM_PATH:
            return code(404)(asked)
        body = film(asked).body.replace(b"<head>", b"<head>" + markup.encode())
        return html(body)

    return respond


# --- time
def _of_time() -> Iterator[Behaviour]:
    group = "time"
    yield _page("slow-7s", ALIVE, "internetarchive", lambda asked: Late(7, film_page(asked.title)), group=group)
    yield _file("slow-7s-file", ALIVE, "internetarchive", lambda _asked: Late(7, Response(200, VIDEO, "video/mp4")),
                group=group)  # fmt: skip
    yield _page("slow-3s", ALIVE, "lychee", lambda asked: Late(3, film_page(asked.title)), group=group)
    yield _page("reset-at-first", ALIVE, "requests", first(1, always(Cut.RESET)), group=group)
    yield _page("502-at-first", ALIVE, "nginx", first(1, code(502)), group=group)
    yield from _of_ways_round(group)
    yield _page("but-always-silent", AWAY, "lychee", always(Cut.SILENCE), group=group)
    yield _page("but-always-reset", AWAY, "curl", always(Cut.RESET), group=group)
    yield _page("but-always-502", AWAY, "nginx", code(502), group=group)
    yield _page("but-nothing-at-all", AWAY, "curl", always(Raw(b"")), group=group)


# --- walls
def _of_walls() -> Iterator[Behaviour]:
    for name, (report, respond) in WALLS.items():
        yield _page(f"wall-{name}", DENIED, report, respond, group="walls")
    title = "Just a Moment"
    yield _page("but-just-a-moment", ALIVE, "IMDb", film, group="walls", title=title)
    form = "<form><div class=g-recaptcha></div>Please complete the captcha to write a comment.</form>"
    yield _page("but-captcha-for-comments", ALIVE, "WordPress", _adding(form), group="walls")
    yield _page("but-202-with-film", ALIVE, "RFC 9110", lambda asked: Response(202, film(asked).body), group="walls")


def _of_walls_for_files() -> Iterator[Behaviour]:
    for name in ("anubis", "aws-202", "aws-202-empty", "siteground", "imperva", "testcookie", "turnstile", "f5"):
        report, respond = WALLS[name]
        yield _file(f"wall-{name}-file", DENIED, report, respond, group="walls")
    pages = {
        "quota": ("Drive quota", "Sorry, too many people have viewed or downloaded this file recently."),
        "virus-scan": ("Drive - file too large to scan", "This file is too large for a virus scan. Download anyway?"),
        "terms": ("Before you continue", "We use cookies. Accept all or choose."),
        "unknown": ("Reel 1", "Press the button to begin. File size 1.2 GB."),
    }
    for name, words in pages.items():
        yield _file(f"page-{name}-file", DENIED, "gdown", says(*words), group="walls")
    busy = says("Scheduled maintenance", "The archive is being worked on and will be back this evening.")
    yield _file("page-maintenance-file", PASSING, "archive.org", busy, group="walls")


def _of_denials() -> Iterator[Behaviour]:
    group = "denials"
    for status, report in ((401, "RFC 9110"), (403, "RFC 9110"), (451, "RFC 7725"), (999, "LinkedIn"), (418, "docs"),
                           (402, "RFC 9110")):  # fmt: skip
        yield _page(f"status-{status}", DENIED, report, code(status), group=group)
    yield _file("s3-access-denied", DENIED, "AWS S3", always(
        plain("<Error><Code>AccessDenied</Code></Error>", 403, "application/xml")), group=group)  # fmt: skip
    for name, path in (("login", "/login?next=%2Ffilm"), ("consent", "/consent?continue=1"), ("age", "/age-check/")):
        respond = leads_to(path, says("Before you go on", "Please confirm."))
        yield _page(f"to-{name}", DENIED, "broken-link-checker", respond, group=group)
    yield _file("to-login-file", DENIED, "broken-link-checker", leads_to("/signin", says("Sign in")), group=group)
    only_browsers = unless(lambda asked: "mozilla" in asked.headers.get("user-agent", "").lower(), code(403))
    yield _page("only-browsers", DENIED, "lychee", only_browsers, group=group)


def _of_states() -> Iterator[Behaviour]:
    """What is not there yet, or not for everybody."""
    group = "not yet, not for us"
    later = {
        "premiere": "This video is not available yet.", "offline": "The live stream is offline.",
        "de": "Dieses Video ist noch nicht verfügbar.", "es": "Este vídeo todavía no está disponible.",
        "pl": "Ten film nie jest jeszcze dostępny.", "ru": "Это видео пока недоступно.",
        "ja": "この動画はまだご利用いただけません。",
    }  # fmt: skip
    for name, text in later.items():
        yield _page(f"not-yet-{name}", PASSING, "yt-dlp", says("Video unavailable", text), group=group)
    denied = {
        "embedding": "Playback on other websites has been disabled by the video owner.",
        "members": "Join this channel to get access to members-only content.",
        "payment": "This video requires payment to watch.", "age": "Sign in to confirm your age.",
    }  # fmt: skip
    for name, text in denied.items():
        yield _page(f"unavailable-{name}", DENIED, "Kodi YouTube", says("Video unavailable", text), group=group)
    yield _page(
        "but-page-that-does-not-exist-yet", GONE, "MediaWiki", says("This page does not exist yet"), group=group
    )
    program = html("<html><body><div id=root></div><script src=/app.js></script></body></html>", 404)
    yield _page("program-as-404", DENIED, "spa-github-pages", always(program), group=group)
    for status, report in ((404, "WordPress"), (500, "ASP.NET"), (503, "WordPress")):
        yield _page(f"but-film-as-{status}", ALIVE, report, _film_sent_with(status), group=group)


def _film_sent_with(status: int) -> Respond:
    return lambda asked: replace(film(asked), status=status)


def _of_busy_hosts() -> Iterator[Behaviour]:
    group = "busy"
    slow_down = "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
    replies: dict[str, Respond] = {
        "429": code(429), "429-later": code(429, Retry_After="90"), "503-later": code(503, Retry_After="90"),
        "403-later": code(403, Retry_After="90"), "403-no-more": code(403, X_RateLimit_Remaining="0"),
        "s3-slow-down": always(plain(slow_down, 503, "application/xml")),
        "azure": always(plain("<Error><Code>ServerBusy</Code></Error>", 503, "application/xml")),
        "420": code(420), "430": code(430), "529": code(529), "502-later": code(502, Retry_After="90"),
    }  # fmt: skip
    for name, respond in replies.items():
        yield _page(f"busy-{name}", BUSY, "S3 and others", respond, group=group)
    yield _page("but-503-for-good", AWAY, "nginx", code(503), group=group)
    yield _page("but-509", PASSING, "cPanel", says("Bandwidth limit exceeded", "", 509), group=group)


# --- where a link leads when nothing is left
def _of_landings() -> Iterator[Behaviour]:
    group = "landing pages"
    for name, path in {
        "404-aspx": "/404.aspx?aspxerrorpath=/film/1", "errors-folder": "/errors/404.php", "notfound": "/notfound",
        "error-query": "/index.php?error=404", "page-not-found": "/page-not-found/", "404-htm": "/404.htm",
    }.items():  # fmt: skip
        yield _page(f"to-{name}", GONE, "DeadlinkChecker", leads_to(path, _page_without_words), group=group)
    for name, path in {
        "front": "/", "country": "/de/", "locale": "/en-gb", "index": "/index.php", "utm": "/?utm_source=x",
        "home-html": "/home.html",
    }.items():  # fmt: skip
        yield _page(f"to-front-{name}", GONE, "lychee", leads_to(path, front_page), group=group)
    for name, path in {"missing": "/film/missing", "404": "/movie/404", "503": "/film/503"}.items():
        yield _page(f"but-to-a-film-called-{name}", ALIVE, "film sites", _to_old_film(path), group=group)
    suspended = says("Account suspended", "This account has been suspended. Ask your hosting provider.")
    yield _page("suspended", GONE, "cPanel", leads_to("/cgi-sys/suspendedpage.cgi", suspended), group=group)
    yield _page("suspended-in-place", GONE, "cPanel", suspended, group=group)
    yield _page("for-sale", GONE, "PyFunceble", says(
        "quaycinema.example is for sale", "This domain is parked. Make an offer."), group=group)  # fmt: skip
    yield _page("for-sale-elsewhere", GONE, "maigret", leads_elsewhere("/market"), group=group)
    yield _page("parked-elsewhere", GONE, "wayback", leads_elsewhere("/lander"), group=group)
    lander = html('<html><head><script>location.href="/lander?q=1"</script></head></html>')
    yield _page("lander", GONE, "awesome lists", always(lander), group=group)
    yield _page("default-page", GONE, "nginx", says("Welcome to nginx!", "The web server is working."), group=group)
    yield _page("works-elsewhere", PASSING, "serverfault", leads_elsewhere("/works"), group=group)
    yield _page("same-for-all", GONE, "soft 404 papers", _page_without_words, group=group)
    # A site that is one program gives the same shell for every path, the film's too.
    program = html("<html><head><title>Quay</title></head><body><div id=app></div><script src=/app.js></script></body>")
    yield _page("but-one-program", ALIVE, "single-page apps", always(program), group=group)
    yield _page("but-film-is-for-sale", ALIVE, "IMDb", film, group=group, title="This Ship Is for Sale")
    yield _page("but-front-page-is-the-film", ALIVE, "film sites", at({"/": film}, code(404)), group=group, path="/")
    yield _page("but-account-suspended", ALIVE, "IMDb", film, group=group, title="Account Suspended")


def _to_old_film(path: str) -> Respond:
    """The film's page has another name or a number, and the film there another title."""
    return at({path: always(film_page("An old film"))}, at({FILM_PATH: always(to(path))}, code(404)))


def _page_without_words(asked: Asked) -> Reply:
    """A page of the site's own that does not say what is wrong."""
    return html(
        f"<html><head><title>{asked.site}</title></head><body><p>{asked.site}: films, tickets, news.</p></body></html>"
    )


# --- files
def _of_files() -> Iterator[Behaviour]:
    group = "files"
    error = plain('{"error": "file expired"}', 200, "application/json")
    gone: dict[str, tuple[str, Respond]] = {
        "no-such-key": ("AWS S3", always(plain("<Error><Code>NoSuchKey</Code></Error>", 404, "application/xml"))),
        "json": ("IPTVChecker", always(error)),
        "text": ("hosters", always(plain("The file was deleted."))),
        "page": ("hosters", says("File not found", "The file you asked for does not exist.")),
        "empty": ("AntennaPod", always(plain(b"", 200, "video/mp4"))),
        "204": ("RFC 9110", always(plain(b"", 204, "video/mp4"))),
        "picture": ("imgur", always(plain(b"\x89PNG\r\n\x1a\n" + bytes(900), 200, "image/png"))),
        "pdf": ("hosters", always(plain(b"%PDF-1.4" + bytes(900), 200, "application/pdf"))),
    }
    for name, (report, respond) in gone.items():
        yield _file(f"file-{name}", GONE, report, respond, group=group)
    yield _file("list-json", GONE, "IPTVChecker", always(error), group=group, path=LIST_PATH)
    bodies = {
        "octets": (VIDEO, "application/octet-stream"), "as-html": (VIDEO, "text/html"),
        "as-text": (VIDEO, "text/plain"), "webm": (b"\x1aE\xdf\xa3" + bytes(4000), "video/webm"),
        "no-type": (VIDEO, ""), "attachment": (VIDEO, "application/force-download"),
    }  # fmt: skip
    for name, (body, content_type) in bodies.items():
        yield _file(f"but-film-{name}", ALIVE, "yt-dlp", always(plain(body, 200, content_type)), group=group)
    lists = {
        "plain": (PLAYLIST, "application/vnd.apple.mpegurl"), "as-html": (PLAYLIST, "text/html"),
        "with-mark": (b"\xef\xbb\xbf" + PLAYLIST, "text/plain"),
        "dash": (b"<?xml version='1.0'?><MPD type='static'><Period/></MPD>", "application/dash+xml"),
        "addresses": (b"https://a.example/1.mp4\nhttps://a.example/2.mp4\n", "text/plain"),
        "pls": (b"[playlist]\nFile1=https://a.example/1.mp4\nNumberOfEntries=1\nVersion=2\n" + b"\n" * 9, "text/plain"),
        "asx": (b'<asx version="3.0"><entry><ref href="https://a.example/1.wmv"/></entry></asx>', "text/plain"),
        "smil": (b"<smil><body><switch><video src='mp4:1.mp4'/></switch></body></smil> <!-- reel -->", "text/xml"),
    }  # fmt: skip
    for name, (body, content_type) in lists.items():
        respond = always(plain(body, 200, content_type))
        yield _file(f"but-list-{name}", ALIVE, "iptv", respond, group=group, path=LIST_PATH)


# --- protocol
def _of_protocol() -> Iterator[Behaviour]:
    group = "protocol"
    whole = film_page("The film").body
    many = b"".join(b"X-Nothing-%d: %s\r\n" % (number, b"n" * 90) for number in range(99))
    ok = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
    chunk = b"%x\r\n%s\r\n" % (len(whole), whole)
    sent = {
        "early-hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + ok + b"\r\n" + whole,
        "no-length": ok + b"\r\n" + whole,
        "http-1.0": b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + whole,
        "bad-trailer": ok + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"zz\r\n",
        "cut-short": ok + b"Content-Length: 900000\r\n\r\n" + whole,
        "untrue-gzip": ok + b"Content-Encoding: gzip\r\n\r\n" + whole,
        "unknown-encoding": ok + b"Content-Encoding: utf-8\r\n\r\n" + whole,
        "no-reason": b"HTTP/1.1 200\r\nContent-Type: text/html\r\n\r\n" + whole,
        "lines-without-cr": ok.replace(b"\r", b"") + b"\n" + whole,
        "many-headers": ok + many + b"\r\n" + whole,
        "long-comment": ok + b"\r\n<!-- " + b"license " * 9000 + b"-->" + whole,
    }  # fmt: skip
    for name, raw in sent.items():
        yield _page(f"protocol-{name}", ALIVE, "curl", always(Raw(raw)), group=group)


# --- pages of services
def _of_services() -> Iterator[Behaviour]:
    group = "services"

    def player(status: str, reason: str) -> Respond:
        said = f'{{"playabilityStatus":{{"status":"{status}","reason":"{reason}"}}}}'
        script = f"<script>var ytInitialPlayerResponse = {said};</script>"
        return always(html(f"<html><head><title> - Tube</title></head><body><div id=player></div>{script}</body>"))

    statuses = {
        "error": (GONE, "ERROR", "This video is no longer there"), "private": (GONE, "LOGIN_REQUIRED", "Private video"),
        "abroad": (DENIED, "UNPLAYABLE", "The uploader has not made this video available in your country"),
        "ok": (ALIVE, "OK", ""),
    }  # fmt: skip
    for name, (truth, status, reason) in statuses.items():
        path = f"/watch?v=quay-{name}"
        yield _page(f"player-{name}", truth, "YouTube", player(status, reason), group=group, path=path)
    yield _page("embed-private", GONE, "Vimeo", says("Private video", "Nobody may watch it here."), group=group)
    yield _page("rejected", GONE, "Dailymotion", says("Content rejected", "This video has been removed."), group=group)
    yield _page("dark-item", GONE, "archive.org", says(
        "Item not available", "The item is not available due to issues with its content."), group=group)  # fmt: skip
    yield _page("peertube-404", GONE, "PeerTube", says("Video not found", "", 404), group=group)


# --- living pages that hold the words
def _adding(markup: str) -> Respond:
    return lambda asked: film_page(asked.title, extra=markup)


def _of_living_pages() -> Iterator[Behaviour]:
    group = "living pages"
    extras = {
        "hidden-error": "<div class=modal hidden><h2>Video not found</h2><p>This video has been removed.</p></div>",
        "styled-away": "<div style='display: none'><h2>This video is unavailable</h2></div>",
        "aria-hidden": "<div aria-hidden=true class=toast><h3>Page not found</h3></div>",
        "template": "<template id=lost><h1>Page not found</h1></template>",
        "script": "<script>const texts = {lost: '<h1>404 Not Found</h1>'}</script>",
        "json": '<script type=application/json>{"error": {"title": "Video removed"}}</script>',
        "comment": "<!-- <h1>Page not found</h1> -->",
        "noscript": "<noscript><h2>This video is not available without JavaScript</h2></noscript>",
        "related": "<nav><h2>More films</h2><h3>Page Not Found (2015)</h3><h3>The Removed</h3></nav>",
        "comments": "<section id=comments><h2>Comments</h2><p>The video was removed, glad it is back!</p></section>",
        "banner": "<div id=cookies><h2>We use cookies</h2><button>Accept all</button></div>",
        "region-note": "<p>Subtitles are not available in your country's language.</p>",
        "maintenance-note": "<p>Note: on Sunday the site is down for maintenance. Please try again later then.</p>",
        "program-hides": "<div x-cloak x-show=lost><h2>Video not found</h2></div>",
        "framework-hides": "<div class='alert ng-hide'><h2>This video has been removed</h2></div>",
        "linked-film": "<a href=/2><h2>Video Not Found</h2></a>",
        "other-films": "<h2>More films</h2><h2>Gone</h2>",
        "picture-title": "<svg><title>Video unavailable</title></svg>",
        "replies": "<div class=replies><p>This link is dead for me.</p></div>",
        "dialog": "<dialog><h2>Account suspended?</h2><p>Sign in to see.</p></dialog>",
    }
    for name, markup in extras.items():
        yield _page(f"but-{name}", ALIVE, "living sites", _adding(markup), group=group)
    beside = {
        "copyright-expired": "The copyright to this film has expired.",
        "trailer-gone": "The trailer of this film is gone.",
        "dvd-gone-de": "Die DVD zu diesem Film ist nicht mehr verfügbar.",
        "copyright-expired-ja": "この作品の著作権は期限が切れました。",
    }  # fmt: skip
    for name, text in beside.items():
        yield _page(f"but-{name}", ALIVE, "public domain films", _short_page(text), group=group)
    titles = ("404", "Gone", "Not Found", "Removed", "Access Denied", "Private", "Maintenance")
    for number, title in enumerate(titles, 1):
        yield _page(f"but-title-{number}", ALIVE, "IMDb", film, group=group, title=title)


def _short_page(text: str) -> Respond:
    """A film's page without a player and with this text alone."""
    return lambda asked: html(
        f"<html><head><meta charset=utf-8><title>{escape(asked.title)} - Quay Cinema</title></head><body>"
        f"<h1>{escape(asked.title)}</h1><a href=/play>Play</a><p>{text}</p></body></html>"
    )


# --- hosts that send too much, or something else each time
def _of_hostile_hosts() -> Iterator[Behaviour]:
    group = "hostile"
    headers = b"".join(b"X-Filler-%d: %s\r\n" % (number, b"x" * 1000) for number in range(1000))
    replies: dict[str, tuple[Truth, Respond]] = {
        "headers-1-mb": (AWAY, always(Raw(b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n"))),
        "refreshes-for-ever": (AWAY, lambda asked: refreshing(f"/next/{asked.count}")),
        "redirects-for-ever": (AWAY, lambda asked: to(f"/next/{asked.count}")),
        "film-in-300-kb": (ALIVE, _adding(f"<p>{SYNOPSIS}</p>" * 1200)),
        "film-with-a-new-session": (ALIVE, lambda asked: film_page(asked.title, extra=f"<i>{asked.count}</i>")),
        "film-packed-1000-times": (ALIVE, _packed),
        "missing-page-that-varies": (GONE, _varied_missing_page),
    }
    for name, (truth, respond) in replies.items():
        yield _page(name, truth, "hostile sites", respond, group=group)


def _packed(asked: Asked) -> Reply:
    """A film's page, then ten megabytes of blanks, in a few kilobytes."""
    packed = gzip.compress(film(asked).body + b" " * 10_000_000, mtime=0)
    return Response(200, packed, HTML, (("Content-Encoding", "gzip"),))


def _varied_missing_page(asked: Asked) -> Reply:
    text = f"Request {asked.count} of {asked.target} led nowhere: the page was not found on {asked.site}."
    return says("Page not found", text)(asked)


# --- the same in other languages
def _of_languages() -> Iterator[Behaviour]:
    for wording in WORDINGS:
        yield from _of_language(wording)


def _of_language(wording: Wording) -> Iterator[Behaviour]:
    words = {
        "missing": (GONE, wording.missing), "removed": (GONE, wording.removed), "private": (GONE, wording.private),
        "abroad": (DENIED, wording.abroad), "later": (PASSING, wording.later),
    }  # fmt: skip
    for name, (truth, said) in words.items():
        yield _page(f"{wording.code}-{name}", truth, "sites", says(*map(escape, said)), group=name)
    synopsis = f"{SYNOPSIS} {wording.synopsis}"
    yield _page(f"but-{wording.code}-synopsis", ALIVE, "film sites",
                lambda asked: film_page(asked.title, text=synopsis), group="synopsis")  # fmt: skip
