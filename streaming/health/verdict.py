"""What an answer means for a link. Pure."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from streaming.health import reading
from streaming.health.answers import Answer, Trouble
from streaming.reason_codes import Reason

VOUCHED_REASONS = frozenset({Reason.DARK, Reason.MISSING, Reason.PRIVATE})
"""What only the interface of a source tells, where HTTP says that all is well."""
GONE_REASONS = VOUCHED_REASONS | {
    Reason.HTTP_404, Reason.HTTP_410, Reason.REDIRECT_LOOP, Reason.SOFT_404, Reason.REDIRECT_HOME, Reason.WRONG_TYPE,
    Reason.EMPTY,
}  # fmt: skip
NOT_ASKED = frozenset({Trouble.PRIVATE, Trouble.LOCAL, Trouble.PAUSED})
PAGE_TYPES = (*reading.MARKUP_TYPES, "text/")
WALLED = frozenset({200, 202, 401, 403, 429, 503})
READ = WALLED | frozenset(range(200, 300))
HOME_PATHS = re.compile(
    r"/(?:(?:ar|ca|cs|da|de|el|en|es|fi|fr|he|hi|hu|it|ja|ko|nl|no|pl|pt|ro|ru|sv|tr|uk|zh)(?:[-_][a-z]{2})?(?:/|\Z))?"
    r"(?:(?:index|default|home)(?:\.[a-z]{3,5})?/?)?",
    re.I,
)
# What only says where a visitor came from.
TRACKING = re.compile(r"(?:(?:\A|&)(?:utm_[a-z]+|fbclid|gclid)=[^&]*)*", re.I)
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
ELSEWHERE = Judgement(Verdict.NOT_CHECKED, Reason.ELSEWHERE)
ABROAD = Judgement(Verdict.BLOCKED, Reason.ABROAD)
BOT_WALL = Judgement(Verdict.BLOCKED, Reason.BOT_WALL)


@cache
def gone(reason: Reason) -> Judgement:
    return Judgement(Verdict.GONE, reason)


KNOWN = {
    304: ALIVE,
    401: Judgement(Verdict.BLOCKED, Reason.HTTP_401),
    403: Judgement(Verdict.BLOCKED, Reason.HTTP_403),
    404: gone(Reason.HTTP_404),
    408: Judgement(Verdict.UNREACHABLE, Reason.TIMEOUT),
    410: gone(Reason.HTTP_410),
    451: Judgement(Verdict.BLOCKED, Reason.HTTP_451),
    999: Judgement(Verdict.BLOCKED, Reason.HTTP_999),
}


def judge(answer: Answer, facts: LinkFacts) -> Judgement:
    """The verdict on one link after everything was asked that there is to ask."""
    if answer.status is None or answer.trouble:
        return _without_answer(answer)
    page = _page_of(answer)
    if "cf-mitigated" in answer.headers or (
        page and answer.status in WALLED and reading.is_bot_wall(page, title=facts.title)
    ):
        return BOT_WALL
    if 200 <= answer.status < 300:
        return _success(answer, facts, page)
    return _other_status(answer, answer.status)


def is_clear(answer: Answer, *, media: bool) -> bool:
    """Whether this answer to HEAD settles a link, so that its body need not be asked for.

    A web page never does: only its text tells whether it is a film's or says "not found".
    """
    if answer.status is None or answer.trouble:
        return answer.trouble in (Trouble.PRIVATE, Trouble.PAUSED)
    if answer.status == 304 or is_throttling(answer):
        return True
    if answer.status not in (200, 203, 206) or answer.length == 0:
        return False
    return reading.is_media_type(answer.content_type) or not (media or answer.content_type.startswith(PAGE_TYPES))


def _without_answer(answer: Answer) -> Judgement:
    if answer.trouble in NOT_ASKED:
        return Judgement(Verdict.NOT_CHECKED, Reason(answer.trouble))
    if answer.trouble == Trouble.LOOP:
        return gone(Reason.REDIRECT_LOOP)
    return Judgement(Verdict.UNREACHABLE, Reason(answer.trouble or Trouble.PROTOCOL))


def _page_of(answer: Answer) -> reading.Page | None:
    """The web page that came and may have to be read, None when it was none."""
    if answer.status not in READ or not answer.body:
        return None
    body = reading.opened(answer.body)
    return reading.read_page(body) if reading.is_markup(answer.content_type, body) else None


def is_throttling(answer: Answer) -> bool:
    if "cf-mitigated" in answer.headers:
        return False
    return answer.status == 429 or (answer.status == 503 and bool(answer.retry_after))


def _other_status(answer: Answer, status: int) -> Judgement:
    if is_throttling(answer):
        return THROTTLED
    if status in KNOWN:
        return KNOWN[status]
    if status == 416:
        return _unsatisfiable(answer)
    if 300 <= status < 400:
        return Judgement(Verdict.UNREACHABLE, Reason.BAD_REDIRECT)
    if 400 <= status < 500:
        return Judgement(Verdict.BLOCKED, Reason.HTTP_4XX)
    return Judgement(Verdict.UNREACHABLE, Reason.HTTP_5XX if 500 <= status < 600 else Reason.PROTOCOL)


def _unsatisfiable(answer: Answer) -> Judgement:
    """416: the first bytes cannot be had. With a length there is a file; of length 0 it is an empty one."""
    told = NO_LENGTH.fullmatch(answer.headers.get("content-range", ""))
    if told is None:
        return Judgement(Verdict.BLOCKED, Reason.HTTP_4XX)
    return ALIVE if int(told[1]) else gone(Reason.EMPTY)


def _success(answer: Answer, facts: LinkFacts, page: reading.Page | None) -> Judgement:
    if answer.hops and not _leads_to(answer, facts.title):
        if _is_login(answer):
            return Judgement(Verdict.BLOCKED, Reason.LOGIN)
        if _is_sent_home(answer) and not _is_films_own_site(answer, page, facts.title):
            return gone(Reason.REDIRECT_HOME)
    if page and reading.is_for_others(page):
        return ABROAD
    if page and reading.says_nothing_here(page, title=facts.title):
        return gone(Reason.SOFT_404)
    return _media(answer) if facts.media else ALIVE


def _leads_to(answer: Answer, title: str) -> bool:
    """Whether the last word of the address is the movie's: films are called "Home" and "Consent"."""
    last = urlsplit(answer.final_url).path.rstrip("/").rpartition("/")[2].partition(".")[0]
    slug = re.sub(r"[-_+ ]+", " ", reading.fold(unquote(last)))
    film = " ".join(re.findall(r"\w+", reading.film_of(title)))
    return bool(film) and re.fullmatch(rf"{re.escape(film)}(?: \(?[0-9]+\)?)?", slug) is not None


