"""The `scrape` command: jobs by hand."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from streaming.models import ScrapeJob
from streaming.scraper_utils import scrape_movie_on_demand
from streaming.scraping.outcomes import waiting_results
from streaming.scraping.supervisor import control
from tests.helpers.factories import make_job, make_link, make_movie
from tests.scraping.conftest import harness

__all__ = ["harness"]


def scrape(*words: str, **options: object) -> str:
    out = StringIO()
    call_command("scrape", *words, stdout=out, **options)
    return out.getvalue()


@pytest.mark.django_db
def test_it_queues_a_job_per_movie_and_prints_it():
    first, second = make_movie(), make_movie()
    open_job = make_job(second, sources=waiting_results(["example"]))
    said = scrape(first.imdb_id, second.imdb_id, first.imdb_id)
    job = ScrapeJob.objects.get(movie=first)
    assert (job.requested_by, job.priority) == ("command", 0)
    assert said.splitlines() == [
        f"{first.imdb_id}: job {job.pk} waiting to start",
        f"{second.imdb_id}: job {open_job.pk} waiting to start (already requested)",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["tt9999999"], "No such movie: tt9999999."),
        (["tt99\n99"], "No such movie: tt99?99."),
        (["{movie}", "--source", "nowhere"], "--source: nowhere is not enabled; choose from example."),
        (["{movie}", "--target-url", "file:///etc/passwd"], "--target-url: "),
    ],
)
def test_bad_input_is_one_sentence_and_starts_nothing(words, sentence):
    movie = make_movie()
    with pytest.raises(CommandError) as error:
        scrape(*[word.format(movie=movie.imdb_id) for word in words])
    assert str(error.value).startswith(sentence)
    assert "\n" not in str(error.value)
    assert not ScrapeJob.objects.exists()


@pytest.mark.django_db
def test_a_full_queue_is_one_sentence(settings):
    settings.SCRAPE_QUEUE_LIMIT = 1
    make_job()
    with pytest.raises(CommandError, match=r"^Too many scrape jobs are waiting\. Try again in \d+ seconds\.$"):
        scrape(make_movie().imdb_id)


@pytest.mark.slow
def test_waiting_follows_each_source_to_the_end(harness):
    movie = make_movie()
    said = scrape(movie.imdb_id, "--source", "example", "--target-url", "http://127.0.0.1/found", "--wait")
    assert said.splitlines()[1:] == [
        f"{movie.imdb_id}: Example site: 1 link, 1 new",
        f"{movie.imdb_id}: succeeded: Links found (1 link, 1 new)",
    ]


@pytest.mark.slow
def test_waiting_for_another_search_of_the_movie_is_followed_by_ones_own(harness):
    movie = make_movie()
    other = scrape_movie_on_demand(movie, requested_by="page")
    said = scrape(movie.imdb_id, "--target-url", "http://127.0.0.1/found", "--wait").splitlines()
    assert said[0] == (
        f"{movie.imdb_id}: job {other.pk} waiting to start (another search of this movie, which has to end first)"
    )
    ours = ScrapeJob.objects.latest("pk")
    assert (ours.target_url, ours.state, ScrapeJob.objects.count()) == ("http://127.0.0.1/found", "succeeded", 2)
    assert said[-1] == f"{movie.imdb_id}: succeeded: Links found (1 link, 1 new)"


@pytest.mark.slow
def test_waiting_for_a_job_that_fails_ends_with_status_1(harness):
    movie = make_movie()
    with pytest.raises(CommandError, match="1 of 1 scrape jobs failed"):
        scrape(movie.imdb_id, "--target-url", "http://127.0.0.1/failed", "--wait")


@pytest.mark.slow
def test_a_worker_is_stopped_by_hand(harness):
    out = StringIO()
    call_command("scrape_worker", "--stop", stdout=out)
    control.ensure_supervisor()
    harness.until(lambda: (harness.folder / "wakeup").exists())
    pid = harness.pid()
    call_command("scrape_worker", "--stop", stdout=out)
    assert out.getvalue().splitlines() == ["No worker is running on this machine.", f"Worker {pid} is stopping."]
    assert harness.pid() is None


@pytest.mark.slow
def test_a_whole_catalogue_is_searched_through_a_small_queue(harness, settings):
    settings.SCRAPE_QUEUE_LIMIT = 10
    for _ in range(12):
        make_movie()
    fresh = make_link(last_checked=timezone.now()).movie
    cooling = make_movie(next_scrape_at=timezone.now() + timedelta(hours=1))
    assert "12 of 12 movies searched" in scrape("--stale").splitlines()[-1]
    assert ScrapeJob.objects.count() == 12
    assert not ScrapeJob.objects.filter(movie__in=[fresh, cooling]).exists()
    # Stopped and started again it goes on with what it has not searched.
    assert "0 of 0 movies searched" in scrape("--stale").splitlines()[-1]
    make_job(fresh, state="failed", sources=[])
    assert "14 of 14 movies searched" in scrape("--all").splitlines()[-1]


@pytest.mark.django_db
@pytest.mark.parametrize("words", [[], ["--all", "tt0000001"], ["--stale", "--target-url", "http://127.0.0.1/"]])
def test_movies_are_named_or_chosen_not_both(words):
    with pytest.raises(CommandError, match="--stale"):
        scrape(*words)
