"""Find one cause behind failures of several hosts: the same page, or the same landing address, in place of films.

A captive portal, a provider's block page and a parked domain respond for many public hosts. Plain error statuses are
left out, for default error pages are alike everywhere. See docs/decisions, number 13. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from urllib.parse import unquote, urlsplit

from scraper.net.url_policy import netloc_of
from streaming.health.judging import content
from streaming.health.judging.results import CheckResult
from streaming.health.judging.verdict import THROTTLED, Verdict
from streaming.health.probe_types import ProbeRequest, ProbeResponse

MIN_HOSTS = 3
HASH_BYTES = 6
MAX_TEXT = 16 * 1024
MAX_WORDS = 200
WORD = re.compile(r"[^\W_]+")
DIGIT = re.compile(r"\d")
TAG = re.compile(r"<[^<>]{0,2000}>")
HIDDEN = re.compile(r"<(!--|(?:script|style|template|svg)\b)", re.I)


def page_hash(response: ProbeResponse, request: ProbeRequest) -> str:
    """Return a short fingerprint of a page that was sent with a success status; empty if this is none, or has no text.

    It covers title and text without digits, and without what was asked: the URL, its host and the movie's title.
    """
    if response.status is None or not 200 <= response.status < 300 or not response.body:
        return ""
    body = content.decompress(response.body)
    if not content.is_markup(response.content_type, body):
        return ""
    text = " ".join(_words(_visible_text(body[:MAX_TEXT].decode("utf-8", "replace")))[:MAX_WORDS])
    for asked in _asked_phrases(request):
        text = re.sub(rf"(?<!\w){re.escape(asked)}(?!\w)", " ", text)
    return _short_hash(" ".join(text.split()))


def landing_hash(response: ProbeResponse) -> str:
    """Return a short hash of the address on another host that redirects led to, without its query; empty if none."""
    if not response.hops or netloc_of(response.final_url) == netloc_of(response.url):
        return ""
    return _short_hash(netloc_of(response.final_url) + urlsplit(response.final_url).path)


class CommonCauses:
    """By page and by landing address, the hosts that gave it in place of links that were active until then.

    Links that failed before are not counted, for sites with the same software say "removed" in the same words, unless
    they seem to work: no two films have the same page. Those with a common cause are not judged either.
    """

    def __init__(self) -> None:
        self.hosts_by_hash: dict[str, set[str]] = {}

    def add(self, result: CheckResult) -> None:
        """Count the failure of a link that was active, or the success of one that was not."""
        link = result.require_link()
        if link.is_active is result.judgement.verdict.is_bad:
            for one in _hashes(result):
                self.add_host(one, link.netloc)

    def add_host(self, cause: str, netloc: str) -> None:
        """Count a host for a cause, if there is no such pair yet."""
        self.hosts_by_hash.setdefault(cause, set()).add(netloc)

    def merge(self, other: CommonCauses) -> None:
        """Add the causes of another part of the run."""
        for cause, netlocs in other.hosts_by_hash.items():
            self.hosts_by_hash.setdefault(cause, set()).update(netlocs)

    @property
    def common(self) -> frozenset[str]:
        """The causes that three or more hosts have in common."""
        return frozenset(cause for cause, netlocs in self.hosts_by_hash.items() if len(netlocs) >= MIN_HOSTS)


@dataclass(frozen=True, slots=True)
class Exemptions:
    """Results that are not those of their links. `causes`: those common to several hosts; they are not judged, nor is a
    failing link that seems to work because such a page passes for that of a film.

    `refused`: ids of links that a host refused after it had served others; they are throttled. `accepted`: hosts that
    have been failing for so long that their failures count, whatever the cause.
    """

    causes: frozenset[str] = frozenset()
    refused: frozenset[int] = frozenset()
    accepted: frozenset[str] = frozenset()

    def verdict(self, result: CheckResult) -> Verdict | None:
        """Return what a failure counts as; None: it is that of its link."""
        if result.require_link().netloc not in self.accepted and any(one in self.causes for one in _hashes(result)):
            return Verdict.NOT_CHECKED
        return Verdict.THROTTLED if result.id in self.refused else None

    def apply(self, result: CheckResult) -> CheckResult:
        """Return the result as it counts."""
        verdict = self.verdict(result)
        if verdict is None:
            return result
        if verdict is Verdict.THROTTLED:
            return result._replace(judgement=THROTTLED)
        return result._replace(judgement=result.judgement._replace(verdict=verdict))


def _hashes(result: CheckResult) -> Iterator[str]:
    """Yield the hashes of a failure that are not empty, each marked with its kind."""
    if result.page_hash:
        yield f"p{result.page_hash}"
    if result.landing_hash:
        yield f"l{result.landing_hash}"


def _short_hash(text: str) -> str:
    return blake2b(text.encode(), digest_size=HASH_BYTES).hexdigest() if text else ""


def _words(text: str) -> list[str]:
    """Return the words of a text in lower case; those with digits are numbers, sessions and times."""
    return [word for word in WORD.findall(text.casefold()) if not DIGIT.search(word)]


def _asked_phrases(request: ProbeRequest) -> list[str]:
    """Return the phrases by which a page may repeat what was asked, the longest first."""
    parts = urlsplit(request.url)
    host, path = parts.hostname or "", unquote(parts.path)
    texts = [request.url, f"{parts.netloc}{path}", path, unquote(parts.query), host, request.title]
    texts += [host.removeprefix("www."), path.rpartition("/")[2].partition(".")[0]]
    phrases = {" ".join(_words(text)) for text in texts}
    return sorted(phrases - {""}, key=len, reverse=True)


def _visible_text(text: str) -> str:
    """Return the text of a page, its title included, without scripts, styles, comments and tags; in linear time."""
    lower = text.lower()
    if len(lower) != len(text):  # Some letters become longer in lower case, so positions would differ.
        text = lower
    visible, position = [], 0
    for opening in HIDDEN.finditer(text):
        if opening.start() < position:
            continue
        visible.append(text[position : opening.start()])
        end = lower.find("-->" if opening[1] == "!--" else f"</{opening[1].lower()}", opening.end())
        if end < 0:
            position = len(text)
            break
        position = end
    return TAG.sub(" ", " ".join([*visible, text[position:]]))
