"""Render a page or a fragment of one."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails

EXTERNAL_REL = "noopener noreferrer nofollow ugc"


class HtmxHttpRequest(HttpRequest):
    """A request after the middleware of django-htmx."""

    htmx: HtmxDetails


def render_page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Render a template, or one of its fragments (`page.html#part`).

    The response depends on the theme cookie and on htmx, and caches must revalidate it.
    """
    defaults = {"theme": colour_theme(request), "rel": EXTERNAL_REL}
    response = render(request, template, defaults | context, status=status)
    response.headers["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Cookie", "HX-Request", "HX-Target"])
    return response


def colour_theme(request: HttpRequest) -> str:
    """The colour theme from the visitor's cookie; empty: follow the system."""
    theme = request.COOKIES.get("theme", "")
    return theme if theme in ("light", "dark") else ""
