"""Collect only the static files that our pages use, hashed and compressed.

Compressing all that the packages ship (source maps, Redoc, the browsable API) would take half a minute.
"""

from __future__ import annotations

from django.contrib.staticfiles.apps import StaticFilesConfig
from whitenoise.storage import CompressedManifestStaticFilesStorage


class OpenreelStaticFilesConfig(StaticFilesConfig):
    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        "*.map",
        "rest_framework",
        "redoc",
        "ext",
        "htmx-4*",
        "htmax*",
    ]


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # the package has no types
    """Storage that hashes file names, also inside CSS, but ignores source maps, which are not collected.

    A file that was not collected keeps its name, so that pages work without `collectstatic`.
    """

    manifest_strict = False
    patterns = (("*.css", CompressedManifestStaticFilesStorage.patterns[0][1][:2]),)

    def stored_name(self, name: str) -> str:
        try:
            return str(super().stored_name(name))
        except ValueError:
            return name
