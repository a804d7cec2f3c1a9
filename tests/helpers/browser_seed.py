"""Fill the site of the browser tests: the demo catalogue, and every state that a page can show."""

from __future__ import annotations

import json
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from streaming.drawing import posters
from streaming.ingest.records import parse_link, parse_movie
from streaming.ingest.save import save_links
from streaming.models import HealthRun, HostPause, LinkFlip, Movie, StreamingLink
from tests.helpers.factories import make_job, make_link, make_movie
from tests.helpers.paths import PROJECT_ROOT

DEMO = PROJECT_ROOT / "streaming" / "data" / "demo_catalogue.jsonl"
TITLES = len(DEMO.read_text(encoding="utf-8").splitlines()) + 5
# Movies of the example site that have no links at first.
LINKLESS = ["tt0010323", "tt0015324"]
REFRESHED, PLAIN, SHOWN = "tt0013442", "tt0017925", "tt0063350"
FAILED, NOTHING, RUNNING, HOSTILE = "tt9000001", "tt9000002", "tt9000003", "tt9000004"
UNKNOWN, UNREACHABLE_SEARCH, SIX_SOURCES = "tt9000005", "tt9000006", "tt9000007"
SHOW, WATCHED = "tt9000008", "tt9000009"
# The example site has the first one, and nobody the second one.
ABSENT, NOWHERE = "tt0055830", "tt9000010"
# No server listens there: a poster that cannot be loaded.
UNREACHABLE = "https://127.0.0.1:9/poster.jpg"
HOSTILE_TITLE = '"><script>alert(1)</script></title></script> {{7*7}} \u202egnp.exe ' + "W" * 100


def main() -> None:
    """Fill an empty database."""
    add_demo_catalogue()
    add_states()
    add_movie_of_six_sources()
    add_show()
    add_health_runs()


def add_demo_catalogue() -> None:
    entries = [json.loads(line) for line in DEMO.read_text(encoding="utf-8").splitlines()]
    movies = [parse_movie(entry) for entry in entries]
    links = [parse_link({**link, "imdb_id": entry["imdb_id"]}) for entry in entries for link in entry["links"]]
    save_links(links, movies=movies, is_operator=True)
    StreamingLink.objects.filter(movie__imdb_id__in=LINKLESS).delete()


def fill_for_pictures() -> None:
    """Fill an empty database with what the pictures of the documents show: all links work."""
    add_demo_catalogue()
    now = timezone.now()
    StreamingLink.objects.update(last_checked=now - timedelta(minutes=8), checks="a" * 24, reason="ok")
    HealthRun.objects.create(started_at=now - timedelta(minutes=9), finished_at=now, outcome="completed", checked=202)
    add_watched_movie()
    forget_dead_copy()
    Movie.objects.filter(imdb_id=WATCHED).update(
        synopsis="The film of the example site: it counts to twenty, and welcomes in two languages.", runtime_minutes=1
    )


def add_states() -> None:
    now = timezone.now()
    for number, link in enumerate(StreamingLink.objects.order_by("id")):
        dies = number % 9 == 4
        reason = "http_404" if number % 2 else "soft_404"
        link.last_checked, link.response_ms = now - timedelta(minutes=number), 90 + 13 * (number % 40)
        link.checks = ("a" * 20 + ("gguu" if dies else "agaa"))[number % 7 :]
        link.is_active, link.reason = not dies, reason if dies else "ok"
        link.save()
        if dies:
            LinkFlip.objects.create(link=link, at=now - timedelta(minutes=number), is_active=False, reason=reason)
    later = now + timedelta(hours=20)
    rows = [row("example", "failed", error="Timed out after 30 s"), row("internet_archive", "found", links=3)]
    failed = make_movie(imdb_id=FAILED, title="The Failing Search", year=1931, next_scrape_at=later)
    make_link(failed, is_active=False, reason="timeout", checks="aauu", last_checked=now)
    make_job(failed, state="failed", sources=rows, error="Timed out")
    nothing = make_movie(
        imdb_id=NOTHING, title="The Lost Reel", year=1919, next_scrape_at=later, poster_url=UNREACHABLE
    )
    make_job(nothing, state="succeeded", outcome="nothing", sources=[row("example", "nothing")])
    hostile = make_movie(imdb_id=HOSTILE, title=HOSTILE_TITLE, year=1960, synopsis="<img src=x onerror=alert(2)>" * 9)
    make_link(hostile, label="<b>bold</b>", checks="aaga", last_checked=now, reason="ok", licence="public-domain")


