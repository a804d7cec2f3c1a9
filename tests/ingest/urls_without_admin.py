"""The addresses of a site whose admin is switched off."""

from __future__ import annotations

from MovieBackend import urls

urlpatterns = [one for one in urls.urlpatterns if getattr(one, "namespace", None) != "admin"]
handler404, handler500 = "streaming.pages.not_found", "streaming.pages.server_error"
