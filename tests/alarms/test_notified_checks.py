"""A check tells the operator at its end, once over all processes, and a service that hangs holds up no check."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time

import pytest

from streaming.child_environment import child_environment
from streaming.models import AlarmMessage
from tests.helpers.factories import make_link
from tests.helpers.http_origin import Origin
from tests.helpers.message_receivers import receiver
from tests.helpers.paths import PROJECT_ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow(seconds=15)]


def start(name, *options, **variables):
    return subprocess.Popen(
        [sys.executable, "manage.py", name, *options],
        cwd=PROJECT_ROOT, env={**child_environment(), **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def webhook_at(server, **more):
    return {"NOTIFY_WEBHOOK_URL": f"http://{server.address}/hook", "NOTIFY_WEBHOOK_SECRET": "s" * 16, **more}


def test_a_withheld_check_sends_a_message_and_a_good_one_the_heartbeat():
    with receiver() as hook, receiver() as heartbeat, Origin() as server:
        settings = webhook_at(hook, HEARTBEAT_URL=f"http://{heartbeat.address}/ping")
        make_link(source_url=server.url("page/1"), host=server.server_address[0])
        assert start("check_link_health", **settings).wait(60) == 0
        assert [path for path, _, _ in heartbeat.received] == ["/ping"]
        assert start("check_link_health", "--limit", "1", **settings).wait(60) == 0
        server.go_down()
        assert start("check_link_health", **settings).wait(60) == 3
        assert len(heartbeat.received) == 1
    assert [body["began"][0]["condition"] for body in hook.bodies()] == ["run_withheld"]


def test_a_service_that_hangs_delays_the_end_by_its_timeout_and_nothing_else():
    with receiver(hangs=True) as hook, Origin() as server:
        make_link(source_url=server.url("page/1"), host=server.server_address[0])
        make_link(is_published=False)
        check = start("check_link_health", **webhook_at(hook, NOTIFY_TIMEOUT="1"))
        assert "links checked" in check.stdout.readline()
        begin = time.monotonic()
        # The run is over and its lock released: another one does not find it at work.
        assert "another check" not in start("check_link_health").communicate(timeout=60)[0]
        check.communicate(timeout=60)
    assert check.returncode == 0
    assert time.monotonic() - begin < 30
    assert AlarmMessage.objects.count() == 1


def test_of_many_processes_one_sends():
    with receiver() as hook:
        make_link(is_published=False)
        processes = [start("notify", **webhook_at(hook)) for _ in range(4)]
        assert [process.wait(60) for process in processes] == [0] * 4
    assert len(hook.received) == 1, os.linesep.join(process.stderr.read() for process in processes)


def test_lines_of_a_log_begin_with_the_time_and_json_does_not():
    check = start("check_link_health")
    lines = check.communicate(timeout=60)[0].splitlines()
    assert [line for line in lines if not re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ \S", line)] == []
    assert "0 links checked" in lines[0]
    assert json.loads(start("check_link_health", "--format", "json").communicate(timeout=60)[0])["checked"] == 0
