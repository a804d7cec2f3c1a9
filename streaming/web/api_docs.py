"""The API's documentation to try out: Swagger UI within a page of ours, in the visitor's colour theme."""

from __future__ import annotations

from typing import Any

from django.utils.cache import patch_vary_headers
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerView
from rest_framework.request import Request
from rest_framework.response import Response

from streaming.web.rendering import EXTERNAL_REL, colour_theme


class DocsView(SpectacularSwaggerView):
    """Swagger UI, with its files served from our own static files."""

    # Not OPTIONS: DRF responds to it with data, which this view's template cannot show.
    http_method_names = ["get", "head"]
    url_name = "api:schema"
    template_name = "api_docs.html"

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The page; caches must revalidate it, for it depends on the theme cookie."""
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        response.data |= {"theme": colour_theme(request._request), "rel": EXTERNAL_REL}
        response.headers["Cache-Control"] = "private, no-cache"
        patch_vary_headers(response, ["Cookie"])
        return response
