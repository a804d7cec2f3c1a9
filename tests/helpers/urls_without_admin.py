"""The URLconf of a site whose admin is switched off."""

from __future__ import annotations

from MovieBackend import urls
from MovieBackend.urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [one for one in urls.urlpatterns if not str(one.pattern).startswith("admin/")]
