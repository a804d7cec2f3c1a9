"""Where a redirect leads: the next state of a probe, or why it ends. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, urljoin

from scraper.net.url_policy import DEFAULT_PORT, MAX_URL_LENGTH, InvalidValue, host_of
from streaming.health.judging.verdict import REDIRECT_STATUSES
from streaming.health.probe_types import Failure, ProbeResponse, ProbeState

MAX_REDIRECTS = 5
# As many as browsers follow.
MAX_CONFIRMED_REDIRECTS = 20
# As long as servers accept; no link that long is stored.
MAX_REDIRECT_URL_LENGTH = 8_190
PERMANENT_STATUSES = frozenset({301, 308})
# No link with these characters is stored, but servers send them and browsers escape them.
ESCAPED_IN_LOCATION = re.compile(r"""[\x00-\x20"'<>\\^`{|}\x7f\u2028\u2029]""")
# What the WHATWG URL standard strips at both ends, and removes everywhere.
STRIPPED = "".join(map(chr, range(0x21)))
REMOVED = str.maketrans("", "", "\t\r\n")
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
BEFORE_QUERY = re.compile(r"[^?#]*")
UNUSABLE_TARGETS = frozenset({"bad_scheme", "malformed_url", "no_host", "empty_url", "bad_character"})

# Returns the normalized URL; raises InvalidValue when it may not be opened.
Normalize = Callable[[str], str]


def is_redirect(response: ProbeResponse) -> bool:
    """Whether this response leads elsewhere; one with an empty `Location` does not."""
    return response.status in REDIRECT_STATUSES and bool(response.headers.get("location", "").strip(STRIPPED))


def follow(state: ProbeState, response: ProbeResponse, *, location: str, normalize: Normalize) -> ProbeState | Failure:
    """Return the state after a response that leads to this location; a failure ends this way.

    Some sites redirect in a circle until their cookie comes back: only the confirmation keeps cookies, and it follows
    more redirects.
    """
    try:
        location, fragment = _read_location(state.url, location)
        target = normalize(location)
    except InvalidValue as error:
        return failure_of_redirect(error)
    except ValueError:
        return Failure.BAD_REDIRECT
    seen = _seen(state, response)
    if target in seen:
        return Failure.LOOP
    if state.hops >= (MAX_CONFIRMED_REDIRECTS if state.is_confirmation else MAX_REDIRECTS):
        return Failure.TOO_MANY
    return _next_state(state._replace(seen=seen), response, target=target, fragment=fragment)


def failure_of_redirect(error: InvalidValue) -> Failure:
    """Return what it means for a link that it redirects to a URL that may not be opened."""
    if error.code == "long_url":
        return Failure.LOCAL
    return Failure.BAD_REDIRECT if error.code in UNUSABLE_TARGETS else Failure.PRIVATE


def resolve_location(base: str, location: str) -> str:
    """Return the absolute URL of a location as the WHATWG URL standard does for http and https.

    Blanks around it and tabs and line ends within it do not count, backslashes are slashes, and before the host there
    may be any number of them: `http:///host`, `//host` and `https:\\host` all name a host.
    """
    text = location.strip(STRIPPED).translate(REMOVED)
    base_scheme = base.partition(":")[0]
    if found := SCHEME.match(text):
        scheme, text = found[1].lower(), text[found.end() :]
        if scheme not in DEFAULT_PORT:
            return f"{scheme}:{text}"
    else:
        scheme = base_scheme
    text = BEFORE_QUERY.sub(lambda part: part[0].replace("\\", "/"), text, count=1)
    if scheme != base_scheme or text.startswith("//"):
        return f"{scheme}://{text.lstrip('/')}"
    return urljoin(base, text)


def _read_location(url: str, location: str) -> tuple[str, str | None]:
    """Return the absolute URL without fragment, and the fragment; None: there is none. Raises ValueError."""
    target, hash_sign, fragment = resolve_location(url, location).partition("#")
    return ESCAPED_IN_LOCATION.sub(_escaped, target), fragment if hash_sign else None


def _seen(state: ProbeState, response: ProbeResponse) -> tuple[str, ...]:
    """Return the URLs that must not come again; with a new cookie every URL may lead elsewhere."""
    if state.cookies is not None and "set-cookie" in response.headers:
        return ()
    return state.seen if state.url in state.seen else (*state.seen, state.url)


def _next_state(state: ProbeState, response: ProbeResponse, *, target: str, fragment: str | None) -> ProbeState:
    if fragment is not None:  # Without one, that of the redirect before stays.
        state = state._replace(fragment=f"#{fragment}" if fragment.startswith(("/", "!")) else "")
    if state.cookies is not None and host_of(target) != host_of(state.url):
        state = _with_cookies_of(host_of(target), state)
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


def _with_cookies_of(host: str, state: ProbeState) -> ProbeState:
    """Return the state with the cookies for another host: its own, and those of the domain above it.

    Case: sites that send visitors through a host for signing in and back, and want its cookie then.
    """
    jar = {**(state.jar or {}), host_of(state.url): state.cookies or {}}
    above = [cookies for domain, cookies in jar.items() if domain.startswith(".") and host.endswith(domain)]
    cookies = {name: value for one in (*above, jar.get(host, {})) for name, value in one.items()}
    return state._replace(cookies=cookies, jar=jar)


def _escaped(match: re.Match[str]) -> str:
    return quote(match[0], safe="")
