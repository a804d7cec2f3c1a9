"""The address policy: the text of a URL and the address at the socket."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.net.url_policy import (
    InvalidValue,
    PrivateHostAllowlist,
    escape_url,
    host_of,
    is_public_address,
    may_connect,
    netloc_of,
    normalize_url,
    without_tracking,
)

HOSTILE = [
    ("http://127.0.0.1/", "private_address"),
    ("http://localhost/", "private_address"),
    ("HTTP://LOCALHOST/", "private_address"),
    ("http://localhost./", "private_address"),
    ("http://127.1/", "bad_host"),
    ("http://0177.0.0.1/", "bad_host"),
    ("http://0x7f.0x0.0x0.0x1/", "bad_host"),
    ("http://2130706433/", "bad_host"),
    ("http://0/", "bad_host"),
    ("http://0.0.0.0/", "private_address"),
    ("http://[::1]/", "private_address"),
    ("http://[::ffff:127.0.0.1]/", "private_address"),
    ("http://[::ffff:7f00:1]/", "private_address"),
    ("http://[::7f00:1]/", "private_address"),
    ("http://[2002:7f00:1::]/", "private_address"),
    ("http://[64:ff9b::a00:5]/", "private_address"),
    ("http://[fd00::5]/", "private_address"),
    ("http://[fd00:ec2::254]/", "private_address"),
    ("http://[fe80::1%25lo]/", "bad_host"),
    ("http://10.0.0.5/", "private_address"),
    ("http://192.168.1.10/", "private_address"),
    ("http://169.254.169.254/", "private_address"),
    ("http://100.64.1.1/", "private_address"),
    ("http://router.lan/", "private_address"),
    ("http://①②⑦.⓪.⓪.①/", "private_address"),
    ("http://127。0。0。1/", "private_address"),
    ("file:///etc/passwd", "bad_scheme"),
    ("ftp://example.org/", "bad_scheme"),
    ("gopher://example.org:80/_GET", "bad_scheme"),
    ("data:text/html,SECRET", "bad_scheme"),
    ("data:text,SECRET", "bad_scheme"),
    ("javascript:alert(1)", "bad_scheme"),
    ("vbscript:x", "bad_scheme"),
    (" javascript:alert(1)", "bad_scheme"),
    ("java\tscript:alert(1)", "bad_character"),
    ("//example.org/x", "bad_scheme"),
    ("http:\\\\example.org", "bad_character"),
    ("http://example.org@127.0.0.1/", "credentials"),
    ("http://user:pw@example.org/", "credentials"),
    ("http://example.org:80@internal.test/", "credentials"),
    ("http://127.0.0.1\\@example.org/", "bad_character"),
    ("http://127.0.0.1/#@example.org/", "private_address"),
    ("http://example.org:8000/", "bad_port"),
    ("http://example.org:99999/", "malformed_url"),
    ("http://example.org/\r\nX: y", "bad_character"),
    ("http://example.org/<b>", "bad_character"),
    ("http://example.org/\x00", "bad_character"),
    ("http://example.org/\ud800", "bad_character"),
    ("http:///nowhere", "no_host"),
    ("http://exa mple.org/", "bad_character"),
    ("https://example.org/" + "a" * 5000, "long_url"),
    ("", "empty_url"),
    (None, "empty_url"),
    (7, "empty_url"),
    ("http://[::1", "malformed_url"),
    ("http://-/", "private_address"),
    ("http://exam'ple.org/", "bad_character"),
    ("http://exam|ple.org/", "bad_character"),
    ("http://☃️‍.example/", "bad_host"),
    ("http://-ü.example/", "bad_host"),
    ("  ", "empty_url"),
]  # fmt: skip

SPELLED = [
    ("HTTP://EXAMPLE.ORG", "http://example.org/"),
    ("https://example.org:443/a", "https://example.org/a"),
    ("http://example.org:80/a", "http://example.org/a"),
    ("http://example.org:8080/a", "http://example.org:8080/a"),
    ("https://example.org/a#t=10", "https://example.org/a"),
    ("https://example.org./a", "https://example.org/a"),
    ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
    ("https://example.org/a%20b?q=1&r=%C3%A4", "https://example.org/a%20b?q=1&r=%C3%A4"),
    ("https://archive.org/download/x/Le_voyage_(1902).mp4", "https://archive.org/download/x/Le_voyage_(1902).mp4"),
    ("http://93.184.216.34/", "http://93.184.216.34/"),
    ("http://[2606:2800:220:1::1]/x", "http://[2606:2800:220:1::1]/x"),
    (" https://example.org/a ", "https://example.org/a"),
    ("https://example.org/L'Ours - 1.mp4", "https://example.org/L%27Ours%20-%201.mp4"),
    ("https://example.org/a?t=L'Ours 1", "https://example.org/a?t=L%27Ours%201"),
    ("https://example.org/{a}|b^c`d", "https://example.org/%7Ba%7D%7Cb%5Ec%60d"),
    ("https://example.org/#!/watch/1", "https://example.org/#!/watch/1"),
    ("https://example.org/app#/watch/L'Ours 1", "https://example.org/app#/watch/L%27Ours%201"),
    ("https://example.org/a#!", "https://example.org/a"),
    ("https://example.org/a#/", "https://example.org/a"),
    ("https://example.org/a#chapter/2", "https://example.org/a"),
    ("https://straße.example/", "https://xn--strae-oqa.example/"),
    ("https://strasse.example/", "https://strasse.example/"),
    ("https://STRAẞE.example/", "https://xn--strae-oqa.example/"),
    ("https://ναός.example/", "https://xn--mxaxq3b.example/"),
    ("https://a_b.bücher.example/", "https://a_b.xn--bcher-kva.example/"),
    ("https://bücher。example/", "https://xn--bcher-kva.example/"),
]


@pytest.mark.parametrize(("url", "code"), HOSTILE)
def test_hostile_urls_are_refused_with_a_reason(url, code):
    with pytest.raises(InvalidValue) as refusal:
        normalize_url(url)
    assert refusal.value.code == code
    assert str(refusal.value)


@pytest.mark.parametrize(("url", "spelled"), SPELLED)
def test_urls_get_one_spelling(url, spelled):
    assert normalize_url(url) == spelled
    assert normalize_url(spelled) == spelled


def test_private_places_are_reached_only_where_they_were_named():
    site = PrivateHostAllowlist.parse(["127.0.0.1:8001"])
    assert normalize_url("http://127.0.0.1:8001/films/", allowed=site) == "http://127.0.0.1:8001/films/"
    for other in ("http://127.0.0.1:8002/", "http://127.0.0.2:8001/", "http://localhost:8001/"):
        with pytest.raises(InvalidValue):
            normalize_url(other, allowed=site)
    network = PrivateHostAllowlist.parse(["127.0.0.0/8", "[::1]:9000"])
    assert host_of(normalize_url("http://127.9.9.9:27080/x", allowed=network)) == "127.9.9.9"
    assert normalize_url("http://[::1]:9000/", allowed=network)


@pytest.mark.parametrize("entry", ["not a host", "127.0.0.1:port", "http://127.0.0.1/", "10.0.0.0/99"])
def test_a_wrong_entry_of_allowed_hosts_is_named(entry):
    with pytest.raises(ValueError):
        PrivateHostAllowlist.parse([entry])


@pytest.mark.parametrize(
    ("address", "host", "port", "allowed", "may"),
    [
        ("93.184.216.34", "example.org", 443, [], True),
        ("2606:2800:220:1::1", "example.org", 80, [], True),
        ("93.184.216.34", "example.org", 22, [], False),
        ("127.0.0.1", "rebind.example", 80, [], False),
        ("10.0.0.5", "rebind.example", 80, [], False),
        ("64:ff9b::a00:5", "nat64.example", 80, [], False),
        ("::7f00:1", "odd.example", 80, [], False),
        ("fe80::1%lo", "odd.example", 80, [], False),
        ("127.0.0.1", "127.0.0.1", 8001, ["127.0.0.1:8001"], True),
        ("127.0.0.1", "127.0.0.1", 8002, ["127.0.0.1:8001"], False),
        ("127.0.0.1", "rebind.example", 8001, ["127.0.0.1:8001"], False),
        ("127.0.0.9", "lab.example", 27080, ["127.0.0.0/8"], True),
    ],
)
def test_the_socket_asks_about_the_resolved_address(address, host, port, allowed, may):
    assert may_connect(address, host=host, port=port, allowed=PrivateHostAllowlist.parse(allowed)) is may


@pytest.mark.parametrize("text", ["1.1.1.1", "2001:4860:4860::8888", "::ffff:1.1.1.1"])
def test_public_addresses_are_public(text):
    assert is_public_address(text)


@pytest.mark.parametrize(("url", "code"), [row for row in HOSTILE if isinstance(row[0], str)])
def test_escaping_makes_no_hostile_url_acceptable(url, code):
    with pytest.raises(InvalidValue):
        normalize_url(escape_url(url))


@given(st.text(max_size=300))
def test_any_text_is_spelled_or_refused_and_never_crashes(text):
    for url in (text, f"http://{text}", f"https://example.org/{text}"):
        try:
            spelled = normalize_url(url)
        except InvalidValue:
            continue
        assert spelled.isascii()
        assert normalize_url(spelled) == spelled


@pytest.mark.parametrize(
    ("url", "netloc"),
    [
        ("https://archive.org/metadata/x", "archive.org"),
        ("https://archive.org", "archive.org"),
        ("https://archive.org?x=/", "archive.org"),
        ("https://ARCHIVE.org:443/", "archive.org"),
        ("http://archive.org:443/", "archive.org:443"),
        ("http://user:pw@films.example.org:8080/", "films.example.org:8080"),
        ("http://archive.org@films.example.org/", "films.example.org"),
        ("http://[::1]:80/", "[::1]"),
        ("http://[::1]:8001/", "[::1]:8001"),
    ],
)
def test_a_netloc_is_the_host_with_an_unusual_port(url, netloc):
    assert netloc_of(url) == netloc


@given(
    st.sampled_from(["http", "https"]), st.from_regex(r"[a-z][a-z0-9-]{0,9}\.org(:(80|443|8080|8443))?", fullmatch=True)
)
def test_the_netloc_of_a_normalized_url_is_the_text_before_its_path(scheme, netloc):
    url = normalize_url(f"{scheme}://{netloc}/watch?v=1")
    assert netloc_of(url) == url.split("/", 3)[2]


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("", ""),
        ("utm_source=a&utm_medium=b", ""),
        ("a=1&UTM_Source", "a=1"),
        ("si&a=si", "a=si"),
        ("a=1&", "a=1"),
        ("&a=1&&b", "a=1&b"),
        ("nosi=1&sir=2&xutm_a=3", "nosi=1&sir=2&xutm_a=3"),
        ("v=1&fbclid=7&t=2", "v=1&t=2"),
        ("UTM_Source=a&GCLID=b&msclkid=c&_ga=d&si=e", ""),
        ("&&utm_id", ""),
        ("b=2&a=1&a=3", "b=2&a=1&a=3"),
        ("site=utm_source&sizes=1&futm_x=1&x=%26si=1", "site=utm_source&sizes=1&futm_x=1&x=%26si=1"),
    ],
)
def test_tracking_parameters_are_no_part_of_a_query(query, kept):
    assert without_tracking(query) == kept
