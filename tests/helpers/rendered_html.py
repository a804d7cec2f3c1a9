"""Reads a rendered page as a browser does: any number of blanks and line breaks counts as one blank."""

from __future__ import annotations

from django.http import HttpResponse


def html_of(response: HttpResponse) -> str:
    return " ".join(response.content.decode().split())
