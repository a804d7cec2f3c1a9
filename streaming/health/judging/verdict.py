"""Judge what a response means for a link. Pure."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from scraper.net.throttling import is_throttled
from scraper.net.url_policy import without_tracking
from streaming.health.judging import content, soft_404
from streaming.health.judging.host_rules import status_meaning
from streaming.health.probe_types import Failure, ProbeRequest, ProbeResponse
from streaming.reason_codes import Reason

SOURCE_API_REASONS = frozenset({Reason.DARK, Reason.MISSING, Reason.PRIVATE})
"""Reasons that only a source's API gives: by HTTP the link is alive."""
GONE_REASONS = SOURCE_API_REASONS | {
    Reason.HTTP_404, Reason.HTTP_410, Reason.REDIRECT_LOOP, Reason.SOFT_404, Reason.REDIRECT_HOME, Reason.WRONG_TYPE,
    Reason.EMPTY,
}  # fmt: skip
NOT_SENT = frozenset({Failure.PRIVATE, Failure.LOCAL, Failure.PAUSED})
PAGE_TYPES = (*content.MARKUP_TYPES, "text/")
POSSIBLE_BOT_WALL = frozenset({200, 202, 401, 403, 429, 503})
READ_STATUSES = POSSIBLE_BOT_WALL | frozenset(range(200, 300))
HOME_PATH = re.compile(
    r"/(?:(?:ar|ca|cs|da|de|el|en|es|fi|fr|he|hi|hu|it|ja|ko|nl|no|pl|pt|ro|ru|sv|tr|uk|zh)(?:[-_][a-z]{2})?(?:/|\Z))?"
    r"(?:(?:index|default|home)(?:\.[a-z]{3,5})?/?)?",
    re.I,
)
LOGIN_PATH = re.compile(
    r"/(?:log-?in|sign-?in|signup|sso|oauth2?|auth|authenticate|consent|session/new|account/login|users/sign_in"
    r"|wp-login\.php|age-?check|cookie-?wall)(?:[/._-]|\Z)",
    re.I,
)
LOGIN_HOSTS = ("accounts.", "login.", "signin.", "auth.", "sso.", "consent.")
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
    """The verdict on a link and its reason."""

    verdict: Verdict
    reason: Reason


ALIVE = Judgement(Verdict.ALIVE, Reason.OK)
THROTTLED = Judgement(Verdict.THROTTLED, Reason.THROTTLED)
FORWARDED = Judgement(Verdict.NOT_CHECKED, Reason.ELSEWHERE)
ABROAD = Judgement(Verdict.BLOCKED, Reason.ABROAD)
BOT_WALL = Judgement(Verdict.BLOCKED, Reason.BOT_WALL)


@cache
def gone_judgement(reason: Reason) -> Judgement:
    """Return the judgement "gone" for this reason."""
    return Judgement(Verdict.GONE, reason)


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
    status = status_meaning(response.final_url, response.status)
    if status != response.status:
        response = response._replace(status=status)
    page = _parse_page(response)
    if "cf-mitigated" in response.headers or (
        page and status in POSSIBLE_BOT_WALL and soft_404.is_bot_wall(page, title=request.title)
    ):
        return BOT_WALL
    if 200 <= status < 300:
        return _success(response, request, page)
    return _other_status(response, status)


def is_conclusive(response: ProbeResponse, *, media: bool) -> bool:
    """Return whether this response to HEAD is enough to judge the link, without its body.

    For a web page it never is: only the text tells whether the page shows a film or says "not found".
    """
    if response.status is None or response.failure:
        return response.failure in (Failure.PRIVATE, Failure.PAUSED)
    if response.status == 304 or is_throttled(response.status, response.headers):
        return True
    if response.status not in (200, 203, 206) or response.length == 0:
        return False
    return content.is_media_type(response.content_type) or not (media or response.content_type.startswith(PAGE_TYPES))


def _failure_judgement(response: ProbeResponse) -> Judgement:
    if response.failure in NOT_SENT:
        return Judgement(Verdict.NOT_CHECKED, Reason(response.failure))
    if response.failure == Failure.LOOP:
        return gone_judgement(Reason.REDIRECT_LOOP)
    return Judgement(Verdict.UNREACHABLE, Reason(response.failure or Failure.PROTOCOL))


