"""Probing links in a subprocess: the same results, and an end to it whatever happens to either process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from streaming.health.probe_types import ProbeRequest
from streaming.health.probing import prober_pool
from streaming.health.probing.prober_pool import probe_in_subprocesses
from streaming.health.probing.prober_process import ProberProcessDied, probe_in_process
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


def make_requests(origin, count):
    return [ProbeRequest(n, origin.url(f"{KINDS[n % len(KINDS)]}/{n}"), False, "Nosferatu") for n in range(count)]


def comparable(results):
    """Return what is the same each time."""
    return sorted(
        (one.id, one.judgement, one.http_status, one.is_transport_failure, one.redirect_target) for one in results
    )


def prober_processes():
    ours = [pid for pid, _ in children_of(os.getpid())]
    return [
        pid for pid in ours if b"streaming.health.probing.prober_process" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def test_the_results_of_a_subprocess_are_those_of_this_process(origin):
    here = comparable(probe_in_process(make_requests(origin, 110), CONFIG))
    assert comparable(probe_in_subprocesses(make_requests(origin, 110), CONFIG)) == here
    assert len(here) == 110
    assert prober_processes() == []


def test_hosts_are_divided_among_subprocesses_and_redirects_are_continued_in_another(origin):
    """Each of twelve hosts has its own links, and some that lead to the next host."""
    with ExitStack() as running:
        origins = [running.enter_context(Origin(f"127.0.0.{number}")) for number in range(2, 14)]
        for here, there in pairwise([*origins, origins[0]]):
            here.behaviour = partial(redirected_or_usual, there)
        urls = [one.url(f"{kind}/{number}") for number, kind in enumerate(("page", "over", "soft")) for one in origins]
        requests = [ProbeRequest(number, url, False, "Nosferatu") for number, url in enumerate(urls)]
        here = comparable(probe_in_process(requests, CONFIG))
        results = []
        for one in probe_in_subprocesses(requests, replace(CONFIG, processes=3)):
            results.append(one)
            assert len(prober_processes()) == 3
    assert comparable(results) == here
    assert sum(bool(one.redirect_target) for one in results) == len(origins)
    assert {one.judgement.reason for one in results} == {"ok", "soft_404"}
    assert prober_processes() == []


def redirected_or_usual(there, handler):
    _, kind, number = handler.path.split("/")
    if kind == "over":
        handler.send(302, Location=there.url(f"page/{number}"))
    else:
        getattr(handler, f"on_{kind}")(kind)


def test_the_death_of_one_of_several_subprocesses_is_reported(origin):
    results = probe_in_subprocesses(make_requests(origin, 200), replace(CONFIG, processes=3))
    next(results)
    os.kill(prober_processes()[1], signal.SIGKILL)
    with pytest.raises(ProberProcessDied):
        list(results)
    assert prober_processes() == []


def test_many_links_are_probed_in_a_subprocess_and_few_are_not(origin, monkeypatch):
    monkeypatch.setattr(prober_pool, "SUBPROCESS_THRESHOLD", 20)
    results = prober_pool.probe_links(make_requests(origin, 60), CONFIG)
    first = next(results)
    assert len(prober_processes()) == (1 if len(os.sched_getaffinity(0)) > 1 else 0)
    assert len([first, *results]) == 60
    few = prober_pool.probe_links(make_requests(origin, 19), CONFIG)
    next(few)
    assert prober_processes() == []
    assert len(list(few)) == 18


def test_a_subprocess_that_dies_early_is_reported(origin):
    results = probe_in_subprocesses(make_requests(origin, 200), CONFIG)
    next(results)
    (pid,) = prober_processes()
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ProberProcessDied):
        list(results)
    assert prober_processes() == []


def test_it_stops_on_request_and_leaves_no_process(origin):
    results = []
    for one in probe_in_subprocesses(
        (ProbeRequest(n, origin.url(f"hang/{n}")) for n in range(500)), CONFIG, stop=lambda: True
    ):
        results.append(one)
    assert results == []
    results = probe_in_subprocesses(make_requests(origin, 200), CONFIG)
    next(results)
    results.close()
    assert prober_processes() == []


def delay_for_host(host):
    return 0.02


@pytest.mark.parametrize("probe", [probe_in_process, probe_in_subprocesses])
def test_each_request_to_a_host_with_a_delay_waits_for_a_reserved_slot(origin, probe):
    reserved = []

    def reserve_slot(netloc, delay):
        reserved.append((netloc, delay))
        return 0.0

    config = replace(CONFIG, delay_for_host=delay_for_host)
    # No link that resets: libcurl itself repeats such a request if the connection was an old one.
    requests = [request for request in make_requests(origin, 22) if "reset" not in request.url]
    assert len(list(probe(requests, config, reserve_slot=reserve_slot))) == 20
    assert set(reserved) == {(origin.url("").split("/")[2], 0.02)}
    assert len(reserved) >= len(origin.log)
    assert len(reserved) <= len(origin.log) + 1


@pytest.mark.parametrize("probe", [probe_in_process, probe_in_subprocesses])
def test_a_host_without_a_slot_soon_gets_no_request_in_this_run(origin, probe):
    config = replace(CONFIG, delay_for_host=delay_for_host)
    results = list(probe(make_requests(origin, 5), config, reserve_slot=lambda netloc, delay: None))
    assert {one.judgement.reason for one in results} == {"paused"}
    assert (len(results), origin.log) == (5, [])


def test_it_does_not_outlive_its_parent(origin):
    code = f"""
