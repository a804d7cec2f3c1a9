"""The size of a database after a year of hourly checks (`make bench-history`), simulated in minutes.

No link is requested. Each simulated run writes what a run writes, by the code of the run: its row (`RunRecord`), its
updates of links and their flips (`write_updates`), the numbers of changes, and the deletion of old history. What is
scaled down: a check that changes nothing updates a link's row in place and adds none. So all links are written in all
runs of the first day, which is the size to compare with, and of the last day; in the runs between, the links that turn.
How many turn is an assumption (`--turning`), printed with the result. Searches are another question: each is a row that
stays for `HISTORY_DAYS`; `--searches` adds so many a day, half of them empty.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path


def main() -> int:
    """Simulate and print the sizes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else "")
    parser.add_argument("--links", type=int, default=50_000, help="links of the catalogue, three a movie (50000)")
    parser.add_argument("--days", type=int, default=365, help="days to simulate (365)")
    parser.add_argument("--turning", type=int, default=100, help="links that turn off each day and come back (100)")
    parser.add_argument("--searches", type=int, default=0, help="searches a day (0)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="openreel-history-") as folder:
        _prepare(Path(folder))
        from bench.history_simulation import SimulatedYear  # noqa: PLC0415  it needs the settings

        year = SimulatedYear(links=options.links, turning=options.turning, searches=options.searches)
        year.run(days=options.days)
    return 0


def _prepare(folder: Path) -> None:
    os.environ.update(
        DATABASE_URL=f"sqlite:///{folder}/history.sqlite3",
        VAR_DIR=str(folder),
        ENV_FILE=os.devnull,
        SECRET_KEY="only-for-the-simulation-of-a-year",
        DJANGO_SETTINGS_MODULE="MovieBackend.settings",
    )
    import django  # noqa: PLC0415  it needs the environment

    django.setup()


if __name__ == "__main__":
    sys.exit(main())
