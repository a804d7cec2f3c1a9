"""What anybody can read names no account, no internal address and nothing that staff wrote for themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from streaming import urls
from streaming.health.prune import NEVER_LINKED_REASON, NO_WORKING_LINK_REASON
from streaming.ingest.takedown import block
from streaming.ingest.tombstones import remove_movies
from streaming.models import Binding, BlockedAddress, HealthRun, HostPause, Movie, RemovedMovie, StreamingLink
from streaming.models.removed import PUBLIC_REASON_BY_CAUSE
from tests.helpers.factories import make_job, make_link, make_movie
from tests.helpers.staff import make_staff

pytestmark = pytest.mark.django_db
ACCOUNT, FREE_TEXT, INSIDE = "secretary_jones", "Jane Roe of 12 Example Street", "10.20.30.40"
VALUES = {
    "slug": ["horror"],
    "code": ["DE"],
    "identifier": ["tt0000001", "tt0000002", "tt0000003", "tt0000004"],
    "pk": ["tt0000001", "tt0000002", "tt0000003", "tt0000004", "{job}"],
    "kind": ["movie"],
    "key": ["openreel-movie", "tt0000001", "tt0000003"],
    "extra": ["search=a"],
    "rest": ["tt0000003"],
    "imdb_id": ["tt0000001"],
    "section": ["movies"],
    "link_id": ["1"],
    "number": ["0"],
}


def fill():
    """A catalogue in which staff have left their traces everywhere; return the id of a job."""
    alice = APIClient(headers={"Authorization": f"Token {Token.objects.create(user=make_staff(ACCOUNT)).key}"})
    link = make_link(make_movie(imdb_id="tt0000001", title="A"), evidence=f"Published by {ACCOUNT}")
    make_link(link.movie, is_active=False, reason="by_hand", evidence=FREE_TEXT)
    make_link(link.movie, is_published=False, source_url="https://waiting.example.org/x", label=FREE_TEXT)
    Binding.objects.create(movie=link.movie, url="https://bound.example.org/x")
    for number in (2, 3, 4):
        make_link(make_movie(imdb_id=f"tt000000{number}", title="B"))
    alice.delete("/api/streaming/movies/tt0000002/")
    block("tt0000003", reason=FREE_TEXT)
    remove_movies(Movie.objects.filter(imdb_id="tt0000004"), reason=FREE_TEXT, cause=RemovedMovie.Cause.CLEANUP)
    block("blocked.example.org", reason=FREE_TEXT)
    soon = timezone.now() + timedelta(hours=1)
    HostPause.objects.create(host="films.example.org", paused_until=soon, reason=f"{FREE_TEXT}, {ACCOUNT}")
    HealthRun.objects.create(finished_at=timezone.now(), outcome="completed")
    job = make_job(link.movie, state="failed", error="No source could be searched.", log=f"{INSIDE} refused")
    return job.pk


def public_urls(patterns, prefix=""):
    """The paths of all routes, with each of `VALUES` for each argument."""
    for pattern in patterns:
        route = pattern.pattern
        if isinstance(pattern, URLResolver):
            yield from public_urls(pattern.url_patterns, prefix + str(route))
        elif isinstance(pattern, URLPattern):
            yield from expand(prefix + path_of(route))


def path_of(route):
    """The route with its arguments in braces."""
    text = str(route)
    if not hasattr(route, "_route"):  # A pattern of the API's router.
        for name in route.regex.groupindex:
            start = text.index(f"(?P<{name}>")
            text = text[:start] + f"<{name}>" + text[text.index(")", start) + 1 :]
        text = text.replace("^", "").replace("\\Z", "").replace("$", "").replace("[\\s\\S]+", "nothing")
    return text


def expand(path):
    if "<" not in path:
        return [path]
    start, end = path.index("<"), path.index(">")
    name = path[start + 1 : end].rpartition(":")[2]
    return [one for value in VALUES[name] for one in expand(path[:start] + value + path[end + 1 :])]


def test_no_public_route_tells_who_wrote_what(settings):
    settings.METRICS_TOKEN = ""
    job = fill()
    client = Client(headers={"User-Agent": "Googlebot/2.1"})
    seen = {}
    for path in sorted(set(public_urls(urls.urlpatterns))):
        response = client.get("/" + path.replace("{job}", str(job)))
        body = b"".join(response.streaming_content) if response.streaming else response.content
        seen[path] = response.status_code
        for secret in (ACCOUNT, FREE_TEXT, "Jane Roe", "Example Street", INSIDE, "waiting.example", "bound.example"):
            assert secret.encode() not in body, (path, secret)
    assert len(seen) > 40
    assert {200, 404, 401} <= set(seen.values()) <= {200, 302, 400, 401, 403, 404, 405}


def test_each_removal_has_a_reason_from_the_fixed_list():
    fill()
    lost = Client().get("/feeds/lost.xml").content.decode()
    removed = {row["imdb_id"]: row["reason"] for row in Client().get("/api/streaming/changes/").json()["removed"]}
    assert removed == {
        "tt0000002": "removed by the editors",
        "tt0000003": "taken down",
        "tt0000004": "no working link",
    }
    for imdb_id, reason in removed.items():
        page = Client().get(f"/streaming/{imdb_id}/").content.decode()
        assert reason in page
        assert f"Removed: {reason}." in lost
        assert ("It returns automatically" in page) is (imdb_id == "tt0000004")
    assert set(PUBLIC_REASON_BY_CAUSE) == set(RemovedMovie.Cause)
    assert PUBLIC_REASON_BY_CAUSE[RemovedMovie.Cause.CHECK] == NO_WORKING_LINK_REASON != NEVER_LINKED_REASON


def test_staff_see_who_and_why_in_the_admin():
    fill()
    assert RemovedMovie.objects.get(imdb_id="tt0000002").reason == f"removed by {ACCOUNT}"
    assert FREE_TEXT in RemovedMovie.objects.get(imdb_id="tt0000003").reason
    assert BlockedAddress.objects.filter(reason=FREE_TEXT).count() == 2
    assert StreamingLink.objects.filter(evidence=FREE_TEXT).exists()


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("manual", "paused by hand"),
        ("retry_after", "asked us to come back later"),
        ("breaker", "most of its links failed at once"),
    ],
)
def test_the_public_reason_of_a_pause_is_its_kind(kind, text):
    soon = timezone.now() + timedelta(hours=1)
    HostPause.objects.create(host="films.example.org", paused_until=soon, kind=kind, reason=FREE_TEXT)
    page = Client().get("/health/").content.decode()
    assert (text in page, FREE_TEXT in page) == (True, False)
