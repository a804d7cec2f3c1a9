"""Whether the failures of a run count: none does that may be the fault of this machine, or of a whole host.

Offline: no host responds. Clock: the run's clock is wrong. Host breaker: a host is down or has changed, its films are
not gone. Brake: too many links would be turned off within a day. See docs/decisions, numbers 3 and 13. Pure.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

logger = logging.getLogger(__name__)
BREAKER_MIN_LINKS = 5
HOST_BREAKER_RATIO = 0.5
BRAKE_MIN_LINKS = 20
BRAKE_RATIO = 0.3
BRAKE_WINDOW = timedelta(hours=25)
"""A day, and so much more that a daily run that begins a little late still knows what the one before turned off."""
MAX_CLOCK_OFFSET = timedelta(days=1)
CLOCK_RATIO = 0.5
MASS_LOSS_RATIO = 0.05
MASS_LOSS_MIN_LINKS = 10
MASS_LOSS_GRACES = 2
"""For so many times the grace links that turned off with many others do not count as failing."""
OUTAGE_GRACES = 7
"""After so many times the grace the failures of a host that is down are accepted like any other."""
OFFLINE_MIN_HOSTS = 3
OUTAGE_MIN_HOSTS = 3
PORTAL_RATIO = 0.5
PORTAL_MESSAGE = "nearly all hosts redirect to one address: something between them and this machine responds instead"
SUSPICIOUS_RATIO = 0.3
SUSPICIOUS_MIN_LINKS = 20

OFFLINE_MESSAGE = "this machine seems to have no way to the internet"
WRONG_CLOCK_MESSAGE = "the clock of this machine differs by more than a day from that of most hosts"
CLOCK_BEHIND_MESSAGE = "the newest check is more than a day ahead of the clock of this machine"
WENT_OFFLINE_MESSAGE = "links that responded earlier in this run do not respond any more: this machine went offline"


@dataclass(slots=True)
class HostTally:
    """Counts of one host (name and port) in a run; `active` counts the checked links that were active before it.

    `public`: its address is on the internet. `alive`: links that are alive, active before or not. `active_failed`:
    active links that are now unreachable or blocked. `active_gone`: active links that are gone, by the host's own word.
    `off_lately`: links that earlier runs turned off within a day and that are still bad.
    `alive_earlier`: active links that an interrupted run found alive, and that this run, which continues it, does not
    check again. `clock_offset`: how many seconds the host's clock is ahead of the run's; None: it did not tell.
    """

    public: bool = True
    checked: int = 0
    transport_failures: int = 0
    active: int = 0
    active_failed: int = 0
    active_gone: int = 0
    off_lately: int = 0
    alive_earlier: int = 0
    alive: int = 0
    clock_offset: float | None = None

    @property
    def has_no_response(self) -> bool:
        """Whether links were checked and all failed below HTTP."""
        return self.checked > 0 and self.transport_failures == self.checked

    @property
    def known(self) -> int:
        """The number of links of which the state is known now and that were active within a day."""
        return self.active + self.alive_earlier + self.off_lately

    @property
    def active_bad(self) -> int:
        """The number of active links that turned bad."""
        return self.active_failed + self.active_gone

    @property
    def _is_host_news(self) -> bool:
        """Whether the host breaker opens: of five or more links, most turned bad within a day, some of them now."""
        bad = self.active_bad + self.off_lately
        return self.active_bad > 0 and self.known >= BREAKER_MIN_LINKS and bad > HOST_BREAKER_RATIO * self.known

    @property
    def is_down(self) -> bool:
        """Whether most active links turned bad, mostly because the host does not respond or lets nobody in."""
        return self._is_host_news and self.active_failed >= self.active_gone

    @property
    def is_changed(self) -> bool:
        """Whether most active links turned bad, mostly because the host says that they are gone."""
        return self._is_host_news and self.active_failed < self.active_gone

    @property
    def extra_links_needed(self) -> int:
        """How many more active links must be checked to tell news of the host from links that died.

        0 unless some of few links turned bad. If all the others respond, those that did are no majority.
        """
        if not self.active_bad or self.known >= BREAKER_MIN_LINKS:
            return 0
        return max(BREAKER_MIN_LINKS, 2 * (self.active_bad + self.off_lately) + 1) - self.known


def merge_tallies(one: HostTally, other: HostTally) -> HostTally:
    """Return the tally of a host that two parts of a run checked: redirects lead to hosts of other workers."""
    return HostTally(
        public=one.public,
        checked=one.checked + other.checked,
        transport_failures=one.transport_failures + other.transport_failures,
        active=one.active + other.active,
        active_failed=one.active_failed + other.active_failed,
        active_gone=one.active_gone + other.active_gone,
        off_lately=one.off_lately + other.off_lately,
        alive_earlier=max(one.alive_earlier, other.alive_earlier),
        alive=one.alive + other.alive,
        clock_offset=other.clock_offset if one.clock_offset is None else one.clock_offset,
    )


@dataclass(frozen=True, slots=True)
class History:
    """What earlier runs left behind that a decision needs.

    `active_links`: those that are active, or were at any time within the window of the brake. `turned_off`: those that
    were turned off within it. `outages`: by host, for how many seconds it has been down; `outage_limit`: after how many
    its failures are accepted. `mass_losses`: moments of runs, not long ago, that together turned off so many links
    within a day that one cause is likely, such as a CDN; what turned off then does not count as failing yet.
    """

    active_links: int
    turned_off: int = 0
    outages: Mapping[str, int] = field(default_factory=dict)
    outage_limit: float = float("inf")
    mass_losses: frozenset[datetime] = frozenset()

    def long_outages(self) -> dict[str, int]:
        """The hosts whose failures are accepted, with the seconds that they have been down."""
        return {netloc: seconds for netloc, seconds in self.outages.items() if seconds >= self.outage_limit}


@dataclass(frozen=True, slots=True)
class RunDecision:
    """Which failures of a run count; `reason` is one sentence for display, or empty.

    `withheld`: none counts. `is_braked`: only since they are too many; links that work again do count then.
    `hosts_down`: hosts whose active links keep their state. `hosts_changed`: hosts whose links turn off, but count
    towards removal later. `unrouted_hosts`: hosts that this machine could not reach at all, so nothing is known about
    their links. `accepted_outages`: hosts that have been down for so long that their failures count, with the seconds.
    `mass_losses`: see `History`.
    """

    withheld: bool = False
    reason: str = ""
    is_braked: bool = False
    hosts_down: frozenset[str] = field(default_factory=frozenset)
    hosts_changed: frozenset[str] = field(default_factory=frozenset)
    unrouted_hosts: frozenset[str] = field(default_factory=frozenset)
    accepted_outages: Mapping[str, int] = field(default_factory=dict)
    mass_losses: frozenset[datetime] = field(default_factory=frozenset)


def decide_run(
    hosts: Mapping[str, HostTally],
    history: History,
    *,
    force: bool = False,
    redirect_targets: Mapping[str, int] | None = None,
) -> RunDecision:
    """Decide on a whole run before any failure turns a link off.

    `redirect_targets`: by foreign host, how many hosts redirected there. `force` lifts only the brake.
    """
    checked = {netloc: tally for netloc, tally in hosts.items() if tally.checked}
    accepted = history.long_outages()
    unrouted = _unrouted_hosts(checked)
    down = frozenset(netloc for netloc, tally in checked.items() if tally.is_down) - unrouted - accepted.keys()
    if reason := _outside_cause(checked, down, redirect_targets or {}):
        return RunDecision(withheld=True, reason=reason)
    changed = frozenset(netloc for netloc, tally in checked.items() if tally.is_changed) - unrouted - accepted.keys()
    decision = RunDecision(
        reason=_host_messages(unrouted, down, changed),
        hosts_down=down,
        hosts_changed=changed,
        unrouted_hosts=unrouted,
        accepted_outages=accepted,
        mass_losses=history.mass_losses,
    )
    return decision if force else _apply_brake(decision, checked, history)


def wrong_clock(hosts: Mapping[str, HostTally], *, now: datetime, newest_check: datetime | None) -> str:
    """Return why the run's clock is not plausible; empty if it is.

    Hosts tell the time with each response, and most of the public ones must agree with the run. If most hosts do, then
    it is the newest stored check that is wrong, and moments in the future are ignored.
    """
    clocks = [tally for tally in hosts.values() if tally.clock_offset is not None]
    if _most_differ([tally for tally in clocks if tally.public]):
        return WRONG_CLOCK_MESSAGE
    is_behind = newest_check is not None and newest_check - now > MAX_CLOCK_OFFSET
    return CLOCK_BEHIND_MESSAGE if is_behind and (not clocks or _most_differ(clocks)) else ""


def confirms_clock(hosts: Mapping[str, HostTally]) -> bool:
    """Whether a host tells the time that the run's clock shows. Nothing that is deleted by its date goes without."""
    limit = MAX_CLOCK_OFFSET.total_seconds()
    return any(tally.clock_offset is not None and abs(tally.clock_offset) <= limit for tally in hosts.values())


