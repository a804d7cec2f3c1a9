"""Pages of living films stay alive whatever words they hold: none of 500 composed ones is called dead."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.truth.languages import WORDINGS
from streaming.health.judging.verdict import Verdict, judge
from streaming.health.probe_types import ProbeRequest, ProbeResponse
from tests.helpers.living_pages import PARTS, LivingPage, living_page

URL = "https://films.example.org/film/77"
PAGES = [living_page(number) for number in range(500)]


def judgement_of(page: LivingPage):
    response = ProbeResponse(
        1, URL, status=200, body=page.body, content_type="text/html; charset=utf-8", final_url=URL, method="GET"
    )
    return judge(response, ProbeRequest(1, URL, title=page.title))


@pytest.mark.parametrize("number", range(len(PAGES)), ids=lambda number: f"{number}-{PAGES[number].language}")
def test_a_living_film_is_alive_whatever_else_its_page_says(number):
    page = PAGES[number]
    judgement = judgement_of(page)
    assert judgement.verdict is Verdict.ALIVE, (judgement.reason, page.title, page.parts, page.body.decode())


def test_the_pages_are_unlike_and_hold_every_part_in_every_language():
    assert len({page.body for page in PAGES}) == len(PAGES)
    assert {page.language for page in PAGES} == {wording.code for wording in WORDINGS}
    counts = Counter(part for page in PAGES for part in page.parts)
    assert set(counts) == set(PARTS)
    assert min(counts.values()) > 50
