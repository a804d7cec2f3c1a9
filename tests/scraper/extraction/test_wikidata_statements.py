"""Which statements of Wikidata lead to the whole film, now; each kind beside its look-alike."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from scraper.extraction.wikidata_queries import statements_query
from scraper.extraction.wikidata_statements import parse_entity_statements, parse_film_table, parse_statements

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PAGE = "https://films.example.org/ferry"
GENID = "http://www.wikidata.org/.well-known/genid/0123456789abcdef"


def cell(value, kind="literal"):
    return {"type": kind, "value": value}


def urls(*rows):
    given = {"imdb": cell("tt0900001"), "prop": cell("http://www.wikidata.org/entity/P953")}
    answer = {"results": {"bindings": [{**given, **row} for row in rows]}}
    return [statement.url for statement in parse_statements(answer, now=NOW) if statement.url]


def entity_urls(*claims, prop="P953"):
    stated = {"P345": [claim("tt0900001")], prop: list(claims)}
    entity = {"entities": {"Q1": {"id": "Q1", "claims": stated}}}
    return [statement.url for statement in parse_entity_statements(entity, now=NOW) if statement.url]


def claim(value, *, rank="normal", **qualifiers):
    snak = {"snaktype": "value", "datavalue": {"value": value}}
    return {"rank": rank, "mainsnak": snak, "qualifiers": {name: [one] for name, one in qualifiers.items()}}


def time(text, precision=11):
    return {"snaktype": "value", "datavalue": {"value": {"time": text, "precision": precision}}}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (cell(PAGE, "uri"), [PAGE]),
        (cell(GENID, "uri"), []),
        (cell(GENID), []),
        (cell("t1234567", "bnode"), []),
        (cell("_:b17", "uri"), []),
        (cell("https://films.example.org/genid/17", "uri"), ["https://films.example.org/genid/17"]),
        (cell("http://www.wikidata.org/entity/Q5", "uri"), []),
        (cell("http://www.wikidata.org/prop/novalue/P953", "uri"), []),
        (cell("ftp://films.example.org/ferry.mp4", "uri"), []),
    ],
)
def test_an_unknown_value_is_no_link(value, found):
    assert urls({"value": value}) == found


def test_an_unknown_value_in_a_table_is_no_link():
    row = {"imdb": cell("tt0900001"), "title": cell("The Ferry"), "full": cell(f"{GENID}|{PAGE}")}
    (film,) = parse_film_table({"results": {"bindings": [row]}}).films
    assert [link.url for link in film.links] == [PAGE]


@pytest.mark.parametrize(
    ("end", "found"),
    [
        ({}, [PAGE]),
        ({"end": cell("2026-07-01T00:00:00Z")}, [PAGE]),
        ({"end": cell("2026-05-01T00:00:00Z")}, []),
        ({"end": cell("2001-00-00T00:00:00Z")}, []),
        ({"end": cell(GENID, "uri")}, []),
        ({"end": cell("t17", "bnode")}, []),
    ],
)
def test_a_statement_holds_until_its_end(end, found):
    assert urls({"value": cell(PAGE, "uri"), **end}) == found


@pytest.mark.parametrize(
    ("end", "found"),
    [
        (time("+2026-05-31T00:00:00Z"), []),
        (time("+2026-06-01T00:00:00Z"), [PAGE]),
        (time("+2026-05-01T00:00:00Z", 10), []),
        (time("+2026-06-01T00:00:00Z", 10), [PAGE]),
        (time("+2026-01-01T00:00:00Z", 9), [PAGE]),
        (time("+2025-00-00T00:00:00Z", 9), []),
        ({"snaktype": "somevalue"}, []),
        ({"snaktype": "novalue"}, [PAGE]),
    ],
)
def test_an_end_in_the_api_is_as_exact_as_it_is_stated(end, found):
    assert entity_urls(claim(PAGE, P582=end)) == found


def test_each_imdb_id_of_an_item_has_its_statements():
    ids = [claim("tt0900001", rank="preferred"), claim("tt000900002"), claim("tt0900003", rank="deprecated")]
    entity = {"entities": {"Q1": {"id": "Q1", "claims": {"P345": [*ids, claim("nm0000001")], "P953": [claim(PAGE)]}}}}
    assert [one.imdb_id for one in parse_entity_statements(entity)] == ["tt0900001", "tt0900002"]


@pytest.mark.parametrize(
    ("prop", "value", "is_link"),
    [
        ("P4015", "1234567", True),
        ("P4015", "user/films", False),
        ("P11731", "x8abc12", True),
        ("P11731", "x8abc12/a", False),
        ("P1874", "70012345", True),
        ("P1874", "see below", False),
        ("P9586", "umc.cmc.1a2b3c4d5e6f7g8h9i0j", True),
        ("P9586", "the-ferry", False),
        ("P7760", "312345/the-ferry", True),
        ("P7760", "312345?x=1", False),
        ("P7760", "../../login", False),
        ("P7760", "a//evil.example.org", False),
        ("P7760", "12 34", False),
        ("P6614", "o-barco", True),
        ("P724", "ferry_1931", True),
        ("P724", "ferry 1931", False),
    ],
)
def test_identifiers_have_the_shape_of_their_service(prop, value, is_link):
    row = {"prop": cell(prop), "value": cell(value), "formatter": cell("https://service.example.org/$1")}
    assert bool(urls(row)) is is_link


def test_an_imdb_id_leads_to_its_item_though_another_one_is_preferred():
    """`wdt:` holds the ids of the best rank alone, and IMDb has some films twice."""
    query = statements_query(["tt0900001"])
    assert "wdt:P345" not in query
    assert "?named ps:P345 ?imdb ; wikibase:rank ?certainty ." in query
    assert "FILTER(?certainty != wikibase:DeprecatedRank)" in query
