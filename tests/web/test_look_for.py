"""Ask for a title that is not there: the form, the choice, the page of the request, the API, and who may fill what."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from streaming.ingest import takedown
from streaming.ingest.tombstones import remove_movies
from streaming.models import Movie, RemovedMovie, ScrapeJob, StreamingLink, TitleRequest
from streaming.retention import delete_old_history
from streaming.scraping import jobs
from streaming.scraping.outcomes import JobOutcome
from tests.helpers.external_services import run_tests_on_postgres
from tests.helpers.factories import make_link, make_movie
from tests.helpers.fake_sources import FakeFilm, source_web
from tests.helpers.http_servers import Page
from tests.helpers.rendered_html import html_of

pytestmark = pytest.mark.django_db
NOSFERATU, GENERAL = "tt0013442", "tt0017925"
HTMX = {"HTTP_HX_REQUEST": "true"}
FORBIDDEN_KINDS = {"Q21191270": "an episode", "Q3464665": "a season", "Q7889": "a game"}


@pytest.fixture(autouse=True)
def unhurried(settings, tmp_path):
    settings.TITLE_RATE, settings.SCRAPE_DIR = (1000, 60), tmp_path
    settings.SCRAPE_QUEUE_LIMIT = 100


@pytest.fixture
def web(settings):
    with source_web() as web:
        for name, value in web.settings().items():
            setattr(settings, name, value)
        yield web


def ask(client, wanted, year="", **headers):
    return client.post("/look-for/", {"wanted": wanted, "year": year}, **headers)


def close(state, outcome=""):
    """End the only open job."""
    job = ScrapeJob.objects.open().get()
    claim = jobs.claim_jobs(owner="tests", limit=1)[0]
    assert claim.job_id == job.pk
    assert jobs.finish(claim, outcome_of=lambda _: JobOutcome(state, outcome), log="")


class TestWhereItIsOffered:
    def test_an_empty_search_offers_it_with_what_was_typed(self, client):
        make_movie(title="Metropolis")
        page = html_of(client.get("/?q=Nosferatu+%26+co"))
        assert 'href="/look-for/?q=Nosferatu%20%26%20co">Look for it</a>' in page
        form = html_of(client.get("/look-for/?q=Nosferatu%20%26%20co"))
        assert 'value="Nosferatu &amp; co"' in form

    def test_a_search_that_finds_something_and_filters_without_text_do_not(self, client):
        make_movie(title="Metropolis")
        assert "look-for" not in html_of(client.get("/?q=metropolis"))
        assert "look-for" not in html_of(client.get("/?year=1900&source=commons"))

    def test_the_page_of_an_unknown_title_does_that_of_a_removed_one_does_not(self, client):
        answer = client.get(f"/streaming/{NOSFERATU}/")
        assert (answer.status_code, f"/look-for/?q={NOSFERATU}" in html_of(answer)) == (404, True)
        make_movie(imdb_id=NOSFERATU)
        remove_movies(Movie.objects.all(), reason="x")
        assert "look-for" not in html_of(client.get(f"/streaming/{NOSFERATU}/"))


class TestById:
    @pytest.mark.parametrize(
        "wanted",
        [
            NOSFERATU,
            " TT000013442 ",
            f"https://www.imdb.com/title/{NOSFERATU}/",
            f"https://m.imdb.com/de/title/{NOSFERATU}/reviews?ref_=x#a",
            f"imdb.com/title/{NOSFERATU}",
        ],
    )
    def test_a_job_is_queued_and_the_page_says_so(self, client, web, wanted):
        answer = ask(client, wanted)
        assert (answer.status_code, answer["Location"]) == (303, f"/look-for/{NOSFERATU}/")
        job = ScrapeJob.objects.get()
        assert (job.movie, job.title_request.imdb_id, job.priority, job.state) == (None, NOSFERATU, 0, "queued")
        assert str(job.title_request) == "Nosferatu (1922)"
        page = html_of(client.get(answer["Location"]))
        assert "Waiting to start" in page
        assert '<h1 dir="auto">Nosferatu (1922)</h1>' in page
        assert '<noscript> <meta http-equiv="refresh" content="3"> </noscript>' in page
        assert not Movie.objects.exists()

    def test_it_is_asked_for_without_wikidata_too(self, client, web):
        web.faults["/wikidata"] = Page(status=503)
        assert ask(client, NOSFERATU).status_code == 303
        assert TitleRequest.objects.get().title == ""

    def test_a_title_that_is_there_leads_to_its_page_and_counts_for_no_limit(self, client, settings):
        settings.TITLE_RATE = (0, 60)
        movie = make_movie(imdb_id=NOSFERATU)
        assert ask(client, NOSFERATU)["Location"] == movie.get_absolute_url()
        assert client.get(f"/look-for/{NOSFERATU}/")["Location"] == movie.get_absolute_url()

    @pytest.mark.parametrize(("kind", "name"), FORBIDDEN_KINDS.items())
    def test_an_episode_a_season_and_a_game_are_refused(self, client, web, kind, name):
        web.titles.append(FakeFilm("tt0959621", "Q1", "Pilot", 2008, kind=kind))
        answer = ask(client, "tt0959621")
        assert (answer.status_code, f"This is {name}" in html_of(answer)) == (400, True)
        assert not TitleRequest.objects.exists()

    @pytest.mark.parametrize("kind", ["Q5398426", "Q117467246"])
    def test_a_show_is_searched_as_one(self, client, web, kind):
        web.titles.append(FakeFilm("tt0052520", "Q1", "The Twilight Zone", 1959, kind=kind))
        ask(client, "tt0052520")
        assert TitleRequest.objects.get().type == "show"


BAD = {
    "nm0000001": "This is a person",
    "https://www.imdb.com/name/nm0000001/": "This is a person",
    "ls012345678": "of no film or show",
    "tt123": "tt and 7 to 9 digits",
    "tt12345678901234567890": "tt and 7 to 9 digits",
    "https://www.imdb.com/title/tt1/": "not the address of a title",
    "https://evil.example.org/title/tt0013442/": "not the address of a title",
    "https://www.imdb.com.evil.example.org/title/tt0013442/": "not the address of a title",
    "http://www.imdb.com@evil.example.org/title/tt0013442/": "not the address of a title",
    "file:///etc/passwd": "not the address of a title",
    "http://[::1/title/tt0013442/": "not the address of a title",
    "www.netflix.com/title/1": "not the address of a title",
    "x" * 10_000: "at most 200 characters",
    "Nosfe\x07ratu": "cannot be printed",
    "Nosfe\u202eratu": "cannot be printed",
    "Nosfe\x00ratu": "Null characters are not allowed",
    "Nosferatu\nMetropolis": "cannot be printed",
    "": "This field is required",
    "   ": "This field is required",
    "!!! ???": "letters or digits",
}


class TestBadInput:
    @pytest.mark.parametrize(
        ("wanted", "sentence"), BAD.items(), ids=[key[:30].encode("unicode_escape") for key in BAD]
    )
    def test_each_has_a_sentence_and_starts_nothing(self, client, wanted, sentence):
        answer = ask(client, wanted)
        assert (answer.status_code, sentence in html_of(answer)) == (400, True), html_of(answer)
        assert not TitleRequest.objects.exists()

    @pytest.mark.parametrize("year", ["1066", "3000", "nineteen", "1" * 5000])
    def test_a_wrong_year_too(self, client, year):
        assert ask(client, "Nosferatu", year).status_code == 400

    @pytest.mark.parametrize("path", ["/look-for/nm0000001/", "/look-for/tt1/", "/look-for/%00/", "/look-for/x%22%3E/"])
    def test_an_address_that_names_no_title_does_not_exist(self, client, path):
        assert client.get(path).status_code == 404

    def test_a_title_that_nobody_asked_for_leads_to_the_form(self, client):
        assert client.get("/look-for/tt00013442/")["Location"] == "/look-for/?q=tt0013442"

    def test_the_form_escapes_what_was_typed(self, client, web):
        page = ask(client, "<script>alert(1)</script>").content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page

    def test_another_site_cannot_post_it(self):
        assert Client(enforce_csrf_checks=True).post("/look-for/", {"wanted": NOSFERATU}).status_code == 403


class TestByTitle:
    def test_the_exact_title_of_its_year_is_searched_at_once(self, client, web):
        assert ask(client, "nosferatu", "1922")["Location"] == f"/look-for/{NOSFERATU}/"

    def test_the_year_may_follow_in_brackets(self, client, web):
        assert ask(client, "Nosferatu (1922)")["Location"] == f"/look-for/{NOSFERATU}/"

    def test_several_are_to_be_chosen_from_without_episodes(self, client, web):
        web.titles.append(FakeFilm("tt0079641", "Q2", "Nosferatu the Vampyre", 1979))
        web.titles.append(FakeFilm("tt7777777", "Q3", "Nosferatu", 2001, kind="Q21191270"))
        page = html_of(ask(client, "Nosferatu"))
        assert "Which one?" in page
        assert 'name="wanted" value="tt0013442"' in page
        assert 'name="wanted" value="tt0079641"' in page
        assert "tt7777777" not in page
        names = re.findall(r'class="visually-hidden" dir="auto">([^<]+)<', page)
        assert names == ["Nosferatu", "Nosferatu the Vampyre"]
        assert not TitleRequest.objects.exists()

    def test_the_year_chooses_among_them(self, client, web):
        web.titles.append(FakeFilm("tt0079641", "Q2", "Nosferatu", 1979))
        assert ask(client, "Nosferatu", "1979")["Location"] == "/look-for/tt0079641/"

    def test_an_unknown_title_is_said_to_be_unknown(self, client, web):
        assert "knows no such film" in html_of(ask(client, "Zzyzx the Unfilmed"))

    @pytest.mark.parametrize("fault", [Page(status=500), Page("<html>"), Page('{"error": {"code": "maxlag"}}')])
    def test_without_wikidata_the_id_is_asked_for(self, client, web, fault):
        web.faults["/wikidata"] = fault
        answer = ask(client, "Nosferatu")
        assert (answer.status_code, answer["Retry-After"], "Give the IMDb id" in html_of(answer)) == (503, "60", True)

    def test_signs_of_the_search_language_are_not_passed_on(self, client, web):
        ask(client, 'insource:/.*a.*/ "x" -haswbstatement:P31=Q5')
        asked = [query["srsearch"] for path, query in web.queries if "srsearch" in query]
        assert asked == ["insource a x haswbstatement P31 Q5 haswbstatement:P345"]


class TestSingleFlight:
    def test_a_second_request_gets_the_search_of_the_first(self, client, web):
        assert [ask(client, NOSFERATU, REMOTE_ADDR=f"10.0.0.{number}").status_code for number in range(3)] == [303] * 3
        assert (ScrapeJob.objects.count(), TitleRequest.objects.count()) == (1, 1)

    def test_and_its_answer_until_the_date_that_the_page_names(self, client, web):
        ask(client, NOSFERATU)
        close("succeeded", "nothing")
        request = TitleRequest.objects.get()
        assert (request.outcome, request.fruitless) == ("nothing", 1)
        assert timedelta(hours=23) < request.next_ask_at - timezone.now() < timedelta(hours=25)
        page = html_of(client.get(ask(client, NOSFERATU)["Location"]))
        assert "No source has it." in page
        assert f"asked again on {request.next_ask_at:%-d %b %Y}" in page
        assert 'name="wanted"' not in page
        assert "refresh" not in page.partition("<body>")[0].partition("viewport")[0]
        assert ScrapeJob.objects.count() == 1

    def test_each_fruitless_search_makes_the_next_one_later(self, client, web):
        waits = []
        for _ in range(4):
            ask(client, NOSFERATU)
            close("succeeded", "nothing")
            waits.append(round((TitleRequest.objects.get().next_ask_at - timezone.now()) / timedelta(days=1)))
            TitleRequest.objects.update(next_ask_at=timezone.now() - timedelta(seconds=1))
        assert waits == [1, 7, 30, 30]

    def test_sources_that_failed_have_not_answered(self, client, web):
        ask(client, NOSFERATU)
        close("failed")
        request = TitleRequest.objects.get()
        assert (request.outcome, request.fruitless) == ("failed", 0)
        assert "The sources did not respond." in html_of(client.get(f"/look-for/{NOSFERATU}/"))
        TitleRequest.objects.update(next_ask_at=timezone.now() - timedelta(seconds=1))
        assert 'name="wanted" value="tt0013442"' in html_of(client.get(f"/look-for/{NOSFERATU}/"))
        ask(client, NOSFERATU)
        assert ScrapeJob.objects.open().count() == 1

    def test_scripts_get_the_progress_then_the_page_and_at_last_the_movie(self, client, web):
        ask(client, NOSFERATU)
        progress = client.get(f"/look-for/{NOSFERATU}/", **HTMX)
        assert progress.content.decode().strip().startswith('<div id="search"')
        close("succeeded", "nothing")
        assert client.get(f"/look-for/{NOSFERATU}/", **HTMX)["HX-Refresh"] == "true"
        make_link(make_movie(imdb_id=NOSFERATU))
        assert client.get(f"/look-for/{NOSFERATU}/", **HTMX)["HX-Redirect"] == f"/streaming/{NOSFERATU}/"

    def test_links_that_await_review_are_said_to(self, client, web):
        ask(client, NOSFERATU)
        make_link(make_movie(imdb_id=NOSFERATU), is_published=False)
        close("succeeded", "nothing")
        page = html_of(client.get(f"/look-for/{NOSFERATU}/"))
        assert "A person reviews them" in page
        assert TitleRequest.objects.get().outcome == "review"


class TestWhatIsNotSearched:
    def test_what_was_taken_down(self, client, web):
        takedown.block(NOSFERATU, reason="a court")
        answer = ask(client, NOSFERATU)
        assert (answer.status_code, "was taken down" in html_of(answer)) == (403, True)
        assert not TitleRequest.objects.exists()

    def test_what_was_taken_down_after_somebody_asked(self, client, web):
        ask(client, NOSFERATU)
        takedown.block(NOSFERATU, reason="a court")
        answer = client.get(f"/look-for/{NOSFERATU}/")
        assert (answer.status_code, "was taken down" in html_of(answer)) == (403, True)

    def test_what_staff_removed_but_not_what_a_check_removed(self, client, web):
        for imdb_id, cause in ((NOSFERATU, "staff"), (GENERAL, "check")):
            make_movie(imdb_id=imdb_id)
            remove_movies(Movie.objects.all(), reason="x", cause=RemovedMovie.Cause(cause))
        assert "removed by the editors" in html_of(ask(client, NOSFERATU))
        assert ask(client, GENERAL).status_code == 303


class TestLimits:
    def test_one_client_asks_so_often(self, client, web, settings):
        settings.TITLE_RATE = (2, 3600)
        answers = [ask(client, f"tt000000{number}") for number in range(3)]
        assert [answer.status_code for answer in answers] == [303, 303, 429]
        assert int(answers[-1]["Retry-After"]) > 3000
        assert "You have asked for many titles" in html_of(answers[-1])

    def test_who_has_a_large_network_is_one_client(self, client, web, settings):
        """What is asked for and not found is remembered for a year, 2,000 titles in all."""
        settings.TITLE_RATE = (2, 3600)
        answers = [ask(client, f"tt000000{number}", REMOTE_ADDR=f"2001:db8:1:{number}::1") for number in range(3)]
        assert [answer.status_code for answer in answers] == [303, 303, 429]

    def test_titles_fill_a_tenth_of_the_queue_and_one_client_its_part(self, client, web):
        own = [ask(client, f"tt00000{number:02}").status_code for number in range(12)]
        assert own == [303] * 10 + [503] * 2
        assert ScrapeJob.objects.count() == TitleRequest.objects.count() == 10

    def test_what_one_client_has_open_counts_its_visits_too(self, client, web):
        for _ in range(10):
            client.get(f"/api/streaming/movies/{make_movie().pk}/")
        assert ask(client, NOSFERATU).status_code == 429
        assert not TitleRequest.objects.exists()
        assert ask(client, NOSFERATU, REMOTE_ADDR="10.9.9.9").status_code == 303

    def test_a_page_of_a_movie_may_still_start_a_search(self, client, web):
        for number in range(10):
            ask(client, f"tt000000{number}")
        answer = client.get(f"/api/streaming/movies/{make_movie().pk}/", REMOTE_ADDR="10.9.9.9")
        assert answer.json()["refresh"]["state"] == "queued"

    def test_so_many_titles_that_nobody_has_are_remembered(self, client, web, monkeypatch):
        monkeypatch.setattr("streaming.title_requests.MAX_UNANSWERED", 2)
        assert [ask(client, f"tt000000{number}").status_code for number in range(3)] == [303, 303, 503]


class TestAgain:
    def due(self):
        TitleRequest.objects.update(next_ask_at=timezone.now() - timedelta(minutes=1))

    def test_the_schedule_repeats_what_is_due(self, client, web, capsys):
        ask(client, NOSFERATU)
        call_command("look_for", "--due")
        close("succeeded", "nothing")
        call_command("look_for", "--due")
        assert ScrapeJob.objects.open().count() == 0
        self.due()
        call_command("look_for", "--due")
        assert capsys.readouterr().out.split("\n")[-2].endswith("1 search started.")
        job = ScrapeJob.objects.open().get()
        assert (job.requested_by, job.title_request.imdb_id) == ("command", NOSFERATU)

    def test_not_what_was_taken_down_or_found_meanwhile(self, client, web):
        for imdb_id in (NOSFERATU, GENERAL):
            ask(client, imdb_id)
            close("succeeded", "nothing")
        self.due()
        takedown.block(NOSFERATU, reason="a court")
        make_movie(imdb_id=GENERAL)
        call_command("look_for", "--due")
        assert not ScrapeJob.objects.open().exists()
        assert list(TitleRequest.objects.values_list("imdb_id", "outcome")) == [(GENERAL, "found")]

    def test_old_requests_are_deleted_with_other_history(self, client, web, settings):
        for imdb_id in (NOSFERATU, GENERAL):
            ask(client, imdb_id)
            close("succeeded", "nothing")
        long_ago = timezone.now() - timedelta(days=settings.HISTORY_DAYS + 1)
        TitleRequest.objects.filter(imdb_id=NOSFERATU).update(asked_at=long_ago)
        delete_old_history(now=timezone.now())
        assert list(TitleRequest.objects.values_list("imdb_id", flat=True)) == [GENERAL]
        assert ScrapeJob.objects.count() == 1


class TestApi:
    URL = f"/api/streaming/titles/{NOSFERATU}/"

    def test_a_title_is_asked_for_and_followed(self, client, web):
        assert client.get(self.URL).status_code == 404
        assert [client.post(self.URL).status_code for _ in range(2)] == [202, 200]
        body = client.get(self.URL).json()
        assert (body["imdb_id"], body["title"], body["year"], body["state"]) == (NOSFERATU, "Nosferatu", 1922, "queued")
        assert body["movie"] is None
        close("succeeded", "nothing")
        body = client.get(self.URL).json()
        assert (body["state"], body["next_ask_at"] > body["answered_at"]) == ("nothing", True)
        make_movie(imdb_id=NOSFERATU)
        assert client.get(self.URL).json()["movie"].endswith(f"/api/streaming/movies/{NOSFERATU}/")
        assert client.post(self.URL).status_code == 409

    def test_its_job_is_no_job_of_a_movie(self, client, web):
        client.post(self.URL)
        job = ScrapeJob.objects.get()
        assert client.get(f"/api/streaming/jobs/{job.pk}/").status_code == 404
        assert client.get(f"/jobs/{job.pk}/").status_code == 404

    def test_refusals(self, client, web, settings):
        web.titles.append(FakeFilm("tt0959621", "Q1", "Pilot", 2008, kind="Q21191270"))
        takedown.block(GENERAL, reason="a court")
        statuses = {
            key: client.post(f"/api/streaming/titles/{key}/").status_code for key in ("nm1", "tt0959621", GENERAL)
        }
        assert statuses == {"nm1": 400, "tt0959621": 400, GENERAL: 403}
        settings.TITLE_RATE = (0, 60)
        assert client.post(self.URL).status_code == 429

    def test_an_answer_costs_few_queries(self, client, web, django_assert_max_num_queries):
        client.post(self.URL)
        with django_assert_max_num_queries(4):
            client.get(self.URL)
        with django_assert_max_num_queries(8):
            client.get(f"/look-for/{NOSFERATU}/")


def test_a_movie_without_any_link_is_never_made_of_a_request(client, web):
    ask(client, NOSFERATU)
    close("succeeded", "nothing")
    assert (Movie.objects.count(), StreamingLink.objects.count()) == (0, 0)
    assert NOSFERATU not in client.get("/feeds/new.xml").content.decode()
    assert client.get("/api/streaming/changes/").json()["changed"] == []


@pytest.mark.slow
@pytest.mark.postgres
def test_the_same_on_postgresql():
    run_tests_on_postgres("web/test_look_for.py")