def _most_differ(clocks: Sequence[HostTally]) -> bool:
    limit = MAX_CLOCK_OFFSET.total_seconds()
    wrong = sum(tally.clock_offset is not None and abs(tally.clock_offset) > limit for tally in clocks)
    return wrong > CLOCK_RATIO * len(clocks)


def count_turned_off(hosts: Mapping[str, HostTally], kept: frozenset[str]) -> int:
    """Count the active links that a run turns off if the links of the `kept` hosts keep their state.

    Links that are gone turn off all the same.
    """
    return sum(
        tally.active_gone + (0 if netloc in kept else tally.active_failed)
        for netloc, tally in hosts.items()
        if tally.checked
    )


def mass_loss_threshold(active_links: int) -> int:
    """Return the number of links above which those that one run turned off are a mass loss."""
    return max(MASS_LOSS_MIN_LINKS, int(MASS_LOSS_RATIO * active_links))


def crowded_moments(
    counts: Iterable[tuple[datetime, int]], *, threshold: int, window: timedelta
) -> frozenset[datetime]:
    """Return the moments that lie within any `window` with more than `threshold` events; `counts` in order of time.

    Small runs one after the other are the same loss as one large run.
    """
    crowded = set[datetime]()
    recent, total = deque[tuple[datetime, int]](), 0
    for moment, events in counts:
        recent.append((moment, events))
        total += events
        while moment - recent[0][0] >= window:
            total -= recent.popleft()[1]
        if total > threshold:
            crowded.update(at for at, _ in recent)
    return frozenset(crowded)


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


