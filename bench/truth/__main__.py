"""The tables of the farm of behaviours and of the simulation.

`python -m bench.truth [--farm | --simulation] [--only NAME ...] [--jobs N] [--list]`
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from bench.truth.compare import compared, lines
from bench.truth.machine import ROOT
from bench.truth.scenarios import BY_NAME, SCENARIOS, Scenario
from bench.truth.simulate import Result, read

NAMES = (
    "scenario", "name", "world", "living films", "ever removed", "first at hour", "missing at the end",
    "links wrongly off", "dead films due", "of them overdue", "runs", "withheld", "s",
)  # fmt: skip
HEADS = (NAMES, ("---",) * 3 + ("--:",) * (len(NAMES) - 3))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both tables, or the one that is asked for; the exit status is 1 where the promise is not kept."""
    options = _parser().parse_args(arguments)
    if options.list:
        print("\n".join(f"{scenario.name:28}{scenario.words}" for scenario in SCENARIOS))
        return 0
    is_kept = True
    if not (options.simulation or options.only):
        is_kept &= _print_farm()
    if not options.farm:
        is_kept &= _print_simulation(options.only, jobs=options.jobs)
    return 0 if is_kept else 1


def _print_farm() -> bool:
    """Whether nothing on the farm that lives was turned off, and no film was lost."""
    result = compared()
    print("\n".join([*lines(result), ""]), flush=True)
    return result.is_kept


def _print_simulation(names: Sequence[str], *, jobs: int) -> bool:
    """Whether no scenario lost a living film or kept a dead one too long."""
    print("\n".join(map(_line, HEADS)))
    is_kept = True
    for result in simulated([BY_NAME[name] for name in names] or SCENARIOS, jobs=jobs):
        print(row(result), flush=True)
        is_kept &= result.is_kept
    return is_kept


def simulated(scenarios: Iterable[Scenario], *, jobs: int) -> Iterator[Result]:
    """Each scenario in a process of its own, `jobs` at a time; results in the order of the scenarios."""
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(_simulated, scenarios)


def _simulated(scenario: Scenario) -> Result:
    command = [sys.executable, "-m", "bench.truth.simulate", scenario.name]
    process = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return read(process.stdout.splitlines()[-1])


def row(result: Result) -> str:
    """A line of the table in Markdown."""
    first = "" if result.first_loss is None else f"{result.first_loss:g}"
    numbers = (result.missing, result.links_off, result.due, result.overdue, result.runs, result.withheld)
    words = (BY_NAME[result.scenario].words, result.scenario, result.world, result.living, _ratio(result), first)
    return _line((*words, *numbers, f"{result.seconds:.0f}"))


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _ratio(result: Result) -> str:
    """How many living films were ever removed, in per cent too when it is any."""
    lost = result.ever_removed
    return f"**{lost} ({100 * lost / result.living:.0f} %)**" if lost else "0"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.truth", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--farm", action="store_true", help="the farm of behaviours alone")
    which.add_argument("--simulation", action="store_true", help="the simulation alone")
    parser.add_argument(
        "--only", nargs="+", default=[], choices=sorted(BY_NAME), metavar="NAME", help="these scenarios alone"
    )
    parser.add_argument("--jobs", type=int, default=2, help="scenarios at a time (2)")
    parser.add_argument("--list", action="store_true", help="name the scenarios, run none")
    return parser


if __name__ == "__main__":
    sys.exit(main())
