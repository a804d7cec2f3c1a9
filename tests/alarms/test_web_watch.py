"""With cron dead and the schedule off, the web server's processes tell the operator that links are not checked."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.utils import timezone

from streaming.child_environment import child_environment
from streaming.models import AlarmState, HealthRun
from tests.helpers.factories import make_link
from tests.helpers.http_origin import wait_for
from tests.helpers.http_servers import free_port
from tests.helpers.message_receivers import receiver
from tests.helpers.paths import PROJECT_ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
SERVE = """
import sys
from MovieBackend import web_worker
web_worker.LOOK_SECONDS = 0.2
from gunicorn.app.wsgiapp import run
run()
"""


def serve(*, workers, **variables):
    """The web server as a unit of systemd starts it, but for the time between two looks."""
    options = ["--worker-class", "MovieBackend.web_worker.BufferedWorker", "--workers", str(workers)]
    bind = ["--bind", f"127.0.0.1:{free_port()}", "--no-control-socket", "--log-level", "warning"]
    return subprocess.Popen(
        [sys.executable, "-c", SERVE, "MovieBackend.wsgi", *options, *bind],
        cwd=PROJECT_ROOT,
        env={**child_environment(), "SCHEDULE": "off", **variables},
    )


def test_a_late_check_is_one_message_when_only_the_web_server_runs_and_its_end_another():
    old = timezone.now() - timedelta(hours=30)
    link = make_link()
    type(link).objects.update(first_seen=old)
    with receiver() as hook:
        url = f"http://{hook.address}/hook"
        with serve(workers=2, NOTIFY_WEBHOOK_URL=url, NOTIFY_WEBHOOK_SECRET="s" * 16) as server:
            try:
                wait_for(lambda: hook.received, seconds=60)
                HealthRun.objects.create(started_at=old, finished_at=timezone.now(), outcome="completed")
                wait_for(lambda: len(hook.received) > 1, seconds=60)
            finally:
                server.terminate()
        assert server.returncode == 0
    news = [(row["condition"] for row in body["began"] + body["ended"]) for body in hook.bodies()]
    assert [list(one) for one in news] == [["run_late"], ["run_late"]], os.linesep.join(map(str, hook.bodies()))
    assert not AlarmState.objects.exclude(began_at=None).exists()
