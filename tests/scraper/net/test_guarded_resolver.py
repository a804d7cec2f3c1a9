"""No spider reaches a forbidden address: the URL is checked as text, and its addresses before connecting."""

from __future__ import annotations

import importlib.util
import socket
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings

from scraper.errors import source_failed
from scraper.middlewares import REFUSED_ADDRESS
from scraper.net.guarded_resolver import MAX_REFUSED_ENTRIES, GuardedResolver, lookup_addresses
from scraper.net.url_policy import NO_PRIVATE_HOSTS, PrivateHostAllowlist
from tests.helpers.crawl_process import in_child
from tests.helpers.http_servers import Page, Site, serving

HOSTILE = Path(__file__).resolve().parents[4] / "shared" / "prototypes" / "ssrf_urls.py"
PUBLIC, OTHER = "93.184.216.34", "2606:2800:220:1::1"


def judge(*addresses, host="films.example.org", port=443, allowed=NO_PRIVATE_HOSTS):
    return list(GuardedResolver(None, allowed=allowed).filter_addresses(host, port, addresses))


class TestJudgement:
    @pytest.mark.parametrize("addresses", [[PUBLIC], [OTHER], [OTHER, PUBLIC], []])
    def test_public_addresses_are_handed_over(self, addresses):
        assert judge(*addresses) == addresses

    @pytest.mark.parametrize(
        "address",
        ["127.0.0.1", "0.0.0.0", "10.0.0.5", "192.168.1.10", "172.16.0.1", "169.254.169.254", "100.64.1.1", "224.0.0.1",
         "::1", "::ffff:127.0.0.1", "fd00:ec2::254", "fe80::1%lo", "64:ff9b::a00:5", "::7f00:1", "2002:7f00:1::",
         "ff02::1"],
    )  # fmt: skip
    def test_one_private_address_refuses_the_name(self, address):
        assert judge(address) == judge(PUBLIC, address) == judge(address, OTHER) == []

    def test_a_name_is_checked_each_time_it_is_resolved(self):
        resolver = GuardedResolver(None)
        assert list(resolver.filter_addresses("rebind.example.org", 80, [PUBLIC])) == [PUBLIC]
        assert list(resolver.filter_addresses("rebind.example.org", 80, ["127.0.0.1"])) == []
        assert resolver.refused_address("rebind.example.org", 80) == "127.0.0.1"
        assert list(resolver.filter_addresses("rebind.example.org", 80, [PUBLIC])) == [PUBLIC]
        assert resolver.refused_address("rebind.example.org", 80) is None

    def test_odd_ports_are_refused(self):
        assert judge(PUBLIC, port=22) == []
        assert judge(PUBLIC, port=8080) == [PUBLIC]

    def test_what_was_allowed_is_handed_over_and_nothing_beside_it(self):
        allowed = PrivateHostAllowlist.parse(["127.0.0.0/8", "mirror.lan:9000", "[fd00::5]:80"])
        assert judge("127.0.0.9", port=4711, allowed=allowed) == ["127.0.0.9"]
        assert judge("10.0.0.5", host="mirror.lan", port=9000, allowed=allowed) == ["10.0.0.5"]
        assert judge("10.0.0.5", host="mirror.lan", port=9001, allowed=allowed) == []
        assert judge("fd00::5", host="[fd00::5]", port=80, allowed=allowed) == ["fd00::5"]
        assert judge("127.0.0.1", "10.0.0.5", allowed=allowed) == []

    def test_refusals_are_not_remembered_without_end(self):
        resolver = GuardedResolver(None)
        for number in range(MAX_REFUSED_ENTRIES + 5):
            resolver.filter_addresses(f"h{number}.example.org", 80, ["10.0.0.1"])
        assert resolver.refused_address(f"h{MAX_REFUSED_ENTRIES + 4}.example.org", 80) == "10.0.0.1"
        assert resolver.refused_address("h0.example.org", 80) is None


class Receiver:
    """Collects the addresses that a resolver passes to Twisted."""

    def __init__(self):
        self.results, self.complete = [], False

    def resolutionBegan(self, resolution):
        self.name = resolution.name

    def addressResolved(self, address):
        self.results.append((address.host, address.port))

    def resolutionComplete(self):
        self.complete = True


