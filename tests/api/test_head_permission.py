"""A view without actions demands for HEAD what it demands for GET."""

from __future__ import annotations

import pytest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from streaming.api.base_views import ApiView


class StaffOnlyView(ApiView):
    required_permissions = {"get": ("streaming.view_binding",)}

    def get(self, request: Request) -> Response:
        return Response({"secret": True})


class PublicView(ApiView):
    def get(self, request: Request) -> Response:
        return Response({"public": True})


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize(("view", "status"), [(StaffOnlyView, 401), (PublicView, 200)])
def test_head_needs_what_get_needs(view: type[ApiView], status: int, method: str) -> None:
    request = getattr(APIRequestFactory(), method)("/")
    assert view.as_view()(request).status_code == status
