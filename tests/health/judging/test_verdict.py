"""The table of responses: what each means for a link."""

from __future__ import annotations

import gzip
import zlib

import pytest

from streaming.health.judging.page_text import parse_page
from streaming.health.judging.verdict import Verdict, is_conclusive, judge
from streaming.health.probe_types import Failure, ProbeRequest, ProbeResponse
from streaming.models.reasons import REASON_TEXT
from tests.helpers.growth import MAX_GROWTH, growth
from tests.helpers.language_pages import (
    ABROAD_TEXTS,
    GONE_TEXTS,
    GONE_TITLES,
    LATER_TEXTS,
    LIVING_TEXTS,
)

URL = "https://films.example.org/watch/nosferatu"
MP4 = b"\x00\x00\x00\x20ftypisom" + bytes(64)
LONG_TEXT = "A count buys a house in a small town by the sea, and with him comes the plague. " * 8
TS = b"G" + bytes(187) + b"G" + bytes(100)


def response(status=200, body=None, content_type="text/html", **fields):
    fields = {"url": URL, "final_url": URL, "headers": {}, **fields}
    return ProbeResponse(id=1, status=status, body=body, content_type=content_type, **fields)


def failed(failure):
    return ProbeResponse(id=1, url=URL, failure=failure, final_url=URL)


def page(title="Nosferatu (1922)", text="Watch it here", player=True):
    film = "<video src=a.mp4></video>" if player else ""
    return response(
        body=f"<!doctype html><html><head><title>{title}</title></head><h1>{title}</h1>{text}{film}".encode()
    )


def text_page(text):
    return response(body=f"<html><body><p>{text}</p></body></html>".encode())


def film(markup, title="Nosferatu (1922)"):
    """A page whose own title and heading are a film's, with something more in it."""
    return response(body=f"<!doctype html><title>{title}</title><body><h1>Nosferatu</h1>{markup}".encode())


def says(title, text=""):
    """A page as servers make them for errors."""
    return response(
        body=f"<!doctype html><html><head><meta charset=utf-8><title>{title}</title></head><body><h1>{title}</h1><p>"
        f"{text}</p></body></html>".encode()
    )


def pages_of(sentences_by_language):
    return [sentence for sentences in sentences_by_language.values() for sentence in sentences]


def media(body=MP4, content_type="video/mp4", status=206, **fields):
    return response(status, body, content_type, **fields)


def redirected(final_url, **fields):
    return response(body=b"<title>A page</title>", final_url=final_url, hops=1, **fields)


def request_for(title="", *, media=False):
    return ProbeRequest(id=1, url=URL, media=media, title=title)


PAGE, FILE = request_for("Nosferatu"), request_for("Nosferatu", media=True)
A, G, B, U, T, N = (Verdict.ALIVE, Verdict.GONE, Verdict.BLOCKED, Verdict.UNREACHABLE, Verdict.THROTTLED,
                    Verdict.NOT_CHECKED)  # fmt: skip