def _outside_cause(checked: Mapping[str, HostTally], down: frozenset[str], redirect_targets: Mapping[str, int]) -> str:
    """Return why the failures are more likely the fault of this machine or its network; empty if they are not."""
    if checked and all(tally.has_no_response for tally in checked.values()):
        return f"no host responded at all: {OFFLINE_MESSAGE}"
    if portal := _captive_portal(checked, redirect_targets):
        # The reason of a run is public, and the name may be one inside our network.
        logger.warning("nearly all hosts redirect to %s", portal)
        return PORTAL_MESSAGE
    if _too_many_down(checked, down):
        return f"{len(down)} of {len(checked)} hosts failed at once: more likely our side than theirs"
    return ""


def _host_messages(unrouted: frozenset[str], down: frozenset[str], changed: frozenset[str]) -> str:
    messages = []
    if unrouted:
        messages.append(f"{OFFLINE_MESSAGE}: the links of {len(unrouted)} public hosts are kept")
    if down:
        messages.append(f"{'host' if len(down) == 1 else 'hosts'} down, links kept: {_first_few(down)}")
    if changed:
        hosts = "a host" if len(changed) == 1 else "hosts"
        messages.append(f"most links of {hosts} went at once, they count later: {_first_few(changed)}")
    return "; ".join(messages)


def _first_few(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)[:5]) + (" …" if len(names) > 5 else "")


def _apply_brake(decision: RunDecision, checked: Mapping[str, HostTally], history: History) -> RunDecision:
    """Withhold the run if it turns links off and they are too many with those of the runs before.

    Hosts that have been down for long are no sudden loss: they are left out.
    """
    kept = decision.hosts_down | decision.unrouted_hosts
    sudden = {netloc: tally for netloc, tally in checked.items() if netloc not in decision.accepted_outages}
    lost = count_turned_off(sudden, kept)
    total = lost + history.turned_off
    if lost and total > BRAKE_MIN_LINKS and total > BRAKE_RATIO * history.active_links:
        reason = (
            f"{total} of {history.active_links} active links would be turned off within a day, {lost} of them now; "
            f"--force does it all the same"
        )
        return RunDecision(withheld=True, reason=reason, is_braked=True)
    return decision
