"""Publication: decided by source and licence when a link is saved, otherwise by staff."""

from __future__ import annotations

import pytest
from django.conf import settings as real_settings

from streaming import statistics
from streaming.exchange import loader
from streaming.health.prune import removable_movies
from streaming.ingest import review
from streaming.ingest.records import parse_link
from streaming.ingest.save import OPERATOR_EVIDENCE, save_links
from streaming.ingest.takedown import unblock
from streaming.models import Movie, StreamingLink
from tests.helpers.factories import make_link, make_movie

pytestmark = pytest.mark.django_db
KEY = "tt0063350"
URL = "https://films.example.org/watch/1"
LICENCE_URL = "https://creativecommons.org/licenses/by/3.0/"


def link(url=URL, source="peertube", **fields):
    raw = {"imdb_id": KEY, "source": source, "source_url": url, **fields}
    return parse_link(raw, allowed=real_settings.ALLOW_PRIVATE_HOSTS)


@pytest.fixture
def movie():
    return make_movie(imdb_id=KEY)


@pytest.mark.parametrize(
    ("licence", "allowed", "is_operator", "published"),
    [
        ("public-domain", [], False, True),
        ("cc0", [], False, True),
        ("cc-by-sa", [], False, True),
        ("official", [], False, True),
        ("", [], False, False),
        ("cc", [], False, False),
        ("gpl", [], False, False),
        ("cc", ["cc"], False, True),
        ("cc-by-nc", [], False, None),
        ("cc-by-nd", ["cc-by-nc"], False, None),
        ("cc-by-nc", ["cc-by-nc"], False, True),
        ("", [], True, True),
        ("cc", [], True, True),
        ("cc-by-nc-nd", [], True, None),
    ],
)
def test_the_licence_decides_whether_a_link_is_published(movie, settings, licence, allowed, is_operator, published):
    settings.ALLOW_LICENCES = allowed
    report = save_links([link(licence=licence)], is_operator=is_operator)
    assert list(movie.links.values_list("is_published", flat=True)) == ([] if published is None else [published])
    assert report.refused["licence_refused"] == (published is None)
    assert (report.new, report.waiting, report.waiting_new) == (
        int(published is not None),
        int(published is False),
        int(published is False),
    )


@pytest.mark.parametrize(("allowed", "published"), [([], None), (["cc-by-nc"], None), (["paid"], True)])
def test_a_link_of_a_paid_service_is_rejected_unless_allowed(movie, settings, allowed, published):
    settings.ALLOW_LICENCES = allowed
    report = save_links([link(licence="paid", source="wikidata")])
    assert list(movie.links.values_list("is_published", flat=True)) == ([] if published is None else [published])
    assert report.refused["may_not_be_free"] == (published is None)
    assert report.refused["licence_refused"] == 0


@pytest.mark.parametrize(
    ("licence", "is_operator", "published"),
    [("cc-by", False, False), ("", False, False), ("cc-by", True, True), ("cc-by-nc", False, None)],
)
def test_a_link_that_its_source_doubts_awaits_review(movie, licence, is_operator, published):
    report = save_links([link(licence=licence, doubt="Marked as sensitive")], is_operator=is_operator)
    assert list(movie.links.values_list("is_published", flat=True)) == ([] if published is None else [published])
    assert report.doubt == ("Marked as sensitive" if published is False else "")


def test_a_doubt_does_not_unpublish_a_link(movie):
    save_links([link(licence="cc-by", doubt="Marked as sensitive")])
    review.publish(StreamingLink.objects.all(), by="anna")
    save_links([link(licence="cc-by", doubt="Marked as sensitive")])
    assert StreamingLink.objects.get().is_published


def test_an_unpublished_link_is_shown_nowhere(movie, client):
    save_links([link()])
    assert not movie.links.active().exists()
    assert not Movie.objects.watchable().exists()
    assert [one.links for one in loader.load_entries(active_only=False)] == [()]
    assert (statistics.totals().links, statistics.totals().active_links) == (0, 0)
    assert {row.links for row in statistics.source_stats()} == {0}
    for path in (
        f"/streaming/{KEY}/",
        f"/api/streaming/movies/{KEY}/",
        "/export/movies.jsonl",
        "/export/movies.m3u8",
    ):
        response = client.get(path, headers={"User-Agent": "Googlebot/2.1"})
        content = response.getvalue() if response.streaming else response.content
        assert (response.status_code, URL.encode() in content, b"review" in content) == (200, False, False)


def test_the_movie_page_shows_staff_how_many_links_await_review(movie, admin_client):
    save_links([link(), link("https://films.example.org/2")])
    page = admin_client.get(f"/streaming/{KEY}/", headers={"User-Agent": "Googlebot/2.1"}).content.decode()
    assert "2 links wait for review" in page
    assert f"is_published__exact=0&amp;q={KEY}" in page


def test_the_same_page_works_without_an_admin(movie, admin_client, settings):
    settings.ADMIN_ENABLED = False
    settings.ROOT_URLCONF = "tests.helpers.urls_without_admin"
    save_links([link()])
    page = admin_client.get(f"/streaming/{KEY}/", headers={"User-Agent": "Googlebot/2.1"}).content.decode()
    assert "1 link waits for review" in page
    assert "is_published__exact" not in page


