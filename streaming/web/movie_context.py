"""Template data of a movie's page: its links, its job, related movies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from scraper.extraction.countries import COUNTRIES
from scraper.extraction.genres import GENRES
from streaming.formatting import display_text
from streaming.health.judging.removal import GRACE_FACTORS
from streaming.localization import country_name, duration_text, genre_name, number_text
from streaming.models import Movie, ScrapeJob, StreamingLink
from streaming.ranking import accepted_languages, best_first
from streaming.reason_codes import Strength
from streaming.web.job_view import job_view
from streaming.web.link_rows import COPIES_SHOWN, LinkView, Season, chosen_season, copies_of, seasons_of
from streaming.web.titles import shown_synopsis, shown_title

WIKIDATA_ITEM = "http://www.wikidata.org/entity/"
MAX_ACTIONS = 10
ENTRY_POINT = {
    "@type": "EntryPoint",
    "actionPlatform": ["https://schema.org/DesktopWebPlatform", "https://schema.org/MobileWebPlatform"],
}
POLL_COUNT_PATTERN = re.compile(r"[0-9]{1,4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class MovieLinks:
    """A movie's links as the page shows them: active ones best first, inactive ones in a collapsed table.

    `checked`: the latest check, None if never; `stale`: no active link was checked or seen within `STALE_HOURS`.
    """

    active: list[StreamingLink]
    inactive: list[StreamingLink]
    checked: datetime | None
    stale: bool

    @classmethod
    def of(cls, movie: Movie, *, languages: Sequence[str], now: datetime) -> MovieLinks:
        links = best_first(list(movie.links.shown().select_related("archived_copy")), languages=languages)
        active = [link for link in links if link.is_active]
        confirmed = [time for link in active for time in (link.last_checked, link.last_seen) if time]
        return cls(
            active=active,
            inactive=[link for link in links if not link.is_active],
            checked=max((link.last_checked for link in links if link.last_checked), default=None),
            stale=bool(active) and max(confirmed) < now - timedelta(hours=settings.STALE_HOURS),
        )

    @property
    def best(self) -> StreamingLink | None:
        return self.active[0] if self.active else None

    @property
    def working(self) -> int:
        """How many links a check has found working."""
        return len(self.active) - self.unchecked

    @property
    def unchecked(self) -> int:
        """How many links are offered that nobody has checked yet."""
        return sum(link.last_checked is None for link in self.active)

    @property
    def summary(self) -> str:
        """The number of links for search engines: `2 working links`; `2 unchecked links` if nobody has checked any."""
        if self.unchecked and not self.working:
            text = ngettext("%(number)s unchecked link", "%(number)s unchecked links", self.unchecked)
            return text % {"number": number_text(self.unchecked)}
        text = ngettext("%(number)s working link", "%(number)s working links", self.working)
        return text % {"number": number_text(self.working)}


def links_context(request: HttpRequest, found: Movie) -> dict[str, Any]:
    """The links of a movie for its page; `waiting` counts links awaiting review, for staff who may see them."""
    links = MovieLinks.of(found, languages=viewer_languages(request), now=timezone.now())
    user = request.user
    sees_waiting = user.is_staff and user.has_perm("streaming.view_streaminglink")
    return {
        "waiting": found.links.awaiting_review().count() if sees_waiting else 0,
        "links": [*links.active, *links.inactive],
        "working": links.working,
        "unchecked": links.unchecked,
        "working_links": links.summary,
        "active": links.active,
        "inactive": links.inactive,
        "removal_rule": "" if links.active else removal_rule(settings.LINK_GRACE_HOURS),
        "best": links.best,
        "checked": links.checked,
        "stale": links.stale,
        **_rows_context(found, links, view=LinkView.from_query_string(request.GET)),
    }


def _rows_context(movie: Movie, links: MovieLinks, *, view: LinkView) -> dict[str, Any]:
    """The rows of the links: the seasons of a show and the chosen one, or copies, all or the first ones."""
    seasons = seasons_of(links.active)
    copies = () if seasons else copies_of(links.active)
    shown = None if view.shows_all else COPIES_SHOWN
    season = chosen_season(seasons, view=view)
    rows = season.episodes if season else copies[:shown]
    return {
        "shown_links": [link for row in rows for link in row.links],
        "named_links": [named for row in rows for named in row.named_links],
        "view_query": view.query_string,
        "row_query": f"{view.query_string}&" if view.query_string else "?",
        "watch_label": _watch_label(links.best, seasons),
        "seasons": seasons,
        "season": season,
        "all_links_url": f"{movie.get_absolute_url()}{view.query_string_of_all}#refresh",
        "copies": copies[:shown],
        "copies_left": len(copies[shown:]) if shown else 0,
        "inactive_shown": links.inactive[:shown],
        "inactive_left": len(links.inactive[shown:]) if shown else 0,
        "opens_inactive": not links.active and len(links.inactive) <= COPIES_SHOWN,
    }


def _watch_label(best: StreamingLink | None, seasons: Sequence[Season]) -> str:
    """The text of the large button: for a show it names the episode that it opens."""
    if best is None:
        return ""
    if seasons and seasons[0].episodes[0].number:
        values = {"episode": seasons[0].episodes[0].name, "source": best.source_name}
        return gettext("Watch %(episode)s on %(source)s") % values
    return gettext("Watch on %(source)s") % {"source": best.source_name}


def job_context(
    request: HttpRequest, job: ScrapeJob | None, *, movie: Movie, working_links: int | None = None
) -> dict[str, Any]:
    """The job panel of a movie page.

    `progress_url` is the page for browsers without scripts: it differs each time, for they reload no URL that stays.
    """
    polls, view = request.GET.get("look", ""), LinkView.from_query_string(request.GET)
    look = int(polls) + 1 if POLL_COUNT_PATTERN.fullmatch(polls) else 1
    progress = view.query_string_with(job=job.pk, look=look) if job else ""
    return {
        "job": job,
        "job_view": job_view(job, movie=movie, working_links=working_links) if job else None,
        "poll_url": f"{job.get_absolute_url()}{view.query_string}" if job else "",
        "progress_url": f"{movie.get_absolute_url()}{progress}#refresh",
    }


def removal_rule(grace_hours: float) -> str:
    """When a title without working links is removed, as a sentence."""
    if not grace_hours:
        return gettext("A title is removed when a check finds none of its links working.")
    proven, soft, blocked = (
        duration_text(GRACE_FACTORS[one] * grace_hours) for one in (Strength.PROVEN, Strength.SOFT, Strength.BLOCKED)
    )
    return gettext(
        "A title is removed when each of its links has failed for long enough: %(proven)s if not found, %(soft)s if "
        "unavailable or not responding, %(blocked)s if blocked."
    ) % {"proven": proven, "soft": soft, "blocked": blocked}


def display_name(found: Movie) -> str:
    """Title and year, as in "Nosferatu (1922)"."""
    title = shown_title(found).text
    return f"{title} ({found.year})" if found.year else title


def viewer_languages(request: HttpRequest) -> list[str]:
    """The viewer's language tags, preferred first: the one chosen in the footer, then those of Accept-Language."""
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    accepted = accepted_languages(request.headers.get("Accept-Language", ""))
    return [chosen, *accepted] if chosen in dict(settings.LANGUAGES) else accepted


