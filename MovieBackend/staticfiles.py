"""Static files: what the packages ship and no page of ours loads is left out, the rest is hashed and compressed once.

Without this the first start spends half a minute on compressing source maps, Redoc and the browsable API.
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
    """Hashed names for what CSS names, too; source maps are not collected, so they are not looked for.

    A file that was not collected is named as it is: a server that was started without `collectstatic` shows its pages.
    """

    manifest_strict = False
    patterns = (("*.css", CompressedManifestStaticFilesStorage.patterns[0][1][:2]),)

    def stored_name(self, name: str) -> str:
        try:
            return str(super().stored_name(name))
        except ValueError:
            return name
