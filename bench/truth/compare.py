"""The table of the farm of behaviours: what is true of each link, and what each link checker says of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import lychee
from bench.truth import farm, programs
from bench.truth.behaviours import Behaviour, Truth, behaviours
from bench.truth.farm import FarmLink
from bench.truth.programs import Opinion

OURS = "Openreel"
Said = Mapping[str, Opinion]
"""A program's opinions by the name of a behaviour."""
Ask = Callable[[Iterable[FarmLink]], Mapping[str, Opinion]]
OFF = frozenset({Opinion.DEAD, Opinion.DENIED, Opinion.AWAY})
RIGHT = {
    Truth.ALIVE: {Opinion.ALIVE},
    Truth.BUSY: {Opinion.ALIVE},
    Truth.DENIED: {Opinion.DENIED},
    Truth.PASSING: {Opinion.ALIVE, Opinion.DENIED, Opinion.AWAY},
    Truth.AWAY: set(OFF),
    Truth.GONE: set(OFF),
}
"""What may be said of a link. Off is off: that a dead link is called denied costs nobody a film."""
TOTALS = {
    "living turned off": ((Truth.ALIVE, Truth.BUSY), OFF),
    "dead shown": ((Truth.GONE, Truth.AWAY), {Opinion.ALIVE}),
    "denied recognised": ((Truth.DENIED,), {Opinion.DENIED}),
    "denied called dead": ((Truth.DENIED,), {Opinion.DEAD}),
    "passing called dead": ((Truth.PASSING,), {Opinion.DEAD}),
}


@dataclass(frozen=True, slots=True)
class Compared:
    """`columns`: what each program said; `removed`: behaviours whose films Openreel had removed after two days;
    `missing`: a sentence for each program that could not be had."""

    listed: Sequence[Behaviour]
    columns: Mapping[str, Said]
    removed: frozenset[str]
    missing: Sequence[str] = ()

    @property
    def films_lost(self) -> list[str]:
        """Films that are not gone, or of which nobody can know it, and that were removed."""
        return [one.name for one in self.listed if one.truth is not Truth.GONE and one.name in self.removed]

    @property
    def is_kept(self) -> bool:
        """Whether the promise holds: nothing that lives was turned off, and no film was lost."""
        return not self.films_lost and not self.count(OURS, "living turned off")

    def count(self, column: str, total: str) -> int:
        truths, opinions = TOTALS[total]
        return sum(one.truth in truths and self.columns[column][one.name] in opinions for one in self.listed)


def compared() -> Compared:
    """Ask all programs, each on a farm of its own; Openreel in this process, in which Django must not be set up."""
    listed = behaviours()
    with tempfile.TemporaryDirectory(prefix="openreel-farm-") as name:
        folder = Path(name)
        others, missing = _others(folder)
        with ThreadPoolExecutor(3) as pool, farm.running(listed) as own_farm:
            running = {column: pool.submit(_on_a_farm, listed, ask) for column, ask in others.items()}
            own = programs.ours(own_farm, folder)
            columns = {OURS: by_name(own_farm.links(), own.opinions)}
            columns |= {column: result.result() for column, result in running.items()}
        removed = frozenset(link.behaviour.name for link in own_farm.links() if link.url in own.removed)
    return Compared(listed, columns, removed, missing)


def _others(folder: Path) -> tuple[dict[str, Ask], list[str]]:
    """How to ask the programs that can be had, and what to say of those that cannot."""
    asks: dict[str, Ask] = {}
    missing = []
    if program := lychee.install(folder / "lychee"):
        for method in ("HEAD", "GET"):
            asks[f"lychee {method}"] = partial(programs.lychee_opinions, program, folder=folder, method=method)
    else:
        missing.append(lychee.MISSING)
    if program := programs.install_linkchecker(folder / "linkchecker"):
        asks["LinkChecker"] = partial(programs.linkchecker_opinions, program)
    else:
        missing.append(programs.LINKCHECKER_MISSING)
    return asks, missing


def _on_a_farm(listed: Sequence[Behaviour], ask: Ask) -> Said:
    with farm.running(listed) as own_farm:
        return by_name(own_farm.links(), ask(own_farm.links()))


def by_name(links: Iterable[FarmLink], said: Mapping[str, Opinion]) -> Said:
    """A link that a program does not mention is not shown by whoever trusts it."""
    return {link.behaviour.name: said.get(link.url, Opinion.DEAD) for link in links}


# --- the tables
def lines(result: Compared) -> Iterator[str]:
    """In Markdown: what is missing, totals, mistakes by kind, and a line for each behaviour; mistakes in bold."""
    yield from result.missing
    heads = ("program", *TOTALS, "films lost in two days")
    yield from _table(heads, (_totals(result, column) for column in result.columns), numbers=len(heads) - 1)
    yield ""
    heads = ("kind", "behaviours", *result.columns)
    yield from _table(heads, _kinds(result), numbers=len(heads) - 1)
    yield ""
    heads = ("behaviour", "kind", "known from", "truth", *result.columns, "film")
    yield from _table(heads, (_row(one, result) for one in result.listed), numbers=0)


def _totals(result: Compared, column: str) -> list[str]:
    def cell(total: str) -> str:
        concerned = sum(one.truth in TOTALS[total][0] for one in result.listed)
        return f"{result.count(column, total)} of {concerned}"

    return [column, *map(cell, TOTALS), str(len(result.films_lost)) if column == OURS else "removes none"]


def _kinds(result: Compared) -> Iterator[list[str]]:
    """How many behaviours of a kind each program is wrong about."""
    for group in dict.fromkeys(one.group for one in result.listed):
        listed = [one for one in result.listed if one.group == group]
        wrong = [sum(said[one.name] not in RIGHT[one.truth] for one in listed) for said in result.columns.values()]
        yield [group, str(len(listed)), *map(str, wrong)]


def _row(one: Behaviour, result: Compared) -> list[str]:
    opinions = [said[one.name] for said in result.columns.values()]
    cells = [opinion if opinion in RIGHT[one.truth] else f"**{opinion}**" for opinion in opinions]
    film = "removed" if one.name in result.removed else ""
    film = f"**{film}**" if one.name in result.films_lost else film
    return [one.name, one.group, one.report, one.truth, *cells, film]


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int) -> Iterator[str]:
    """`numbers`: how many of the last columns are numbers."""
    rules = ["---"] * (len(heads) - numbers) + ["--:"] * numbers
    for row in (heads, rules, *rows):
        yield f"| {' | '.join(row)} |"
