"""The Content-Security-Policy header: that of the site, and that of a page that needs more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.conf import settings


def policy_header(changes: Mapping[str, Sequence[str]]) -> str:
    """The value of the header: `SECURE_CSP` with these directives added or replaced."""
    return "; ".join(f"{name} {' '.join(values)}" for name, values in {**settings.SECURE_CSP, **changes}.items())
