"""The scenarios: a world, what is wrong with the web, and when the checker runs. Data; `simulate` runs it.

`--distributed` is not among them, for it needs a broker and PostgreSQL; it judges and accepts runs with the same code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.truth.faults import (
    BEGIN,
    ON_ALL,
    changing,
    creeping,
    hosts_down,
    in_turn,
    lasting,
    nothing,
    on_all_but,
    on_hosts,
    on_links,
    per_link,
    per_path,
    rolling,
    scattered,
    together,
)
from bench.truth.machine import Options
from bench.truth.web import (
    LOGIN_PATH,
    PORT,
    Fault,
    moved,
    no_name,
    redirect,
    refusing_after,
    removed,
    reset,
    same_page,
    silence,
    status,
    varied_page,
)
from bench.truth.worlds import World

DAY, FOR_GOOD, YEAR = 24.0, 1000.0, 365 * 24.0
WHOLE_RUN = Options()
SMALL_RUN = Options(limit=20)


@dataclass(frozen=True, slots=True)
class Phase:
    """Runs from one hour to another (both included), `every` so many hours."""

    start: float
    end: float
    every: float
    options: Options = WHOLE_RUN

    def hours(self) -> Iterator[float]:
        for step in range(int((self.end - self.start) / self.every) + 1):
            yield self.start + step * self.every


@dataclass(frozen=True, slots=True)
class WrongClock:
    """From one hour to another (this one not included) the machine's clock is so many hours ahead."""

    start: float
    end: float
    ahead: float


@dataclass(frozen=True, slots=True)
class Kills:
    """From one hour to another (this one not included) every second run is killed after so many requests."""

    start: float
    end: float
    after: int


@dataclass(frozen=True, slots=True)
class Run:
    """`killed_after`: the run is killed after so many requests; None: it ends by itself."""

    hour: float
    options: Options
    clock_offset: float = 0.0
    killed_after: int | None = None


# All go on until even a soft death has to be removed.
LATER = (Phase(78, 102, 6), Phase(114, 300, 12))
USUAL = (Phase(0, 12, 1), Phase(14, 30, 2), Phase(33, 75, 3), *LATER)
HOURLY = (Phase(0, 75, 1), *LATER)
SHORT_HOURLY = (Phase(0, 30, 1), Phase(33, 75, 3), *LATER)
SMALL = (Phase(0, 36, 0.25, SMALL_RUN), Phase(40, 76, 4), *LATER)
DUE = (Phase(0, 75, 1, Options(due=True)), Phase(78, 300, 6, Options(due=True)))
OLD_ONLY = (Phase(0, 75, 1, Options(older_than=6)), *LATER)
SHORT_OF_PATIENCE = (Phase(0, 30, 3, Options(timeout=1)), *LATER)
DAILY_FOR_MONTHS = (Phase(0, 72, 6), Phase(96, 2928, 24))


@dataclass(frozen=True, slots=True)
class Scenario:
    """`is_adaptive`: HEALTH_ADAPTIVE is on. `has_canary`: HEALTH_CANARIES names a site that is not in the catalogue.

    `closed`: hosts, by the beginning of their names, that never come back. Nothing tells their films from films that
    died, so these do not count as living; nor as overdue, for removal takes 5 % of the movies a day.
    """

    name: str
    words: str
    fault: Fault = nothing
    world: str = "usual"
    plan: tuple[Phase, ...] = USUAL
    clock: tuple[WrongClock, ...] = ()
    kills: Kills | None = None
    is_adaptive: bool = False
    has_canary: bool = False
    closed: tuple[str, ...] = ()

    def living(self, world: World) -> frozenset[str]:
        """The IMDb ids of the films that have to stay."""
        films = (film for film in world.films if film.lives)
        return frozenset(
            film.imdb_id for film in films if not all(link.host.startswith(self.closed) for link in film.links)
        )

    def runs(self) -> Iterator[Run]:
        hours = [(hour, phase.options) for phase in self.plan for hour in phase.hours()]
        for number, (hour, options) in enumerate(hours):
            yield Run(hour, options, self._ahead(hour), self._killed_after(number, hour))

    def _ahead(self, hour: float) -> float:
        return sum(wrong.ahead for wrong in self.clock if wrong.start <= hour < wrong.end)

    def _killed_after(self, number: int, hour: float) -> int | None:
        if self.kills is not None and number % 2 == 1 and self.kills.start <= hour < self.kills.end:
            return self.kills.after
        return None


