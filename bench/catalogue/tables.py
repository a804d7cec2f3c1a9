"""The results as tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bench.catalogue.databases import BARE, OPENREEL, TUTORIAL
from bench.catalogue.measurements import DETAIL, EMPTY, FIRST, NOT_MODIFIED, UNSEEN, Measured

Runs = Mapping[tuple[str, int], Mapping[str, Measured]]
"""What was measured, by kind of database and number of films, then by build."""


def rates(runs: Runs) -> str:
    """Requests per second and their ratios."""
    rows = []
    for (kind, films), builds in runs.items():
        naive, ours, limit = (builds[build].rates for build in (TUTORIAL, OPENREEL, BARE))
        for what in (FIRST, UNSEEN, DETAIL):
            cells = [_rate(found.get(what)) for found in (naive, ours, limit)]
            rows.append([kind, f"{films:,}", what, *cells, _ratio(ours, naive, what), _ratio(ours, limit, what)])
        for what in (NOT_MODIFIED, EMPTY):
            rows.append([kind, f"{films:,}", what, "", _rate(ours[what]), "", "", ""])
    heads = ("database", "films", "requests/s, 8 clients", TUTORIAL, OPENREEL, BARE, "ours : tutorial", "ours : raw")
    return _table(heads, rows)


def _rate(value: float | None) -> str:
    return "" if value is None else _short(value)


def _ratio(ours: Mapping[str, float], theirs: Mapping[str, float], what: str) -> str:
    return f"{ours[what] / theirs[what]:.2f}" if what in theirs else ""


def typing(runs: Runs) -> str:
    """Searches as they are typed, in one process."""
    rows = [
        [kind, f"{films:,}", *_cells(builds[TUTORIAL].typing), *_cells(builds[OPENREEL].typing)]
        for (kind, films), builds in runs.items()
    ]
    return _table(("database", "films", "tutorial p50, ms", "p99", "Openreel p50, ms", "p99"), rows)


def pages(runs: Runs) -> str:
    """Each page, best and first, by database and size; the tutorial's where it has the page."""
    columns = list(runs)
    heads = ["best (first), ms", *(f"{kind} {films:,}" for kind, films in columns)]
    heads += [f"tutorial, {kind} {films:,}" for kind, films in columns]
    paths = list(next(iter(runs.values()))[OPENREEL].pages)
    rows = [[f"`{path}`", *_page_cells(runs, path, OPENREEL), *_page_cells(runs, path, TUTORIAL)] for path in paths]
    return _table(heads, rows)


def imports(runs: Runs) -> str:
    """The time of the imports that this run made."""
    rows = [
        [kind, f"{films:,}", _short(builds[OPENREEL].import_seconds)]
        for (kind, films), builds in runs.items()
        if builds[OPENREEL].import_seconds
    ]
    return _table(("database", "films", "import_catalogue, s"), rows) if rows else "No import was measured."


def _page_cells(runs: Runs, path: str, build: str) -> Iterator[str]:
    for builds in runs.values():
        first, best = builds[build].pages.get(path, (None, None))
        yield "" if best is None else f"{_short(best)} ({_short(first)})"


def _cells(pair: tuple[float, float] | None) -> Sequence[str]:
    return [_short(value) for value in pair] if pair else ["", ""]


def _short(value: float) -> str:
    return f"{value:,.1f}" if value < 10 else f"{value:,.0f}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
