"""Asking links in a process of its own: the same answers, and an end to it whatever happens to either side."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from streaming.health.probe_types import ProbeRequest
from streaming.health.probing import prober_process
from streaming.health.probing.prober_process import (
    PROJECT_ROOT,
    ProberProcessDied,
    probe_in_process,
    probe_in_subprocess,
)
from tests.health.probing.test_prober import CONFIG
from tests.helpers.http_origin import Origin
from tests.helpers.paths import PROJECT_ROOT
from tests.helpers.process_info import children_of

pytestmark = pytest.mark.slow

KINDS = ("page", "soft", "404", "403", "500", "nohead", "busy", "reset", "to/page", "cookie")


@pytest.fixture
def origin():
    with Origin() as server:
        yield server


def questions(origin, count):
    return [ProbeRequest(n, origin.url(f"{KINDS[n % len(KINDS)]}/{n}"), False, "Nosferatu") for n in range(count)]


def told(result):
    """Without what differs from one time to the next."""
    return sorted((one.id, one.judgement, one.status, one.is_transport_failure, one.redirect_target) for one in result)


def prober_processes():
    ours = [pid for pid, _ in children_of(os.getpid())]
    return [
        pid for pid in ours if b"streaming.health.probing.prober_process" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def test_what_is_heard_apart_is_what_is_heard_here(origin):
    here = told(probe_in_process(questions(origin, 110), CONFIG))
    assert told(probe_in_subprocess(questions(origin, 110), CONFIG)) == here
    assert len(here) == 110
    assert prober_processes() == []


def test_many_links_are_asked_apart_and_few_are_not(origin, monkeypatch):
    monkeypatch.setattr(prober_process, "SUBPROCESS_THRESHOLD", 20)
    asked = prober_process.probe_links(questions(origin, 60), CONFIG)
    first = next(asked)
    assert len(prober_processes()) == (1 if len(os.sched_getaffinity(0)) > 1 else 0)
    assert len([first, *asked]) == 60
    few = prober_process.probe_links(questions(origin, 19), CONFIG)
    next(few)
    assert prober_processes() == []
    assert len(list(few)) == 18


def test_a_process_that_dies_while_it_asks_is_said(origin):
    asked = probe_in_subprocess(questions(origin, 200), CONFIG)
    next(asked)
    (pid,) = prober_processes()
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ProberProcessDied):
        list(asked)
    assert prober_processes() == []


def test_it_stops_when_told_and_leaves_no_process(origin):
    result = []
    for one in probe_in_subprocess(
        (ProbeRequest(n, origin.url(f"hang/{n}")) for n in range(500)), CONFIG, stop=lambda: True
    ):
        result.append(one)
    assert result == []
    asked = probe_in_subprocess(questions(origin, 200), CONFIG)
    next(asked)
    asked.close()
    assert prober_processes() == []


def delay_for_host(host):
    return 0.02


@pytest.mark.parametrize("asked_by", [probe_in_process, probe_in_subprocess])
def test_each_request_to_a_host_that_others_ask_too_waits_for_its_turn(origin, asked_by):
    given = []

    def turn(place, pause):
        given.append((place, pause))
        return 0.0

    config = replace(CONFIG, delay_for_host=delay_for_host)
    # No link that breaks off: such a one libcurl asks again by itself when the connection was an old one.
    asked = [question for question in questions(origin, 22) if "reset" not in question.url]
    assert len(list(asked_by(asked, config, turn=turn))) == 20
    assert set(given) == {(origin.url("").split("/")[2], 0.02)}
    assert len(given) >= len(origin.log)
    assert len(given) <= len(origin.log) + 1


@pytest.mark.parametrize("asked_by", [probe_in_process, probe_in_subprocess])
def test_a_host_whose_turn_is_too_far_off_is_not_asked_in_this_run(origin, asked_by):
    config = replace(CONFIG, delay_for_host=delay_for_host)
    result = list(asked_by(questions(origin, 5), config, turn=lambda place, pause: None))
    assert {one.judgement.reason for one in result} == {"paused"}
    assert (len(result), origin.log) == (5, [])


def test_it_does_not_outlive_whoever_started_it(origin):
    code = f"""
import os
from streaming.health.probe_types import ProbeRequest
from streaming.health.probing.prober_process import probe_in_subprocess
from tests.health.probing.test_prober import CONFIG
from tests.health.probing.test_prober_process import prober_processes
links = [ProbeRequest(1, {origin.url("page/1")!r}), ProbeRequest(2, {origin.url("hang/1")!r})]
for result in probe_in_subprocess(links, CONFIG):
    print(prober_processes()[0], flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT_ROOT, stdout=subprocess.PIPE) as process:
        pid = int(process.stdout.readline())
        process.kill()
    end = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_it_ends_before_its_links_do_when_all_its_slots_hang(origin):
    config = replace(CONFIG, concurrency=4, timeout=20.0, stall_seconds=10.0)
    links = [ProbeRequest(number, origin.url(f"hang/{number}")) for number in range(50)]
    assert list(probe_in_subprocess(links, config, stop=lambda: len(origin.log) >= 4)) == []
    assert len(origin.log) == 4
    assert prober_processes() == []


def test_a_window_full_of_links_that_wait_for_turns_does_not_stand_still(origin):
    """20,000 links at sources with a pause fill the window: the turn that was given comes behind them."""
    end = time.monotonic() + 60
    config = replace(CONFIG, delay_for_host=delay_for_host)
    asked = (ProbeRequest(n, origin.url(f"video/{n}"), True) for n in range(20_600))
    result = []
    for one in probe_in_subprocess(asked, config, stop=lambda: time.monotonic() > end or len(result) > 1000):
        result.append(one)
    assert len(result) > 1000


def test_it_does_not_outlive_whoever_started_it_when_its_window_is_full(origin):
    code = f"""
import os, time
from dataclasses import replace
from streaming.health.probe_types import ProbeRequest
from streaming.health.probing.prober_process import probe_in_subprocess
from tests.health.probing.test_prober_process import delay_for_host, prober_processes
from tests.health.probing.test_prober import CONFIG
def stop():
    if not hasattr(stop, "said") and time.monotonic() > began + 4:
        stop.said = True
        print(prober_processes()[0], flush=True)
began = time.monotonic()
questions = (ProbeRequest(n, {origin.url("video/1")!r}, True) for n in range(20_600))
for result in probe_in_subprocess(questions, replace(CONFIG, delay_for_host=delay_for_host), stop=stop):
    pass
"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT_ROOT, stdout=subprocess.PIPE) as process:
        pid = int(process.stdout.readline())
        process.kill()
    end = time.monotonic() + 10
    try:
        while Path(f"/proc/{pid}").exists():
            assert time.monotonic() < end
            time.sleep(0.05)
    finally:
        if Path(f"/proc/{pid}").exists():
            os.kill(pid, signal.SIGKILL)
