"""Where a redirect leads: the next state of a probe, or why it ends. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urljoin

from scraper.net.url_policy import MAX_URL_LENGTH, InvalidValue, host_of
from streaming.health.probe_types import Failure, ProbeResponse, ProbeState

MAX_REDIRECTS = 5
# As long as servers accept; no link that long is stored.
MAX_REDIRECT_URL_LENGTH = 8_190
PERMANENT_STATUSES = frozenset({301, 308})
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
# No link with these characters is stored, but servers send them and browsers escape them.
ESCAPED_IN_LOCATION = re.compile(r"""[ "'<>^`{|}]""")
UNUSABLE_TARGETS = frozenset({"bad_scheme", "malformed_url", "no_host", "empty_url", "bad_character"})

# Returns the normalized URL; raises InvalidValue when it may not be opened.
Normalize = Callable[[str], str]


def is_redirect(response: ProbeResponse) -> bool:
    """Whether this response leads elsewhere."""
    return response.status in REDIRECT_STATUSES and "location" in response.headers


def follow_redirect(
    state: ProbeState, response: ProbeResponse, *, start_url: str, normalize: Normalize
) -> ProbeState | Failure:
    """Return the state after this redirect; a failure ends the probe.

    Some sites redirect in a circle until their cookie comes back: the probe of `start_url`, the link's own URL, then
    restarts once with GET and keeps cookies.
    """
    try:
        location, fragment = _read_location(state.url, response.headers["location"])
        target = normalize(location)
    except InvalidValue as error:
        return failure_of_redirect(error)
    except ValueError:
        return Failure.BAD_REDIRECT
    seen = _seen(state, response)
    if target not in seen and state.hops < MAX_REDIRECTS:
        return _next_state(state._replace(seen=seen), response, target=target, fragment=fragment)
    if state.cookies is None:
        return state.restart(start_url)._replace(cookies={})
    return Failure.LOOP if target in seen else Failure.TOO_MANY


def failure_of_redirect(error: InvalidValue) -> Failure:
    """Return what it means for a link that it redirects to a URL that may not be opened."""
    if error.code == "long_url":
        return Failure.LOCAL
    return Failure.BAD_REDIRECT if error.code in UNUSABLE_TARGETS else Failure.PRIVATE


def _read_location(url: str, location: str) -> tuple[str, str | None]:
    """Return the absolute URL without fragment, and the fragment; None: there is none. Raises ValueError."""
    target, hash_sign, fragment = urljoin(url, location).partition("#")
    return ESCAPED_IN_LOCATION.sub(_escaped, target), fragment if hash_sign else None


def _seen(state: ProbeState, response: ProbeResponse) -> tuple[str, ...]:
    """Return the URLs that must not come again; with a new cookie the same URL may lead elsewhere."""
    has_new_cookie = state.cookies is not None and "set-cookie" in response.headers
    return state.seen if has_new_cookie or state.url in state.seen else (*state.seen, state.url)


def _next_state(state: ProbeState, response: ProbeResponse, *, target: str, fragment: str | None) -> ProbeState:
    if fragment is not None:  # Without one, that of the redirect before stays.
        state = state._replace(fragment=f"#{fragment}" if fragment.startswith(("/", "!")) else "")
    if state.cookies is not None and host_of(target) != host_of(state.url):
        state = state._replace(cookies={})
    is_permanent = (
        state.is_permanent
        and response.status in PERMANENT_STATUSES
        and len(target) <= MAX_URL_LENGTH
        and not state.fragment
    )
    return state._replace(
        url=target,
        hops=state.hops + 1,
        is_permanent=is_permanent,
        moved_to=target if is_permanent else state.moved_to,
    )


def _escaped(match: re.Match[str]) -> str:
    return f"%{ord(match[0]):02X}"
