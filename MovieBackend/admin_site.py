"""The app of Django's admin, with our site instead of its own, loaded with its URLs: most commands need no admin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib.admin import autodiscover
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class OpenreelAdminConfig(SimpleAdminConfig):
    default_site = "streaming.desk.desk_site.DeskSite"

    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(_check_all, checks.Tags.admin)


def _check_all(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Django's check of the admin's pages, which have to be loaded first."""
    autodiscover()
    return check_admin_app(app_configs, **kwargs)