def _is_films_own_site(answer: Answer, page: reading.Page | None, title: str) -> bool:
    """Whether a short address led to another host whose front page is about the movie."""
    asked, got = (urlsplit(url).hostname or "" for url in (answer.url, answer.final_url))
    is_foreign = not (f".{asked}".endswith(f".{_bare(got)}") or f".{got}".endswith(f".{_bare(asked)}"))
    return is_foreign and page is not None and reading.names_film(page, title)


def _bare(host: str) -> str:
    return host.removeprefix("www.")


def _is_login(answer: Answer) -> bool:
    """Sent to a login or consent page that the link itself was not."""
    asked, got = urlsplit(answer.url), urlsplit(answer.final_url)
    if LOGIN_PATH.search(got.path):
        return LOGIN_PATH.search(asked.path) is None
    moved = asked.hostname != got.hostname
    return moved and (got.hostname or "").startswith(LOGIN_HOSTS)


def _is_sent_home(answer: Answer) -> bool:
    """Sent from a film's path to a front page."""
    asked, got = urlsplit(answer.url), urlsplit(answer.final_url)
    was_home = HOME_PATHS.fullmatch(asked.path or "/") is not None and not asked.query
    if got.fragment:
        return False  # A page of a site that is one program.
    return not was_home and HOME_PATHS.fullmatch(got.path or "/") is not None and bool(TRACKING.fullmatch(got.query))


def _media(answer: Answer) -> Judgement:
    """A video is due: binary that we do not know may be a film; a page, text, pictures or nothing is none."""
    body = reading.opened(answer.body or b"")
    if answer.body == b"" or answer.length == 0 or answer.status in (204, 205):
        return gone(Reason.EMPTY)
    if reading.is_markup("", body):
        return gone(Reason.WRONG_TYPE)
    if reading.is_media(body):
        return ALIVE  # Some servers call a film a web page.
    if reading.is_markup(answer.content_type, body):
        return gone(Reason.WRONG_TYPE)
    if reading.is_media_type(answer.content_type):
        return ALIVE
    told_other = answer.content_type.startswith(reading.OTHER_TYPES)
    return gone(Reason.WRONG_TYPE) if told_other or reading.is_other_thing(answer.body or b"") else ALIVE
