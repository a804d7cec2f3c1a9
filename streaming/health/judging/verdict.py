"""Judge what a response means for a link. Pure."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from scraper.net.throttling import is_throttled
from streaming.health.judging import bot_wall, content, landing, program_replies, soft_404
from streaming.health.judging.host_rules import status_meaning
from streaming.health.judging.page_text import PageText, has_player, has_visible_player, parse_page
from streaming.health.judging.phrases import normalize_text
from streaming.health.judging.removal import strength_of
from streaming.health.judging.site_pages import SitePage
from streaming.health.judging.soft_404 import Denial
from streaming.health.probe_types import Failure, ProbeRequest, ProbeResponse
from streaming.reason_codes import Reason, Strength

NOT_SENT = frozenset({Failure.PRIVATE, Failure.LOCAL, Failure.PAUSED})
PAGE_TYPES = (*content.MARKUP_TYPES, "text/")
POSSIBLE_BOT_WALL = frozenset({200, 202, 203, 206, 401, 403, 405, 418, 429, 503, 520})
READ_STATUSES = POSSIBLE_BOT_WALL | frozenset(range(200, 300))
MIN_MEDIA_BYTES = 64
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
MULTIPLE_CHOICES, LIST_BYTES = 300, 1024
SHOWN_STATUSES = frozenset({404, 500, 503})
"""Statuses with which some sites send pages that work."""
SHOWN_MARKS = re.compile(rb"<(?:script|video|iframe)\b", re.I)
NO_LENGTH = re.compile(r"\s*bytes\s+\*/([0-9]{1,18})\s*", re.I)


class Verdict(StrEnum):
    """The outcome of checking a link; the values are those of the reports."""

    ALIVE = "alive"
    GONE = "gone"
    BLOCKED = "blocked"
    UNREACHABLE = "unreachable"
    THROTTLED = "throttled"
    NOT_CHECKED = "not_checked"

    @property
    def is_bad(self) -> bool:
        """Whether it turns a link off, if the run is accepted."""
        return self in (Verdict.GONE, Verdict.BLOCKED, Verdict.UNREACHABLE)


class Judgement(NamedTuple):
    """The verdict on a link and its reason. `is_doubtful`: a control page of the same host decides."""

    verdict: Verdict
    reason: Reason
    is_doubtful: bool = False

    @property
    def strength(self) -> Strength:
        """How certain a bad verdict is; none for the others."""
        return strength_of(self.reason) if self.verdict.is_bad else Strength.NONE


ALIVE = Judgement(Verdict.ALIVE, Reason.OK)
THROTTLED = Judgement(Verdict.THROTTLED, Reason.THROTTLED)
FORWARDED = Judgement(Verdict.NOT_CHECKED, Reason.ELSEWHERE)
ABROAD = Judgement(Verdict.BLOCKED, Reason.ABROAD)
BOT_WALL = Judgement(Verdict.BLOCKED, Reason.BOT_WALL)
LOGIN = Judgement(Verdict.BLOCKED, Reason.LOGIN)
UNKNOWN_PAGE = Judgement(Verdict.BLOCKED, Reason.UNKNOWN_PAGE)
MAINTENANCE = Judgement(Verdict.UNREACHABLE, Reason.MAINTENANCE)
NOT_FOLLOWED = Judgement(Verdict.UNREACHABLE, Reason.BAD_REDIRECT)
DOUBTFUL_ALIVE = Judgement(Verdict.ALIVE, Reason.OK, is_doubtful=True)
DOUBTFUL_GONE = Judgement(Verdict.GONE, Reason.SOFT_404, is_doubtful=True)


@cache
def gone_judgement(reason: Reason) -> Judgement:
    """Return the judgement "gone" for this reason."""
    return Judgement(Verdict.GONE, reason)


@cache
def source_judgement(reason: Reason) -> Judgement:
    """Return the judgement for what a source's API says; `ok`: that the film is there."""
    if reason is Reason.OK:
        return ALIVE
    return Judgement(Verdict.BLOCKED, reason) if strength_of(reason) is Strength.BLOCKED else gone_judgement(reason)


