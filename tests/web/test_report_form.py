"""Visitors report links: what is counted, what is checked, and what no report can do."""

from __future__ import annotations

import re
from contextlib import ExitStack
from datetime import timedelta
from time import monotonic

import pytest
from django.utils import timezone

from streaming import file_locks
from streaming.link_reports import MAX_CHECKS_AT_ONCE
from streaming.models import LinkReport, StreamingLink
from tests.helpers.factories import make_link, make_movie
from tests.helpers.http_origin import Origin
from tests.helpers.rendered_html import html_of

pytestmark = pytest.mark.django_db
URL = "/streaming/tt0013442/report/"
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def unhurried(settings, tmp_path):
    settings.REPORT_RATE = (1000, 60)
    settings.SCRAPE_DIR = tmp_path


@pytest.fixture
def movie():
    return make_movie(imdb_id="tt0013442", title="Nosferatu")


@pytest.fixture
def origin():
    with Origin("127.0.0.2") as server:
        yield server


def link_at(movie, server, path, **fields):
    return make_link(movie, source_url=server.url(path), host="127.0.0.2", reason="ok", **fields)


def report(client, link, kind, note="", **headers):
    return client.post(URL, {"link": link.pk, "kind": kind, "note": note}, **headers)


def is_active(link):
    return StreamingLink.objects.get(pk=link.pk).is_active


class TestForReview:
    @pytest.mark.parametrize("kind", ["wrong_film", "unwanted"])
    def test_a_report_is_counted_with_its_sentence_and_changes_nothing(self, client, movie, kind):
        link = make_link(movie)
        answer = report(client, link, kind, "  This is\n another film.  ", **HTMX)
        assert (answer.status_code, "A person will look at this link." in html_of(answer)) == (200, True)
        row = LinkReport.objects.get()
        assert (row.link_id, row.kind, row.count, row.notes) == (link.pk, kind, 1, ["This is another film."])
        assert is_active(link)

    def test_without_scripts_the_movies_page_has_the_answer(self, client, movie):
        link = make_link(movie)
        answer = client.post(URL, {"link": link.pk, "kind": "wrong_film"}, follow=True)
        assert answer.redirect_chain == [(f"/streaming/tt0013442/?report={LinkReport.objects.get().pk}#report", 303)]
        assert "A person will look at this link." in html_of(answer)

    def test_the_answer_belongs_to_the_movie(self, client, movie):
        other = LinkReport.objects.create(link=make_link(), kind="unwanted")
        assert "Thank you" not in html_of(client.get(f"/streaming/tt0013442/?report={other.pk}"))

    def test_however_many_report_a_living_link_it_stays(self, client, movie):
        link = make_link(movie)
        for number in range(60):
            report(client, link, "unwanted", f"Sentence {number}", REMOTE_ADDR=f"192.0.2.{number}")
        row = LinkReport.objects.get()
        assert (row.count, len(row.notes), row.notes[-1]) == (60, 10, "Sentence 59")
        assert is_active(link)

    def test_one_client_counts_once_a_day(self, client, movie):
        link = make_link(movie)
        answers = [report(client, link, "unwanted", **HTMX).status_code for _ in range(5)]
        assert (answers, LinkReport.objects.get().count) == ([200] * 5, 1)

    def test_a_handled_report_that_comes_again_awaits_review_again(self, client, movie):
        link = make_link(movie)
        LinkReport.objects.create(link=link, kind="unwanted", count=9, handled_at=timezone.now())
        report(client, link, "unwanted")
        row = LinkReport.objects.get()
        assert (row.count, row.handled_at) == (1, None)


