"""Answers out of the ordinary, in tables: each kind known from public reports stands beside what only looks like it.

Own texts. What is said in other words is in `test_other_words`, what several requests show in `test_confirmation`.
"""

from __future__ import annotations

import json

import pytest

from streaming.health.judging.verdict import Verdict, judge
from streaming.health.probe_types import ProbeRequest, ProbeResponse

URL = "https://quay.example/film/1"
FILM = "The Lamplighter"
PLOT = "A lamplighter finds a purse on the quay and spends a winter looking for its owner."
A, G, B, U, T = Verdict.ALIVE, Verdict.GONE, Verdict.BLOCKED, Verdict.UNREACHABLE, Verdict.THROTTLED


def verdict_of(body="", status=200, content_type="text/html", *, media=False, title=FILM, **fields):
    sent = body.encode() if isinstance(body, str) else body
    given = {"url": URL, "final_url": fields.get("url", URL), "method": "GET", "headers": {}, **fields}
    response = ProbeResponse(1, status=status, body=sent, content_type=content_type, **given)
    return judge(response, ProbeRequest(1, given["url"], media, title)).verdict


def shown(title, markup, head=""):
    start = f"<!doctype html><html><head><meta charset=utf-8>{head}<title>{title}</title></head>"
    return f"{start}<body>{markup}</body></html>"


def said(heading, text=""):
    return shown(heading, f"<h1>{heading}</h1><p>{text}</p>")


def film_page(extra="", *, heading=FILM, text=PLOT):
    return shown("Quay Cinema", f"<h1>{heading}</h1><a href=/play>Play</a>{extra}<p>{text}</p>")


WHOLE = shown(f"{FILM} | Quay", f"<h1>{FILM}</h1><video src=/reel.mp4></video><p>{PLOT}</p>")
PROGRAM = shown("Quay", "<div id=root></div><script src=/app.js></script>")
REWRITING = shown("Quay", "", "<script>location.replace('/?p=' + location.pathname)</script>")


# --- statuses
@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        *((status, "no", B) for status in (402, 406, 409, 412, 415, 421, 423, 425, 428, 440, 444, 460, 494, 498, 499)),
        *((status, "no", U) for status in (508, 510, 520, 525, 530, 540, 561, 598, 599)),
        *((status, "slower", T) for status in (420, 430, 529)),
        *((status, WHOLE, A) for status in (201, 203, 218, 226, 300)),
        (300, said("300 Multiple Choices", "Documents with names like the one you asked for:"), U),
        # what is sent for all paths where a host knows no other way
        (404, WHOLE, A), (404, PROGRAM, B), (404, REWRITING, B), (410, WHOLE, G),
        (404, said(f"{FILM} was not found"), G), (404, "<h1>Not here</h1>", G), (404, "", G),
        (404, shown(f"404 - {FILM}", "<h1>Page not found</h1><iframe src=/trailer></iframe>"), G),
        (404, shown("Quay", "<iframe src=/advert></iframe><p>Sorry.</p><script></script>"), G),
        (404, shown("404", "<div id=root></div><script src=/app.js></script>"), G),
        (404, shown(f"{FILM} | Quay", "<p>Sorry.</p><noscript><iframe src=/></iframe></noscript><script></script>"), G),
    ],
)  # fmt: skip
def test_a_status_is_read_with_its_page(status, body, verdict):
    assert verdict_of(body, status) is verdict


# --- what programs reply
def storage_error(code):
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>Words.</Message></Error>"


@pytest.mark.parametrize(
    ("status", "body", "content_type", "verdict"),
    [
        *((503, storage_error(code), "application/xml", T)
          for code in ("SlowDown", "ServerBusy", "RequestLimitExceeded")),
        (200, storage_error("SlowDown"), "application/xml", T),
        (403, '{"error": {"errors": [{"reason": "userRateLimitExceeded"}]}}', "application/json", T),
        (200, storage_error("InternalError").replace("Words", "Internal error, try again"), "application/xml", U),
        (200, storage_error("AccessDenied"), "application/xml", B),
        (301, storage_error("PermanentRedirect"), "application/xml", U),
        (200, '{"error": "authentication required"}', "application/json", B),
        (200, '{"status": 403, "message": "no"}', "application/json", B),
        (200, "Token expired", "text/plain", B),
        (200, "too many connections, please wait", "text/plain", U),
        (200, '{"error": "file expired"}', "application/json", G),
        (200, storage_error("NoSuchKey"), "application/xml", G),
        (200, "It was a dark night.", "text/plain", G),
    ],
)  # fmt: skip
def test_a_program_says_why_there_is_no_film(status, body, content_type, verdict):
    assert verdict_of(body, status, content_type, media=True) is verdict


