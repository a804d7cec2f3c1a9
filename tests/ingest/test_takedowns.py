"""Takedowns of every kind, at every entry point: what was taken down is not shown, not saved and does not come back."""

from __future__ import annotations

import json
from io import StringIO
from itertools import product
from tempfile import NamedTemporaryFile

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone

from streaming.exchange.loader import load_entries
from streaming.health.permanent_redirects import follow_permanent_redirects
from streaming.ingest import bindings, edits, review
from streaming.ingest.records import parse_link, parse_movie
from streaming.ingest.save import save_links
from streaming.ingest.takedown import InvalidValue, block, block_link, lift, unblock
from streaming.ingest.tombstones import remove_movies, restore_movies
from streaming.models import BlockedAddress, LinkFlip, Movie, RemovedMovie, StreamingLink
from streaming.urls import urlpatterns
from streaming.web.sitemaps import MovieSitemap
from tests.helpers.factories import LONG_DEAD, make_job, make_link, make_movie

pytestmark = pytest.mark.django_db
STOLEN, OTHER = "tt0000001", "tt0000002"
TITLE, TOKEN = "Purloined Reel", "s-e-c-r-e-t"
TAIL = TOKEN[1:]  # what all spellings have in common
URL = f"https://taken.example.org/film/{TOKEN}"
SPELLINGS = [
    URL,
    f"http://www.taken.example.org/film/{TOKEN}/",
    f"https://taken.example.org//film/{TOKEN}",
    f"https://taken.example.org:8443/film/%73{TAIL}",
]
LOOK_ALIKES = [f"https://taken.example.org/FILM/{TOKEN.upper()}", "https://taken.example.org/film/kept"]
ELSEWHERE = f"https://nottaken.example.org/film/{TOKEN.upper()}"
TARGETS = {
    BlockedAddress.Kind.HOST: "Taken.example.org.",
    BlockedAddress.Kind.PREFIX: f"http://www.taken.example.org/film/%73{TOKEN[1:-1]}",
    BlockedAddress.Kind.LINK: f"http://www.taken.example.org/film/{TOKEN}/?utm_source=x",
    BlockedAddress.Kind.IMDB_ID: STOLEN,
}
KINDS = sorted(BlockedAddress.Kind.values)
URL_KINDS = [kind for kind in KINDS if kind != "imdb_id"]
HEALTH = ("is_active", "reason", "strength", "failures", "is_published", "taken_down")
ROBOT = {"User-Agent": "Googlebot/2.1"}
PATH_VALUES = {
    "identifier": STOLEN, "imdb_id": STOLEN, "kind": "movie", "section": "movies", "extra": "skip=0", "number": 0,
    "slug": "horror", "code": "DE",
}  # fmt: skip
KEYS = {"stremio:catalogue": "openreel-movies", "person": "Q1"}
STAFF_ROUTES = {"api:link-list", "api:link-detail", "api:link-check", "api:movie-bindings"}
WITHOUT_ROWS = {"api:schema", "api:docs"}
"""They describe the API, and take long."""
ANNOUNCEMENTS = {
    "feed-lost",
    "feed-lost-atom",
    "feed-lost-json",
    "movie",
    "movie-tv",
    "refresh",
    "report",
    "api:changes",
}
"""They may name a removed movie and say that it was taken down."""


def take_down(kind):
    if kind == BlockedAddress.Kind.LINK:
        block_link(TARGETS[kind], reason="asked")
    else:
        block(TARGETS[kind], reason="asked")


@pytest.fixture
def catalogue(monkeypatch):
    """Links of one address in every state and spelling, at two movies, and links that look like them."""
    monkeypatch.setattr(MovieSitemap, "limit", 10**9)  # one part, whatever ids earlier tests have used
    facts = {"genres": ["horror"], "countries": ["DE"], "directors": [{"id": "Q1", "name": "A. Director"}]}
    stolen, other = (
        make_movie(imdb_id=one, title=name, **facts) for one, name in ((STOLEN, TITLE), (OTHER, "Another"))
    )
    for movie in (stolen, other):
        states = [{"reason": "ok", "checks": "a"}, LONG_DEAD, {"is_published": False}, {"kind": "file", "reason": "ok"}]
        for url, state in zip(SPELLINGS, states, strict=True):
            link = make_link(movie, source_url=url, licence="cc0", **state)
            if state is LONG_DEAD:
                LinkFlip.objects.create(link=link, is_active=False, reason="http_404")
        make_link(movie, source_url=ELSEWHERE, reason="ok")
        for url in LOOK_ALIKES:
            make_link(movie, source_url=url, reason="ok")
    make_job(stolen, state="succeeded", outcome="found")


