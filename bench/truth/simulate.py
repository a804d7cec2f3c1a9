"""One scenario from its first hour to its last, in a process of its own.

`python -m bench.truth.simulate NAME --trace` says on stderr what each run did.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.truth import machine
from bench.truth.machine import Outcome
from bench.truth.scenarios import BY_NAME, Run, Scenario
from bench.truth.web import PORT, Web, serving
from bench.truth.worlds import DEATH_HOUR, WORLDS, Film, World

PATIENCE = 4
"""Films whose links all died for good have to be gone within so many times their grace."""


@dataclass(frozen=True, slots=True)
class Result:
    """`ever_removed`, `missing`: living films that were removed at any time, or are not there at the end.

    `links_off`: links of living films that would work at the end and are turned off, or went with their film.
    `overdue`: of the `due` films that died for good, those that were not gone in time.
    """

    scenario: str
    world: str
    living: int
    ever_removed: int
    missing: int
    links_off: int
    due: int
    overdue: int
    runs: int
    killed: int
    withheld: int
    first_loss: float | None
    seconds: float

    @property
    def is_kept(self) -> bool:
        """Whether the promise holds: nothing that lives is missing, at most 1 % was ever, and what is dead is gone."""
        return self.missing == 0 and self.ever_removed * 100 <= self.living and self.overdue == 0


@dataclass(slots=True)
class History:
    """Who was missing after which run."""

    world: World
    runs: int = 0
    killed: int = 0
    withheld: int = 0
    removed_at: dict[str, float] = field(default_factory=dict)
    present: frozenset[str] = frozenset()

    def note(self, hour: float, present: frozenset[str], outcome: Outcome | None) -> None:
        """What a run reported (None: it was killed), and which films are there after it."""
        self.present = present
        self.runs += 1
        self.killed += outcome is None
        self.withheld += outcome is not None and outcome.withheld
        for film in self.world.films:
            if film.imdb_id not in present:
                self.removed_at.setdefault(film.imdb_id, hour)

    def living_removed(self) -> dict[str, float]:
        """Living films that were ever removed, with the hour of the first time."""
        living = self.world.living()
        return {imdb_id: hour for imdb_id, hour in self.removed_at.items() if imdb_id in living}

    def is_overdue(self, film: Film) -> bool:
        """Whether a dead film is here now or went too late."""
        return film.imdb_id in self.present or self.removed_at.get(film.imdb_id, 0.0) > deadline(film)


def deadline(film: Film) -> float:
    """The hour by which a dead film has to be gone."""
    return DEATH_HOUR + PATIENCE * machine.GRACE_HOURS * film.grace_factor


def simulate(scenario: Scenario, folder: Path, *, trace: bool = False) -> Result:
    """Run a scenario; Django must not have been set up in this process. `trace`: say on stderr what each run did."""
    began = time.monotonic()
    world = WORLDS[scenario.world]()
    web = Web(world, scenario.fault)
    canaries = f"http://canary.example:{PORT}/" if scenario.has_canary else ""
    os.environ.update(machine.environment(folder, is_adaptive=scenario.is_adaptive, canaries=canaries))
    with serving(web) as (address, _):
        machine.start(address, knows=web.knows)
        machine.set_clock(machine.moment_of(0))
        machine.create_database()
        machine.load(world)
        history = _run_all(scenario, world, web, address, trace=trace)
        links_off = count_wrongly_off(world, web)
    return _result(scenario, history, links_off, seconds=time.monotonic() - began)


def _run_all(scenario: Scenario, world: World, web: Web, address: str, *, trace: bool) -> History:
    history = History(world)
    for run in scenario.runs():
        web.turn_to(run.hour)
        outcome = _run(run, web, address)
        history.note(run.hour, machine.movies_present(), outcome)
        if trace:
            print(f"{run.hour:g} h: {outcome or 'killed'}", file=sys.stderr)
    return history


def _run(run: Run, web: Web, address: str) -> Outcome | None:
    """What a run reported; None: it was killed."""
    now = machine.moment_of(run.hour, offset=run.clock_offset)
    if run.killed_after is None:
        return machine.check(run.options, now=now)
    machine.check_and_kill(run.options, now=now, web=web, web_address=address, after=run.killed_after)
    return None


def count_wrongly_off(world: World, web: Web) -> int:
    """Links of living films that work now and that nobody is shown."""
    inactive, present = machine.inactive_urls(), machine.movies_present()
    return sum(
        (film.imdb_id not in present or machine.url_of(link) in inactive) and web.serves(link)
        for film in world.films
        if film.lives
        for link in film.links
    )


def _result(scenario: Scenario, history: History, links_off: int, *, seconds: float) -> Result:
    removed, living = history.living_removed(), history.world.living()
    end = max(run.hour for run in scenario.runs())
    due = [film for film in history.world.films if not film.lives and deadline(film) <= end]
    return Result(
        scenario=scenario.name,
        world=scenario.world,
        living=len(living),
        ever_removed=len(removed),
        missing=len(living - history.present),
        links_off=links_off,
        due=len(due),
        overdue=sum(map(history.is_overdue, due)),
        runs=history.runs,
        killed=history.killed,
        withheld=history.withheld,
        first_loss=min(removed.values(), default=None),
        seconds=round(seconds, 1),
    )


def read(line: str) -> Result:
    """What `main` printed."""
    values: Mapping[str, object] = json.loads(line)
    return Result(**values)  # type: ignore[arg-type]


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate the named scenario and print its result as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.truth.simulate", description=main.__doc__)
    parser.add_argument("name", choices=sorted(BY_NAME), metavar="NAME")
    parser.add_argument("--trace", action="store_true", help="say on stderr what each run did")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="openreel-simulation-") as folder:
        print(json.dumps(asdict(simulate(BY_NAME[options.name], Path(folder), trace=options.trace))))


if __name__ == "__main__":
    main()
