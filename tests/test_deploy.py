"""The examples of deploy/ agree with the code, as far as a test can see without systemd and Docker."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands

from MovieBackend.web_worker import BufferedWorker
from scraper import sources
from tests.test_docs import PROJECT_ROOT

DEPLOY = PROJECT_ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
SETTINGS = (PROJECT_ROOT / "docs" / "settings.md").read_text()
OF_THE_IMAGE = {"DEBUG", "ENV_FILE", "EXAMPLE_SITE_URL", "HOST", "PORT", "SCRAPE_DIR", "VAR_DIR"}
"""Settings of development and of the demo, and those that the image and its volume decide."""


def words(file: Path) -> str:
    return "\n".join(line for line in file.read_text().splitlines() if not line.startswith("#"))


def test_local_files_are_not_copied_into_images():
    ignored = set(words(DEPLOY / "Dockerfile.dockerignore").split())
    kept_out = (PROJECT_ROOT / ".gitignore").read_text().split()
    assert {".git", *(one.rstrip("/") for one in kept_out)} <= {one.removeprefix("**/") for one in ignored}


@pytest.mark.parametrize("file", [*UNITS, DEPLOY / "compose.yaml", DEPLOY / "crontab"], ids=lambda file: file.name)
def test_every_command_that_is_named_exists(file):
    named = re.findall(r'manage\.py[", ]+([a-z_]+)', words(file))
    assert set(named) <= set(get_commands())


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_services_stop_their_main_process_only_and_restart_without_limit(file):
    """systemd gives up on a unit that starts five times within ten seconds, and a second worker on a machine exits at
    once. Workers stop their own job processes: a TERM to all of them would cost the jobs an attempt."""
    unit = dict(line.split("=", 1) for line in words(file).splitlines() if "=" in line)
    if unit.get("Restart") == "always":
        assert float(unit["RestartSec"]) >= 2
    if "scrape_worker" in words(file) or "worker" in unit["ExecStart"]:
        assert unit["KillMode"] == "mixed"


@pytest.mark.parametrize("file", ["Dockerfile", "openreel-web.service"])
def test_the_web_server_is_the_one_that_slow_clients_cannot_stop(file):
    options = re.sub(r'[",]', " ", words(DEPLOY / file)).split()
    assert options[options.index("--worker-class") + 1] == f"{BufferedWorker.__module__}.{BufferedWorker.__name__}"


def test_the_image_and_the_unit_have_as_many_workers_as_the_settings_say():
    assert "--workers ${WEB_WORKERS:-2} --threads ${WEB_THREADS:-8}" in words(DEPLOY / "Dockerfile")
    unit = words(DEPLOY / "openreel-web.service")
    assert "--workers ${WEB_WORKERS} --threads ${WEB_THREADS}" in unit
    assert unit.index("Environment=WEB_WORKERS=2 WEB_THREADS=8") < unit.index("EnvironmentFile=")


def test_the_supervisor_requeues_its_jobs_before_the_web_service_is_killed():
    """With KillMode=mixed systemd kills what is left of a unit once its main process has ended."""
    unit = words(DEPLOY / "openreel-web.service")
    assert re.search(r"^ExecStop=\S+ manage.py scrape_worker --stop$", unit, re.M)
    assert re.search(r"^ExecStartPost=\S+ manage.py scrape_worker --wake$", unit, re.M)


def test_containers_wait_for_the_migrations_and_search_sources_that_are_there():
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    for name in set(services) - {"database", "broker", "migrate"}:
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert services[name]["environment"]["CONTACT"] != "${CONTACT:-}"
        stated = services[name]["environment"]["SOURCES"].removeprefix("${SOURCES:-").removesuffix("}").split(",")
        assert set(stated) <= {slug for slug, one in sources.KNOWN_SOURCES.items() if one.has_spider} - {"example"}


def test_containers_start_again_pass_on_signals_and_have_one_supervisor():
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert services.pop("migrate")["restart"] == "no"
    assert {one["restart"] for one in services.values()} == {"unless-stopped"}
    ours = [one for one in services.values() if "image" not in one]
    assert all(one["init"] and "var:/srv/openreel/var" in one["volumes"] for one in ours)
    settings = {"BEHIND_HTTPS", "TRUSTED_PROXIES", "CSRF_TRUSTED_ORIGINS", "METRICS_TOKEN", "ALLOWED_HOSTS"}
    assert all(settings <= set(one["environment"]) for one in ours)
    documented = set(re.findall(r"`([A-Z_]+)`", "".join(re.findall(r"^\| (`[^|]*) \|", SETTINGS, re.MULTILINE))))
    assert set(ours[0]["environment"]) == documented - OF_THE_IMAGE
    assert services["celery"]["depends_on"]["broker"]["condition"] == "service_healthy"


def test_the_code_in_the_image_is_not_the_servers():
    lines = words(DEPLOY / "Dockerfile").splitlines()
    assert not [line for line in lines if "chown" in line]
    assert lines.index("COPY . .") < lines.index("USER openreel")


@pytest.mark.slow
@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_services_are_hardened(file):
    """By the judgement of systemd where it is installed, and by what that is made of elsewhere."""
    unit = dict(line.split("=", 1) for line in words(file).splitlines() if "=" in line)
    assert (unit["UMask"], unit["NoNewPrivileges"], unit["ProtectSystem"]) == ("0077", "yes", "strict")
    assert (unit["CapabilityBoundingSet"], unit["SystemCallFilter"]) == ("", "@system-service")
    if judge := shutil.which("systemd-analyze"):
        command = [judge, "security", "--offline=true", "--no-pager", "--threshold=50", str(file)]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stdout


def test_a_long_migration_is_not_cut_short():
    unit = words(DEPLOY / "openreel-web.service")
    assert re.search(r"^TimeoutStartSec=\d+min$", unit, re.M)
