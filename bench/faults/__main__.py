"""`make bench-faults`: kill, starve, fill and restart what Openreel consists of; count what was promised and lost.

A click is a promise when it is accepted: its job has to end, whatever happens to the processes meanwhile. Commands
that are killed have to leave whole rows, and their next run completes the work.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.faults import postgres, scenarios
from bench.faults.postgres import Cluster
from bench.faults.scenarios import Result, Setting
from bench.instance import table

ROUNDS = 8
HEADS = ("fault", "database", "times", "promised", "lost", "refused", "seen")
SQLITE, POSTGRES = "SQLite", "PostgreSQL"
FAULTS: Mapping[str, tuple[str, Callable[[Setting], Result], tuple[str, ...]]] = {
    "web": ("kill -9 of a process of the web server", scenarios.kill_web_workers, (SQLITE, POSTGRES)),
    "supervisor": ("kill -9 of the supervisor", scenarios.kill_supervisors, (SQLITE, POSTGRES)),
    "job": ("kill -9 of a job's process", scenarios.kill_jobs, (SQLITE, POSTGRES)),
    "memory": ("a job's process gets no more memory", scenarios.starve_jobs, (SQLITE,)),
    "check": ("kill -9 of check_link_health", scenarios.kill_checks, (SQLITE, POSTGRES)),
    "import": ("kill -9 of import_catalogue", scenarios.kill_imports, (SQLITE, POSTGRES)),
    "restart": ("PostgreSQL restarted at once", scenarios.restart_database, (POSTGRES,)),
    "disk": ("data folder full", scenarios.fill_disk, (SQLITE,)),
    "read-only": ("data folder read-only", scenarios.make_read_only, (SQLITE,)),
}
NEEDS_ROOT = frozenset({"disk", "read-only"})


def main() -> int:
    options = _parse_arguments()
    binaries = postgres.find_binaries()
    if binaries is None:
        print(f"bench-faults: {postgres.MISSING}")
    rows: list[list[object]] = []
    for name in options.only or FAULTS:
        title, run, databases = FAULTS[name]
        if name in NEEDS_ROOT and os.geteuid() != 0:
            print(f"bench-faults: {title}: left out, only root may mount a small disk")
            continue
        for database in databases:
            if database == SQLITE or binaries is not None:
                rows.append([title, database, *_measure(run, database, binaries, options.rounds)])
                print(*rows[-1], sep=", ", file=sys.stderr, flush=True)
    print(table("What was promised and what was lost", HEADS, rows))
    return int(any(row[4] != 0 for row in rows))


def _measure(run: Callable[[Setting], Result], database: str, binaries: Path | None, rounds: int) -> list[object]:
    with tempfile.TemporaryDirectory(prefix="openreel-faults-") as name, _cluster(database, binaries) as cluster:
        result = run(Setting(Path(name), rounds, cluster))
    return [result.times, result.promised, result.lost, result.refused, result.note]


@contextmanager
def _cluster(database: str, binaries: Path | None) -> Iterator[Cluster | None]:
    if database == SQLITE or binaries is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="openreel-postgres-") as name:
        Path(name).chmod(0o755)
        cluster = Cluster(Path(name) / "cluster", binaries)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=FAULTS, help="these faults alone")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each fault happens (%(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
