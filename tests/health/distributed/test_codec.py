"""What machines exchange comes back as it was, and merged parts are the whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.functions import MD5, Substr

from scraper.net.url_policy import host_of
from streaming.health.distributed import codec
from streaming.health.judging.guard import HostTally
from streaming.health.judging.results import CheckResult, LinkState
from streaming.health.judging.verdict import Judgement, Verdict
from streaming.health.probe_types import Failure, ProbeRequest, ProbeResponse, ProbeState
from streaming.health.probing.prober import Prober
from streaming.health.selection import Selection, count_due, count_due_by_shard, due_links
from streaming.health.sharding import Shard, bucket_for
from streaming.health.sweep.spool import ResultSpool
from streaming.health.sweep.tally import RunTally
from streaming.models import StreamingLink
from tests.health.probing.test_prober import CONFIG, probe_one
from tests.helpers.factories import make_link
from tests.helpers.http_origin import Origin

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KINDS = [
    (Verdict.ALIVE, "ok", 200, False), (Verdict.GONE, "http_404", 404, False),
    (Verdict.BLOCKED, "http_403", 403, False), (Verdict.UNREACHABLE, "timeout", None, True),
    (Verdict.THROTTLED, "throttled", 429, False),
    (Verdict.NOT_CHECKED, "private_address", None, False), (Verdict.NOT_CHECKED, "local", None, True),
]  # fmt: skip


def new_tally():
    return RunTally(now=NOW, new_host_tally=lambda netloc: HostTally(alive_earlier=len(netloc)), sink=ResultSpool())


def link_state(number, *, hosts):
    netloc = f"films{number % hosts}.example.org"
    return LinkState(
        id=number,
        movie_id=number // 3,
        netloc=netloc,
        is_active=number % 3 > 0,
        reason="ok",
        failures=number % 4,
        state_since=NOW - timedelta(days=number) if number % 2 else None,
        checks="aab",
        moved_to="https://moved.example.org/" if number % 5 == 0 else "",
        moved_seen=number % 5,
        strength="soft" if number % 3 == 0 else "",
        failing_seconds=number * 60,
        last_checked=NOW - timedelta(hours=number) if number % 4 else None,
        url=f"https://{netloc}/{number}",
        media=True,
        title="A",
    )


def add(tally, number, *, hosts=5):
    """Add one of many different results."""
    verdict, reason, status, below = KINDS[number % len(KINDS)]
    tally.add(
        CheckResult(
            id=number,
            judgement=Judgement(verdict, reason),
            http_status=status,
            response_ms=7,
            is_transport_failure=below,
            redirect_target=f"films{number % 4}.example.org" if number % 6 == 0 else "",
            retry_after="60" if number % 2 else "",
            is_verified=number % 7 == 0,
            not_sent=number % 3 == 0,
            link=link_state(number, hosts=hosts),
        )
    )


def contents(tally):
    """A tally without the order in which things came."""
    return (
        dict(tally.verdicts),
        sorted(tally.successes),
        sorted(tally.private),
        tally.hosts,
        tally.redirect_targets,
        dict(tally.pauses),
        sorted(tally.control_links.by_netloc),
    )


@pytest.mark.parametrize("count", [0, 1, 7, 200])
@pytest.mark.parametrize("parts", [1, 2, 5, 16])
@pytest.mark.parametrize("hosts", [1, 5, 40])
def test_merged_parts_are_the_whole(count, parts, hosts):
    whole, merged = new_tally(), new_tally()
    for number in range(count):
        add(whole, number, hosts=min(hosts, 20))
    for part in range(parts):
        tally = new_tally()
        for number in range(part, count, parts):
            add(tally, number, hosts=min(hosts, 20))
        for data in codec.encode_tally(tally):
            codec.merge_encoded_tally(data, merged)
        merged.successes += tally.successes
    assert contents(merged) == contents(whole)


def test_written_results_count_like_new_ones():
    whole, again = new_tally(), new_tally()
    for number in range(7, 70, 7):
        add(whole, number)
        again.add_written(f"films{number % 5}.example.org", Verdict.ALIVE, was_active=number % 3 > 0)
    assert (again.verdicts, again.hosts) == (whole.verdicts, whole.hosts)


def test_very_many_hosts_are_sent_in_chunks(monkeypatch):
    monkeypatch.setattr(codec, "HOSTS_PER_CHUNK", 10)
    whole, merged = new_tally(), new_tally()
    for number in range(300):
        add(whole, number, hosts=60)
    chunks = list(codec.encode_tally(whole))
    assert len(chunks) > 8
    for data in chunks:
        codec.merge_encoded_tally(data, merged)
    assert (merged.hosts, merged.redirect_targets, merged.private) == (
        whole.hosts,
        whole.redirect_targets,
        whole.private,
    )


def test_control_links_and_pauses_come_back_as_they_were():
    whole, merged = new_tally(), new_tally()
    for number in range(30):
        add(whole, number)
    for data in codec.encode_tally(whole):
        codec.merge_encoded_tally(data, merged)
    assert merged.control_links.by_netloc == whole.control_links.by_netloc != {}
    assert dict(merged.pauses) == dict(whole.pauses) != {}


def test_results_come_back_without_the_texts_of_their_links():
    tally = new_tally()
    for number in range(1200):
        add(tally, number)
    for batch in [*tally.failures.batches(), tally.successes]:
        back = codec.decode_results(codec.encode_results(batch))
        assert back == [one.compact() for one in batch]
        assert all(type(one.judgement.verdict) is Verdict for one in back)


def test_a_forwarded_link_comes_back_as_it_was():
    head = ProbeResponse(
        id=3,
        url="https://a.example/",
        status=200,
        final_url="https://b.example/",
        hops=1,
        content_type="text/html",
        headers={"x": "y"},
    )
    state = ProbeState(
        url="https://b.example/",
        get=True,
        is_confirmation=True,
        is_late=True,
        hops=3,
        tries=1,
        seen=("http://a/",),
        head=head,
        head_hung=True,
        cookies={"a": "1"},
        jar={".example": {"b": "2"}},
        is_permanent=False,
    )
    links = [(1, ProbeState(url="https://b.example/x")), (2, state)]
    back = codec.decode_forwarded(codec.encode_forwarded(links))
    assert back == links
    assert back[1][1].head.failure is Failure.NONE


@pytest.mark.parametrize("of", [1, 2, 3, 16, 256])
def test_each_host_is_in_exactly_one_shard(of):
    hosts = [f"films{number}.example.org" for number in range(300)] + ["127.0.0.1", "::1", "xn--bcher-kva.example"]
    shards = [Shard(number, of) for number in range(of)]
    assert all(sum(shard.contains(host) for shard in shards) == 1 for host in hosts)
    assert sorted(bucket for shard in shards for bucket in shard.buckets()) == sorted({f"{n:02x}" for n in range(256)})
    assert all(bucket_for(host) in shard.buckets() for host in hosts for shard in shards if shard.contains(host))


@pytest.mark.django_db
def test_the_database_divides_hosts_as_python_does():
    hosts = [f"films{number}.example.org" for number in range(40)] + ["127.0.0.1"]
    for number, host in enumerate(hosts):
        checked = None if number % 3 == 0 else NOW - timedelta(hours=number)
        make_link(source_url=f"https://{host}/film", last_checked=checked)
    rows = StreamingLink.objects.values_list("host", Substr(MD5("host"), 1, 2))
    assert all(bucket_for(host) == bucket for host, bucket in rows)
    found = {number: Selection(shard=Shard(number, 7)) for number in range(7)}
    counted = count_due_by_shard(Selection(), now=NOW, of=7)
    for number, selection in found.items():
        links = list(due_links(selection, now=NOW))
        assert all(Shard(number, 7).contains(host_of(link.url)) for link in links)
        assert len(links) == counted[number] == count_due(selection, now=NOW)
    assert counted.total() == len(hosts)


@pytest.mark.django_db
@pytest.mark.parametrize("limit", [1, 5, 20, 100])
def test_a_limit_selects_the_first_links_of_all_hosts(limit):
    for number in range(40):
        checked = None if number % 3 == 0 else NOW - timedelta(hours=number % 11)
        make_link(source_url=f"https://films{number}.example.org/film", last_checked=checked)
    first = {link.id for link in list(due_links(Selection(), now=NOW))[:limit]}
    counted = count_due_by_shard(Selection(), now=NOW, of=7, limit=limit)
    found = set()
    for number in range(7):
        links = list(due_links(Selection(shard=Shard(number, 7)), now=NOW))
        found |= {link.id for link in links[: counted[number]]}
    assert found == first


# --- with hosts of another worker
def probe_in_shard(*urls, shard, state=None):
    prober = Prober(replace(CONFIG, shard=shard))
    requests = [ProbeRequest(id=number, url=url, state=state) for number, url in enumerate(urls)]
    return sorted(prober.responses(requests), key=lambda one: one.id)


def until_response(url, shards, *, maximum=20):
    """Forward a link from worker to worker until one has its response; return the response and the shards."""
    state, workers = ProbeState(url=url), []
    while True:
        (shard,) = [shard for shard in shards if shard.contains(host_of(state.url))]
        workers.append(shard.number)
        (response,) = probe_in_shard(url, shard=shard, state=state)
        if response.state is None:
            return response, workers
        state = codec.decode_forwarded(codec.encode_forwarded([(1, response.state)]))[0][1]
        assert len(workers) < maximum


@pytest.mark.parametrize("path", ["page/1", "404/1", "nohead/1", "headhangs/1", "cookie/1", "to/page/2", "headonly/1"])
@pytest.mark.parametrize("way", ["once", "there and back", "and twice"])
def test_a_link_forwarded_between_workers_gets_the_response_that_one_worker_gets(path, way):
    shards = [Shard(0, 2), Shard(1, 2)]
    with Origin("127.0.0.2") as here, Origin("127.0.0.3") as there:
        assert not any(shard.contains("127.0.0.2") and shard.contains("127.0.0.3") for shard in shards)
        middle = {"once": "", "there and back": here.url("to/"), "and twice": here.url("to/") + there.url("to/")}[way]
        url = here.url(f"to/{there.url('to/') if middle else ''}{middle}{there.url(path)}")
        alone = probe_one(url)
        response, workers = until_response(url, shards)
        assert len(workers) > 1
        same = ("status", "failure", "final_url", "hops", "method", "moved_to")
        assert [getattr(response, name) for name in same] == [getattr(alone, name) for name in same]