import os
from streaming.health.probe_types import ProbeRequest
from streaming.health.probing.prober_pool import probe_in_subprocesses
from tests.health.probing.test_prober import CONFIG
from tests.health.probing.test_prober_process import prober_processes
links = [ProbeRequest(1, {origin.url("page/1")!r}), ProbeRequest(2, {origin.url("hang/1")!r})]
for result in probe_in_subprocesses(links, CONFIG):
    print(prober_processes()[0], flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT_ROOT, stdout=subprocess.PIPE) as process:
        pid = int(process.stdout.readline())
        process.kill()
    end = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_it_stops_before_its_links_when_all_its_slots_are_stalled(origin):
    config = replace(CONFIG, concurrency=4, timeout=20.0, stall_seconds=10.0)
    links = [ProbeRequest(number, origin.url(f"hang/{number}")) for number in range(50)]
    assert list(probe_in_subprocesses(links, config, stop=lambda: len(origin.log) >= 4)) == []
    assert len(origin.log) == 4
    assert prober_processes() == []


def test_a_queue_full_of_links_that_wait_for_slots_goes_on(origin):
    """20,000 links at sources with a delay fill the queue: the grant of a slot comes behind them."""
    end = time.monotonic() + 60
    config = replace(CONFIG, delay_for_host=delay_for_host)
    requests = (ProbeRequest(n, origin.url(f"video/{n}"), True) for n in range(20_600))
    results = []
    for one in probe_in_subprocesses(requests, config, stop=lambda: time.monotonic() > end or len(results) > 1000):
        results.append(one)
    assert len(results) > 1000


def test_it_does_not_outlive_its_parent_when_its_queue_is_full(origin):
    code = f"""
import os, time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import pairwise
from streaming.health.probe_types import ProbeRequest
from streaming.health.probing.prober_pool import probe_in_subprocesses
from tests.health.probing.test_prober_process import delay_for_host, prober_processes
from tests.health.probing.test_prober import CONFIG
def stop():
    if not hasattr(stop, "done") and time.monotonic() > began + 4:
        stop.done = True
        print(prober_processes()[0], flush=True)
began = time.monotonic()
requests = (ProbeRequest(n, {origin.url("video/1")!r}, True) for n in range(20_600))
for result in probe_in_subprocesses(requests, replace(CONFIG, delay_for_host=delay_for_host), stop=stop):
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
