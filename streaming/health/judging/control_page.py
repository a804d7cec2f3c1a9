"""Compare a doubtful page with a control page: what the same host sends for a path that nobody has made. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from scraper.net.url_policy import without_tracking
from streaming.health.judging import content
from streaming.health.judging.page_text import PageText, parse_page, visible_markup, visible_text
from streaming.health.judging.verdict import ALIVE, LOGIN, Judgement, Verdict, gone_judgement
from streaming.health.probe_types import ProbeResponse
from streaming.reason_codes import Reason

MAX_WORDS = 300
MAX_SAMPLE_BYTES = 32 * 1024
MIN_SIMILARITY = 0.9
MAX_GATE_WORDS, MAX_QUERY_FIELDS = 60, 50
PASSWORD = re.compile(r"<input\b[^<>]{0,500}\btype\s{0,3}=\s{0,3}[\"']?password\b", re.I)
POST_FORM = re.compile(r"<form\b[^<>]{0,500}\bmethod\s{0,3}=\s{0,3}[\"']?post\b", re.I)
ORIGIN = re.compile(
    r"(?:from|ref(?:errer|erer)?|return(?:_?(?:to|url|path))?|back(?:url)?|next|continue|redirect(?:_?(?:to|url|from))?"
    r"|url|uri|req(?:uest)?(?:ed)?(?:_?(?:url|uri|path))?|orig(?:in|inal)?(?:_?(?:url|path))?|old|missing|q|query|s"
    r"|search|term|t|ts|time|sid|session(?:_?id)?|nonce|token|rnd|_)",
    re.I,
)
"""Names of what an address says beside its page: where the visitor came from, or what nobody asked for twice."""
WORD = re.compile(r"[^\W\d_]{2,40}")


class PageSample(NamedTuple):
    """What is compared of a page. `landing`: where redirects led; empty: nowhere else. Its query and fragment belong to
    it, for programs of one page have there which film to show, but not what only says where a visitor came from.

    `words`: those of its text, without numbers and without the words of its own URL, which error pages repeat.
    `is_gate`: it asks for a password, or for no more than a consent.
    """

    landing: str
    title: str
    words: frozenset[str]
    is_gate: bool = False


def sample_page(response: ProbeResponse) -> PageSample | None:
    """Return the sample of a response; None: it is no web page sent with a success status."""
    if response.status is None or not 200 <= response.status < 300 or not response.body:
        return None
    body = content.decompress(response.body)[:MAX_SAMPLE_BYTES]
    if not content.is_markup(response.content_type, body):
        return None
    page = parse_page(body, response.headers.get("content-type", ""))
    own = set(WORD.findall(unquote(f"{response.url} {response.final_url}").lower()))
    words = [word for word in WORD.findall(visible_text(page)) if word not in own]
    title = " ".join(word for word in WORD.findall(_title(page)) if word not in own)
    landing = _landing(response, is_empty=not words)
    return PageSample(landing, title, frozenset(words[:MAX_WORDS]), is_gate=_is_gate(page, len(words)))


def resolve_doubt(judgement: Judgement, sample: PageSample, control: PageSample | None) -> Judgement:
    """Return what a doubtful judgement becomes: the same page for a made-up path proves that the film is missing.

    A different one clears the doubt. `control` None: the host sends no page for such a path, so this one is different.
    A gate at which all visitors have to stop says nothing of the film, unless it does so in words.
    """
    if control is not None and is_same_page(sample, control):
        if sample.is_gate and judgement.verdict is Verdict.ALIVE:
            return LOGIN
        return gone_judgement(Reason.SOFT_404)
    return ALIVE if judgement.verdict is Verdict.GONE else judgement._replace(is_doubtful=False)


def is_same_page(one: PageSample, other: PageSample) -> bool:
    """Return whether two samples have the same landing and title, and nearly the same words."""
    if (one.landing, one.title) != (other.landing, other.title):
        return False
    union = one.words | other.words
    if not union:
        return bool(one.landing)
    return len(one.words & other.words) >= MIN_SIMILARITY * len(union)


def _title(page: PageText) -> str:
    return page.headings[0] if page.headings else ""


def _is_gate(page: PageText, words: int) -> bool:
    markup = visible_markup(page.source)
    return PASSWORD.search(markup) is not None or (words <= MAX_GATE_WORDS and POST_FORM.search(markup) is not None)


def _landing(response: ProbeResponse, *, is_empty: bool) -> str:
    """Return where redirects led; `is_empty`: to a page without text, where even a whole path may be the film's."""
    if not response.hops:
        return ""
    parts = urlsplit(response.final_url)
    asked = unquote(urlsplit(response.url).path)
    kept = [
        f"{name}={value}"
        for name, value in parse_qsl(without_tracking(parts.query), max_num_fields=MAX_QUERY_FIELDS)
        if not ORIGIN.fullmatch(name) and (is_empty or asked not in value)
    ]
    return f"{parts.netloc}{parts.path}?{'&'.join(kept)}#{parts.fragment}"
