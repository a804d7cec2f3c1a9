"""The commands that pages and the crontab show in blocks are run as written, in an installation of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.paths import PROJECT_ROOT

pytestmark = pytest.mark.slow(seconds=20)
DOCS = PROJECT_ROOT / "docs"
FILES = [
    *sorted(DOCS.glob("*.md")),
    *sorted(DOCS.glob("roles/*.md")),
    PROJECT_ROOT / "README.md",
    PROJECT_ROOT / "deploy" / "crontab",
]
INSTALLED = ("manage.py", "cleanup_dead_links.py", "MovieBackend", "streaming", "scraper", "templates", "static")
FOLDER = "/srv/openreel"
BACKUPS = "/srv/backup"
CRON_TIME = r"(?:[\d*/,]+ ){5}"
COMMAND = re.compile(
    rf"^(?: {{4}})?({CRON_TIME})?((?:cd \S+ && )?(?:\.venv/bin/)?python (?:manage|cleanup_\w+)\.py.*)$"
)
PLACEHOLDER = re.compile(r"(?<![\w/])[A-Z]{2,}(?![\w/])")
# These last until they are stopped: tests/scraping/supervisor and tests/test_serve.py run them.
ENDLESS = ("scrape_worker",)
# These need a service, a source or an instance: tests/alarms, tests/following, tests/commands/test_discover.py and
# test_scrape.py run them.
NEEDING_OTHERS = ("notify --test", "--source wikidata --all", "scrape --stale", "scrape --all", "manage.py follow")
MOVIES = "\n".join(
    f'{{"imdb_id": "{imdb_id}", "title": "A film", "links": []}}' for imdb_id in ("tt0063350", "tt0013442")
)


def documented():
    """`(is by cron, command)` of each line in a block, each once."""
    found = {}
    for file in FILES:
        for line in file.read_text(encoding="utf-8").splitlines():
            match = COMMAND.match(line)
            if match and (line.startswith("    ") or file.name == "crontab"):
                found[re.split(r"\s+#", match[2])[0]] = bool(match[1])
    return [
        (by_cron, command)
        for command, by_cron in found.items()
        if not PLACEHOLDER.search(command) and not any(name in command for name in (*ENDLESS, *NEEDING_OTHERS))
    ]


def test_the_lines_are_found():
    commands = documented()
    assert len([command for by_cron, command in commands if by_cron]) >= 3
    assert (False, "python manage.py restore_movies tt0063350") in commands


@pytest.fixture(scope="module")
def installation(tmp_path_factory) -> Path:
    """A folder as a clone with `.venv` and `var/env`, and a catalogue without links: nothing reaches the network."""
    folder = tmp_path_factory.mktemp("installation")
    for name in INSTALLED:
        source = PROJECT_ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "var").mkdir(mode=0o700)
    (folder / "backup").mkdir()
    (folder / "var" / "env").write_text("SECRET_KEY=only-for-the-tests-of-commands-0123456789\nLINK_GRACE_HOURS=0\n")
    for words, given in ((["migrate", "-v0"], ""), (["import_catalogue", "-"], MOVIES)):
        result = run(folder, f".venv/bin/python manage.py {' '.join(words)}", given=given)
        assert result.returncode == 0, result.stderr
    return folder


def run(folder, command, *, given="", path="/usr/bin:/bin"):
    """Run it in a shell that knows what cron gives and nothing else."""
    return subprocess.run(
        ["/bin/sh", "-c", command.replace(FOLDER, str(folder)).replace(BACKUPS, str(folder / "backup"))],
        cwd=folder, env={"HOME": str(folder), "PATH": path}, input=given, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_each_works_as_it_is_written(installation):
    """In the order of the pages, for some need what others did."""
    failed = []
    for by_cron, command in documented():
        path = "/usr/bin:/bin" if by_cron else f"{installation}/.venv/bin{os.pathsep}/usr/bin:/bin"
        result = run(installation, command, path=path)
        if result.returncode or "Traceback" in result.stderr:
            failed.append((command, result.returncode, result.stderr))
    assert failed == []
    assert "0 links" in (installation / "var" / "health.log").read_text()
