"""Properties of all commands."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.core.management import get_commands, load_command_class

from tests.helpers.paths import PROJECT_ROOT

COMMANDS = sorted(name for name, app in get_commands().items() if app == "streaming")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_ends_with_an_example(name):
    text = load_command_class("streaming", name).create_parser("manage.py", name).format_help()
    assert f"Example: python manage.py {name}" in " ".join(text.split())


@pytest.mark.parametrize("name", ["scrape", "scrape_worker"])
@pytest.mark.slow
def test_a_wrong_argument_is_one_sentence_and_status_1(name, tmp_path):
    result = subprocess.run(
        [sys.executable, "manage.py", name, "tt0013442", "--nope"],
        cwd=PROJECT_ROOT, env={"SECRET_KEY": "only-for-tests-not-for-a-public-site", "VAR_DIR": str(tmp_path)},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"manage.py {name}: unrecognized arguments: {'tt0013442 ' * (name != 'scrape')}--nope\n"
