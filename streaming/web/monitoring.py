"""The door for those who run the place: is the process up, is it ready, what are the numbers."""

from __future__ import annotations

import hmac
import ipaddress

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from streaming import statistics
from streaming.web import prometheus

PROXY_HEADERS = ("X-Forwarded-For", "X-Real-IP", "Forwarded")


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers. The database is not asked."""
    return JsonResponse({"status": "ok", "version": settings.VERSION})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether requests can be served: the database answers. The rest is for the eyes."""
    try:
        whole = statistics.totals()
    except DatabaseError:
        return JsonResponse({"status": "unavailable", "detail": "The database does not answer."}, status=503)
    run = whole.last_run
    return JsonResponse(
        {
            "status": "ok",
            "database": "ok",
            "health_run_age_seconds": int((timezone.now() - run.started_at).total_seconds()) if run else None,
            "open_jobs": whole.open_jobs,
        }
    )


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """The numbers, for those who may see them; to others there is no such page."""
    if not (_has_valid_token(request) or _is_direct_loopback(request)):
        raise Http404
    return HttpResponse(
        prometheus.render_metrics(timezone.now()), content_type="text/plain; version=0.0.4; charset=utf-8"
    )


def _has_valid_token(request: HttpRequest) -> bool:
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(settings.METRICS_TOKEN) and hmac.compare_digest(sent.encode(), settings.METRICS_TOKEN.encode())


def _is_direct_loopback(request: HttpRequest) -> bool:
    """A proxy on this machine is a loopback peer too, but it says for whom it asks."""
    if any(name in request.headers for name in PROXY_HEADERS):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