def _parse_page(response: ProbeResponse) -> soft_404.PageText | None:
    """Parse the body if it is a web page and the status calls for reading it, else return None."""
    if response.status not in READ_STATUSES or not response.body:
        return None
    body = content.decompress(response.body)
    return soft_404.parse_page(body) if content.is_markup(response.content_type, body) else None


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


def _success(response: ProbeResponse, request: ProbeRequest, page: soft_404.PageText | None) -> Judgement:
    if response.hops and not _path_names_film(response, request.title):
        if _is_login(response):
            return Judgement(Verdict.BLOCKED, Reason.LOGIN)
        if _is_redirect_home(response) and not _is_film_site(response, page, request.title):
            return gone_judgement(Reason.REDIRECT_HOME)
    if page and soft_404.is_geo_blocked(page):
        return ABROAD
    if page and soft_404.is_soft_404(page, title=request.title):
        return gone_judgement(Reason.SOFT_404)
    return _media_judgement(response) if request.media else ALIVE


def _path_names_film(response: ProbeResponse, title: str) -> bool:
    """Return whether the URL path ends with the movie's title: films are called "Home" and "Consent"."""
    last = urlsplit(response.final_url).path.rstrip("/").rpartition("/")[2].partition(".")[0]
    slug = re.sub(r"[-_+ ]+", " ", soft_404.normalize_text(unquote(last)))
    film = " ".join(re.findall(r"\w+", soft_404.normalize_title(title)))
    return bool(film) and re.fullmatch(rf"{re.escape(film)}(?: \(?[0-9]+\)?)?", slug) is not None


def _is_film_site(response: ProbeResponse, page: soft_404.PageText | None, title: str) -> bool:
    """Return whether a short URL redirected to another host whose front page is about the movie."""
    requested, final = (urlsplit(url).hostname or "" for url in (response.url, response.final_url))
    is_foreign = not (
        f".{requested}".endswith(f".{_without_www(final)}") or f".{final}".endswith(f".{_without_www(requested)}")
    )
    return is_foreign and page is not None and soft_404.mentions_film(page, title)


def _without_www(host: str) -> str:
    return host.removeprefix("www.")


def _is_login(response: ProbeResponse) -> bool:
    """Return whether the redirect led to a login or consent page, and the link itself is none."""
    requested, final = urlsplit(response.url), urlsplit(response.final_url)
    if LOGIN_PATH.search(final.path):
        return LOGIN_PATH.search(requested.path) is None
    is_foreign = requested.hostname != final.hostname
    return is_foreign and (final.hostname or "").startswith(LOGIN_HOSTS)


def _is_redirect_home(response: ProbeResponse) -> bool:
    """Return whether a URL below the front page was redirected to a front page."""
    requested, final = urlsplit(response.url), urlsplit(response.final_url)
    was_home = HOME_PATH.fullmatch(requested.path or "/") is not None and not requested.query
    if final.fragment:
        return False  # A page of a single-page application.
    return not was_home and HOME_PATH.fullmatch(final.path or "/") is not None and not without_tracking(final.query)


def _media_judgement(response: ProbeResponse) -> Judgement:
    """Judge a URL that should be a video: unknown binary data may be one; a page, text, an image or nothing is not."""
    body = content.decompress(response.body or b"")
    if response.body == b"" or response.length == 0 or response.status in (204, 205):
        return gone_judgement(Reason.EMPTY)
    if content.is_markup("", body):
        return gone_judgement(Reason.WRONG_TYPE)
    if content.is_media(body):
        return ALIVE  # Some servers send films with the type of a web page.
    if content.is_markup(response.content_type, body):
        return gone_judgement(Reason.WRONG_TYPE)
    if content.is_media_type(response.content_type):
        return ALIVE
    is_other_type = response.content_type.startswith(content.OTHER_TYPES)
    return gone_judgement(Reason.WRONG_TYPE) if is_other_type or content.is_not_media(response.body or b"") else ALIVE
