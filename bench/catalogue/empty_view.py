"""Openreel's routes, and a page that does nothing: what the same middleware and server cost without a view."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def do_nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [path("empty/", do_nothing), path("", include("MovieBackend.urls"))]
