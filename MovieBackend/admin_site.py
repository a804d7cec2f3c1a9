"""The app of Django's admin, with our site instead of its own."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class OpenreelAdminConfig(AdminConfig):
    default_site = "streaming.desk.desk_site.DeskSite"