@pytest.mark.parametrize(
    ("host", "stated"),
    [(PUBLIC, [(PUBLIC, 443)]), (f"[{OTHER}]", [(OTHER, 443)]), ("127.0.0.1", []), ("[::1]", [])],
)
def test_an_address_is_judged_at_once_without_a_thread_that_looks_it_up(host, stated):
    receiver = Receiver()
    GuardedResolver(None).resolveHostName(receiver, host, 443)  # Without a reactor there are no threads.
    assert (receiver.results, receiver.complete) == (stated, True)


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "127.0.0.1"), ("127.1", "127.0.0.1"), ("0x7f.0x0.0x0.0x1", "127.0.0.1"), ("2130706433", "127.0.0.1"),
     ("::1", "::1"), ("::ffff:127.0.0.1", "::ffff:127.0.0.1")],
)  # fmt: skip
def test_the_system_reads_odd_spellings_as_the_address_they_mean(host, address):
    assert address in lookup_addresses(host, 80)


def test_a_name_that_is_none_has_no_address():
    assert lookup_addresses("a" * 80 + ".example", 80) == []
    assert lookup_addresses("", 0) in ([], ["127.0.0.1"], ["::1", "127.0.0.1"], ["127.0.0.1", "::1"])


class Names(GuardedResolver):
    """Resolves the names of these tests without DNS."""

    KNOWN = {
        "public.test": ["127.0.0.1"], "loop.test": ["127.0.0.1"], "internal.test": ["10.0.0.5"],
        "meta.test": ["169.254.169.254"], "mapped.test": ["::ffff:127.0.0.1"], "nat64.test": ["64:ff9b::a00:5"],
        "cgnat.test": ["100.64.1.1"], "zero.test": ["0.0.0.0"], "v6loop.test": ["::1"], "ula.test": ["fd00::5"],
        "both.test": [PUBLIC, "127.0.0.1"], "rebind.test": ["127.0.0.1"], "six.test": ["::1"],
    }  # fmt: skip

    @classmethod
    def from_crawler(cls, crawler, reactor):
        return cls(reactor, allowed=crawler.settings["ALLOW_PRIVATE_HOSTS"], lookup=cls.look_up)

    @classmethod
    def look_up(cls, host, port):
        return cls.KNOWN.get(host) or (lookup_addresses(host, port) if host[-1:].isdigit() or ":" in host else [])


class Visiting(Spider):
    """Requests each URL and collects the texts of the responses."""

    name = "visiting"

    async def start(self):
        for url in self.urls:
            try:
                yield Request(url, callback=self.parse, dont_filter=True, meta={"dont_obey_robotstxt": True})
            except ValueError:
                self.results.append(f"{url!r} is no request")

    def parse(self, response):
        self.results.append(response.text)


def visit(urls, allowed, *, text_is_judged=True):
    """Return the responses of these URLs, and the messages of those that failed (runs in another process)."""
    settings = Settings()
    settings.setmodule("scraper.settings", priority="project")
    middlewares = dict(settings["DOWNLOADER_MIDDLEWARES_BASE"])
    if not text_is_judged:
        del middlewares["scraper.middlewares.UrlPolicyMiddleware"]
    settings.setdict(
        {
            "ALLOW_PRIVATE_HOSTS": PrivateHostAllowlist.parse(allowed),
            "TWISTED_DNS_RESOLVER": Names,
            "DOWNLOADER_MIDDLEWARES_BASE": middlewares,
            "EXTENSIONS": {},
            "LOG_ENABLED": False,
            "DOWNLOAD_TIMEOUT": 3,
        },
        priority="cmdline",
    )
    stated, failures = [], []
    process = AsyncCrawlerProcess(settings)
    crawler = process.create_crawler(Visiting)

    def failed(failed):
        failures.append(failed.message)

    crawler.signals.connect(failed, signal=source_failed)
    process.crawl(crawler, urls=urls, results=stated)
    process.start(install_signal_handlers=False)
    return stated, failures


def visited(*args, **kwargs):
    stated = in_child(partial(visit, *args, **kwargs))
    assert stated.broke == "", stated.broke
    return stated.value


def to(url):
    return f"/to?u={quote(url, safe='')}"