SITE_PAGE_JUDGEMENTS = {
    SitePage.DEFAULT: gone_judgement(Reason.PARKED),
    SitePage.OUTAGE: MAINTENANCE,
    SitePage.FORBIDDEN: Judgement(Verdict.BLOCKED, Reason.HTTP_403),
    SitePage.UNAUTHORIZED: Judgement(Verdict.BLOCKED, Reason.HTTP_401),
    SitePage.GATE: LOGIN,
}
JUDGEMENT_BY_STATUS = {
    304: ALIVE,
    401: Judgement(Verdict.BLOCKED, Reason.HTTP_401),
    403: Judgement(Verdict.BLOCKED, Reason.HTTP_403),
    404: gone_judgement(Reason.HTTP_404),
    408: Judgement(Verdict.UNREACHABLE, Reason.TIMEOUT),
    410: gone_judgement(Reason.HTTP_410),
    451: Judgement(Verdict.BLOCKED, Reason.HTTP_451),
    999: Judgement(Verdict.BLOCKED, Reason.HTTP_999),
}


def judge(response: ProbeResponse, request: ProbeRequest) -> Judgement:
    """Judge a link by its final response, which is that to GET unless HEAD was conclusive."""
    if response.status is None or response.failure:
        return _failure_judgement(response)
    if program_replies.asks_to_slow_down(response.body or b""):
        return THROTTLED
    status = status_meaning(response.final_url, 200 if _is_page_of_redirect(response) else response.status)
    if status != response.status:
        response = response._replace(status=status)
    page = _parse_page(response)
    if bot_wall.states_challenge(response.headers) or (
        page and status in POSSIBLE_BOT_WALL and bot_wall.is_bot_wall(page, title=request.title)
    ):
        return BOT_WALL
    if 200 <= status < 300:
        return _success(response, request, page)
    shown = _page_in_spite_of_status(response, request) if status in SHOWN_STATUSES else None
    return shown or _other_status(response, status)


def _is_page_of_redirect(response: ProbeResponse) -> bool:
    """Return whether a redirect leads nowhere and has a page: browsers show that page.

    Browsers choose nothing from a list of choices either. A storage says in XML that its files are elsewhere.
    """
    is_redirect = response.status in REDIRECT_STATUSES and not response.headers.get("location", "").strip()
    if not response.body or not (is_redirect or response.status == MULTIPLE_CHOICES):
        return False
    if response.status == MULTIPLE_CHOICES and b"multiple choices" in response.body[:LIST_BYTES].lower():
        return False  # The list itself, as servers make it.
    return content.is_markup(response.content_type, response.body)


def _page_in_spite_of_status(response: ProbeResponse, request: ProbeRequest) -> Judgement | None:
    """Judge an error that browsers show as a film's page; None: it is what it says.

    A site in which something unseen fails sends its page with the status of that. Others answer all paths by the page
    for missing ones where their host knows no other way: with the film and its player, which works; or with a program
    that puts something there, which nobody can tell from here. Case: programs of one page at hosts that know files
    only, as those who offer such pages advise.
    """
    body = content.decompress(response.body or b"")
    if not content.is_markup(response.content_type, body) or not SHOWN_MARKS.search(body):
        return None
    page = parse_page(body, response.headers.get("content-type", ""))
    if soft_404.is_suspicious_beside_film(page, title=request.title):
        return None
    if soft_404.is_page_of_film(page, request.title):
        return ALIVE if not request.media and has_visible_player(page) else None
    return UNKNOWN_PAGE if response.status == 404 and soft_404.is_program(page) else None


def is_conclusive(response: ProbeResponse, *, media: bool) -> bool:
    """Return whether this response to HEAD is enough to judge the link, without its body.

    For a web page it never is: only the text tells whether the page shows a film or says "not found".
    """
    if response.status is None or response.failure:
        return response.failure in (Failure.PRIVATE, Failure.PAUSED)
    if response.status == 304 or is_throttled(response.status, response.headers):
        return True
    if response.status not in (200, 203, 206) or (response.length is not None and response.length < MIN_MEDIA_BYTES):
        return False  # An error that is sent as media is short.
    is_page = not response.content_type or response.content_type.startswith(PAGE_TYPES)  # Without a type it may be one.
    return content.is_media_type(response.content_type) or not (media or is_page)


def _failure_judgement(response: ProbeResponse) -> Judgement:
    if response.failure in NOT_SENT:
        return Judgement(Verdict.NOT_CHECKED, Reason(response.failure))
    if response.failure == Failure.LOOP:
        return gone_judgement(Reason.REDIRECT_LOOP)
    return Judgement(Verdict.UNREACHABLE, Reason(response.failure or Failure.PROTOCOL))


