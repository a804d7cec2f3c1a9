"""The lists have the parts, latencies and films that they are said to have."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from bench import lists

PORTS = lists.Ports(http=8001, https=8002, self_signed=8003, refused=8004)
MANY = 20_000


def latency(link):
    return int(link.url.split("/")[4])


def host(link):
    return int(link.url.split("/")[2].partition(":")[0].rpartition(".")[2])


@pytest.fixture(scope="module", params=lists.PROFILES)
def profile(request):
    return request.param, list(lists.generate(request.param, MANY, PORTS))


def test_a_list_is_the_same_each_time(profile):
    name, links = profile
    assert links == list(lists.generate(name, MANY, PORTS))


def test_no_address_comes_twice(profile):
    assert len({link.url for link in profile[1]}) == MANY


def test_answers_take_50_to_150_ms_or_no_time_in_the_raw_lists(profile):
    name, links = profile
    found = {latency(link) for link in links if link.behaviour != "slow"}
    assert found == ({0} if name in "AC" else set(range(50, 151)))


def test_hosts_come_equally_often_but_in_z(profile):
    name, links = profile
    often = Counter(host(link) for link in links)
    assert len(often) == lists.HOSTS
    if name == "Z":
        assert 0.14 < often[1] / MANY < 0.19
        assert often[1] > 1.5 * often[2] > 2 * often[10]
    else:
        assert set(often.values()) == {MANY // lists.HOSTS}


def test_a_movie_has_one_to_five_links_and_one_title(profile):
    by_movie = defaultdict(list)
    for link in profile[1]:
        by_movie[link.movie].append(link.title)
    assert set(map(len, by_movie.values())) == {1, 2, 3, 4, 5}
    assert all(len(set(titles)) == 1 for titles in by_movie.values())
    assert list(by_movie) == sorted(by_movie)


def test_it_is_written_and_read_as_it_was(tmp_path):
    links = list(lists.generate("S", 50, PORTS))
    file = lists.write_list(links, tmp_path / "S.tsv")
    assert list(lists.read_list(file)) == links
    assert list(lists.urls(file)) == [link.url for link in links]


@pytest.mark.parametrize(("name", "mix"), [("B", lists.WEB), ("Z", lists.WEB), ("S", lists.SOFT)])
def test_a_mix_has_its_ratios(name, mix):
    often = Counter(link.behaviour for link in lists.generate(name, MANY, PORTS))
    for behaviour, shard in mix.items():
        assert often[behaviour] / MANY * 100 == pytest.approx(shard, abs=0.5), behaviour
    assert often["page"] / MANY * 100 == pytest.approx(100 - sum(mix.values()), abs=1.2)


def test_the_webs_mix_is_the_one_that_others_were_measured_with():
    dead = sum(shard for name, shard in lists.WEB.items() if lists.BEHAVIOURS[name].expected == lists.DEAD)
    assert (lists.WEB["hang"], lists.WEB["404"], round(dead, 1)) == (3.0, 5.0, 10.4)
    assert lists.WEB["moved"] + lists.WEB["moved-twice"] == pytest.approx(2.0)


def test_in_d_eight_whole_hosts_hang_and_nothing_else_does():
    links = list(lists.generate("D", MANY, PORTS))
    assert {host(link) for link in links if link.behaviour == "hang"} == set(lists.DEAD_HOSTS)
    assert all(link.behaviour == "hang" for link in links if host(link) in lists.DEAD_HOSTS)
    assert not any(link.behaviour == "moved-next" and host(link) + 1 in lists.DEAD_HOSTS for link in links)


def test_each_host_of_h_shows_all_behaviours_equally_often():
    by_host = defaultdict(Counter)
    for link in lists.generate("H", MANY, PORTS):
        by_host[host(link)][link.behaviour] += 1
    for often in by_host.values():
        assert set(often) == set(lists.HOSTILE)
        assert max(often.values()) - min(often.values()) <= 1


def test_in_s_films_sound_dead_and_are_not():
    links = list(lists.generate("S", MANY, PORTS))
    sounding = [link for link in links if link.title in lists.DEAD_SOUNDING_TITLES]
    assert {link.title for link in sounding if link.behaviour == "page"} == set(lists.DEAD_SOUNDING_TITLES)
    assert 0.2 < len(sounding) / MANY < 0.3
    page = next(link for link in sounding if link.behaviour == "page")
    assert f"/{page.title.replace(' ', '-')}/" in page.url


def test_places_are_those_of_the_farm():
    places = {link.behaviour: link.url.split("/")[2].partition(":")[2] for link in lists.generate("H", 1000, PORTS)}
    assert (places["page"], places["refused"], places["self-signed"]) == ("8001", "8004", "8003")
    assert all(link.url.startswith("https://") for link in lists.generate("C", 100, PORTS))
