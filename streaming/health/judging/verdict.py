"""What an answer means for a link. Pure."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from scraper.net.throttling import is_throttled
from scraper.net.url_policy import without_tracking
from streaming.health.judging import content, soft_404
from streaming.health.probe_types import Failure, ProbeResponse
from streaming.reason_codes import Reason

SOURCE_API_REASONS = frozenset({Reason.DARK, Reason.MISSING, Reason.PRIVATE})
"""What only the interface of a source tells, where HTTP says that all is well."""
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
    """What became of a link; the words are those of the reports."""

    ALIVE = "alive"
    GONE = "gone"
    BLOCKED = "blocked"
    UNREACHABLE = "unreachable"
    THROTTLED = "throttled"
    NOT_CHECKED = "not_checked"

    @property
    def is_bad(self) -> bool:
        """It turns a link off, once it is believed."""
        return self in (Verdict.GONE, Verdict.BLOCKED, Verdict.UNREACHABLE)


class LinkFacts(NamedTuple):
    """What the judge knows of the link itself; `media`: a video is due there, not a page; `title` is the movie's."""

    title: str = ""
    media: bool = False


class Judgement(NamedTuple):
    """What a link is, and why."""

    verdict: Verdict
    reason: Reason


ALIVE = Judgement(Verdict.ALIVE, Reason.OK)
THROTTLED = Judgement(Verdict.THROTTLED, Reason.THROTTLED)
FORWARDED = Judgement(Verdict.NOT_CHECKED, Reason.ELSEWHERE)
ABROAD = Judgement(Verdict.BLOCKED, Reason.ABROAD)
BOT_WALL = Judgement(Verdict.BLOCKED, Reason.BOT_WALL)


@cache
def gone_judgement(reason: Reason) -> Judgement:
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


def judge(answer: ProbeResponse, facts: LinkFacts) -> Judgement:
    """The verdict on one link after everything was asked that there is to ask."""
    if answer.status is None or answer.failure:
        return _failure_judgement(answer)
    page = _parse_page(answer)
    if "cf-mitigated" in answer.headers or (
        page and answer.status in POSSIBLE_BOT_WALL and soft_404.is_bot_wall(page, title=facts.title)
    ):
        return BOT_WALL
    if 200 <= answer.status < 300:
        return _success(answer, facts, page)
    return _other_status(answer, answer.status)


def is_conclusive(answer: ProbeResponse, *, media: bool) -> bool:
    """Whether this answer to HEAD settles a link, so that its body need not be asked for.

    A web page never does: only its text tells whether it is a film's or says "not found".
    """
    if answer.status is None or answer.failure:
        return answer.failure in (Failure.PRIVATE, Failure.PAUSED)
    if answer.status == 304 or is_throttled(answer.status, answer.headers):
        return True
    if answer.status not in (200, 203, 206) or answer.length == 0:
        return False
    return content.is_media_type(answer.content_type) or not (media or answer.content_type.startswith(PAGE_TYPES))


def _failure_judgement(answer: ProbeResponse) -> Judgement:
    if answer.failure in NOT_SENT:
        return Judgement(Verdict.NOT_CHECKED, Reason(answer.failure))
    if answer.failure == Failure.LOOP:
        return gone_judgement(Reason.REDIRECT_LOOP)
    return Judgement(Verdict.UNREACHABLE, Reason(answer.failure or Failure.PROTOCOL))


def _parse_page(answer: ProbeResponse) -> soft_404.PageText | None:
    """The web page that came and may have to be read, None when it was none."""
    if answer.status not in READ_STATUSES or not answer.body:
        return None
    body = content.decompress(answer.body)
    return soft_404.parse_page(body) if content.is_markup(answer.content_type, body) else None


def _other_status(answer: ProbeResponse, status: int) -> Judgement:
    if is_throttled(answer.status, answer.headers):
        return THROTTLED
    if status in JUDGEMENT_BY_STATUS:
        return JUDGEMENT_BY_STATUS[status]
    if status == 416:
        return _range_judgement(answer)
    if 300 <= status < 400:
        return Judgement(Verdict.UNREACHABLE, Reason.BAD_REDIRECT)
    if 400 <= status < 500:
        return Judgement(Verdict.BLOCKED, Reason.HTTP_4XX)
    return Judgement(Verdict.UNREACHABLE, Reason.HTTP_5XX if 500 <= status < 600 else Reason.PROTOCOL)


