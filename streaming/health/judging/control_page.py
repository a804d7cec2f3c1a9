"""Compare a doubtful page with a control page: what the same host sends for a path that nobody has made. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from streaming.health.judging import content
from streaming.health.judging.page_text import PageText, parse_page, visible_text
from streaming.health.judging.verdict import ALIVE, Judgement, Verdict, gone_judgement
from streaming.health.probe_types import ProbeResponse
from streaming.reason_codes import Reason

MAX_WORDS = 300
MAX_SAMPLE_BYTES = 32 * 1024
MIN_SIMILARITY = 0.9
WORD = re.compile(r"[^\W\d_]{2,40}")


class PageSample(NamedTuple):
    """What is compared of a page. `landing`: where redirects led, without query; empty: nowhere else.

    `words`: those of its text, without numbers and without the words of its own URL, which error pages repeat.
    """

    landing: str
    title: str
    words: frozenset[str]


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
    return PageSample(_landing(response), title, frozenset(words[:MAX_WORDS]))


def resolve_doubt(judgement: Judgement, sample: PageSample, control: PageSample | None) -> Judgement:
    """Return what a doubtful judgement becomes: the same page for a made-up path proves that the film is missing.

    A different one clears the doubt. `control` None: the host sends no page for such a path, so this one is different.
    """
    if control is not None and is_same_page(sample, control):
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


def _landing(response: ProbeResponse) -> str:
    if not response.hops:
        return ""
    parts = urlsplit(response.final_url)
    return f"{parts.netloc}{parts.path}"
