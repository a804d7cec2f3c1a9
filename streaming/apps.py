"""Django's configuration of the app."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class StreamingConfig(AppConfig):
    name = "streaming"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from streaming.models.flushed_tables import empty_derived_tables  # noqa: PLC0415  models are not loaded before

        post_migrate.connect(empty_derived_tables, sender=self)
