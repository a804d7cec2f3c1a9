"""Template tags of the pages: icons, moments, charts, safe texts. They show; they decide nothing."""

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
from django.utils import dateformat, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from streaming import formatting
from streaming.models import Movie
from streaming.web import charts, posters
from streaming.web.job_view import Icon

register = template.Library()
register.filter("display_text", formatting.display_text)
register.filter("language_name", formatting.language_name)
register.filter("duration", formatting.duration_text)

MAX_SYNOPSIS_LENGTH = 4000
SITE_DESCRIPTION = "Public-domain and openly licensed movies and shows, with links that are checked."

# What could end the script element or start a tag inside JSON.
SCRIPT_ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


@register.simple_tag
def site_name() -> str:
    return str(settings.SITE_NAME)


@register.simple_tag
def site_description() -> str:
    return SITE_DESCRIPTION


@register.simple_tag(takes_context=True)
def aria_current(context: Context, page: str, *below: str) -> str | SafeString:
    """Marks the menu's entry for `page` on that page itself, and on those `below` it."""
    match = getattr(context.get("request"), "resolver_match", None)
    name = match.url_name if match else None
    if name == page:
        return mark_safe(' aria-current="page"')
    return mark_safe(' aria-current="true"') if name in below else ""


@register.filter
def synopsis_text(text: str) -> str:
    """A synopsis: as harmless as a title, but longer."""
    return formatting.display_text(text, max_length=MAX_SYNOPSIS_LENGTH)


@register.filter
def safe_link(url: str) -> str:
    """The address when a browser may be sent there; otherwise nothing."""
    return url if url.startswith(("https://", "http://")) else ""


@register.filter
def safe_image(url: str) -> str:
    """The address of a picture that a page may show; otherwise nothing."""
    return url if url.startswith("https://") else ""


@register.simple_tag
def icon(name: str, kind: str = "") -> SafeString:
    """A sign of our own sprite. Decorative: the text beside it carries the meaning."""
    sprite = static("img/icons.svg")
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="{}#{}"/></svg>', kind, sprite, name)


@register.simple_tag
def job_icon(sign: Icon) -> SafeString:
    """The icon of a job or of one of its sources; a spinner while it goes on."""
    if sign.is_spinner:
        return mark_safe('<span class="spin" aria-hidden="true"></span>')
    return icon(sign.name, sign.kind)


@register.simple_tag
def time_tag(moment: datetime | None) -> SafeString | str:
    """How long ago for people, the exact moment for the careful."""
    if not moment:
        return "never"
    exact, stamp = f"{dateformat.format(moment, 'd M Y, H:i')} UTC", moment.isoformat(timespec="seconds")
    text = formatting.time_ago(moment, now=timezone.now())
    return format_html('<time datetime="{}" title="{}" data-ago>{}</time>', stamp, exact, text)


@register.simple_tag
def uptime(checks: str) -> SafeString:
    return mark_safe(charts.uptime_chart(checks))  # noqa: S308


@register.simple_tag
def sparkline(values: list[int]) -> SafeString:
    return mark_safe(charts.sparkline_chart(values))  # noqa: S308


@register.simple_tag
def stacked(bars: Sequence[charts.ChartBar], good: str, bad: str, label: str) -> SafeString:
    return mark_safe(charts.stacked_bars(bars, good=good, bad=bad, label=label))  # noqa: S308


@register.simple_tag
def meter(value: float, total: float) -> SafeString:
    return mark_safe(charts.meter_bar(value, total))  # noqa: S308


@register.simple_tag
def poster_url(movie: Movie) -> str:
    """Where the drawn poster is; its version is part of the address, so that it may be kept for ever."""
    version = posters.poster_version(movie.imdb_id, title=movie.title, year=movie.year, is_show=movie.type == "show")
    return f"{reverse('poster', args=[movie.imdb_id])}?v={version}"


@register.simple_tag
def json_ld(data: dict[str, Any]) -> SafeString:
    """Structured data for search engines: a data block, which no browser runs and no title can end."""
    text = json.dumps(data, ensure_ascii=False).translate(SCRIPT_ESCAPES)
    return mark_safe(f'<script type="application/ld+json">{text}</script>')  # noqa: S308


@register.simple_tag(takes_context=True)
def query_url(context: Context, **changes: Any) -> str:
    """The query string of the catalogue page with `changes` (see `FilterSelection.url`)."""
    return str(context["query"].url(**changes))
