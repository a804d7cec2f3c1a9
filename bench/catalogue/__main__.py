"""`make bench-catalogue`: lists, pages and searches of catalogues of 10 thousand to a million films.

A tutorial's build (a ModelViewSet with nested links, a search with LIKE, page numbers), Openreel, and raw SQL with JSON
run under the same web server on the same films, one after the other. The tables are Markdown; compare ratios within
one run only. A million films take half an hour to import; `--imported 100000` imports a tenth of them and copies the
rest by SQL. `--folder` keeps the databases for the next run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bench.catalogue import tables
from bench.catalogue.databases import (
    BARE,
    NO_POSTGRES,
    OPENREEL,
    POSTGRES,
    SQLITE,
    TUTORIAL,
    Catalogue,
    postgres_answers,
)
from bench.catalogue.measurements import Measured, measure_build

SIZES = (10_000, 100_000, 1_000_000)


def main() -> int:
    options = _parse_arguments()
    kinds = options.databases
    if POSTGRES in kinds and not postgres_answers():
        print(f"bench-catalogue: {NO_POSTGRES}", file=sys.stderr)
        kinds = [kind for kind in kinds if kind != POSTGRES]
    with tempfile.TemporaryDirectory(prefix="openreel-catalogue-") as name:
        folder = (options.folder or Path(name)).resolve()
        folder.mkdir(exist_ok=True)
        catalogues = [
            Catalogue(folder=folder, kind=kind, films=films, imported=options.imported or films, facts=options.facts)
            for films in options.sizes
            for kind in kinds
        ]
        if options.fill:
            for catalogue in catalogues:
                catalogue.fill()
            return 0
        runs = {(one.kind, one.films): _measure(one, options) for one in catalogues}
    print(tables.imports(runs), tables.rates(runs), tables.typing(runs), tables.pages(runs), sep="\n\n")
    return 0


def _measure(catalogue: Catalogue, options: argparse.Namespace) -> Mapping[str, Measured]:
    """Fill the databases of a catalogue and measure each build on them."""
    measured = {}
    try:
        import_seconds = catalogue.fill()
        for build in (TUTORIAL, OPENREEL, BARE):
            print(f"{catalogue.kind}, {catalogue.films:,} films: {build} ...", file=sys.stderr, flush=True)
            measured[build] = measure_build(build, catalogue, seconds=options.seconds)
        measured[OPENREEL].import_seconds = import_seconds
    finally:
        if options.folder is None:
            catalogue.drop()
    return measured


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.catalogue", description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="numbers of films (%(default)s)")
    parser.add_argument("--databases", nargs="+", choices=(SQLITE, POSTGRES), default=[SQLITE, POSTGRES])
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each rate is measured (%(default)s)")
    parser.add_argument("--folder", type=Path, help="where databases are kept; by default they are removed at the end")
    parser.add_argument("--imported", type=int, help="no more films than these are imported; the rest are their copies")
    parser.add_argument(
        "--facts", action="store_true", help="films have genres and people, links a health, the admin a year's rows"
    )
    parser.add_argument("--fill", action="store_true", help="only make the databases; needs --folder")
    options = parser.parse_args()
    if options.fill and not options.folder:
        parser.error("--fill needs --folder")
    return options


if __name__ == "__main__":
    sys.exit(main())
