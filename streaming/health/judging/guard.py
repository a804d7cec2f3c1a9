"""Whether the failures of a run count: none does that may be the fault of this machine.

Offline: no host responds. Host breaker: a host is down, its films are not gone. Brake: too many links would be turned
off at once. See docs/decisions, number 3. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

BREAKER_MIN_LINKS = 5
HOST_BREAKER_RATIO = 0.5
BRAKE_MIN_LINKS = 20
RUN_BRAKE_RATIO = 0.3
OFFLINE_MIN_HOSTS = 3
OUTAGE_MIN_HOSTS = 3
PORTAL_RATIO = 0.5
SUSPICIOUS_RATIO = 0.3
SUSPICIOUS_MIN_LINKS = 20

OFFLINE_MESSAGE = "this machine seems to have no way to the internet"
WENT_OFFLINE_MESSAGE = "links that responded earlier in this run do not respond any more: this machine went offline"


@dataclass(slots=True)
class HostTally:
    """Counts of one host (name and port) in a run; `active` counts the checked links that were active before it.

    `public`: its address is on the internet. `active_failed`: active links that are now unreachable or blocked.
    `active_gone`: active links that are gone, by the host's own word. `alive_earlier`: active links that an interrupted
    run found alive, and that this run, which continues it, does not check again.
    """

    public: bool = True
    checked: int = 0
    transport_failures: int = 0
    active: int = 0
    active_failed: int = 0
    active_gone: int = 0
    alive_earlier: int = 0

    @property
    def has_no_response(self) -> bool:
        """Whether links were checked and all failed below HTTP."""
        return self.checked > 0 and self.transport_failures == self.checked

    @property
    def known(self) -> int:
        """The number of active links of which the state is known now."""
        return self.active + self.alive_earlier

    @property
    def is_down(self) -> bool:
        """Whether the host breaker opens: of five or more active links, most failed at once."""
        return self.known >= BREAKER_MIN_LINKS and self.active_failed > HOST_BREAKER_RATIO * self.known

    @property
    def extra_links_needed(self) -> int:
        """How many more active links must be checked to tell a host that is down from links that died.

        0 unless some of few links failed. If all the others respond, those that failed are no majority.
        """
        if not self.active_failed or self.known >= BREAKER_MIN_LINKS:
            return 0
        return max(BREAKER_MIN_LINKS, 2 * self.active_failed + 1) - self.known


def merge_tallies(one: HostTally, other: HostTally) -> HostTally:
    """Return the tally of a host that two parts of a run checked: redirects lead to hosts of other workers."""
    return HostTally(
        public=one.public,
        checked=one.checked + other.checked,
        transport_failures=one.transport_failures + other.transport_failures,
        active=one.active + other.active,
        active_failed=one.active_failed + other.active_failed,
        active_gone=one.active_gone + other.active_gone,
        alive_earlier=max(one.alive_earlier, other.alive_earlier),
    )


@dataclass(frozen=True, slots=True)
class RunDecision:
    """Which failures of a run count; `reason` is one sentence for display, or empty.

    `withheld`: none counts. `hosts_down`: hosts whose active links keep their state. `unrouted_hosts`: hosts that this
    machine could not reach at all, so nothing is known about their links.
    """

    withheld: bool = False
    reason: str = ""
    hosts_down: frozenset[str] = field(default_factory=frozenset)
    unrouted_hosts: frozenset[str] = field(default_factory=frozenset)


def decide_run(
    hosts: Mapping[str, HostTally],
    *,
    active_links: int,
    force: bool = False,
    redirect_targets: Mapping[str, int] | None = None,
) -> RunDecision:
    """Decide on a whole run before any failure turns a link off.

    `redirect_targets`: by foreign host, how many hosts redirected there. `force` lifts only the brake.
    """
    checked = {netloc: tally for netloc, tally in hosts.items() if tally.checked}
    if checked and all(tally.has_no_response for tally in checked.values()):
        return RunDecision(withheld=True, reason=f"no host responded at all: {OFFLINE_MESSAGE}")
    if portal := _captive_portal(checked, redirect_targets or {}):
        reason = f"nearly all hosts redirect to {portal}: something between them and this machine responds instead"
        return RunDecision(withheld=True, reason=reason)
    unrouted = _unrouted_hosts(checked)
    down = frozenset(netloc for netloc, tally in checked.items() if tally.is_down) - unrouted
    if _too_many_down(checked, down):
        reason = f"{len(down)} of {len(checked)} hosts failed at once: more likely our side than theirs"
        return RunDecision(withheld=True, reason=reason)
    decision = RunDecision(reason=_kept_message(unrouted, down), hosts_down=down, unrouted_hosts=unrouted)
    return decision if force else _apply_brake(decision, checked, active_links)


def count_turned_off(hosts: Mapping[str, HostTally], kept: frozenset[str]) -> int:
    """Count the active links that a run turns off if the links of the `kept` hosts keep their state.

    Links that are gone turn off all the same.
    """
    return sum(
        tally.active_gone + (0 if netloc in kept else tally.active_failed)
        for netloc, tally in hosts.items()
        if tally.checked
    )


def is_suspicious(*, checked: int, transport_failures: int) -> bool:
    """Return whether so many links of a slice of a run failed that the canaries must be probed again."""
    return checked >= SUSPICIOUS_MIN_LINKS and transport_failures > SUSPICIOUS_RATIO * checked


def _unrouted_hosts(checked: Mapping[str, HostTally]) -> frozenset[str]:
    """Return all public hosts if there are three or more and none responded, else none."""
    public = {netloc: tally for netloc, tally in checked.items() if tally.public}
    if len(public) >= OFFLINE_MIN_HOSTS and all(tally.has_no_response for tally in public.values()):
        return frozenset(public)
    return frozenset()


def _captive_portal(checked: Mapping[str, HostTally], redirect_targets: Mapping[str, int]) -> str:
    """Return the one foreign host to which most hosts redirect, or an empty string."""
    for netloc, hosts in Counter(redirect_targets).most_common(1):
        if hosts >= OUTAGE_MIN_HOSTS and hosts > PORTAL_RATIO * len(checked):
            return netloc
    return ""


def _too_many_down(checked: Mapping[str, HostTally], down: frozenset[str]) -> bool:
    """Return whether most hosts went down at once, counted by hosts and by links."""
    judged = [netloc for netloc, tally in checked.items() if tally.active >= BREAKER_MIN_LINKS]
    active = sum(tally.active for tally in checked.values())
    lost = sum(checked[netloc].active for netloc in down)
    return len(down) >= OUTAGE_MIN_HOSTS and len(down) * 2 > len(judged) and lost * 2 > active


def _kept_message(unrouted: frozenset[str], down: frozenset[str]) -> str:
    messages = []
    if unrouted:
        messages.append(f"{OFFLINE_MESSAGE}: the links of {len(unrouted)} public hosts are kept")
    if down:
        names = ", ".join(sorted(down)[:5]) + (" …" if len(down) > 5 else "")
        messages.append(f"{'host' if len(down) == 1 else 'hosts'} down, links kept: {names}")
    return "; ".join(messages)


def _apply_brake(decision: RunDecision, checked: Mapping[str, HostTally], active_links: int) -> RunDecision:
    lost = count_turned_off(checked, decision.hosts_down | decision.unrouted_hosts)
    if lost > BRAKE_MIN_LINKS and lost > RUN_BRAKE_RATIO * active_links:
        reason = f"{lost} of {active_links} active links would be turned off at once; --force does it all the same"
        return RunDecision(withheld=True, reason=reason)
    return decision
