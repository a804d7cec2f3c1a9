"""Whether a run is believed: nothing is that could be our own fault. Pure.

Offline: nobody answers. Host breaker: a host is down, not its films. Brake: too much would be turned off at once.
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
MIN_HOSTS_AT_ONCE = 3
PORTAL_RATIO = 0.5
SUSPICIOUS_RATIO = 0.3
SUSPICIOUS_MIN_LINKS = 20

OFFLINE_MESSAGE = "this machine seems to have no way to the internet"
WENT_OFFLINE_MESSAGE = "links that answered in this run do not answer any more: our own side went down"


@dataclass(slots=True)
class HostTally:
    """What one host (name and port) did in a run; `active` counts links that were active before it.

    `turned_soft`: active links that are now unreachable or blocked; `turned_gone`: that answered they are gone.
    `before`: active links that a run which was broken off had found alive and this one, going on, does not ask again.
    """

    public: bool = True
    asked: int = 0
    below_http: int = 0
    active: int = 0
    active_failed: int = 0
    active_gone: int = 0
    alive_earlier: int = 0

    @property
    def has_no_response(self) -> bool:
        return self.asked > 0 and self.below_http == self.asked

    @property
    def known(self) -> int:
        return self.active + self.alive_earlier

    @property
    def is_down(self) -> bool:
        """The host breaker: five or more active links, and most of them failed at once."""
        return self.known >= BREAKER_MIN_LINKS and self.active_failed > HOST_BREAKER_RATIO * self.known

    @property
    def extra_links_needed(self) -> int:
        """How many more of its active links tell a host that is down from links that died: few were due, and some
        failed. When all of the others answer, those that failed are no majority."""
        if not self.active_failed or self.known >= BREAKER_MIN_LINKS:
            return 0
        return max(BREAKER_MIN_LINKS, 2 * self.active_failed + 1) - self.known


def merge_tallies(one: HostTally, other: HostTally) -> HostTally:
    """One host's tally from two parts of a run: its links may lead to hosts that are another worker's to ask."""
    return HostTally(
        public=one.public,
        asked=one.asked + other.asked,
        below_http=one.below_http + other.below_http,
        active=one.active + other.active,
        active_failed=one.active_failed + other.active_failed,
        active_gone=one.active_gone + other.active_gone,
        alive_earlier=max(one.alive_earlier, other.alive_earlier),
    )


@dataclass(frozen=True, slots=True)
class RunDecision:
    """What of a run is believed; `reason` is one sentence or empty.

    `down`: hosts whose active links keep their state; `cut_off`: hosts that we had no way to, nothing is said of them.
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
    """Judge a whole run before anything of it turns a link off.

    `landings`: at how many hosts a redirect to that foreign host ended. `force` lifts the brake alone.
    """
    asked = {name: tally for name, tally in hosts.items() if tally.asked}
    if asked and all(tally.has_no_response for tally in asked.values()):
        return RunDecision(withheld=True, reason="no host answered at all: " + OFFLINE_MESSAGE)
    if portal := _captive_portal(asked, redirect_targets or {}):
        return RunDecision(
            withheld=True, reason=f"nearly all hosts led to {portal}: something on our way answers for them"
        )
    cut_off = _unrouted_hosts(asked)
    down = frozenset(name for name, tally in asked.items() if tally.is_down) - cut_off
    if _too_many_down(asked, down):
        sentence = f"{len(down)} of {len(asked)} hosts failed at once: more likely our side than theirs"
        return RunDecision(withheld=True, reason=sentence)
    decision = RunDecision(reason=_kept_message(cut_off, down), hosts_down=down, unrouted_hosts=cut_off)
    return decision if force else _apply_brake(decision, asked, active_links)


def count_turned_off(hosts: Mapping[str, HostTally], kept: frozenset[str]) -> int:
    """How many active links a run turns off when these hosts' links are kept (gone ones are believed all the same)."""
    return sum(
        tally.active_gone + (0 if name in kept else tally.active_failed) for name, tally in hosts.items() if tally.asked
    )


def is_suspicious(*, asked: int, below_http: int) -> bool:
    """Whether a slice of a run failed so much that the canaries are to be asked again."""
    return asked >= SUSPICIOUS_MIN_LINKS and below_http > SUSPICIOUS_RATIO * asked


def _unrouted_hosts(asked: Mapping[str, HostTally]) -> frozenset[str]:
    """The public hosts, when none of them (of three or more) answered while private ones did."""
    public = {name: tally for name, tally in asked.items() if tally.public}
    if len(public) >= OFFLINE_MIN_HOSTS and all(tally.has_no_response for tally in public.values()):
        return frozenset(public)
    return frozenset()


def _captive_portal(asked: Mapping[str, HostTally], landings: Mapping[str, int]) -> str:
    """The one foreign host to which most hosts lead: a captive portal."""
    for place, hosts in Counter(landings).most_common(1):
        if hosts >= MIN_HOSTS_AT_ONCE and hosts > PORTAL_RATIO * len(asked):
            return place
    return ""


def _too_many_down(asked: Mapping[str, HostTally], down: frozenset[str]) -> bool:
    """Whether most hosts went down at once, by hosts and by links."""
    judged = [name for name, tally in asked.items() if tally.active >= BREAKER_MIN_LINKS]
    active = sum(tally.active for tally in asked.values())
    lost = sum(asked[name].active for name in down)
    return len(down) >= MIN_HOSTS_AT_ONCE and len(down) * 2 > len(judged) and lost * 2 > active


def _kept_message(cut_off: frozenset[str], down: frozenset[str]) -> str:
    sentences = []
    if cut_off:
        sentences.append(f"{OFFLINE_MESSAGE}: the links of {len(cut_off)} public hosts are kept")
    if down:
        named = ", ".join(sorted(down)[:5]) + (" …" if len(down) > 5 else "")
        sentences.append(f"{'host' if len(down) == 1 else 'hosts'} down, links kept: {named}")
    return "; ".join(sentences)


def _apply_brake(decision: RunDecision, asked: Mapping[str, HostTally], active_links: int) -> RunDecision:
    lost = count_turned_off(asked, decision.hosts_down | decision.unrouted_hosts)
    if lost > BRAKE_MIN_LINKS and lost > RUN_BRAKE_RATIO * active_links:
        sentence = f"{lost} of {active_links} active links would be turned off at once; --force does it all the same"
        return RunDecision(withheld=True, reason=sentence)
    return decision
