"""Whether a run is believed: nothing is that could be our own fault. Pure.

Offline: nobody answers. Host breaker: a host is down, not its films. Brake: too much would be turned off at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

BREAKER_LEAST_LINKS = 5
BREAKER_SHARE = 0.5
BRAKE_LEAST_LINKS = 20
BRAKE_SHARE = 0.3
OFFLINE_LEAST_HOSTS = 3
MANY_HOSTS = 3
PORTAL_SHARE = 0.5
SUSPICIOUS_SHARE = 0.3
SUSPICIOUS_LEAST = 20

NO_WAY_OUT = "this machine seems to have no way to the internet"
LOST_ON_THE_WAY = "links that answered in this run do not answer any more: our own side went down"


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
    turned_soft: int = 0
    turned_gone: int = 0
    before: int = 0

    @property
    def is_silent(self) -> bool:
        return self.asked > 0 and self.below_http == self.asked

    @property
    def known(self) -> int:
        return self.active + self.before

    @property
    def is_down(self) -> bool:
        """The host breaker: five or more active links, and most of them failed at once."""
        return self.known >= BREAKER_LEAST_LINKS and self.turned_soft > BREAKER_SHARE * self.known

    @property
    def more_wanted(self) -> int:
        """How many more of its active links tell a host that is down from links that died: few were due, and some
        failed. When all of the others answer, those that failed are no majority."""
        if not self.turned_soft or self.known >= BREAKER_LEAST_LINKS:
            return 0
        return max(BREAKER_LEAST_LINKS, 2 * self.turned_soft + 1) - self.known


def joined(one: HostTally, other: HostTally) -> HostTally:
    """One host's tally from two parts of a run: its links may lead to hosts that are another worker's to ask."""
    return HostTally(
        public=one.public,
        asked=one.asked + other.asked,
        below_http=one.below_http + other.below_http,
        active=one.active + other.active,
        turned_soft=one.turned_soft + other.turned_soft,
        turned_gone=one.turned_gone + other.turned_gone,
        before=max(one.before, other.before),
    )


@dataclass(frozen=True, slots=True)
class Belief:
    """What of a run is believed; `reason` is one sentence or empty.

    `down`: hosts whose active links keep their state; `cut_off`: hosts that we had no way to, nothing is said of them.
    """

    withheld: bool = False
    reason: str = ""
    down: frozenset[str] = field(default_factory=frozenset)
    cut_off: frozenset[str] = field(default_factory=frozenset)


def judge_run(
    hosts: Mapping[str, HostTally], *, active_links: int, force: bool = False, landings: Mapping[str, int] | None = None
) -> Belief:
    """Judge a whole run before anything of it turns a link off.

    `landings`: at how many hosts a redirect to that foreign host ended. `force` lifts the brake alone.
    """
    asked = {name: tally for name, tally in hosts.items() if tally.asked}
    if asked and all(tally.is_silent for tally in asked.values()):
        return Belief(withheld=True, reason="no host answered at all: " + NO_WAY_OUT)
    if portal := _portal(asked, landings or {}):
        return Belief(withheld=True, reason=f"nearly all hosts led to {portal}: something on our way answers for them")
    cut_off = _cut_off(asked)
    down = frozenset(name for name, tally in asked.items() if tally.is_down) - cut_off
    if _too_many_down(asked, down):
        sentence = f"{len(down)} of {len(asked)} hosts failed at once: more likely our side than theirs"
        return Belief(withheld=True, reason=sentence)
    belief = Belief(reason=_kept_sentence(cut_off, down), down=down, cut_off=cut_off)
    return belief if force else _braked(belief, asked, active_links)


def would_turn_off(hosts: Mapping[str, HostTally], kept: frozenset[str]) -> int:
    """How many active links a run turns off when these hosts' links are kept (gone ones are believed all the same)."""
    return sum(
        tally.turned_gone + (0 if name in kept else tally.turned_soft) for name, tally in hosts.items() if tally.asked
    )


def is_suspicious(*, asked: int, below_http: int) -> bool:
    """Whether a slice of a run failed so much that the canaries are to be asked again."""
    return asked >= SUSPICIOUS_LEAST and below_http > SUSPICIOUS_SHARE * asked


def _cut_off(asked: Mapping[str, HostTally]) -> frozenset[str]:
    """The public hosts, when none of them (of three or more) answered while private ones did."""
    public = {name: tally for name, tally in asked.items() if tally.public}
    if len(public) >= OFFLINE_LEAST_HOSTS and all(tally.is_silent for tally in public.values()):
        return frozenset(public)
    return frozenset()


def _portal(asked: Mapping[str, HostTally], landings: Mapping[str, int]) -> str:
    """The one foreign host to which most hosts lead: a captive portal."""
    for place, hosts in Counter(landings).most_common(1):
        if hosts >= MANY_HOSTS and hosts > PORTAL_SHARE * len(asked):
            return place
    return ""


def _too_many_down(asked: Mapping[str, HostTally], down: frozenset[str]) -> bool:
    """Whether most hosts went down at once, by hosts and by links."""
    judged = [name for name, tally in asked.items() if tally.active >= BREAKER_LEAST_LINKS]
    active = sum(tally.active for tally in asked.values())
    lost = sum(asked[name].active for name in down)
    return len(down) >= MANY_HOSTS and len(down) * 2 > len(judged) and lost * 2 > active


def _kept_sentence(cut_off: frozenset[str], down: frozenset[str]) -> str:
    sentences = []
    if cut_off:
        sentences.append(f"{NO_WAY_OUT}: the links of {len(cut_off)} public hosts are kept")
    if down:
        named = ", ".join(sorted(down)[:5]) + (" …" if len(down) > 5 else "")
        sentences.append(f"{'host' if len(down) == 1 else 'hosts'} down, links kept: {named}")
    return "; ".join(sentences)


def _braked(belief: Belief, asked: Mapping[str, HostTally], active_links: int) -> Belief:
    lost = would_turn_off(asked, belief.down | belief.cut_off)
    if lost > BRAKE_LEAST_LINKS and lost > BRAKE_SHARE * active_links:
        sentence = f"{lost} of {active_links} active links would be turned off at once; --force does it all the same"
        return Belief(withheld=True, reason=sentence)
    return belief