@pytest.mark.parametrize("text", ["The file was deleted, says the page.", "Not available in your country is bread."])
def test_data_of_a_film_are_no_error(text):
    assert (
        verdict_of(json.dumps({"title": "Die Laterne", "plot": text, "file": "/1.mp4"}), 200, "application/json") is A
    )
    assert verdict_of(f"{FILM}\n\n{text}\n", 200, "text/plain") is A


# --- files
@pytest.mark.parametrize(
    ("end", "body", "content_type", "verdict"),
    [
        ("m3u", "https://a.example/1.mp4\nhttps://a.example/2.mp4\n", "text/plain", A),
        ("m3u8", "#EXTINF:-1,Reel\nhttps://a.example/1.mp4\n", "text/plain", A),
        ("pls", "[playlist]\nFile1=https://a.example/1.mp4\n", "text/plain", A),
        ("asx", '<ASX version="3.0"><entry><ref href="a"/></entry></ASX>', "text/xml", A),
        ("f4m", "<?xml version='1.0'?><manifest xmlns='http://ns.adobe.com/f4m/1.0'/>", "application/f4m+xml", A),
        ("smil", "<smil><body><video src='a'/></body></smil>", "text/plain", A),
        ("xspf", "<?xml version='1.0'?><playlist version='1'/>", "application/xspf+xml", A),
        ("ram", "rtsp://a.example/1.rm\n", "text/plain", A),
        ("mpd", "<?xml version='1.0'?><d:MPD xmlns:d='urn:mpeg:dash:schema:mpd:2011'/>", "text/xml", A),
        ("zip", b"PK\x03\x04" + bytes(900), "application/zip", A),
        ("torrent", "d8:announce31:udp://tracker.example:1/announcee", "application/x-bittorrent", A),
        ("json", b"\x0b\x1f\x80" + bytes(range(7, 200)), "application/json", A),
        ("mp4", b"PK\x03\x04" + bytes(900), "application/zip", G),
        ("mp4", "d8:announce31:udp://tracker.example:1/announcee", "application/octet-stream", G),
        ("m3u8", "The stream at https://a.example/ is gone.", "text/plain", G),
        ("m3u8", '{"url": "https://a.example/"}', "text/plain", G),
        ("xml", "<?xml version='1.0'?><rss><channel/></rss>", "application/rss+xml", B),
    ],
)  # fmt: skip
def test_a_file_is_what_its_address_and_first_bytes_say(end, body, content_type, verdict):
    assert verdict_of(body, 200, content_type, media=True, url=f"https://quay.example/reel.{end}") is verdict


# --- not yet, and not for everybody
NOT_YET = (
    "This video is not available yet.", "The film is not yet available.", "This video is unavailable until Friday.",
    "Dieses Video ist noch nicht verfügbar.", "Este vídeo todavía no está disponible.",
    "Este vídeo aún no está disponible.", "Este vídeo ainda não está disponível.",
    "Deze video is nog niet beschikbaar.", "Ten film nie jest jeszcze dostępny.",
    "Это видео пока недоступно.", "Toto video ještě není k dispozici.", "Den här videon är ännu inte tillgänglig.",
    "この動画はまだご利用いただけません。", "Denne video er endnu ikke tilgængelig.", "Це відео ще не доступне.",
    "Cette vidéo n'est pas encore disponible.", "Questo video non è ancora disponibile.",
    "The stream is currently offline.",
)  # fmt: skip
NEVER = (
    "This page does not exist yet.", "This video is no longer available.",
    "Dieses Video ist nicht mehr verfügbar.", "Este vídeo ya no está disponible.", "Это видео больше недоступно.",
)  # fmt: skip


@pytest.mark.parametrize("text", NOT_YET)
def test_what_is_not_available_yet_is_not_gone(text):
    assert {verdict_of(page) for page in (said(text), said("Soon", text), said("Video unavailable", text))} <= {A, U, B}


@pytest.mark.parametrize("text", NEVER)
def test_what_does_not_exist_yet_or_any_more_is_gone(text):
    assert {verdict_of(said(text)), verdict_of(said("Sorry", text))} == {G}


@pytest.mark.parametrize(
    "text", [*NOT_YET, "The second part is not available yet.", "Subtitles are not yet available."]
)
def test_a_film_with_a_player_is_there_whatever_is_not_there_yet(text):
    assert verdict_of(WHOLE.replace(PLOT, text)) is A


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Playback on other websites has been disabled by its owner.", B),
        ("Join to get access to members-only content.", B),
        ("This video is only available to Gold level subscribers.", B),
        ("This video requires payment to watch.", B),
        ("Sign in to confirm your age.", B),
        ("The uploader has closed the account.", G),
        ("", G),
    ],
)
def test_unavailable_to_us_is_not_gone(text, verdict):
    assert verdict_of(said("Video unavailable", text)) is verdict