def _parse_page(response: ProbeResponse) -> PageText | None:
    """Parse the body if it is a web page and the status calls for reading it, else return None."""
    if response.status not in READ_STATUSES or not response.body:
        return None
    body = content.decompress(response.body)
    if not (content.is_markup(response.content_type, body) or _is_reply(response)):
        return None
    return parse_page(body, response.headers.get("content-type", ""))


def _is_reply(response: ProbeResponse) -> bool:
    """Return whether a body is a few words or data of an error: what programs say instead of a page."""
    body = content.decompress(response.body or b"")
    return program_replies.is_reply(response.content_type, body) and not content.is_media(body)


def _other_status(response: ProbeResponse, status: int) -> Judgement:
    if is_throttled(response.status, response.headers):
        return THROTTLED
    if status in JUDGEMENT_BY_STATUS:
        return JUDGEMENT_BY_STATUS[status]
    if status == 416:
        return _range_judgement(response)
    if 300 <= status < 400:
        return Judgement(Verdict.UNREACHABLE, Reason.BAD_REDIRECT)
    if 400 <= status < 500:
        return Judgement(Verdict.BLOCKED, Reason.HTTP_4XX)
    return Judgement(Verdict.UNREACHABLE, Reason.HTTP_5XX if 500 <= status < 600 else Reason.PROTOCOL)


def _range_judgement(response: ProbeResponse) -> Judgement:
    """Judge status 416, "range not satisfiable": with a length in the header there is a file, which 0 calls empty."""
    length = NO_LENGTH.fullmatch(response.headers.get("content-range", ""))
    if length is None:
        return Judgement(Verdict.BLOCKED, Reason.HTTP_4XX)
    return ALIVE if int(length[1]) else gone_judgement(Reason.EMPTY)


def _success(response: ProbeResponse, request: ProbeRequest, page: PageText | None) -> Judgement:
    if response.status == 202 and not response.body and response.body is not None:
        return BOT_WALL
    is_named = page is not None and soft_404.mentions_film(page, request.title)
    if response.hops and (landed := _landing_judgement(response, request, page, is_named=is_named)):
        return landed
    if page and (said := _page_judgement(page, response, request, is_named=is_named)):
        return said
    if request.media:
        return _media_judgement(response)
    return DOUBTFUL_ALIVE if _may_be_lost(response, request, page, is_named=is_named) else ALIVE


def _landing_judgement(
    response: ProbeResponse, request: ProbeRequest, page: PageText | None, *, is_named: bool
) -> Judgement | None:
    """Judge a link by where its redirects led; None: that says nothing."""
    url, final_url = response.url, response.final_url
    if _path_names_film(response, request.title):
        return None
    if landing.is_login(url, final_url):
        return LOGIN
    if page and soft_404.is_temporary(page, title=request.title):
        return MAINTENANCE
    if not is_named and landing.is_outage_page(url, final_url):
        return MAINTENANCE
    if landing.is_home(url, final_url):
        return None if _is_film_site(response, is_named=is_named) else gone_judgement(Reason.REDIRECT_HOME)
    return None if is_named else _unnamed_landing_judgement(response)


def _unnamed_landing_judgement(response: ProbeResponse) -> Judgement | None:
    """Judge a link whose redirects led to a page that does not name the film."""
    url, final_url = response.url, response.final_url
    if landing.is_challenge(url, final_url):
        return BOT_WALL
    if landing.is_abroad_page(url, final_url):
        return ABROAD
    if landing.is_parking_address(url, final_url):
        return gone_judgement(Reason.PARKED)
    is_error = landing.is_error_page(url, final_url) or landing.is_error_video(url, final_url)
    return _error_page_judgement(response) if is_error else None


def _error_page_judgement(response: ProbeResponse) -> Judgement | None:
    """Judge what an error page's address sent: it may be a video all the same."""
    body = content.decompress(response.body or b"")
    if content.is_media(body) and not landing.is_error_video(response.url, response.final_url):
        return None
    return gone_judgement(Reason.SOFT_404)


def _page_judgement(
    page: PageText, response: ProbeResponse, request: ProbeRequest, *, is_named: bool
) -> Judgement | None:
    """Judge a link by what its page says; None: it says nothing against the film."""
    if page.is_suspicious and (said := _text_judgement(page, request)):
        return said
    if not is_named and landing.is_parked(page):
        return gone_judgement(Reason.PARKED)
    player = soft_404.player_denial(page)
    if player is not Denial.NONE:
        return gone_judgement(Reason.SOFT_404) if player is Denial.CERTAIN else LOGIN
    if not is_named and (target := landing.refresh_target(page.source, response.final_url)):
        return _refresh_judgement(response, target)
    return None