def canary(urls_behind=()):
    pages = {"/": Page("reached"), "/secret": Page("SECRET")}
    return Site(pages | {to(url): Page(status=302, headers={"Location": url}) for url in urls_behind})


def test_what_is_allowed_by_name_is_reached_over_ipv4_and_ipv6():
    with serving(canary()) as four, serving(Site({"/": Page("six")}, family=socket.AF_INET6)) as six:
        urls = [f"http://public.test:{four.port}/", f"http://six.test:{six.port}/", f"http://[::1]:{six.port}/"]
        allowed = [f"public.test:{four.port}", f"six.test:{six.port}", f"[::1]:{six.port}"]
        stated, failures = visited(urls, allowed)
    assert (sorted(stated), failures) == (["reached", "six", "six"], [])


@pytest.mark.parametrize("text_is_judged", [True, False], ids=["both looks", "the last look alone"])
def test_no_hostile_address_is_reached_directly_or_behind_a_redirect(text_is_judged):
    names = [name for name in Names.KNOWN if name != "public.test"]
    hosts = [*names, "127.0.0.1", "localhost", "127.1", "0177.0.0.1", "0x7f.0.0.1", "2130706433", "0.0.0.0", "[::1]",
             "[::ffff:127.0.0.1]", "10.0.0.5", "[fd00::5]", "LOCALHOST", "localhost.", "loop.test."]  # fmt: skip
    site = canary()
    hostile = [f"http://{host}:{site.port}/secret" for host in hosts]
    site.pages |= {to(url): Page(status=302, headers={"Location": url}) for url in hostile}
    with serving(site):
        behind = [f"http://public.test:{site.port}{to(url)}" for url in hostile]
        urls = [*hostile, *behind, f"http://public.test:{site.port}/"]
        stated, failures = visited(urls, [f"public.test:{site.port}"], text_is_judged=text_is_judged)
        hits = dict(site.hits)
    assert stated == ["reached"]
    assert "/secret" not in hits
    assert len(failures) == len(urls) - 1


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://meta.test/", REFUSED_ADDRESS),
        ("http://both.test:8080/", REFUSED_ADDRESS),
        ("http://10.0.0.5/", REFUSED_ADDRESS),
        ("http://nobody.test/", "The name of the site was not found"),
        ("ftp://127.0.0.1/x", "Only http and https are taken, not ftp"),
        ("file:///etc/passwd", "Only http and https are taken, not file"),
        ("data:text/html,SECRET", "Only http and https are taken, not data"),
        ("http://user:secret@films.example.org/", "The address holds a user name or password"),
        ("http://public.test:22/", "Port 22 is not one that web sites use"),
    ],
)
def test_the_failure_says_why(url, sentence):
    assert visited([url], []) == ([], [sentence])


@pytest.mark.skipif(not HOSTILE.exists(), reason="the list of hostile addresses is not beside the project")
def test_none_of_the_listed_hostile_addresses_is_reached():
    spec = importlib.util.spec_from_file_location("ssrf_urls", HOSTILE)
    listed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(listed)
    hostile, _ = listed.cases("secret/")
    with serving(Site({"*": Page(raw_handler=send_away), "/": Page("reached")})) as site:
        # The list speaks of port 80; what it calls public.test listens elsewhere here.
        urls = [url.replace("public.test/to", f"public.test:{site.port}/to") for url in hostile.values()]
        stated, failures = visited([*urls, f"http://public.test:{site.port}/"], [f"public.test:{site.port}"])
        hits = list(site.hits)
    assert [text for text in stated if "is no request" not in text] == ["reached"]
    assert len(failures) + len(stated) == len(urls) + 1
    assert not [path for path in hits if not path.startswith("/to?")][1:]
    # Refused for what they are, none for want of somebody listening; a redirect to `file:` is not followed at all.
    assert {"Connection refused", "Timed out after 3 s", "The site answered 404"}.isdisjoint(failures)
    assert failures.count("The site answered 302") == 1


def send_away(handler):
    handler.send_response(302)
    handler.send_header("Location", parse_qs(urlsplit(handler.path).query)["u"][0])
    handler.send_header("Content-Length", "0")
    handler.end_headers()
