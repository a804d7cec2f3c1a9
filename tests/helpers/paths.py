"""Where the project and, if they are there, the recorded answers of sources are."""

from __future__ import annotations

from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[2]
SHARED = PROJECT_ROOT.parent / "shared"
"""Material of the workshop. A user's machine has only the project: tests that need this are skipped there."""
RECORDED_PAYLOADS = SHARED / "payloads"