def _text_judgement(page: PageText, request: ProbeRequest) -> Judgement | None:
    """Judge a link by the sentences of its page; None: there is none against the film."""
    if soft_404.is_geo_blocked(page, title=request.title):
        return ABROAD
    if soft_404.is_temporary(page, title=request.title):
        return MAINTENANCE
    denial = soft_404.is_soft_404(page, title=request.title)
    if denial is Denial.NONE:
        found = soft_404.site_page_instead(page, title=request.title)
        return SITE_PAGE_JUDGEMENTS[found] if found else None
    if soft_404.is_barred(page):
        return LOGIN
    if soft_404.is_not_yet(page) or soft_404.is_only_now(page):
        return MAINTENANCE
    return gone_judgement(Reason.SOFT_404) if denial is Denial.CERTAIN else DOUBTFUL_GONE


def _refresh_judgement(response: ProbeResponse, target: str) -> Judgement:
    """Judge a page that sends its visitors on: by where it sends them, else it has to be followed."""
    if landing.is_login(response.url, target):
        return LOGIN
    if landing.is_error_page(response.url, target):
        return gone_judgement(Reason.SOFT_404)
    return gone_judgement(Reason.REDIRECT_HOME) if landing.is_home(response.url, target) else NOT_FOLLOWED


def _may_be_lost(response: ProbeResponse, request: ProbeRequest, page: PageText | None, *, is_named: bool) -> bool:
    """Return whether a redirect led to another page that does not name the film and has no player."""
    if not response.hops or page is None or is_named or not request.title:
        return False
    paths = [urlsplit(url).path.rstrip("/").lower() for url in (response.url, response.final_url)]
    return paths[0] != paths[1] and not has_player(page)


def _path_names_film(response: ProbeResponse, title: str) -> bool:
    """Return whether the URL path ends with the movie's title: films are called "Home" and "Consent"."""
    last = urlsplit(response.final_url).path.rstrip("/").rpartition("/")[2].partition(".")[0]
    slug = re.sub(r"[-_+ ]+", " ", normalize_text(unquote(last)))
    film = " ".join(re.findall(r"\w+", soft_404.normalize_title(title)))
    return bool(film) and re.fullmatch(rf"{re.escape(film)}(?: \(?[0-9]+\)?)?", slug) is not None


def _is_film_site(response: ProbeResponse, *, is_named: bool) -> bool:
    """Return whether a short URL redirected to another host whose front page is about the movie."""
    requested, final = (urlsplit(url).hostname or "" for url in (response.url, response.final_url))
    is_foreign = not (
        f".{requested}".endswith(f".{_without_www(final)}") or f".{final}".endswith(f".{_without_www(requested)}")
    )
    return is_foreign and is_named


def _without_www(host: str) -> str:
    return host.removeprefix("www.")


def _media_judgement(response: ProbeResponse) -> Judgement:
    """Judge a URL that should be a video: unknown binary data may be one; text, an image or nothing is not.

    A page that does not say that the film is missing proves nothing: drives ask whether to go on, for instance.
    """
    body = content.decompress(response.body or b"")
    is_empty = response.body == b"" or response.length == 0 or content.is_empty_list(body)
    if is_empty or response.status in (204, 205):
        return gone_judgement(Reason.EMPTY)
    if content.is_markup("", body):
        return UNKNOWN_PAGE
    if content.is_media(body):
        return ALIVE  # Some servers send films with the type of a web page.
    if content.is_markup(response.content_type, body):
        return UNKNOWN_PAGE
    if content.is_media_type(response.content_type):
        return ALIVE
    if content.has_named_type(urlsplit(response.url).path, response.body or b""):
        return ALIVE
    if content.is_other_type(response.content_type, body) or content.is_not_media(response.body or b""):
        return _judgement_of_other_type(response, body)
    return ALIVE


def _judgement_of_other_type(response: ProbeResponse, body: bytes) -> Judgement:
    """Judge what is no film: a program may say why, and a feed is a page of another kind."""
    if content.is_feed(body):
        return UNKNOWN_PAGE
    if _is_reply(response):
        if program_replies.is_refusal(body):
            return SITE_PAGE_JUDGEMENTS[SitePage.FORBIDDEN]
        if response.status in REDIRECT_STATUSES or program_replies.is_failure(body):
            return MAINTENANCE
    return gone_judgement(Reason.WRONG_TYPE)
