"""Root URLconf: the admin, the routes of the application and the views for errors."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from streaming.admin import log_in
from streaming.web import error_pages

urlpatterns: list[URLPattern | URLResolver] = [path("", include("streaming.urls"))]
if settings.ADMIN_ENABLED:
    urlpatterns[:0] = [path("admin/login/", log_in), path("admin/", admin.site.urls)]

# Django looks for these in the root URLconf only.
handler400 = error_pages.bad_request
handler403 = error_pages.permission_denied
handler404 = error_pages.not_found
handler500 = error_pages.server_error