# --- what is on a page beside its film
HIDDEN = (
    "class=hide", "class='error ng-hide'", "class=uk-hidden", "class='vjs-hidden modal-x'", "class=invisible",
    "class=js-hidden", "x-cloak x-show=lost", "v-cloak", "v-if='error'", "ng-show=failed", "hidden=until-found",
    "inert",
    "style='visibility: collapse'", "class=sr-only", "class='screen-reader-text x'", "class='error collapse'",
    "style='opacity:0;height:0'", "style='position:absolute;left:-9999px'",
)  # fmt: skip


@pytest.mark.parametrize("attribute", HIDDEN)
def test_what_a_page_hides_is_not_said(attribute):
    lost = f"<div {attribute}><h2>Video not found</h2><p>This video has been removed.</p></div>"
    assert verdict_of(film_page(lost, heading="Der Laternenmann")) is A


@pytest.mark.parametrize(
    "attribute",
    [
        "class=overflow-hidden",
        "class='box hide-on-print'",
        "data-if=a",
        "class=shown",
        "class='collapse show'",
        "style='opacity:0.9'",
        "style='left:-2px'",
    ],
)
def test_what_only_sounds_hidden_is_said(attribute):
    assert verdict_of(shown("Quay", f"<div {attribute}><h1>Video not found</h1><p>It was removed.</p></div>")) is G


@pytest.mark.parametrize(
    "page",
    [
        f"<!doctype html><html><svg><title>Video unavailable</title></svg><h1>{FILM}</h1><p>{PLOT}</p></html>",
        shown(FILM, f"<h1>{FILM}</h1><p>{PLOT}</p>", "<!-- <title>Page not found</title> -->"),
        shown(FILM, f"<h1>{FILM}</h1><p>{PLOT}</p>", "<script>lost = '<title>404 Not Found</title>'</script>"),
        "<html><frameset><frame src=/reel></frameset><noframes>Without frames: page not found.</noframes></html>",
        film_page("<a href=/2><h2>Removed</h2></a>", heading="Der Laternenmann"),
        film_page("<a href=/2 class=card> <h3>Video Not Found</h3></a>", heading="Der Laternenmann"),
        film_page("<div class=replies><p>This link is dead!</p></div>", heading="Der Laternenmann"),
        shown(f"{FILM} | Quay", f"<h1>{FILM}</h1><p>{PLOT}</p><h2>More films</h2><h2>Gone</h2>"),
        shown(f"{FILM} | Quay", f"<h1>{FILM}</h1><p>{PLOT}</p><h2>More films</h2><h2>Video Not Found</h2>"),
    ],
)
def test_words_of_other_things_are_not_those_of_the_page(page):
    assert verdict_of(page) is A


@pytest.mark.parametrize(
    "page",
    [
        shown("Page not found", "<svg><title>Logo</title></svg><p>Sorry</p>"),
        shown("Quay", "<a href=/>Home</a><h1>Removed</h1>"),
        shown(f"{FILM} | Quay", f"<h1>{FILM}</h1><h2>This video is unavailable</h2>"),
    ],
)
def test_words_of_the_page_itself_count(page):
    assert verdict_of(page) is G


@pytest.mark.parametrize("title", ["Geo-Blocked", "Not Available", "Please Stand By", "Removed", "The Maintenance Man"])
@pytest.mark.parametrize("around", ["{}", "{} (2017)", "Watch {} online", "{}: a film"])
def test_a_film_may_be_called_so(title, around):
    page = shown(around.format(title), f"<h1>{title}</h1><div id=player></div><p>A short of 2017.</p>")
    assert verdict_of(page, title=title) is A


# --- where a redirect ends
@pytest.mark.parametrize(
    "path",
    ["/film/missing", "/movie/gone", "/title/lost", "/series/oops", "/movie/404", "/film/410/", "/de/film/404",
     "/film/entrar", "/movie/subscribe", "/series/join",
     "/movie/500", "/film/503", "/film/offline", "/movie/maintenance", "/watch/expired"],
)  # fmt: skip
def test_a_film_has_such_a_name_or_number(path):
    page = shown("An old film | Quay", f"<h1>An old film</h1><div id=player></div><p>{PLOT * 4}</p>")
    assert verdict_of(page, final_url=f"https://quay.example{path}", hops=1, title="Der alte Film") is A


@pytest.mark.parametrize(
    ("path", "verdict"),
    [("/anmelden", B), ("/fr/connexion", B), ("/konto/einloggen.html", B), ("/iniciar-sesion/", B), ("/accedi", B),
     ("/consentement", B), ("/cookie-zustimmung", B), ("/altersfreigabe", B),
     ("/404", G), ("/en/404/", G), ("/error/404", G), ("/pages/404.html", G), ("/video/notfound", G), ("/gone", G),
     ("/film/not-found", G), ("/en-us/error", G), ("/503", U), ("/en/maintenance", U), ("/site/offline.html", U)],
)  # fmt: skip
def test_a_page_of_the_site_itself_has_no_film(path, verdict):
    page = shown("Quay", "<p>Films</p>")
    assert verdict_of(page, final_url=f"https://quay.example{path}", hops=1) is verdict