def test_evidence_publishes_a_link_and_nothing_unpublishes_it(movie):
    save_links([link()])
    save_links([link(licence="cc-by", licence_url=LICENCE_URL, evidence="CC BY 3.0")])
    row = StreamingLink.objects.get()
    assert (row.is_published, row.licence, row.evidence) == (True, "cc-by", "CC BY 3.0")
    before = Movie.objects.get().updated_at
    save_links([link()])
    row = StreamingLink.objects.get()
    assert (row.is_published, row.licence, row.evidence) == (True, "cc-by", "CC BY 3.0")
    assert Movie.objects.get().updated_at == before


def test_the_evidence_of_an_imported_link_is_its_licence_or_the_operator(movie):
    save_links([link(licence="cc-by", licence_url=LICENCE_URL), link(f"{URL}/2")], is_operator=True)
    assert set(StreamingLink.objects.values_list("evidence", flat=True)) == {LICENCE_URL, OPERATOR_EVIDENCE}
    save_links([link(f"{URL}/2", evidence="CC0", licence="cc0")])
    save_links([link(f"{URL}/2")], is_operator=True)
    assert StreamingLink.objects.filter(evidence="CC0").count() == 1


def test_a_link_published_by_staff_stays_published_when_it_is_found_again(movie):
    save_links([link()])
    assert review.publish(StreamingLink.objects.all(), by="alice") == 1
    assert review.publish(StreamingLink.objects.all(), by="bob") == 0
    save_links([link()])
    row = movie.links.active().get()
    assert row.evidence == "Published by alice"


def test_a_rejected_link_is_not_saved_again_in_any_spelling(movie):
    longer = make_link(movie, source_url=f"{URL}0")
    save_links([link()])
    assert review.reject(StreamingLink.objects.all(), reason="no licence") == 1
    assert movie.links.awaiting_review().count() == 0
    again = [link(licence="cc-by"), link("http://www.films.example.org/watch/1/?fbclid=x", licence="cc-by")]
    assert save_links(again).refused["blocked_address"] == 2
    assert list(movie.links.active()) == [longer]
    assert unblock(URL)
    assert save_links(again).refused["blocked_address"] == 0


def test_a_movie_stays_while_a_working_link_awaits_review(movie):
    long_dead = {"is_active": False, "reason": "http_404", "strength": "proven", "failures": 9}
    long_dead["failing_seconds"] = 9 * 24 * 3600
    make_link(movie, **long_dead)
    waits = make_link(movie, is_published=False)
    assert not Movie.objects.watchable().exists()
    assert not removable_movies().exists()
    StreamingLink.objects.filter(pk=waits.pk).update(**long_dead)
    assert list(removable_movies()) == [movie]


def test_the_source_that_found_a_link_first_describes_it(movie):
    save_links([link(source="wikidata", licence="official", label="Archive")])
    save_links([link(source="internet_archive", licence="cc-by", label="Item", quality="720p", kind="file")])
    row = StreamingLink.objects.get()
    assert (row.source, row.licence, row.label, row.quality, row.kind) == (
        "wikidata", "official", "Archive", "720p", "page",
    )  # fmt: skip
    before = Movie.objects.get().updated_at
    save_links([link(source="internet_archive", licence="cc-by", label="Item", quality="720p", kind="file")])
    assert Movie.objects.get().updated_at == before


def test_spellings_of_one_link_are_one_row(movie):
    first = save_links([link("http://films.example.org/watch/1"), link("https://www.films.example.org/watch/1/")])
    again = save_links([link("http://www.films.example.org/watch/1?utm_source=x"), link(quality="480p")])
    assert (first.new, again.new, again.seen_again) == (1, 0, 1)
    row = StreamingLink.objects.get()
    assert (row.source_url, row.host) == ("https://www.films.example.org/watch/1/", "www.films.example.org")
    assert row.quality == "480p"


def test_a_redirected_link_is_known_by_its_old_url_too(movie):
    make_link(movie, source_url="https://new.example.org/x", moved_from=URL, source="peertube")
    assert save_links([link()]).new == 0


def test_episodes_keep_their_numbers_beside_their_label(movie):
    save_links([link(label="The Key", season=1, episode=2)])
    save_links([link(f"{URL}/3", label="S1 E3 The Lock")])
    rows = StreamingLink.objects.order_by("episode")
    assert list(rows.values_list("season", "episode", "label")) == [(1, 2, "The Key"), (1, 3, "The Lock")]
    assert [row.display_label for row in rows] == ["S1 E2 The Key", "S1 E3 The Lock"]


def test_the_example_site_needs_no_licence_for_its_own_links_alone(movie):
    here = "http://127.0.0.1:8001/media/1.mp4"
    found = [link(here, source="example"), link(source="example"), link(f"{here}?2", source="schema_org")]
    not_free = link(f"{here}?3", source="example", licence="cc-by-nd")
    assert save_links([*found, not_free]).refused["licence_refused"] == 1
    assert [one.source_url for one in movie.links.active()] == [here]


@pytest.mark.sqlite
def test_what_is_shown_is_found_by_its_own_index(movie):
    assert "link_shown_of_movie" in Movie.objects.playable().explain()
    assert "link_waiting_of_movie" in StreamingLink.objects.filter(is_published=False).order_by("movie").explain()
