"""Addresses of other sites that staff can click."""

from __future__ import annotations

from django.utils.html import format_html

from streaming.formatting import display_text

MAX_TEXT_LENGTH = 60


def external_link(url: str, *, text: str = "") -> str:
    """A link in a new tab that tells the other site nothing; only the text for what is no address of the web."""
    shown = display_text(text or url, max_length=MAX_TEXT_LENGTH)
    if not url.startswith(("https://", "http://")):
        return shown
    return format_html(
        '<a href="{}" target="_blank" rel="noopener noreferrer nofollow" title="{}">{}</a>', url, url, shown
    )
