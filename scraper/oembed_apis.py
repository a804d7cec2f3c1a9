"""The oEmbed services of YouTube, Vimeo and Dailymotion as source APIs: one request per video. Pure.

Their pages respond with 200 for videos that are gone, and with walls for videos that are there; oEmbed needs no key
and says which. What each status means differs from service to service: see `STATUSES_BY_SLUG`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from urllib.parse import SplitResult, parse_qs, urlencode, urlsplit

from scraper.extraction.json_values import UnreadableResponse
from scraper.source_apis import AVAILABLE, EMBED_OFF, MISSING, NOT_FOUND, NOT_PUBLIC, ApiStatus, ItemRef, SourceApi

PLAYER = "player"
"""The `part` of a link that leads to the service's player and not to the page of the video."""
MAX_TITLE_LENGTH = 4_000
MAX_OEMBED_BYTES = 64 * 1024
EXISTS = ApiStatus(AVAILABLE, MappingProxyType({PLAYER: AVAILABLE}))
PLAYER_OFF = ApiStatus(None, MappingProxyType({PLAYER: EMBED_OFF}))
"""The owner allows no embedding: the player is of no use, of the page nothing is said."""
STATUSES_BY_SLUG: Mapping[str, Mapping[int, ApiStatus]] = MappingProxyType(
    {
        # No reference of YouTube's oEmbed lists its statuses. Its clients have seen the same ones for years: 401 when
        # the owner allows no embedding (extractus/oembed-extractor#168, TryGhost/Ghost#16374), 403 for a private video
        # (ruby-oembed/ruby-oembed#79), 404 for one that is not there (mellowagain/pomu#9).
        "youtube": {401: PLAYER_OFF, 403: ApiStatus(NOT_PUBLIC), 404: ApiStatus(MISSING)},
        # Vimeo's help, "Using oEmbed with private videos": an unlisted video requested without its hash is a 404, so a
        # 404 does not prove that the video was deleted. 403: its owner allows no embedding.
        "vimeo": {403: PLAYER_OFF, 404: ApiStatus(NOT_FOUND)},
        # Dailymotion's API errors: 404 is an object that cannot be found. Its 403 may only mean that the request names
        # no player (changelog "Player ID required in embed URLs"), so it says nothing of the video.
        "dailymotion": {404: ApiStatus(MISSING)},
    }
)
PLAIN_ERRORS = MappingProxyType({401: "unauthorized", 403: "forbidden", 404: "not found"})
"""The text of an error that is no JSON; the page of some other server between us and the service has another."""
SILENT_STATUSES = frozenset({400, 401, 403})
"""Statuses that mean nothing unless the service's table says so, but are no failure of the service either."""

YOUTUBE_HOSTS = ("youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com")
YOUTUBE_NETLOCS = (*YOUTUBE_HOSTS, "youtube-nocookie.com", "www.youtube-nocookie.com", "youtu.be", "www.youtu.be")
YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{11}")
YOUTUBE_PAGE = re.compile(r"/(embed|v|e|shorts|live|watch)/([A-Za-z0-9_-]{11})/?")
YOUTUBE_PLAYERS = frozenset({"embed", "v", "e"})
NOT_YOUTUBE_IDS = frozenset({"videoseries", "live_stream"})
"""Players of a playlist and of a channel; by chance as long as an id."""
VIMEO_NETLOCS = ("vimeo.com", "www.vimeo.com", "player.vimeo.com")
VIMEO_PAGE = re.compile(
    r"/(?:channels/[\w-]{1,80}/|groups/[\w-]{1,80}/videos/)?([1-9][0-9]{0,11})(?:/([0-9A-Za-z]{6,40}))?/?", re.ASCII
)
VIMEO_PLAYER = re.compile(r"/video/([1-9][0-9]{0,11})()/?")
VIMEO_HASH = re.compile(r"[0-9A-Za-z]{6,40}")
DAILYMOTION_NETLOCS = ("dailymotion.com", "www.dailymotion.com", "geo.dailymotion.com", "dai.ly", "www.dai.ly")
DAILYMOTION_ID = re.compile(r"[A-Za-z0-9]{5,30}")
DAILYMOTION_PAGE = re.compile(r"/(embed/)?(?:video/)([A-Za-z0-9]{5,30})(?:_[^/]{0,300})?/?")
DAILYMOTION_PLAYER = re.compile(r"/player(?:/[A-Za-z0-9]{1,30})?(?:\.html)?")


def oembed_apis(*, youtube: str, vimeo: str, dailymotion: str) -> list[SourceApi]:
    """Return the oEmbed services at these URLs (which may be those of mirrors or test servers)."""
    services = (
        ("youtube", youtube, "/oembed", YOUTUBE_NETLOCS, youtube_item_ref, "https://www.youtube.com/watch?v="),
        ("vimeo", vimeo, "/api/oembed.json", VIMEO_NETLOCS, vimeo_item_ref, "https://vimeo.com/"),
        (
            "dailymotion",
            dailymotion,
            "/services/oembed",
            DAILYMOTION_NETLOCS,
            dailymotion_item_ref,
            "https://www.dailymotion.com/video/",
        ),
    )
    return [_oembed_api(*service) for service in services]