def add_movie_of_six_sources() -> None:
    """A movie with links of all real sources; at some of them its newest search failed."""
    now = timezone.now()
    movie = make_movie(imdb_id=SIX_SOURCES, title="The Film That Is Everywhere", year=1925, next_scrape_at=now)
    shown = {"checks": "aaaaaagaaa", "last_checked": now, "reason": "ok", "licence": "public-domain"}
    for source, host, kind, quality in (
        ("internet_archive", "archive.org", "file", "720p"),
        ("internet_archive", "archive.org", "file", "360p"),
        ("commons", "upload.wikimedia.org", "file", "1080p"),
        ("commons", "upload.wikimedia.org", "file", "480p"),
        ("library_of_congress", "tile.loc.gov", "stream", ""),
        ("peertube", "framatube.org", "file", "720p"),
        ("schema_org", "films.example.org", "page", ""),
        ("wikidata", "www.arte.tv", "page", ""),
    ):
        url = f"https://{host}/film/{source}/{quality or kind}"
        make_link(movie, source=source, host=host, source_url=url, kind=kind, quality=quality, **shown)
    asked = "archive.org asked us to come back at 14:05 UTC on 22 November"
    rows = [
        row("wikidata", "found", links=1, error="2 links were refused: may not be free"),
        row("internet_archive", "failed", error=asked),
        row("commons", "found", links=2),
        row("library_of_congress", "found", links=1),
        row("peertube", "nothing", error="1 link waits for review: PeerTube marks it as sensitive"),
        row("schema_org", "blocked", error="The site's robots.txt asks us not to read this"),
    ]
    make_job(movie, state="succeeded", outcome="found", sources=rows)


def add_show() -> None:
    """A show of five seasons with twenty episodes each; one episode has another copy, which nobody has checked."""
    show = make_movie(imdb_id=SHOW, title="The Hundred Evenings", year=1959, type="show", synopsis="گاو.")
    shown = {"checks": "aaga", "last_checked": timezone.now(), "reason": "ok", "licence": "public-domain"}
    for number in range(100):
        season, episode = number // 20 + 1, number % 20 + 1
        make_link(show, season=season, episode=episode, label=f"Evening {number + 1}", language="en", **shown)
    make_link(show, season=2, episode=3, source="commons")


def add_running_job() -> None:
    """A movie whose job runs; its lease outlasts the test and is still plausible."""
    movie = make_movie(imdb_id=RUNNING, title="The Vanishing", year=1920)
    lease = timezone.now() + timedelta(seconds=100)
    make_job(movie, state="running", sources=[row("example", "searching")], lease_until=lease)


def add_watched_movie() -> None:
    """A movie with copies at the example site: a file that has died, files, a stream, a player; with captions."""
    movie = make_movie(imdb_id=WATCHED, title="The Small Film", year=1926)
    shown = {"checks": "aaaa", "last_checked": timezone.now() - timedelta(minutes=9), "reason": "ok"}
    captions = [
        {
            "url": f"{settings.EXAMPLE_SITE_URL}/media/tt0013442/captions.{name}",
            "language": name[:2],
            "format": name[3:],
        }
        for name in ("en.vtt", "de.srt")
    ]
    for path, kind, quality, language in (
        ("media/tt0013442/1080p.en.mp4", "file", "1080p", "en"),
        ("media/tt0013442/480p.de.mp4", "file", "480p", "de"),
        ("media/tt0000417/360p.fr.webm", "file", "360p", "fr"),
        ("media/tt0013442/all.m3u8", "stream", "", "en"),
        ("embed/tt0000417/", "embed", "", "en"),
    ):
        url = f"{settings.EXAMPLE_SITE_URL}/{path}"
        make_link(movie, source_url=url, kind=kind, quality=quality, language=language, captions=captions, **shown)


def forget_dead_copy() -> None:
    """Leave the watched movie only copies that play."""
    StreamingLink.objects.filter(movie__imdb_id=WATCHED, source_url__contains="/1080p.").delete()


def remove_movies() -> None:
    Movie.objects.filter(imdb_id__in=[RUNNING, UNKNOWN, UNREACHABLE_SEARCH, WATCHED]).delete()


def forget_movie() -> None:
    """As if the catalogue had never had the movie."""
    Movie.objects.filter(imdb_id=ABSENT).delete()


def add_failing_searches() -> None:
    """Movies whose searches find no links: no source knows the one, the server of the other does not respond."""
    make_movie(imdb_id=UNKNOWN, title="The Empty Can", year=1921)
    unreachable = make_movie(imdb_id=UNREACHABLE_SEARCH, title="The Closed Gate", year=1922)
    make_job(unreachable, state="queued", sources=[row("example", "waiting")], target_url="http://127.0.0.1:9/films/")


def drawn_version() -> str:
    return posters.poster_version(NOTHING, title="The Lost Reel", year=1919)


def row(source: str, state: str, *, links: int = 0, error: str = "") -> dict[str, object]:
    return {"source": source, "state": state, "links": links, "new": 0, "seconds": 1.0, "error": error}


def add_health_runs() -> None:
    now = timezone.now()
    for day in range(14):
        at = now - timedelta(days=13 - day, minutes=20)
        HealthRun.objects.create(
            started_at=at,
            finished_at=at + timedelta(minutes=3),
            outcome=HealthRun.Outcome.COMPLETED,
            checked=190 + day,
            alive=170 + day - day % 3 * 6,
            gone=12,
            died=day % 4,
            revived=day % 3,
        )
    HostPause.objects.create(host="films.example.org", paused_until=now + timedelta(hours=2), reason="Retry-After")