CDN, SMALL_SITES, FIVES = "cdn-", ("cdn-", "small-"), "five-"
TERMS = ("Guest network", "Please accept the terms of use to go on.")
FOR_SALE = ("This domain may be for sale", "Related searches: cinema, travel, insurance.")
DENIED = ("Access denied", "This site is on a list of your provider.")
COOKIES = ("Before you continue", "We and our partners use cookies. Choose what you accept.")
LOG_IN = ("Sign in", "Please sign in to go on. E-mail, password.")
HOME = redirect("/")


def to(host: str, path: str = "/") -> str:
    return f"http://{host}.example:{PORT}{path}"


OURS = (
    Scenario("nothing", "Nothing is wrong"),
    Scenario("portal", "Captive portal, 200, the same page for all", lasting(72, on_hosts(same_page(*TERMS), *ON_ALL))),
    Scenario(
        "portal-pages",
        "Captive portal, 200, the same page for all",
        lasting(72, on_hosts(same_page(*TERMS), *ON_ALL)),
        world="pages",
    ),
    Scenario(
        "portal-varied",
        "Captive portal, 200, a page that names what was asked",
        lasting(72, on_hosts(varied_page(*TERMS), *ON_ALL)),
    ),
    Scenario(
        "portal-varied-pages",
        "Captive portal, 200, a page that names what was asked",
        lasting(72, on_hosts(varied_page(*TERMS), *ON_ALL)),
        world="pages",
    ),
    Scenario("portal-redirect", "Captive portal by redirect", lasting(72, on_hosts(redirect(to("portal")), *ON_ALL))),
    Scenario(
        "portal-half",
        "Captive portal for all hosts but the archive",
        lasting(72, on_all_but(same_page(*TERMS), "archive")),
    ),
    Scenario(
        "portal-half-only-pages",
        "Captive portal for all hosts but the archive, no files",
        lasting(72, on_all_but(same_page(*TERMS), "archive")),
        world="only_pages",
    ),
    Scenario(
        "dns-parking",
        "DNS leads all names to a parking page, 200",
        lasting(72, on_hosts(varied_page(*FOR_SALE), *ON_ALL)),
        world="pages",
    ),
    Scenario("dns-404", "DNS leads all names to a server with 404", lasting(72, on_hosts(status(404), *ON_ALL))),
    Scenario("dns-none", "No name is known for 30 hours", lasting(30, on_hosts(no_name, *ON_ALL))),
    Scenario("reset-all", "Every connection is reset for 30 hours", lasting(30, on_hosts(reset, *ON_ALL))),
    Scenario("throttled", "429 everywhere", lasting(72, on_hosts(status(429, ("Retry-After", "1800")), *ON_ALL))),
)
PROVIDERS = (
    Scenario(
        "provider-page",
        "Provider's page with 200 for 160 small sites, a day",
        lasting(DAY, on_hosts(same_page(*DENIED), *SMALL_SITES)),
    ),
    Scenario("provider-403", "403 for 160 of 430 links, three days", lasting(72, on_hosts(status(403), *SMALL_SITES))),
    Scenario(
        "provider-12-redirect",
        "Provider sends twelve sites to its page for six hours",
        lasting(6, on_hosts(redirect(to("provider")), FIVES)),
    ),
    Scenario(
        "provider-12-page",
        "Provider's page with 200 for twelve sites, six hours",
        lasting(6, on_hosts(same_page(*DENIED), FIVES)),
    ),
    Scenario(
        "provider-12-451",
        "Provider's page with 451 for twelve sites, a day",
        lasting(DAY, on_hosts(status(451), FIVES)),
    ),
    Scenario(
        "consent-redirect",
        "Consent wall by redirect for 160 sites",
        lasting(72, on_hosts(redirect(to("consent")), *SMALL_SITES)),
    ),
    Scenario(
        "consent-page",
        "Consent wall with 200 for 160 sites",
        lasting(72, on_links(varied_page(*COOKIES), *SMALL_SITES)),
    ),
)
HOSTS = (
    Scenario("host-404-hour", "One host: 404 for an hour", lasting(1, on_links(status(404), "second"))),
    Scenario(
        "host-404-hour-skew",
        "One host: 404 for an hour",
        lasting(1, on_links(status(404), "second")),
        world="skew",
    ),
    Scenario(
        "host-404-hour-tiny",
        "One host: 404 for an hour",
        lasting(1, on_links(status(404), "second")),
        world="tiny",
        has_canary=True,
    ),
    Scenario("host-410-day", "One host: 410 for a day", lasting(DAY, on_links(status(410), "second"))),
    Scenario("host-soft-day", "One host: soft 404 for a day", lasting(DAY, on_links(removed, "second"))),
    Scenario(
        "host-soft-day-tiny", "One host: soft 404 for a day", lasting(DAY, on_links(removed, "second")), world="tiny"
    ),
    Scenario(
        "host-login-day",
        "One host: log-in page with 200 for a day",
        lasting(DAY, on_links(same_page(*LOG_IN), "second")),
    ),
    Scenario(
        "host-login-redirect-day",
        "One host: redirect to its log-in for a day",
        lasting(DAY, on_links(redirect(LOGIN_PATH), "second")),
    ),
    Scenario(
        "host-home-2h", "One host: films lead to its front page for two hours", lasting(2, on_links(HOME, "second"))
    ),
    Scenario(
        "host-home-day", "One host: films lead to its front page for a day", lasting(DAY, on_links(HOME, "second"))
    ),
    Scenario("host-503-27h", "One host: 503 for 27 hours", lasting(27, on_hosts(status(503), "second"))),
    Scenario(
        "host-503-3days-tiny",
        "One host: 503 for three days",
        lasting(72, on_hosts(status(503), "second")),
        world="tiny",
    ),
    Scenario(
        "host-silent-day",
        "One host accepts and says nothing for a day",
        lasting(DAY, on_hosts(silence, "second")),
        plan=SHORT_OF_PATIENCE,
    ),
    Scenario(
        "host-refuses-halfway",
        "The archive refuses with 403 after 60 requests of a run",
        lasting(72, per_link(refusing_after(60), "archive")),
    ),
    Scenario(
        "host-creeps-404",
        "One host: a fifth of its films more each hour, 404, all for 30 hours",
        lasting(30, creeping(0.2, status(404), "second")),
    ),
    Scenario(
        "host-mixed-30h",
        "One host: 404 or 503, for 30 hours",
        lasting(30, per_path((status(404), status(503)), "second")),
    ),
    Scenario(
        "sites-403-then-404",
        "Twenty sites: 403 for two days, then 404 for two hours",
        changing(in_turn((51, status(403)), (53, status(404))), "cdn-00", "small-00"),
        plan=HOURLY,
    ),
    Scenario(
        "hosts-renamed", "160 sites have one new name, for good", lasting(FOR_GOOD, on_hosts(moved, *SMALL_SITES))
    ),
    Scenario("archive-404-day", "The archive: 404 for a day", lasting(DAY, on_links(status(404), "archive"))),
    Scenario(
        "archive-404-day-due",
        "--due: the archive, 404 for a day",
        lasting(DAY, on_links(status(404), "archive")),
        plan=DUE,
        is_adaptive=True,
    ),
    Scenario(
        "archive-404-day-older",
        "--older-than 6: the archive, 404 for a day",
        lasting(DAY, on_links(status(404), "archive")),
        plan=OLD_ONLY,
    ),
    Scenario(
        "archive-404-day-small",
        "--limit 20 every 15 minutes: the archive, 404 for a day",
        lasting(DAY, on_links(status(404), "archive"), since=7),
        plan=SMALL,
    ),
    Scenario(
        "fives-503-27h", "503 from twelve hosts with five links for 27 hours", lasting(27, on_hosts(status(503), FIVES))
    ),
)
CDNS = (
    *(
        Scenario(
            f"cdn-{code}-{name}",
            f"A CDN: {code} for {words}, hosts with a film each",
            lasting(hours, on_hosts(status(code), CDN)),
            closed=(CDN,) if hours == FOR_GOOD else (),
        )
        for code in (403, 404, 503)
        for hours, name, words in ((1.0, "hour", "an hour"), (27.0, "27h", "27 hours"), (FOR_GOOD, "for-good", "good"))
    ),
    Scenario("cdn-names-27h", "The names of 100 hosts are not known for 27 hours", lasting(27, on_hosts(no_name, CDN))),
    Scenario(
        "singles-cdn-404-hour",
        "A CDN: 404 for an hour, half of all hosts",
        lasting(1, on_hosts(status(404), CDN)),
        world="singles",
    ),
    Scenario(
        "singles-cdn-503-27h",
        "A CDN: 503 for 27 hours, half of all hosts",
        lasting(27, on_hosts(status(503), CDN)),
        world="singles",
    ),
)
ROLLING = (
    *(
        Scenario(
            f"rolling-{name}",
            f"Each hour another 29 % of the links: {words}",
            lasting(72, rolling(0.29, *kinds)),
            plan=HOURLY,
        )
        for name, words, kinds in (
            ("404", "404", (status(404),)),
            ("503", "503", (status(503),)),
            ("403", "403", (status(403),)),
            ("soft", "soft 404", (removed,)),
            ("mixed", "404, soft 404, front page, 503 or reset", (status(404), removed, HOME, status(503), reset)),
        )
    ),
    Scenario(
        "scattered-404",
        "Each hour a quarter of the links, chosen anew: 404",
        lasting(72, scattered(0.25, status(404))),
        plan=HOURLY,
    ),
    Scenario(
        "scattered-mixed",
        "Each hour a quarter of the links, chosen anew: 404, soft 404, front page, 503 or reset",
        lasting(72, scattered(0.25, status(404), removed, HOME, status(503), reset)),
        plan=HOURLY,
    ),
    Scenario(
        "rolling-404-due",
        "--due: each hour another 29 % of the links, 404",
        lasting(72, rolling(0.29, status(404))),
        plan=DUE,
        is_adaptive=True,
    ),
    Scenario(
        "rolling-404-small",
        "--limit 20 every 15 minutes: each hour another 29 % of the links, 404",
        lasting(30, rolling(0.29, status(404), since=7), since=7),
        plan=SMALL,
    ),
    Scenario(
        "rolling-404-skew",
        "Each hour another 29 % of the links: 404",
        lasting(72, rolling(0.29, status(404))),
        world="skew",
    ),
    Scenario(
        "rolling-404-singles",
        "Each hour another 29 % of the links: 404",
        lasting(72, rolling(0.29, status(404))),
        world="singles",
        plan=HOURLY,
    ),
    Scenario("down-5-percent", "5 % of the hosts are away at any time", hosts_down(0.05)),
    Scenario("down-5-percent-singles", "5 % of the hosts are away at any time", hosts_down(0.05), world="singles"),
)
# A run that asks twenty links sees little of what is wrong with the web.
SMALL_RUNS = (
    Scenario(
        "small-portal-pages",
        "--limit 20 every 15 minutes: captive portal, 200, for a day",
        lasting(DAY, on_hosts(same_page(*TERMS), *ON_ALL), since=7),
        world="pages",
        plan=SMALL,
    ),
    Scenario(
        "small-dns-none",
        "--limit 20 every 15 minutes: no name is known for a day",
        lasting(DAY, on_hosts(no_name, *ON_ALL), since=7),
        plan=SMALL,
    ),
    Scenario(
        "small-host-home-day",
        "--limit 20 every 15 minutes: one host's films lead to its front page for a day",
        lasting(DAY, on_links(HOME, "second"), since=7),
        plan=SMALL,
    ),
    Scenario(
        "small-cdn-404-6h",
        "--limit 20 every 15 minutes: a CDN, 404 for six hours",
        lasting(6, on_hosts(status(404), CDN), since=7),
        plan=SMALL,
    ),
    Scenario(
        "small-host-404-day-skew",
        "--limit 20 every 15 minutes: one host, 404 for a day",
        lasting(DAY, on_links(status(404), "second"), since=7),
        world="skew",
        plan=SMALL,
    ),
)
MACHINE = (
    Scenario(
        "clock-year-ahead",
        "Small sites: 503 for six hours; one run's clock is a year ahead",
        lasting(6, on_hosts(status(503), CDN)),
        clock=(WrongClock(5, 6, YEAR),),
    ),
    Scenario(
        "clock-year-behind",
        "Small sites: 503 for six hours; one run's clock is a year behind",
        lasting(6, on_hosts(status(503), CDN)),
        clock=(WrongClock(5, 6, -YEAR),),
    ),
    Scenario(
        "clock-both-ways",
        "Small sites: 503 for 20 hours; the clock jumps two days ahead, then two behind",
        lasting(20, on_hosts(status(503), CDN)),
        clock=(WrongClock(5, 8, 48), WrongClock(8, 12, -48)),
    ),
    Scenario(
        "clock-ahead-404",
        "One host: 404 for three hours; one run's clock is two days ahead",
        lasting(3, on_links(status(404), "second")),
        clock=(WrongClock(4, 5, 48),),
    ),
    Scenario(
        "killed",
        "Every second run is killed half-way; one host: 404 for a day",
        lasting(DAY, on_links(status(404), "second")),
        plan=SHORT_HOURLY,
        kills=Kills(BEGIN, 27, after=200),
    ),
    Scenario(
        "killed-portal",
        "Every second run is killed half-way; captive portal, 200, for a day",
        lasting(DAY, on_hosts(same_page(*TERMS), *ON_ALL)),
        world="pages",
        plan=SHORT_HOURLY,
        kills=Kills(BEGIN, 15, after=200),
    ),
    Scenario(
        "several",
        "5 % of the hosts away, one host soft 404 for a day, a CDN's 404 for an hour",
        together(
            lasting(DAY, on_links(removed, "second")),
            lasting(1, on_hosts(status(404), CDN), since=40),
            hosts_down(0.05),
        ),
    ),
)
CONTROLS = (
    Scenario("control-due", "--due: nothing is wrong", plan=DUE, is_adaptive=True),
    Scenario("control-small", "--limit 20 every 15 minutes: nothing is wrong", plan=SMALL),
    Scenario(
        "control-killed",
        "Every second run is killed half-way; nothing is wrong",
        world="tiny",
        plan=SHORT_HOURLY,
        kills=Kills(BEGIN, 12, after=15),
    ),
    Scenario(
        "control-blocked",
        "Two films are denied to us for good; four months",
        world="blocked",
        plan=DAILY_FOR_MONTHS,
    ),
)
SCENARIOS = (*OURS, *PROVIDERS, *HOSTS, *CDNS, *ROLLING, *SMALL_RUNS, *MACHINE, *CONTROLS)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