@pytest.mark.parametrize(
    ("path", "verdict"),
    [("/static/video-not-found.mp4", G), ("/v/not_available.mp4", G), ("/404.mp4", G), ("/removed.mp4", G),
     ("/cdn/1.mp4", A), ("/films/removed.mp4", A), ("/films/not-available-1931.mp4", A)],
)  # fmt: skip
def test_a_video_may_only_say_that_one_is_missing(path, verdict):
    video = b"\x00\x00\x00\x20ftypisom" + bytes(64)
    url = f"https://quay.example{path}"
    assert verdict_of(video, content_type="video/mp4", media=True, final_url=url, hops=1) is verdict
    assert verdict_of(video, content_type="video/mp4", media=True, url=url) is A


# --- what is beside a film, and its rights
@pytest.mark.parametrize(
    "text",
    [
        "The copyright to this film has expired.", "Auteursrecht op deze film is verlopen.",
        "Срок охраны авторских прав на этот фильм истёк.", "Upphovsrätten till den här filmen har gått ut.",
        "この作品の著作権は期限が切れました。", "Der Urheberrechtsschutz dieses Films ist abgelaufen.",
        "The DVD of this film is no longer available.", "Die DVD zu diesem Film ist nicht mehr verfügbar.",
        "Le DVD de ce film n'est plus disponible.", "Il trailer di questo film non è disponibile.",
        "この映画に音声はありません。", "Dieser Film war in der DDR nicht verfügbar.",
        "This film was removed from the list of lost films.", "This film no longer exists in full.",
        "This film is only available in the United States on disc.", "The chat for this stream is offline.",
        "This video is not available? Tell us.", "Film nicht verfügbar? Schreib uns.",
        "Vidéo indisponible ? Signalez-le.", "Видео недоступно? Сообщите нам.",
        "<button>Report: this link is dead</button>",
    ],
)  # fmt: skip
@pytest.mark.parametrize("title", [FILM, "Der Laternenmann"])
def test_a_short_text_speaks_of_what_is_beside_the_film(text, title):
    page = shown(f"{FILM} | Quay", f"<h1>{FILM}</h1><a href=/play>Play</a><p>{text}</p>")
    assert verdict_of(page, title=title) is A


@pytest.mark.parametrize(
    "text",
    [
        "The rights to this film have expired.", "This video has expired.", "Access to this video has been disabled.",
        "This film was removed from our site.", "This film has been removed from our video library.",
        "Der Link ist leider abgelaufen.", "La page de ce film n'existe plus.",
        "La lecture de cette vidéo est indisponible.", "El acceso a esta página ya no está disponible.",
        "お探しのページはありません。", "This video was removed because of a copyright claim.",
        "The video for this page has been removed.", "Video not found. Lost? Go home.",
    ],
)  # fmt: skip
def test_a_short_text_speaks_of_the_film(text):
    assert verdict_of(shown("Quay", f"<h1>Sorry</h1><p>{text}</p>")) is G


@pytest.mark.parametrize(
    ("notice", "verdict"),
    [("Scheduled maintenance on Sunday", A), ("Some videos are not available in your country", A),
     ("We are back online!", A), ("This video is not available in your country", B)],
)  # fmt: skip
def test_a_notice_of_the_site_stands_above_a_film(notice, verdict):
    page = shown(f"{FILM} | Quay", f"<h2>{notice}</h2><h1>{FILM}</h1><div id=player></div><p>{PLOT * 6}</p>")
    assert verdict_of(page, title="Der Laternenmann") is verdict


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (500, WHOLE, A), (503, WHOLE, A), (500, said("Internal Server Error"), U), (503, PROGRAM, U),
        (503, WHOLE.replace(f"<h1>{FILM}", "<h1>Down for maintenance"), U), (500, WHOLE.replace("<video", "<i"), U),
        (403, WHOLE, B),
    ],
)  # fmt: skip
def test_a_site_sends_its_film_with_an_error(status, body, verdict):
    assert verdict_of(body, status) is verdict


@pytest.mark.parametrize("query", ["show?s=1&e=404", "watch?code=410", "film?id=404"])
def test_a_number_in_a_query_is_one_of_a_film(query):
    page = shown("An old film | Quay", f"<h1>An old film</h1><p>{PLOT * 6}</p>")
    assert verdict_of(page, final_url=f"https://quay.example/{query}", hops=1, title="Der alte Film") is A
