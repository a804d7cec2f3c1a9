"""The admin's site: Django's, with a front page that says what needs attention, and pages of our own."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite, autodiscover
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.utils.translation import gettext

from streaming.desk.front_page import figures_for, notices_for
from streaming.desk.settings_in_force import settings_in_force
from streaming.desk.upload_import import UploadForm, may_import, take_upload


class DeskSite(AdminSite):
    """Django's admin site with our pages; lists have the width of its sidebar, and the front page has its links."""

    enable_nav_sidebar = False

    def get_urls(self) -> list[URLResolver | URLPattern]:
        autodiscover()  # Not when Django starts: see `MovieBackend.admin_site`.
        ours: list[URLResolver | URLPattern] = [
            path("import/", self.admin_view(self.import_file), name="import"),
            path("settings/", self.admin_view(self.show_settings), name="settings"),
        ]
        return ours + super().get_urls()

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "may_import": may_import(request)}

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The tables of the catalogue before those of accounts and of the log."""
        apps = super().get_app_list(request, app_label)
        return sorted(apps, key=lambda app: app["app_label"] != "streaming")

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        now = timezone.now()
        context = {
            "notices": notices_for(request.user, now=now),
            "figures": figures_for(request.user, now=now),
        }
        return super().index(request, {**context, **(extra_context or {})})

    def import_file(self, request: HttpRequest) -> HttpResponse:
        """The page to import a file, or to check one. 403 for accounts that may not do all that an import does."""
        if not may_import(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        result = take_upload(request, form.cleaned_data["file"]) if form.is_valid() else None
        context = {
            **self.each_context(request),
            "title": gettext("Import movies and links"),
            "form": form,
            "result": result,
        }
        return TemplateResponse(request, "admin/import.html", context)

    def show_settings(self, request: HttpRequest) -> HttpResponse:
        """The page of the settings in force. 403 for everybody but superusers."""
        if not (request.user.is_active and request.user.is_superuser):
            raise PermissionDenied
        context = {**self.each_context(request), "title": gettext("Settings in force"), "rows": settings_in_force()}
        return TemplateResponse(request, "admin/settings.html", context)
