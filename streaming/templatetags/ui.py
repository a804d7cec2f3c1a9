"""Template tags and filters: icons, times, charts, safe texts and URLs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import template
from django.conf import settings
from django.template import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from streaming import formatting, localization, ranking
from streaming.drawing import covers, posters
from streaming.models import Movie
from streaming.web import assets, cards, charts, link_rows, titles
from streaming.web.job_view import Icon

register = template.Library()
register.filter("display_text", formatting.display_text)
# Not `language_name`: the library i18n of Django has a filter of that name.
register.filter("named_language", localization.language_name)
register.filter("number", localization.number_text)
register.filter("day", localization.day_text)
register.filter("moment", localization.moment_text)
register.filter("checks_passed", link_rows.checks_passed)
register.filter("archived_copy", link_rows.archived_copy)
register.filter("of_name", link_rows.of_name)
register.filter("open_text", link_rows.open_text)
register.filter("plays_in_browser", ranking.plays_in_browser)
register.filter("runtime", localization.runtime_text)

MAX_SYNOPSIS_LENGTH = 4000

# Characters that could end the script element or start a tag inside JSON.
SCRIPT_ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


@register.simple_tag
def site_name() -> str:
    return str(settings.SITE_NAME)


@register.simple_tag
def site_description() -> str:
    return gettext("Public-domain and openly licensed movies and shows, with links that are checked.")


@register.simple_tag
def page_languages() -> list[tuple[str, str]]:
    """The languages of the pages, each by its own name."""
    return list(settings.LANGUAGES)


@register.simple_tag
def age_patterns() -> dict[str, str]:
    """The texts of ages for the script that keeps them up to date."""
    return localization.age_patterns()


@register.filter
def shown_title(movie: Movie) -> str:
    """The title of a movie for viewers of this language."""
    return titles.shown_title(movie).text


@register.filter
def title_language(movie: Movie) -> str:
    """The language of that title if it is another than the page's and known; empty otherwise."""
    return titles.shown_title(movie).language


@register.simple_tag
def text_direction(language: str) -> SafeString:
    """The attributes of a text that may run from right to left, in another language than the page's unless empty."""
    return format_html(' dir="auto" lang="{}"', language) if language else mark_safe(' dir="auto"')


@register.simple_tag(takes_context=True)
def aria_current(context: Context, page: str, *below: str) -> str | SafeString:
    """The aria-current attribute of the menu entry for `page`: on the page itself and on the pages `below` it."""
    match = getattr(context.get("request"), "resolver_match", None)
    name = match.url_name if match else None
    if name == page:
        return mark_safe(' aria-current="page"')
    return mark_safe(' aria-current="true"') if name in below else ""


@register.filter
def synopsis_text(text: str) -> str:
    """A synopsis, cleaned like a title but up to `MAX_SYNOPSIS_LENGTH` characters."""
    return formatting.display_text(text, max_length=MAX_SYNOPSIS_LENGTH)


@register.filter
def safe_link(url: str) -> str:
    """The URL if it is safe as a link target, otherwise empty."""
    return url if url.startswith(("https://", "http://")) else ""


@register.filter
def safe_image(url: str) -> str:
    """The URL if a page may load an image from it, otherwise empty."""
    return url if url.startswith("https://") else ""


@register.simple_tag
def movie_card(movie: Movie, position: int) -> SafeString:
    """The card of a movie at this position of a list."""
    return cards.render_card(movie, position=position)


@register.simple_tag
def icon(name: str, kind: str = "") -> SafeString:
    """An icon of our sprite; it is decorative, the text beside it carries the meaning."""
    sprite = static("img/icons.svg")
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="{}#{}"/></svg>', kind, sprite, name)


@register.simple_tag
def job_icon(shown: Icon) -> SafeString:
    """The icon of a job or of one of its sources; a spinner while it runs."""
    if shown.is_spinner:
        return mark_safe('<span class="spin" aria-hidden="true"></span>')
    return icon(shown.name, shown.kind)


@register.simple_tag
def time_tag(time: datetime | None) -> SafeString | str:
    """A time as "5 min ago", with the exact time as its title; "never" for None."""
    if not time:
        return gettext("never")
    exact, stamp = localization.exact_time_text(time), time.isoformat(timespec="seconds")
    text = localization.time_ago(time, now=timezone.now())
    return format_html('<time datetime="{}" title="{}" data-ago>{}</time>', stamp, exact, text)


@register.simple_tag
def uptime(checks: str) -> SafeString:
    return mark_safe(charts.uptime_chart(checks))  # noqa: S308


@register.simple_tag
def sparkline(values: list[int], caption: str) -> SafeString:
    """A small chart with a line that says what it shows, and between which numbers; empty for fewer than two values."""
    drawn = mark_safe(charts.sparkline_chart(values))  # noqa: S308
    if not drawn:
        return drawn
    lowest, highest = localization.number_text(min(values)), localization.number_text(max(values))
    # Word joiners: the range stays on one line.
    return format_html("{}<small>{}: {}\u2060–\u2060{}</small>", drawn, caption, lowest, highest)


@register.simple_tag
def stacked(bars: Sequence[charts.ChartBar], good: str, bad: str, label: str) -> SafeString:
    return mark_safe(charts.stacked_bars(bars, good=good, bad=bad, label=label))  # noqa: S308


@register.simple_tag
def meter(value: float, total: float) -> SafeString:
    return mark_safe(charts.meter_bar(value, total))  # noqa: S308


@register.simple_tag
def poster_url(movie: Movie) -> str:
    """The URL of the generated poster; it contains the version, so that it may be cached for ever."""
    version = posters.poster_version(movie.imdb_id, title=movie.title, year=movie.year, is_show=movie.type == "show")
    return f"{reverse('poster', args=[movie.imdb_id])}?v={version}"


@register.simple_tag(takes_context=True)
def social_card_url(context: Context, movie: Movie) -> str:
    """The absolute URL of the picture for social networks; it contains the version, since they cache by URL."""
    version = covers.picture_version("card", assets.picture_subject(movie))
    url = f"{reverse('card', args=[movie.imdb_id])}?v={version}"
    return str(context["request"].build_absolute_uri(url))


@register.simple_tag
def json_ld(data: dict[str, Any]) -> SafeString:
    """Structured data for search engines as a data block; no text in it can end the script element."""
    text = json.dumps(data, ensure_ascii=False).translate(SCRIPT_ESCAPES)
    return mark_safe(f'<script type="application/ld+json">{text}</script>')  # noqa: S308
