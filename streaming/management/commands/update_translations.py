"""Bring the catalogues of translations up to date."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from streaming.management.base import OpenreelCommand
from streaming.message_catalogues import update_catalogues


class Command(OpenreelCommand):
    help = "Bring the catalogues in locale/ up to date with the texts of the sources, and compile them. For developers."
    example = "python manage.py update_translations"

    def handle(self, **options: Any) -> str:
        missing = update_catalogues()
        lines = [f"{language}: no translation of {text!r}" for language, texts in missing.items() for text in texts]
        if lines:
            raise CommandError("\n".join(lines))
        return f"All texts are translated: {', '.join(missing)}."
