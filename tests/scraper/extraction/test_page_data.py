"""What a page says of its film, in the many ways in which sites write it; each kind beside its look-alike."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from scraper.extraction.film_page import extract_film
from scraper.extraction.page_titles import without_site_name
from scraper.extraction.walls import is_wall
from tests.helpers.growth import MAX_GROWTH, growth

URL = "https://films.example.org/f/ferry"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
WATCH = "https://films.example.org/play/ferry"
FILE = "https://media.example.org/ferry.mp4"
MOVIE = {
    "@type": "Movie",
    "name": "The Ferry",
    "sameAs": "https://www.imdb.com/title/tt0900001/",
    "potentialAction": {"@type": "WatchAction", "target": WATCH},
}
VIDEO = {"@type": "VideoObject", "name": "The Ferry", "contentUrl": FILE}


def script(block):
    text = block if isinstance(block, str) else json.dumps(block)
    return f'<script type="application/ld+json">{text}</script>'


def film(html):
    return extract_film(html, url=URL, now=NOW)


def urls(html):
    return [link.url for link in film(html).links]


def movie(**changes):
    return {**MOVIE, **changes}


def action(**changes):
    return movie(potentialAction={"@type": "WatchAction", "target": WATCH, **changes})


PLAIN = json.dumps(MOVIE)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (PLAIN, "The Ferry"),
        (PLAIN.replace("The Ferry", "Sailor\\'s Ferry"), "Sailor's Ferry"),
        (PLAIN.replace("The Ferry", "Ferry \\x26 Sea"), "Ferry & Sea"),
        (PLAIN.replace("The Ferry", "F\\u{e4}hre"), "Fähre"),
        (PLAIN.replace("The Ferry", "The \\\nFerry"), "The Ferry"),
        (PLAIN.replace("The Ferry", "The \\u0046erry"), "The Ferry"),
        (PLAIN.replace("The Ferry", "/* no comment */ // <!-- ;"), "/* no comment */ // <!-- ;"),
        (PLAIN.replace('"', "&quot;"), "The Ferry"),
        (PLAIN.replace('"', "&#34;"), "The Ferry"),
        (f"/* written by a plug-in */{PLAIN}", "The Ferry"),
        (f"// <![CDATA[\n{PLAIN}\n// ]]>", "The Ferry"),
        (f"//<![CDATA[{PLAIN}//]]>", "The Ferry"),
        (f"<![CDATA[{PLAIN}]]>", "The Ferry"),
        (f"<!--\n{PLAIN}\n-->", "The Ferry"),
        (f"{PLAIN};", "The Ferry"),
        (f"\ufeff{PLAIN}", "The Ferry"),
        (PLAIN.replace(', "name"', ',, "name"'), "The Ferry"),
        (PLAIN.replace("The Ferry", "One,, two"), "One,, two"),
        (PLAIN.replace("}}", "},}"), "The Ferry"),
        (f'{{"@type": "BreadcrumbList"}}{PLAIN}', "The Ferry"),
        (f'{{"@type": "BreadcrumbList"}},\n{PLAIN}', "The Ferry"),
        (f"[[{PLAIN}]]", "The Ferry"),
        (f'{{"@graph": [{PLAIN}]}}', "The Ferry"),
        (PLAIN.replace('"@type": "Movie"', '"year": -5e-1, "@type": "Movie"') + ";", "The Ferry"),
    ],
)
def test_blocks_are_read_as_browsers_and_search_engines_read_them(text, title):
    found = film(script(text))
    assert (found.title, [link.url for link in found.links], found.problem) == (title, [WATCH], "")


@pytest.mark.parametrize(
    "text", [PLAIN.replace("The Ferry", 'The "old" Ferry'), PLAIN[:-5], "{" * 100_000, '{"a": 1' + " " * 1_000_000]
)
def test_a_block_that_cannot_be_read_is_a_failure_unless_the_page_has_links_elsewhere(text):
    assert film(script(text)).problem == "unreadable_data"
    found = film(script(text) + script(MOVIE))
    assert (found.problem, [link.url for link in found.links]) == ("", [WATCH])


def test_an_empty_block_is_no_failure():
    assert film(script(" \n ")).problem == ""


CONDITION = {"@type": "ActionAccessSpecification", "category": "nologinrequired"}


@pytest.mark.parametrize(
    ("block", "found"),
    [
        (VIDEO, [FILE]),
        ({**VIDEO, "expires": "2026-05-31T23:00:00Z"}, []),
        ({**VIDEO, "expires": "2026-06-01"}, [FILE]),
        ({**VIDEO, "expires": "2026-05"}, []),
        ({**VIDEO, "expires": "2026"}, [FILE]),
        ({**VIDEO, "expires": "soon"}, [FILE]),
        ({**VIDEO, "expires": "2026-06-01T13:00:00+03:00"}, []),
        ({**VIDEO, "isAccessibleForFree": False}, []),
        ({**VIDEO, "isAccessibleForFree": "False"}, []),
        ({**VIDEO, "isAccessibleForFree": "https://schema.org/False"}, []),
        ({**VIDEO, "isAccessibleForFree": True}, [FILE]),
        ({**VIDEO, "isAccessibleForFree": "true"}, [FILE]),
        (movie(isAccessibleForFree=False, video=VIDEO), []),
        (movie(video=VIDEO), [WATCH, FILE]),
        (movie(video={**VIDEO, "expires": "2020-01-01"}), [WATCH]),
        (action(actionAccessibilityRequirement={**CONDITION, "availabilityEnds": "2026-05-01T00:00:00Z"}), []),
        (action(actionAccessibilityRequirement={**CONDITION, "availabilityEnds": "2026-07-01T00:00:00Z"}), [WATCH]),
        (action(actionAccessibilityRequirement={**CONDITION, "availabilityStarts": "2026-06-02"}), []),
        (action(actionAccessibilityRequirement={**CONDITION, "availabilityStarts": "2026-06-01"}), [WATCH]),
        (action(actionAccessibilityRequirement=[{**CONDITION, "availabilityEnds": "2020"}, CONDITION]), [WATCH]),
        (action(actionAccessibilityRequirement={**CONDITION, "eligibleRegion": ["DE", "AT"]}), [WATCH]),
        (action(actionAccessibilityRequirement={**CONDITION, "ineligibleRegion": "US"}), [WATCH]),
        (action(actionAccessibilityRequirement={"category": "https://schema.org/Subscription"}), []),
        (action(actionAccessibilityRequirement={"requiresSubscription": {"@type": "MediaSubscription"}}), []),
        (action(actionAccessibilityRequirement={"requiresSubscription": False}), [WATCH]),
        (action(actionAccessibilityRequirement={"expectsAcceptanceOf": {"@type": "Offer", "price": "3.99"}}), []),
        (action(actionAccessibilityRequirement={"expectsAcceptanceOf": {"@type": "Offer", "price": 0}}), [WATCH]),
        (action(actionAccessibilityRequirement={"expectsAcceptanceOf": {"validFrom": "2027"}}), []),
        (action(expectsAcceptanceOf={"price": "3,99"}), []),
        (action(expectsAcceptanceOf={"price": "$3.99"}), []),
        (action(expectsAcceptanceOf={"lowPrice": 2, "highPrice": 5}), []),
        (action(expectsAcceptanceOf={"priceSpecification": {"price": 3.99}}), []),
        (action(expectsAcceptanceOf={"priceSpecification": [{"price": "0"}]}), [WATCH]),
        (action(expectsAcceptanceOf={"price": "0,00 EUR"}), [WATCH]),
        (action(expectsAcceptanceOf={"price": "Free"}), [WATCH]),
        (action(actionAccessibilityRequirement={"category": {"@type": "DefinedTerm", "name": "Rental"}}), []),
        (action(actionAccessibilityRequirement={"category": ["free", "subscription"]}), []),
        (action(actionAccessibilityRequirement={"category": {"name": "free"}}), [WATCH]),
        ({**VIDEO, "isAccessibleForFree": "no"}, []),
        ({**VIDEO, "isAccessibleForFree": 0}, []),
        ({**VIDEO, "isAccessibleForFree": 1}, [FILE]),
        ({**VIDEO, "requiresSubscription": True}, []),
        ({**VIDEO, "requiresSubscription": {"@type": "MediaSubscription", "name": "Plus"}}, []),
        ({**VIDEO, "requiresSubscription": "false"}, [FILE]),
        ({**VIDEO, "contentUrl": {"@id": FILE}}, [FILE]),
        ({**VIDEO, "contentUrl": [{"@value": FILE}, {"@type": "Thing"}]}, [FILE]),
        ({**VIDEO, "expires": "2019/05/01"}, []),
        ({**VIDEO, "expires": "2019-05-01 10:00:00 UTC"}, []),
        ({**VIDEO, "expires": "Wed, 01 May 2019 00:00:00 GMT"}, []),
        ({**VIDEO, "expires": "1556668800"}, []),
        ({**VIDEO, "expires": 1556668800000}, []),
        ({**VIDEO, "expires": {"@type": "Date", "@value": "2019-05-01"}}, []),
        ({**VIDEO, "expires": "4102444800"}, [FILE]),
        ({**VIDEO, "expires": "Fri, 01 Jan 2100 00:00:00 GMT"}, [FILE]),
        ({**VIDEO, "expires": "0001-01-01T00:00:00"}, [FILE]),
        ({**VIDEO, "expires": "0000-00-00"}, [FILE]),
        ({**VIDEO, "expires": "9" * 13}, [FILE]),
        (action(actionAccessibilityRequirement={"expectsAcceptanceOf": {"validFrom": "2025"}}), [WATCH]),
    ],
)
def test_only_what_is_free_now_is_a_link(block, found):
    assert urls(script(block)) == found


def test_the_file_of_a_video_that_is_over_is_no_link_wherever_else_it_is_mentioned():
    over = script({**VIDEO, "expires": "2020-01-01"})
    player = f'<video src="{FILE}"></video>'
    assert urls(over + player) == []
    assert urls(script(MOVIE) + over + player) == [WATCH]
    assert urls(script(VIDEO) + player) == [FILE]


@pytest.mark.parametrize(
    ("reference", "identifier"),
    [("#w", "#w"), ("#w", f"{URL}#w"), (f"{URL}#w", "#w"), ("/f/ferry#w", "#w"), ("_:b1", "_:b1")],
)
def test_references_are_compared_as_the_page_resolves_them(reference, identifier):
    offer = {"@id": identifier, "@type": "WatchAction", "target": WATCH}
    assert urls(script({"@graph": [movie(potentialAction={"@id": reference}), offer]})) == [WATCH]
    assert urls(script({"@graph": [movie(potentialAction={"@id": "#other"}), offer]})) == []


@pytest.mark.parametrize(
    ("stated", "url"),
    [
        ("/files/L'Ours - Part 1.mp4", "https://films.example.org/files/L%27Ours%20-%20Part%201.mp4"),
        ("\\files\\a.mp4?q=1", "https://films.example.org/files/a.mp4?q=1"),
        ("/files/\n  a.mp4\n".replace("  ", ""), "https://films.example.org/files/a.mp4"),
        ("//media.example.org/a.mp4", "https://media.example.org/a.mp4"),
        ("/files/a%20b.mp4", "https://films.example.org/files/a%20b.mp4"),
        ("/files/a.mp4#t=10", "https://films.example.org/files/a.mp4"),
        ("/app.mp4#!/watch/1", "https://films.example.org/app.mp4#!/watch/1"),
    ],
)
def test_addresses_are_what_browsers_make_of_them(stated, url):
    assert urls(f'<video src="{stated}"></video>') == [url]


def test_two_routes_of_one_program_are_two_links():
    targets = ["https://films.example.org/#!/watch/1", "https://films.example.org/#!/watch/2"]
    assert urls(script(action(target=targets))) == targets


def test_the_page_itself_is_a_link_beside_its_file_where_it_is_offered():
    assert urls(script(movie(potentialAction={"@type": "WatchAction", "target": URL}, video=VIDEO))) == [URL, FILE]


@pytest.mark.parametrize(
    ("kind", "problem"),
    [("VideoGame", "not_a_film"), ("Book", "not_a_film"), ("PodcastEpisode", "not_a_film"), ("Movie", ""),
     ("Article", "")],
)  # fmt: skip
def test_the_page_of_another_work_has_no_film(kind, problem):
    block = {"@type": kind, "name": "The Ferry", "sameAs": MOVIE["sameAs"]}
    found = film(script(block) + script(VIDEO))
    assert (found.problem, bool(found.links)) == (problem, not problem)


@pytest.mark.parametrize(
    ("title", "names", "host", "kept"),
    [
        ("The Ferry | Example Films", ["Example Films"], "a.example.org", "The Ferry"),
        ("The Ferry - Harbour Cinema", [], "www.harbour-cinema.example", "The Ferry"),
        ("Harbour Cinema – The Ferry", [], "harbourcinema.org", "The Ferry"),
        ("The Ferry :: harbourcinema.org", [], "www.harbourcinema.org", "The Ferry"),
        ("Up – The Balloon", [], "films.example.org", "Up – The Balloon"),
        ("Spider-Man", ["Man"], "man.example", "Spider-Man"),
        ("Example Films", ["Example Films"], "films.example.org", "Example Films"),
        ("The Ferry - Part 1 - Example Films", ["Example Films"], "a.example.org", "The Ferry - Part 1"),
        ("The Ferry | ***", ["***"], "a.example.org", "The Ferry | ***"),
        ("", [], "", ""),
    ],
)
def test_titles_are_without_the_name_of_the_site(title, names, host, kept):
    assert without_site_name(title, names=names, host=host) == kept


def test_a_page_states_the_name_of_its_site():
    page = '<title>The Ferry | Old Reels</title><meta property="og:site_name" content="Old Reels">'
    assert film(page).title == "The Ferry"


@pytest.mark.parametrize(
    ("html", "headers", "wall"),
    [
        ("", {}, True),
        ("  \n", {}, True),
        ("<html><head></head><body></body></html>", {}, True),
        ("<title>Just a moment...</title>", {}, True),
        ("<title>Cinema</title><h1>Checking your browser before you enter</h1>", {}, True),
        ("<title>x</title><script src='https://abc.edge.sdk.awswaf.com/challenge.js'></script>", {}, True),
        ("<title>Film</title><p>text</p>", {"cf-mitigated": "challenge"}, True),
        ("<title>Film</title><p>text</p>", {"sg-captcha": "challenge"}, True),
        ("<title>Film</title><p>text</p>", {"x-vercel-mitigated": "challenge"}, True),
        ("<title>Your access to this site has been limited by the site owner</title>", {}, True),
        ("<title>Bitte bestätigen Sie, dass Sie kein Roboter sind</title>", {}, True),
        ("<title>403 Forbidden</title><h1>403 Forbidden</h1>", {}, True),
        ("<title>503 Service Temporarily Unavailable</title>", {}, True),
        ("<title>Site under maintenance</title><p>Back soon.</p>", {}, True),
        ("<title>Before you continue</title><p>We use cookies.</p>", {}, True),
        ("<title>Sign in</title><form></form>", {}, True),
        ("<title></title><body><div id=app></div><script src=/app.js></script></body>", {}, True),
        ("<title>Forbidden Planet</title><h1>Forbidden Planet</h1>", {}, False),
        ("<title>Login and Password, a film</title>", {}, False),
        ("<title>Maintenance Men (1931)</title><p>A film.</p>", {}, False),
        ("<title>Film</title><p>text</p>", {"server": "cloudflare"}, False),
        ("<title>The Robot</title><h1>The Robot</h1><p>Are you a robot? asks the girl.</p>", {}, False),
        ("<title>Page not found</title><h1>Page not found</h1>", {}, False),
        ("<title>A Moment of Silence</title>", {}, False),
        ("<title>Film</title><h1>Dieses Video ist zurzeit nicht verfügbar</h1>", {}, True),
        ("<title>Cinema in manutenzione</title><h1>Torniamo presto</h1>", {}, True),
        ("<title>Сайт временно недоступен</title>", {}, True),
        ("<title>The maintenance man</title><h1>The maintenance man</h1><p>He repairs lifts.</p>", {}, False),
        ("<title>Dieses Video ist nicht mehr verfügbar</title>", {}, False),
    ],
)
def test_walls_are_distinguished_from_pages(html, headers, wall):
    assert is_wall(html, headers=headers) is wall


@pytest.mark.parametrize(
    "make",
    [
        lambda size: script('"' + '\\"' * (size // 2)),
        lambda size: script('{"a": ' + "/*" * (size // 2)),
        lambda size: script("//" * (size // 2)),
        lambda size: script("]]" * (size // 2)),
        lambda size: script("<!-" * (size // 3)),
        lambda size: script("-" * size),
        lambda size: script('{"a": "' + "\\x" * (size // 2) + '"}'),
        lambda size: script("{}," * (size // 3) + "x"),
        lambda size: f"<title>{'a - ' * (size // 4)}</title>",
        lambda size: f"<title>{'imdb.com/title/' * (size // 15)}</title>",
    ],
    ids=range(10),
)
def test_hostile_pages_are_read_in_proportion_to_their_length(make):
    def read(html):
        film(html)
        is_wall(html, headers={})

    assert growth(read, make, 400_000) < MAX_GROWTH


def test_a_video_in_a_template_is_not_played():
    assert film(f"<title>The Ferry</title><template><video src={FILE}></video></template>").links == ()
    assert [link.url for link in film(f"<title>The Ferry</title><video src={FILE}></video>").links] == [FILE]
