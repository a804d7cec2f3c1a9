"""SPARQL queries for Wikidata. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scraper.extraction.wikidata_facts import DURATION, FACT_PROPERTIES, LABEL, LABEL_LANGUAGES, MAX_ROWS
from scraper.extraction.wikidata_statements import WATCH_PROPERTIES
from scraper.items import IMDB_ID_PATTERN

MAX_PAGE_SIZE = 500
SELECTED_COLUMNS = "?imdb ?item ?itemLabel ?prop ?propLabel ?value ?formatter ?role ?lang ?end ?status ?licence"


def statements_query(imdb_ids: Sequence[str], *, properties: Sequence[str] = WATCH_PROPERTIES) -> str:
    """Return the SPARQL query for the watch statements of films. Raises ValueError for an invalid id or property."""
    wrong = [text for text in imdb_ids if not IMDB_ID_PATTERN.fullmatch(text)]
    wrong += [name for name in properties if not re.fullmatch(r"P[1-9][0-9]{0,7}", name)]
    if wrong or not imdb_ids:
        raise ValueError(f"{ascii(wrong)[:80]} cannot be queried")
    ids = " ".join(f'"{one}"' for one in imdb_ids)
    watched = " ".join(f"wd:{name}" for name in properties)
    return f"""SELECT {SELECTED_COLUMNS} WHERE {{
  VALUES ?imdb {{ {ids} }}
  VALUES ?prop {{ {watched} }}
  ?item p:P345 ?named .
  ?named ps:P345 ?imdb ; wikibase:rank ?certainty .
  FILTER(?certainty != wikibase:DeprecatedRank)
  ?prop wikibase:claim ?p ; wikibase:statementProperty ?ps .
  ?item ?p ?st .
  ?st ?ps ?value ; wikibase:rank ?rank .
  FILTER(?rank != wikibase:DeprecatedRank)
  OPTIONAL {{ ?prop wdt:P1630 ?formatter }}
  OPTIONAL {{ ?st pq:P3831 ?role }}
  OPTIONAL {{ ?st pq:P407/wdt:P218 ?lang }}
  OPTIONAL {{ ?st pq:P582 ?end }}
  OPTIONAL {{ ?item wdt:P6216 ?status }}
  OPTIONAL {{ ?item wdt:P275/(wdt:P856|wdt:P2699) ?licence }}
  SERVICE wikibase:label {{ bd:serviceParam wikibase:language "en,mul" }}
}}"""


def facts_query(imdb_id: str) -> str:
    """Return the SPARQL query for what is known of a film. Raises ValueError for an invalid id."""
    if not IMDB_ID_PATTERN.fullmatch(imdb_id):
        raise ValueError(f"{ascii(imdb_id)[:80]} cannot be queried")
    properties = " ".join(f"wd:{name}" for name in FACT_PROPERTIES)
    languages = ", ".join(f'"{tag}"' for tag in LABEL_LANGUAGES)
    return f"""SELECT ?links ?prop ?value ?valueLabel ?country ?language WHERE {{
  ?item wdt:P345 "{imdb_id}" ; wikibase:sitelinks ?links .
  {{
    VALUES ?prop {{ {properties} }}
    ?prop wikibase:directClaim ?claim .
    ?item ?claim ?value .
    OPTIONAL {{ ?value wdt:P297 ?country }}
    OPTIONAL {{ ?value wdt:P218 ?language }}
  }} UNION {{
    ?item p:{DURATION}/psn:{DURATION}/wikibase:quantityAmount ?value .
    BIND("{DURATION}" AS ?prop)
  }} UNION {{
    ?item rdfs:label ?value .
    FILTER(LANG(?value) IN ({languages}))
    BIND("{LABEL}" AS ?prop)
  }}
  SERVICE wikibase:label {{ bd:serviceParam wikibase:language "en,mul,de,fr,es" }}
}} LIMIT {MAX_ROWS}"""


FILMS_QUERY = """SELECT ?item ?imdb (SAMPLE(?t) AS ?title) (MIN(YEAR(?date)) AS ?year)
  (GROUP_CONCAT(DISTINCT COALESCE(?ia, ""); separator="|") AS ?archive_ids)
  (GROUP_CONCAT(DISTINCT COALESCE(STR(?file), ""); separator="|") AS ?commons_files)
  (GROUP_CONCAT(DISTINCT COALESCE(STR(?status), ""); separator="|") AS ?copyright_status)
  (GROUP_CONCAT(DISTINCT COALESCE(STR(?lic), ""); separator="|") AS ?licences)
  (GROUP_CONCAT(DISTINCT COALESCE(?lang, ""); separator="|") AS ?languages)
  (MAX(?known) AS ?links) (MIN(?secs) AS ?duration)
  (MIN(STR(?drawn)) AS ?poster) (MIN(STR(?still)) AS ?image)
WHERE {{
  {{ SELECT DISTINCT ?item ?imdb WHERE {{
      {{ ?item wdt:P724 ?any }} UNION {{ ?item wdt:P10 ?any }}
      ?item wdt:P345 ?imdb .
      FILTER(STRSTARTS(?imdb, "tt") && ?imdb > "{after}")
      FILTER EXISTS {{ ?item wdt:P31/wdt:P279* wd:Q11424 }}
      FILTER NOT EXISTS {{ ?item wdt:P31 wd:Q97570383 }}
    }} ORDER BY ?imdb LIMIT {limit} }}
  OPTIONAL {{ ?item rdfs:label ?t . FILTER(LANG(?t) = "en") }}
  OPTIONAL {{ ?item wdt:P577 ?date }}
  OPTIONAL {{ ?item wdt:P724 ?ia }}
  OPTIONAL {{ ?item wdt:P10 ?file }}
  OPTIONAL {{ ?item wdt:P6216 ?status }}
  OPTIONAL {{ ?item wdt:P275/(wdt:P856|wdt:P2699) ?lic }}
  OPTIONAL {{ ?item wdt:P364/wdt:P218 ?lang }}
  OPTIONAL {{ ?item wikibase:sitelinks ?known }}
  OPTIONAL {{ ?item p:P2047/psn:P2047/wikibase:quantityAmount ?secs }}
  OPTIONAL {{ ?item wdt:P3383 ?drawn }}
  OPTIONAL {{ ?item wdt:P18 ?still }}
}} GROUP BY ?item ?imdb ORDER BY ?imdb"""


def films_query(after: str, *, limit: int) -> str:
    """Return the SPARQL query for the next watchable films after an IMDb id, in text order (tt10 is before tt2).

    `after` is `tt` for the first page. Raises ValueError for an `after` that is no id and an invalid limit.
    """
    if not re.fullmatch(r"tt[0-9]{0,9}", after) or not 1 <= limit <= MAX_PAGE_SIZE:
        raise ValueError(f"{ascii(after)[:40]}, {limit} is no page")
    # Without indentation: the whole URL has to be shorter than 2,000 characters, or it is not requested.
    return " ".join(FILMS_QUERY.format(after=after, limit=limit).split())