class TestBadInput:
    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [
            ({"note": "x" * 10_000}, "One sentence is enough: 300 characters at most, this has 10,000."),
            ({"kind": "boring"}, "Choose a link and say what is wrong with it."),
            ({"kind": ""}, "Choose a link and say what is wrong with it."),
            ({"link": "0"}, "This link is no longer in the catalogue."),
            ({"link": "9" * 40}, "Choose a link and say what is wrong with it."),
            ({"link": "x"}, "Choose a link and say what is wrong with it."),
        ],
    )
    def test_what_is_no_report_is_refused_in_a_sentence(self, client, movie, fields, sentence):
        link = make_link(movie)
        sent = {"link": link.pk, "kind": "wrong_film", **fields}
        answer = client.post(URL, sent, **HTMX)
        assert (answer.status_code, answer.content.decode()) == (400, sentence)
        page = client.post(f"{URL}?season=2", sent)
        assert page.status_code == 400
        assert f"<p>{sentence}</p>" in html_of(page)
        assert 'href="/streaming/tt0013442/?season=2#report"' in html_of(page)
        assert LinkReport.objects.count() == 0

    def test_links_of_others_and_hidden_ones_cannot_be_reported(self, client, movie):
        for link in (make_link(), make_link(movie, is_published=False)):
            assert report(client, link, "broken").status_code == 400
        assert client.post("/streaming/tt0000001/report/").status_code == 404

    def test_its_address_leads_to_the_movie(self, client, movie):
        answer = client.get(URL)
        assert (answer.status_code, answer["Location"]) == (302, "/streaming/tt0013442/")

    def test_the_form_names_the_rows_and_chooses_the_link_that_the_address_names(self, client, movie):
        first, second = make_link(movie), make_link(movie)
        page = html_of(client.get(f"/streaming/tt0013442/?link={second.pk}"))
        for number in (1, 2):
            assert re.search(rf"<option[^>]*> [^<]+, copy {number}, ", page)
        assert re.findall(r'<option value="([0-9]+)" selected', page) == [str(second.pk)]
        assert f'href="/streaming/tt0013442/?link={first.pk}#report"' in page

    def test_the_season_stays(self, client, movie):
        link = make_link(movie, season=3, episode=7)
        make_link(movie, season=1, episode=1)
        page = html_of(client.get("/streaming/tt0013442/?season=3"))
        assert f'href="/streaming/tt0013442/?season=3&amp;link={link.pk}#report"' in page
        assert 'action="/streaming/tt0013442/report/?season=3"' in page
        answer = client.post(f"{URL}?season=3", {"link": link.pk, "kind": "wrong_film"})
        assert answer["Location"] == f"/streaming/tt0013442/?season=3&report={LinkReport.objects.get().pk}#report"

    def test_hundreds_a_minute_are_turned_away(self, client, movie, settings):
        settings.REPORT_RATE = (6, 60)
        link = make_link(movie)
        answers = [report(client, link, "unwanted") for _ in range(300)]
        assert [answer.status_code for answer in answers] == [303] * 6 + [429] * 294
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
        assert "<p>Too many reports. Try again in " in html_of(answers[-1])
        assert LinkReport.objects.get().count == 1


@pytest.mark.slow
class TestDoesNotWork:
    def test_a_dead_link_is_turned_off_and_the_answer_says_so(self, client, movie, origin):
        link = link_at(movie, origin, "404/1")
        answer = html_of(report(client, link, "broken", **HTMX))
        assert "We have just checked the link. It does not work (Not found" in answer
        assert not is_active(link)
        assert LinkReport.objects.get().outcome == "checked"

    def test_a_living_link_stays_and_is_not_checked_again_at_once(self, client, movie, origin):
        link = link_at(movie, origin, "page/1")
        first = html_of(report(client, link, "broken", REMOTE_ADDR="192.0.2.1", **HTMX))
        asked = len(origin.log)
        others = [
            html_of(report(client, link, kind, REMOTE_ADDR=f"192.0.2.{number}", **HTMX))
            for number, kind in enumerate(["broken", "playback"] * 20, start=2)
        ]
        assert "We have just checked the link. It works." in first
        assert all("We checked the link a moment ago. It works." in answer for answer in others)
        assert len(origin.log) == asked > 0
        assert sum(LinkReport.objects.values_list("count", flat=True)) == 41
        assert is_active(link)

    def test_during_an_outage_of_a_host_no_report_turns_off_its_links(self, client, movie, origin):
        links = [link_at(movie, origin, f"500/{number}", kind="file") for number in range(8)]
        for number, link in enumerate(links):
            answer = report(client, link, "broken", REMOTE_ADDR=f"192.0.2.{number}", **HTMX)
            assert "got no clear answer" in html_of(answer)
        assert all(is_active(link) for link in links)

    def test_a_host_that_keeps_a_check_waiting_decides_nothing(self, client, movie, origin, monkeypatch):
        monkeypatch.setattr("streaming.link_reports.MAX_CHECK_SECONDS", 0.5)
        link, started = link_at(movie, origin, "hang/1"), monotonic()
        answer = report(client, link, "broken", **HTMX)
        assert "got no clear answer" in html_of(answer)
        assert (is_active(link), monotonic() - started < 5) == (True, True)

    def test_a_dead_link_revives(self, client, movie, origin):
        link = link_at(movie, origin, "page/1", is_active=False)
        report(client, link, "broken")
        assert is_active(link)

    def test_when_all_slots_are_taken_the_link_is_due_at_once(self, client, movie, origin, settings):
        link = link_at(movie, origin, "404/1", next_check_at=timezone.now() + timedelta(days=3))
        with ExitStack() as held:
            for number in range(MAX_CHECKS_AT_ONCE):
                held.enter_context(file_locks.try_lock(settings.SCRAPE_DIR / f"report-{number}.lock"))
            assert "will be checked with the next run" in html_of(report(client, link, "broken", **HTMX))
        assert StreamingLink.objects.get(pk=link.pk).next_check_at <= timezone.now()
        assert (origin.log, is_active(link)) == ([], True)
