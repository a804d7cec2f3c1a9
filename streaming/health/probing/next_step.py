"""What follows a response: a further request, or none because it decides. No network.

No verdict that turns a link off stands on a response to HEAD, to a request for the first bytes, or on a redirect that
only HEAD got: servers treat such requests otherwise than a visitor's. Before it, the link's own URL is requested once
as a browser does: the confirmation. For a page the first GET is such a request already, for media a further one.
"""

from __future__ import annotations

from scraper.net.throttling import is_throttled
from scraper.net.url_policy import host_of
from streaming.health.judging.bot_wall import states_challenge
from streaming.health.judging.content import is_media_type
from streaming.health.judging.landing import meta_refresh_target
from streaming.health.judging.verdict import is_conclusive, judge
from streaming.health.probe_types import Failure, ProbeResponse
from streaming.health.probing.host_queue import HostSlot, ProbeTask
from streaming.health.probing.redirects import Normalize, follow, is_redirect

RETRY_DELAY_SECONDS = 0.25
RETRIED_FAILURES = frozenset({Failure.REFUSED, Failure.RESET, Failure.DNS, Failure.TLS, Failure.PROTOCOL})
# The request came over the wrong connection, too early, or over one that was just closed: it may be repeated.
RETRIED_STATUSES = frozenset({408, 421, 425})
METHOD_REJECTED = frozenset({405, 501})
PAGE_STATUSES = frozenset({200, 202, 203})

NextStep = ProbeResponse | float | None
"""The final response; or the seconds until the task's next request; None: that is sent at the end of the run."""


def next_step(task: ProbeTask, host_slot: HostSlot, response: ProbeResponse, *, normalize: Normalize) -> NextStep:
    """Return what follows this response of a host; the task is prepared for its next request."""
    if location := _location(task, response):
        state = follow(task.state, response, location=location, normalize=normalize)
        if not isinstance(state, Failure):
            task.state = state
            return 0.0
        if is_redirect(response) or state is not Failure.LOOP:  # A page that is refreshed in a circle is shown.
            response = response._replace(status=None, failure=state)
    return _after_get(task, host_slot, response) if task.state.get else _after_head(task, host_slot, response)


def _location(task: ProbeTask, response: ProbeResponse) -> str:
    """Return where a response leads, as a redirect or as a page that is refreshed; empty: nowhere."""
    if is_redirect(response):
        return response.headers["location"]
    may_be_page = task.state.is_confirmation or not task.request.media
    if response.body is None or not may_be_page or response.status not in PAGE_STATUSES:
        return ""
    stated = response.headers.get("refresh", "")
    return meta_refresh_target(response.body, task.state.url, header=stated) or ""


def begin_with_get(task: ProbeTask) -> None:
    """Send no HEAD, because the host is known to give no useful response to it."""
    if task.request.media or task.state.hops:
        task.update(get=True)
    else:
        task.confirm()


def give_up_head(task: ProbeTask) -> None:
    """Send a GET because HEAD got no response in time."""
    if task.request.media:
        task.restart(head_hung=True)
    else:
        task.confirm(head_hung=True)


def _after_head(task: ProbeTask, host_slot: HostSlot, response: ProbeResponse) -> NextStep:
    """Return the response to HEAD if it is conclusive, else the seconds until the GET."""
    is_bad = _may_be_bad(response) and _is_bad(task, response)
    if not is_bad and is_conclusive(response, media=task.request.media):
        return response
    host_slot.head_is_useless = host_slot.head_is_useless or response.status in METHOD_REJECTED
    is_success = response.status is not None and 200 <= response.status < 300
    host_slot.head_is_inconclusive = host_slot.head_is_inconclusive or is_success
    if response.failure == Failure.TIMEOUT:
        give_up_head(task)
    elif response.status in METHOD_REJECTED and task.request.media:
        task.restart()
    elif is_bad or not (task.request.media or response.hops):
        task.confirm(head=response if is_success else None)
    else:
        task.update(get=True, head=response)
    return RETRY_DELAY_SECONDS if response.failure in RETRIED_FAILURES else 0.0


def _after_get(task: ProbeTask, host_slot: HostSlot, response: ProbeResponse) -> NextStep:
    """Return the final response, that of HEAD if GET is rejected; or when the GET is repeated or confirmed."""
    state = task.state
    host_slot.head_is_useless = host_slot.head_is_useless or (state.head_hung and not response.failure)
    if response.failure == Failure.TIMEOUT:
        return response if state.is_late else None
    if response.status in METHOD_REJECTED and state.head is not None and not _is_bad(task, state.head):
        return state.head
    if host_slot.unreachable_reason(state.url):
        return response
    if state.is_confirmation:
        return _after_confirmation(task, response)
    if not _is_bad(task, response):
        return response
    is_retry = _deserves_retry(response)
    task.confirm(tries=int(is_retry))
    return _delay_of_retry(response) if is_retry else 0.0


def _after_confirmation(task: ProbeTask, response: ProbeResponse) -> NextStep:
    """Return the final response, or when it is asked for again.

    A circle may end when it is gone round again, for the site has seen the visitor: browsers go round many times.
    """
    state = task.state
    if state.tries or not (_deserves_retry(response) or response.failure == Failure.LOOP):
        return response
    if response.failure == Failure.LOOP:
        task.confirm(tries=1, cookies=state.cookies if host_of(state.url) == host_of(task.request.url) else {})
    else:
        task.update(tries=1)
    return _delay_of_retry(response)


def _delay_of_retry(response: ProbeResponse) -> float | None:
    """Return when a GET is repeated: after an error of the server at the end of the run, for it may last seconds."""
    return RETRY_DELAY_SECONDS if response.failure or response.status in RETRIED_STATUSES else None


def _may_be_bad(response: ProbeResponse) -> bool:
    """Whether a response to HEAD is to be judged; most need not be, and there are thousands a second."""
    is_video = response.status == 200 and not response.hops and is_media_type(response.content_type)
    return not is_video or response.length == 0 or states_challenge(response.headers)


def _is_bad(task: ProbeTask, response: ProbeResponse) -> bool:
    return judge(response, task.request).verdict.is_bad


def _deserves_retry(response: ProbeResponse) -> bool:
    if response.failure:
        return response.failure in RETRIED_FAILURES
    return (
        response.status is not None
        and (500 <= response.status < 600 or response.status in RETRIED_STATUSES)
        and not is_throttled(response.status, response.headers)
    )
