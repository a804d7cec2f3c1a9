"""Read a rendered page as a browser does: consecutive spaces and line breaks count as one space."""

from __future__ import annotations

from django.http import HttpResponse


def html_of(response: HttpResponse) -> str:
    return " ".join(response.content.decode().split())
