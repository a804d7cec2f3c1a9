"""The oEmbed services of YouTube, Vimeo and Dailymotion: their URLs, their requests and what their responses mean."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from scraper.extraction.json_values import UnreadableResponse
from scraper.oembed_apis import MAX_TITLE_LENGTH, PLAYER, oembed_apis
from scraper.source_apis import AVAILABLE, EMBED_OFF, MISSING, NOT_FOUND, NOT_PUBLIC, ApiStatus, ItemRef
from scraper.sources import OEMBED_URLS, parse_delays, request_delay

YOUTUBE, VIMEO, DAILYMOTION = oembed_apis(
    youtube=OEMBED_URLS["YOUTUBE_OEMBED_URL"],
    vimeo=OEMBED_URLS["VIMEO_OEMBED_URL"],
    dailymotion=OEMBED_URLS["DAILYMOTION_OEMBED_URL"],
)
ID = "dQ-w4w9WgX_"
PAGE, IN_PLAYER = ItemRef(ID), ItemRef(ID, PLAYER)

SUBJECTS = [
    (YOUTUBE, f"https://www.youtube.com/watch?v={ID}", PAGE),
    (YOUTUBE, f"https://youtube.com/watch/?app=desktop&v={ID}&t=30s", PAGE),
    (YOUTUBE, f"https://www.youtube.com/watch?v={ID}&list=PLabcdefghijk", PAGE),
    (YOUTUBE, f"http://m.youtube.com/watch?v={ID}", PAGE),
    (YOUTUBE, f"https://music.youtube.com/watch?v={ID}", PAGE),
    (YOUTUBE, f"https://youtu.be/{ID}?si=abc", PAGE),
    (YOUTUBE, f"https://www.youtube.com/shorts/{ID}", PAGE),
    (YOUTUBE, f"https://www.youtube.com/live/{ID}?feature=share", PAGE),
    (YOUTUBE, f"https://www.youtube.com/embed/{ID}?rel=0", IN_PLAYER),
    (YOUTUBE, f"https://www.youtube.com/v/{ID}", IN_PLAYER),
    (YOUTUBE, f"https://www.youtube-nocookie.com/embed/{ID}", IN_PLAYER),
    (YOUTUBE, "https://www.youtube.com/embed/videoseries?list=PLabcdefghijk", None),
    (YOUTUBE, "https://www.youtube.com/embed/live_stream?channel=UCabcdefghijk", None),
    (YOUTUBE, "https://www.youtube.com/playlist?list=PLabcdefghijk", None),
    (YOUTUBE, "https://www.youtube.com/watch?list=PLabcdefghijk", None),
    (YOUTUBE, "https://www.youtube.com/channel/UCabcdefghi", None),
    (YOUTUBE, "https://www.youtube.com/@filmarchive", None),
    (YOUTUBE, "https://www.youtube.com/filmarchive", None),
    (YOUTUBE, "https://www.youtube.com/watch?v=short", None),
    (YOUTUBE, f"https://www.youtube.com/watch?v={ID}x", None),
    (YOUTUBE, f"https://www.youtube.com/watch?v={ID}&v=aaaaaaaaaaa", None),
    (YOUTUBE, "https://www.youtube.com/watch?" + "&".join(f"a{n}=1" for n in range(500)), None),
    (YOUTUBE, f"https://youtu.be/{ID}/more", None),
    (YOUTUBE, f"https://www.youtube.com.example.org/watch?v={ID}", None),
    (YOUTUBE, "https://[", None),
    (VIMEO, "https://vimeo.com/76979871", ItemRef("76979871")),
    (VIMEO, "https://www.vimeo.com/76979871/?autoplay=1", ItemRef("76979871")),
    (VIMEO, "https://vimeo.com/76979871/eced817cc0", ItemRef("76979871/eced817cc0")),
    (VIMEO, "https://vimeo.com/76979871?h=eced817cc0", ItemRef("76979871/eced817cc0")),
    (VIMEO, "https://vimeo.com/channels/staffpicks/76979871", ItemRef("76979871")),
    (VIMEO, "https://vimeo.com/groups/shortfilms/videos/76979871", ItemRef("76979871")),
    (VIMEO, "https://player.vimeo.com/video/76979871", ItemRef("76979871", PLAYER)),
    (VIMEO, "https://player.vimeo.com/video/76979871?h=eced817cc0", ItemRef("76979871/eced817cc0", PLAYER)),
    (VIMEO, "https://player.vimeo.com/video/76979871?h=a%2Fb", None),
    (VIMEO, "https://vimeo.com/76979871/likes/all", None),
    (VIMEO, "https://vimeo.com/channels/staffpicks", None),
    (VIMEO, "https://vimeo.com/showcase/76979871", None),
    (VIMEO, "https://vimeo.com/filmarchive", None),
    (VIMEO, "https://vimeo.com/ondemand/film/76979871", None),
    (VIMEO, "https://vimeo.com/\u0661\u0662\u0663", None),
    (VIMEO, "https://vimeo.com/0", None),
    (DAILYMOTION, "https://www.dailymotion.com/video/x7tgad0", ItemRef("x7tgad0")),
    (DAILYMOTION, "https://dailymotion.com/video/x7tgad0_a-film-of-1922_shortfilms", ItemRef("x7tgad0")),
    (DAILYMOTION, "https://dai.ly/x7tgad0", ItemRef("x7tgad0")),
    (DAILYMOTION, "https://www.dailymotion.com/embed/video/x7tgad0", ItemRef("x7tgad0", PLAYER)),
    (DAILYMOTION, "https://geo.dailymotion.com/player.html?video=x7tgad0", ItemRef("x7tgad0", PLAYER)),
    (DAILYMOTION, "https://geo.dailymotion.com/player/xfh28.html?video=x7tgad0&mute=1", ItemRef("x7tgad0", PLAYER)),
    (DAILYMOTION, "https://geo.dailymotion.com/player/xfh28.html?playlist=x6hynl", None),
    (DAILYMOTION, "https://www.dailymotion.com/playlist/x6hynl", None),
    (DAILYMOTION, "https://www.dailymotion.com/filmarchive", None),
    (DAILYMOTION, "https://www.dailymotion.com/video/x7-tgad0", None),
    (DAILYMOTION, "https://dai.ly/", None),
]


@pytest.mark.parametrize(("source_api", "url", "subject"), SUBJECTS)
def test_what_a_url_is_about(source_api, url, subject):
    assert source_api.item_for_url(url) == subject


REQUESTS = [
    (YOUTUBE, ID, "https://www.youtube.com/oembed", f"https://www.youtube.com/watch?v={ID}"),
    (VIMEO, "76979871", "https://vimeo.com/api/oembed.json", "https://vimeo.com/76979871"),
    (VIMEO, "76979871/eced817cc0", "https://vimeo.com/api/oembed.json", "https://vimeo.com/76979871/eced817cc0"),
    (
        DAILYMOTION,
        "x7tgad0",
        "https://www.dailymotion.com/services/oembed",
        "https://www.dailymotion.com/video/x7tgad0",
    ),
]


@pytest.mark.parametrize(("source_api", "name", "endpoint", "video"), REQUESTS)
def test_one_request_asks_for_one_video(source_api, name, endpoint, video):
    url, count = source_api.build_query(source_api.base, [name, "another"])
    asked, _, query = url.partition("?")
    assert (asked, count) == (endpoint, 1)
    assert parse_qs(query) == {"url": [video], "format": ["json"]}


def test_a_mirror_stands_in_with_its_path():
    base = "http://127.0.0.1:9/tube/oembed"
    mirror = oembed_apis(youtube=base, vimeo="https://v.example", dailymotion="https://d.example")[0]
    assert mirror.item_for_url(f"http://127.0.0.1:9/tube/watch?v={ID}") == PAGE
    assert mirror.item_for_url(f"http://127.0.0.1:9/watch?v={ID}") is None
    assert mirror.build_query(mirror.base, [ID])[0].startswith(f"{base}?url=")


def video(**about):
    return {"type": "video", "version": "1.0", "title": "A film", "html": "<iframe></iframe>", **about}


FAILURE = UnreadableResponse
NOTHING = (None, None)
THERE = (AVAILABLE, AVAILABLE)
ERROR = {"error": {"code": 1, "message": "no"}}
# What is said of a page and of a player.
MEANINGS = [
    (YOUTUBE, 404, "Not Found", (MISSING, MISSING)),
    (YOUTUBE, 404, "404: not found.", (MISSING, MISSING)),
    (YOUTUBE, 404, ERROR, (MISSING, MISSING)),
    (YOUTUBE, 403, "Forbidden", (NOT_PUBLIC, NOT_PUBLIC)),
    (YOUTUBE, 401, "Unauthorized", (None, EMBED_OFF)),
    (YOUTUBE, 400, "Bad Request", NOTHING),
    (VIMEO, 404, "404 Not Found", (NOT_FOUND, NOT_FOUND)),
    (VIMEO, 404, ERROR, (NOT_FOUND, NOT_FOUND)),
    (VIMEO, 403, ERROR, (None, EMBED_OFF)),
    (VIMEO, 401, ERROR, NOTHING),
    (DAILYMOTION, 404, ERROR, (MISSING, MISSING)),
    (DAILYMOTION, 403, ERROR, NOTHING),
    (DAILYMOTION, 401, ERROR, NOTHING),
]
# The same at each service.
ANYWHERE = [
    (200, video(), THERE),
    (200, video(title="x" * MAX_TITLE_LENGTH), THERE),
    (200, video(title="x" * 1_000_000), NOTHING),
    (200, video(title=" "), NOTHING),
    (200, video(title=["A film"]), NOTHING),
    (200, video(title=1922), NOTHING),
    (200, {"type": "video", "html": "<iframe></iframe>"}, NOTHING),
    (200, {"type": "link", "title": "A channel"}, FAILURE),
    (200, {"title": "Sign in"}, FAILURE),
    (200, {}, FAILURE),
    (200, ERROR, FAILURE),
    (200, [], FAILURE),
    (200, [video()], FAILURE),
    (200, 5, FAILURE),
    (200, "Not Found", FAILURE),
    (200, "Forbidden", FAILURE),
    (404, video(), FAILURE),
    (404, {}, FAILURE),
    (404, [], FAILURE),
    (404, "no such host here", FAILURE),
    (403, "Not Found", FAILURE),
    (403, [], FAILURE),
    (301, "Not Found", FAILURE),
    (302, ERROR, FAILURE),
    (410, ERROR, FAILURE),
    (429, ERROR, FAILURE),
    (500, "Not Found", FAILURE),
    (503, ERROR, FAILURE),
]
TABLE = [*MEANINGS, *((service, *row) for service in (YOUTUBE, VIMEO, DAILYMOTION) for row in ANYWHERE)]


@pytest.mark.parametrize(("source_api", "status", "answer", "meaning"), TABLE)
def test_what_a_response_means(source_api, status, answer, meaning):
    if meaning is FAILURE:
        with pytest.raises(UnreadableResponse):
            source_api.parse_statuses(status, answer, {"name"})
        return
    stated = source_api.parse_statuses(status, answer, {"name"}).get("name", ApiStatus(None))
    assert (stated.reason_for(""), stated.reason_for(PLAYER)) == meaning


@pytest.mark.parametrize("source_api", [YOUTUBE, VIMEO, DAILYMOTION])
def test_each_service_is_asked_once_a_second_unless_a_setting_says_otherwise(source_api):
    host = urlsplit(source_api.base).hostname
    assert request_delay(host, source=source_api.slug, delays={}) == 1.0
    assert request_delay(host, source=source_api.slug, delays=parse_delays([f"{source_api.slug}=2.5"])) == 2.5
    assert request_delay(host, source="official_site", delays={}) == 0.0