TABLE = [
    # pages that show a film
    (page(), PAGE, A, "ok"),
    (response(body=None), PAGE, A, "ok"),
    (response(body=b"ok", content_type=""), PAGE, A, "ok"),
    (response(body=b"", content_type=""), PAGE, A, "ok"),
    (response(203, b"<h1>Nosferatu</h1>"), PAGE, A, "ok"),
    (response(206, b"<h1>Nosferatu</h1>"), PAGE, A, "ok"),
    (response(304), PAGE, A, "ok"),
    (response(416, headers={"content-range": "bytes */734003200"}), PAGE, A, "ok"),
    (text_page("A count rents a castle. He brings the plague, and a ship is found without its crew."), PAGE, A, "ok"),
    (text_page("The film was removed from cinemas in 1925 and all copies had to be destroyed."), PAGE, A, "ok"),
    (page(text="The page you requested was not found in the archive, she says. " * 20, player=False), PAGE, A, "ok"),
    (page(text="This video is not available in 4K."), PAGE, A, "ok"),
    (media(), PAGE, A, "ok"),
    # films whose titles sound like errors
    (page("404"), request_for("404"), A, "ok"),
    (page("404 | Watch free films"), request_for("404"), A, "ok"),
    (page("Gone (2012) - Films"), request_for("Gone"), A, "ok"),
    (page("Gone"), request_for("Gone"), A, "ok"),
    (page("Removed | Short films"), request_for("Removed"), A, "ok"),
    (page("Not Found – watch online"), request_for("Not Found"), A, "ok"),
    (page("Page Not Found (2015)"), request_for("Page Not Found"), A, "ok"),
    (page("404: Not Found"), request_for("404: Not Found"), A, "ok"),
    (page("Gone Girl"), request_for("Gone Girl"), A, "ok"),
    (page("Gone with the Wind"), request_for("Gone With the Wind"), A, "ok"),
    (page("The Unavailable"), request_for("The Unavailable"), A, "ok"),
    (page("Video Unavailable &amp; Other Stories"), request_for("Video Unavailable & Other Stories"), A, "ok"),
    (page("404 Not Found"), request_for("404"), G, "soft_404"),
    (page("410 Gone"), request_for("Gone"), G, "soft_404"),
    (page("Error 404 - page not found"), request_for("Not Found"), G, "soft_404"),
    (page("Gone (2012) | Films"), request_for("Gone (2012)"), A, "ok"),
    (page("Gone | Films"), request_for("Gone (2012)"), A, "ok"),
    (page("Just a Moment (1999)"), request_for("Just a Moment"), A, "ok"),
    # episodes too
    (film("<video>", "Mr. Robot - 404 Not Found"), request_for("Mr. Robot"), A, "ok"),
    (film("<video>", "Nosferatu – S1 E2 – Gone"), PAGE, A, "ok"),
    (film("", "Mr. Robot - 404 Not Found"), request_for("Mr. Robot"), G, "soft_404"),
    # sentences where nobody sees them
    (film("<template><h2>Video not found</h2></template>"), PAGE, A, "ok"),
    (film("<script>error = '<h2>Page not found</h2>'</script>"), PAGE, A, "ok"),
    (film("<!-- <h2>Page not found</h2> -->"), PAGE, A, "ok"),
    (film("<video src=a></video><div hidden><h2>This video is unavailable</h2></div>"), PAGE, A, "ok"),
    (film("<h2>This video is unavailable</h2>"), PAGE, G, "soft_404"),
    (film("<video src=ad></video><h2>This video is unavailable</h2>", "Films"), PAGE, G, "soft_404"),
    (film("<noscript><iframe src=tags></iframe></noscript><h2>Video not found</h2>"), PAGE, G, "soft_404"),
    (text_page("This video is not available without JavaScript."), PAGE, A, "ok"),
    # in other regions only
    (text_page("Sorry, this video is not available in your country."), PAGE, B, "abroad"),
    (page("Content unavailable in your region", player=False), PAGE, B, "abroad"),
    (page("This content is not available outside of Canada", player=False), PAGE, B, "abroad"),
    (page("This film is not available for streaming in your location", player=False), PAGE, B, "abroad"),
    (page("This video is no longer available in your country", player=False), PAGE, B, "abroad"),
    (text_page("Sorry, this video is not available in your geographic region."), PAGE, B, "abroad"),
    (text_page("This title isn't available where you are."), PAGE, B, "abroad"),
    (text_page("Nosferatu, 1922. DVD not available outside Germany."), PAGE, A, "ok"),
    (text_page("This video is not available in your browser. Try another one."), PAGE, A, "ok"),
    (page("This video is unavailable on this mobile device", player=False), PAGE, A, "ok"),
    (text_page("Nosferatu, 1922. This item is not available for download."), PAGE, A, "ok"),
    (page("This video is no longer available on our site", player=False), PAGE, G, "soft_404"),
    # pages that say the film is missing
    (page("404 - Page not found", player=False), PAGE, G, "soft_404"),
    (page("404 Not Found", player=False), PAGE, G, "soft_404"),
    (page("Page not found | Films", player=False), PAGE, G, "soft_404"),
    (page("Oops! Page not found", player=False), PAGE, G, "soft_404"),
    (page("Video unavailable", player=False), PAGE, G, "soft_404"),
    (page("This video is no longer available", player=False), PAGE, G, "soft_404"),
    (page("This video has been removed", player=False), PAGE, G, "soft_404"),
    (page("Item not available", player=False), PAGE, G, "soft_404"),
    (page("Error 404", player=False), PAGE, G, "soft_404"),
    (page("410 Gone", player=False), PAGE, G, "soft_404"),
    (page("Films", "<h2>The page you are looking for does not exist</h2>", player=False), PAGE, G, "soft_404"),
    (page("Films", "<h2>The movie you requested could not be found.</h2>", player=False), PAGE, G, "soft_404"),
    (page("Film nicht da", "<h1>Sorry, we can’t find that page</h1>", player=False), PAGE, G, "soft_404"),
    (text_page("The video you requested has been removed by its owner."), PAGE, G, "soft_404"),
    (text_page("File not found"), PAGE, G, "soft_404"),
    (text_page("This item is no longer available."), PAGE, G, "soft_404"),
    (text_page("We couldn't find that page."), PAGE, G, "soft_404"),
    (text_page("No such file"), PAGE, G, "soft_404"),
    (response(body=gzip.compress(b"<title>Page not found</title>")), PAGE, G, "soft_404"),
    (response(body=b"\x1f\x8b and no more"), PAGE, A, "ok"),
    (response(body=zlib.compress(b"<title>Page not found</title>")), PAGE, G, "soft_404"),
    (response(body=zlib.compress(b"<title>Page not found</title>")[:-3]), PAGE, G, "soft_404"),
    (response(body=b"x\x9c and no more"), PAGE, A, "ok"),
    # gone by status
    (response(404, b"nope"), PAGE, G, "http_404"),
    (response(410), PAGE, G, "http_410"),
    (failed(Failure.LOOP), PAGE, G, "redirect_loop"),
    # redirects
    (redirected("https://films.example.org/"), PAGE, G, "redirect_home"),
    (redirected("https://www.films.example.org/index.html"), PAGE, G, "redirect_home"),
    (redirected("https://films.example.org/home"), PAGE, G, "redirect_home"),
    (redirected("https://films.example.org/", url="https://films.example.org/?movie=7"), PAGE, G, "redirect_home"),
    (redirected("https://www.nosferatu-film.org/", url="https://nosferatu-film.org/"), PAGE, A, "ok"),
    (redirected("https://films.example.org/?id=7"), PAGE, A, "ok"),
    (redirected("https://films.example.org/?utm_source=lost&fbclid=7"), PAGE, G, "redirect_home"),
    (redirected("https://films.example.org/?_gl=lost&msclkid=7"), PAGE, G, "redirect_home"),
    (redirected("https://films.example.org/?utm_source=lost&id=7"), PAGE, A, "ok"),
    (redirected("https://films.example.org/de"), PAGE, G, "redirect_home"),
    (redirected("https://films.example.org/en-us/index.html"), PAGE, G, "redirect_home"),
    (redirected("https://films.example.org/en/nosferatu"), PAGE, A, "ok"),
    (redirected("https://films.example.org/de", url="https://films.example.org/"), PAGE, A, "ok"),
    (redirected("https://films.example.org/home"), request_for("Home"), A, "ok"),
    (redirected("https://films.example.org/it"), request_for("It (1990)"), A, "ok"),
    (redirected("https://films.example.org/films/consent-2004/"), request_for("Consent"), A, "ok"),
    (redirected("https://films.example.org/consent"), PAGE, B, "login"),
    (page()._replace(url="https://short.example.com/x", final_url="https://nosferatu.film/", hops=1), PAGE, A, "ok"),
    (redirected("https://nosferatu.film/", url="https://short.example.com/x"), PAGE, G, "redirect_home"),
    (page()._replace(final_url="https://www.films.example.org/", hops=1), PAGE, G, "redirect_home"),
    (redirected("https://films.example.org/film/nosferatu-1922"), PAGE, A, "ok"),
    (redirected("https://films.example.org/login?next=/watch/nosferatu"), PAGE, B, "login"),
    (redirected("https://films.example.org/users/sign_in"), PAGE, B, "login"),
    (redirected("https://accounts.example.org/v3/x"), PAGE, B, "login"),
    (redirected("https://consent.example.org/m?continue=x"), PAGE, B, "login"),
    (redirected("https://films.example.org/watch/the-login-clerk"), PAGE, A, "ok"),
    (failed(Failure.TOO_MANY), PAGE, U, "too_many_redirects"),
    (failed(Failure.BAD_REDIRECT), PAGE, U, "bad_redirect"),
    (response(302), PAGE, U, "bad_redirect"),
    # blocked
    (response(401), PAGE, B, "http_401"),
    (response(403), PAGE, B, "http_403"),
    (response(451), PAGE, B, "http_451"),
    (response(999), PAGE, B, "http_999"),
    (response(402), PAGE, B, "http_4xx"),
    (response(416), PAGE, B, "http_4xx"),
    (response(403, headers={"cf-mitigated": "challenge"}), PAGE, B, "bot_wall"),
    (response(503, b"<title>Just a moment...</title>", headers={"retry-after": "5"}), PAGE, B, "bot_wall"),
    (page("Just a moment...", player=False), PAGE, B, "bot_wall"),
    (page("Attention Required! | Cloudflare", player=False), PAGE, B, "bot_wall"),
    (text_page("Please verify you are human to go on."), PAGE, B, "bot_wall"),
    # unreachable
    (failed(Failure.TIMEOUT), PAGE, U, "timeout"),
    (failed(Failure.REFUSED), PAGE, U, "refused"),
    (failed(Failure.RESET), PAGE, U, "reset"),
    (failed(Failure.DNS), PAGE, U, "dns"),
    (failed(Failure.TLS), PAGE, U, "tls"),
    (failed(Failure.PROTOCOL), PAGE, U, "protocol"),
    (response(500), PAGE, U, "http_5xx"),
    (response(502), PAGE, U, "http_5xx"),
    (response(503), PAGE, U, "http_5xx"),
    (response(522), PAGE, U, "http_5xx"),
    (response(408), PAGE, U, "timeout"),
    (response(700), PAGE, U, "protocol"),
    # throttled, or not sent
    (response(429), PAGE, T, "throttled"),
    (response(429, headers={"retry-after": "60"}), PAGE, T, "throttled"),
    (response(503, headers={"retry-after": "60"}), PAGE, T, "throttled"),
    (failed(Failure.PRIVATE), PAGE, N, "private_address"),
    (failed(Failure.PAUSED), PAGE, N, "paused"),
    (failed(Failure.LOCAL), PAGE, N, "local"),
    # where a video is expected
    (media(), FILE, A, "ok"),
    (media(None, length=734003200, status=200), FILE, A, "ok"),
    (media(content_type="application/octet-stream"), FILE, A, "ok"),
    (media(content_type=""), FILE, A, "ok"),
    (media(b"\x1aE\xdf\xa3webm", "application/octet-stream"), FILE, A, "ok"),
    (media(b"OggS\x00\x02" + bytes(40), "application/octet-stream"), FILE, A, "ok"),
    (media(TS, ""), FILE, A, "ok"),
    (media(b"#EXTM3U\n#EXT-X-VERSION:3\n", "text/plain"), FILE, A, "ok"),
    (media(b"#EXTM3U\n", "application/vnd.apple.mpegurl"), FILE, A, "ok"),
    (media(b"#EXTM3U\n#EXT-X-TARGETDURATION:8\n", "application/vnd.apple.mpegurl"), FILE, A, "ok"),
    (media(b"#EXTM3U\n#EXT-X-ENDLIST\n", "application/vnd.apple.mpegurl"), FILE, G, "empty"),
    (media(b"#EXTM3U\n#EXTINF:8,\na.ts\n#EXT-X-ENDLIST\n", "application/vnd.apple.mpegurl"), FILE, A, "ok"),
    (media(b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash">', "text/xml"), FILE, A, "ok"),
    (media(b"<MPD/>", "application/dash+xml"), FILE, A, "ok"),
    (media(b'<?xml version="1.0"?><SmoothStreamingMedia MajorVersion="2">', "text/xml"), FILE, A, "ok"),
    (media(content_type="text/html"), FILE, A, "ok"),
    (media(gzip.compress(b"#EXTM3U\n#EXT-X-VERSION:3\n"), "application/octet-stream"), FILE, A, "ok"),
    (media(gzip.compress(bytes(range(256))), "application/octet-stream"), FILE, G, "wrong_type"),
    (media(b"<html><MPD", "text/html"), FILE, B, "unknown_page"),
    (media(bytes(range(256)), "application/x-unknown"), FILE, A, "ok"),
    (response(416, content_type="video/mp4", headers={"content-range": "bytes */4012"}), FILE, A, "ok"),
    (response(416, content_type="video/mp4", headers={"content-range": "bytes */0"}), FILE, G, "empty"),
    (page(), FILE, B, "unknown_page"),
    (media(b"<!DOCTYPE html><title>Films</title>"), FILE, B, "unknown_page"),
    (page("404 Not Found", player=False), FILE, G, "soft_404"),
    (page("Just a moment...", player=False), FILE, B, "bot_wall"),
    (media(b""), FILE, G, "empty"),
    (response(204, None, ""), FILE, G, "empty"),
    (media(None, status=200, length=0), FILE, G, "empty"),
    (media(b'{"error": "is_dark"}', "application/json"), FILE, G, "wrong_type"),
    (media(b"gone fishing", "text/plain"), FILE, G, "wrong_type"),
    (media(b"\xff\xd8\xff\xe0JFIF", "application/octet-stream"), FILE, G, "wrong_type"),
    (media(b"%PDF-1.7", "application/octet-stream"), FILE, G, "wrong_type"),
    (media(b"\x89PNG\r\n", "image/png"), FILE, G, "wrong_type"),
]  # fmt: skip

TABLE += [
    *((says(title), PAGE, G, "soft_404") for title in pages_of(GONE_TITLES)),
    *((says("Nosferatu", text), request_for("Other"), G, "soft_404") for text in pages_of(GONE_TEXTS)),
    *((says("Films", text), PAGE, B, "abroad") for text in pages_of(ABROAD_TEXTS)),
    *((says("Films", text), PAGE, U, "maintenance") for text in pages_of(LATER_TEXTS)),
    *((says("Nosferatu (1922)", text), PAGE, A, "ok") for text in pages_of(LIVING_TEXTS)),
    *((film(f"<video src=a></video><p>{text}"), PAGE, A, "ok") for text in pages_of(GONE_TEXTS)),
    *((film(f"<aside><h2>{title}</h2></aside><p>{LONG_TEXT}"), PAGE, A, "ok") for title in pages_of(GONE_TITLES)),
]


def source(markup, status=200, **fields):
    """A page of this markup alone."""
    return response(status, f"<!doctype html><html>{markup}</html>".encode(), **fields)


def landed(path, markup="<head><title>Films</title></head><body><p>Films</p></body>", **fields):
    """What a redirect to this path of the same host ended with."""
    return source(markup, final_url=f"https://films.example.org{path}", hops=1, **fields)


FILM_SOURCE = f"<head><title>Nosferatu (1922) | Films</title></head><body><h1>Nosferatu</h1><p>{LONG_TEXT}</p></body>"
WALLS = [
    "<script id='anubis_challenge'>{}</script><h1>One second</h1>",
    "<title></title><script>window.gokuProps = {}</script><div id=challenge-container></div>",
    "<meta http-equiv=refresh content='0;/.well-known/sgcaptcha/?r=%2F'>",
    "<iframe src='/_Incapsula_Resource?CWUDNSAI=9&xinfo=1'>Request unsuccessful.</iframe>",
    "<script src=/aes.js></script><script>document.cookie='__test='+toHex(slowAES.decrypt(c,2,a,b))</script>",
    "<title>Moment bitte</title><script>window._cf_chl_opt={}</script>",
    "<title>DDoS-Guard</title><script src='/.well-known/ddos-guard/js-challenge/index.js'></script>",
    "<title>Access</title><div id='px-captcha'></div>",
    "<title>films.example</title><script>var dd={'rt':'c'}</script><script src='https://ct.captcha-delivery.com/c.js'>",
    "<div id='sec-if-cpt-container'></div>",
    "<script>document.cookie='k=1';location.reload()</script>",
    "<title>Robot Challenge Screen</title><h1>Checking your browser</h1>",
]
GUARDED = [  # What walls put into the pages that they let through.
    "<script src='/cdn-cgi/challenge-platform/scripts/jsd/main.js'></script>",
    "<script src='/_Incapsula_Resource?SWJIYLWA=719d'></script>",
    "<script src='https://js.datadome.co/tags.js'></script>",
    "<script src='https://client.px-cloud.net/PX1/main.min.js'></script>",
    "<script src='https://0a1b.token.awswaf.com/0a1b/challenge.js'></script>",
]
TABLE += [
    *((source(wall, status), sent, B, "bot_wall") for wall in WALLS for status in (200, 403) for sent in (PAGE, FILE)),
    *((source(mark + FILM_SOURCE), PAGE, A, "ok") for mark in GUARDED),
    (response(202, b""), PAGE, B, "bot_wall"),
    (response(202, b""), FILE, B, "bot_wall"),
    (source(FILM_SOURCE, 202), PAGE, A, "ok"),
    (response(405, headers={"x-amzn-waf-action": "captcha"}), PAGE, B, "bot_wall"),
    (response(202, b"", headers={"sg-captcha": "challenge"}), FILE, B, "bot_wall"),
    (page("Checking Your Browser (2019)"), request_for("Checking Your Browser"), A, "ok"),
    (says("Nosferatu (1922)", "Please enable cookies or choose what you accept."), PAGE, A, "ok"),
    (source("<title>Films</title><p>Films</p><div id=cookie-banner>Please enable cookies.</div>"), PAGE, A, "ok"),
    (says("One more step", "Please enable cookies and reload the page."), PAGE, B, "bot_wall"),
    # pages where a file is due
    (says("Virus scan warning", "film.mp4 is too large to be scanned. Download anyway?"), FILE, B, "unknown_page"),
    (says("Download", "Your download starts in a moment."), FILE, B, "unknown_page"),
    (says("Quota exceeded", "Too many users have viewed this file recently."), FILE, U, "maintenance"),
    (says("File not found"), FILE, G, "soft_404"),
    (says("Datei wurde gelöscht"), FILE, G, "soft_404"),
    # error pages by their address
    *(
        (landed(path), sent, G, "soft_404")
        for path in ("/404", "/404.html", "/errors/404.htm", "/notfound", "/page-not-found", "/en/page-not-found/",
                     "/error.aspx?aspxerrorpath=/watch/nosferatu", "/x.htm?404;http://films.example.org/watch/nosferatu",
                     "/cgi-sys/suspendedpage.cgi", "/account-suspended", "/error?code=404", "/video-unavailable",
                     "/seite-nicht-gefunden", "/page-introuvable")
        for sent in (PAGE, FILE)
    ),
    (landed("/film/notfound-1934/", FILM_SOURCE), PAGE, A, "ok"),
    (landed("/errors-of-youth"), PAGE, A, "ok"),
    (landed("/watch/lost-and-found"), PAGE, A, "ok"),
    (landed("/404", FILM_SOURCE), PAGE, A, "ok"),
    (landed("/404"), request_for("404"), A, "ok"),
    (landed("/notfound", url="https://films.example.org/not-found"), PAGE, A, "ok"),
    (landed("/maintenance.html"), PAGE, U, "maintenance"),
    *(
        (landed(path), PAGE, B, "abroad")
        for path in ("/geo-blocked", "/geoblock.html", "/not-available-in-your-country", "/unavailable-region",
                     "/en/wrong-country/", "/region-locked")
    ),
    (landed("/geometry"), PAGE, A, "ok"),
    (landed("/region/france"), PAGE, A, "ok"),
    (landed("/geo-blocked", FILM_SOURCE), PAGE, A, "ok"),
    (landed("/503"), PAGE, U, "maintenance"),
    (landed("/", "<title>Films</title><h1>Temporarily offline</h1><p>Back soon.</p>"), PAGE, U, "maintenance"),
    *(
        (landed(path), PAGE, G, "redirect_home")
        for path in ("/us/", "/gb", "/de/", "/en-gb/", "/pt-br/home", "/us/en/", "/intl/de/", "/zh-hans/", "/en-001/")
    ),
    (landed("/tv/"), PAGE, A, "ok"),
    (landed("/us/nosferatu"), PAGE, A, "ok"),
    (landed("/servicelogin?continue=x"), PAGE, B, "login"),
    (landed("/cookie-consent?next=/watch"), PAGE, B, "login"),
    # domains for sale, and sites that are suspended
    (says("films.example.org is for sale"), PAGE, G, "parked"),
    (says("films.example.org", "Buy this domain. Related searches"), PAGE, G, "parked"),
    (says("Diese Domain steht zum Verkauf"), PAGE, G, "parked"),
    (says("Account Suspended", "This account has been suspended."), PAGE, G, "parked"),
    (source("<script>window.onload=function(){window.location.href='/lander'}</script>"), PAGE, G, "parked"),
    (source("<script>location.replace('https://ww25.films.example.org/')</script>"), PAGE, G, "parked"),
    (source("<title>x</title><p>y</p>", final_url="https://ww1.films.example.org/?s=1", hops=1), PAGE, G, "parked"),
    (source("<p>y</p>", final_url="https://www.hugedomains.com/domain_profile.cfm?d=x", hops=1), PAGE, G, "parked"),
    (page("Nosferatu | House for sale"), PAGE, A, "ok"),
    (film(f"<p>{LONG_TEXT}</p>", "Nosferatu | Account Suspended and other shorts"), PAGE, A, "ok"),
    (source("<script>location.href='/watch/nosferatu/player'</script><p>Nosferatu</p>"), PAGE, A, "ok"),
    # a page that leads on
    (source("<meta http-equiv=refresh content='0; url=/'>"), PAGE, G, "redirect_home"),
    (source("<meta http-equiv=refresh content='0; url=/404.html'>"), PAGE, G, "soft_404"),
    (source("<meta http-equiv=refresh content='0; url=/login'>"), PAGE, B, "login"),
    (source("<meta http-equiv=refresh content='0; url=/film/new'>"), PAGE, U, "bad_redirect"),
    (source("<meta http-equiv=refresh content='300'>" + FILM_SOURCE), PAGE, A, "ok"),
    (source("<noscript><meta http-equiv=refresh content='0; url=/nojs'></noscript>"), PAGE, A, "ok"),
    # what a player's own data say
    (source('<title> - Tube</title><script>x={"playabilityStatus":{"status":"ERROR"}}</script>'), PAGE, G, "soft_404"),
    (source('<title> - Tube</title><script>x={"playabilityStatus":{"status":"OK"}}</script>'), PAGE, A, "ok"),
    (source('<script>x={"playabilityStatus":{"status":"LOGIN_REQUIRED"}}</script>'), PAGE, B, "login"),
    # sentences that nobody sees, or that speak of other films
    (source(FILM_SOURCE + "<div class=modal style='display: none'><h2>Video not found</h2></div>"), PAGE, A, "ok"),
    (source(FILM_SOURCE + "<div aria-hidden=true><h1>Page not found</h1></div>"), PAGE, A, "ok"),
    (source(FILM_SOURCE + "<nav><h2>Not Found</h2></nav><footer><h2>404</h2></footer>"), PAGE, A, "ok"),
    (source(FILM_SOURCE + "<section class='related films'><h2>Video not found</h2></section>"), PAGE, A, "ok"),
    (source(FILM_SOURCE + "<h2><a href=/7>Page not found</a></h2>"), PAGE, A, "ok"),
    (source("<h1>Films</h1><div hidden><div></div><p>Page not found</p></div><p>Hello</p>"), PAGE, A, "ok"),
    # charsets
    (response(body="\ufeff<html><title>Страница не найдена</title>".encode("utf-16-le")), PAGE, G, "soft_404"),
    (response(body="<html><title>Страница не найдена</title>".encode("cp1251"),
              headers={"content-type": "text/html; charset=windows-1251"}), PAGE, G, "soft_404"),
    (response(body="<html><meta charset='Shift_JIS'><title>ページが見つかりません</title>".encode("shift_jis")),
     PAGE, G, "soft_404"),
    (response(body=b"<html><title>Page not found</title>", headers={"content-type": "text/html; charset=zlib"}),
     PAGE, G, "soft_404"),
    # busy
    (response(403, headers={"retry-after": "60"}), PAGE, T, "throttled"),
    (response(403, headers={"x-ratelimit-remaining": "0"}), PAGE, T, "throttled"),
    (response(503, b"<Error><Code>SlowDown</Code></Error>", "application/xml"), FILE, T, "throttled"),
]  # fmt: skip


@pytest.mark.parametrize(("received", "sent", "verdict", "reason"), TABLE)
def test_judge(received, sent, verdict, reason):
    judgement = judge(received, sent)
    assert (judgement.verdict, judgement.reason) == (verdict, reason)


def test_the_table_is_long_and_its_reasons_are_known():
    assert len(TABLE) >= 300
    assert {reason for *_, reason in TABLE} <= REASON_TEXT.keys()


@pytest.mark.parametrize(
    ("head", "is_media", "conclusive"),
    [
        (response(200, content_type="video/mp4", length=5000), True, True),
        (response(200, content_type="video/mp4"), True, True),
        (response(200, content_type="application/vnd.apple.mpegurl", length=21), True, False),
        (response(200, content_type="video/mp4", length=0), True, False),
        (response(200, content_type="application/octet-stream", length=5000), True, False),
        (response(200, content_type="text/html"), True, False),
        (response(200, content_type="text/html"), False, False),
        (response(200, content_type="application/pdf"), False, True),
        (response(200, content_type=""), False, False),
        (response(304), False, True),
        (response(429), False, True),
        (response(503, headers={"retry-after": "9"}), False, True),
        (response(503), False, False),
        (response(403), False, False),
        (response(404), False, False),
        (response(405), False, False),
        (failed(Failure.TIMEOUT), False, False),
        (failed(Failure.LOOP), False, False),
        (failed(Failure.PRIVATE), False, True),
    ],
)
def test_when_the_response_to_head_is_conclusive(head, is_media, conclusive):
    assert is_conclusive(head, media=is_media) is conclusive


@pytest.mark.parametrize(
    "markup", [b"a", b"<", b"<script>", b"<h1>", b"<h1 ", b"<!--", b"<!---->", b"<h1>404</h1>"], ids=bytes.decode
)
def test_a_hostile_page_is_read_in_time_proportional_to_its_length(markup):
    def judge_page(body):
        return judge(response(body=b"<html>" + body), PAGE)

    assert growth(judge_page, lambda size: markup * (size // len(markup)), 65_536) < MAX_GROWTH


@pytest.mark.parametrize(
    ("received", "doubtful"),
    [
        (says("Nosferatu (1922)", "This video is no longer available."), True),
        (says("Films", "This video is no longer available."), False),
        (landed("/films"), True),
        (landed("/films", FILM_SOURCE), False),
        (landed("/films", "<video src=a></video>"), False),
        (page(), False),
    ],
)
def test_when_a_control_page_decides(received, doubtful):
    assert judge(received, PAGE).is_doubtful is doubtful


def test_scripts_and_head_are_no_text():
    parsed = parse_page(b"<html><head><style>p{}</style></head><script>page not found</script><p>Hello <b>there</b>")
    assert (parsed.headings, parsed.body_text) == ((), "hello there")


def test_a_length_of_thousands_of_digits_does_not_end_the_run():
    """int() of more than 4300 digits raises: one hostile host would end every run of the whole catalogue."""
    received = response(416, headers={"content-range": "bytes */" + "9" * 5000})
    assert judge(received, PAGE).verdict in (A, B)