def _oembed_api(
    slug: str,
    base: str,
    endpoint: str,
    netlocs: Sequence[str],
    parse_parts: Callable[[SplitResult], ItemRef | None],
    page_url: str,
) -> SourceApi:
    own = urlsplit(base)
    return SourceApi(
        slug,
        base,
        {**dict.fromkeys(netlocs, ""), own.netloc: own.path.removesuffix(endpoint)},
        parse_parts,
        partial(oembed_query, page_url),
        partial(oembed_statuses, STATUSES_BY_SLUG[slug]),
        max_response_bytes=MAX_OEMBED_BYTES,
        corrects_http=True,
    )


def oembed_query(page_url: str, base: str, names: Sequence[str]) -> tuple[str, int]:
    """Ask for the video's page, however the link is spelled."""
    return f"{base}?{urlencode({'url': page_url + names[0], 'format': 'json'})}", 1


def oembed_statuses(
    meanings: Mapping[int, ApiStatus], status: int, answer: object, names: Collection[str]
) -> dict[str, ApiStatus]:
    """Return the video's status; none if the service says nothing of it. A video that is there has a title."""
    if status == 200 and isinstance(answer, Mapping) and answer.get("type") == "video":
        title = answer.get("title")
        # Vimeo leaves out the title of a video that not everybody may see.
        is_titled = isinstance(title, str) and 0 < len(title.strip()) <= MAX_TITLE_LENGTH
        return dict.fromkeys(names, EXISTS) if is_titled else {}
    if _is_own_error(status, answer):
        if status in meanings:
            return dict.fromkeys(names, meanings[status])
        if status in SILENT_STATUSES:
            return {}
    raise UnreadableResponse("the service sent no video")


def _is_own_error(status: int, answer: object) -> bool:
    """Return whether an error is the service's own: an object, or the words of its status."""
    if isinstance(answer, Mapping):
        return bool(answer) and answer.get("type") != "video"
    if not isinstance(answer, str):
        return False
    words = answer.strip().casefold().removeprefix(str(status)).strip(" :.-")
    return status == 400 or words == PLAIN_ERRORS.get(status)


# --- what the URLs are about
def youtube_item_ref(parts: SplitResult) -> ItemRef | None:
    """Return the video of a watch page, a short URL or a player; none for playlists and channels."""
    if (parts.hostname or "").endswith("youtu.be"):
        return _youtube_video(parts.path.strip("/"), is_player=False)
    if parts.path.rstrip("/") == "/watch":
        return _youtube_video(_only_value(parts, "v"), is_player=False)
    found = YOUTUBE_PAGE.fullmatch(parts.path)
    return _youtube_video(found[2], is_player=found[1] in YOUTUBE_PLAYERS) if found else None


def _youtube_video(video_id: str, *, is_player: bool) -> ItemRef | None:
    if video_id in NOT_YOUTUBE_IDS or not YOUTUBE_ID.fullmatch(video_id):
        return None
    return ItemRef(video_id, PLAYER if is_player else "")


def vimeo_item_ref(parts: SplitResult) -> ItemRef | None:
    """Return the video of a page or a player, with the hash that an unlisted video needs."""
    player = VIMEO_PLAYER.fullmatch(parts.path)
    found = player or VIMEO_PAGE.fullmatch(parts.path)
    if found is None:
        return None
    video_hash = found[2] or _only_value(parts, "h")
    if video_hash and not VIMEO_HASH.fullmatch(video_hash):
        return None
    return ItemRef(f"{found[1]}/{video_hash}" if video_hash else found[1], PLAYER if player else "")


def dailymotion_item_ref(parts: SplitResult) -> ItemRef | None:
    """Return the video of a page, a short URL or a player; none for playlists and channels."""
    if (parts.hostname or "").endswith("dai.ly"):
        return _dailymotion_video(parts.path.strip("/"), is_player=False)
    if DAILYMOTION_PLAYER.fullmatch(parts.path):
        return _dailymotion_video(_only_value(parts, "video"), is_player=True)
    found = DAILYMOTION_PAGE.fullmatch(parts.path)
    return _dailymotion_video(found[2], is_player=bool(found[1])) if found else None


def _dailymotion_video(video_id: str, *, is_player: bool) -> ItemRef | None:
    return ItemRef(video_id, PLAYER if is_player else "") if DAILYMOTION_ID.fullmatch(video_id) else None


def _only_value(parts: SplitResult, name: str) -> str:
    """Return the value of a query parameter; empty if there is none, or more than one."""
    try:
        values = parse_qs(parts.query, max_num_fields=100).get(name, [])
    except ValueError:
        return ""
    return values[0] if len(values) == 1 else ""