def structured_data(found: Movie, active: Sequence[StreamingLink], canonical: str) -> dict[str, Any]:
    """The movie as schema.org data, with a WatchAction for each of the best `MAX_ACTIONS` working links."""
    values = {
        "@context": "https://schema.org",
        "@type": "TVSeries" if found.type == Movie.Type.SHOW else "Movie",
        "name": display_text(found.title),
        "url": canonical,
        "sameAs": f"https://www.imdb.com/title/{found.imdb_id}/",
        "datePublished": str(found.year) if found.year else "",
        "description": display_text(shown_synopsis(found).text, max_length=500),
        "image": found.poster_url or urljoin(canonical, reverse("cover", args=[found.imdb_id])),
        **_stated_facts(found),
        "potentialAction": [
            {"@type": "WatchAction", "target": {**ENTRY_POINT, "urlTemplate": link.source_url}}
            for link in active[:MAX_ACTIONS]
        ],
    }
    return {key: value for key, value in values.items() if value}


def _stated_facts(found: Movie) -> dict[str, Any]:
    """What is known of the movie, in the words of schema.org."""
    original = display_text(found.original_title)
    return {
        "duration": f"PT{found.runtime_minutes}M" if found.runtime_minutes else "",
        "alternateName": original if original != display_text(found.title) else "",
        "genre": [genre_name(slug) for slug in found.genres if slug in GENRES],
        "countryOfOrigin": [
            {"@type": "Country", "name": country_name(code)} for code in found.countries if code in COUNTRIES
        ],
        "inLanguage": list(found.original_languages),
        "director": _people(found, "directors"),
        "actor": _people(found, "cast"),
    }


def _people(found: Movie, role: str) -> list[dict[str, str]]:
    rows = [(display_text(person.name), person.wikidata) for person in found.people(role)]
    return [
        {"@type": "Person", "name": name} | ({"sameAs": f"{WIKIDATA_ITEM}{wikidata}"} if wikidata else {})
        for name, wikidata in rows
    ]