def _range_judgement(answer: ProbeResponse) -> Judgement:
    """416: the first bytes cannot be had. With a length there is a file; of length 0 it is an empty one."""
    length = NO_LENGTH.fullmatch(answer.headers.get("content-range", ""))
    if length is None:
        return Judgement(Verdict.BLOCKED, Reason.HTTP_4XX)
    return ALIVE if int(length[1]) else gone_judgement(Reason.EMPTY)


def _success(answer: ProbeResponse, facts: LinkFacts, page: soft_404.PageText | None) -> Judgement:
    if answer.hops and not _path_names_film(answer, facts.title):
        if _is_login(answer):
            return Judgement(Verdict.BLOCKED, Reason.LOGIN)
        if _is_redirect_home(answer) and not _is_film_site(answer, page, facts.title):
            return gone_judgement(Reason.REDIRECT_HOME)
    if page and soft_404.is_geo_blocked(page):
        return ABROAD
    if page and soft_404.is_soft_404(page, title=facts.title):
        return gone_judgement(Reason.SOFT_404)
    return _media_judgement(answer) if facts.media else ALIVE


def _path_names_film(answer: ProbeResponse, title: str) -> bool:
    """Whether the last word of the address is the movie's: films are called "Home" and "Consent"."""
    last = urlsplit(answer.final_url).path.rstrip("/").rpartition("/")[2].partition(".")[0]
    slug = re.sub(r"[-_+ ]+", " ", soft_404.normalize_text(unquote(last)))
    film = " ".join(re.findall(r"\w+", soft_404.normalize_title(title)))
    return bool(film) and re.fullmatch(rf"{re.escape(film)}(?: \(?[0-9]+\)?)?", slug) is not None


def _is_film_site(answer: ProbeResponse, page: soft_404.PageText | None, title: str) -> bool:
    """Whether a short address led to another host whose front page is about the movie."""
    asked, got = (urlsplit(url).hostname or "" for url in (answer.url, answer.final_url))
    is_foreign = not (f".{asked}".endswith(f".{_without_www(got)}") or f".{got}".endswith(f".{_without_www(asked)}"))
    return is_foreign and page is not None and soft_404.mentions_film(page, title)


def _without_www(host: str) -> str:
    return host.removeprefix("www.")


def _is_login(answer: ProbeResponse) -> bool:
    """Sent to a login or consent page that the link itself was not."""
    asked, got = urlsplit(answer.url), urlsplit(answer.final_url)
    if LOGIN_PATH.search(got.path):
        return LOGIN_PATH.search(asked.path) is None
    moved = asked.hostname != got.hostname
    return moved and (got.hostname or "").startswith(LOGIN_HOSTS)


def _is_redirect_home(answer: ProbeResponse) -> bool:
    """Sent from a film's path to a front page."""
    asked, got = urlsplit(answer.url), urlsplit(answer.final_url)
    was_home = HOME_PATH.fullmatch(asked.path or "/") is not None and not asked.query
    if got.fragment:
        return False  # A page of a site that is one program.
    return not was_home and HOME_PATH.fullmatch(got.path or "/") is not None and not without_tracking(got.query)


def _media_judgement(answer: ProbeResponse) -> Judgement:
    """A video is due: binary that we do not know may be a film; a page, text, pictures or nothing is none."""
    body = content.decompress(answer.body or b"")
    if answer.body == b"" or answer.length == 0 or answer.status in (204, 205):
        return gone_judgement(Reason.EMPTY)
    if content.is_markup("", body):
        return gone_judgement(Reason.WRONG_TYPE)
    if content.is_media(body):
        return ALIVE  # Some servers call a film a web page.
    if content.is_markup(answer.content_type, body):
        return gone_judgement(Reason.WRONG_TYPE)
    if content.is_media_type(answer.content_type):
        return ALIVE
    is_other_type = answer.content_type.startswith(content.OTHER_TYPES)
    return gone_judgement(Reason.WRONG_TYPE) if is_other_type or content.is_not_media(answer.body or b"") else ALIVE