def routes(patterns, prefix="", namespace=""):
    """The name and the parameters of every named route."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            name = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from routes(pattern.url_patterns, f"{prefix}{pattern.pattern}", name)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield f"{namespace}{pattern.name}", sorted(pattern.pattern.regex.groupindex)


ROUTES = sorted(route for route in routes(urlpatterns) if route[0] not in WITHOUT_ROWS)


def address_of(name, parameters):
    values = {**PATH_VALUES, "key": KEYS.get(name, STOLEN), "pk": STOLEN, "link_id": 1}
    if "job" in name:
        job = Movie.objects.get(imdb_id=STOLEN).jobs.first() if Movie.objects.filter(imdb_id=STOLEN).exists() else None
        values["pk"] = job.pk if job else 1
    elif "link-" in name:
        values["pk"] = StreamingLink.objects.values_list("pk", flat=True).first()
    return reverse(name, kwargs={parameter: values[parameter] for parameter in parameters})


def responses(*, staff=False):
    """What every route says to anybody (or to staff, those that are no staff routes), by its name."""
    client = Client(headers=ROBOT)
    if staff:
        client.force_login(User.objects.create_superuser("boss"))
    found = {}
    for name, parameters in ROUTES:
        response = client.get(address_of(name, parameters))
        assert response.status_code < 500
        body = b"".join(response.streaming_content) if response.streaming else response.content
        found[name] = body.decode(errors="replace")  # pictures too
    return {name: body for name, body in found.items() if not (staff and name in STAFF_ROUTES)}


def showing(bodies, text):
    return {name for name, body in bodies.items() if text in body}


def shown_urls():
    return set(StreamingLink.objects.shown().values_list("source_url", flat=True))


def hidden_urls(kind):
    return {*SPELLINGS, *(LOOK_ALIKES if kind == "host" else [])}


@pytest.mark.parametrize("kind", KINDS)
def test_no_page_feed_or_export_shows_what_was_taken_down(catalogue, kind):
    text = TITLE if kind == "imdb_id" else TAIL
    before = responses()
    always = {"movie", "feed-lost", "dump", "playlist", "csv", "api:movie-list", "api:movie-detail", "api:changes"}
    assert always <= showing(before, TAIL)
    assert {"stremio:meta", "stremio:streams", "health"} <= showing(before, TAIL) | showing(before, TITLE)
    take_down(kind)
    after = responses()
    assert showing(after, text) <= (ANNOUNCEMENTS if kind == "imdb_id" else set())
    assert showing(responses(staff=True), text) <= (ANNOUNCEMENTS if kind == "imdb_id" else set())
    if kind == "imdb_id":
        assert f"/{STOLEN}/" in before["sitemap-part"]
        assert f"/{STOLEN}/" not in after["sitemap-part"]
        assert not showing(after, f"{STOLEN}.svg")
    else:
        assert {"movie", "dump", "api:movie-detail"} <= showing(after, ELSEWHERE)
        assert ({"movie", "dump", "api:movie-detail"} <= showing(after, LOOK_ALIKES[0])) is (kind != "host")
        exported = [link.source_url for entry in load_entries(active_only=False) for link in entry.links]
        assert hidden_urls(kind).isdisjoint(exported)
        assert ELSEWHERE in exported


@pytest.mark.parametrize("kind", URL_KINDS)
def test_every_row_is_hidden_and_has_its_former_state_again_afterwards(catalogue, kind):
    rows = StreamingLink.objects.order_by("pk")
    before = list(rows.values(*HEALTH, "source_url"))
    stamps = dict(Movie.objects.values_list("pk", "updated_at"))
    take_down(kind)
    hidden = rows.filter(taken_down=True)
    assert set(hidden.values_list("source_url", flat=True)) == hidden_urls(kind)
    assert hidden.count() == 2 * len(hidden_urls(kind))
    assert set(hidden.values_list("is_active", "reason", "strength")) == {(False, "taken_down", "")}
    assert StreamingLink.objects.awaiting_review().count() == 0
    assert all(Movie.objects.get(pk=pk).updated_at > at for pk, at in stamps.items())
    assert unblock(TARGETS[kind])
    assert list(rows.values(*HEALTH, "source_url")) == before
    assert all(row["taken_down"] is False for row in before)


def test_a_movie_that_was_taken_down_returns_as_it_was(catalogue):
    before = list(StreamingLink.objects.order_by("pk").values(*HEALTH, "source_url", "movie_id"))
    take_down("imdb_id")
    assert not Movie.objects.filter(imdb_id=STOLEN).exists()
    assert unblock(STOLEN)
    assert list(StreamingLink.objects.order_by("pk").values(*HEALTH, "source_url", "movie_id")) == before


def test_a_movie_that_staff_removed_does_not_return_when_its_takedown_is_lifted(catalogue):
    remove_movies(Movie.objects.filter(imdb_id=STOLEN), reason="test", cause=RemovedMovie.Cause.STAFF)
    take_down("imdb_id")
    assert unblock(STOLEN)
    assert not Movie.objects.filter(imdb_id=STOLEN).exists()


@pytest.mark.parametrize(("lifted", "kept"), [(a, b) for a, b in product(URL_KINDS, URL_KINDS) if a != b])
def test_what_something_else_still_blocks_stays_hidden(catalogue, lifted, kept):
    take_down(lifted)
    before = StreamingLink.objects.filter(taken_down=True).count()
    take_down(kept)
    first = BlockedAddress.objects.filter(kind=lifted).first()
    if first is None:  # a link became a prefix with the same address
        return
    lift([first])
    hidden = set(StreamingLink.objects.filter(taken_down=True).values_list("source_url", flat=True))
    assert hidden == hidden_urls(kept)
    assert before


# --- writers


def save_by_a_scrape():
    raw = [{"imdb_id": STOLEN, "source": "example", "source_url": url, "licence": "cc0"} for url in SPELLINGS]
    return save_links([parse_link(one) for one in raw], movies=[parse_movie({"imdb_id": STOLEN, "title": TITLE})])


def import_them():
    links = [{"source": "example", "source_url": url, "licence": "cc0"} for url in SPELLINGS]
    line = json.dumps({"imdb_id": STOLEN, "title": TITLE, "links": links})
    with NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write(line)
        file.flush()
        call_command("import_catalogue", file.name, stdout=StringIO(), stderr=StringIO())


def publish_them():
    review.publish(StreamingLink.objects.all(), by="alice")


def restore_them():
    remove_movies(Movie.objects.all(), reason="test")
    restore_movies([STOLEN, OTHER])


def follow_redirects():
    for link in StreamingLink.objects.active().filter(source_url=ELSEWHERE):
        StreamingLink.objects.filter(pk=link.pk).update(moved_to=SPELLINGS[3], moved_seen=3)
    follow_permanent_redirects(now=timezone.now())


def edit_them():
    client = Client()
    client.force_login(User.objects.create_superuser("editor"))
    for link in StreamingLink.objects.filter(taken_down=True):
        address, body = f"/api/streaming/links/{link.pk}/", {"is_active": True, "is_published": True}
        assert client.patch(address, body, content_type="application/json").status_code == 400
    for url in SPELLINGS:
        body = {"movie": STOLEN, "source": "example", "source_url": url}
        assert client.post("/api/streaming/links/", body, content_type="application/json").status_code == 400


def bind_them():
    for movie, url in product(Movie.objects.all(), SPELLINGS):
        with pytest.raises(InvalidValue, match="taken down"):
            bindings.bind(movie, url=url)


WRITERS = [bind_them, edit_them, follow_redirects, import_them, publish_them, restore_them, save_by_a_scrape]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("write", WRITERS)
def test_nothing_brings_back_what_was_taken_down(catalogue, kind, write):
    take_down(kind)
    if kind == "imdb_id":
        Movie.objects.exclude(imdb_id=STOLEN).delete()
        if write is edit_them:
            return  # There is no row to edit, and no movie to add one to.
    write()
    if kind == "imdb_id":
        assert not Movie.objects.filter(imdb_id=STOLEN).exists()
    else:
        assert hidden_urls(kind).isdisjoint(shown_urls())
        assert ELSEWHERE in shown_urls()
    assert StreamingLink.objects.awaiting_review().count() == 0


def test_a_hidden_link_that_gets_an_allowed_address_is_shown_again(catalogue):
    take_down("link")
    link = StreamingLink.objects.filter(source_url=URL, movie__imdb_id=STOLEN).get()
    client = Client()
    client.force_login(User.objects.create_superuser("editor"))
    body = {"source_url": "https://free.example.org/film"}
    response = client.patch(f"/api/streaming/links/{link.pk}/", body, content_type="application/json")
    assert response.status_code == 200
    assert StreamingLink.objects.shown().get(pk=link.pk).is_active


def test_a_link_that_is_hidden_cannot_be_active(catalogue):
    take_down("host")
    with pytest.raises(IntegrityError), transaction.atomic():
        StreamingLink.objects.filter(taken_down=True).update(is_active=True)


def test_a_movie_whose_takedown_was_entered_past_us_is_not_shown(catalogue):
    BlockedAddress.objects.create(kind="imdb_id", address=STOLEN, reason="asked")
    bodies = responses()
    assert not showing(bodies, TITLE)


def test_one_address_in_two_spellings_is_one_takedown(catalogue):
    block(URL, reason="asked")
    for spelling in (SPELLINGS[2], SPELLINGS[3].replace(":8443", ""), SPELLINGS[1].rstrip("/")):
        block(spelling, reason="again")
        block_link(spelling, reason="again")
    assert list(BlockedAddress.objects.values_list("kind", "address")) == [("prefix", URL)]
    assert unblock(SPELLINGS[2])
    assert not BlockedAddress.objects.exists()
    assert URL in shown_urls()


def test_a_prefix_takes_the_place_of_a_link_with_the_same_address(catalogue):
    block_link(URL, reason="asked")
    row, _ = block(URL, reason="all of it")
    longer = make_link(Movie.objects.get(imdb_id=STOLEN), source_url=f"{URL}/part/2")
    block(URL, reason="all of it")
    longer.refresh_from_db()
    assert (row.kind, BlockedAddress.objects.count(), longer.taken_down) == ("prefix", 1, True)


def test_takedowns_that_are_deleted_in_the_admin_are_lifted(catalogue):
    for kind in URL_KINDS:
        take_down(kind)
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    ids = list(BlockedAddress.objects.values_list("pk", flat=True))
    form = {"action": "delete_selected", "_selected_action": ids, "post": "yes"}
    client.post(reverse("admin:streaming_blockedaddress_changelist"), form)
    assert not BlockedAddress.objects.exists()
    assert not StreamingLink.objects.filter(taken_down=True).exists()


def test_the_number_of_statements_does_not_depend_on_the_number_of_links(django_assert_max_num_queries):
    movie = make_movie()
    for size in (3, 60):
        for number in range(size):
            make_link(movie, source_url=f"https://host{size}.example.org/{number}")
        with django_assert_max_num_queries(12):
            assert block(f"host{size}.example.org", reason="asked")[1] == size
        with django_assert_max_num_queries(14):
            assert unblock(f"host{size}.example.org")
    assert movie.links.active().count() == 63


def test_a_link_that_is_taken_down_while_it_is_created_is_refused(catalogue, before_select):
    movie = Movie.objects.get(imdb_id=STOLEN)
    raw = {"source": "example", "source_url": "https://late.example.org/film"}
    with (
        before_select('FROM "streaming_streaminglink"', lambda: block("late.example.org", reason="asked")),
        pytest.raises(InvalidValue, match="taken down"),
    ):
        edits.create_link(raw, movie=movie)


def test_a_movie_with_a_hidden_link_can_be_edited_in_the_admin(catalogue):
    take_down("host")
    movie, client = Movie.objects.get(imdb_id=STOLEN), Client()
    client.force_login(User.objects.create_superuser("boss"))
    page = reverse("admin:streaming_movie_change", args=[movie.pk])
    form = client.get(page).context["adminform"].form
    formsets = client.get(page).context["inline_admin_formsets"]
    body = {name: value for name in form.fields if (value := form[name].value()) is not None}
    for one in (formset.formset for formset in formsets):
        body |= {f"{one.prefix}-{name}": value for name, value in one.management_form.initial.items()}
        for row in one.initial_forms:
            values = {name: row[name].value() for name in row.fields}
            body |= {row.add_prefix(name): value for name, value in values.items() if value not in (None, False)}
            body |= {row.add_prefix("id"): row.instance.pk, row.add_prefix("movie"): movie.pk}
    assert client.post(page, {**body, "title": "Corrected"}).status_code == 302
    movie.refresh_from_db()
    assert movie.title == "Corrected"
    assert hidden_urls("host").isdisjoint(shown_urls())


@pytest.mark.sqlite
def test_the_links_of_a_host_are_found_by_its_index():
    links = StreamingLink.objects.filter(host__in=["a.example.org"], taken_down=False)
    assert "(host=?)" in links.explain()
